//! Observes all resources at once, then walks the graph of a plan: what waits for nothing runs side
//! by side, what fails blocks only what needs it, and what merely takes its time is waited for. Each
//! step is decided once more, from a new look, right before it is taken.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff};
use futures::future::{BoxFuture, join_all, try_join_all};
use futures::stream::{FuturesUnordered, StreamExt};
use jiff::Timestamp;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::error::{Error, Kind, Result};
use crate::event::{Event, Events, Progress};
use crate::patience::{FAULT_WITHIN, pauses, unless_busy};
use crate::plan::{Action, Again, Plan, Step, again};
use crate::resource::{Address, AnyResource, Deleted, Look, Observation, Owner, Removal, Seen, Stack};

/// Looks at every resource of `stack` at once, and at what must hold besides.
///
/// What the cloud denies or refuses to show becomes part of the observation, and so of the plan.
///
/// # Errors
/// Everything else that a look can fail with: credentials, the network, the server.
pub async fn observe(stack: &Stack) -> Result<Vec<Observation>> {
    let guards = join_all(stack.guards.iter().map(|guard| guard()));
    let looks = join_all(stack.resources.iter().map(|resource| look(resource.as_ref())));
    let (guards, looks) = futures::join!(guards, looks);
    guards.into_iter().collect::<Result<()>>()?;
    looks.into_iter().map(|looked| looked.map(|(observation, _)| observation)).collect()
}

/// What a look showed; with what can be written from it, unless the look was refused.
type Looked<'r> = (Observation, Option<Box<dyn Look + 'r>>);

async fn look(resource: &dyn AnyResource) -> Result<Looked<'_>> {
    match unless_busy(|| resource.look()).await {
        Ok(look) => Ok((look.observation(), Some(look))),
        Err(error) if matches!(error.kind(), Kind::Denied | Kind::Refused) => {
            Ok((Observation { seen: Err(Arc::new(error)), ..resource.unseen().observation() }, None))
        }
        Err(error) => Err(error),
    }
}

/// What came of a plan.
#[derive(Debug, Default)]
pub struct Report {
    /// The steps that succeeded.
    pub done: Vec<Address>,
    /// The steps that succeeded, and that the cloud carries out by itself until then.
    pub pending: Vec<(Address, Timestamp)>,
    /// The steps that failed, and why.
    pub failed: Vec<(Address, Error)>,
    /// The steps that were under way when the user stopped the run.
    pub halted: Vec<Address>,
    /// The steps that were not tried.
    pub blocked: Vec<Address>,
    /// Whether anything was changed, done or not: whether a request that changes something was sent, and
    /// not refused.
    pub changed: bool,
    /// Whether the user stopped it.
    pub interrupted: bool,
}

/// Carries out plans.
pub struct Engine {
    /// Where it reports.
    pub events: Events,
    /// Asks it to stop at the next good place.
    pub cancel: CancellationToken,
    /// The longest wait for the cloud to catch up, in place of each resource's own.
    pub patience: Option<Duration>,
    /// Whether time has passed since the look that the plan was made of, at a prompt or during the work on
    /// another deployment: then what is to be created is looked at once more too.
    pub aged: bool,
}

/// A step has two ends: once it is written, what needs it may start; it is done when it has been
/// read back.
enum Outcome {
    /// `taken` says whether there was anything left to do.
    Written {
        index: usize,
        begun: Instant,
        taken: bool,
    },
    Done(usize, Instant),
    Pending(usize, &'static str, Timestamp),
    /// Its wait was ended by an interrupt, after it had been begun.
    Halted(usize, String),
    /// It was not begun before the interrupt.
    Untried(usize),
    Failed(usize, Error),
}

impl Engine {
    /// Carries out `plan`, which was made of `stack`. A plan that refuses anything is not begun.
    pub async fn apply(&self, plan: &Plan, stack: &Stack) -> Report {
        let mut report = Report::default();
        let steps: Vec<&Step> = plan.steps.iter().filter(|step| step.acts()).collect();
        if plan.is_refused() {
            report.blocked = steps.iter().map(|step| step.address.clone()).collect();
            return report;
        }
        let mut waiting: Vec<usize> = (0..steps.len()).collect();
        let mut walk = Walk {
            events: &self.events,
            written: BTreeSet::new(),
            created: BTreeSet::new(),
            unsettled: BTreeMap::new(),
            report,
        };
        for step in &steps {
            walk.unsettled.insert(step.address.clone(), None);
        }
        let mut running: FuturesUnordered<BoxFuture<'_, Outcome>> = FuturesUnordered::new();
        loop {
            if !self.cancel.is_cancelled() {
                let (ready, rest): (Vec<usize>, Vec<usize>) = waiting.into_iter().partition(|index| {
                    steps[*index].waits_for.iter().all(|wait| walk.written.contains(wait))
                });
                waiting = rest;
                for index in ready {
                    let around = Around::of(steps[index], stack, &walk.created);
                    running.push(self.begin(index, steps[index], plan, around));
                }
            }
            let Some(outcome) = running.next().await else { break };
            if let Outcome::Written { index, begun, taken } = outcome {
                let Step { address, action, .. } = steps[index];
                walk.written.insert(address);
                if taken && *action == Action::Create {
                    walk.created.insert(address);
                }
                running.push(self.finish(index, steps[index], stack, begun));
            } else {
                walk.settle(&steps, outcome);
            }
        }
        for index in waiting {
            let Step { address, waits_for, .. } = steps[index];
            let by = waits_for.iter().filter(|wait| !walk.written.contains(wait)).cloned().collect();
            walk.close(address, &[], Event::Blocked { address: address.clone(), by });
            walk.report.blocked.push(address.clone());
        }
        let mut report = walk.report;
        report.changed = stack.mutations.applied() > 0;
        report.interrupted = self.cancel.is_cancelled();
        report
    }

