//! How steps depend on each other: what is deleted with what, and what waits for what.

use std::collections::{BTreeMap, BTreeSet};

use super::{Action, Goal, Step, decide};
use crate::ablation::Safeguard;
use crate::expiry::Voucher;
use crate::resource::{Observation, Owner, Removal, Seen};

/// What is inside a deleted resource is deleted with it; a setting of a kept resource is kept.
pub(super) fn settle_children(observations: &[Observation], steps: &mut [Step]) {
    let actions: BTreeMap<_, _> = steps.iter().map(|step| (step.address.clone(), step.action)).collect();
    let contents = observations.iter().zip(&*steps).filter(|(seen, step)| {
        seen.removal == Removal::Contents && matches!(step.action, Action::Delete | Action::Refuse)
    });
    let filled: BTreeSet<_> = contents.filter_map(|(seen, _)| seen.part_of.clone()).collect();
    for (seen, step) in observations.iter().zip(steps) {
        let Some(parent) = &seen.part_of else { continue };
        match (step.action, seen.removal) {
            (Action::Delete, _) | (Action::Refuse, Removal::Contents) => {}
            // Nothing of ours is in the document, and the entries of others are deleted with it.
            (Action::NoOp, Removal::WithParent | Removal::BeforeParent)
                if actions.get(parent) == Some(&Action::Delete) =>
            {
                decide::lose_kept(step);
                continue;
            }
            _ => continue,
        }
        match (actions.get(parent), seen.removal) {
            (_, Removal::Own) | (Some(Action::Delete), Removal::Contents) => {}
            (Some(Action::Delete), Removal::BeforeParent) if filled.contains(parent) => {
                decide::lose_kept(step)
            }
            (Some(Action::Delete), _) => {
                step.goes_with = Some(parent.clone());
                decide::lose_kept(step);
            }
            (_, Removal::WithParent | Removal::BeforeParent) => {}
            (_, Removal::Setting | Removal::Contents) => {
                step.action = Action::Keep;
                step.reason = Some(format!("it belongs to {parent}, which is kept"));
                step.hint = None;
            }
        }
    }
}

/// Where a mark alone does not allow a deletion, an entry of ours has to agree with it. The second decision
/// does without: the run itself may have removed the entry by then.
pub(super) fn require_vouchers(observations: &[Observation], steps: &mut [Step]) {
    for (seen, step) in observations.iter().zip(steps) {
        let Some(vouchers) = seen.vouchers.as_ref().filter(|_| step.action == Action::Delete) else {
            continue;
        };
        if Safeguard::SecondTrace.holds() && !vouchers.iter().any(|voucher| agrees(voucher, observations)) {
            decide::refuse(
                step,
                "only its mark assigns it to this deployment: its name is not a derived one, and no other entry \
                 confirms the mark, so --expired does not delete it",
                "if it belongs to this deployment, delete it by name with `wbstore teardown`",
            );
        }
    }
}

fn agrees(voucher: &Voucher, observations: &[Observation]) -> bool {
    let seen = observations.iter().find(|seen| seen.address == voucher.entry);
    match seen.map(|seen| &seen.seen) {
        Some(Ok(Seen::There { state, owner: Owner::Ours, .. })) => {
            voucher.shows.as_ref().is_none_or(|(field, value)| state.get(*field) == Some(value))
        }
        _ => false,
    }
}

/// Derives waits from needs: a resource is created after what it needs, and deleted before it unless it is only
/// [detached](crate::resource::Resource::detaches).
pub(super) fn connect(goal: Goal, observations: &[Observation], steps: &mut [Step]) {
    let acting: BTreeSet<_> =
        steps.iter().filter(|step| step.acts()).map(|step| step.address.clone()).collect();
    for (seen, step) in observations.iter().zip(&mut *steps) {
        if !acting.contains(&step.address) {
            continue;
        }
        let waits = match goal {
            Goal::Present { .. } => seen.needs.iter().filter(|need| acting.contains(need)).cloned().collect(),
            Goal::Absent => observations
                .iter()
                .filter(|other| other.needs.contains(&seen.address) && acting.contains(&other.address))
                .filter(|other| !seen.detaches.contains(&other.address))
                .map(|other| other.address.clone())
                .collect(),
        };
        step.waits_for = waits;
    }
}

/// A step comes after all that it waits for; otherwise the order of the stack stays.
pub(super) fn in_order(mut steps: Vec<Step>) -> Vec<Step> {
    let mut placed = BTreeSet::new();
    let mut ordered = Vec::with_capacity(steps.len());
    while !steps.is_empty() {
        let ready = steps.iter().position(|step| step.waits_for.iter().all(|wait| placed.contains(wait)));
        // A cycle would be a bug in a stack; its steps then keep their order.
        let step = steps.remove(ready.unwrap_or(0));
        placed.insert(step.address.clone());
        ordered.push(step);
    }
    ordered
}
