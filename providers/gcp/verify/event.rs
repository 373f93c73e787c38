//! Waits for the event of a probe.

use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::message::Message;
use super::probe::Probes;
use super::watch::Watch;
use super::{Target, failed, inconclusive, is_fresh, passed, refused};
use crate::error::{Error, Kind, Result};
use crate::provider::Verdict;
use crate::providers::gcp::bucket::Described;

/// A grant that was just given takes minutes to hold, and what was uploaded before is lost to it. So
/// there is a fresh probe now and then, and any one of them will do.
const FRESH_PROBE_AFTER: Duration = Duration::from_secs(30);
/// A subscription that was just made may not be known everywhere.
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(2);

/// What came that was not the proof.
#[derive(Debug, Default)]
struct Seen {
    /// Somebody else's notification that told of a probe.
    stranger: Option<String>,
    /// The form of an event of ours that the server cannot read.
    unreadable: Option<String>,
    /// Why nothing could be received.
    refusal: Option<Error>,
}

/// Waits until the event of any probe comes through `watch`, at most `within`.
///
/// # Errors
/// Without credentials, or when a fresh probe cannot be sent.
pub async fn check(
    watch: &Watch<'_>,
    target: &Target,
    within: Duration,
    described: &Described,
    probes: &mut Probes<'_>,
) -> Result<Verdict> {
    let deadline = Instant::now() + within;
    let mut next_probe = Instant::now() + FRESH_PROBE_AFTER;
    let mut messages = watch.messages().await?;
    let mut seen = Seen::default();
    loop {
        let now = Instant::now();
        if now >= deadline {
            return Ok(missing(&seen, within, is_fresh(described, Timestamp::now())));
        }
        if now >= next_probe {
            probes.upload(&target.origin, false).await?;
            next_probe = now + FRESH_PROBE_AFTER;
        }
        let next = tokio::time::timeout_at(deadline.min(next_probe).into(), messages.next());
        let Ok(next) = next.await else { continue };
        match next {
            Some(Ok((message, handler))) => {
                handler.ack();
                match Message::read(&message.attributes, target, probes.sent()) {
                    Message::Ours(index) => {
                        let took = probes.sent()[index].sent.elapsed();
                        return Ok(passed(format!(
                            "arrived {:.1} s after the upload, through a subscription of the check's own; the server's \
                             own gets it too",
                            took.as_secs_f64()
                        )));
                    }
                    Message::Unreadable(format) => seen.unreadable = Some(format),
                    Message::Strangers(config) => seen.stranger = Some(config),
                    Message::Other => {}
                }
            }
            Some(Err(error)) => {
                let error = watch.failure(&error);
                if error.kind() == Kind::Credentials || error.asks_too_much() {
                    return Err(error);
                }
                let pause = error.server_wait().unwrap_or_default().max(ASK_AGAIN_AFTER);
                seen.refusal = Some(error);
                // The stream has ended; a new one may be let in.
                tokio::time::sleep(pause.min(deadline.saturating_duration_since(now))).await;
                messages = watch.messages().await?;
            }
            None => messages = watch.messages().await?,
        }
    }
}

/// Why nothing arrived.
fn missing(seen: &Seen, within: Duration, fresh: bool) -> Verdict {
    const MEND: &str = "run `wbstore plan gcp` to see whether the notification and the grant to Cloud Storage's service \
                        agent are as they should be";
    let seconds = within.as_secs();
    if let Some(format) = &seen.unreadable {
        return failed(
            format!("the event has the payload format {format}, which the server cannot read"),
            MEND,
        );
    }
    if let Some(config) = &seen.stranger {
        return failed(
            format!("events of the probe come by {config} alone, which is not ours; ours is silent"),
            MEND,
        );
    }
    if let Some(error) = &seen.refusal {
        return refused(error, fresh);
    }
    if fresh {
        return inconclusive(format!(
            "no event of the probe arrived within {seconds} s; the bucket was made or changed a moment ago, and the \
             grant to Cloud Storage's service agent may take 7 minutes or more to hold: run again"
        ));
    }
    failed(format!("no event of the probe arrived within {seconds} s"), MEND)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WITHIN: Duration = Duration::from_secs(60);

    fn reason(verdict: Verdict) -> String {
        match verdict {
            Verdict::Failed { reason, .. } => reason,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_missing_is_told_by_what_was_seen() {
        assert!(reason(missing(&Seen::default(), WITHIN, false)).contains("within 60 s"));
        let stranger = Seen { stranger: Some("config 7".to_owned()), ..Seen::default() };
        assert!(reason(missing(&stranger, WITHIN, true)).contains("config 7"));
        let unreadable = Seen { unreadable: Some("NONE".to_owned()), ..Seen::default() };
        assert!(reason(missing(&unreadable, WITHIN, true)).contains("NONE"));
    }

    #[test]
    fn a_grant_on_its_way_leaves_it_open() {
        assert!(matches!(missing(&Seen::default(), WITHIN, true), Verdict::Inconclusive { .. }));
        let denied = Seen { refusal: Some(Error::new(Kind::Denied, "no")), ..Seen::default() };
        assert!(matches!(missing(&denied, WITHIN, true), Verdict::Inconclusive { .. }));
        assert!(matches!(missing(&denied, WITHIN, false), Verdict::Failed { .. }));
    }
}
