//! Checks that a deployment works: a page of the server may upload, the upload produces an event, and
//! the object is not public. What a cloud adds is its [`Site`].

mod event;
mod node;
mod preflight;
mod probe;
mod settling;
mod site;
mod store;
mod traffic;

#[cfg(test)]
mod tests;

use std::time::Duration;

use serde::Serialize;
use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;

use crate::error::{Error, Kind, Result};
use crate::origins::Origins;
use crate::resource::Address;

pub(crate) use node::{NodeCall, NodeSite, verify_as_node};
pub(crate) use preflight::allows_origin;
pub(crate) use probe::Probe;
pub(crate) use settling::Settling;
pub(crate) use site::{
    Depth, Message, Object, OperatorSite, OtherApi, Profile, Queue, Says, Settings, Signed, Site,
};
pub(crate) use store::{StoreSite, verify_store};

/// The prefix of all probes, so that a policy can allow these keys and no others.
pub(crate) const PROBE_PREFIX: &str = ".wbstore-probe/";

/// The options of `verify`.
#[derive(Clone, Debug)]
pub(crate) struct VerifyOptions {
    /// Where the pages of the server come from.
    pub origins: Origins,
    /// How long an event may take to arrive.
    pub event_within: Duration,
    /// Whether it is the bucket of a team, which has no events.
    pub is_team: bool,
    /// The resources that did not exist at the time of the plan.
    pub absent: Vec<Address>,
    /// Stops it early; the probes are deleted nevertheless.
    pub cancel: CancellationToken,
}

impl VerifyOptions {
    /// The verdict on events if a resource of their `route` is missing.
    fn broken(&self, route: &[Address]) -> Option<Verdict> {
        let gone = route.iter().find(|address| self.absent.contains(address))?;
        Some(failed(
            format!("{gone} is missing: no event can arrive without it"),
            "`wbstore provision` with the same arguments creates it",
        ))
    }
}

/// The result of one check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    /// It works.
    Passed {
        /// What was seen.
        detail: String,
    },
    /// It does not work.
    Failed {
        /// Why, as a lowercase fragment.
        reason: String,
        /// What to do next.
        #[serde(skip_serializing_if = "Option::is_none")]
        hint: Option<String>,
    },
    /// It works, and not as W&B advises.
    Warned {
        /// Why, as a lowercase fragment.
        reason: String,
        /// What to do about it.
        hint: String,
    },
    /// It is not known whether it works.
    Inconclusive {
        /// Why, as a lowercase fragment.
        reason: String,
    },
}

/// One line of `verify`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What is checked, such as `preflight PUT`.
    pub name: String,
    /// The result.
    #[serde(flatten)]
    pub verdict: Verdict,
}

/// What to enter elsewhere, such as at an identity provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Advice {
    /// Of what, and where to enter it.
    pub name: String,
    /// One line each.
    pub entries: Vec<String>,
}

/// Where the progress of `verify` goes.
pub(crate) type CheckSender = UnboundedSender<Checking>;

/// The progress of `verify`.
#[derive(Clone, Debug)]
pub enum Checking {
    /// A check has started that may take longer than a second.
    Begun {
        /// What is checked.
        name: String,
        /// At most this long.
        within: Duration,
    },
    /// The result of a check.
    Known(Check),
    /// What to enter elsewhere.
    Advice(Advice),
}

/// The progress of `verify`, and of several deployments the one that it is of.
#[derive(Clone, Debug)]
pub struct CheckingOf {
    /// Its name, where there are others.
    pub deployment: Option<String>,
    /// The progress.
    pub checking: Checking,
}

impl From<Checking> for CheckingOf {
    fn from(checking: Checking) -> Self {
        Self { deployment: None, checking }
    }
}

pub(crate) fn passed(detail: impl Into<String>) -> Verdict {
    Verdict::Passed { detail: detail.into() }
}

pub(crate) fn failed(reason: impl Into<String>, hint: impl Into<String>) -> Verdict {
    Verdict::Failed { reason: reason.into(), hint: Some(hint.into()) }
}

pub(crate) fn warned(reason: impl Into<String>, hint: impl Into<String>) -> Verdict {
    Verdict::Warned { reason: reason.into(), hint: hint.into() }
}

pub(crate) fn inconclusive(reason: impl Into<String>) -> Verdict {
    Verdict::Inconclusive { reason: reason.into() }
}

/// The verdict on a check that failed with an error; `what` is the part that failed.
fn faulted(what: Option<&str>, error: &Error) -> Verdict {
    let what = what.map(|what| format!("{what}: ")).unwrap_or_default();
    Verdict::Failed { reason: format!("{what}{}", error.chain()), hint: error.what_next().map(str::to_owned) }
}

