//! The IAM policies a deployment takes: one for the machine that runs the W&B server, one for
//! whoever runs wbstore, and one for the job that removes what has expired.
//!
//! Actions and the resources they apply to are those of the AWS Service Authorization Reference,
//! "Actions, resources, and condition keys" for Amazon S3, Amazon SQS and AWS KMS. Bucket actions
//! stand with the bucket's ARN and object actions with `<bucket>/*`; put the wrong way round they
//! grant nothing, and IAM does not complain.

use serde_json::{Value, json};

use super::account::AccountId;
use super::bucket_name::BucketName;
use super::kms_key::KmsKeyArn;
use super::queue_name::QueueName;
use super::region::Region;
use crate::provider::{Policy, PolicyForm};
use crate::verify::PROBE_PREFIX;

/// What a policy is about.
#[derive(Clone, Copy, Debug)]
pub struct Subjects<'a> {
    /// Where the bucket and the queues are.
    pub region: &'a Region,
    /// Whose they are.
    pub account: &'a AccountId,
    /// The bucket.
    pub bucket: &'a BucketName,
    /// The queue of object events; `None` where the server uses its internal one.
    pub queue: Option<&'a QueueName>,
    /// The queue on which the server publishes run events.
    pub notifications_queue: Option<&'a QueueName>,
    /// The key that encrypts the bucket; `None` for the default encryption.
    pub kms_key: Option<&'a KmsKeyArn>,
}

impl Subjects<'_> {
    fn bucket_arn(&self) -> String {
        self.region.bucket_arn(self.bucket)
    }

    fn objects_arn(&self, prefix: &str) -> String {
        format!("{}/{prefix}*", self.bucket_arn())
    }

    fn queue_arn(&self, queue: &QueueName) -> String {
        self.region.queue_arn(self.account, queue)
    }

    /// Use of the key through S3 only: whoever holds the policy cannot decrypt with it elsewhere
    /// (KMS developer guide, "kms:ViaService").
    fn use_key(&self, key: &KmsKeyArn) -> Value {
        let service = format!("s3.{}.{}", self.region, self.region.partition().dns_suffix);
        let via_s3 = json!({ "StringEquals": { "kms:ViaService": service } });
        allow("UseKeyThroughS3", &["kms:Decrypt", "kms:GenerateDataKey"], &json!(key), Some(via_s3))
    }
}

/// What the W&B server does with its storage.
///
/// W&B does not publish the actions that the server calls; these are those of a client that reads,
/// writes and deletes files, uploads in parts, and consumes a queue.
pub fn node_policy(subjects: &Subjects<'_>) -> Policy {
    let own_account = within(subjects.account);
    let mut statements = vec![
        allow(
            "ListBucket",
            &["s3:GetBucketCORS", "s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"],
            &json!(subjects.bucket_arn()),
            Some(own_account.clone()),
        ),
        allow(
            "ReadAndWriteObjects",
            &[
                "s3:AbortMultipartUpload",
                "s3:DeleteObject",
                "s3:GetObject",
                "s3:ListMultipartUploadParts",
                "s3:PutObject",
            ],
            &json!(subjects.objects_arn("")),
            Some(own_account),
        ),
    ];
    let mut notes = vec![
        "W&B's guide allows s3:* on the bucket's ARN alone, which covers no object action; here bucket actions \
         stand with the bucket and object actions with <bucket>/*"
            .to_owned(),
        "W&B's guide has no Version, which means the language of 2008; here it is 2012-10-17".to_owned(),
        "W&B does not publish which actions its server calls: should its log show AccessDenied, add the action \
         that it names"
            .to_owned(),
    ];
    if let Some(queue) = subjects.queue {
        statements.push(allow(
            "ConsumeObjectEvents",
            &[
                "sqs:ChangeMessageVisibility",
                "sqs:DeleteMessage",
                "sqs:GetQueueAttributes",
                "sqs:GetQueueUrl",
                "sqs:ReceiveMessage",
            ],
            &json!(subjects.queue_arn(queue)),
            None,
        ));
        notes.push(
            "W&B's guide allows sqs:* on the queue, deletion included; here only what a consumer does"
                .to_owned(),
        );
    }
    if let Some(queue) = subjects.notifications_queue {
        statements.push(allow(
            "PublishRunEvents",
            &["sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:SendMessage"],
            &json!(subjects.queue_arn(queue)),
            None,
        ));
        notes.push(
            "W&B's guide has no permission for the queue of run events; here the server may send".to_owned(),
        );
    }
    if let Some(key) = subjects.kms_key {
        statements.push(subjects.use_key(key));
        notes.push(
            "W&B's guide has no permission for a KMS key; the key's own policy must allow this role too"
                .to_owned(),
        );
    }
    let partition = subjects.region.partition().id;
    if partition != "aws" {
        notes.push(format!(
            "W&B's guide writes arn:aws:, which names nothing in {}; here it is arn:{partition}:",
            subjects.region
        ));
    }
    policy(&format!("node-{}", subjects.bucket), statements, notes)
}

