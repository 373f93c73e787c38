//! Attribute-based access control of a bucket, which the emulators do not have.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketAbac.html>: "when ABAC is enabled, you must use
//! the TagResource and UntagResource actions"

use super::memory::Memory;
use crate::call::Call;
use crate::reply::{self, ApiError, Reply};

pub(super) fn answer(call: &Call, memory: &Memory) -> Option<Reply> {
    let bucket = call.bucket.as_deref()?;
    let body = match call.operation.as_str() {
        "s3:PutBucketAbac" => {
            memory.abac_is(bucket, call.text().contains("<Status>Enabled</Status>"));
            String::new()
        }
        "s3:GetBucketAbac" => {
            let status = if memory.has_abac(bucket) { "Enabled" } else { "Disabled" };
            format!(
                "<AbacStatus xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Status>{status}</Status></AbacStatus>"
            )
        }
        _ => return None,
    };
    Some(reply::reply(200, "application/xml", body))
}

pub(super) fn tagging(call: &Call, memory: &Memory) -> Option<ApiError> {
    let tags = call.is("s3:PutBucketTagging") || call.is("s3:DeleteBucketTagging");
    (tags && memory.has_abac(call.bucket.as_deref()?)).then(|| {
        ApiError::new(405, "MethodNotAllowed", "The specified method is not allowed against this resource.")
    })
}
