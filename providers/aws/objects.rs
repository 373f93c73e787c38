//! What the bucket holds: counted for the plan of a teardown, and deleted by it.

mod batch;
mod count;
mod empty;
mod lifecycle;
mod listing;
mod walk;

use aws_sdk_s3::types::{DefaultRetention, ObjectLockEnabled};
use serde::Serialize;

use self::count::{COUNTED_AT_MOST, Tally, count};
use self::empty::empty;
pub(super) use self::lifecycle::is_emptying;
use self::lifecycle::{hand_over, mfa_delete};
pub(super) use self::listing::{Bucket, Cursor};
use super::failure::{code, failure};
use super::session::Api;
use crate::error::{Error, Kind, Result};
use crate::event::Progress;
use crate::name::DeploymentName;
use crate::provider::EmptyBy;
use crate::resource::{Address, Deleted, Forbids, Owner, Removal, Resource, Seen};

/// All versions, delete markers and unfinished uploads of one bucket.
#[derive(Clone, Debug, Serialize)]
pub struct Objects {
    #[serde(skip)]
    bucket: String,
    #[serde(skip)]
    deployment: String,
    #[serde(skip)]
    delete_objects: bool,
    #[serde(skip)]
    empty_by: EmptyBy,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    found: Option<Contents>,
}

/// What was found, field by field, as a plan shows it.
#[derive(Clone, Copy, Debug, Serialize)]
struct Contents {
    objects: u64,
    versions: u64,
    delete_markers: u64,
    uploads: u64,
    bytes: u64,
}

impl Contents {
    fn entries(self) -> u64 {
        let Self { objects, versions, delete_markers, uploads, bytes: _ } = self;
        objects + versions + delete_markers + uploads
    }
}

impl Objects {
    /// The contents of `bucket`, which belongs to `deployment`. Unless the user said that they may be
    /// deleted (`delete_objects`), a bucket that holds something is not torn down.
    pub fn new(bucket: &str, deployment: &DeploymentName, delete_objects: bool, empty_by: EmptyBy) -> Self {
        Self {
            bucket: bucket.to_owned(),
            deployment: deployment.to_string(),
            delete_objects,
            empty_by,
            found: None,
        }
    }

    fn found(&self, tally: &Tally) -> Self {
        let Tally { objects, versions, delete_markers, uploads, bytes, more: _ } = *tally;
        Self { found: Some(Contents { objects, versions, delete_markers, uploads, bytes }), ..self.clone() }
    }
}

impl Resource for Objects {
    type Api = Api;

    const REMOVAL: Removal = Removal::Contents;

    fn address(&self) -> Address {
        Address::new("aws", "objects", &self.bucket)
    }

    fn needs(&self) -> Vec<Address> {
        self.part_of().into_iter().collect()
    }

    fn part_of(&self) -> Option<Address> {
        Some(super::bucket::S3Bucket::at(&self.bucket))
    }

    async fn read(&self, api: &Api) -> Result<Seen<Self>> {
        let bucket = Bucket::new(api, &self.bucket);
        let start = Cursor::default();
        // All at once, so that an empty bucket costs no more time than a single call.
        let (versions, uploads, mfa, lock) = tokio::join!(
            bucket.versions("", false, &start),
            bucket.uploads(&start),
            mfa_delete(&bucket),
            object_lock(&bucket)
        );
        let (Some(versions), Some(uploads)) = (versions?, uploads?) else {
            return Ok(Seen::absent());
        };
        let tally = count(&bucket, versions, uploads).await?;
        if tally.entries() == 0 {
            return Ok(Seen::absent());
        }
        let mut found = Seen::there(self.found(&tally), Owner::Ours);
        if tally.more {
            found.finding(format!("counting stopped at {COUNTED_AT_MOST} entries; there are more"));
        }
        if !self.delete_objects {
            found.obstacle(
                Forbids::Delete,
                format!("it holds {tally}"),
                "pass --delete-objects to delete them, or empty it first",
            );
        }
        match mfa? {
            Some(false) => {}
            Some(true) => found.obstacle(
                Forbids::Delete,
                "MFA delete is on, so that only the account's root user can delete versions",
                "let the root user switch MFA delete off, with its device",
            ),
            None => found.finding("the endpoint does not tell whether MFA delete is on".to_owned()),
        }
        if let Some(lock) = lock? {
            found.obstacle(
                Forbids::Delete,
                format!("Object Lock is on ({lock}), which wbstore never bypasses"),
                "wait until every retention has ended and every legal hold is lifted, and empty the bucket by hand",
            );
        }
        if self.empty_by == EmptyBy::Lifecycle {
            found.finding(
                "S3 will delete everything by lifecycle rules, which takes two days or more; classes of storage \
                 with a least duration are billed for all of it"
                    .to_owned(),
            );
        }
        Ok(found)
    }

    async fn write(&self, _: &Api, _: &Seen<Self>, _: &Progress) -> Result<()> {
        Err(Error::new(Kind::Failed, "write objects: a deployment has no objects of its own to write"))
    }

    async fn delete(&self, api: &Api, seen: &Self, progress: &Progress) -> Result<Deleted> {
        if !self.delete_objects {
            return Err(Error::refused(format!("empty {}: nobody asked for it", self.bucket))
                .hint("pass --delete-objects"));
        }
        let bucket = Bucket::new(api, &self.bucket);
        match self.empty_by {
            EmptyBy::Calls => {
                empty(&bucket, seen.found.map_or(0, Contents::entries), progress).await?;
                Ok(Deleted::Gone)
            }
            EmptyBy::Lifecycle => hand_over(&bucket, &self.deployment).await,
        }
    }
}

/// The Object Lock of `bucket` in words; `None` when it is off. It can never be switched off again.
async fn object_lock(bucket: &Bucket) -> Result<Option<String>> {
    let answer = bucket
        .s3
        .get_object_lock_configuration()
        .bucket(&bucket.name)
        .expected_bucket_owner(&bucket.owner)
        .send()
        .await;
    let lock = match answer {
        Ok(answer) => answer.object_lock_configuration,
        Err(error) if code(&error).starts_with("ObjectLockConfigurationNotFound") => None,
        // Another run deleted it a moment ago.
        Err(error) if code(&error) == "NoSuchBucket" => None,
        Err(error) => return Err(failure(error, "s3:GetBucketObjectLockConfiguration", &bucket.name)),
    };
    Ok(lock.filter(|lock| lock.object_lock_enabled == Some(ObjectLockEnabled::Enabled)).map(|lock| {
        lock.rule.and_then(|rule| rule.default_retention).as_ref().map_or_else(no_default, retention)
    }))
}

fn no_default() -> String {
    "no default retention; single versions may have their own".to_owned()
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
    fn nothing_is_wanted_and_what_is_found_shows_field_by_field() {
        let wanted = Objects::new("acme-wandb", &"acme".parse().unwrap(), false, EmptyBy::Calls);
        assert_eq!(serde_json::to_value(&wanted).unwrap(), serde_json::json!({}));
        let found = wanted.found(&Tally { objects: 2, bytes: 10, ..Tally::default() });
        assert_eq!(
            serde_json::to_value(&found).unwrap(),
            serde_json::json!({"objects": 2, "versions": 0, "delete_markers": 0, "uploads": 0, "bytes": 10})
        );
    }

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
