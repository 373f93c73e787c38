//! What is in a synthetic bucket: a bit for each version says whether it still exists.

use std::sync::atomic::{AtomicU64, Ordering};

use super::shape::{Shape, place};

/// How many keys, and of what kind.
#[derive(Clone, Copy, Debug)]
pub struct Stock {
    pub shape: Shape,
    pub keys: u64,
    /// Entries of each key; of several, the latest is a delete marker.
    pub versions: u64,
}

/// The objects of one bucket.
#[derive(Debug)]
pub(super) struct Contents {
    pub(super) stock: Stock,
    /// A set bit is a version that exists.
    present: Vec<AtomicU64>,
}

impl Contents {
    pub(super) fn new(stock: Stock) -> Self {
        let entries = stock.keys * stock.versions;
        let words = usize::try_from(entries.div_ceil(64)).unwrap_or(usize::MAX);
        let present: Vec<_> = (0..words).map(|_| AtomicU64::new(u64::MAX)).collect();
        if let (Some(last), 1..) = (present.last(), entries % 64) {
            last.store((1 << (entries % 64)) - 1, Ordering::Relaxed);
        }
        Self { stock, present }
    }

    pub(super) fn key(&self, entry: u64) -> String {
        self.stock.shape.key(entry / self.stock.versions, self.stock.keys)
    }

    /// The first entry of the first key that `is_past`.
    pub(super) fn first(&self, is_past: impl Fn(&str) -> bool) -> u64 {
        self.stock.shape.first(self.stock.keys, is_past) * self.stock.versions
    }

    /// The entry of `key` with this place among its versions.
    pub(super) fn entry(&self, key: &str, version: u64) -> Option<u64> {
        let index = place(key).filter(|index| *index < self.stock.keys)?;
        let is_it = version < self.stock.versions && self.stock.shape.key(index, self.stock.keys) == key;
        is_it.then_some(index * self.stock.versions + version)
    }

    /// The first existing entry from `entry` on.
    pub(super) fn next(&self, entry: u64) -> Option<u64> {
        let mut word = usize::try_from(entry / 64).ok()?;
        let mut bits = self.present.get(word)?.load(Ordering::Relaxed) & (u64::MAX << (entry % 64));
        while bits == 0 {
            word += 1;
            bits = self.present.get(word)?.load(Ordering::Relaxed);
        }
        Some(word as u64 * 64 + u64::from(bits.trailing_zeros()))
    }

    pub(super) fn delete(&self, entry: u64) {
        if let Some(word) = usize::try_from(entry / 64).ok().and_then(|word| self.present.get(word)) {
            word.fetch_and(!(1 << (entry % 64)), Ordering::Relaxed);
        }
    }

    pub(super) fn left(&self) -> u64 {
        self.present.iter().map(|word| u64::from(word.load(Ordering::Relaxed).count_ones())).sum()
    }
}
