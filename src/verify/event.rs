//! Waits for the event of a probe, and returns the messages of others.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::{Instant, sleep};

use super::traffic::Traffic;
use super::{Message, Object, Queue, Run, Says, Site, Verdict, ends_all, failed, inconclusive, passed};
use crate::error::{Error, Result};
use crate::retry::{self, FAULT_WITHIN};

/// A new notification can take minutes to take effect, and events of earlier uploads are lost. So a new
/// probe is uploaded at intervals, and the event of any of them passes the check.
const FRESH_PROBE_AFTER: Duration = Duration::from_secs(30);
/// The longest wait of one receive call.
const LONGEST_POLL: Duration = Duration::from_secs(10);
/// The waits between looks through a queue that holds messages of others; doubled up to the last.
const BUSY_WAITS: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(2));
/// How long messages of others are held when returning them at once delivers the same ones again. They
/// are hidden for longer than that, so that no handle expires.
const HOLD_AT_MOST: Duration = Duration::from_secs(3);
/// The wait for one more message while others are held.
const SHORT_POLL: Duration = Duration::from_secs(1);
/// The longest wait for the events of the other probes, to delete them too.
const GATHER_WITHIN: Duration = Duration::from_secs(5);
/// The waits between looks that do not wait themselves. They are short for as long as an event usually
/// takes, so that another consumer has little time to receive it unseen.
const LOOK_AGAIN_SOON: Duration = Duration::from_millis(250);
const LOOK_AGAIN_LATER: Duration = Duration::from_secs(1);
const SOON: Duration = Duration::from_secs(10);
/// The wait after a failed receive call.
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(2);

/// What has been seen so far.
struct Watch {
    queue: Queue,
    traffic: Traffic,
    /// The handles of messages of others that are held for a moment to see what is behind them. If this
    /// process dies, they become visible again by themselves.
    held: Vec<String>,
    /// Since when messages are held; at other times they are returned at once.
    holding_since: Option<Instant>,
    busy_wait: Duration,
    /// How many events of probes were received.
    arrived: usize,
    /// Why an event about a probe proves nothing.
    unproven: Option<String>,
    /// Of a queue that is peeked at: the handles of events of probes in front of all messages of others.
    in_front: Vec<String>,
    /// Why the last look failed.
    refusal: Option<Error>,
    /// Since when every look failed.
    failing_since: Option<Instant>,
}

/// The result of one receive call.
#[derive(Default)]
struct Look {
    /// How long the event of a probe took, if there was one.
    latency: Option<Duration>,
    nothing: bool,
    anything_new: bool,
}

