//! Reads all resources concurrently, then walks the graph of a plan: independent steps run concurrently,
//! a failure blocks only the steps that need it, and temporary failures are retried. Each step is decided
//! again, from a new read, right before it is applied.

mod attempt;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures::future::{BoxFuture, join_all};
use futures::stream::{FuturesUnordered, StreamExt};
use jiff::Timestamp;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use crate::ablation::Safeguard;
use crate::error::{Error, Kind, Result, exit};
use crate::event::{Event, Events, Progress};
use crate::plan::{Action, Plan, Step};
use crate::resource::{Address, AnyResource, Look, Observation, Owner, Seen, Stack, belongs_to};
use crate::retry::{FAULT_WITHIN, Pauses, unless_busy};
use crate::timings::{self, Phase};
use attempt::{Attempt, Calls, Created, Taken, is_new};

/// Reads all resources of `stack` concurrently, and runs its guards.
///
/// A denied or refused read becomes part of the observation, and so of the plan.
///
/// # Errors
/// All other failures of a read: credentials, the network, the server.
pub(crate) async fn observe(stack: &Stack) -> Result<Vec<Observation>> {
    let guards = join_all(stack.guards.iter().map(|guard| guard()));
    let looks = join_all(stack.resources.iter().map(|resource| {
        let resource = resource.as_ref();
        look(resource).instrument(timings::work(&resource.address(), Phase::Plan, &[]))
    }));
    let (guards, looks) = futures::join!(guards, stack.reads.within(looks));
    guards.into_iter().collect::<Result<()>>()?;
    looks.into_iter().map(|looked| looked.map(|(observation, _)| observation)).collect()
}

/// The result of a read, and the [`Look`] to write from, unless the read was refused.
type Looked<'r> = (Observation, Option<Box<dyn Look + 'r>>);

async fn look(resource: &dyn AnyResource) -> Result<Looked<'_>> {
    looked(resource, unless_busy(|| resource.look()).await)
}

async fn look_as_parent(resource: &dyn AnyResource) -> Result<Looked<'_>> {
    looked(resource, unless_busy(|| resource.look_as_parent()).await)
}

fn looked<'r>(resource: &'r dyn AnyResource, look: Result<Box<dyn Look + 'r>>) -> Result<Looked<'r>> {
    match look {
        Ok(look) => Ok((look.observation(), Some(look))),
        Err(error) if matches!(error.kind(), Kind::Denied | Kind::Refused) => {
            Ok((Observation { seen: Err(Arc::new(error)), ..resource.unseen().observation() }, None))
        }
        Err(error) => Err(error),
    }
}

/// The outcome of a plan.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// The steps that succeeded.
    pub done: Vec<Address>,
    /// The steps that succeeded, and that the cloud completes by itself until then.
    pub pending: Vec<(Address, Timestamp)>,
    /// The steps that failed, and why.
    pub failed: Vec<(Address, Error)>,
    /// The steps that were under way when the user stopped the run.
    pub halted: Vec<Address>,
    /// The steps that were not started.
    pub blocked: Vec<Address>,
    /// Whether anything was changed, done or not: whether a request that changes something was sent, and
    /// not refused.
    pub changed: bool,
    /// Whether the user stopped it.
    pub interrupted: bool,
}

impl Report {
    /// The exit code of a process that ends with it.
    pub(crate) fn exit_code(&self) -> u8 {
        let Self { done: _, pending, failed, halted, blocked, changed, interrupted } = self;
        if *interrupted || !halted.is_empty() {
            return exit::INTERRUPTED;
        }
        if failed.is_empty() && pending.is_empty() && blocked.is_empty() {
            return exit::DONE;
        }
        if *changed || !pending.is_empty() {
            return exit::PARTIAL;
        }
        let refused = failed.iter().all(|(_, error)| error.exit_code() == exit::REFUSED);
        if refused { exit::REFUSED } else { exit::FAILED }
    }
}

/// Applies plans.
pub(crate) struct Engine {
    /// Where it reports.
    pub events: Events,
    /// Requests a stop at the next safe point.
    pub cancel: CancellationToken,
    /// The longest wait for changes to propagate, in place of each resource's own.
    pub patience: Option<Duration>,
    /// Whether time has passed since the read that the plan is based on, at a prompt or during the work on
    /// another deployment: then what is to be created is read again too.
    pub aged: bool,
}

