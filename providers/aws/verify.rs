//! The proof that it works: a browser may upload, the upload becomes an event, and nobody else reads
//! it.

mod event;
mod message;
mod preflight;
mod probe;
mod public;
mod queue;

use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;

use self::probe::Probes;
use super::bucket_name::BucketName;
use super::queue::Queue;
use super::queue_name::QueueName;
use super::session::Api;
use crate::error::{Error, Kind, Result};
use crate::http::Client;
use crate::origin::Origin;
use crate::provider::{Check, Checking, Verdict, VerifyOptions};

/// What is verified.
#[derive(Clone, Debug)]
pub struct Target {
    /// The bucket.
    pub bucket: BucketName,
    /// The queue that gets its events; `None` with `--queue internal`.
    pub queue: Option<QueueName>,
    /// Where the browsers' pages come from.
    pub origin: Origin,
}

/// Where the checks are told.
#[derive(Clone, Debug)]
struct Report(UnboundedSender<Checking>);

impl Report {
    /// A check begins that may take a while. Nobody may be listening, which is no reason to stop.
    fn begun(&self, name: &str, within: Duration) {
        let _ = self.0.send(Checking::Begun { name: name.to_owned(), within });
    }

    /// What came of a check.
    fn known(&self, name: &str, verdict: Verdict) {
        let _ = self.0.send(Checking::Known(Check { name: name.to_owned(), verdict }));
    }
}

fn passed(detail: impl Into<String>) -> Verdict {
    Verdict::Passed { detail: detail.into() }
}

fn failed(reason: impl Into<String>, hint: impl Into<String>) -> Verdict {
    Verdict::Failed { reason: reason.into(), hint: Some(hint.into()) }
}

fn inconclusive(reason: impl Into<String>) -> Verdict {
    Verdict::Inconclusive { reason: reason.into() }
}

/// Verifies `target`, and tells each check to `checks` as soon as it is known. The probes are removed
/// afterwards, also after a failure and when [`VerifyOptions::cancel`] asks to stop. Dropping the
/// future instead would leave them.
///
/// # Errors
/// Those that keep a check from being made at all, such as expired credentials or a bucket in another
/// region; [`Kind::Interrupted`] when asked to stop. A check that fails is no error.
pub async fn verify(
    api: &Api,
    target: &Target,
    options: &VerifyOptions,
    checks: UnboundedSender<Checking>,
) -> Result<()> {
    let report = Report(checks);
    // It asks by the SDK, so that a wrong region, a missing bucket or expired credentials are
    // explained once and not by every check.
    report.known("not public", public::check(api, target.bucket.as_str()).await?);
    let mut probes = Probes::new(api, target.bucket.as_str(), Client::new()?);
    let outcome = tokio::select! {
        outcome = prove(api, target, options, &mut probes, &report) => outcome,
        () = options.cancel.cancelled() => Err(Error::new(Kind::Interrupted, "verify: interrupted")),
    };
    if let Some(verdict) = probes.remove().await {
        report.known("cleanup", verdict);
    }
    outcome
}

async fn prove(
    api: &Api,
    target: &Target,
    options: &VerifyOptions,
    probes: &mut Probes,
    report: &Report,
) -> Result<()> {
    preflight::check(api, target, probes.http(), report).await?;
    let uploaded = probes.upload(&target.origin).await?;
    report.known("upload", uploaded.verdict);
    report.known("ETag exposed", uploaded.etag_exposed);
    if !uploaded.stored {
        report.known("anonymous read", inconclusive("the upload failed, so there is nothing to read"));
        report.known("event", inconclusive("the upload failed, so there is no event to wait for"));
        return Ok(());
    }
    report.known("anonymous read", probes.read_anonymously().await?);
    match &target.queue {
        None => report
            .known("event", passed("nothing to prove: the server uses its own queue (--queue internal)")),
        Some(queue) => {
            let verdict = match options.broken(&[Queue::at(queue.as_str())]) {
                Some(broken) => broken,
                None => {
                    report.begun("event", options.event_within);
                    event::check(api, queue.as_str(), target, options.event_within, probes).await?
                }
            };
            report.known("event", verdict);
        }
    }
    Ok(())
}
