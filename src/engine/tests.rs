//! The engine against a cloud in memory, with time that passes at once.

mod budgets;
mod graph;
mod interrupts;
mod outcomes;
mod read_back;
mod second_look;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Engine, Report, observe};
use crate::error::{Error, Kind};
use crate::event::{Event, Events};
use crate::plan::{Goal, Plan, Subject, plan};
use crate::resource::fake::{Cloud, Contents, EarlyEntry, Entry, Part, Plain, ReadBack, Turn, Verb, at};
use crate::resource::{AnyResource, Forbids, Owner, Stack};

const PRESENT: Goal = Goal::Present { adopt: false };
const ADOPT: Goal = Goal::Present { adopt: true };

/// A plan, and what it was made of.
struct Planned {
    stack: Stack,
    plan: Plan,
    cloud: Arc<Cloud>,
    aged: bool,
    patience: Option<Duration>,
}

/// Looks at `resources` of `cloud`, and plans.
async fn planned(
    goal: Goal,
    cloud: &Arc<Cloud>,
    resources: impl IntoIterator<Item = Box<dyn AnyResource>>,
) -> Planned {
    let stack = cloud.stack(resources);
    let seen = observe(&stack).await.expect("looked at");
    let subject = Subject {
        deployment: stack.deployment.clone(),
        scope: stack.scope.clone(),
        outputs: vec![],
        notes: vec![],
        assumptions: vec![],
        spares: None,
    };
    let plan = plan(goal, subject, &seen);
    cloud.calls();
    Planned { stack, plan, cloud: Arc::clone(cloud), aged: false, patience: None }
}

/// What came of applying a plan.
struct Ran {
    report: Report,
    /// What was reported, and when.
    sent: Vec<(Duration, Event)>,
    /// The same, a line each.
    events: Vec<String>,
    calls: Vec<String>,
    took: Duration,
}

impl Planned {
    /// The same, after a prompt.
    fn aged(self) -> Self {
        Self { aged: true, ..self }
    }

    /// The same with `--wait`.
    fn waiting(self, seconds: u64) -> Self {
        Self { patience: Some(Duration::from_secs(seconds)), ..self }
    }

    async fn applied(self) -> Ran {
        self.apply(None).await
    }

    /// Applies the plan, and interrupts it after so many milliseconds.
    async fn interrupted_after(self, millis: u64) -> Ran {
        self.apply(Some(Duration::from_millis(millis))).await
    }

    async fn apply(self, interrupt: Option<Duration>) -> Ran {
        let (events, mut receiver) = Events::channel();
        let cancel = CancellationToken::new();
        let engine = Engine { events, cancel: cancel.clone(), patience: self.patience, aged: self.aged };
        let begun = Instant::now();
        let work = async {
            let report = engine.apply(&self.plan, &self.stack).await;
            drop(engine);
            (report, begun.elapsed())
        };
        let interrupt = async {
            if let Some(after) = interrupt {
                tokio::time::sleep(after).await;
                cancel.cancel();
            }
        };
        let view = async {
            let mut sent = vec![];
            while let Some(event) = receiver.recv().await {
                sent.push((begun.elapsed(), event.event));
            }
            sent
        };
        let ((report, took), (), sent) = futures::join!(work, interrupt, view);
        let events = sent.iter().map(|(_, event)| line(event)).collect();
        Ran { report, sent, events, calls: self.cloud.calls(), took }
    }
}

impl Ran {
    /// What was reported, without what only says that something goes on.
    fn ends(&self) -> Vec<&str> {
        let goes_on = |event: &Event| {
            matches!(event, Event::Started { .. } | Event::Waiting { .. } | Event::Progress { .. })
        };
        let ends = self.sent.iter().zip(&self.events).filter(|((_, event), _)| !goes_on(event));
        ends.map(|(_, line)| line.as_str()).collect()
    }

    /// When this was reported.
    fn when(&self, line: &str) -> Duration {
        let index = self.events.iter().position(|event| event == line);
        self.sent[index.unwrap_or_else(|| panic!("{line}: {:?}", self.events))].0
    }

    /// What was waited for.
    fn waits(&self) -> Vec<&str> {
        self.events.iter().filter_map(|line| line.split_once(" waiting: ")).map(|(_, why)| why).collect()
    }

    /// The only failure, and its hint.
    fn failure(&self) -> (&Error, String) {
        let [(_, error)] = &self.report.failed[..] else { panic!("{:?}", self.report.failed) };
        (error, error.chain())
    }

    fn code(&self) -> u8 {
        self.report.exit_code()
    }

    /// How many calls there were of this kind, such as `write bucket`.
    fn count(&self, call: &str) -> usize {
        self.calls.iter().filter(|made| *made == call).count()
    }
}

fn line(event: &Event) -> String {
    let kinds = |addresses: &[crate::resource::Address]| {
        addresses.iter().map(|address| address.kind()).collect::<Vec<_>>().join(", ")
    };
    match event {
        Event::Started { address, .. } => format!("{} started", address.kind()),
        Event::Waiting { address, why, .. } => format!("{} waiting: {why}", address.kind()),
        Event::Progress { address, done, total, unit, .. } => {
            format!("{} {done} of {total} {unit}", address.kind())
        }
        Event::Done { address, .. } => format!("{} done", address.kind()),
        Event::Failed { address, error, .. } => format!("{} failed: {error}", address.kind()),
        Event::Blocked { address, by } if by.is_empty() => format!("{} not tried", address.kind()),
        Event::Blocked { address, by } => format!("{} blocked: {}", address.kind(), kinds(by)),
        Event::Pending { address, .. } => format!("{} pending", address.kind()),
        Event::Halted { address, at } => format!("{} halted: {at}", address.kind()),
        Event::Interrupted => "interrupted".to_owned(),
    }
}

fn part(kind: &'static str) -> Part<Plain> {
    Part::new(kind)
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn denied() -> Error {
    Error::new(Kind::Denied, "it was denied")
}

fn fault() -> Error {
    Error::new(Kind::Transient, "the connection broke")
}

fn not_yet() -> Error {
    Error::new(Kind::NotYet, "it is not there yet")
}
