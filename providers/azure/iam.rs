//! The custom roles a deployment requires: one for the identity that the W&B server runs as, one for
//! whoever runs wbstore, and one for the job that removes what has expired.
//!
//! The documents are what `az role definition create --role-definition` reads. Actions are those of the
//! Azure RBAC reference, "Azure permissions for Storage", "… for Integration" and "… for Management and
//! governance"; which data call requires which is in the Blob and the Queue service REST API,
//! "Authorize with Microsoft Entra ID". A custom role can be assigned in resource groups, subscriptions
//! and larger scopes that it names, and in everything within them. Event Grid requires write access to what it
//! delivers to (Event Grid documentation, "Authorizing access to Event Grid resources"), and the resource of a
//! queue destination is its account.

use serde_json::{Value, json};

use super::account_name::AccountName;
use super::container_name::ContainerName;
use super::identity::EntraId;
use super::queue_name::QueueName;
use super::resource_group::ResourceGroup;
use super::subscription_id::SubscriptionId;
use super::trust::Federation;
use crate::error::Result;
use crate::name::StorageName;
use crate::policy::{Audience, Holes, Policy, no_team_key};

/// What the roles of one deployment are about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Subjects<'a> {
    pub(super) storage: &'a StorageName,
    /// The identity that uses a team's container.
    pub(super) client: Option<&'a EntraId>,
    pub(super) account: &'a AccountName,
    pub(super) container: &'a ContainerName,
    /// The queue of blob events; `None` where the server uses its internal one.
    pub(super) queue: Option<&'a QueueName>,
    /// Whether the account may be one that wbstore creates: no other is named.
    pub(super) creates_account: bool,
    /// Whether resource providers are registered too (`--register-provider`).
    pub(super) registers: bool,
    /// The identity of the server and its pods; `None` where only the role is printed.
    pub(super) federation: Option<&'a Federation>,
}

/// What `audience` may do: the server with its storage, wbstore with one deployment, or, without `subjects`,
/// `teardown --expired` in the resource group or the whole subscription.
///
/// The server is one without a key that signs in as itself: Kubernetes' service account, federated with a managed
/// identity. W&B does not publish the calls that the server makes; these are those of a client that reads, writes
/// and deletes files, signs URLs for browsers and consumes a queue.
pub(super) fn policy(
    audience: Audience,
    subscription: &SubscriptionId,
    resource_group: Option<&ResourceGroup>,
    subjects: Option<&Subjects<'_>>,
) -> Result<Policy> {
    let mut scope = format!("/subscriptions/{subscription}");
    if let Some(group) = resource_group {
        scope.push_str(&format!("/resourceGroups/{group}"));
    }
    let template = match audience {
        Audience::Node => include_str!("policy/node.json"),
        Audience::TeamKey => return Err(no_team_key()),
        Audience::Operator | Audience::ExpiryJob => include_str!("policy/operator.json"),
    };
    // A role's name, and that of a credential: no slash in it.
    let deployment = subjects.map(|subjects| subjects.storage.to_string().replace('/', "."));
    let deployment = deployment.unwrap_or_default();
    let team = subjects.is_some_and(|subjects| subjects.storage.team.is_some());
    let (name, description, assignee) = match subjects {
        Some(_) => (format!("wbstore operator {deployment}"), "What wbstore calls", "OPERATOR"),
        None => {
            let place = resource_group.map_or(subscription.as_str(), ResourceGroup::as_str);
            (format!("wbstore expired {place}"), "What wbstore teardown azure --expired calls", "JOB")
        }
    };
    let account = subjects.map(|subjects| subjects.account);
    let federation = subjects.and_then(|subjects| subjects.federation);
    let flag = |set: bool| if set { Value::Bool(true) } else { Value::Null };
    let mut policy = Holes::from([
        ("account", json!(account)),
        (
            "account_scope",
            json!(account.map(|one| format!("{scope}/providers/Microsoft.Storage/storageAccounts/{one}"))),
        ),
        ("assignee", json!(assignee)),
        ("container", json!(subjects.map(|subjects| subjects.container))),
        ("creates_account", flag(subjects.is_none_or(|subjects| subjects.creates_account))),
        ("client", json!(subjects.and_then(|subjects| subjects.client).map_or("CLIENT_ID", EntraId::as_str))),
        ("deployment", json!(deployment)),
        ("credentials", json!(federation.map(Federation::credentials))),
        ("placeholders", flag(federation.is_some_and(Federation::has_placeholders))),
        ("identity", json!(federation.map(|federation| &federation.identity))),
        ("team", flag(team)),
        ("description", json!(description)),
        ("expired", flag(subjects.is_none())),
        ("name", json!(name)),
        ("queue", flag(subjects.is_none_or(|subjects| subjects.queue.is_some()))),
        ("registers", flag(subjects.is_some_and(|subjects| subjects.registers))),
        ("resource_group", json!(resource_group)),
        ("scope", json!(scope)),
        ("subscription", json!(subscription)),
    ])
    .fill(template)?;
    if let Some(federation) = federation {
        policy.document = federation.document(policy.document);
        policy.pods = Some(federation.pods());
    }
    Ok(policy)
}

#[cfg(test)]
mod tests;