/// Whether `error` prevents all checks, so that verify ends with it.
fn ends_all(error: &Error) -> bool {
    error.kind() == Kind::Credentials || error.asks_too_much()
}

/// Where the results go. A closed receiver does not stop the run: the probes must be deleted.
#[derive(Clone, Debug)]
struct Checks {
    sender: CheckSender,
    /// What the name of each check ends with.
    place: String,
}

impl Checks {
    fn new(sender: CheckSender) -> Self {
        Self { sender, place: String::new() }
    }

    fn begun(&self, name: &str, within: Duration) {
        let _ = self.sender.send(Checking::Begun { name: format!("{name}{}", self.place), within });
    }

    fn known(&self, name: &str, verdict: Verdict) {
        let _ = self.sender.send(Checking::Known(Check { name: format!("{name}{}", self.place), verdict }));
    }
}

/// One run of `verify`.
struct Run<'a, S> {
    site: S,
    options: &'a VerifyOptions,
    checks: Checks,
    /// What all keys begin with. It differs from run to run, so that none takes the probes of another for
    /// its own.
    prefix: String,
    sent: Vec<Probe>,
    settling: Option<Settling>,
    /// Why nothing may be uploaded: it could not be deleted.
    kept_by: Option<String>,
    /// What to do if the next call is denied, where the cloud's own hint is not specific enough.
    lacking: Option<String>,
}

/// Verifies `site`, and sends each check to `checks` as soon as it is known. The probes are deleted
/// afterwards, also after a failure and when [`VerifyOptions::cancel`] asks to stop. Dropping the future
/// instead would leave them.
///
/// # Errors
/// Those that prevent all checks, such as expired credentials or a missing bucket;
/// [`Kind::Interrupted`] when asked to stop. A check that fails is no error.
pub(crate) async fn verify<S: OperatorSite>(
    mut site: S,
    options: &VerifyOptions,
    checks: CheckSender,
) -> Result<()> {
    let checks = Checks::new(checks);
    let Settings { public, subscription, reader, settling, kept_by } =
        unless_cancelled(options, site.settings()).await?;
    checks.known("not public", public);
    if let Some(verdict) = subscription {
        checks.known("event subscription", verdict);
    }
    for Check { name, verdict } in reader {
        checks.known(&name, verdict);
    }
    let settling = settling.map(|settling| settling.at_most(options.event_within));
    let mut run = Run { settling, kept_by, ..Run::new(site, options, checks) };
    let outcome = unless_cancelled(options, run.prove()).await;
    if let Some(verdict) = run.cleanup().await {
        run.checks.known("cleanup", verdict);
    }
    outcome
}

async fn unless_cancelled<T>(options: &VerifyOptions, work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::select! {
        outcome = work => outcome,
        () = options.cancel.cancelled() => Err(Error::new(Kind::Interrupted, "verify: interrupted")),
    }
}

impl<'a, S: Site> Run<'a, S> {
    fn new(site: S, options: &'a VerifyOptions, checks: Checks) -> Self {
        let prefix = format!("{PROBE_PREFIX}{:016x}/", fastrand::u64(..));
        Self { site, options, checks, prefix, sent: vec![], settling: None, kept_by: None, lacking: None }
    }
}

impl<S: OperatorSite> Run<'_, S> {
    async fn prove(&mut self) -> Result<()> {
        self.preflights().await?;
        let route = self.site.route();
        let broken = route.as_ref().and_then(|route| self.options.broken(route));
        // It has to be watched before the upload, whose event might be missed.
        let watched =
            if route.is_some() && broken.is_none() { self.site.watch(&self.prefix).await } else { Ok(()) };
        if let Err(error) = watched.as_ref()
            && ends_all(error)
        {
            return watched;
        }
        let (uploaded, etag) = self.upload().await?;
        self.checks.known("upload", uploaded);
        let Some(etag) = etag else {
            let event = (!self.options.is_team).then_some("event");
            for check in ["ETag exposed", "anonymous read"].into_iter().chain(event) {
                self.checks.known(check, inconclusive("nothing was uploaded"));
            }
            return Ok(());
        };
        self.checks.known("ETag exposed", etag);
        let anonymous = self.read_anonymously().await?;
        self.checks.known("anonymous read", anonymous);
        if self.options.is_team {
            return Ok(());
        }
        let event = match (route, broken, watched) {
            (None, ..) => passed("not applicable: the server uses its own queue (--queue internal)"),
            (_, Some(broken), _) => broken,
            (_, _, Err(error)) => self.refused(&error),
            _ => self.event("event").await?,
        };
        self.checks.known("event", event);
        Ok(())
    }
}
