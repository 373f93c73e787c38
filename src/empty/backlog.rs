//! What was counted and not deleted yet.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::store::{Entry, What};
use super::walk::Range;

/// What the names of all backlogs of the process may take, in bytes.
const AT_MOST: usize = 32 << 20;

/// How much they take.
static TAKEN: AtomicUsize = AtomicUsize::new(0);

/// Entries that a count has listed, packed, and the ranges that it has not.
#[derive(Debug, Default)]
pub(crate) struct Backlog {
    pages: VecDeque<Packed>,
    pub(super) rest: Vec<Range>,
    pub(super) entries: u64,
}

/// The names of a page's entries, one behind the other.
#[derive(Debug)]
struct Packed {
    names: String,
    entries: Vec<Lengths>,
}

/// In bytes; a response, of which the names come, is smaller than 4 GB.
#[derive(Clone, Copy, Debug)]
struct Lengths {
    what: What,
    key: u32,
    id: Option<u32>,
}

impl Packed {
    fn size(&self) -> usize {
        self.names.len() + self.entries.len() * size_of::<Lengths>()
    }
}

impl Drop for Packed {
    fn drop(&mut self) {
        TAKEN.fetch_sub(self.size(), Ordering::Relaxed);
    }
}

impl Backlog {
    /// Whether there is room for more.
    pub(super) fn has_room() -> bool {
        TAKEN.load(Ordering::Relaxed) < AT_MOST
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pages.is_empty() && self.rest.is_empty()
    }

    pub(super) fn push(&mut self, entries: &[Entry]) {
        let id = |entry: &Entry| entry.id.as_deref().map_or(0, str::len);
        let bytes = entries.iter().map(|entry| entry.key.len() + id(entry)).sum();
        let mut page =
            Packed { names: String::with_capacity(bytes), entries: Vec::with_capacity(entries.len()) };
        for entry in entries {
            page.names.push_str(&entry.key);
            page.names.push_str(entry.id.as_deref().unwrap_or_default());
            let (key, id) = (length(&entry.key), entry.id.as_deref().map(length));
            page.entries.push(Lengths { what: entry.what, key, id });
        }
        self.entries += entries.len() as u64;
        TAKEN.fetch_add(page.size(), Ordering::Relaxed);
        self.pages.push_back(page);
    }

    /// The entries of the first page, with what a deletion requires.
    pub(super) fn pop(&mut self) -> Option<Vec<Entry>> {
        let page = self.pages.pop_front()?;
        let mut names = page.names.as_str();
        let mut cut = |length: u32| {
            let (name, rest) = names.split_at(length as usize);
            names = rest;
            name.to_owned()
        };
        let entry = |lengths: &Lengths| Entry {
            key: cut(lengths.key),
            id: lengths.id.map(&mut cut),
            what: lengths.what,
            ..Entry::default()
        };
        Some(page.entries.iter().map(entry).collect())
    }
}

fn length(name: &str) -> u32 {
    u32::try_from(name.len()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_was_counted_comes_back(
            names in proptest::collection::vec(("\\PC{0,9}", proptest::option::of("\\PC{0,3}"), any::<bool>()), 0..50),
            page in 1usize..9,
        ) {
            let entry = |(key, id, is_marker): &(String, Option<String>, bool)| {
                let what = if *is_marker { What::Marker } else { What::Current };
                Entry { key: key.clone(), id: id.clone(), what, ..Entry::default() }
            };
            let entries: Vec<Entry> = names.iter().map(entry).collect();
            let mut backlog = Backlog::default();
            entries.chunks(page).for_each(|page| backlog.push(page));
            prop_assert_eq!(backlog.entries, entries.len() as u64);
            let back: Vec<Entry> = std::iter::from_fn(|| backlog.pop()).flatten().collect();
            let told = |entry: &Entry| (entry.key.clone(), entry.id.clone(), entry.what);
            prop_assert_eq!(back.iter().map(told).collect::<Vec<_>>(), entries.iter().map(told).collect::<Vec<_>>());
            prop_assert!(backlog.is_empty());
        }
    }
}
