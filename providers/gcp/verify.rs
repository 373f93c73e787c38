//! The proof that it works: a browser may upload, the upload becomes an event, and nobody else reads
//! it.

mod access;
mod event;
mod live;
mod message;
mod preflight;
mod probe;
mod watch;

use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc::UnboundedSender;

use self::probe::Probes;
use self::watch::Watch;
use super::bucket::{Described, calls};
use super::bucket_name::BucketName;
use super::pubsub_name::{SubscriptionName, TopicName};
use super::session::Api;
use super::topic::Topic;
use crate::error::{Error, Kind, Result};
use crate::http::Client;
use crate::name::DeploymentName;
use crate::origin::Origin;
use crate::provider::{Check, Checking, Verdict, VerifyOptions};

/// How long a grant may take to hold everywhere: "typically 2 minutes, potentially 7 minutes or longer"
/// (IAM documentation, "Access change propagation"; G3).
const GRANTS_HOLD_WITHIN: i64 = 8 * 60;

/// What is verified.
#[derive(Clone, Debug)]
pub struct Target {
    /// The deployment.
    pub deployment: DeploymentName,
    /// The bucket.
    pub bucket: BucketName,
    /// The topic and the subscription that get its events; `None` with `--queue internal`.
    pub events: Option<(TopicName, SubscriptionName)>,
    /// Where the browsers' pages come from.
    pub origin: Origin,
}

impl Target {
    /// Why no event can arrive, where the plan has shown that.
    fn broken(&self, options: &VerifyOptions) -> Option<Verdict> {
        let (topic, _) = self.events.as_ref()?;
        options.broken(&[Topic::at(topic.as_str())])
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

/// What a refused call means to a check: nothing yet while grants may still be on their way, and that it
/// does not work afterwards.
fn refused(error: &Error, fresh: bool) -> Verdict {
    if fresh && error.kind() == Kind::Denied {
        return inconclusive(format!(
            "{}; the bucket was made or changed a moment ago, and a grant may take 7 minutes or more to hold",
            error.chain()
        ));
    }
    Verdict::Failed { reason: error.chain(), hint: error.what_next().map(str::to_owned) }
}

/// Whether the bucket was made or changed so recently that grants may not hold yet.
fn is_fresh(described: &Described, now: Timestamp) -> bool {
    let changed = described.updated();
    changed.is_some_and(|time| now.as_second().saturating_sub(time.as_second()) < GRANTS_HOLD_WITHIN)
}

/// Verifies `target`, and tells each check to `checks` as soon as it is known. The probes and the
/// subscription that is made to see their events are removed afterwards, also after a failure and when
/// [`VerifyOptions::cancel`] asks to stop. Dropping the future instead would leave them.
///
/// # Errors
/// Those that keep a check from being made at all, such as expired credentials or a bucket that is not
/// there; [`Kind::Interrupted`] when asked to stop. A check that fails is no error.
pub async fn verify(
    api: &Api,
    target: &Target,
    options: &VerifyOptions,
    checks: UnboundedSender<Checking>,
) -> Result<()> {
    let report = Report(checks);
    let bucket = target.bucket.as_str();
    let (described, policy) = tokio::join!(calls::get(api, bucket), calls::policy(api, bucket));
    let Some(described) = described? else {
        return Err(Error::new(Kind::Failed, format!("the bucket {bucket} is not there"))
            .hint("`wbstore provision gcp` makes it"));
    };
    report.known("not public", access::check(bucket, &described, policy)?);
    let mut probes = Probes::new(api, bucket, &described).await?;
    let watched = target.events.as_ref().filter(|_| target.broken(options).is_none());
    let mut watch = watched.map(|(topic, _)| Watch::new(api, target, topic, probes.prefix()));
    let outcome = tokio::select! {
        outcome = prove(api, target, options, &described, &mut probes, watch.as_mut(), &report) => outcome,
        () = options.cancel.cancelled() => Err(Error::new(Kind::Interrupted, "verify: interrupted")),
    };
    let left = match &mut watch {
        Some(watch) => watch.remove().await.err(),
        None => None,
    };
    if let Some(verdict) = probes.remove(left).await {
        report.known("cleanup", verdict);
    }
    outcome
}

async fn prove(
    api: &Api,
    target: &Target,
    options: &VerifyOptions,
    described: &Described,
    probes: &mut Probes<'_>,
    mut watch: Option<&mut Watch<'_>>,
    report: &Report,
) -> Result<()> {
    preflight::check(api, target, &Client::new()?, report).await?;
    if let Some((topic, subscription)) = &target.events {
        report.known("subscription", live::check(api, topic, subscription).await?);
    }
    let fresh = is_fresh(described, Timestamp::now());
    // It has to be there before the upload, whose event it would miss.
    let watching = match &mut watch {
        Some(watch) => watch.begin().await,
        None => Ok(()),
    };
    let uploaded = probes.upload(&target.origin, fresh).await?;
    report.known("upload", uploaded.verdict);
    if !uploaded.stored {
        let nothing = || inconclusive("nothing was uploaded, so that there is nothing to see");
        for check in ["ETag exposed", "anonymous read", "event"] {
            report.known(check, nothing());
        }
        return Ok(());
    }
    report.known("ETag exposed", uploaded.etag_exposed);
    report.known("anonymous read", probes.read_anonymously().await?);
    let verdict = match (target.broken(options), watch, watching) {
        (Some(broken), ..) => broken,
        (None, None, _) => passed("nothing to prove: the server uses its own queue (--queue internal)"),
        (None, Some(_), Err(error)) if error.kind() == Kind::Credentials => return Err(error),
        (None, Some(_), Err(error)) => refused(&error, fresh),
        (None, Some(watch), Ok(())) => {
            report.begun("event", options.event_within);
            event::check(watch, target, options.event_within, described, probes).await?
        }
    };
    report.known("event", verdict);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_nothing_while_grants_are_on_their_way() {
        let denied = Error::new(Kind::Denied, "pubsub.subscriptions.create on x: PERMISSION_DENIED");
        assert!(matches!(refused(&denied, true), Verdict::Inconclusive { .. }));
        assert!(matches!(refused(&denied, false), Verdict::Failed { .. }));
        let other = Error::new(Kind::Failed, "x");
        assert!(matches!(refused(&other, true), Verdict::Failed { .. }));
    }

    #[test]
    fn a_bucket_is_fresh_for_some_minutes_after_a_change() {
        let described = Described::from(serde_json::json!({"updated": "1970-01-01T00:16:40Z"}));
        let now = |seconds| Timestamp::from_second(seconds).unwrap();
        assert!(is_fresh(&described, now(1000 + GRANTS_HOLD_WITHIN - 1)));
        assert!(!is_fresh(&described, now(1000 + GRANTS_HOLD_WITHIN)));
        assert!(!is_fresh(&Described::default(), now(0)));
    }
}
