//! What the bucket holds: counted for the plan of a teardown, and deleted by it.

mod count;
mod empty;
mod folders;
mod lifecycle;
mod listing;
mod retained;

use jiff::Timestamp;
use serde::Serialize;

use self::count::{COUNTED_AT_MOST, Tally, count};
use self::empty::empty;
use self::lifecycle::hand_over;
pub(super) use self::lifecycle::is_emptying;
pub(super) use self::listing::Bucket;
use super::bucket::calls;
use super::session::Api;
use crate::error::{Error, Kind, Result};
use crate::event::Progress;
use crate::provider::EmptyBy;
use crate::resource::{Address, Deleted, Forbids, Owner, Removal, Resource, Seen};

/// All objects of one bucket, live and noncurrent, and its folders.
#[derive(Clone, Debug, Serialize)]
pub struct Objects {
    #[serde(skip)]
    bucket: String,
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
    noncurrent: u64,
    folders: u64,
    bytes: u64,
}

impl Objects {
    /// The contents of `bucket`. Unless the user said that they may be deleted (`delete_objects`), a
    /// bucket that holds something is not torn down.
    pub fn new(bucket: &str, delete_objects: bool, empty_by: EmptyBy) -> Self {
        Self { bucket: bucket.to_owned(), delete_objects, empty_by, found: None }
    }

    /// Where the contents of `bucket` stand: what tells of deletions is removed before them.
    pub fn at(bucket: &str) -> Address {
        Address::new("gcp", "objects", bucket)
    }

    fn found(&self, tally: &Tally) -> Self {
        let Tally { objects, noncurrent, folders, bytes, .. } = *tally;
        Self { found: Some(Contents { objects, noncurrent, folders, bytes }), ..self.clone() }
    }
}

impl Resource for Objects {
    type Api = Api;

    const REMOVAL: Removal = Removal::Contents;

    fn address(&self) -> Address {
        Self::at(&self.bucket)
    }

    fn needs(&self) -> Vec<Address> {
        self.part_of().into_iter().collect()
    }

    fn part_of(&self) -> Option<Address> {
        Some(super::bucket::GcsBucket::at(&self.bucket))
    }

    async fn read(&self, api: &Api) -> Result<Seen<Self>> {
        let bucket = Bucket::new(api, &self.bucket).await?;
        // All at once, so that an empty bucket costs no more time than a single call.
        let (described, first, managed) = tokio::join!(
            calls::get(api, &self.bucket),
            bucket.page("", String::new()),
            folders::any_managed(&bucket)
        );
        let (Some(described), Some(first)) = (described?, first?) else {
            return Ok(Seen::absent());
        };
        let now = Timestamp::now().as_second();
        let mut tally = count(&bucket, first, &described, now).await?;
        let (managed, untold) = match managed {
            Ok(managed) => (managed, None),
            Err(error) if error.kind() == Kind::Credentials => return Err(error),
            // The service does not delete a bucket that still has some, so that not to know is no danger.
            Err(error) => (0, Some(format!("it may have managed folders: {}", error.chain()))),
        };
        let hierarchical = described.hierarchical_namespace.as_ref().is_some_and(|one| one.enabled);
        tally.folders = managed + if hierarchical { folders::plain(&bucket).await? } else { 0 };
        if tally.is_empty() {
            return Ok(Seen::absent());
        }
        let mut found = Seen::there(self.found(&tally), Owner::Ours);
        found.remarks_mut().findings.extend(untold);
        if tally.more {
            found.finding(format!("counting stopped at {COUNTED_AT_MOST} objects; there are more"));
        }
        if !self.delete_objects {
            found.obstacle(
                Forbids::Delete,
                format!("it holds {tally}"),
                "pass --delete-objects to delete them, or empty it first",
            );
        }
        retained::tell(&self.bucket, &described, &tally, &mut found);
        if self.empty_by == EmptyBy::Lifecycle {
            found.finding(
                "Cloud Storage will delete everything by lifecycle rules, which takes a day or more; classes of \
                 storage with a least duration are billed for all of it"
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
        let bucket = Bucket::new(api, &self.bucket).await?;
        match self.empty_by {
            EmptyBy::Calls => {
                let known = seen.found.map_or(0, |found| found.objects + found.noncurrent);
                empty(&bucket, known, progress).await?;
                if seen.found.is_some_and(|found| found.folders > 0) {
                    folders::remove(&bucket, progress).await?;
                }
                Ok(Deleted::Gone)
            }
            EmptyBy::Lifecycle => hand_over(api, &self.bucket).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_wanted_and_what_is_found_shows_field_by_field() {
        let wanted = Objects::new("acme-wandb", false, EmptyBy::Calls);
        assert_eq!(serde_json::to_value(&wanted).unwrap(), serde_json::json!({}));
        let found = wanted.found(&Tally { objects: 2, bytes: 10, ..Tally::default() });
        assert_eq!(
            serde_json::to_value(&found).unwrap(),
            serde_json::json!({"objects": 2, "noncurrent": 0, "folders": 0, "bytes": 10})
        );
    }
}
