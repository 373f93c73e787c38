//! The statements that wbstore writes into resource policies.

use serde_json::{Value, json};

use crate::providers::aws::account::AccountId;

/// Lets S3 send the events of one bucket to one queue (S3 user guide, "Granting permissions to
/// publish event notification messages to a destination").
///
/// The account is checked in addition to the bucket because a bucket's ARN does not name one: once the bucket
/// is deleted, another account may create one with its name, and could then send to the queue.
pub(crate) fn s3_may_send(sid: &str, queue_arn: &str, bucket_arn: &str, account: &AccountId) -> Value {
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
pub(crate) fn deny_insecure_bucket(sid: &str, bucket_arn: &str) -> Value {
    json!({
        "Sid": sid,
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [bucket_arn, format!("{bucket_arn}/*")],
        "Condition": { "Bool": { "aws:SecureTransport": "false" } },
    })
}
