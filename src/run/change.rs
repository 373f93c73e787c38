//! A change on its way: observed, planned, shown, applied.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::console::Console;
use crate::engine::{self, Engine, Report};
use crate::error::{Error, Result, exit};
use crate::event::{Event, Events};
use crate::plan::{Action, Digest, Goal, Plan, Subject, plan};
use crate::provider::Provider;
use crate::resource::{Address, Observation, Stack};
use crate::view::progress;

/// A stack and the plan that was made of it.
pub struct Change {
    stack: Stack,
    /// What would be done.
    pub plan: Plan,
}

impl Change {
    /// Looks at everything at once and plans.
    pub async fn look(provider: &dyn Provider, goal: Goal, console: &mut Console) -> Result<Self> {
        let stack = described(provider, goal)?;
        let what = format!("reading {} resources", stack.resources.len());
        let seen = console.busy(&what, engine::observe(&stack)).await?;
        Ok(Self::new(stack, goal, &seen))
    }

    /// Plans as if nothing were there.
    pub fn unobserved(provider: &dyn Provider, goal: Goal) -> Result<Self> {
        let mut stack = described(provider, goal)?;
        let unchecked = "offline plan: existing resources were not checked, so everything is shown as new";
        stack.notes.insert(0, unchecked.to_owned());
        let seen: Vec<_> = stack.resources.iter().map(|resource| resource.unseen().observation()).collect();
        Ok(Self::new(stack, goal, &seen))
    }

    fn new(stack: Stack, goal: Goal, seen: &[Observation]) -> Self {
        let subject = Subject {
            deployment: stack.deployment.clone(),
            scope: stack.scope.clone(),
            outputs: stack.outputs.clone(),
            notes: stack.notes.clone(),
            assumptions: stack.assumptions.clone(),
        };
        let plan = plan(goal, subject, seen);
        Self { stack, plan }
    }

    /// Refuses the whole when the plan refuses a part.
    pub fn require_allowed(&self) -> Result<()> {
        let refused: Vec<_> = self.plan.refusals().collect();
        let Some(first) = refused.first() else { return Ok(()) };
        let reason = first.reason.as_deref().unwrap_or("it must not be touched");
        let more = match refused.len() - 1 {
            0 => String::new(),
            more => format!(", and {more} more"),
        };
        let error =
            Error::refused(format!("nothing was changed: {} is refused: {reason}{more}", first.address));
        Err(match &first.hint {
            Some(hint) => error.hint(hint.clone()),
            None => error,
        })
    }

    /// Refuses a plan that is not the one that was reviewed, where one was.
    pub fn require_digest(&self, expected: Option<&Digest>) -> Result<()> {
        match (&self.plan.digest, expected) {
            (Some(digest), Some(expected)) if expected != digest => {
                Err(Error::refused(format!("the plan's digest is {digest}, not {expected}")).hint(
                    "the cloud or the arguments have changed since the review; review the plan above and pass its digest",
                ))
            }
            _ => Ok(()),
        }
    }

    /// Whether anything was changed so far, by the record of the transports.
    pub fn has_changed(&self) -> bool {
        self.stack.mutations.applied() > 0
    }

    /// Carries the plan out and tells of it. The exit code says how it went.
    ///
    /// `aged` is whether time has passed since the look, at a prompt or during other work.
    pub async fn apply(
        &self,
        aged: bool,
        patience: Option<Duration>,
        console: &mut Console,
        cancel: CancellationToken,
    ) -> Result<u8> {
        let (events, receiver) = Events::channel();
        let style = console.progress_style();
        let listener = {
            let (events, cancel) = (events.clone(), cancel.clone());
            tokio::spawn(async move {
                cancel.cancelled().await;
                events.send(Event::Interrupted);
            })
        };
        let engine = Engine { events, cancel, patience, aged };
        let work = async {
            let report = engine.apply(&self.plan, &self.stack).await;
            // The view ends when the last sender is gone.
            listener.abort();
            let _ = listener.await;
            drop(engine);
            report
        };
        let (report, _) = futures::join!(work, progress::show(&self.plan, receiver, style, console.words()));
        Ok(code(&report))
    }
}

/// The stack, with a word on what its outputs leave out.
fn described(provider: &dyn Provider, goal: Goal) -> Result<Stack> {
    let mut stack = provider.stack(goal)?;
    if goal != Goal::Absent
        && let Some(withheld) = provider.withheld()
    {
        stack.notes.push(format!(
            "the server needs {} too, a secret that no plan shows; `provision` and `config` say how to get it",
            withheld.name
        ));
    }
    Ok(stack)
}

fn code(report: &Report) -> u8 {
    let Report { done: _, pending, failed, halted, blocked, changed, interrupted } = report;
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

/// Whether nothing of what `plan` describes is there.
pub fn is_absent(plan: &Plan) -> bool {
    plan.steps.iter().all(|step| step.action == Action::Create)
}

/// The resources that `plan` would create, because they are not there.
pub fn absent(plan: &Plan) -> Vec<Address> {
    let created = plan.steps.iter().filter(|step| step.action == Action::Create);
    created.map(|step| step.address.clone()).collect()
}
