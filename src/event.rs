//! What the engine reports while it applies a plan. Views turn events into text, bars or JSON.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_util::sync::CancellationToken;

use crate::action::Action;
use crate::address::Address;
use crate::text::Count;

/// One thing that happened to one step.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The step is about to send its first call.
    Started {
        /// Which step.
        address: Address,
        /// What is done to it.
        action: Action,
    },
    /// An earlier change has not propagated or a call failed temporarily; the step retries by itself.
    Waiting {
        /// Which step.
        address: Address,
        /// The reason.
        why: String,
        /// Until the next try, in seconds.
        #[serde(rename = "next_seconds", serialize_with = "seconds")]
        next: Duration,
        /// Until it counts as failed, in seconds.
        #[serde(rename = "left_seconds", serialize_with = "seconds")]
        left: Duration,
    },
    /// Some of a long step is done.
    Progress {
        /// Which step.
        address: Address,
        /// How many of `total` are done.
        done: u64,
        /// How many there are, as far as is known.
        total: u64,
        /// What is counted, such as `objects`.
        unit: &'static str,
        /// How many calls or parts of them failed, and are tried again.
        errors: u64,
        /// How many were done a second so far.
        per_second: u64,
        /// How long the rest takes at that rate, in seconds.
        #[serde(
            rename = "left_seconds",
            skip_serializing_if = "Option::is_none",
            serialize_with = "some_seconds"
        )]
        left: Option<Duration>,
    },
    /// The step succeeded.
    Done {
        /// Which step.
        address: Address,
        /// What was done to it.
        action: Action,
        /// How long it took, in seconds.
        #[serde(rename = "took_seconds", serialize_with = "seconds")]
        took: Duration,
    },
    /// The step failed for good.
    Failed {
        /// Which step.
        address: Address,
        /// Why.
        error: String,
        /// What to do next.
        #[serde(skip_serializing_if = "Option::is_none")]
        hint: Option<String>,
    },
    /// The step was not started, because one that it waits for did not succeed, or because of an
    /// interrupt.
    Blocked {
        /// Which step.
        address: Address,
        /// What it waited for and did not succeed; empty where only an interrupt kept it.
        by: Vec<Address>,
    },
    /// The step succeeded, and the cloud completes it by itself until a date.
    Pending {
        /// Which step.
        address: Address,
        /// What is being done to it.
        action: Action,
        /// How.
        how: &'static str,
        /// When it should be over.
        until: Timestamp,
    },
    /// The step was under way when the user pressed Ctrl-C, and can be continued by another run.
    Halted {
        /// Which step.
        address: Address,
        /// How far it came: a count such as `3,000 of 12,000 versions`, or what it was waiting for.
        at: String,
    },
    /// The user pressed Ctrl-C; running steps finish.
    Interrupted,
}

fn seconds<S: serde::Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64((duration.as_secs_f64() * 1000.0).round() / 1000.0)
}

#[expect(clippy::ref_option, reason = "serde calls it so")]
fn some_seconds<S: serde::Serializer>(duration: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    seconds(&duration.unwrap_or_default(), serializer)
}

/// How far a long step has come.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Advance {
    pub done: u64,
    pub total: u64,
    pub errors: u64,
    /// What is counted, such as `objects`.
    pub unit: &'static str,
    pub took: Duration,
}

/// An event, and of several deployments the one that it is of.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Reported {
    /// Its name, where there are others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deployment: Option<String>,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

/// The sender of the engine's events.
#[derive(Clone, Debug)]
pub(crate) struct Events {
    sender: UnboundedSender<Reported>,
    interrupted: Arc<AtomicBool>,
    deployment: Option<String>,
}

impl Events {
    /// A channel: the sender for the engine, the receiver for a view.
    pub(crate) fn channel() -> (Self, UnboundedReceiver<Reported>) {
        let (sender, receiver) = unbounded_channel();
        (Self { sender, interrupted: Arc::default(), deployment: None }, receiver)
    }

    /// The same for the events of one of several deployments.
    #[must_use]
    pub(crate) fn of(&self, deployment: Option<&str>) -> Self {
        Self { deployment: deployment.map(str::to_owned), ..self.clone() }
    }

    /// Reports `event`. A view that has gone away is no reason to stop.
    pub(crate) fn send(&self, event: Event) {
        let _ = self.sender.send(Reported { deployment: self.deployment.clone(), event });
    }

    /// Reports that the user stopped the run, once for all plans that are applied concurrently.
    pub(crate) fn interrupted(&self) {
        if !self.interrupted.swap(true, Ordering::Relaxed) {
            let _ = self.sender.send(Reported { deployment: None, event: Event::Interrupted });
        }
    }
}

/// The context of one step: where to report progress, whether to stop, and whether its parent was created
/// a moment ago.
#[derive(Debug)]
pub(crate) struct Progress {
    address: Address,
    events: Events,
    cancel: CancellationToken,
    parent_is_new: bool,
    counted: Mutex<Option<String>>,
}

impl Progress {
    /// The progress of the step at `address`, which `cancel` asks to stop.
    pub(crate) fn new(address: Address, events: Events, cancel: CancellationToken) -> Self {
        Self { address, events, cancel, parent_is_new: false, counted: Mutex::default() }
    }

    /// Sets [`parent_is_new`](Self::parent_is_new) for the next call.
    pub(crate) fn set_parent_is_new(&mut self, parent_is_new: bool) {
        self.parent_is_new = parent_is_new;
    }

    /// Whether this run has created what the resource is [part of](crate::resource::Resource::part_of) a
    /// moment ago, so that nobody else can have written into it: there is nothing to read before the write.
    pub(crate) fn parent_is_new(&self) -> bool {
        self.parent_is_new
    }

    /// Reports how far the step has come.
    pub(crate) fn advance(&self, Advance { done, total, errors, unit, took }: Advance) {
        let counted = (done > 0).then(|| format!("{} of {} {unit}", Count(done), Count(total)));
        *self.counted.lock().unwrap_or_else(PoisonError::into_inner) = counted;
        let per_second = u64::try_from(u128::from(done) * 1000 / took.as_millis().max(1)).unwrap_or(u64::MAX);
        let left = (total - done.min(total)).checked_div(per_second).map(Duration::from_secs);
        let address = self.address.clone();
        self.events.send(Event::Progress { address, done, total, unit, errors, per_second, left });
    }

    /// How far the step has come, such as `3,000 of 12,000 versions`, where it counts.
    pub(crate) fn counted(&self) -> Option<String> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether the user has asked to stop at the next safe point.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancel.is_cancelled()
    }

    /// Waits until the user asks to stop.
    pub(crate) async fn cancelled(&self) {
        self.cancel.cancelled().await;
    }
}
