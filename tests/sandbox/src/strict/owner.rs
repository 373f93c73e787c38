//! Whose bucket it is.

use hyper::Method;

use super::memory::Memory;
use crate::backend::Backend;
use crate::call::Call;
use crate::dialect::{Dialect, Service};
use crate::reply::ApiError;
use crate::upstream::Upstream;

/// "If the account ID that you provide does not match the actual owner of the bucket, the request
/// fails with the HTTP status code 403 Forbidden (access denied)."
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html>
pub(super) async fn expected(call: &Call, memory: &Memory, upstream: &Upstream) -> Option<ApiError> {
    let expected = call.header("x-amz-expected-bucket-owner")?;
    let bucket = existing(call)?;
    refuse_unless_owner(expected, bucket, call, memory, upstream).await
}

/// Without a bucket policy only the owner's account has access:
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-management.html>.
/// ministack knows this; moto lets everybody in.
pub(super) async fn stranger(call: &Call, memory: &Memory, upstream: &Upstream) -> Option<ApiError> {
    let bucket = existing(call)?;
    if upstream.dialect() != Dialect::Aws(Backend::Moto) || call.is("s3:Preflight") {
        return None;
    }
    match (&call.account, &call.access_key) {
        (Some(account), _) => refuse_unless_owner(account, bucket, call, memory, upstream).await,
        // A user of some account; whose, only moto knows.
        (None, Some(_)) => None,
        (None, None) => Some(denied()),
    }
}

/// Whether `account` owns `bucket`; what is not remembered is asked: a listing names only the
/// asker's own buckets, on both emulators.
pub(super) async fn owns(account: &str, bucket: &str, memory: &Memory, upstream: &Upstream) -> bool {
    if let Some(owner) = memory.owner(bucket) {
        return owner == account;
    }
    let listing = upstream.ask(account, "us-east-1", "s3", (Method::GET, "/"), &[], String::new()).await;
    let owns = listing
        .is_ok_and(|reply| String::from_utf8_lossy(reply.body()).contains(&format!("<Name>{bucket}</Name>")));
    if owns {
        memory.owner_is(bucket, account);
    }
    owns
}

async fn refuse_unless_owner(
    account: &str,
    bucket: &str,
    call: &Call,
    memory: &Memory,
    upstream: &Upstream,
) -> Option<ApiError> {
    if owns(account, bucket, memory, upstream).await {
        return None;
    }
    // Nobody's bucket is "not found", not "denied".
    let asker = call.account.as_deref().unwrap_or(account);
    let head = upstream
        .ask(asker, &call.region, "s3", (Method::HEAD, &format!("/{bucket}")), &[], String::new())
        .await;
    head.is_ok_and(|reply| reply.status() != 404).then(denied)
}

fn existing(call: &Call) -> Option<&str> {
    let about_one = call.service == Service::S3 && !call.is("s3:CreateBucket");
    call.bucket.as_deref().filter(|_| about_one)
}

fn denied() -> ApiError {
    ApiError::new(403, "AccessDenied", "Access Denied")
}
