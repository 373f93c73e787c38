//! The statements that wbstore writes into resource policies.

use serde_json::{Value, json};

use crate::reader::S3_ACTIONS;

/// Lets S3 send the events of one bucket to one queue (S3 user guide, "Granting permissions to
/// publish event notification messages to a destination").
///
/// The account is checked in addition to the bucket because a bucket's ARN does not name one: once the bucket
/// is deleted, another account may create one with its name, and could then send to the queue.
pub(crate) fn s3_may_send(sid: &str, queue_arn: &str, bucket_arn: &str, account: &str) -> Value {
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

/// Lets the reader of a team's bucket do what W&B's page lists, under the conditions that it has there.
pub(crate) fn reader_may_use(
    sid: &str,
    bucket_arn: &str,
    principal: &Value,
    condition: Option<&Value>,
) -> Value {
    let mut statement = json!({
        "Sid": sid,
        "Effect": "Allow",
        "Principal": principal,
        "Action": S3_ACTIONS,
        "Resource": [bucket_arn, format!("{bucket_arn}/*")],
    });
    if let (Some(statement), Some(condition)) = (statement.as_object_mut(), condition) {
        statement.insert("Condition".to_owned(), condition.clone());
    }
    statement
}
