//! Deletes the contents of a bucket: listings run ahead, deletions follow, and memory use does not depend
//! on the number of entries.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::sync::mpsc::Receiver;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, MissedTickBehavior};

use super::pace::{Pace, backoff};
use super::store::{Batches, Cursor, Entry, Outcome, What};
use super::tally::Tally;
use super::walk::walk;
use crate::error::{Error, Kind, Result};
use crate::event::Progress;
use crate::retry::{in_steps, show};

/// How often one entry is tried. With the waits between, that is about a minute.
const TRIES: u32 = 10;
/// No more pages are read while this many entries, or a batch, are ready.
const READY: usize = 1000;
/// … or while this many wait for another try.
const WAITING: usize = 4000;
/// How often progress is reported and an interrupt noticed.
const BEAT: Duration = Duration::from_millis(200);
/// One sweep is enough unless others write meanwhile; after this many sweeps they do.
const ROUNDS: usize = 10;

/// Deletes every entry of `store`, of which `known` were counted before.
///
/// # Errors
/// [`Kind::Denied`] or [`Kind::Refused`] when something keeps an entry; [`Kind::Interrupted`] after Ctrl-C,
/// with nothing left half done; the kinds that pass when the service stays busy.
pub(super) async fn empty<S: Batches>(store: &S, known: &Tally, progress: &Progress) -> Result<()> {
    let mut done = 0;
    let mut empty_rounds = 0;
    for _ in 0..ROUNDS {
        let seen = Sweep::new(store, done, known.entries(), progress).run().await?;
        done += seen;
        if seen > 0 {
            progress.count(done, done, S::UNIT);
        }
        empty_rounds = if seen == 0 { empty_rounds + 1 } else { 0 };
        if empty_rounds == S::EMPTY_ROUNDS {
            return store.finish(known, progress).await;
        }
    }
    Err(Error::new(Kind::Conflict, format!("empty {}: new objects keep arriving", store.name()))
        .hint("stop what writes to the bucket (the W&B server), then run again"))
}

/// The error of a run that the user stopped, `at` a place such as `after 12 deletions`.
pub(crate) fn interrupted(name: &str, at: &str) -> Error {
    Error::new(Kind::Interrupted, format!("empty {name}: interrupted {at}")).hint("run again to continue")
}

/// One sweep through all entries.
struct Sweep<'a, S> {
    store: &'a S,
    progress: &'a Progress,
    before: u64,
    known: u64,
    listed: u64,
    gone: u64,
    ready: VecDeque<Entry>,
    /// To be tried again, and from when on.
    waiting: Vec<(Instant, Vec<Entry>)>,
    running: JoinSet<(Instant, Outcome)>,
    pace: Pace,
    failed: Option<Error>,
}

impl<'a, S: Batches> Sweep<'a, S> {
    fn new(store: &'a S, before: u64, known: u64, progress: &'a Progress) -> Self {
        Self {
            store,
            progress,
            before,
            known,
            listed: 0,
            gone: 0,
            ready: VecDeque::new(),
            waiting: vec![],
            running: JoinSet::new(),
            pace: Pace::new(S::AT_ONCE, Instant::now()),
            failed: None,
        }
    }

    /// Lists and deletes; the number of entries that were listed.
    async fn run(mut self) -> Result<u64> {
        let starts = S::LISTINGS.iter().map(|listing| (*listing, Cursor::default()));
        let mut pages = Some(walk(self.store, starts));
        let mut beat = tokio::time::interval(BEAT);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let stopping = self.failed.is_some() || self.progress.is_cancelled();
            if stopping {
                // Dropping the pages ends the listing; running deletions finish.
                pages = None;
            } else {
                self.start(pages.is_none());
            }
            let has_work = !self.ready.is_empty() || !self.waiting.is_empty();
            if self.running.is_empty() && pages.is_none() && (stopping || !has_work) {
                break;
            }
            let waiting: usize = self.waiting.iter().map(|(_, entries)| entries.len()).sum();
            let wants_more = self.ready.len() < READY.max(S::BATCH) && waiting < WAITING;
            tokio::select! {
                page = next(&mut pages), if wants_more => match page {
                    Some(page) => self.receive(page),
                    None => pages = None,
                },
                Some(outcome) = self.running.join_next() => self.settle(outcome),
                _ = beat.tick() => self.report(),
            }
        }
        self.report();
        match self.failed.take() {
            Some(error) => Err(error),
            None if self.progress.is_cancelled() => {
                let at = format!("after {} deletions", self.before + self.gone);
                Err(interrupted(self.store.name(), &at))
            }
            None => Ok(self.listed),
        }
    }

    fn receive(&mut self, page: Result<Vec<Entry>>) {
        match page {
            Ok(entries) => {
                self.listed += u64::try_from(entries.len()).unwrap_or(u64::MAX);
                self.ready.extend(entries);
            }
            Err(error) => self.failed = Some(error),
        }
    }

    /// Starts as many calls as the pace allows. A batch that is not full waits for the next page, and
    /// goes only when it is the `last`.
    fn start(&mut self, last: bool) {
        let now = Instant::now();
        for (_, entries) in self.waiting.extract_if(.., |(when, _)| *when <= now) {
            self.ready.extend(entries);
        }
        while (self.ready.len() >= S::BATCH || (last && !self.ready.is_empty()))
            && self.pace.allows(self.running.len(), now)
        {
            let is_upload = |entry: &Entry| entry.what == What::Upload;
            let uploads = self.ready.front().is_some_and(is_upload);
            let size = if uploads { S::UPLOADS } else { S::BATCH };
            let alike = self.ready.iter().take(size).take_while(|entry| is_upload(entry) == uploads).count();
            let batch: Vec<Entry> = self.ready.drain(..alike).collect();
            let store = self.store.clone();
            self.running.spawn(in_steps(async move { (now, store.delete(batch).await) }));
        }
    }

    fn settle(&mut self, outcome: std::result::Result<(Instant, Outcome), JoinError>) {
        let (started, outcome) = match outcome {
            Ok(outcome) => outcome,
            Err(panic) => {
                let error = Error::new(Kind::Failed, format!("empty {}", self.store.name()));
                self.failed = Some(error.because(panic));
                return;
            }
        };
        let now = Instant::now();
        let why = outcome.passing.as_ref().map(Error::chain).unwrap_or_default();
        match outcome.slow_down {
            Some(asked) if self.pace.slow_down(started, asked, now) => show(&why, asked.unwrap_or_default()),
            Some(_) => {}
            None => self.pace.went_well(),
        }
        self.gone += outcome.gone;
        if let Some(tries) = outcome.again.iter().map(|entry| entry.tries).max() {
            let pause = backoff(tries);
            if self.running.is_empty() && self.ready.is_empty() {
                show(&why, pause);
            }
            if tries >= TRIES {
                self.failed = outcome.passing;
            }
            self.waiting.push((now + pause, outcome.again));
        }
        if let Some(error) = outcome.failed {
            self.failed = Some(error);
        }
    }

    fn report(&self) {
        let done = self.before + self.gone;
        let total = self.known.max(self.before + self.listed).max(done);
        if total > 0 {
            self.progress.count(done, total, S::UNIT);
        }
    }
}

/// The next page; after the last one it is never ready again.
async fn next(pages: &mut Option<Receiver<Result<Vec<Entry>>>>) -> Option<Result<Vec<Entry>>> {
    match pages {
        Some(pages) => pages.recv().await,
        None => std::future::pending().await,
    }
}
