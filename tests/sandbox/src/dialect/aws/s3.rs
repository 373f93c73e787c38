//! Names S3's requests as the API reference does: `PutBucketCors`.
//!
//! S3 has no operation in its wire format; the name follows from the method, from whether a key is
//! given, and from the sub-resource in the query.

use hyper::Method;

/// Sub-resources of a bucket and the noun in their operations' names.
const BUCKET: &[(&str, &str)] = &[
    ("abac", "BucketAbac"),
    ("accelerate", "BucketAccelerateConfiguration"),
    ("acl", "BucketAcl"),
    ("cors", "BucketCors"),
    ("encryption", "BucketEncryption"),
    ("lifecycle", "BucketLifecycleConfiguration"),
    ("location", "BucketLocation"),
    ("logging", "BucketLogging"),
    ("notification", "BucketNotificationConfiguration"),
    ("object-lock", "ObjectLockConfiguration"),
    ("ownershipControls", "BucketOwnershipControls"),
    ("policyStatus", "BucketPolicyStatus"),
    ("policy", "BucketPolicy"),
    ("publicAccessBlock", "PublicAccessBlock"),
    ("replication", "BucketReplication"),
    ("requestPayment", "BucketRequestPayment"),
    ("tagging", "BucketTagging"),
    ("versioning", "BucketVersioning"),
    ("website", "BucketWebsite"),
];

/// Sub-resources of an object.
const OBJECT: &[(&str, &str)] = &[
    ("acl", "ObjectAcl"),
    ("attributes", "ObjectAttributes"),
    ("legal-hold", "ObjectLegalHold"),
    ("retention", "ObjectRetention"),
    ("tagging", "ObjectTagging"),
];

/// The S3 operation behind a path-style request.
pub(super) fn operation(method: &Method, bucket: bool, key: bool, query: &[(String, String)]) -> String {
    let asks = |name: &str| query.iter().any(|(given, _)| given == name);
    if *method == Method::OPTIONS {
        return "Preflight".to_owned();
    }
    if !bucket {
        return "ListBuckets".to_owned();
    }
    let nouns = if key { OBJECT } else { BUCKET };
    if let Some((_, noun)) = nouns.iter().find(|(name, _)| asks(name)) {
        return match *method {
            // The one name that breaks the pattern.
            Method::DELETE if *noun == "BucketLifecycleConfiguration" => "DeleteBucketLifecycle".to_owned(),
            Method::DELETE => format!("Delete{noun}"),
            Method::PUT => format!("Put{noun}"),
            _ => format!("Get{noun}"),
        };
    }
    let name = if key { object(method, &asks) } else { bucket_itself(method, &asks) };
    name.to_owned()
}

fn bucket_itself(method: &Method, asks: &dyn Fn(&str) -> bool) -> &'static str {
    match *method {
        Method::GET if asks("versions") => "ListObjectVersions",
        Method::GET if asks("uploads") => "ListMultipartUploads",
        Method::GET if asks("list-type") => "ListObjectsV2",
        Method::GET => "ListObjects",
        Method::HEAD => "HeadBucket",
        Method::PUT => "CreateBucket",
        Method::DELETE => "DeleteBucket",
        Method::POST if asks("delete") => "DeleteObjects",
        _ => "PostObject",
    }
}

fn object(method: &Method, asks: &dyn Fn(&str) -> bool) -> &'static str {
    match *method {
        Method::GET if asks("uploadId") => "ListParts",
        Method::GET => "GetObject",
        Method::HEAD => "HeadObject",
        Method::PUT if asks("uploadId") => "UploadPart",
        Method::PUT => "PutObject",
        Method::DELETE if asks("uploadId") => "AbortMultipartUpload",
        Method::DELETE => "DeleteObject",
        _ if asks("uploads") => "CreateMultipartUpload",
        _ => "CompleteMultipartUpload",
    }
}
