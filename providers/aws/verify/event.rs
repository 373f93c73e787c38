//! Waits for the event of a probe, without keeping anybody's messages.

use std::time::{Duration, Instant};

use super::message::Message;
use super::probe::Probes;
use super::queue::{Queue, Received, Traffic};
use super::{Target, failed, inconclusive, passed};
use crate::error::Result;
use crate::provider::Verdict;
use crate::providers::aws::session::Api;

/// A new notification takes minutes to work, and what was uploaded before is lost to it. So there is
/// a fresh probe now and then, and any one of them will do.
const FRESH_PROBE_AFTER: Duration = Duration::from_secs(30);
/// The longest that SQS lets a receive wait (SQS developer guide, "Long polling").
const LONGEST_POLL: Duration = Duration::from_secs(20);
/// The waits between receives that bring nothing but what was seen before; doubled up to the last.
const BUSY_WAITS: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(5));
/// How long the events of the other probes are waited for, to take them out of the queue too.
const GATHER_WITHIN: Duration = Duration::from_secs(5);

/// Waits until the event of any probe arrives in `queue`, at most `within`.
///
/// # Errors
/// When the queue cannot be received from, or a fresh probe cannot be sent.
pub async fn check(
    api: &Api,
    queue: &str,
    target: &Target,
    within: Duration,
    probes: &mut Probes,
) -> Result<Verdict> {
    let mut watch = Watch {
        queue: Queue::new(api, queue),
        bucket: target.bucket.as_str(),
        traffic: Traffic::default(),
        arrived: 0,
    };
    let deadline = Instant::now() + within;
    let mut last_upload = Instant::now();
    let mut busy_wait = BUSY_WAITS.0;
    watch.traffic.sample(watch.queue.depth().await?);
    loop {
        let now = Instant::now();
        if now >= deadline {
            watch.traffic.sample(watch.queue.depth().await?);
            return Ok(watch.missing(within));
        }
        if now.duration_since(last_upload) >= FRESH_PROBE_AFTER {
            probes.upload(&target.origin).await?;
            last_upload = now;
            watch.traffic.sample(watch.queue.depth().await?);
        }
        let until_upload = FRESH_PROBE_AFTER.saturating_sub(last_upload.elapsed());
        let wait = until_upload.min(deadline - now).min(LONGEST_POLL);
        let (latency, anything_new) = watch.receive(wait, probes).await?;
        if let Some(latency) = latency {
            let gather = Instant::now() + GATHER_WITHIN;
            while watch.arrived < probes.sent().len() && Instant::now() < gather {
                watch.receive(Duration::from_secs(1), probes).await?;
            }
            return Ok(watch.arrival(latency));
        }
        // A queue full of other people's messages answers at once, and with the same ones again.
        if anything_new {
            busy_wait = BUSY_WAITS.0;
        } else {
            tokio::time::sleep(busy_wait.min(deadline.saturating_duration_since(Instant::now()))).await;
            busy_wait = (busy_wait * 2).min(BUSY_WAITS.1);
        }
    }
}

struct Watch<'a> {
    queue: Queue<'a>,
    bucket: &'a str,
    traffic: Traffic,
    /// How many of our events were taken out of the queue.
    arrived: usize,
}

impl Watch<'_> {
    /// Receives once. Returns how long one of our events took, if there was one, and whether there was
    /// anything that had not been seen before; an empty queue counts as new, since SQS itself waits.
    async fn receive(&mut self, wait: Duration, probes: &Probes) -> Result<(Option<Duration>, bool)> {
        let received = self.queue.receive(wait).await?;
        let mut anything_new = received.is_empty();
        let (mut ours, mut others) = (vec![], vec![]);
        let mut latency = None;
        for one in received {
            match self.took(&one, probes) {
                Some(took) => {
                    latency = latency.or(Some(took));
                    ours.push(one);
                }
                None => {
                    anything_new |= self.traffic.seen(&one);
                    others.push(one);
                }
            }
        }
        self.arrived += ours.len();
        let (deleted, given_back) = tokio::join!(self.queue.delete(ours), self.queue.give_back(others));
        deleted.and(given_back)?;
        Ok((latency, anything_new))
    }

    /// How long the event took, when it tells of probes of ours and of nothing else.
    fn took(&mut self, one: &Received, probes: &Probes) -> Option<Duration> {
        let records = match Message::read(&one.body) {
            Message::Objects(records) => records,
            Message::Test => {
                self.traffic.test_event = true;
                return None;
            }
            Message::Other => return None,
        };
        let mut sent = None;
        for record in &records {
            let probe = probes.sent().iter().find(|probe| probe.key == record.key);
            sent = Some(probe.filter(|_| record.bucket == self.bucket)?.sent);
        }
        sent.map(|sent| sent.elapsed())
    }

    fn arrival(&self, latency: Duration) -> Verdict {
        let Traffic { test_event, .. } = self.traffic;
        let mut detail = format!("arrived {:.1} s after the upload", latency.as_secs_f64());
        if test_event {
            detail.push_str("; S3's own s3:TestEvent is in the queue and stays there");
        }
        match self.traffic.others() {
            0 => {}
            1 => detail.push_str("; one other message was given back"),
            others => detail.push_str(&format!("; {others} other messages were given back")),
        }
        passed(detail)
    }

    fn missing(&self, within: Duration) -> Verdict {
        missing(&self.traffic, within)
    }
}

/// Why nothing arrived. Whoever else receives from the queue may have been faster: then nothing is
/// proven.
fn missing(traffic: &Traffic, within: Duration) -> Verdict {
    let seconds = within.as_secs();
    if let Some(evidence) = traffic.another_consumer() {
        return inconclusive(format!(
            "no event of the probe was seen within {seconds} s, but another consumer may have taken it ({evidence}); \
             stop the W&B server for a moment and run again to be sure"
        ));
    }
    if traffic.test_event {
        return failed(
            format!(
                "no event of the probe arrived within {seconds} s, though S3 may write to the queue: \
                 its s3:TestEvent is there"
            ),
            "a new notification takes up to some minutes to work; run `wbstore verify aws` again, and \
             `wbstore plan aws` if it stays so",
        );
    }
    failed(
        format!(
            "no event of the probe arrived within {seconds} s, and no s3:TestEvent is in the queue, which S3 leaves \
             there when a notification is set up"
        ),
        "run `wbstore plan aws` to see whether the notification and the queue's policy are as they should be; with a \
         KMS key on the queue, its policy must let s3.amazonaws.com use it",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const WITHIN: Duration = Duration::from_secs(60);

    #[test]
    fn what_is_missing_is_told_by_what_was_seen() {
        let nothing = missing(&Traffic::default(), WITHIN);
        let Verdict::Failed { reason, .. } = nothing else { panic!("it failed") };
        assert!(reason.contains("no s3:TestEvent is in the queue"), "{reason}");
        let tested = missing(&Traffic { test_event: true, ..Traffic::default() }, WITHIN);
        let Verdict::Failed { reason, .. } = tested else { panic!("it failed") };
        assert!(reason.contains("S3 may write"), "{reason}");
    }

    #[test]
    fn another_consumer_leaves_it_open() {
        let mut traffic = Traffic { test_event: true, ..Traffic::default() };
        traffic.sample(super::super::queue::Depth { waiting: 1, in_flight: 2 });
        assert!(matches!(missing(&traffic, WITHIN), Verdict::Inconclusive { .. }));
    }
}
