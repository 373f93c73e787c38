//! The second decision: whether a step, read again right before it is applied, is still the planned one.
//!
//! Between a plan and a write there may be a prompt, an approval in another job, or another step. A step
//! proceeds if the new read leads to the same decision without unplanned changes. For a deletion owner,
//! lease, obstacles and lost entries count, but not the number of objects.

use super::{Action, Change, Goal, Plan, Step, decided};
use crate::resource::{Address, Observation, Owner, Seen};

/// The second decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Again {
    /// It is still the planned step.
    Proceed,
    /// The goal of the step is already reached.
    Reached,
    /// It is no longer the planned step, for this reason.
    Changed {
        /// As a lowercase fragment.
        reason: String,
        /// What the reader can do about it, if the new decision has a hint.
        hint: Option<String>,
        /// Whether the read may lag behind a write of this run, so that another read can differ.
        may_settle: bool,
    },
}

/// Decides again on the step of `plan` at `address`, from new `observations` of it, of what it is part
/// of and of what goes with it. On a `retry` the run itself may have written since the plan.
pub(crate) fn again(plan: &Plan, address: &Address, observations: &[Observation], retry: bool) -> Again {
    let steps = decided(plan.goal, plan.spares.as_ref(), observations);
    let looked = || observations.iter().zip(&steps);
    let (Some(planned), Some((seen, now))) =
        (plan.step(address), looked().find(|(seen, _)| seen.address == *address))
    else {
        return changed("the plan has no such step".to_owned(), None);
    };
    for (around, step) in looked().filter(|(around, _)| around.address != *address) {
        // What a deletion also deletes, and the parent of the step.
        let before = plan.step(&around.address);
        let refused = step.action == Action::Refuse && before.is_none_or(|b| b.action != Action::Refuse);
        // What this run has released was allowed.
        let released = unmarked(around) && before.is_some_and(|b| b.action == Action::Release);
        let taken = step.action == Action::Keep && before.is_some_and(|b| b.action.acts()) && !released;
        if (refused || taken) && now.action != Action::NoOp {
            return Again::Changed {
                reason: format!("{}: {}", step.address, reason(step)),
                hint: step.hint.clone(),
                // What this run has created may not show its mark yet.
                may_settle: unmarked(around) && before.is_some_and(|b| b.action == Action::Create),
            };
        }
        if now.action == Action::Delete
            && let Some(entry) =
                step.ends.iter().find(|entry| before.is_none_or(|b| !b.ends.contains(*entry)))
        {
            return changed(format!("{}: {entry} would be deleted with it", step.address), None);
        }
    }
    step_again(plan.goal, planned, seen, now, retry)
}

fn step_again(goal: Goal, planned: &Step, seen: &Observation, now: &Step, retry: bool) -> Again {
    use Action::{Adopt, Create, Delete, Keep, NoOp, Refuse, Release, Update};
    match (planned.action, now.action) {
        // Others have it: what is theirs was not in the plan. Or it is ours, and does not show its mark yet.
        (Create | Update | Adopt, NoOp) if is_used(seen) => {
            return Again::Changed { reason: reason(now), hint: None, may_settle: retry };
        }
        (_, NoOp) => return Again::Reached,
        // Our mark is off, and the answer that said so was lost.
        (Release, Keep) if retry && unmarked(seen) => return Again::Reached,
        (Delete, Delete) | (Release, Release) => {}
        // A resource in a failed state is deleted and created again, and the first try deleted it.
        (Update, Create) if retry => return Again::Proceed,
        // The first try was applied in part.
        (Create | Adopt, Update) if retry => {}
        (planned, now) if planned == now => {}
        (Create | Update | Adopt, now_acts) => {
            // No write of ours puts another deployment's mark or an obstacle there.
            let may_settle = now_acts != Refuse || (retry && unmarked(seen));
            return Again::Changed { reason: reason(now), hint: now.hint.clone(), may_settle };
        }
        _ => return changed(reason(now), now.hint.clone()),
    }
    if let Some(entry) = now.ends.iter().find(|entry| !planned.ends.contains(*entry)) {
        return changed(format!("{entry} would be deleted with it"), None);
    }
    // A deletion does not depend on what is deleted.
    if goal == Goal::Absent {
        return Again::Proceed;
    }
    match now.changes.iter().find(|change| !planned.changes.iter().any(|was| contains(was, change, retry))) {
        None => Again::Proceed,
        Some(Change { field, old, .. }) => Again::Changed {
            reason: match old {
                Some(old) => format!("its {field} is now {old}"),
                None => format!("its {field} is no longer set"),
            },
            hint: None,
            may_settle: true,
        },
    }
}

/// Whether `now` is the change that `was` planned. What our own first try left on a `retry` may have other
/// old values, such as the state of an operation under way.
fn contains(was: &Change, now: &Change, retry: bool) -> bool {
    was.field == now.field && was.new == now.new && (retry || was.old == now.old)
}

fn is_used(seen: &Observation) -> bool {
    matches!(&seen.seen, Ok(Seen::There { owner: Owner::Used | Owner::Sufficient(_), .. }))
}

fn unmarked(seen: &Observation) -> bool {
    matches!(&seen.seen, Ok(Seen::There { owner: Owner::Other(None), .. }))
}

fn reason(step: &Step) -> String {
    step.reason.clone().unwrap_or_else(|| {
        match step.action {
            Action::Create => "it no longer exists",
            Action::Update => "it now exists, with other settings",
            Action::Adopt => "it now exists, without a wbstore mark",
            Action::Delete => "it now belongs to this deployment",
            Action::Release => "it is now marked as adopted",
            Action::NoOp => "it now exists, with another owner",
            Action::Keep | Action::Refuse => "it no longer belongs to this deployment",
        }
        .to_owned()
    })
}

fn changed(reason: String, hint: Option<String>) -> Again {
    Again::Changed { reason, hint, may_settle: false }
}

#[cfg(test)]
mod tests;
