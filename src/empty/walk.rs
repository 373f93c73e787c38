//! Lists a whole bucket on several fronts at once.
//!
//! One listing is a chain of dependent calls, each of which returns a thousand entries. Where a store lists
//! from any key on, its keys are cut into ranges that are listed at the same time. Each page shows where its
//! range can be [cut](super::cut); that is done while fronts are free, and while the calls that brought little
//! are few beside those that brought whole pages.

use std::collections::{BTreeMap, VecDeque};

use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{Instant, sleep_until};

use super::cut::Ahead;
use super::pace::Pace;
use super::store::{Cursor, Entry, Listing, Page, Store, circular, watched_page};
use crate::error::{Error, Kind, Result};

/// How many keys of a page are looked at to find out where to cut.
const LOOKED_AT: usize = 32;
/// Calls at once, to begin with.
const AT_FIRST: u16 = 16;
/// How many pages may be wasted for each page of a small bucket: guesses behind which there was nothing, and
/// ends of ranges …
const WASTED_AT_FIRST: usize = 4;
/// … how many of any bucket …
const WASTED: usize = 16;
/// … and of how many pages one.
const WASTED_ONE_IN: usize = 4;

/// Entries from one place to another that were not listed yet.
#[derive(Clone, Debug)]
pub(super) struct Range {
    listing: Listing,
    from: Cursor,
    /// Up to this key, [including it or not](Store::FROM_INCLUDED).
    until: Option<String>,
    /// Some keys of the page before, which have not been used to cut it.
    shown: Vec<String>,
    /// A key before the range, where it came of a cut.
    before: Option<String>,
    trail: Trail,
}

impl Range {
    fn whole(listing: Listing) -> Self {
        let (from, trail) = Default::default();
        Self { listing, from, until: None, shown: vec![], before: None, trail }
    }

    fn holds<S: Store>(&self, key: &str) -> bool {
        self.until.as_deref().is_none_or(|until| if S::FROM_INCLUDED { key < until } else { key <= until })
    }

    /// Some of the keys of a page, its first and its last among them.
    fn show(&mut self, entries: &[Entry]) {
        let step = entries.len().div_ceil(LOOKED_AT).max(1);
        let shown = entries.iter().step_by(step).chain(entries.last());
        self.shown = shown.map(|entry| entry.key.clone()).collect();
    }

    fn ahead(&self, furthest: &str) -> Option<Ahead<'_>> {
        let shown: Vec<&str> = self.shown.iter().map(String::as_str).collect();
        let is_followed = self.until.as_deref().is_some_and(|until| until < furthest);
        Ahead::of(&shown, self.before.as_deref(), self.until.as_deref(), is_followed)
    }

    /// The range in pieces that end at `ends`, which come in order.
    fn pieces(mut self, ends: Vec<String>) -> Vec<Self> {
        let before = std::mem::take(&mut self.shown).pop();
        let (mut pieces, mut last) = (vec![], self);
        for end in ends {
            let from = Cursor { key: Some(end.clone()), token: None };
            let rest = Self { from, before: before.clone(), trail: Trail::default(), ..last.clone() };
            pieces.push(Self { until: Some(end), ..last });
            last = rest;
        }
        pieces.push(last);
        pieces
    }
}

/// A listing under way: page by page, in no order. A bucket that does not exist has none.
pub(super) struct Walk<S> {
    store: S,
    fronts: usize,
    open: VecDeque<Range>,
    fetching: JoinSet<Fetched>,
    /// What is being fetched.
    running: BTreeMap<Id, Range>,
    /// The entries of pages that have come.
    listed: VecDeque<Vec<Entry>>,
    pace: Pace,
    /// The last key that any page has shown.
    furthest: String,
    pages: usize,
    /// The entries of all pages, and the most of one.
    entries: usize,
    fullest: usize,
    /// Whether no more pages are fetched than those under way.
    pub(super) paused: bool,
}

struct Fetched {
    begun: Instant,
    page: Result<Option<Page>>,
    throttled: bool,
}