impl<S: Site> Run<'_, S> {
    /// Waits until the event of any probe arrives, for the check `name`.
    ///
    /// # Errors
    /// When a new probe cannot be uploaded, and those that end all checks.
    pub(super) async fn event(&mut self, name: &str) -> Result<Verdict> {
        let within = self.options.event_within;
        self.checks.begun(name, within);
        let deadline = Instant::now() + within;
        let mut last_upload = Instant::now();
        let mut watch = Watch::new(S::PROFILE.queue);
        self.sample(&mut watch, false).await;
        loop {
            if let Some(why) = self.site.spares(watch.traffic.others) {
                self.give_back(&mut watch).await?;
                return Ok(inconclusive(why));
            }
            let begun = Instant::now();
            let next = deadline.min(last_upload + FRESH_PROBE_AFTER);
            let look = self.look(&mut watch, (next - begun).min(LONGEST_POLL)).await;
            let pause = match look {
                Ok(Look { latency: Some(latency), .. }) => {
                    self.gather(&mut watch).await?;
                    return Ok(watch.arrival(latency));
                }
                Ok(look) => {
                    (watch.refusal, watch.failing_since) = (None, None);
                    if watch.traffic.is_full() {
                        self.sample(&mut watch, false).await;
                    }
                    if let Some((window, depth)) = watch.traffic.hidden_by() {
                        return Ok(hidden(window, depth));
                    }
                    self.settle(&mut watch, &look, begun, last_upload).await?
                }
                Err(error) if ends_all(&error) => return Err(error),
                Err(error) if self.may_pass(&error, &mut watch) => {
                    let pause = error.server_wait().unwrap_or_default().max(ASK_AGAIN_AFTER);
                    retry::show(&error.chain(), pause);
                    watch.refusal = Some(error);
                    pause
                }
                Err(error) => return Ok(self.refused(&error)),
            };
            if Instant::now() >= deadline {
                self.give_back(&mut watch).await?;
                self.sample(&mut watch, true).await;
                return Ok(self.missing(&watch));
            }
            if last_upload.elapsed() >= FRESH_PROBE_AFTER {
                self.upload().await?;
                last_upload = Instant::now();
                self.sample(&mut watch, false).await;
            }
            sleep(pause.min(deadline.saturating_duration_since(Instant::now()))).await;
        }
    }

    /// Whether a later look may succeed. One that always fails is not waited for as long as an event is.
    fn may_pass(&self, error: &Error, watch: &mut Watch) -> bool {
        let since = *watch.failing_since.get_or_insert_with(Instant::now);
        self.may_settle(error) || (error.passes() && since.elapsed() < FAULT_WITHIN)
    }

    async fn look(&mut self, watch: &mut Watch, wait: Duration) -> Result<Look> {
        let holding = watch.holding_since.is_some();
        let received = self.site.receive(if holding { wait.min(SHORT_POLL) } else { wait }).await?;
        let mut look = Look { nothing: received.is_empty(), ..Look::default() };
        let (mut ours, mut others) = (vec![], vec![]);
        watch.in_front.clear();
        for message in received {
            let objects = match &message.says {
                Says::Created(objects) => objects.as_slice(),
                Says::Unproven(object, why) => {
                    if self.sent(object).is_some() {
                        watch.unproven = Some(why.clone());
                    }
                    &[]
                }
                Says::Test(_) | Says::Other => &[],
            };
            let sent: Vec<_> = objects.iter().map(|object| self.sent(object)).collect();
            look.latency = look.latency.or_else(|| Some(sent.iter().flatten().next()?.elapsed()));
            // One that is about objects of others too is theirs as well.
            if !sent.is_empty() && sent.iter().all(Option::is_some) {
                if others.is_empty() {
                    watch.in_front.push(message.handle.clone());
                }
                ours.push(message.handle);
            } else {
                others.push(message);
            }
        }
        look.anything_new = watch.traffic.look(&others, Timestamp::now().as_second());
        watch.arrived += ours.len();
        let others = others.into_iter().map(|Message { handle, .. }| handle);
        match watch.queue {
            Queue::Own => ours.extend(others),
            Queue::Shared => watch.held.extend(others),
            Queue::Peeked { .. } => ours.clear(),
        }
        if !ours.is_empty() {
            self.site.delete(ours).await?;
        }
        if !holding {
            self.give_back(watch).await?;
        }
        Ok(look)
    }

    /// When the probe was sent that `object` is.
    fn sent(&self, object: &Object) -> Option<Instant> {
        let probe = self.sent.iter().find(|probe| probe.key == object.key)?;
        (object.bucket == self.site.bucket()).then_some(probe.sent)
    }

    /// Prepares the next look: how long to wait for it.
    async fn settle(
        &mut self,
        watch: &mut Watch,
        look: &Look,
        begun: Instant,
        last_upload: Instant,
    ) -> Result<Duration> {
        if let Queue::Peeked { .. } = watch.queue {
            return Ok(if last_upload.elapsed() < SOON { LOOK_AGAIN_SOON } else { LOOK_AGAIN_LATER });
        }
        match watch.holding_since {
            // All that can be had was looked at, or held for long enough.
            Some(since) if look.nothing || since.elapsed() >= HOLD_AT_MOST => {
                self.give_back(watch).await?;
                let pause = watch.busy_wait;
                watch.busy_wait = (pause * 2).min(BUSY_WAITS.1);
                return Ok(pause);
            }
            None if look.nothing && begun.elapsed() < LOOK_AGAIN_SOON => return Ok(LOOK_AGAIN_SOON),
            // The queue returns the same messages again, and there may be others behind them.
            None if !look.nothing && !look.anything_new => watch.holding_since = Some(Instant::now()),
            _ => {}
        }
        Ok(Duration::ZERO)
    }

    async fn give_back(&mut self, watch: &mut Watch) -> Result<()> {
        watch.holding_since = None;
        let held = std::mem::take(&mut watch.held);
        if held.is_empty() { Ok(()) } else { self.site.give_back(held).await }
    }

    /// Deletes the events of the other probes from the server's queue too, as far as they arrive soon.
    async fn gather(&mut self, watch: &mut Watch) -> Result<()> {
        let until = Instant::now() + GATHER_WITHIN;
        while watch.queue == Queue::Shared && watch.arrived < self.sent.len() && Instant::now() < until {
            self.look(watch, SHORT_POLL).await?;
        }
        if let Queue::Peeked { .. } = watch.queue
            && !watch.in_front.is_empty()
        {
            // Behind messages of others they are left to the server, which ignores them.
            let _ = self.site.delete(std::mem::take(&mut watch.in_front)).await;
        }
        self.give_back(watch).await
    }

    /// Samples the depth of the queue, which is only supporting evidence: a failure is ignored.
    async fn sample(&mut self, watch: &mut Watch, last: bool) {
        if let Ok(Some(depth)) = self.site.depth(last).await {
            watch.traffic.sample(depth);
        }
    }

    /// Why nothing arrived.
    fn missing(&self, watch: &Watch) -> Verdict {
        let seconds = self.options.event_within.as_secs();
        let (why, hint) = self.site.silence(watch.traffic.tested.is_some());
        if let Some(unproven) = &watch.unproven {
            return failed(unproven, hint);
        }
        if let Some(error) = &watch.refusal {
            return self.refused(error);
        }
        if let Some(why) = self.grants_settle() {
            return inconclusive(format!(
                "no event of the probe arrived within {seconds} s; {why}: run again"
            ));
        }
        if let Some(window) = watch.traffic.deeper_than() {
            return inconclusive(format!(
                "no event of the probe was seen within {seconds} s, but it may be behind the first {window} messages, \
                 and no more than those can be seen without receiving them; let the W&B server work through the \
                 queue and run again"
            ));
        }
        if let Some(evidence) = watch.traffic.consumer {
            return inconclusive(format!(
                "no event of the probe was seen within {seconds} s, but another consumer may have received it \
                 ({evidence}); stop the W&B server for a moment and run again to be sure"
            ));
        }
        let others = match watch.traffic.others {
            0 => String::new(),
            others => format!(", with {others} other messages in the queue"),
        };
        failed(format!("no event of the probe arrived within {seconds} s{others}{why}"), hint)
    }
}

