//! The statements that wbstore writes into resource policies.

use serde_json::{Value, json};

use crate::providers::aws::account::AccountId;

/// Lets S3 send the events of one bucket to one queue (S3 user guide, "Granting permissions to
/// publish event notification messages to a destination").
///
/// The account stands beside the bucket because a bucket's ARN does not name one: once the bucket
/// is deleted, a stranger may take its name, and could then send to the queue.
pub fn s3_may_send(sid: &str, queue_arn: &str, bucket_arn: &str, account: &AccountId) -> Value {
    json!({
        "Sid": sid,
        "Effect": "Allow",
        "Principal": { "Service": "s3.amazonaws.com" },
        "Action": "sqs:SendMessage",
        "Resource": queue_arn,
        "Condition": {
            "ArnLike": { "aws:SourceArn": bucket_arn },
            "StringEquals": { "aws:SourceAccount": account },
        },
    })
}

/// Refuses every request to the bucket that does not come over TLS (S3 user guide, "Security best
/// practices for Amazon S3", "Enforce encryption of data in transit").
pub fn deny_insecure_bucket(sid: &str, bucket_arn: &str) -> Value {
    let objects = format!("{bucket_arn}/*");
    deny_insecure(sid, "s3:*", &json!([bucket_arn, objects]))
}

/// Refuses every request to the queue that does not come over TLS (SQS developer guide, "Amazon SQS
/// security best practices").
pub fn deny_insecure_queue(sid: &str, queue_arn: &str) -> Value {
    deny_insecure(sid, "sqs:*", &queue_arn.into())
}

fn deny_insecure(sid: &str, action: &str, resource: &Value) -> Value {
    json!({
        "Sid": sid,
        "Effect": "Deny",
        "Principal": "*",
        "Action": action,
        "Resource": resource,
        "Condition": { "Bool": { "aws:SecureTransport": "false" } },
    })
}