    fn begin<'a>(
        &'a self,
        index: usize,
        step: &'a Step,
        plan: &'a Plan,
        around: Option<Around<'a>>,
    ) -> BoxFuture<'a, Outcome> {
        Box::pin(async move {
            let begun = Instant::now();
            self.events.send(Event::Started { address: step.address.clone(), action: step.action });
            let Some(around) = around else {
                return Outcome::Failed(index, Error::new(Kind::Failed, "the plan is of another stack"));
            };
            let progress = Progress::new(step.address.clone(), self.events.clone(), self.cancel.clone())
                .within_new(around.parent_is_new);
            let mut patience = Patience::new(self, around.resource);
            let mut tried = false;
            let result = loop {
                let error = match self.take(step, plan, &around, &progress, &mut tried).await {
                    Err(error) => error,
                    taken => break taken,
                };
                if let Err(error) = patience.wait(error).await {
                    break Err(error);
                }
            };
            match result {
                Ok(Deleted::Gone) => Outcome::Written { index, begun, taken: tried },
                Ok(Deleted::Pending { how, until }) => Outcome::Pending(index, how, until),
                Err(error) if error.kind() == Kind::Interrupted && tried => {
                    Outcome::Halted(index, progress.counted().unwrap_or_else(|| error.chain()))
                }
                Err(error) if error.kind() == Kind::Interrupted => Outcome::Untried(index),
                Err(error) => Outcome::Failed(index, error),
            }
        })
    }

    /// Takes `step` if it is still the planned one. `tried` says whether this run has taken it before.
    async fn take(
        &self,
        step: &Step,
        plan: &Plan,
        around: &Around<'_>,
        progress: &Progress,
        tried: &mut bool,
    ) -> Result<Deleted> {
        let Some(look) = self.look_again(step, plan, around, *tried).await? else { return Ok(Deleted::Gone) };
        *tried = true;
        match step.action {
            Action::Delete => look.delete(progress).await,
            Action::Release => look.release(progress).await.map(|()| Deleted::Gone),
            _ => look.write(progress).await.map(|()| Deleted::Gone),
        }
    }

    /// Looks at the resource of `step` once more and at what it depends on, and decides again. `None` where
    /// nothing is left to do.
    ///
    /// # Errors
    /// [`Kind::Outdated`] or [`Kind::Refused`] when it is not the planned step any more; those of the looks.
    async fn look_again<'r>(
        &self,
        step: &Step,
        plan: &Plan,
        around: &Around<'r>,
        retry: bool,
    ) -> Result<Option<Box<dyn Look + 'r>>> {
        let creates = step.action == Action::Create && !retry;
        if creates && (around.parent_is_new || !self.aged && around.can_be_created_unseen()) {
            return Ok(Some(around.resource.unseen()));
        }
        let looks = [around.resource].into_iter().chain(around.others.iter().copied()).map(look);
        let (observations, looks): (Vec<_>, Vec<_>) = try_join_all(looks).await?.into_iter().unzip();
        match again(plan, &step.address, &observations, retry) {
            Again::Reached => Ok(None),
            Again::Proceed => Ok(looks.into_iter().next().flatten()),
            Again::Changed { reason, may_settle } => {
                let kind = if may_settle { Kind::Outdated } else { Kind::Refused };
                Err(Error::new(kind, format!("{} has changed since the plan: {reason}", step.address))
                    .hint("run the command again to plan from what exists now"))
            }
        }
    }

    /// Reads back what was written, and writes once more where something else is found: a change
    /// that was lost between our read and our write, or a mark that the endpoint left out.
    fn finish<'a>(
        &'a self,
        index: usize,
        step: &'a Step,
        stack: &'a Stack,
        begun: Instant,
    ) -> BoxFuture<'a, Outcome> {
        Box::pin(async move {
            let written = matches!(step.action, Action::Create | Action::Update | Action::Adopt);
            let resource = find(stack, &step.address).filter(|resource| written && resource.reads_back());
            let Some(resource) = resource else { return Outcome::Done(index, begun) };
            let progress = Progress::new(step.address.clone(), self.events.clone(), self.cancel.clone());
            let mut patience = Patience::new(self, resource);
            let mut missed = false;
            let result = loop {
                let error = match confirm(resource, step.action, &progress, &mut missed).await {
                    Ok(()) => break Ok(()),
                    Err(error) => error,
                };
                if let Err(error) = patience.wait(error).await {
                    break Err(error);
                }
            };
            match result {
                Ok(()) => Outcome::Done(index, begun),
                // It is written, and the run as a whole says that it was interrupted.
                Err(error) if error.kind() == Kind::Interrupted => Outcome::Done(index, begun),
                Err(error) => Outcome::Failed(index, error),
            }
        })
    }
}

