//! The permissions a deployment requires, as custom roles: one for the account that runs the W&B server,
//! one for whoever runs wbstore, and one for the job that removes what has expired.
//!
//! Which method requires which permission is in the Cloud Storage documentation, "IAM permissions for
//! JSON methods" and "… for gRPC calls", and in the Pub/Sub documentation, "Access control with IAM".
//! A custom role holds permissions of several services, and grants only those that mean something to
//! the resource it is bound to. To sign for itself an account requires `roles/iam.serviceAccountTokenCreator`
//! (Cloud Storage documentation, "V4 signing process"), and to encrypt for a bucket the service agent requires
//! `roles/cloudkms.cryptoKeyEncrypterDecrypter` ("Use customer-managed encryption keys").

use serde_json::{Value, json};

use super::bucket_name::BucketName;
use super::kms_key::KmsKeyName;
use super::project::ProjectId;
use super::pubsub_name::SubscriptionName;
use super::service_account::ServiceAccount;
use super::trust::Impersonation;
use crate::error::Result;
use crate::name::StorageName;
use crate::names::digits;
use crate::policy::{Audience, Holes, Policy, no_team_key};

/// What a role is about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Subjects<'a> {
    pub(super) storage: &'a StorageName,
    pub(super) project: &'a ProjectId,
    pub(super) bucket: &'a BucketName,
    /// The subscription with the bucket's events; `None` where the server uses its internal queue.
    pub(super) subscription: Option<&'a SubscriptionName>,
    /// The account the server runs as, where it is known.
    pub(super) service_account: Option<&'a ServiceAccount>,
    /// The key that encrypts the bucket; `None` for the default encryption.
    pub(super) kms_key: Option<&'a KmsKeyName>,
    /// The address of the project's Cloud Storage service agent.
    pub(super) storage_agent: &'a str,
    /// The pods that act as the account; `None` where only its permissions are printed.
    pub(super) impersonation: Option<&'a Impersonation>,
}

/// What `audience` may do: the server with its storage, wbstore with one deployment, or `teardown --expired` with
/// all of the project. W&B does not publish what the server calls; this is what a client does that reads, writes
/// and deletes files, and uploads in parts.
pub(super) fn policy(audience: Audience, subjects: &Subjects<'_>) -> Result<Policy> {
    let Subjects { storage, service_account, subscription, .. } = subjects;
    // It may hold letters, digits, `_` and `.`, and 64 of them (IAM documentation, "Naming a role").
    let role_id = |who: &str| {
        let stem = storage.stem().replace('-', "_");
        match &storage.team {
            None => format!("wbstore_{stem}_{who}"),
            Some(_) => format!("wbstore_{stem:.36}_{}_{who}", digits(&storage.parts(&[]))),
        }
    };
    let expired = audience == Audience::ExpiryJob;
    let (template, role_id) = match audience {
        Audience::Node => (include_str!("policy/node.json"), role_id("node")),
        Audience::TeamKey => return Err(no_team_key()),
        Audience::Operator => (include_str!("policy/operator.json"), role_id("operator")),
        Audience::ExpiryJob => (include_str!("policy/operator.json"), "wbstore_expired".to_owned()),
    };
    let (title, description, member) = if expired {
        let title = "wbstore teardown --expired".to_owned();
        (title, "What wbstore teardown gcp --expired calls", "serviceAccount:JOB")
    } else {
        (format!("wbstore operator ({storage})"), "What wbstore calls", "user:OPERATOR")
    };
    let flag = |set: bool| if set { Value::Bool(true) } else { Value::Null };
    let mut policy = Holes::from([
        ("account", json!(service_account.map_or("SERVICE_ACCOUNT", ServiceAccount::as_str))),
        ("bucket", json!(subjects.bucket)),
        ("deployment", json!(storage.to_string())),
        ("description", json!(description)),
        ("events", flag(expired || subscription.is_some())),
        ("expired", flag(expired)),
        ("grants", flag(service_account.is_some())),
        ("kms_key", json!(subjects.kms_key)),
        ("member", json!(member)),
        ("members", json!(subjects.impersonation.map(Impersonation::members))),
        ("project", json!(subjects.project)),
        ("role_id", json!(role_id)),
        ("service_account", json!(service_account)),
        ("storage_agent", json!(subjects.storage_agent)),
        ("subscription", json!(subscription)),
        ("title", json!(title)),
    ])
    .fill(template)?;
    if let Some(impersonation) = subjects.impersonation {
        policy.document = impersonation.document(policy.document);
        policy.pods = Some(impersonation.pods());
    }
    Ok(policy)
}

#[cfg(test)]
mod tests;