impl<S: Store> Walk<S> {
    /// What is left to list in `ranges`, with at most so many pages in memory.
    pub(super) fn of(store: &S, fronts: usize, ranges: impl IntoIterator<Item = Range>) -> Self {
        let fronts = fronts.min(S::FRONTS);
        Self {
            fronts,
            store: store.clone(),
            open: ranges.into_iter().collect(),
            fetching: JoinSet::new(),
            running: BTreeMap::new(),
            listed: VecDeque::new(),
            pace: Pace::new(AT_FIRST, u16::try_from(fronts).unwrap_or(u16::MAX), Instant::now()),
            furthest: String::new(),
            pages: 0,
            entries: 0,
            fullest: 1,
            paused: false,
        }
    }

    /// All listings of `store`.
    pub(super) fn whole(store: &S, fronts: usize) -> Self {
        Self::of(store, fronts, S::LISTINGS.iter().map(|listing| Range::whole(*listing)))
    }

    /// The listings of `store` after their `first` pages, which have been read, and the entries of those.
    ///
    /// # Errors
    /// As [`Walk::next`].
    pub(super) fn after(store: &S, first: Vec<Page>) -> Result<(Self, Vec<Entry>)> {
        let (mut walk, mut entries) = (Self::of(store, S::FRONTS, []), vec![]);
        for (listing, page) in S::LISTINGS.iter().zip(first) {
            entries.extend(walk.arrived(Range::whole(*listing), page)?);
        }
        Ok((walk, entries))
    }

