//! Where a bucket lives.

use hyper::Method;

use super::memory::Memory;
use crate::call::Call;
use crate::dialect::Service;
use crate::fault::Failure;
use crate::reply::ApiError;
use crate::upstream::Upstream;

/// "a request to the wrong region is redirected": to any endpoint but the bucket's own S3 answers
/// with its place, in a header too, for a HEAD.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/Redirects.html>
pub(super) async fn elsewhere(call: &Call, memory: &Memory, upstream: &Upstream) -> Option<ApiError> {
    let bucket = call.bucket.as_deref()?;
    // A creation has its own rules, a browser's preflight no signature to read a region from, and
    // GetBucketLocation is there to be asked anywhere.
    let anywhere = ["s3:CreateBucket", "s3:Preflight", "s3:GetBucketLocation"];
    if call.service != Service::S3 || call.access_key.is_none() || anywhere.contains(&call.operation.as_str())
    {
        return None;
    }
    let region = locate(call, bucket, memory, upstream).await?;
    (region != call.region).then(|| Failure::WrongRegion(region).spell(call))
}

/// Both emulators name the region in the answer to a HEAD.
async fn locate(call: &Call, bucket: &str, memory: &Memory, upstream: &Upstream) -> Option<String> {
    if let Some(region) = memory.region(bucket) {
        return Some(region);
    }
    let asker = call.account.as_deref().or(call.access_key.as_deref())?;
    let head = (Method::HEAD, format!("/{bucket}"));
    let reply = upstream.ask(asker, &call.region, "s3", (head.0, &head.1), &[], String::new()).await.ok()?;
    let region = reply.headers().get("x-amz-bucket-region")?.to_str().ok()?.to_owned();
    memory.region_is(bucket, &region);
    Some(region)
}
