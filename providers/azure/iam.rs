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
use super::queue_name::QueueName;
use super::resource_group::ResourceGroup;
use super::subscription_id::SubscriptionId;
use crate::error::Result;
use crate::name::DeploymentName;
use crate::policy::{Audience, Holes, Policy};

/// What the roles of one deployment are about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Subjects<'a> {
    pub(super) deployment: &'a DeploymentName,
    pub(super) account: &'a AccountName,
    pub(super) container: &'a ContainerName,
    /// The queue of blob events; `None` where the server uses its internal one.
    pub(super) queue: Option<&'a QueueName>,
    /// Whether the account may be one that wbstore creates: no other is named.
    pub(super) creates_account: bool,
    /// Whether resource providers are registered too (`--register-provider`).
    pub(super) registers: bool,
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
        Audience::Operator | Audience::ExpiryJob => include_str!("policy/operator.json"),
    };
    let deployment = subjects.map_or("", |subjects| subjects.deployment.as_str());
    let (name, description, assignee) = match subjects {
        Some(_) => (format!("wbstore operator {deployment}"), "What wbstore calls", "OPERATOR"),
        None => {
            let place = resource_group.map_or(subscription.as_str(), ResourceGroup::as_str);
            (format!("wbstore expired {place}"), "What wbstore teardown azure --expired calls", "JOB")
        }
    };
    let account = subjects.map(|subjects| subjects.account);
    let flag = |set: bool| if set { Value::Bool(true) } else { Value::Null };
    Holes::from([
        ("account", json!(account)),
        (
            "account_scope",
            json!(account.map(|one| format!("{scope}/providers/Microsoft.Storage/storageAccounts/{one}"))),
        ),
        ("assignee", json!(assignee)),
        ("container", json!(subjects.map(|subjects| subjects.container))),
        ("creates_account", flag(subjects.is_none_or(|subjects| subjects.creates_account))),
        ("deployment", json!(deployment)),
        ("description", json!(description)),
        ("expired", flag(subjects.is_none())),
        ("name", json!(name)),
        ("queue", flag(subjects.is_none_or(|subjects| subjects.queue.is_some()))),
        ("registers", flag(subjects.is_some_and(|subjects| subjects.registers))),
        ("resource_group", json!(resource_group)),
        ("scope", json!(scope)),
    ])
    .fill(template)
}

#[cfg(test)]
mod tests;
