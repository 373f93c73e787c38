//! Limits of the documents a request carries.

use crate::call::Call;
use crate::dialect::is_checksum;
use crate::reply::ApiError;

/// Operations whose `httpChecksum` trait in the API model says `requestChecksumRequired`.
const NEED_CHECKSUM: &[&str] = &[
    "s3:DeleteObjects",
    "s3:PutBucketAcl",
    "s3:PutBucketCors",
    "s3:PutBucketEncryption",
    "s3:PutBucketLifecycleConfiguration",
    "s3:PutBucketLogging",
    "s3:PutBucketOwnershipControls",
    "s3:PutBucketPolicy",
    "s3:PutBucketReplication",
    "s3:PutBucketRequestPayment",
    "s3:PutBucketTagging",
    "s3:PutBucketVersioning",
    "s3:PutBucketWebsite",
    "s3:PutObjectAcl",
    "s3:PutObjectLegalHold",
    "s3:PutObjectLockConfiguration",
    "s3:PutObjectRetention",
    "s3:PutObjectTagging",
    "s3:PutPublicAccessBlock",
];

/// Content-MD5 or any of the newer checksums:
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketCors.html> (Content-MD5)
pub(super) fn checksum(call: &Call) -> Option<ApiError> {
    let given = call.headers.keys().any(|name| is_checksum(name.as_str()));
    let missing = NEED_CHECKSUM.contains(&call.operation.as_str()) && !given;
    missing.then(|| {
        let message = "Missing required header for this request: Content-MD5 OR x-amz-checksum-*";
        ApiError::new(400, "InvalidRequest", message)
    })
}

/// "The request can contain a list of up to 1,000 keys".
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html>
pub(super) fn thousand_keys(call: &Call) -> Option<ApiError> {
    (call.is("s3:DeleteObjects") && count(call, "Object") > 1000).then(malformed)
}

/// "You can add up to 100 rules to the configuration".
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketCors.html>
pub(super) fn hundred_cors_rules(call: &Call) -> Option<ApiError> {
    (call.is("s3:PutBucketCors") && count(call, "CORSRule") > 100).then(malformed)
}

fn count(call: &Call, element: &str) -> usize {
    roxmltree::Document::parse(call.text())
        .map_or(0, |document| document.descendants().filter(|node| node.tag_name().name() == element).count())
}

fn malformed() -> ApiError {
    let message = "The XML you provided was not well-formed or did not validate against our published schema";
    ApiError::new(400, "MalformedXML", message)
}