/// A step has two ends: once it is written, what needs it may start; it is done when it has been
/// read back.
enum Outcome {
    Written(usize, Instant, Taken),
    Done(usize, Instant, Taken),
    Pending(usize, &'static str, Timestamp),
    /// It was started, and an interrupt ended its wait.
    Halted(usize, String),
    /// It was not started before the interrupt.
    Untried(usize),
    Failed(usize, Error),
}

impl Engine {
    /// Applies `plan`, which was computed from `stack`. A plan with a refused step is not started.
    pub(crate) async fn apply(&self, plan: &Plan, stack: &Stack) -> Report {
        let mut report = Report::default();
        let steps: Vec<&Step> = plan.steps.iter().filter(|step| step.acts()).collect();
        if plan.is_refused() {
            report.blocked = steps.iter().map(|step| step.address.clone()).collect();
            return report;
        }
        let mut waiting: Vec<usize> = (0..steps.len()).collect();
        let mut walk = Walk::new(&self.events, &steps);
        let mut running: FuturesUnordered<BoxFuture<'_, Outcome>> = FuturesUnordered::new();
        loop {
            if !report.interrupted {
                let (ready, rest): (Vec<usize>, Vec<usize>) = waiting.into_iter().partition(|index| {
                    steps[*index].waits_for.iter().all(|wait| walk.written.contains(wait))
                });
                waiting = rest;
                for index in ready {
                    let attempt = Attempt::new(self, steps[index], plan, stack, &walk.created);
                    running.push(self.begin(index, steps[index], attempt));
                }
            }
            let outcome = tokio::select! {
                biased;
                () = self.cancel.cancelled(), if !report.interrupted => None,
                outcome = running.next() => Some(outcome),
            };
            if !report.interrupted && self.cancel.is_cancelled() {
                report.interrupted = true;
                self.events.interrupted();
            }
            match outcome {
                None => {}
                Some(None) => break,
                Some(Some(Outcome::Written(index, begun, taken))) => {
                    walk.write(&steps[index].address, taken);
                    let resource = find(stack, &steps[index].address);
                    let resource =
                        resource.filter(|resource| walk.is_read_back(*resource, steps[index], taken));
                    running.push(self.finish(index, steps[index], resource, begun, taken));
                }
                Some(Some(end)) => walk.settle(&mut report, &steps, end),
            }
        }
        for index in waiting {
            walk.block(&mut report, steps[index]);
        }
        report.changed = stack.mutations.applied() > 0;
        report
    }

    fn begin<'a>(
        &'a self,
        index: usize,
        step: &'a Step,
        attempt: Option<Attempt<'a>>,
    ) -> BoxFuture<'a, Outcome> {
        Box::pin(async move {
            let begun = Instant::now();
            self.events.send(Event::Started { address: step.address.clone(), action: step.action });
            let Some(mut attempt) = attempt else {
                return Outcome::Failed(index, Error::new(Kind::Failed, "the plan belongs to another stack"));
            };
            let mut progress = self.progress(step);
            let mut patience = Patience::new(self, attempt.resource);
            let result = loop {
                let error = match attempt.take(&mut progress).await {
                    Err(error) => error,
                    taken => break taken,
                };
                if let Err(error) = patience.wait(error).await {
                    break Err(error);
                }
            };
            match result {
                Ok(Taken::Pending(how, until)) => Outcome::Pending(index, how, until),
                Ok(taken) => Outcome::Written(index, begun, taken),
                Err(error) if error.kind() == Kind::Interrupted && attempt.tried => {
                    Outcome::Halted(index, progress.counted().unwrap_or_else(|| error.chain()))
                }
                Err(error) if error.kind() == Kind::Interrupted => Outcome::Untried(index),
                Err(error) => Outcome::Failed(index, error),
            }
        })
    }

    /// Reads `resource` back, if any, and writes again where it differs from what was written: an update
    /// that was lost between read and write, or a mark that the endpoint omitted.
    fn finish<'a>(
        &'a self,
        index: usize,
        step: &'a Step,
        resource: Option<&'a dyn AnyResource>,
        begun: Instant,
        taken: Taken,
    ) -> BoxFuture<'a, Outcome> {
        Box::pin(async move {
            let Some(resource) = resource else { return Outcome::Done(index, begun, taken) };
            let progress = self.progress(step);
            let mut patience = Patience::new(self, resource);
            let mut misses = Misses::default();
            let result = loop {
                let error = match confirm(resource, step.action, taken, &progress, &mut misses)
                    .instrument(timings::work(&step.address, Phase::ReadBack, &[]))
                    .await
                {
                    Ok(()) => break Ok(()),
                    Err(error) => error,
                };
                if let Err(error) = patience.wait(error).await {
                    break Err(error);
                }
            };
            match result {
                Ok(()) => Outcome::Done(index, begun, taken),
                // It is written, and the run as a whole is reported as interrupted.
                Err(error) if error.kind() == Kind::Interrupted => Outcome::Done(index, begun, taken),
                Err(error) => Outcome::Failed(index, error),
            }
        })
    }

    fn progress(&self, step: &Step) -> Progress {
        Progress::new(step.address.clone(), self.events.clone(), self.cancel.clone())
    }
}

