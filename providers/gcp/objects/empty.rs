//! Empties a bucket: the listing runs ahead, deletions follow, and memory stays the same however much
//! there is.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::Receiver;
use tokio::task::{JoinError, JoinSet};
use tokio::time::MissedTickBehavior;

use super::listing::{Bucket, Stored, walk};
use crate::error::{Error, Kind, Result};
use crate::event::Progress;
use crate::pace::{Pace, backoff};
use crate::providers::gcp::failure::failure;
use crate::retry::show;

/// Deletions under way at once. Each takes some fifty milliseconds, so that this is the thousand a
/// second which Cloud Storage wants a client to begin with (Cloud Storage documentation, "Request rate
/// and access distribution guidelines").
const AT_ONCE: u16 = 64;
/// How often one object is tried. With the waits between, that is about a minute of bad luck.
const TRIES: u32 = 10;
/// Objects that may be ready or wait for another try before no more are taken in.
const WAITING: usize = 2000;
/// How often progress is reported and an interrupt noticed.
const BEAT: Duration = Duration::from_millis(200);
/// Once through is enough unless somebody writes meanwhile; after this many times somebody does.
const ROUNDS: usize = 10;

/// Deletes every generation of every object of `bucket`, of which `known` were counted before. It is
/// done when a listing shows nothing: listings are strongly consistent (Cloud Storage documentation,
/// "Consistency").
///
/// # Errors
/// [`Kind::Refused`] when a hold or a retention keeps an object; [`Kind::Interrupted`] after Ctrl-C, with
/// nothing left half done; the kinds that pass when the service stays busy.
pub async fn empty(bucket: &Bucket, known: u64, progress: &Progress) -> Result<()> {
    let mut done = 0;
    for _ in 0..ROUNDS {
        let seen = Sweep::new(bucket, done, known, progress).run().await?;
        if seen == 0 {
            return Ok(());
        }
        done += seen;
        progress.count(done, done, "objects");
    }
    Err(Error::new(Kind::Conflict, format!("empty {}: new objects keep arriving", bucket.name))
        .hint("stop what writes to the bucket (the W&B server), then run again"))
}

/// One object to be deleted.
#[derive(Debug)]
struct Target {
    object: Stored,
    /// How often it was tried.
    tries: u32,
}

/// What came of one deletion.
enum Outcome {
    Gone,
    /// It may go later; the error says why not now.
    Again(Target, Error),
    Failed(Error),
}

/// One time through all objects.
struct Sweep<'a> {
    bucket: &'a Bucket,
    progress: &'a Progress,
    before: u64,
    known: u64,
    listed: u64,
    gone: u64,
    /// Ready to be deleted.
    ready: VecDeque<Target>,
    /// To be tried again, and from when on.
    waiting: Vec<(Instant, Target)>,
    running: JoinSet<(Instant, Outcome)>,
    pace: Pace,
    failed: Option<Error>,
}

impl<'a> Sweep<'a> {
    fn new(bucket: &'a Bucket, before: u64, known: u64, progress: &'a Progress) -> Self {
        Self {
            bucket,
            progress,
            before,
            known,
            listed: 0,
            gone: 0,
            ready: VecDeque::new(),
            waiting: vec![],
            running: JoinSet::new(),
            pace: Pace::new(AT_ONCE, Instant::now()),
            failed: None,
        }
    }

