//! What a bucket holds, by the S3 protocol: its listings and deletions, and what forbids those.

mod batch;
mod listing;

use std::fmt::Display;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use aws_sdk_s3::Client;
use aws_sdk_s3::types::{DefaultRetention, MfaDeleteStatus, ObjectLockConfiguration, ObjectLockEnabled};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::failure::{code, failure_by, is_unreadable, status};
use crate::empty::{Counted, What};
use crate::error::{Error, Result};
use crate::explain::Explanations;
use crate::resource::{Forbids, Remarks};

/// The kinds of entries that a bucket may have.
pub(crate) const KINDS: &[Counted] = &[
    (What::Current, "objects", "object"),
    (What::Noncurrent, "versions", "noncurrent version"),
    (What::Marker, "delete_markers", "delete marker"),
    (What::Upload, "uploads", "unfinished upload"),
];

/// One bucket and the client to reach it with; cheap to clone into a task.
#[derive(Clone)]
pub(crate) struct S3Store {
    /// The client of the bucket's region.
    pub s3: Client,
    pub name: String,
    /// The account that must own it: S3 refuses every call once it belongs to another.
    pub owner: Option<String>,
    pub failures: &'static Explanations,
    /// What the cloud adds to the explanation of a failure with an HTTP status.
    pub explained: fn(u16, Error) -> Error,
    /// Whether the endpoint is known to decline deletions of many keys in one call; `None` where it never does.
    pub singly: Option<Arc<AtomicBool>>,
}

impl S3Store {
    /// Explains why `action` failed on `target`.
    pub(crate) fn failure<E>(
        &self,
        error: SdkError<E, HttpResponse>,
        action: &str,
        target: impl Display,
    ) -> Error
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let status = status(&error);
        (self.explained)(status, failure_by(self.failures, error, action, target))
    }

    /// Whether MFA delete is on; `None` if the endpoint does not report it, as some S3-compatible ones. The
    /// service itself enforces it, so an unknown state is safe.
    pub(crate) async fn mfa_delete(&self) -> Result<Option<bool>> {
        let call =
            self.s3.get_bucket_versioning().bucket(&self.name).set_expected_bucket_owner(self.owner.clone());
        match call.send().await {
            Ok(answer) => Ok(Some(answer.mfa_delete == Some(MfaDeleteStatus::Enabled))),
            Err(error) if is_unreadable(&error) => Ok(None),
            // Another run deleted it a moment ago.
            Err(error) if code(&error) == "NoSuchBucket" => Ok(Some(false)),
            Err(error) => Err(self.failure(error, "s3:GetBucketVersioning", &self.name)),
        }
    }

    /// `None` if it is off. It cannot be disabled once it is enabled.
    pub(crate) async fn object_lock(&self) -> Result<Option<ObjectLock>> {
        let call = self
            .s3
            .get_object_lock_configuration()
            .bucket(&self.name)
            .set_expected_bucket_owner(self.owner.clone());
        let lock = match call.send().await {
            Ok(answer) => answer.object_lock_configuration,
            Err(error) if code(&error).starts_with("ObjectLockConfigurationNotFound") => None,
            // Another run deleted it a moment ago.
            Err(error) if code(&error) == "NoSuchBucket" => None,
            Err(error) => return Err(self.failure(error, "s3:GetBucketObjectLockConfiguration", &self.name)),
        };
        Ok(lock.and_then(ObjectLock::of))
    }
}

/// The Object Lock of a bucket.
pub(crate) struct ObjectLock {
    /// Mode and length of the retention that each new object gets, if it gets one.
    pub(crate) retention: Option<String>,
}

impl ObjectLock {
    /// What `found` says, if it is on.
    pub(crate) fn of(found: ObjectLockConfiguration) -> Option<Self> {
        (found.object_lock_enabled == Some(ObjectLockEnabled::Enabled)).then(|| Self {
            retention: found.rule.and_then(|rule| rule.default_retention).as_ref().map(retention),
        })
    }

    /// Forbids that the contents are deleted.
    pub(crate) fn forbid(self, remarks: &mut Remarks) {
        let lock =
            self.retention.unwrap_or_else(|| "no default retention; single versions may have one".to_owned());
        remarks.obstacle(
            Forbids::Delete,
            format!("Object Lock is on ({lock}), which wbstore never bypasses"),
            "wait until every retention has ended and every legal hold is lifted, then empty the bucket manually",
        );
    }
}

fn retention(default: &DefaultRetention) -> String {
    let mode = default.mode.as_ref().map_or("no mode", |mode| mode.as_str());
    match (default.days, default.years) {
        (Some(days), _) => format!("{mode}, {days} days"),
        (None, Some(years)) => format!("{mode}, {years} years"),
        (None, None) => mode.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_retention_names_mode_and_length() {
        use aws_sdk_s3::types::ObjectLockRetentionMode::Compliance;
        assert_eq!(
            retention(&DefaultRetention::builder().mode(Compliance).days(30).build()),
            "COMPLIANCE, 30 days"
        );
        assert_eq!(
            retention(&DefaultRetention::builder().mode(Compliance).years(1).build()),
            "COMPLIANCE, 1 years"
        );
    }
}