/// What wbstore itself does: provision, verify, list and tear down.
///
/// The statements whose `Sid` begins with `Teardown` are only for `teardown`.
pub fn operator_policy(subjects: &Subjects<'_>) -> Policy {
    let bucket = json!(subjects.bucket_arn());
    let queues: Vec<String> = [subjects.queue, subjects.notifications_queue]
        .into_iter()
        .flatten()
        .map(|queue| subjects.queue_arn(queue))
        .collect();
    let mut statements = vec![list_deployments()];
    statements.extend(teardown(&subjects.bucket_arn(), &queues, None));
    statements.extend([
        allow("ProvisionBucket", &PROVISION_BUCKET, &bucket, None),
        allow("VerifyBucket", &["s3:GetBucketPolicyStatus"], &bucket, None),
        allow(
            "VerifyWithProbes",
            &["s3:DeleteObject", "s3:DeleteObjectVersion", "s3:GetObject", "s3:PutObject"],
            &json!(subjects.objects_arn(PROBE_PREFIX)),
            None,
        ),
    ]);
    if !queues.is_empty() {
        statements.push(allow(
            "ProvisionQueues",
            &["sqs:CreateQueue", "sqs:TagQueue"],
            &one_or_many(&queues),
            None,
        ));
    }
    if let Some(queue) = subjects.queue {
        statements.push(allow(
            "VerifyObjectEvents",
            &["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:ReceiveMessage"],
            &json!(subjects.queue_arn(queue)),
            None,
        ));
    }
    let mut notes = vec![
        "W&B's guide has no policy for whoever sets the storage up; this is every action wbstore calls"
            .to_owned(),
        "leave the statements out whose Sid begins with Teardown where wbstore must not delete anything"
            .to_owned(),
        "`wbstore list` also reads the tags of other deployments: allow s3:GetBucketTagging and \
         sqs:ListQueueTags on theirs to see them"
            .to_owned(),
    ];
    if let Some(key) = subjects.kms_key {
        statements.push(subjects.use_key(key));
        notes.push("the key's own policy must allow whoever runs wbstore too; verify reads and writes a probe with it".to_owned());
    }
    policy(&format!("operator-{}", subjects.bucket), statements, notes)
}

/// What `teardown --expired` does in an account, in every region of `partition`: it reads all marks, and
/// changes only what has a name of the kind that wbstore derives.
pub fn expiry_job_policy(partition: &str, account: &AccountId) -> Policy {
    let (buckets, queues) = (format!("arn:{partition}:s3:::"), format!("arn:{partition}:sqs:*:{account}:"));
    let mut statements = vec![
        list_deployments(),
        allow(
            "ReadMarksOfBuckets",
            &["s3:GetBucketTagging"],
            &json!(format!("{buckets}*")),
            Some(within(account)),
        ),
        allow("ReadMarksOfQueues", &["sqs:ListQueueTags"], &json!(format!("{queues}*")), None),
    ];
    let (bucket, queue) = (format!("{buckets}wbstore-*"), format!("{queues}wbstore-*"));
    statements.extend(teardown(&bucket, &[queue], Some(&within(account))));
    let notes = vec![
        "this is every action that `wbstore teardown aws --expired` requires; it creates nothing".to_owned(),
        "it covers the buckets and queues that wbstore names itself, wbstore-*; where deployments have names of \
         their own, add the ARNs of their buckets, objects and queues"
            .to_owned(),
        "TeardownObjects is for --delete-objects, and s3:PutLifecycleConfiguration for --empty-by lifecycle"
            .to_owned(),
        "ChangeBucket and ChangeQueues release what was adopted; leave them out where nothing was".to_owned(),
    ];
    policy("expired", statements, notes)
}

