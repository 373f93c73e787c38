//! S3's part of emptying a bucket: its listings, deletions and lifecycle rules.

mod batch;
mod lifecycle;
mod listing;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::types::{DefaultRetention, MfaDeleteStatus, ObjectLockEnabled};

use super::failure::{code, failure, is_unreadable};
use super::retries;
use super::session::Api;
use crate::empty::{Counted, Cursor, Expiration, Listing, Look, Page, Store, Task, What, empty};
use crate::error::Result;
use crate::resource::{Deleted, Forbids};

pub(super) use self::lifecycle::lifecycle;

/// One bucket and the client to reach it with; cheap to clone into a task.
#[derive(Clone, Debug)]
pub(super) struct S3Store {
    /// The client of the bucket's region.
    pub s3: Client,
    pub name: String,
    /// The account that must own it: S3 refuses every call once it belongs to another.
    pub owner: String,
}

impl S3Store {
    pub(super) fn new(api: &Api, name: &str) -> Self {
        Self { s3: api.s3.clone(), name: name.to_owned(), owner: api.owner() }
    }

    /// Whether MFA delete is on; `None` if the endpoint does not report it, as some S3-compatible ones. The
    /// service itself enforces it, so an unknown state is safe.
    pub(super) async fn mfa_delete(&self) -> Result<Option<bool>> {
        let call = self.s3.get_bucket_versioning().bucket(&self.name).expected_bucket_owner(&self.owner);
        match call.send().await {
            Ok(answer) => Ok(Some(answer.mfa_delete == Some(MfaDeleteStatus::Enabled))),
            Err(error) if is_unreadable(&error) => Ok(None),
            // Another run deleted it a moment ago.
            Err(error) if code(&error) == "NoSuchBucket" => Ok(Some(false)),
            Err(error) => Err(failure(error, "s3:GetBucketVersioning", &self.name)),
        }
    }

    /// `None` if it is off. It cannot be disabled once it is enabled.
    pub(super) async fn object_lock(&self) -> Result<Option<ObjectLock>> {
        let call =
            self.s3.get_object_lock_configuration().bucket(&self.name).expected_bucket_owner(&self.owner);
        let lock = match call.send().await {
            Ok(answer) => answer.object_lock_configuration,
            Err(error) if code(&error).starts_with("ObjectLockConfigurationNotFound") => None,
            // Another run deleted it a moment ago.
            Err(error) if code(&error) == "NoSuchBucket" => None,
            Err(error) => return Err(failure(error, "s3:GetBucketObjectLockConfiguration", &self.name)),
        };
        let lock = lock.filter(|lock| lock.object_lock_enabled == Some(ObjectLockEnabled::Enabled));
        Ok(lock.map(|lock| ObjectLock {
            retention: lock.rule.and_then(|rule| rule.default_retention).as_ref().map(retention),
        }))
    }
}

/// The Object Lock of a bucket.
pub(super) struct ObjectLock {
    /// Mode and length of the retention that each new object gets, if it gets one.
    pub(super) retention: Option<String>,
}

impl Store for S3Store {
    type Api = Api;

    const CLOUD: &'static str = "aws";
    const KINDS: &'static [Counted] = &[
        (What::Current, "objects", "object"),
        (What::Noncurrent, "versions", "noncurrent version"),
        (What::Marker, "delete_markers", "delete marker"),
        (What::Upload, "uploads", "unfinished upload"),
    ];
    const LISTINGS: &'static [Listing] = &[Listing::Objects, Listing::Uploads];
    // Far below the 5,500 reads a second that S3 promises for one prefix (S3 user guide, "Best practices
    // design patterns: optimizing Amazon S3 performance"). Each page in memory is most of a megabyte.
    const FRONTS: usize = 24;
    const EXPIRATION: Option<Expiration> = Some(lifecycle::EXPIRATION);

    fn name(&self) -> &str {
        &self.name
    }

    async fn look(api: &Api, name: &str) -> Result<Option<(Self, Look)>> {
        let (store, start) = (Self::new(api, name), Cursor::default());
        // All at once, so that an empty bucket costs no more time than a single call.
        let (versions, uploads, mfa, lock) = tokio::join!(
            store.versions("", &start, retries::config()),
            store.uploads(&start, retries::config()),
            store.mfa_delete(),
            store.object_lock()
        );
        let (Some(versions), Some(uploads)) = (versions?, uploads?) else { return Ok(None) };
        let mut look = Look { first: vec![versions, uploads], ..Look::default() };
        match mfa? {
            Some(false) => {}
            Some(true) => look.remarks.obstacle(
                Forbids::Delete,
                "MFA delete is on: only the account's root user can delete versions",
                "disable MFA delete as the root user, with its MFA device",
            ),
            None => look.remarks.finding("the endpoint does not report whether MFA delete is on"),
        }
        if let Some(ObjectLock { retention }) = lock? {
            let lock =
                retention.unwrap_or_else(|| "no default retention; single versions may have one".to_owned());
            look.remarks.obstacle(
                Forbids::Delete,
                format!("Object Lock is on ({lock}), which wbstore never bypasses"),
                "wait until every retention has ended and every legal hold is lifted, then empty the bucket \
                 manually",
            );
        }
        Ok(Some((store, look)))
    }

    async fn page(&self, listing: Listing, prefix: &str, cursor: &Cursor) -> Result<Option<Page>> {
        // The page is retried where it is asked for; a retry inside the SDK would hide that the service throttles.
        let once = RetryConfig::disabled();
        match listing {
            Listing::Objects => self.versions(prefix, cursor, once).await,
            _ => self.uploads(cursor, once).await,
        }
    }

    async fn empty(api: &Api, name: &str, task: Task<'_>) -> Result<Deleted> {
        empty(&Self::new(api, name), task).await
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
