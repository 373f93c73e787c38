//! Deletes the contents of a bucket: listings run ahead, deletions follow, and memory use does not depend
//! on the number of entries.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, MissedTickBehavior, sleep_until};

use super::backlog::Backlog;
use super::pace::{MaxRate, Pace, backoff};
use super::store::{Batches, Entry, Outcome, Task, What};
use super::walk::Walk;
use crate::error::{Error, Kind, Result};
use crate::event::{Advance, Progress};
use crate::resource::Address;
use crate::retry::{FAULT_WITHIN, in_steps, show};

/// How often one entry is tried. With the waits between, that is about a minute.
const TRIES: u32 = 10;
/// No more pages are read while this many entries, or a batch, are ready.
const READY: usize = 1000;
/// … or while this many wait for another try.
const WAITING: usize = 4000;
/// Pages that are listed at once beside deletions, which take longer.
const FRONTS: usize = 8;
/// How often progress is reported.
const BEAT: Duration = Duration::from_millis(200);
/// How long calls under way may take to end after an interrupt.
const GRACE: Duration = Duration::from_millis(600);

/// Deletes the entries of `store`: what was counted, and what the count has not listed, or else what a listing of the
/// whole bucket shows. Whether nothing is left, the look at the bucket shows before that is deleted.
///
/// # Errors
/// [`Kind::Denied`] or [`Kind::Refused`] when something keeps an entry; [`Kind::Interrupted`] after Ctrl-C;
/// the kinds that pass when the service stays busy.
pub(super) async fn empty<S: Batches>(store: &S, task: Task<'_>) -> Result<()> {
    let Task { known, progress, max_rate, .. } = task;
    let mut sweep = Sweep::new(store, known.entries(), max_rate, progress);
    let mut backlog = task.counted.unwrap_or_default();
    let walk = match backlog.is_empty() {
        true => Walk::whole(store, FRONTS),
        false => Walk::of(store, FRONTS, std::mem::take(&mut backlog.rest)),
    };
    sweep.run(backlog, walk).await?;
    store.finish(known, progress).await
}

/// The error of a run that the user stopped, `at` a place such as `after 12 deletions`.
pub(crate) fn interrupted(name: &str, at: &str) -> Error {
    Error::new(Kind::Interrupted, format!("empty {name}: interrupted {at}")).hint("run again to continue")
}

/// The error of `action` on the bucket at `address`, which the service rejected because others have filled that.
pub(crate) fn filled(action: &str, address: &Address) -> Error {
    Error::new(Kind::Failed, format!("{action} on {address}: objects arrived while it was being emptied"))
        .hint("stop the W&B server that still writes to it, then run again")
}

/// A sweep through all entries.
struct Sweep<'a, S> {
    store: &'a S,
    progress: &'a Progress,
    max_rate: Option<&'a MaxRate>,
    known: u64,
    listed: u64,
    gone: u64,
    /// Deletions that failed and are tried again.
    errors: u64,
    ready: VecDeque<Entry>,
    /// To be tried again, and from when on.
    waiting: Vec<(Instant, Vec<Entry>)>,
    running: JoinSet<(Instant, Outcome)>,
    pace: Pace,
    begun: Instant,
    /// When something was last deleted.
    advanced: Instant,
    failed: Option<Error>,
}

impl<'a, S: Batches> Sweep<'a, S> {
    fn new(store: &'a S, known: u64, max_rate: Option<&'a MaxRate>, progress: &'a Progress) -> Self {
        let now = Instant::now();
        Self {
            store,
            progress,
            max_rate,
            known,
            listed: 0,
            gone: 0,
            errors: 0,
            ready: VecDeque::new(),
            waiting: vec![],
            running: JoinSet::new(),
            pace: Pace::new(S::AT_FIRST, S::AT_ONCE, now),
            begun: now,
            advanced: now,
            failed: None,
        }
    }

