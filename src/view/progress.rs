//! The steps of a plan while they are applied.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::time::Instant;

use jiff::Timestamp;
use serde::Serialize;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{MissedTickBehavior, interval};

use super::bars::{Bars, TICK, above};
use super::clean::clean;
use super::json;
use super::lines::{Lines, lasting, name};
use super::palette::{BAD, HEAD, WARN, paint};
use super::remark::{Remark, hint};
use super::still::{self, Silence};
use super::words;
use crate::cli::Format;
use crate::event::{Event, Reported};
use crate::plan::{Action, Plan, Step};
use crate::resource::Address;

/// How running steps are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Spinners and bars on stderr, which is a terminal; what stays goes to the writer.
    Terminal,
    /// One line per event.
    Lines,
    /// One JSON object per event.
    Json,
    /// In this form, and only what goes wrong.
    Quiet(Format),
}

impl Style {
    /// The form of a line.
    pub(super) fn format(self) -> Format {
        match self {
            Self::Quiet(format) => format,
            Self::Json => Format::Json,
            Self::Terminal | Self::Lines => Format::Human,
        }
    }
}

/// How the steps ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Steps that created.
    pub created: usize,
    /// Steps that updated.
    pub updated: usize,
    /// Steps that adopted.
    pub adopted: usize,
    /// Steps that deleted.
    pub deleted: usize,
    /// Steps that released.
    pub released: usize,
    /// Steps that the cloud completes by itself, until the last of their dates.
    pub pending: usize,
    /// That date.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Steps that failed.
    pub failed: usize,
    /// Steps that were under way when the user pressed Ctrl-C.
    pub halted: usize,
    /// Steps that were not started.
    pub blocked: usize,
    /// Whether the user pressed Ctrl-C.
    pub interrupted: bool,
}

/// The last line of a JSON stream.
#[derive(Serialize)]
pub(super) struct Finished<'a> {
    event: &'static str,
    #[serde(flatten)]
    tally: &'a Tally,
}

impl<'a> Finished<'a> {
    pub(super) fn of(tally: &'a Tally) -> Self {
        Self { event: "finished", tally }
    }
}

/// Shows `events` of applying `plans` until the engine has no more, then how it ended. A writer that
/// fails, such as a closed terminal, is no reason to stop looking.
pub async fn show(
    plans: &[&Plan],
    mut events: UnboundedReceiver<Reported>,
    style: Style,
    writer: &mut (dyn Write + Send),
) -> Tally {
    let began = Instant::now();
    let (mut tally, mut done) = (Tally::default(), BTreeSet::new());
    let mut screen = Screen::new(style);
    let mut clock = interval(TICK);
    clock.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            event = events.recv() => match event {
                Some(Reported { deployment, event }) => for event in along(plans, event) {
                    tally.count(&event);
                    if let Event::Done { address, .. } = &event {
                        done.insert(address.clone());
                    }
                    screen.event(&Reported { deployment: deployment.clone(), event }, writer);
                },
                None => break,
            },
            _ = clock.tick() => screen.tick(writer),
        }
    }
    drop(screen);
    if matches!(style, Style::Quiet(_)) && tally.is_whole() {
        return tally;
    }
    for step in plans.iter().flat_map(|plan| &plan.steps) {
        // What is empty is not deleted by a step of its own.
        if done.contains(&step.address) || (step.action == Action::NoOp && tally.is_whole()) {
            step.leaves.iter().for_each(|fact| write(writer, &Remark::note(fact).text(style.format())));
        }
    }
    let text = match style.format() {
        Format::Json => json::line(&Finished::of(&tally)).unwrap_or_default(),
        Format::Human => report(&tally, began),
    };
    write(writer, &text);
    tally
}