/// What a teardown of `bucket` and `queues` calls: to look, to delete what wbstore created, and to release
/// what it adopted. Both are ARNs, which may be patterns; `of_bucket` is a condition on the bucket.
fn teardown(bucket: &str, queues: &[String], of_bucket: Option<&Value>) -> Vec<Value> {
    let (objects, bucket) = (json!(format!("{bucket}/*")), json!(bucket));
    let mut statements: Vec<Value> = [
        ("ReadBucket", READ_BUCKET.as_slice(), &bucket),
        ("ChangeBucket", &CHANGE_BUCKET, &bucket),
        ("TeardownBucket", &["s3:DeleteBucket", "s3:PutLifecycleConfiguration"], &bucket),
        (
            "TeardownObjects",
            &["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:DeleteObjectVersion"],
            &objects,
        ),
    ]
    .map(|(sid, actions, resource)| allow(sid, actions, resource, of_bucket.cloned()))
    .to_vec();
    if !queues.is_empty() {
        let queues = one_or_many(queues);
        statements.extend([
            allow("ReadQueues", &["sqs:GetQueueAttributes", "sqs:ListQueueTags"], &queues, None),
            allow("ChangeQueues", &["sqs:SetQueueAttributes", "sqs:UntagQueue"], &queues, None),
            allow("TeardownQueues", &["sqs:DeleteQueue"], &queues, None),
        ]);
    }
    statements
}

/// Neither action takes a resource; the answers hold names only.
fn list_deployments() -> Value {
    allow("ListDeployments", &["s3:ListAllMyBuckets", "sqs:ListQueues"], &json!("*"), None)
}

/// A bucket's ARN names no account. Should the bucket be deleted and its name taken by a stranger, nothing
/// of ours must go on working there.
fn within(account: &AccountId) -> Value {
    json!({ "StringEquals": { "aws:ResourceAccount": account } })
}

/// `HeadBucket` is `s3:ListBucket`.
const READ_BUCKET: [&str; 13] = [
    "s3:GetBucketCORS",
    "s3:GetBucketNotification",
    "s3:GetBucketObjectLockConfiguration",
    "s3:GetBucketOwnershipControls",
    "s3:GetBucketPolicy",
    "s3:GetBucketPublicAccessBlock",
    "s3:GetBucketTagging",
    "s3:GetBucketVersioning",
    "s3:GetEncryptionConfiguration",
    "s3:GetLifecycleConfiguration",
    "s3:ListBucket",
    "s3:ListBucketMultipartUploads",
    "s3:ListBucketVersions",
];

/// Our tags, and our entries among those of others. The deletion of tags is `s3:PutBucketTagging`, that of
/// CORS rules `s3:PutBucketCORS`.
const CHANGE_BUCKET: [&str; 5] = [
    "s3:DeleteBucketPolicy",
    "s3:PutBucketCORS",
    "s3:PutBucketNotification",
    "s3:PutBucketPolicy",
    "s3:PutBucketTagging",
];

/// `CreateBucket` with tags needs `s3:TagResource`, and with an object ownership
/// `s3:PutBucketOwnershipControls` (S3 API, `CreateBucket`, "Permissions").
const PROVISION_BUCKET: [&str; 5] = [
    "s3:CreateBucket",
    "s3:PutBucketOwnershipControls",
    "s3:PutBucketPublicAccessBlock",
    "s3:PutEncryptionConfiguration",
    "s3:TagResource",
];

/// A policy, which the AWS CLI makes with one command.
fn policy(name: &str, statements: Vec<Value>, notes: Vec<String>) -> Policy {
    let document = json!({ "Version": "2012-10-17", "Statement": statements });
    // Nothing in a policy of ours holds a single quote.
    let command =
        format!("aws iam create-policy --policy-name wbstore-{name} --policy-document '{document}'");
    Policy { document, form: PolicyForm::Json, commands: vec![command], notes }
}

/// A statement that allows. In identity policies a `Sid` has letters and digits only.
fn allow(sid: &str, actions: &[&str], resource: &Value, condition: Option<Value>) -> Value {
    let mut statement = json!({ "Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resource });
    if let (Some(condition), Some(object)) = (condition, statement.as_object_mut()) {
        object.insert("Condition".to_owned(), condition);
    }
    statement
}

fn one_or_many(arns: &[String]) -> Value {
    match arns {
        [one] => json!(one),
        many => json!(many),
    }
}

#[cfg(test)]
mod tests;
