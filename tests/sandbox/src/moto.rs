//! Where moto's own reading of a request has to be helped.
//!
//! An empty notification configuration it answers under a name that is not in the API model; clients
//! that check it, as the SDK for Rust does, give up.
//!
//! It looks at a bucket policy's statements without their conditions. "Deny everything that does not
//! come over TLS" so locks everybody out. Behind the proxy, which stands for the TLS endpoint, such
//! a statement never applies; moto gets the policy without it, and readers get the policy they put.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use hyper::body::Bytes;
use serde_json::Value;

use crate::call::Call;
use crate::reply::Reply;

/// Bucket policies as they were put.
#[derive(Debug, Default)]
pub(crate) struct Policies(Mutex<HashMap<String, Bytes>>);

impl Policies {
    /// Puts the original back into an answer, and takes note of new ones.
    pub(crate) fn restore(&self, call: &Call, reply: Reply) -> Reply {
        let Some(bucket) = call.bucket.clone().filter(|_| reply.status().is_success()) else {
            return reply;
        };
        // Held for a moment only; nothing in here panics.
        let mut policies = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match call.operation.as_str() {
            "s3:PutBucketPolicy" => {
                policies.insert(bucket, call.body.clone());
                reply
            }
            "s3:DeleteBucketPolicy" | "s3:DeleteBucket" => {
                policies.remove(&bucket);
                reply
            }
            "s3:GetBucketPolicy" => match policies.get(&bucket) {
                Some(policy) => reply.map(|_| policy.clone()),
                None => reply,
            },
            _ => reply,
        }
    }
}

/// The request moto gets instead; `None` when it can have the original.
pub(crate) fn soften(call: &Call) -> Option<Call> {
    if !call.is("s3:PutBucketPolicy") {
        return None;
    }
    let mut policy = call.json();
    let statements = policy.get_mut("Statement")?.as_array_mut()?;
    let before = statements.len();
    statements.retain(|statement| !only_without_tls(statement));
    (statements.len() < before).then(|| call.with_body(policy.to_string()))
}

/// Names the root of an answer as the API model does.
pub(crate) fn rename(call: &Call, reply: Reply) -> Reply {
    if !call.is("s3:GetBucketNotificationConfiguration") {
        return reply;
    }
    reply.map(|body| {
        let text = String::from_utf8_lossy(&body);
        text.replace("GetBucketNotificationResponse", "NotificationConfiguration").into()
    })
}

/// Whether a statement refuses just what comes without TLS.
fn only_without_tls(statement: &Value) -> bool {
    let wanted = &statement["Condition"]["Bool"]["aws:SecureTransport"];
    statement["Effect"] == "Deny" && (wanted == "false" || *wanted == Value::Bool(false))
}