/// Reads `resource` back after `action`; on the second miss writes it once more.
///
/// # Errors
/// [`Kind::NotYet`] while it is not as it was written, [`Kind::Refused`] when another deployment has taken
/// it; those of the calls.
async fn confirm(
    resource: &dyn AnyResource,
    action: Action,
    progress: &Progress,
    missed: &mut bool,
) -> Result<()> {
    let mut look = resource.look().await?;
    let seen = look.observation();
    let Some(difference) = difference(&seen) else { return Ok(()) };
    let (there, owner) = match &seen.seen {
        Ok(Seen::There { owner, .. }) => (true, Some(owner)),
        _ => (false, None),
    };
    if let Some(Owner::Other(Some(other))) = owner {
        return Err(Error::refused(format!("{}: the deployment `{other}` has taken it since", seen.address))
            .hint("choose another name for one of the two"));
    }
    // What we created is ours although its mark was left out; what was there before us must never come to
    // look as if we had created it.
    if action == Action::Create && owner == Some(&Owner::Other(None)) {
        look.set_owner(Owner::Ours);
    }
    // The first look may be of before our write; the second is taken at its word. But what stands by itself
    // and cannot be seen yet is not created twice.
    if std::mem::replace(missed, true) && (there || seen.part_of.is_some()) {
        look.write(progress).await?;
    }
    Err(Error::new(Kind::NotYet, difference)
        .hint("another tool may be writing the same document; `wbstore plan` shows what differs"))
}

/// The waits of one step between its tries, as long as its failures pass.
struct Patience<'e> {
    engine: &'e Engine,
    resource: &'e dyn AnyResource,
    begun: Instant,
    pauses: ExponentialBackoff,
}

impl<'e> Patience<'e> {
    fn new(engine: &'e Engine, resource: &'e dyn AnyResource) -> Self {
        Self { engine, resource, begun: Instant::now(), pauses: pauses().build() }
    }

    /// Waits in sight until it is time to try again after `error`.
    ///
    /// # Errors
    /// `error` itself, where it does not pass or the patience that fits it is over;
    /// [`Kind::Interrupted`], with what was waited for, when the user stops the run.
    async fn wait(&mut self, error: Error) -> Result<()> {
        if !error.passes() {
            return Err(error);
        }
        let budget = self.engine.patience.or(error.budget()).unwrap_or_else(|| match error.kind() {
            Kind::NotYet | Kind::Outdated => self.resource.patience(),
            _ => FAULT_WITHIN,
        });
        let left = budget.saturating_sub(self.begun.elapsed());
        let pause = self.pauses.next().unwrap_or(FAULT_WITHIN);
        let next = error.server_wait().map_or(pause, |asked| asked.max(pause));
        if left < next {
            return Err(error);
        }
        let why = error.chain();
        self.engine.events.send(Event::Waiting {
            address: self.resource.address(),
            why: why.clone(),
            next,
            left,
        });
        tokio::select! {
            () = tokio::time::sleep(next) => Ok(()),
            () = self.engine.cancel.cancelled() => {
                Err(Error::new(Kind::Interrupted, format!("interrupted while waiting for {why}")))
            }
        }
    }
}

