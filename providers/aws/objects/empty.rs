//! Empties a bucket: listings run ahead, deletions follow, and memory stays the same however much
//! there is.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use futures::StreamExt;
use tokio::sync::mpsc::Receiver;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use super::batch::{BATCH, Outcome, Target, delete};
use super::listing::{Bucket, Cursor, Upload, Version};
use super::walk::walk;
use crate::error::{Error, Kind, Result};
use crate::event::Progress;
use crate::pace::{Pace, backoff};
use crate::providers::aws::failure::{code, failure};
use crate::retry::{in_steps, show};

/// Batches under way at once. Ten batches of a thousand keys are more than the 3,500 deletions a second
/// that S3 promises for one prefix (S3 user guide, "Best practices design patterns: optimizing Amazon S3
/// performance"), and S3 asks clients to come up gently.
const BATCHES: u16 = 10;
/// How often one version is tried. With the waits between, that is about a minute of bad luck.
const TRIES: u32 = 10;
/// Batches that may wait for another try before no new versions are taken in.
const WAITING_BATCHES: usize = 4;
/// How often progress is reported and an interrupt noticed.
const BEAT: Duration = Duration::from_millis(200);
/// Once through is enough unless somebody writes meanwhile; after this many times somebody does.
const ROUNDS: usize = 10;
/// Uploads aborted at once.
const ABORTS: usize = 8;

/// Deletes every version, delete marker and unfinished upload of `bucket`, of which `known` were
/// counted before. It is done when two listings in a row show nothing: a single one might be stale
/// where the endpoint is not S3 itself.
///
/// # Errors
/// [`Kind::Denied`] when a policy or a lock keeps a version; [`Kind::Interrupted`] after Ctrl-C, with
/// nothing left half done; the kinds that pass when the service stays busy.
pub async fn empty(bucket: &Bucket, known: u64, progress: &Progress) -> Result<()> {
    let mut done = 0;
    let mut empty_rounds = 0;
    for _ in 0..ROUNDS {
        let mut sweep = Sweep::new(bucket, done, known, progress);
        let (versions, uploads) = tokio::join!(sweep.run(), abort_uploads(bucket, progress));
        let seen = versions? + uploads?;
        done += seen;
        empty_rounds = if seen == 0 { empty_rounds + 1 } else { 0 };
        if empty_rounds == 2 {
            if done > 0 {
                progress.count(done, done, "versions");
            }
            return Ok(());
        }
    }
    Err(Error::new(Kind::Conflict, format!("empty {}: new objects keep arriving", bucket.name))
        .hint("stop what writes to the bucket (the W&B server), then run again"))
}

/// One time through all versions.
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
    waiting: Vec<(Instant, Vec<Target>)>,
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
            pace: Pace::new(BATCHES, Instant::now()),
            failed: None,
        }
    }

    /// Lists and deletes; the number of versions that were listed.
    async fn run(&mut self) -> Result<u64> {
        let mut pages = Some(walk(self.bucket, Cursor::default()));
        let mut beat = tokio::time::interval(BEAT);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let stopping = self.failed.is_some() || self.progress.is_cancelled();
            if stopping {
                // Dropping the pages ends the listing; what is under way is brought to its end.
                pages = None;
            } else {
                self.start(pages.is_none());
            }
            if self.running.is_empty() && pages.is_none() && (stopping || !self.has_work()) {
                break;
            }
            let wants_more = self.ready.len() < BATCH && self.waiting.len() < WAITING_BATCHES;
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
            None if self.progress.is_cancelled() => Err(interrupted(self.bucket, self.before + self.gone)),
            None => Ok(self.listed),
        }
    }

    fn has_work(&self) -> bool {
        !self.ready.is_empty() || !self.waiting.is_empty()
    }

    fn take_in(&mut self, page: Result<Vec<Version>>) {
        match page {
            Ok(versions) => {
                self.listed += as_u64(versions.len());
                self.ready.extend(versions.into_iter().map(Target::from));
            }
            Err(error) => self.failed = Some(error),
        }
    }

    /// Starts as many calls as the pace allows. A batch that is not full waits for the next page, and
    /// goes only when it is the `last`.
    fn start(&mut self, last: bool) {
        let now = Instant::now();
        for (_, targets) in self.waiting.extract_if(.., |(when, _)| *when <= now) {
            self.ready.extend(targets);
        }
        while (self.ready.len() >= BATCH || (last && !self.ready.is_empty()))
            && self.pace.allows(self.running.len(), now)
        {
            let batch: Vec<Target> = self.ready.drain(..self.ready.len().min(BATCH)).collect();
            let bucket = self.bucket.clone();
            // How fast to go, and when to come again, is decided for all batches together.
            self.running.spawn(in_steps(async move { (now, delete(&bucket, batch).await) }));
        }
    }

    fn settle(&mut self, outcome: std::result::Result<(Instant, Outcome), tokio::task::JoinError>) {
        let (started, outcome) = match outcome {
            Ok(outcome) => outcome,
            Err(panic) => {
                self.failed =
                    Some(Error::new(Kind::Failed, format!("empty {}", self.bucket.name)).because(panic));
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
        if let Some(tries) = outcome.again.iter().map(|target| target.tries).max() {
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
            self.progress.count(done, total, "versions");
        }
    }
}

/// The next page; after the last one it is never ready again.
async fn next(pages: &mut Option<Receiver<Result<Vec<Version>>>>) -> Option<Result<Vec<Version>>> {
    match pages {
        Some(pages) => pages.recv().await,
        None => std::future::pending().await,
    }
}

/// Aborts every unfinished upload, whose parts are stored and paid for though nothing shows them.
async fn abort_uploads(bucket: &Bucket, progress: &Progress) -> Result<u64> {
    let mut aborted = 0;
    let mut cursor = Cursor::default();
    loop {
        let (uploads, next) = bucket.uploads(&cursor).await?.unwrap_or_default();
        aborted += as_u64(uploads.len());
        let mut aborts =
            futures::stream::iter(uploads).map(|upload| abort(bucket, upload)).buffer_unordered(ABORTS);
        while let Some(done) = aborts.next().await {
            done?;
            if progress.is_cancelled() {
                return Err(interrupted(bucket, aborted));
            }
        }
        match next {
            Some(next) => cursor = next,
            None => return Ok(aborted),
        }
    }
}

async fn abort(bucket: &Bucket, upload: Upload) -> Result<()> {
    let answer = bucket
        .s3
        .abort_multipart_upload()
        .bucket(&bucket.name)
        .expected_bucket_owner(&bucket.owner)
        .key(upload.key)
        .upload_id(upload.id)
        .send()
        .await;
    match answer {
        Ok(_) => Ok(()),
        Err(error) if code(&error) == "NoSuchUpload" => Ok(()),
        Err(error) => Err(failure(error, "s3:AbortMultipartUpload", &bucket.name)),
    }
}

fn interrupted(bucket: &Bucket, done: u64) -> Error {
    Error::new(Kind::Interrupted, format!("empty {}: interrupted after {done} deletions", bucket.name))
        .hint("run again to go on")
}

fn as_u64(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