/// The verdict where the event of a probe cannot be seen.
fn hidden(window: usize, depth: u64) -> Verdict {
    inconclusive(format!(
        "the event of the probe would be behind the first {window} messages: the queue holds about {depth}, and no \
         more than {window} can be seen without receiving them; let the W&B server work through the queue and run \
         again"
    ))
}

impl Watch {
    fn new(queue: Queue) -> Self {
        Self {
            queue,
            traffic: Traffic::new(queue),
            held: vec![],
            holding_since: None,
            busy_wait: BUSY_WAITS.0,
            arrived: 0,
            unproven: None,
            in_front: vec![],
            refusal: None,
            failing_since: None,
        }
    }

    fn arrival(&self, latency: Duration) -> Verdict {
        let mut detail = format!("arrived {:.1} s after the upload", latency.as_secs_f64());
        if let Some(test) = self.traffic.tested {
            detail.push_str(&format!("; the {test} of the setup was skipped"));
        }
        let others = match self.traffic.others {
            1 => "one message of others was".to_owned(),
            others => format!("{others} messages of others were"),
        };
        match self.queue {
            Queue::Own => {
                detail.push_str(
                    ", through a subscription for this check; the server's subscription receives it too",
                );
            }
            _ if self.traffic.others == 0 => {}
            Queue::Shared => detail.push_str(&format!("; {others} returned to the queue")),
            Queue::Peeked { .. } => detail.push_str(&format!("; {others} only peeked at")),
        }
        passed(detail)
    }
}
