//! Waits for the event of a probe, by looking at the queue and taking nothing out of it.

use std::time::{Duration, Instant};

use super::message::{created, subject};
use super::probe::Probes;
use super::queue::{Peeked, Queue, Traffic};
use super::{Target, failed, inconclusive, passed};
use crate::error::{Kind, Result};
use crate::provider::Verdict;

/// A new event subscription takes a while to work, and what was uploaded before is lost to it. So there
/// is a fresh probe now and then, and any one of them will do.
const FRESH_PROBE_AFTER: Duration = Duration::from_secs(30);
/// The waits between looks. They are short for as long as an event mostly takes, so that a consumer has
/// little time to take it unseen.
const LOOK_AGAIN_SOON: Duration = Duration::from_millis(250);
const LOOK_AGAIN_LATER: Duration = Duration::from_secs(1);
const SOON: Duration = Duration::from_secs(10);

/// Waits until the event of any probe is seen in `queue`, at most `within`.
///
/// # Errors
/// When the queue cannot be looked at, or a fresh probe cannot be sent.
pub async fn check(
    queue: &mut Queue<'_>,
    target: &Target,
    within: Duration,
    probes: &mut Probes<'_>,
) -> Result<Verdict> {
    let mut traffic = Traffic::default();
    let deadline = Instant::now() + within;
    let mut last_upload = Instant::now();
    loop {
        let messages = match queue.peek().await {
            Ok(messages) => messages,
            // The data plane of a new account, or a queue that was just made.
            Err(error) if probes.is_settling() && error.kind() != Kind::Refused && !error.asks_too_much() => {
                vec![]
            }
            Err(error) => return Err(error),
        };
        if let Some(latency) = arrived(&messages, target, probes) {
            let ours = |message: &&Peeked| !is_ours(message, target, probes);
            let others = messages.iter().filter(ours).count();
            return Ok(arrival(latency, others));
        }
        traffic.seen(&messages, jiff::Timestamp::now().as_second());
        let now = Instant::now();
        if now >= deadline {
            // Whoever holds messages at this moment is a consumer.
            if let Ok(depth) = queue.depth().await {
                traffic.sample(depth, messages.len());
            }
            return Ok(missing(&traffic, within));
        }
        if now.duration_since(last_upload) >= FRESH_PROBE_AFTER {
            probes.upload(&target.origin).await?;
            last_upload = now;
        }
        let pause = if last_upload.elapsed() < SOON { LOOK_AGAIN_SOON } else { LOOK_AGAIN_LATER };
        tokio::time::sleep(pause.min(deadline.saturating_duration_since(now))).await;
    }
}

/// How long the first event of a probe among `messages` took.
fn arrived(messages: &[Peeked], target: &Target, probes: &Probes<'_>) -> Option<Duration> {
    let subjects = messages.iter().flat_map(|message| created(&message.body)).collect::<Vec<_>>();
    let mut sent = probes.sent().iter();
    let probe = sent.find(|probe| subjects.contains(&subject(target.container.as_str(), &probe.name)))?;
    Some(probe.sent.elapsed())
}

fn is_ours(message: &Peeked, target: &Target, probes: &Probes<'_>) -> bool {
    let subjects = created(&message.body);
    probes.sent().iter().any(|probe| subjects.contains(&subject(target.container.as_str(), &probe.name)))
}

fn arrival(latency: Duration, others: usize) -> Verdict {
    let mut detail = format!("arrived {:.1} s after the upload", latency.as_secs_f64());
    match others {
        0 => {}
        1 => detail.push_str("; one message of others was only looked at"),
        others => detail.push_str(&format!("; {others} messages of others were only looked at")),
    }
    passed(detail)
}

/// Why nothing was seen. Whoever receives from the queue may have been faster, and what lies behind the
/// first messages cannot be looked at: then nothing is proven.
fn missing(traffic: &Traffic, within: Duration) -> Verdict {
    let seconds = within.as_secs();
    if traffic.is_deep() {
        return inconclusive(format!(
            "no event of the probe was seen within {seconds} s, but it may lie behind the first {} messages, and more \
             than those cannot be looked at without taking them; let the W&B server work through the queue and run \
             again",
            super::queue::WINDOW
        ));
    }
    if let Some(evidence) = traffic.consumer() {
        return inconclusive(format!(
            "no event of the probe was seen within {seconds} s, but another consumer may have taken it ({evidence}); \
             stop the W&B server for a moment and run again to be sure"
        ));
    }
    let others = match traffic.others() {
        0 => String::new(),
        others => format!(", though {others} other messages lie there"),
    };
    failed(
        format!("no event of the probe arrived within {seconds} s{others}"),
        "Event Grid holds deliveries back, for up to hours, after some to the queue have failed, and a new \
         subscription takes some minutes: run `wbstore verify azure` again later, and `wbstore plan azure` if it stays \
         so; a running W&B server may also have taken the message before it was seen",
    )
}

#[cfg(test)]
mod tests {
    use super::super::queue::WINDOW;
    use super::*;

    const WITHIN: Duration = Duration::from_secs(60);

    #[test]
    fn an_untouched_queue_without_the_event_fails() {
        let Verdict::Failed { reason, hint } = missing(&Traffic::default(), WITHIN) else {
            panic!("it failed")
        };
        assert!(reason.contains("within 60 s"), "{reason}");
        assert!(hint.is_some_and(|hint| hint.contains("holds deliveries back")));
    }

    #[test]
    fn a_consumer_or_a_deep_queue_leaves_it_open() {
        let mut traffic = Traffic::default();
        traffic.seen(&[Peeked::of("a", 0)], 1);
        traffic.seen(&[], 2);
        assert!(matches!(missing(&traffic, WITHIN), Verdict::Inconclusive { .. }));
        let many: Vec<_> = (0..WINDOW).map(|n| Peeked::of(&n.to_string(), 0)).collect();
        let mut traffic = Traffic::default();
        traffic.seen(&many, 1);
        let Verdict::Inconclusive { reason } = missing(&traffic, WITHIN) else { panic!("it is open") };
        assert!(reason.contains("first 32 messages"), "{reason}");
    }
}