/// How far the walk through the graph has come.
struct Walk<'a> {
    events: &'a Events,
    /// The steps that what needs them may start after.
    written: BTreeSet<&'a Address>,
    /// What this run has created.
    created: BTreeSet<&'a Address>,
    /// The steps whose end has not been reported; with the event that reports it, where that is held back
    /// until the ends of all that it waited for have been.
    unsettled: BTreeMap<Address, Option<(Vec<Address>, Event)>>,
    report: Report,
}

impl Walk<'_> {
    fn settle(&mut self, steps: &[&Step], outcome: Outcome) {
        let of = |index: usize| (steps[index].address.clone(), steps[index].action, &steps[index].waits_for);
        let (index, event) = match outcome {
            // Not an end.
            Outcome::Written { .. } => return,
            Outcome::Done(index, begun) => {
                let (address, action, _) = of(index);
                self.report.done.push(address.clone());
                (index, Event::Done { address, action, took: begun.elapsed() })
            }
            Outcome::Pending(index, how, until) => {
                let (address, action, _) = of(index);
                self.report.pending.push((address.clone(), until));
                (index, Event::Pending { address, action, how, until })
            }
            Outcome::Halted(index, at) => {
                let (address, ..) = of(index);
                self.report.halted.push(address.clone());
                (index, Event::Halted { address, at })
            }
            Outcome::Untried(index) => {
                let (address, ..) = of(index);
                self.report.blocked.push(address.clone());
                (index, Event::Blocked { address, by: vec![] })
            }
            Outcome::Failed(index, error) => {
                let (address, ..) = of(index);
                // It may have been written and not been confirmed: what has not started yet must not.
                self.written.remove(&address);
                let (text, hint) = (error.chain(), error.what_next().map(str::to_owned));
                self.report.failed.push((address.clone(), error));
                (index, Event::Failed { address, error: text, hint })
            }
        };
        let (address, _, waits_for) = of(index);
        self.close(&address, waits_for, event);
    }

    /// Reports the end of the step at `address` as `event`, after the ends of what it waited for, so that
    /// nothing is reported to be there before what it is in.
    fn close(&mut self, address: &Address, waits_for: &[Address], event: Event) {
        self.unsettled.insert(address.clone(), Some((waits_for.to_vec(), event)));
        loop {
            let ready = self.unsettled.iter().find_map(|(address, held)| {
                let (waits_for, _) = held.as_ref()?;
                waits_for.iter().all(|wait| !self.unsettled.contains_key(wait)).then(|| address.clone())
            });
            let Some(address) = ready else { return };
            if let Some(Some((_, event))) = self.unsettled.remove(&address) {
                self.events.send(event);
            }
        }
    }
}

/// A step's resource, and the others that its second decision depends on.
struct Around<'r> {
    resource: &'r dyn AnyResource,
    /// What it is part of, unless this run creates that; for a deletion what it takes along, and whose
    /// lease it is under.
    others: Vec<&'r dyn AnyResource>,
    parent_is_new: bool,
}

impl<'r> Around<'r> {
    fn of(step: &Step, stack: &'r Stack, created: &BTreeSet<&Address>) -> Option<Self> {
        let resource = find(stack, &step.address)?;
        let parent = resource.unseen().observation().part_of;
        let parent_is_new = parent.as_ref().is_some_and(|parent| created.contains(parent));
        let mut others = vec![];
        if let Some(parent) = parent.filter(|_| !parent_is_new) {
            others.extend(find(stack, &parent));
        }
        if matches!(step.action, Action::Delete | Action::Release) {
            others.extend(resource.lease_holder().and_then(|holder| find(stack, &holder)));
        }
        if step.action == Action::Delete {
            others.extend(stack.resources.iter().map(AsRef::as_ref).filter(|other| {
                let Observation { part_of, removal, .. } = other.unseen().observation();
                part_of.as_ref() == Some(&step.address) && !matches!(removal, Removal::Own | Removal::Setting)
            }));
        }
        Some(Self { resource, others, parent_is_new })
    }

    fn can_be_created_unseen(&self) -> bool {
        self.others.is_empty() && self.resource.creation_is_exclusive()
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
    let Some(state) = state else { return Some("it cannot be seen yet".to_owned()) };
    let field = looked
        .desired
        .keys()
        .chain(state.keys())
        .find(|field| state.get(*field) != looked.desired.get(*field))?;
    Some(format!("it does not show {field} as it was written"))
}