/// The state of reading back.
#[derive(Default)]
struct Misses {
    /// A difference was found before.
    seen: bool,
    /// It was written again.
    rewritten: bool,
}

/// Reads `resource` back after `action`; on the second difference writes it again, and only then: a
/// read that still lags would overwrite what others have written since.
///
/// # Errors
/// [`Kind::NotYet`] while it differs from what was written, [`Kind::Refused`] when it now belongs to
/// another deployment; those of the calls.
async fn confirm(
    resource: &dyn AnyResource,
    action: Action,
    taken: Taken,
    progress: &Progress,
    misses: &mut Misses,
) -> Result<()> {
    let mut look = match taken {
        Taken::Created(Calls::One) => resource.look_at_created().await?,
        _ => resource.look().await?,
    };
    let seen = look.observation();
    let Some(difference) = difference(&seen) else { return Ok(()) };
    let (there, owner) = match &seen.seen {
        Ok(Seen::There { owner, .. }) => (true, Some(owner)),
        _ => (false, None),
    };
    if let Some(Owner::Other(Some(other))) = owner {
        return Err(Error::refused(format!("{}: it now belongs to {}", seen.address, belongs_to(other)))
            .hint("choose another name for one of the two"));
    }
    // What this run created is its own although the mark was omitted; what existed before must never look
    // as if this run had created it.
    if action == Action::Create && owner == Some(&Owner::Other(None)) {
        look.set_owner(Owner::Ours);
    }
    // The first read may predate the write; the second is trusted. But a resource of its own that is not
    // visible yet is not created twice.
    let is_first = !std::mem::replace(&mut misses.seen, true);
    if !is_first && !misses.rewritten && (there || seen.part_of.is_some()) {
        look.write(progress).await?;
        misses.rewritten = true;
    }
    Err(Error::new(Kind::NotYet, difference)
        .hint("another tool may be writing the same document; `wbstore plan` shows what differs"))
}

/// The waits of one step between its tries, as long as its failures pass.
struct Patience<'e> {
    engine: &'e Engine,
    resource: &'e dyn AnyResource,
    /// Since when the change has not propagated.
    behind: Option<Instant>,
    /// Since when there have been only faults.
    faulty: Option<Instant>,
    pauses: Pauses,
}

impl<'e> Patience<'e> {
    fn new(engine: &'e Engine, resource: &'e dyn AnyResource) -> Self {
        Self { engine, resource, behind: None, faulty: None, pauses: Pauses::endless() }
    }

    /// Reports and waits until the next try after `error`.
    ///
    /// # Errors
    /// `error` itself, where it does not pass or its patience is exhausted;
    /// [`Kind::Interrupted`], with what was waited for, when the user stops the run.
    async fn wait(&mut self, error: Error) -> Result<()> {
        if !error.passes() {
            return Err(error);
        }
        let (since, patience) = match error.kind() {
            Kind::NotYet | Kind::Outdated => {
                self.faulty = None;
                (&mut self.behind, self.resource.patience())
            }
            _ => (&mut self.faulty, FAULT_WITHIN),
        };
        let budget = self.engine.patience.or(error.budget()).unwrap_or(patience);
        let left = budget.saturating_sub(since.get_or_insert_with(Instant::now).elapsed());
        let Some(next) = self.pauses.next(error.server_wait(), left) else { return Err(error) };
        let why = error.chain();
        let interrupted = Error::new(Kind::Interrupted, format!("waiting to retry: {why}"));
        if self.engine.cancel.is_cancelled() {
            return Err(interrupted);
        }
        self.engine.events.send(Event::Waiting { address: self.resource.address(), why, next, left });
        tokio::select! {
            () = tokio::time::sleep(next) => Ok(()),
            () = self.engine.cancel.cancelled() => Err(interrupted),
        }
    }
}

/// The progress of the walk through the graph.
struct Walk<'a> {
    events: &'a Events,
    /// The steps that what needs them may start after.
    written: BTreeSet<&'a Address>,
    /// Those of them that were created, and in how many calls.
    created: Created<'a>,
    /// The steps that did not succeed, so that what needs them cannot start.
    missed: BTreeSet<&'a Address>,
    /// The steps whose end has not been reported; with the event that reports it, where that is held back
    /// until the ends of all that it waited for have been.
    unsettled: BTreeMap<&'a Address, Option<(&'a [Address], Event)>>,
}