    /// The entries of the next page; `None` after the last, and where it is [paused](Self::paused). Dropping
    /// the future loses nothing.
    ///
    /// # Errors
    /// Those of the cloud, and [`Kind::Failed`] for a listing that does not move forward.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<Entry>>> {
        loop {
            // All that have come are taken before the next are asked for, so that cuts are made where most is left.
            while let Some(joined) = self.fetching.try_join_next_with_id() {
                self.take(joined)?;
            }
            let resume = self.start();
            if let Some(entries) = self.listed.pop_front() {
                return Ok(Some(entries));
            }
            let joined = match resume {
                None => self.fetching.join_next_with_id().await,
                Some(resume) => tokio::select! {
                    Some(joined) = self.fetching.join_next_with_id() => Some(joined),
                    () = sleep_until(resume) => continue,
                },
            };
            match joined {
                Some(joined) => self.take(joined)?,
                None => return Ok(None),
            }
        }
    }

    /// Takes the result of a call.
    fn take(&mut self, joined: std::result::Result<(Id, Fetched), JoinError>) -> Result<()> {
        let (id, Fetched { begun, page, throttled }) = joined.map_err(|panic| {
            Error::new(Kind::Failed, format!("list {}", self.store.name())).because(panic)
        })?;
        let Some(range) = self.running.remove(&id) else { return Ok(()) };
        let now = Instant::now();
        if throttled {
            self.pace.slow_down(begun, None, now);
        }
        let Some(page) = page? else { return Ok(()) };
        // The last page of a range may take less time than a whole one.
        if !throttled && page.next.is_some() {
            self.pace.went_well(begun, now);
        }
        let entries = self.arrived(range, page)?;
        if !entries.is_empty() {
            self.listed.push_back(entries);
        }
        Ok(())
    }

    /// Whether everything is listed.
    pub(super) fn is_done(&self) -> bool {
        self.open.is_empty() && self.running.is_empty() && self.listed.is_empty()
    }

    /// What is not listed yet.
    pub(super) fn rest(self) -> Vec<Range> {
        self.open.into_iter().chain(self.running.into_values()).collect()
    }

    /// Fetches as many pages as the pace allows. When it allows another, where none is under way.
    fn start(&mut self) -> Option<Instant> {
        let now = Instant::now();
        self.cut();
        while !self.paused
            // What has come and is not used yet takes as much memory as what is under way.
            && self.pace.allows(self.running.len() + self.listed.len(), now)
            && let Some(range) = self.open.pop_front()
        {
            let (store, listing, from) = (self.store.clone(), range.listing, range.from.clone());
            let fetching = self.fetching.spawn(async move {
                let (page, throttled) = watched_page(&store, listing, "", &from).await;
                Fetched { begun: now, page, throttled }
            });
            self.running.insert(fetching.id(), range);
            self.pace.starts(now);
        }
        (!self.paused && !self.open.is_empty()).then(|| self.pace.resumes()).filter(|resumes| *resumes > now)
    }

    /// Takes a page of `range`, and keeps what is left of that. The entries of it.
    fn arrived(&mut self, mut range: Range, page: Page) -> Result<Vec<Entry>> {
        let Page { mut entries, next } = page;
        self.pages += 1;
        self.fullest = self.fullest.max(entries.len());
        if range.listing == Listing::Objects
            && let (Some(first), Some(last)) = (entries.first(), entries.last())
        {
            if range.from.key.as_ref().is_some_and(|from| first.key < *from) {
                return Err(circular(self.store.name()));
            }
            if last.key > self.furthest {
                self.furthest.clone_from(&last.key);
            }
            while !range.holds::<S>(&last.key)
                && let Some(next) = self.unbegun(&range)
            {
                range.until = next.until;
            }
        }
        let held = entries.partition_point(|entry| range.holds::<S>(&entry.key));
        let is_past = held < entries.len();
        entries.truncate(held);
        self.entries += entries.len();
        if let Some(next) = next.filter(|_| !is_past) {
            if range.trail.returns_to(&next) || (next.key.is_some() && next.key < range.from.key) {
                return Err(circular(self.store.name()));
            }
            range.from = next;
            if S::FRONTS > 1 && range.listing == Listing::Objects {
                range.show(&entries);
            }
            self.open.push_back(range);
        }
        Ok(entries)
    }

    /// The range that begins where `range` ends, where its first page has not been asked for: the page that
    /// goes beyond the end of `range` is that page.
    fn unbegun(&mut self, range: &Range) -> Option<Range> {
        let begins = |other: &Range| {
            other.listing == range.listing && other.from.token.is_none() && other.from.key == range.until
        };
        let at = self.open.iter().position(begins)?;
        self.open.remove(at)
    }

    /// Cuts the open ranges, where fronts are free. A cut costs half a page, as the last page of a range is as
    /// likely to be nearly empty as nearly full.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "counts"
    )]
    fn cut(&mut self) {
        let ranges = self.open.len() + self.running.len();
        let fronts = self.fronts.saturating_sub(ranges);
        if fronts == 0 || self.open.iter().all(|range| range.shown.is_empty()) {
            return;
        }
        let ahead: Vec<_> = self.open.iter().map(|range| range.ahead(&self.furthest)).collect();
        let sure: f64 = ahead.iter().flatten().map(Ahead::sure).sum();
        let wasted = self.pages.saturating_sub(self.entries / self.fullest) + ranges / 3;
        let fixed = WASTED.min(WASTED_AT_FIRST * self.pages);
        let affordable = (fixed + (self.pages + sure as usize) / WASTED_ONE_IN).saturating_sub(wasted) * 2;
        let cuts = affordable.min(fronts);
        let mut left = cuts;
        let all = ahead.iter().flatten().map(Ahead::pages).sum::<f64>().max(1.0);
        let mut ends = |ahead: &Ahead<'_>| {
            let share = (cuts as f64 * (ahead.pages() / all).min(1.0)).ceil() as usize;
            let ends = ahead.cuts(share.min(left));
            left -= ends.len();
            ends
        };
        let ends: Vec<_> = ahead.iter().map(|ahead| ahead.as_ref().map(&mut ends)).collect();
        drop(ahead);
        let ranges = std::mem::take(&mut self.open).into_iter().zip(ends);
        self.open = ranges.flat_map(|(range, ends)| range.pieces(ends.unwrap_or_default())).collect();
    }
}

/// Detects that a listing repeats itself, with a cycle of any length, in constant memory
/// (R. P. Brent, "An improved Monte Carlo factorization algorithm", 1980, section 2).
#[derive(Clone, Debug, Default)]
struct Trail {
    place: Cursor,
    steps: u64,
    until: u64,
}

impl Trail {
    fn returns_to(&mut self, next: &Cursor) -> bool {
        if self.place == *next {
            return true;
        }
        if self.steps == self.until {
            (self.place, self.steps, self.until) = (next.clone(), 0, self.until * 2 + 1);
        }
        self.steps += 1;
        false
    }
}

#[cfg(test)]
mod tests;
