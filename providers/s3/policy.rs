//! What a key may do: for stores with policies as a document in the form of AWS, for others in words.

use serde_json::json;

use super::bucket_name::BucketName;
use crate::error::Result;
use crate::policy::{Audience, Holes, Policy, no_team_key};
use crate::verify::PROBE_PREFIX;
use crate::versioning::Versioning;

/// What `audience` needs for `bucket`, or for all that have a name of the kind that wbstore derives.
///
/// Stores call all buckets `arn:aws:s3:::…`, MinIO and Ceph alike.
pub(super) fn policy(audience: Audience, bucket: &BucketName, versioning: Versioning) -> Result<Policy> {
    let expired = audience == Audience::ExpiryJob;
    let bucket = if expired { "wbstore-*" } else { bucket.as_str() };
    let template = match audience {
        Audience::Node => include_str!("policy/node.json"),
        Audience::TeamKey => return Err(no_team_key()),
        Audience::Operator | Audience::ExpiryJob => include_str!("policy/operator.json"),
    };
    Holes::from([
        ("bucket", json!(bucket)),
        ("bucket_arn", json!(format!("arn:aws:s3:::{bucket}"))),
        ("expired", json!(expired.then_some(true))),
        ("name", json!(if expired { "expired".to_owned() } else { format!("operator-{bucket}") })),
        ("probes", json!(PROBE_PREFIX)),
        ("versions", json!(versioning.is_wanted().then_some(true))),
    ])
    .fill(template)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_may_neither_create_nor_change_buckets() {
        let bucket = "acme".parse().unwrap();
        let actions =
            |audience| policy(audience, &bucket, Versioning::default()).unwrap().document.to_string();
        let node = actions(Audience::Node);
        assert!(node.contains("arn:aws:s3:::acme/*") && node.contains("s3:PutObject"), "{node}");
        assert!(!node.contains("s3:CreateBucket") && !node.contains("s3:PutBucket"), "{node}");
        let operator = actions(Audience::Operator);
        assert!(
            operator.contains("s3:CreateBucket") && operator.contains("acme/.wbstore-probe/*"),
            "{operator}"
        );
        let job = actions(Audience::ExpiryJob);
        assert!(job.contains("arn:aws:s3:::wbstore-*") && !job.contains("s3:CreateBucket"), "{job}");
    }
}
