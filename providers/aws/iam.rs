//! The IAM policies a deployment requires: one for the machine that runs the W&B server, one for
//! whoever runs wbstore, and one for the job that removes what has expired.
//!
//! Actions and the resources they apply to are those of the AWS Service Authorization Reference,
//! "Actions, resources, and condition keys" for Amazon S3, Amazon SQS and AWS KMS. Bucket actions
//! belong with the bucket's ARN and object actions with `<bucket>/*`; the other way round they
//! grant nothing, and IAM does not complain. `CreateBucket` with tags requires `s3:TagResource`, and with an
//! object ownership `s3:PutBucketOwnershipControls` (S3 API, `CreateBucket`, "Permissions").

use serde_json::{Value, json};

use super::account::AccountId;
use super::bucket_name::BucketName;
use super::kms_key::KmsKeyArn;
use super::principal::PrincipalArn;
use super::queue_name::QueueName;
use super::region::Region;
use super::trust::NodeRole;
use crate::error::Result;
use crate::policy::{Audience, Holes, Policy};
use crate::reader::KMS_ACTIONS;
use crate::verify::PROBE_PREFIX;

/// What a policy is about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Subjects<'a> {
    pub(super) region: &'a Region,
    pub(super) account: &'a AccountId,
    pub(super) bucket: &'a BucketName,
    /// The queue of object events; `None` where the server uses its internal one.
    pub(super) queue: Option<&'a QueueName>,
    /// The queue on which the server publishes run events.
    pub(super) notifications_queue: Option<&'a QueueName>,
    /// The key that encrypts the bucket; `None` for the default encryption.
    pub(super) kms_key: Option<&'a KmsKeyArn>,
    /// Who may use a team's bucket, for the policy of its key.
    pub(super) reader: Option<&'a PrincipalArn>,
    pub(super) is_team: bool,
    /// The role that the server has, and what may assume it; `None` where only its permissions are printed.
    pub(super) role: Option<&'a NodeRole>,
    /// Whether the bucket is to keep versions.
    pub(super) has_versions: bool,
}

/// What `audience` may do: the server with its storage, wbstore with one deployment, or `teardown --expired` in
/// every region of the account with all that has a name of the kind that wbstore derives.
///
/// The server gets at least what W&B's own Terraform module grants on bucket and key (wandb/terraform-aws-wandb,
/// `modules/secure_storage_connector`), and what a client requires that uploads in parts and consumes a queue.
pub(super) fn policy(audience: Audience, subjects: &Subjects<'_>) -> Result<Policy> {
    let Subjects { region, account, bucket, .. } = subjects;
    let partition = region.partition().id;
    let arn = |queue: &QueueName| region.queue_arn(account, queue);
    let (queue, notifications) = (subjects.queue.map(arn), subjects.notifications_queue.map(arn));
    let both: Vec<&String> = [&queue, &notifications].into_iter().flatten().collect();
    let expired = audience == Audience::ExpiryJob;
    let (bucket_arn, queues) = match both.as_slice() {
        _ if expired => (
            format!("arn:{partition}:s3:::wbstore-*"),
            json!(format!("arn:{partition}:sqs:*:{account}:wbstore-*")),
        ),
        [] => (region.bucket_arn(bucket), Value::Null),
        [one] => (region.bucket_arn(bucket), json!(one)),
        both => (region.bucket_arn(bucket), json!(both)),
    };
    let template = match audience {
        Audience::Node => include_str!("policy/node.json"),
        Audience::TeamKey => include_str!("policy/team_key.json"),
        Audience::Operator | Audience::ExpiryJob => include_str!("policy/operator.json"),
    };
    let trust = subjects.role.map(|role| role.trust_policy(region)).transpose()?;
    let trust = trust.unwrap_or_default();
    let mut policy = Holes::from([
        ("account", json!(account)),
        ("bucket", json!(bucket)),
        ("bucket_arn", json!(bucket_arn)),
        ("expired", json!(expired.then_some(true))),
        ("kms_key", json!(subjects.kms_key)),
        ("key_resource", json!(subjects.kms_key.map_or("*", KmsKeyArn::as_str))),
        ("reader", json!(subjects.reader)),
        ("reader_actions", json!(KMS_ACTIONS)),
        ("team", json!(subjects.is_team.then_some(true))),
        // Use of the key through S3 only: whoever holds the policy cannot decrypt with it elsewhere (KMS developer
        // guide, "kms:ViaService").
        ("kms_service", json!(format!("s3.{region}.{}", region.partition().dns_suffix))),
        ("name", json!(if expired { "expired".to_owned() } else { format!("operator-{bucket}") })),
        ("notifications_arn", json!(notifications)),
        ("other_partition", json!((partition != "aws").then_some(true))),
        ("partition", json!(partition)),
        ("probes", json!(PROBE_PREFIX)),
        ("queue_arn", json!(queue)),
        ("queues", queues),
        ("region", json!(region.as_str())),
        ("versions", json!(subjects.has_versions.then_some(true))),
        // A bucket's ARN names no account. If the bucket is deleted and its name claimed by a stranger,
        // nothing of wbstore's policies must keep working there.
        ("within", json!({ "StringEquals": { "aws:ResourceAccount": account } })),
    ])
    .and(NodeRole::holes(subjects.role, &trust, region))
    .fill(template)?;
    if let Some(role) = subjects.role {
        policy.document = role.document(trust, &format!("wbstore-node-{bucket}"), policy.document);
        policy.pods = role.pods();
    }
    Ok(policy)
}

#[cfg(test)]
mod tests;
