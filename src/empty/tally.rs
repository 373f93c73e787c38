//! The amount of data in a bucket.

use std::fmt;

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::kept::Kept;
use super::store::{Counted, Entry, Look, Store, What};
use super::walk::walk;
use crate::error::Result;
use crate::text::{Bytes, counted};

/// What was counted.
#[derive(Clone, Debug)]
pub(crate) struct Tally {
    kinds: &'static [Counted],
    counts: [u64; 6],
    /// The size of all objects and versions; the parts of unfinished uploads are not counted.
    bytes: u64,
    /// Whether there is more than was counted.
    pub(super) more: bool,
    pub(super) kept: Kept,
}

impl Tally {
    pub(super) fn new(kinds: &'static [Counted]) -> Self {
        Self { kinds, counts: [0; 6], bytes: 0, more: false, kept: Kept::default() }
    }

    /// The number of entries of this kind.
    pub(crate) fn of(&self, what: What) -> u64 {
        self.counts[what as usize]
    }

    /// The number of entries to delete.
    pub(super) fn entries(&self) -> u64 {
        self.counts.iter().sum()
    }

    fn add(&mut self, entries: &[Entry], look: &Look, now: i64) {
        for entry in entries {
            self.counts[entry.what as usize] += 1;
            self.bytes += entry.size;
            self.kept.add(entry, look.retention.as_ref(), now);
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.more {
            f.write_str("at least ")?;
        }
        let parts: Vec<_> = self.kinds.iter().map(|(what, _, word)| (self.of(*what), *word)).collect();
        write!(f, "{} ({})", counted(&parts), Bytes(self.bytes))
    }
}

/// The fields of a plan.
impl Serialize for Tally {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (what, field, _) in self.kinds {
            map.serialize_entry(field, &self.of(*what))?;
        }
        map.serialize_entry("bytes", &self.bytes)?;
        map.end()
    }
}

/// Counts from the first pages on, which `look` has brought. It is `now`, in seconds since the epoch.
pub(super) async fn count<S: Store>(store: &S, look: &mut Look, now: i64) -> Result<Tally> {
    let mut tally = Tally::new(S::KINDS);
    let mut rest = vec![];
    for (listing, page) in S::LISTINGS.iter().zip(std::mem::take(&mut look.first)) {
        tally.add(&page.entries, look, now);
        rest.extend(page.next.map(|next| (*listing, next)));
    }
    if !rest.is_empty() {
        let mut pages = walk(store, rest);
        while let Some(page) = pages.recv().await {
            let page = page?;
            if tally.entries() >= S::COUNTED_AT_MOST {
                tally.more = true;
                break;
            }
            tally.add(&page, look, now);
        }
    }
    tally.counts[What::Folder as usize] += look.folders;
    Ok(tally)
}
