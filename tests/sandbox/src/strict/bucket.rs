//! Creating a bucket.

use super::Feature;
use super::memory::Memory;
use super::owner;
use crate::call::Call;
use crate::reply::ApiError;
use crate::upstream::Upstream;

/// us-east-1 is what no constraint means, and cannot be asked for by name.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html> (LocationConstraint)
pub(super) fn location(call: &Call) -> Option<ApiError> {
    let named = call.is("s3:CreateBucket")
        && call.text().contains("<LocationConstraint>us-east-1</LocationConstraint>");
    named.then(|| {
        ApiError::new(400, "InvalidLocationConstraint", "The specified location-constraint is not valid")
            .field("LocationConstraint", "us-east-1")
    })
}

/// A name that ends in `-an` has the form `<prefix>-<account>-<region>-an`, and is created with a header.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/gpbucketnamespaces.html>
pub(super) fn namespace(call: &Call) -> Option<ApiError> {
    let bucket = call.bucket.as_deref().filter(|_| call.is("s3:CreateBucket"))?;
    let account = call.account.as_deref().unwrap_or("?");
    let regional = call.header("x-amz-bucket-namespace") == Some("account-regional");
    let fits = bucket.ends_with(&format!("-{account}-{}-an", call.region));
    let wrong = if regional { !fits } else { bucket.ends_with("-an") };
    wrong.then(|| ApiError::new(400, "InvalidBucketName", "The specified bucket is not valid."))
}

pub(super) fn left_out(call: &Call, memory: &Memory) -> Option<ApiError> {
    if !call.is("s3:CreateBucket") {
        return None;
    }
    let tagged = call.text().contains("<Tag>") && memory.lacks(Feature::TagsOfNewBuckets);
    let regional = call.header("x-amz-bucket-namespace").is_some() && memory.lacks(Feature::RegionalNames);
    (tagged || regional)
        .then(|| ApiError::new(400, "UnsupportedArgument", "The request contained an unsupported argument."))
}

/// In us-east-1 creating one's own bucket again is a success, except when the request has tags.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html> (BucketAlreadyOwnedByYou)
/// for the first half; the second was seen on AWS and is kept by LocalStack's S3 provider.
pub(super) async fn already_owned(call: &Call, memory: &Memory, upstream: &Upstream) -> Option<ApiError> {
    let (Some(bucket), Some(account)) = (&call.bucket, &call.account) else {
        return None;
    };
    let tagged = call.is("s3:CreateBucket") && call.text().contains("<Tag>");
    if !tagged || !owner::owns(account, bucket, memory, upstream).await {
        return None;
    }
    let message = "Your previous request to create the named bucket succeeded and you already own it.";
    Some(ApiError::new(409, "BucketAlreadyOwnedByYou", message).field("BucketName", bucket))
}