    /// Lists and deletes; the number of objects that were listed.
    async fn run(mut self) -> Result<u64> {
        let mut pages = Some(walk(self.bucket));
        let mut beat = tokio::time::interval(BEAT);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let stopping = self.failed.is_some() || self.progress.is_cancelled();
            if stopping {
                // Dropping the pages ends the listing; what is under way is brought to its end.
                pages = None;
            } else {
                self.start();
            }
            let has_work = !self.ready.is_empty() || !self.waiting.is_empty();
            if self.running.is_empty() && pages.is_none() && (stopping || !has_work) {
                break;
            }
            let wants_more = self.ready.len() + self.waiting.len() < WAITING;
            tokio::select! {
                page = next(&mut pages), if wants_more => match page {
                    Some(page) => self.take_in(page),
                    None => pages = None,
                },
                Some(outcome) = self.running.join_next() => self.settle(outcome),
                _ = beat.tick() => self.report(),
            }
        }
        self.report();
        match self.failed.take() {
            Some(error) => Err(error),
            None if self.progress.is_cancelled() => Err(Error::new(
                Kind::Interrupted,
                format!(
                    "empty {}: interrupted after {} deletions",
                    self.bucket.name,
                    self.before + self.gone
                ),
            )
            .hint("run again to go on")),
            None => Ok(self.listed),
        }
    }

    fn take_in(&mut self, page: Result<Vec<Stored>>) {
        match page {
            Ok(objects) => {
                self.listed += u64::try_from(objects.len()).unwrap_or(u64::MAX);
                self.ready.extend(objects.into_iter().map(|object| Target { object, tries: 0 }));
            }
            Err(error) => self.failed = Some(error),
        }
    }

    /// Starts as many deletions as the pace allows.
    fn start(&mut self) {
        let now = Instant::now();
        for (_, target) in self.waiting.extract_if(.., |(when, _)| *when <= now) {
            self.ready.push_back(target);
        }
        while self.pace.allows(self.running.len(), now)
            && let Some(target) = self.ready.pop_front()
        {
            let bucket = self.bucket.clone();
            self.running.spawn(async move { (now, delete(&bucket, target).await) });
        }
    }

    fn settle(&mut self, outcome: std::result::Result<(Instant, Outcome), JoinError>) {
        let (started, outcome) = match outcome {
            Ok(outcome) => outcome,
            Err(panic) => {
                self.failed =
                    Some(Error::new(Kind::Failed, format!("empty {}", self.bucket.name)).because(panic));
                return;
            }
        };
        match outcome {
            Outcome::Gone => {
                self.gone += 1;
                self.pace.went_well();
            }
            Outcome::Again(target, error) => {
                let (now, asked) = (Instant::now(), error.server_wait());
                let busy = error.kind() == Kind::Throttled || asked.is_some();
                if busy && self.pace.slow_down(started, asked, now) {
                    show(&error.chain(), asked.unwrap_or_default());
                }
                let pause = backoff(target.tries);
                if self.running.is_empty() && self.ready.is_empty() {
                    show(&error.chain(), pause);
                }
                if target.tries >= TRIES {
                    self.failed = Some(error);
                }
                self.waiting.push((now + pause, target));
            }
            Outcome::Failed(error) => self.failed = Some(error),
        }
    }

    fn report(&self) {
        let done = self.before + self.gone;
        let total = self.known.max(self.before + self.listed).max(done);
        if total > 0 {
            self.progress.count(done, total, "objects");
        }
    }
}

async fn delete(bucket: &Bucket, target: Target) -> Outcome {
    let Err(error) = bucket.delete(&target.object).await else { return Outcome::Gone };
    let name = format!("{}/{}", bucket.name, crate::text::clean(&target.object.name));
    let error = failure(&error, "storage.objects.delete", &name);
    if error.passes() {
        return Outcome::Again(Target { tries: target.tries + 1, ..target }, error);
    }
    Outcome::Failed(if is_retained(&error.to_string()) {
        Error::refused(error.to_string())
            .hint("wait until the retention is over, or lift the hold; wbstore does neither, and never bypasses them")
    } else {
        error
    })
}

/// Whether the refusal is that of a hold or a retention, which comes as one of permission (Cloud Storage
/// JSON API, "403: retentionPolicyNotMet").
fn is_retained(words: &str) -> bool {
    let words = words.to_lowercase();
    ["retention", "temporary hold", "event-based hold"].iter().any(|word| words.contains(word))
}

/// The next page; after the last one it is never ready again.
async fn next(pages: &mut Option<Receiver<Result<Vec<Stored>>>>) -> Option<Result<Vec<Stored>>> {
    match pages {
        Some(pages) => pages.recv().await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_retention_is_told_from_a_missing_permission() {
        assert!(is_retained("Object 'b/o' is subject to bucket's retention policy and cannot be deleted"));
        assert!(is_retained("Object 'b/o' is under active Temporary hold and cannot be deleted"));
        assert!(!is_retained("does not have storage.objects.delete access"));
    }
}