/// `event`, and what it means for the steps that go with its own: they are done with it, or not at all.
fn along(plans: &[&Plan], event: Event) -> Vec<Event> {
    let follows = |parent: &Address| {
        let parent = parent.clone();
        plans.iter().flat_map(|plan| &plan.steps).filter(move |step| step.goes_with.as_ref() == Some(&parent))
    };
    let blocked = |address: &Address, by: &[Address]| -> Vec<Event> {
        let blocked = |step: &Step| Event::Blocked { address: step.address.clone(), by: by.to_vec() };
        follows(address).map(blocked).collect()
    };
    let others = match &event {
        Event::Done { address, action, took } => follows(address)
            .map(|step| Event::Done { address: step.address.clone(), action: *action, took: *took })
            .collect(),
        Event::Failed { address, .. } | Event::Pending { address, .. } => {
            blocked(address, std::slice::from_ref(address))
        }
        Event::Blocked { address, by } => blocked(address, by),
        Event::Halted { address, .. } => blocked(address, &[]),
        Event::Started { .. } | Event::Waiting { .. } | Event::Progress { .. } | Event::Interrupted => vec![],
    };
    std::iter::once(event).chain(others.into_iter().flat_map(|other| along(plans, other))).collect()
}

struct Screen {
    kind: Kind,
    /// The steps under way, by deployment where there are several.
    running: BTreeMap<(Option<String>, Address), (Action, Instant)>,
    silence: Silence,
}

enum Kind {
    Terminal(Bars),
    Lines(Lines),
    Json,
    Quiet(Format),
}

impl Screen {
    fn new(style: Style) -> Self {
        let kind = match style {
            Style::Terminal => Kind::Terminal(Bars::default()),
            Style::Lines => Kind::Lines(Lines::default()),
            Style::Json => Kind::Json,
            Style::Quiet(format) => Kind::Quiet(format),
        };
        Self { kind, running: BTreeMap::new(), silence: Silence::begin() }
    }

    fn event(&mut self, reported: &Reported, writer: &mut (dyn Write + Send)) {
        self.note(reported);
        let Reported { deployment, event } = reported;
        let of = deployment.as_deref().map(|name| format!("{}: ", clean(name))).unwrap_or_default();
        match &mut self.kind {
            Kind::Terminal(bars) => {
                draw(bars, &of, event);
                if let Some(text) = lasting(event) {
                    above(|| write(writer, &(of + &text)));
                }
            }
            Kind::Lines(lines) => {
                if let Some(text) = lines.of(event) {
                    self.silence = Silence::begin();
                    write(writer, &(of + &text));
                }
            }
            Kind::Json => {
                self.silence = Silence::begin();
                write(writer, &json::line(reported).unwrap_or_default());
            }
            Kind::Quiet(_) if !went_wrong(event) => {}
            Kind::Quiet(Format::Json) => write(writer, &json::line(reported).unwrap_or_default()),
            Kind::Quiet(Format::Human) => lasting(event).iter().for_each(|text| write(writer, text)),
        }
    }

    fn note(&mut self, reported: &Reported) {
        let at = |address: &Address| (reported.deployment.clone(), address.clone());
        match &reported.event {
            Event::Started { address, action } => {
                self.running.insert(at(address), (*action, Instant::now()));
            }
            Event::Done { address, .. }
            | Event::Pending { address, .. }
            | Event::Halted { address, .. }
            | Event::Failed { address, .. }
            | Event::Blocked { address, .. } => {
                self.running.remove(&at(address));
            }
            Event::Waiting { .. } | Event::Progress { .. } | Event::Interrupted => {}
        }
    }

    fn tick(&mut self, writer: &mut (dyn Write + Send)) {
        let format = match &mut self.kind {
            Kind::Terminal(bars) => return bars.tick(),
            Kind::Lines(_) => Format::Human,
            Kind::Json => Format::Json,
            Kind::Quiet(_) => return,
        };
        if self.silence.is_over().is_some() {
            for ((deployment, address), (action, since)) in &self.running {
                let (of, doing) = (deployment.as_deref(), words::doing(*action));
                write(writer, &still::line(of, Some(address), doing, since.elapsed(), format));
            }
        }
    }
}

