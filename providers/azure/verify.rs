//! The proof that it works: a browser may upload, the upload becomes an event, and nobody else reads
//! it.

mod event;
mod message;
mod preflight;
mod probe;
mod queue;
mod settings;
mod settling;

use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;

use self::probe::Probes;
use self::queue::Queue;
use self::settings::Settings;
use self::settling::Settling;
use super::container_name::ContainerName;
use super::event_subscription::EventSubscription;
use super::held::{self, Held};
use super::queue_name::QueueName;
use super::sas::{Sas, Scope};
use super::session::Api;
use crate::error::{Error, Kind, Result};
use crate::http::Client;
use crate::origin::Origin;
use crate::provider::{Check, Checking, Verdict, VerifyOptions};
use crate::resource::Address;

/// What is verified.
#[derive(Clone, Debug)]
pub struct Target {
    /// The container.
    pub container: ContainerName,
    /// The queue that gets its events, and the name of the event subscription that tells it; `None`
    /// with `--queue internal`.
    pub events: Option<(QueueName, String)>,
    /// Where the browsers' pages come from.
    pub origin: Origin,
}

impl Target {
    /// What an event goes through.
    fn route(&self) -> Vec<Address> {
        let parts = |(queue, subscription): &(QueueName, String)| {
            [EventSubscription::at(subscription), Held::at(held::QUEUE, queue.as_str())]
        };
        self.events.iter().flat_map(parts).collect()
    }
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
/// Those that keep a check from being made at all, such as expired credentials or a signature that ARM
/// does not give; [`Kind::Interrupted`] when asked to stop. A check that fails is no error.
pub async fn verify(
    api: &Api,
    target: &Target,
    options: &VerifyOptions,
    checks: UnboundedSender<Checking>,
) -> Result<()> {
    let report = Report(checks);
    let interrupted = || Error::new(Kind::Interrupted, "verify: interrupted");
    let prepare = async {
        let settings = Settings::read(api, target).await?;
        report.known("not public", settings.exposure());
        if let Some(verdict) = settings.events() {
            report.known("event subscription", verdict);
        }
        let (created, within) = (settings.account_created(), options.event_within);
        let settling = Settling::new(Client::new()?, created, within, &report);
        let (probes, queue) = tokio::try_join!(
            Probes::new(api, target.container.as_str(), settling),
            look_at_queue(api, target)
        )?;
        Ok((probes, queue))
    };
    let (mut probes, queue) = tokio::select! {
        prepared = prepare => prepared?,
        () = options.cancel.cancelled() => return Err(interrupted()),
    };
    let outcome = tokio::select! {
        outcome = prove(target, options, &mut probes, queue, &report) => outcome,
        () = options.cancel.cancelled() => Err(interrupted()),
    };
    if let Some(verdict) = probes.remove().await {
        report.known("cleanup", verdict);
    }
    outcome
}

/// The queue, ready to be looked at for as long as a signature lasts.
async fn look_at_queue<'a>(api: &'a Api, target: &Target) -> Result<Option<Queue<'a>>> {
    match &target.events {
        None => Ok(None),
        Some((queue, _)) => Ok(Some(Queue::new(api, queue.as_str(), Sas::signed(api, Scope::Queues).await?))),
    }
}

async fn prove(
    target: &Target,
    options: &VerifyOptions,
    probes: &mut Probes<'_>,
    queue: Option<Queue<'_>>,
    report: &Report,
) -> Result<()> {
    preflight::check(probes, &target.origin, report).await?;
    let uploaded = probes.upload(&target.origin).await?;
    report.known("upload", uploaded.verdict);
    report.known("ETag exposed", uploaded.etag_exposed);
    if !uploaded.stored {
        report.known("anonymous read", inconclusive("the upload failed, so there is nothing to read"));
        report.known("event", inconclusive("the upload failed, so there is no event to wait for"));
        return Ok(());
    }
    report.known("anonymous read", probes.read_anonymously().await?);
    match queue {
        None => report
            .known("event", passed("nothing to prove: the server uses its own queue (--queue internal)")),
        Some(mut queue) => {
            let verdict = match options.broken(&target.route()) {
                Some(broken) => broken,
                None => {
                    report.begun("event", options.event_within);
                    event::check(&mut queue, target, options.event_within, probes).await?
                }
            };
            report.known("event", verdict);
        }
    }
    Ok(())
}
