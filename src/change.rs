//! A change: observed, planned, shown, applied.

use std::time::Duration;

use futures::stream::{self, StreamExt};
use tokio_util::sync::CancellationToken;

use crate::console::Console;
use crate::engine::{self, Engine, Report};
use crate::error::{Error, Result, exit};
use crate::event::Events;
use crate::plan::{Action, Digest, Goal, Plan, Spares, Subject, plan};
use crate::provider::Provider;
use crate::resource::{Address, Observation, Stack};
use crate::retry;
use crate::view::progress;

/// How many deployments are processed concurrently.
pub(crate) const SIDE_BY_SIDE: usize = 4;

/// A stack and the plan for it.
pub(crate) struct Change {
    stack: Stack,
    /// What would be done.
    pub(crate) plan: Plan,
}

impl Change {
    /// Reads everything concurrently and plans, with a spinner.
    pub(crate) async fn look(provider: &dyn Provider, goal: Goal, console: &mut Console) -> Result<Self> {
        Self::look_at(provider, goal, None, console).await
    }

    /// The same for a teardown that spares data.
    pub(crate) async fn look_to_delete(
        provider: &dyn Provider,
        spares: Option<Spares>,
        console: &mut Console,
    ) -> Result<Self> {
        Self::look_at(provider, Goal::Absent, spares, console).await
    }

    async fn look_at(
        provider: &dyn Provider,
        goal: Goal,
        spares: Option<Spares>,
        console: &mut Console,
    ) -> Result<Self> {
        let what = format!("reading {} resources", provider.stack(goal)?.resources.len());
        console.busy(&what, Self::observe(provider, goal, spares)).await
    }

    /// Reads everything concurrently and plans.
    pub(crate) async fn observe(provider: &dyn Provider, goal: Goal, spares: Option<Spares>) -> Result<Self> {
        let stack = described(provider, goal)?;
        let seen = engine::observe(&stack).await?;
        Ok(Self::new(stack, goal, spares, &seen))
    }

    /// Plans as if nothing existed.
    pub(crate) fn unobserved(provider: &dyn Provider, goal: Goal) -> Result<Self> {
        let mut stack = described(provider, goal)?;
        let unchecked = "offline plan: existing resources were not checked, so everything is shown as new";
        stack.notes.insert(0, unchecked.to_owned());
        let seen: Vec<_> = stack.resources.iter().map(|resource| resource.unseen().observation()).collect();
        Ok(Self::new(stack, goal, None, &seen))
    }

    fn new(stack: Stack, goal: Goal, spares: Option<Spares>, seen: &[Observation]) -> Self {
        let subject = Subject {
            deployment: stack.deployment.clone(),
            scope: stack.scope.clone(),
            outputs: stack.outputs.clone(),
            notes: stack.notes.clone(),
            assumptions: stack.assumptions.clone(),
            spares,
        };
        let plan = plan(goal, subject, seen);
        Self { stack, plan }
    }

