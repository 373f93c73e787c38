//! How much a bucket holds.

use std::fmt;

use super::listing::{Bucket, Cursor, Page, Upload, Version, What};
use super::walk::walk;
use crate::error::Result;
use crate::text::{Bytes, counted};

/// Counting stops here, after about 250 calls: what a reader decides by does not change beyond it.
pub const COUNTED_AT_MOST: u64 = 250_000;

/// What was counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Objects, as a plain listing shows them.
    pub objects: u64,
    /// Versions that later ones hide.
    pub versions: u64,
    /// Delete markers.
    pub delete_markers: u64,
    /// Unfinished uploads.
    pub uploads: u64,
    /// The size of all objects and versions; the parts of unfinished uploads are not counted.
    pub bytes: u64,
    /// Whether there is more than was counted.
    pub more: bool,
}

impl Tally {
    /// The number of things that have to be deleted.
    pub fn entries(&self) -> u64 {
        self.objects + self.versions + self.delete_markers + self.uploads
    }

    fn add(&mut self, versions: &[Version]) {
        for version in versions {
            match version.what {
                What::Current => self.objects += 1,
                What::Noncurrent => self.versions += 1,
                What::Marker => self.delete_markers += 1,
            }
            self.bytes += version.size;
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.more {
            f.write_str("at least ")?;
        }
        let parts = [
            (self.objects, "object"),
            (self.versions, "noncurrent version"),
            (self.delete_markers, "delete marker"),
            (self.uploads, "unfinished upload"),
        ];
        write!(f, "{} ({})", counted(&parts), Bytes(self.bytes))
    }
}

/// Goes on counting from the first pages, which were read together with other things.
pub async fn count(bucket: &Bucket, first: Page, uploads: (Vec<Upload>, Option<Cursor>)) -> Result<Tally> {
    let mut tally = Tally::default();
    tally.add(&first.versions);
    if let Some(next) = first.next {
        let mut pages = walk(bucket, next);
        while let Some(page) = pages.recv().await {
            tally.add(&page?);
            if tally.entries() >= COUNTED_AT_MOST {
                tally.more = true;
                return Ok(tally);
            }
        }
    }
    let (mut page, mut next) = uploads;
    loop {
        tally.uploads += u64::try_from(page.len()).unwrap_or_default();
        let Some(cursor) = next else { return Ok(tally) };
        if tally.entries() >= COUNTED_AT_MOST {
            tally.more = true;
            return Ok(tally);
        }
        (page, next) = bucket.uploads(&cursor).await?.unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tally_reads_as_a_sentence_does() {
        let tally = Tally { objects: 12, versions: 1, uploads: 2, bytes: 3_400_000, ..Tally::default() };
        assert_eq!(tally.to_string(), "12 objects, 1 noncurrent version and 2 unfinished uploads (3.4 MB)");
        let tally = Tally { objects: COUNTED_AT_MOST, more: true, ..Tally::default() };
        assert_eq!(tally.to_string(), "at least 250,000 objects (0 bytes)");
        assert_eq!(Tally { delete_markers: 1, ..Tally::default() }.to_string(), "1 delete marker (0 bytes)");
    }
}
