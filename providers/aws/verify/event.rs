//! Waits for the event of a probe, without keeping anybody's messages.

use std::time::{Duration, Instant};

use super::message::{Message, Record};
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
const LONGEST_POLL: Duration = Duration::from_secs(10);
/// The waits between looks through a queue that holds messages of others; doubled up to the last.
const BUSY_WAITS: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(2));
/// How long messages of others are kept when giving them back at once brings the same ones again. It
/// is less than they are hidden for, so that no handle runs out.
const HOLD_AT_MOST: Duration = Duration::from_secs(3);
/// The wait for one more message while others are held.
const SHORT_POLL: Duration = Duration::from_secs(1);
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
        held: vec![],
        holding_since: None,
        arrived: 0,
    };
    let deadline = Instant::now() + within;
    let mut last_upload = Instant::now();
    let mut busy_wait = BUSY_WAITS.0;
    watch.traffic.sample(watch.queue.depth().await?);
    loop {
        let now = Instant::now();
        if now >= deadline {
            watch.give_back().await?;
            watch.traffic.sample(watch.queue.depth().await?);
            return Ok(missing(&watch.traffic, within));
        }
        if now.duration_since(last_upload) >= FRESH_PROBE_AFTER {
            probes.upload(&target.origin).await?;
            last_upload = now;
            watch.traffic.sample(watch.queue.depth().await?);
        }
        let until_upload = FRESH_PROBE_AFTER.saturating_sub(last_upload.elapsed());
        let seen = watch.receive(until_upload.min(deadline - now).min(LONGEST_POLL), probes).await?;
        if let Some(latency) = seen.latency {
            watch.gather(probes).await?;
            return Ok(arrival(&watch.traffic, latency));
        }
        match watch.holding_since {
            // All that can be had was looked at, or held for long enough.
            Some(since) if seen.nothing || since.elapsed() >= HOLD_AT_MOST => {
                watch.give_back().await?;
                tokio::time::sleep(busy_wait.min(deadline.saturating_duration_since(Instant::now()))).await;
                busy_wait = (busy_wait * 2).min(BUSY_WAITS.1);
            }
            Some(_) => {}
            None if seen.nothing || seen.anything_new => {}
            // The queue gives the same messages again and again, perhaps with ours behind them.
            None => watch.holding_since = Some(Instant::now()),
        }
    }
}

struct Watch<'a> {
    queue: Queue<'a>,
    bucket: &'a str,
    traffic: Traffic,
    /// Messages of others that are kept for a moment to see what is behind them. Should we vanish,
    /// they come back by themselves.
    held: Vec<Received>,
    /// Since when messages are held; at other times they are given back at once.
    holding_since: Option<Instant>,
    /// How many of our events were taken out of the queue.
    arrived: usize,
}

/// Whose a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    /// The event of a probe, and how long it took.
    Ours(Duration),
    /// S3's own s3:TestEvent.
    Test,
    /// Somebody else's.
    Others,
}

/// What one receive brought.
struct Seen {
    /// How long one of our events took, if there was one.
    latency: Option<Duration>,
    /// There was no message at all.
    nothing: bool,
    /// There was one that had not been seen before.
    anything_new: bool,
}

impl Watch<'_> {
    async fn receive(&mut self, wait: Duration, probes: &Probes) -> Result<Seen> {
        let holding = self.holding_since.is_some();
        let received = self.queue.receive(if holding { wait.min(SHORT_POLL) } else { wait }).await?;
        let mut seen = Seen { latency: None, nothing: received.is_empty(), anything_new: false };
        let mut ours = vec![];
        for one in received {
            let whose = self.whose(&one, probes);
            if let Whose::Ours(took) = whose {
                seen.latency = seen.latency.or(Some(took));
                ours.push(one);
            } else {
                seen.anything_new |= self.traffic.seen(&one, whose == Whose::Test);
                self.held.push(one);
            }
        }
        self.arrived += ours.len();
        self.queue.delete(ours).await?;
        if !holding {
            self.give_back().await?;
        }
        Ok(seen)
    }

    async fn give_back(&mut self) -> Result<()> {
        self.holding_since = None;
        self.queue.give_back(std::mem::take(&mut self.held)).await
    }

    /// Takes the events of the other probes out of the queue too, as far as they come soon.
    async fn gather(&mut self, probes: &Probes) -> Result<()> {
        let until = Instant::now() + GATHER_WITHIN;
        while self.arrived < probes.sent().len() && Instant::now() < until {
            self.receive(SHORT_POLL, probes).await?;
        }
        self.give_back().await
    }

    /// A message is ours when it tells of probes of ours and of nothing else.
    fn whose(&self, one: &Received, probes: &Probes) -> Whose {
        let records = match Message::read(&one.body) {
            Message::Objects(records) => records,
            Message::Test => return Whose::Test,
            Message::Other => return Whose::Others,
        };
        let sent = |record: &Record| {
            let probe = probes.sent().iter().find(|probe| probe.key == record.key);
            probe.filter(|_| record.bucket == self.bucket).map(|probe| probe.sent)
        };
        match records.iter().map(sent).collect::<Option<Vec<_>>>().as_deref() {
            Some([first, ..]) => Whose::Ours(first.elapsed()),
            _ => Whose::Others,
        }
    }
}

fn arrival(traffic: &Traffic, latency: Duration) -> Verdict {
    let mut detail = format!("arrived {:.1} s after the upload", latency.as_secs_f64());
    if traffic.has_test_event() {
        detail.push_str("; the s3:TestEvent of the setup was skipped");
    }
    match traffic.others() {
        0 => {}
        1 => detail.push_str("; one message of others was given back"),
        others => detail.push_str(&format!("; {others} messages of others were given back")),
    }
    passed(detail)
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
    if traffic.has_test_event() {
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
    use super::super::queue::Depth;
    use super::*;

    const WITHIN: Duration = Duration::from_secs(60);

    #[test]
    fn what_is_missing_is_told_by_what_was_seen() {
        let nothing = missing(&Traffic::default(), WITHIN);
        let Verdict::Failed { reason, .. } = nothing else { panic!("it failed") };
        assert!(reason.contains("no s3:TestEvent is in the queue"), "{reason}");
        let mut traffic = Traffic::default();
        traffic.seen(&Received::of("test", 1), true);
        let tested = missing(&traffic, WITHIN);
        let Verdict::Failed { reason, .. } = tested else { panic!("it failed") };
        assert!(reason.contains("S3 may write"), "{reason}");
    }

    #[test]
    fn another_consumer_leaves_it_open() {
        let mut traffic = Traffic::default();
        traffic.sample(Depth { waiting: 1, in_flight: 2 });
        assert!(matches!(missing(&traffic, WITHIN), Verdict::Inconclusive { .. }));
    }
}