/// Whether `event` is worth a line where only what goes wrong is.
fn went_wrong(event: &Event) -> bool {
    match event {
        Event::Failed { .. }
        | Event::Blocked { .. }
        | Event::Pending { .. }
        | Event::Halted { .. }
        | Event::Interrupted => true,
        Event::Started { .. } | Event::Waiting { .. } | Event::Progress { .. } | Event::Done { .. } => false,
    }
}

/// Draws the bars, whose names begin with `of`.
fn draw(bars: &mut Bars, of: &str, event: &Event) {
    let name = |address: &Address| format!("{of}{}", name(address));
    match event {
        Event::Started { address, action } => bars.begin(&name(address), words::doing(*action)),
        Event::Waiting { address, why, next, left } => bars.wait(&name(address), why, *next, *left),
        Event::Progress { address, done, total, unit, errors, .. } => {
            bars.count(&name(address), *done, *total, words::after_count(unit, *errors));
        }
        Event::Done { address, .. }
        | Event::Pending { address, .. }
        | Event::Halted { address, .. }
        | Event::Failed { address, .. }
        | Event::Blocked { address, .. } => bars.end(&name(address)),
        Event::Interrupted => {}
    }
}

pub(super) fn write(writer: &mut (dyn Write + Send), text: &str) {
    let _ = writer.write_all(text.as_bytes()).and_then(|()| writer.flush());
}

impl Tally {
    /// Whether every step was started and succeeded.
    pub fn is_whole(&self) -> bool {
        let Self { pending, failed, halted, blocked, interrupted, .. } = self;
        [pending, failed, halted, blocked].iter().all(|count| **count == 0) && !interrupted
    }

    /// How many steps did what they should.
    pub fn done(&self) -> usize {
        self.created + self.updated + self.adopted + self.deleted + self.released
    }

    fn count(&mut self, event: &Event) {
        match event {
            Event::Done { action, .. } => match action {
                Action::Create => self.created += 1,
                Action::Update => self.updated += 1,
                Action::Adopt => self.adopted += 1,
                Action::Delete => self.deleted += 1,
                Action::Release => self.released += 1,
                Action::Keep | Action::Refuse | Action::NoOp => {}
            },
            Event::Pending { until, .. } => {
                self.pending += 1;
                self.until = self.until.max(Some(*until));
            }
            Event::Halted { .. } => self.halted += 1,
            Event::Failed { .. } => self.failed += 1,
            Event::Blocked { .. } => self.blocked += 1,
            Event::Interrupted => self.interrupted = true,
            Event::Started { .. } | Event::Waiting { .. } | Event::Progress { .. } => {}
        }
    }
}

/// The counts, with a hint on how to continue.
fn report(tally: &Tally, began: Instant) -> String {
    let counts: Vec<_> = [
        (tally.created, "created"),
        (tally.updated, "updated"),
        (tally.adopted, "adopted"),
        (tally.deleted, "deleted"),
        (tally.released, "released"),
        (tally.pending, "pending in the cloud"),
        (tally.failed, "failed"),
        (tally.halted, "interrupted"),
        (tally.blocked, "not started"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, words)| format!("{count} {words}"))
    .collect();
    let counts = if counts.is_empty() { "nothing done".to_owned() } else { counts.join(", ") };
    let (style, head) = match tally {
        tally if tally.is_whole() => (HEAD, "Done:"),
        tally if tally.interrupted => (WARN, "Interrupted:"),
        tally if tally.failed == 0 && tally.pending > 0 => (WARN, "Pending:"),
        _ => (BAD, "Not finished:"),
    };
    let mut text = format!("{} {counts} in {}\n", paint(style, head), words::duration(began.elapsed()));
    match tally.until.filter(|_| tally.failed == 0 && !tally.interrupted) {
        Some(until) => text.push_str(&hint(&format!(
            "run the same command again after {until}; objects are billed until they are gone"
        ))),
        None if tally.is_whole() => {}
        // The engine has already retried what could succeed by a retry.
        None if tally.failed > 0 => {
            text.push_str(&hint("fix the cause, then run the same command again to continue"));
        }
        None => text.push_str(&hint("run the same command again to continue")),
    }
    text
}