    /// Refuses the whole when the plan refuses a part.
    pub(crate) fn require_allowed(&self) -> Result<()> {
        let refused: Vec<_> = self.plan.refusals().collect();
        let Some(first) = refused.first() else { return Ok(()) };
        let reason = first.reason.as_deref().unwrap_or("it must not be changed");
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
    pub(crate) fn require_digest(&self, expected: Option<&Digest>) -> Result<()> {
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
    pub(crate) fn has_changed(&self) -> bool {
        self.stack.mutations.applied() > 0
    }
}

/// Applies `changes`, some of them concurrently, and shows all as one, each under its name where it has one.
/// `aged` is whether time has passed since the look, at a prompt or during other work.
pub(crate) async fn apply(
    changes: &[(Option<&str>, &Change)],
    aged: bool,
    patience: Option<Duration>,
    console: &mut Console,
    cancel: CancellationToken,
) -> Vec<Report> {
    let (events, receiver) = Events::channel();
    let style = console.progress_style();
    let plans: Vec<&Plan> = changes.iter().map(|(_, change)| &change.plan).collect();
    let work = async {
        let reports = stream::iter(changes).map(|(title, change)| {
            let engine = Engine { events: events.of(*title), cancel: cancel.clone(), patience, aged };
            async move { engine.apply(&change.plan, &change.stack).await }
        });
        let reports = retry::in_steps(reports.buffered(SIDE_BY_SIDE).collect()).await;
        // The view ends when the last sender is gone.
        drop(events);
        reports
    };
    let (reports, _) = futures::join!(work, progress::show(&plans, receiver, style, console.words()));
    reports
}

/// The stack, with a note on the secret that its outputs omit.
fn described(provider: &dyn Provider, goal: Goal) -> Result<Stack> {
    let mut stack = provider.stack(goal)?;
    if goal != Goal::Absent
        && let Some(withheld) = provider.withheld()
    {
        stack.notes.push(format!(
            "the server also requires {}, a secret that no plan shows; `provision` and `config` print how to get it",
            withheld.name
        ));
    }
    Ok(stack)
}

/// The exit code for all of `reports`, and for what was not begun because of failures with the codes
/// `others`: the worst of them.
pub(crate) fn outcome(reports: &[Report], others: impl IntoIterator<Item = u8>) -> u8 {
    let codes = reports.iter().map(Report::exit_code).chain(others);
    // Bad input is a failure here: it is not the user's.
    let codes = codes.map(|code| if code == exit::USAGE { exit::FAILED } else { code });
    match exit::worst(codes) {
        // These say that nothing was changed.
        exit::FAILED | exit::REFUSED if reports.iter().any(|report| report.changed) => exit::PARTIAL,
        worst => worst,
    }
}

/// Whether nothing that `plan` describes exists.
pub(crate) fn is_absent(plan: &Plan) -> bool {
    plan.steps.iter().all(|step| step.action == Action::Create)
}

/// The resources that `plan` would create, because they do not exist.
pub(crate) fn absent(plan: &Plan) -> Vec<Address> {
    let created = plan.steps.iter().filter(|step| step.action == Action::Create);
    created.map(|step| step.address.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;
    use crate::resource::Address;

    fn failed(kind: Kind, changed: bool) -> Report {
        let failed = vec![(Address::new("aws", "bucket", "acme"), Error::new(kind, "no"))];
        Report { failed, changed, ..Report::default() }
    }

    #[test]
    fn the_worst_of_several_ends_counts() {
        let done = || Report { changed: true, ..Report::default() };
        assert_eq!(outcome(&[], []), exit::DONE);
        assert_eq!(outcome(&[done()], []), exit::DONE);
        assert_eq!(outcome(&[], [exit::REFUSED, exit::FAILED]), exit::FAILED);
        assert_eq!(outcome(&[failed(Kind::Denied, false)], [exit::REFUSED]), exit::REFUSED);
        assert_eq!(outcome(&[failed(Kind::Input, false)], []), exit::FAILED);
        let pending = vec![(Address::new("aws", "objects", "acme"), jiff::Timestamp::UNIX_EPOCH)];
        assert_eq!(outcome(&[Report { pending, ..Report::default() }], [exit::FAILED]), exit::PARTIAL);
        let interrupted = Report { interrupted: true, ..failed(Kind::Failed, true) };
        assert_eq!(outcome(&[done(), interrupted], [exit::FAILED]), exit::INTERRUPTED);
    }

    #[test]
    fn where_one_has_changed_something_none_says_that_nothing_was() {
        let done = || Report { changed: true, ..Report::default() };
        assert_eq!(outcome(&[done()], [exit::REFUSED]), exit::PARTIAL);
        assert_eq!(outcome(&[done(), failed(Kind::Failed, false)], []), exit::PARTIAL);
        assert_eq!(outcome(&[failed(Kind::Refused, true)], []), exit::PARTIAL);
    }
}
