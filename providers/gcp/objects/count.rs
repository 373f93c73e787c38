//! How much a bucket holds.

use std::fmt;

use google_cloud_storage::model::Bucket as Described;

use super::listing::{Bucket, Page, Stored};
use super::retained::Retained;
use crate::error::Result;
use crate::text::{Bytes, counted};

/// Counting stops here, after about a hundred calls: what a reader decides by does not change beyond
/// it, and what is retained is refused by the service all the same.
pub const COUNTED_AT_MOST: u64 = 100_000;

/// What was counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Objects, as a plain listing shows them.
    pub objects: u64,
    /// Generations that later ones, or a deletion, hide.
    pub noncurrent: u64,
    /// Folders, managed and of a hierarchical namespace.
    pub folders: u64,
    /// The size of all objects and generations.
    pub bytes: u64,
    /// Whether there is more than was counted.
    pub more: bool,
    /// What cannot be deleted.
    pub retained: Retained,
}

impl Tally {
    /// Whether there is nothing to delete.
    pub fn is_empty(&self) -> bool {
        self.objects + self.noncurrent + self.folders == 0
    }

    fn add(&mut self, objects: &[Stored], described: &Described, now: i64) {
        for object in objects {
            *(if object.noncurrent { &mut self.noncurrent } else { &mut self.objects }) += 1;
            self.bytes += object.size;
            self.retained.add(object, described, now);
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.more {
            f.write_str("at least ")?;
        }
        let parts =
            [(self.objects, "object"), (self.noncurrent, "noncurrent object"), (self.folders, "folder")];
        write!(f, "{} ({})", counted(&parts), Bytes(self.bytes))
    }
}

/// Goes on counting from the `first` page, which was read together with other things. The bucket is as
/// `described`, and it is `now`, in seconds since the epoch.
///
/// # Errors
/// Those of the cloud.
pub async fn count(bucket: &Bucket, first: Page, described: &Described, now: i64) -> Result<Tally> {
    let mut tally = Tally::default();
    let mut page = first;
    loop {
        tally.add(&page.objects, described, now);
        let Some(next) = page.next else { return Ok(tally) };
        if tally.objects + tally.noncurrent >= COUNTED_AT_MOST {
            tally.more = true;
            return Ok(tally);
        }
        page = bucket.page("", next).await?.unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tally_reads_as_a_sentence_does() {
        let tally = Tally { objects: 12, noncurrent: 1, bytes: 3_400_000, ..Tally::default() };
        assert_eq!(tally.to_string(), "12 objects and 1 noncurrent object (3.4 MB)");
        let tally = Tally { objects: COUNTED_AT_MOST, more: true, ..Tally::default() };
        assert_eq!(tally.to_string(), "at least 100,000 objects (0 bytes)");
    }

    #[test]
    fn a_folder_alone_is_not_nothing() {
        assert!(Tally::default().is_empty());
        assert!(!Tally { folders: 1, ..Tally::default() }.is_empty());
    }
}