    /// Deletes what is in `backlog` and what `walk` lists.
    async fn run(&mut self, mut backlog: Backlog, walk: Walk<S>) -> Result<()> {
        self.listed += backlog.entries;
        self.known = self.known.max(self.listed);
        let mut pages = Some(walk);
        let mut beat = tokio::time::interval(BEAT);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut stops = None;
        loop {
            let interrupted = self.progress.is_cancelled();
            let stopping = self.failed.is_some() || interrupted;
            if stopping {
                // Dropping the pages ends the listing; running deletions finish, after an interrupt if they
                // do soon.
                (pages, backlog) = (None, Backlog::default());
                self.ready.clear();
                self.waiting.clear();
            }
            let has_more = pages.is_some() || !backlog.is_empty();
            self.start(!has_more);
            if self.running.is_empty() && !has_more && self.ready.is_empty() && self.waiting.is_empty() {
                break;
            }
            if interrupted && Instant::now() >= *stops.get_or_insert_with(|| Instant::now() + GRACE) {
                self.running.shutdown().await;
                break;
            }
            let waiting: usize = self.waiting.iter().map(|(_, entries)| entries.len()).sum();
            let wants_more = self.ready.len() < READY.max(S::BATCH) && waiting < WAITING;
            if wants_more && let Some(entries) = backlog.pop() {
                self.ready.extend(entries);
                continue;
            }
            let wake = stops.unwrap_or_else(|| self.wakes());
            tokio::select! {
                page = next(&mut pages), if wants_more => match page {
                    Ok(Some(entries)) => {
                        self.listed += entries.len() as u64;
                        self.ready.extend(entries);
                    }
                    Ok(None) => pages = None,
                    Err(error) => self.failed = Some(error),
                },
                Some(outcome) = self.running.join_next() => self.settle(outcome),
                () = sleep_until(wake) => {}
                () = self.progress.cancelled(), if !interrupted => {}
                _ = beat.tick() => self.report(),
            }
        }
        self.report();
        match self.failed.take() {
            Some(error) => Err(error),
            None if self.progress.is_cancelled() => {
                Err(interrupted(self.store.name(), &format!("after {} deletions", self.gone)))
            }
            None => Ok(()),
        }
    }

    /// Starts as many calls as the pace allows. A batch that is not full waits for the next page, and
    /// goes only when it is the `last`.
    fn start(&mut self, last: bool) {
        let now = Instant::now();
        for (_, entries) in self.waiting.extract_if(.., |(when, _)| *when <= now) {
            self.ready.extend(entries);
        }
        let most = self.max_rate.map_or(usize::MAX, MaxRate::at_once);
        let (batch, uploads) = (S::BATCH.min(most), S::UPLOADS.min(most));
        while (self.ready.len() >= batch || (last && !self.ready.is_empty()))
            && self.pace.allows(self.running.len(), now)
            && self.max_rate.is_none_or(|rate| rate.allows(now))
        {
            let is_upload = |entry: &Entry| entry.what == What::Upload;
            let are_uploads = self.ready.front().is_some_and(is_upload);
            let size = if are_uploads { uploads } else { batch };
            let alike = |entry: &&Entry| is_upload(entry) == are_uploads;
            let alike = self.ready.iter().take(size).take_while(alike).count();
            let batch: Vec<Entry> = self.ready.drain(..alike).collect();
            self.pace.starts(now);
            if let Some(rate) = self.max_rate {
                rate.starts(alike, now);
            }
            let store = self.store.clone();
            self.running.spawn(in_steps(async move { (now, store.delete(batch).await) }));
        }
    }

    /// When the next call can be started, unless something else comes first.
    fn wakes(&self) -> Instant {
        let now = Instant::now();
        let again = self.waiting.iter().map(|(when, _)| *when);
        let allowed = self.max_rate.and_then(MaxRate::resumes).max(Some(self.pace.resumes()));
        // One that is past has been used, or other calls have to end first.
        let allowed = allowed.filter(|when| !self.ready.is_empty() && *when > now);
        again.chain(allowed).min().unwrap_or(now + BEAT)
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
            None => self.pace.went_well(started, now),
        }
        self.gone += outcome.gone;
        if outcome.gone > 0 {
            self.advanced = now;
        }
        self.errors += outcome.again.len() as u64;
        if let Some(tries) = outcome.again.iter().map(|entry| entry.tries).max() {
            // What was throttled waits for the pace.
            let is_throttled = outcome.slow_down.is_some();
            let pause = backoff(if is_throttled { 1 } else { tries });
            if self.running.is_empty() && self.ready.is_empty() {
                show(&why, pause);
            }
            if tries >= TRIES && (!is_throttled || now - self.advanced > FAULT_WITHIN) {
                self.failed = outcome.passing;
            }
            self.waiting.push((now + pause, outcome.again));
        }
        if let Some(error) = outcome.failed {
            self.failed = Some(error);
        }
    }

    fn report(&self) {
        let total = self.known.max(self.listed).max(self.gone);
        if total > 0 {
            let took = self.begun.elapsed();
            self.progress.advance(Advance {
                done: self.gone,
                total,
                errors: self.errors,
                unit: S::UNIT,
                took,
            });
        }
    }
}

/// The next page; after the last one it is never ready again.
async fn next<S: Batches>(pages: &mut Option<Walk<S>>) -> Result<Option<Vec<Entry>>> {
    match pages {
        Some(pages) => pages.next().await,
        None => std::future::pending().await,
    }
}
