//! The amount of data in a bucket.

use std::fmt;
use std::time::Duration;

use serde::ser::{Serialize, SerializeMap, Serializer};
use tokio::time::{Instant, timeout_at};

use super::backlog::Backlog;
use super::kept::Kept;
use super::store::{Counted, Entry, Look, Store, What};
use super::walk::Walk;
use crate::error::Result;
use crate::text::{Bytes, counted};

/// How long a plan waits for its count.
const COUNTED_WITHIN: Duration = Duration::from_secs(1);

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

/// Counts from the first pages on, which `look` has brought, for about a second. It is `now`, in seconds since
/// the epoch. The second result is what was counted, and what was not.
pub(super) async fn count<S: Store>(store: &S, look: &mut Look, now: i64) -> Result<(Tally, Backlog)> {
    let (mut tally, mut backlog) = (Tally::new(S::KINDS), Backlog::default());
    let deadline = Instant::now() + COUNTED_WITHIN;
    let (mut walk, mut entries) = Walk::after(store, std::mem::take(&mut look.first))?;
    loop {
        tally.add(&entries, look, now);
        backlog.push(&entries);
        walk.paused = tally.entries() >= S::COUNTED_AT_MOST || !Backlog::has_room();
        match timeout_at(deadline, walk.next()).await {
            Ok(Ok(Some(more))) => entries = more,
            Ok(Ok(None)) | Err(_) => break,
            Ok(Err(error)) => return Err(error),
        }
    }
    tally.more = !walk.is_done();
    backlog.rest = walk.rest();
    tally.counts[What::Folder as usize] += look.folders;
    Ok((tally, backlog))
}

/// What the first pages show, which `look` has brought.
pub(super) fn glance<S: Store>(look: &mut Look, now: i64) -> Tally {
    let mut tally = Tally::new(S::KINDS);
    for page in std::mem::take(&mut look.first) {
        tally.add(&page.entries, look, now);
        tally.more |= page.next.is_some();
    }
    tally.counts[What::Folder as usize] += look.folders;
    tally
}
