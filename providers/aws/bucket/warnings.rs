//! What others have set on a bucket and makes uploads, reads or deletions fail, or a change to it.

use std::sync::Arc;

use aws_sdk_s3::types::{BucketAbacStatus, Payer};
use tokio::sync::OnceCell;

use super::S3Bucket;
use crate::error::{Error, Result};
use crate::providers::aws::failure::{code, failure, is_unsupported};
use crate::providers::aws::objects::store;
use crate::providers::aws::session::Api;
use crate::resource::{Forbids, Seen};

/// Findings that are read once a run: they are for the plan, and no later decision depends on them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Warnings(Arc<OnceCell<Vec<String>>>);

impl Warnings {
    pub(super) async fn of(&self, api: &Api, bucket: &str) -> &[String] {
        self.0.get_or_init(|| read(api, bucket)).await
    }
}

async fn read(api: &Api, bucket: &str) -> Vec<String> {
    let store = store(api, bucket);
    let (lock, mfa, payer) =
        futures::join!(store.object_lock(), store.mfa_delete(), requester_pays(api, bucket));
    let lock = checked("Object Lock", lock.map(|lock| lock?.retention)).map(|found| {
        found.map(|retention| {
            format!(
                "Object Lock retains every new object ({retention}): nothing can be deleted before, and S3 rejects \
                 uploads without a checksum, as those of browsers through presigned URLs are"
            )
        })
    });
    let mfa = checked("MFA delete", mfa.map(|on| on.filter(|on| *on))).map(|on| {
        on.map(|_| "MFA delete is on: only the account's root user can delete versions".to_owned())
    });
    let payer = checked("requester pays", payer.map(|on| on.then_some(()))).map(|on| {
        on.map(|()| {
            "requester pays is on: requests of other accounts require the header `x-amz-request-payer`, which the \
             W&B server does not send"
                .to_owned()
        })
    });
    [lock, mfa, payer].into_iter().filter_map(|finding| finding.unwrap_or_else(Some)).collect()
}

/// What was read, or the finding that it could not be.
fn checked<T>(what: &str, read: Result<Option<T>>) -> std::result::Result<Option<T>, String> {
    read.map_err(|error| unread(what, &error))
}

fn unread(what: &str, error: &Error) -> String {
    format!("{what} was not checked: {}", error.chain())
}

async fn requester_pays(api: &Api, bucket: &str) -> Result<bool> {
    let call = api.s3.get_bucket_request_payment().bucket(bucket).expected_bucket_owner(api.owner());
    match call.send().await {
        Ok(answer) => Ok(answer.payer == Some(Payer::Requester)),
        Err(error) if code(&error) == "NoSuchBucket" || is_unsupported(&error) => Ok(false),
        Err(error) => Err(failure(error, "s3:GetBucketRequestPayment", S3Bucket::at(bucket))),
    }
}

/// ACLs cannot be disabled while the bucket's grants to others (S3 user guide, "Prerequisites for disabling
/// ACLs", B6). Where they are, the ACL means nothing.
pub(super) async fn acl(api: &Api, bucket: &str, found: &mut Seen<S3Bucket>) {
    found.finding("disabling ACLs ends what ACLs of the bucket and its objects grant to others");
    let answer = api.s3.get_bucket_acl().bucket(bucket).expected_bucket_owner(api.owner()).send().await;
    let acl = match answer {
        Ok(acl) => acl,
        Err(error) if code(&error) == "NoSuchBucket" || is_unsupported(&error) => return,
        Err(error) => {
            let error = failure(error, "s3:GetBucketAcl", S3Bucket::at(bucket));
            return found.finding(unread("the bucket's ACL", &error));
        }
    };
    let owner = acl.owner().and_then(|owner| owner.id());
    let others = acl.grants().iter().filter_map(|grant| grant.grantee());
    let others = others.filter(|grantee| grantee.id().is_none() || grantee.id() != owner);
    let mut names: Vec<_> =
        others.filter_map(|other| other.uri().or(other.display_name()).or(other.id())).collect();
    names.sort_unstable();
    names.dedup();
    if !names.is_empty() {
        found.obstacle(
            Forbids::Write,
            format!("its ACL grants access to {}, and S3 does not disable ACLs before that ends", names.join(", ")),
            format!(
                "grant it by the bucket's policy if it is still needed, then run `aws s3api put-bucket-acl --bucket \
                 {bucket} --acl private`"
            ),
        );
    }
}

/// With attribute-based access control S3 rejects `PutBucketTagging` (S3 API reference, `PutBucketAbac`), so
/// that the mark can neither be set nor removed (B5).
pub(super) async fn attribute_based_access(api: &Api, bucket: &str, found: &mut Seen<S3Bucket>) {
    let answer = api.s3.get_bucket_abac().bucket(bucket).expected_bucket_owner(api.owner()).send().await;
    let on = match answer {
        Ok(answer) => answer.abac_status.and_then(|abac| abac.status) == Some(BucketAbacStatus::Enabled),
        Err(error) if code(&error) == "NoSuchBucket" || is_unsupported(&error) => return,
        Err(error) => {
            let error = failure(error, "s3:GetBucketAbac", S3Bucket::at(bucket));
            return found.finding(unread("attribute-based access control", &error));
        }
    };
    if on {
        for forbids in [Forbids::Write, Forbids::Delete] {
            found.obstacle(
                forbids,
                "attribute-based access control is on, and S3 then rejects changes to tags by `s3:PutBucketTagging`",
                format!(
                    "choose another bucket, or turn it off with `aws s3api put-bucket-abac --bucket {bucket} \
                     --abac-status Status=Disabled`"
                ),
            );
        }
    }
}