impl<'a> Walk<'a> {
    fn new(events: &'a Events, steps: &[&'a Step]) -> Self {
        let unsettled = steps.iter().map(|step| (&step.address, None)).collect();
        let (written, created, missed) = Default::default();
        Self { events, written, created, missed, unsettled }
    }

    fn write(&mut self, address: &'a Address, taken: Taken) {
        self.written.insert(address);
        if let Taken::Created(calls) = taken {
            self.created.insert(address, calls);
        }
    }

    /// Whether `resource` is read back after `step` has been `taken`.
    fn is_read_back(&self, resource: &dyn AnyResource, step: &Step, taken: Taken) -> bool {
        let written = !matches!(taken, Taken::Reached | Taken::Idle)
            && matches!(step.action, Action::Create | Action::Update | Action::Adopt);
        let parent = resource.unseen().observation().part_of;
        let nobody_else_wrote = is_new(&self.created, parent.as_ref()) && taken == Taken::Created(Calls::One);
        written && resource.reads_back() && !nobody_else_wrote && Safeguard::ReadBack.holds()
    }

    fn settle(&mut self, report: &mut Report, steps: &[&'a Step], outcome: Outcome) {
        let (index, event) = match outcome {
            // Not an end.
            Outcome::Written(..) => return,
            Outcome::Done(index, begun, taken) => {
                let Step { address, action, .. } = steps[index];
                report.done.push(address.clone());
                let took = begun.elapsed();
                let action = if taken == Taken::Idle { Action::NoOp } else { *action };
                (index, Event::Done { address: address.clone(), action, took })
            }
            Outcome::Pending(index, how, until) => {
                let Step { address, action, .. } = steps[index];
                self.missed.insert(address);
                report.pending.push((address.clone(), until));
                (index, Event::Pending { address: address.clone(), action: *action, how, until })
            }
            Outcome::Halted(index, at) => {
                let address = steps[index].address.clone();
                report.halted.push(address.clone());
                (index, Event::Halted { address, at })
            }
            Outcome::Untried(index) => {
                let address = steps[index].address.clone();
                report.blocked.push(address.clone());
                (index, Event::Blocked { address, by: vec![] })
            }
            Outcome::Failed(index, error) => {
                let address = &steps[index].address;
                // It may have been written and not been confirmed: what has not started yet must not.
                self.written.remove(address);
                self.missed.insert(address);
                let (text, hint) = (error.chain(), error.what_next().map(str::to_owned));
                report.failed.push((address.clone(), error));
                (index, Event::Failed { address: address.clone(), error: text, hint })
            }
        };
        self.close(steps[index], event);
    }

    /// Reports that `step` was not started.
    fn block(&mut self, report: &mut Report, step: &'a Step) {
        let Step { address, waits_for, .. } = step;
        let by: Vec<_> = waits_for.iter().filter(|wait| self.missed.contains(wait)).cloned().collect();
        if !by.is_empty() {
            self.missed.insert(address);
        }
        report.blocked.push(address.clone());
        self.close(step, Event::Blocked { address: address.clone(), by });
    }

    /// Reports the end of `step` as `event`, after the ends of what it waited for, so that nothing is
    /// reported before its parent.
    fn close(&mut self, step: &'a Step, event: Event) {
        self.unsettled.insert(&step.address, Some((&step.waits_for, event)));
        loop {
            let ready = self.unsettled.iter().find_map(|(address, held)| {
                let (waits_for, _) = held.as_ref()?;
                waits_for.iter().all(|wait| !self.unsettled.contains_key(wait)).then_some(*address)
            });
            let Some(address) = ready else { return };
            if let Some(Some((_, event))) = self.unsettled.remove(address) {
                self.events.send(event);
            }
        }
    }
}

fn find<'r>(stack: &'r Stack, address: &Address) -> Option<&'r dyn AnyResource> {
    stack.resources.iter().find(|resource| resource.address() == *address).map(AsRef::as_ref)
}

/// What was found instead of what was written, if anything.
fn difference(looked: &Observation) -> Option<String> {
    let state = match &looked.seen {
        Ok(seen) => seen.state(),
        Err(error) => return Some(error.chain()),
    };
    let Some(state) = state else { return Some("it is not visible yet".to_owned()) };
    let field = looked
        .desired
        .keys()
        .chain(state.keys())
        .find(|field| state.get(*field) != looked.desired.get(*field))?;
    Some(format!("its {field} is not yet the value that was written"))
}

#[cfg(test)]
mod tests;
