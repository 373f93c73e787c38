//! The decision on one resource: observed state against desired state.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Action, Change, Goal, Spares, Step};
use crate::resource::{Fields, Forbids, Observation, Owner, Remarks, Removal, Seen, belongs_to};

/// The step for the resource that was `seen`, without regard to the others.
pub(super) fn step(goal: Goal, seen: &Observation) -> Step {
    let mut step = Step {
        address: seen.address.clone(),
        action: Action::NoOp,
        waits_for: vec![],
        goes_with: None,
        changes: vec![],
        reason: None,
        hint: None,
        kept: vec![],
        findings: vec![],
        ends: vec![],
        leaves: vec![],
        holds: None,
        wording: seen.wording.clone(),
    };
    let looked = match &seen.seen {
        Ok(looked) => looked,
        Err(error) => {
            step.action = Action::Refuse;
            step.reason = Some(error.chain());
            step.hint = error.what_next().map(str::to_owned);
            return step;
        }
    };
    step.kept.clone_from(&looked.remarks().kept);
    step.findings.clone_from(&looked.remarks().findings);
    match goal {
        Goal::Present { adopt } => want_present(adopt, seen, looked, &mut step),
        Goal::Absent => want_absent(seen, looked, &mut step),
    }
    step
}

fn want_present(adopt: bool, seen: &Observation, looked: &Seen<Fields>, step: &mut Step) {
    let (state, owner, remarks) = match looked {
        Seen::There { state, owner, remarks } => (state, owner, remarks),
        Seen::Absent(remarks) => {
            step.action = Action::Create;
            step.changes = differences(&Fields::new(), &seen.desired);
            block(remarks, |forbids| matches!(forbids, Forbids::Write | Forbids::Present), step);
            return;
        }
    };
    step.changes = differences(state, &seen.desired);
    step.action = match owner {
        Owner::Used => {
            step.changes.clear();
            block(remarks, |forbids| forbids == Forbids::Present, step);
            return;
        }
        Owner::Sufficient(entry) if adopt => {
            step.findings.push(format!(
                "{entry} already has the same effect and is replaced; teardown deletes its replacement"
            ));
            Action::Adopt
        }
        Owner::Sufficient(entry) => {
            step.changes.clear();
            step.findings.push(format!(
                "{entry} already has the same effect and is used as it is; `--adopt` replaces it"
            ));
            block(remarks, |forbids| forbids == Forbids::Present, step);
            return;
        }
        Owner::Ours | Owner::Adopted if step.changes.is_empty() => Action::NoOp,
        Owner::Ours | Owner::Adopted => Action::Update,
        Owner::Other(None) if adopt => Action::Adopt,
        Owner::Other(None) => {
            refuse(
                step,
                "it exists and has no wbstore mark",
                "add `--adopt` to adopt it, or choose another name",
            );
            return;
        }
        Owner::Other(Some(other)) => {
            let names = if other.contains('/') { "`--name` and `--team`" } else { "`--name`" };
            refuse(
                step,
                format!("it belongs to {}", belongs_to(other)),
                format!("choose another name, or use that deployment's {names}"),
            );
            return;
        }
        Owner::Unknown(why) => {
            refuse(
                step,
                format!("cannot determine the owner: {why}"),
                "grant the missing permission, then run again",
            );
            return;
        }
    };
    if let Some(change) = step.changes.iter().find(|change| seen.fixed.contains(&change.field.as_str())) {
        let field = change.field.clone();
        let old = match &change.old {
            Some(Value::String(text)) => text.clone(),
            Some(value) => value.to_string(),
            None => "not set".to_owned(),
        };
        refuse(
            step,
            format!("its {field} is {old} and cannot be changed in place"),
            format!("request its existing {field}, or choose another name"),
        );
        return;
    }
    let acts = step.action.acts();
    block(remarks, |forbids| forbids == Forbids::Present || (acts && forbids == Forbids::Write), step);
}

fn want_absent(seen: &Observation, looked: &Seen<Fields>, step: &mut Step) {
    let Seen::There { state, owner, remarks } = looked else {
        step.leaves.clone_from(&looked.remarks().leaves);
        return;
    };
    if seen.removal == Removal::Contents {
        // For a setting the address is enough; for data the plan shows how much is deleted.
        step.changes = differences(state, &seen.desired);
    }
    match owner {
        Owner::Ours => {
            step.action = Action::Delete;
            step.holds.clone_from(&remarks.holds);
            step.leaves.clone_from(&remarks.leaves);
            if seen.removal == Removal::Own {
                lose_kept(step);
            }
            block(remarks, |forbids| forbids == Forbids::Delete, step);
        }
        Owner::Adopted => {
            step.action = Action::Release;
            block(remarks, |forbids| forbids == Forbids::Delete, step);
        }
        Owner::Other(other) => {
            step.action = Action::Keep;
            step.reason = Some(match other {
                Some(other) => format!("it belongs to {}", belongs_to(other)),
                None => "it has no wbstore mark".to_owned(),
            });
        }
        // What it is part of lists it among the entries of others.
        Owner::Sufficient(_) => {}
        Owner::Used => {
            step.action = Action::Keep;
            step.reason = Some("it is used but not owned by this deployment".to_owned());
        }
        Owner::Unknown(why) => {
            refuse(
                step,
                format!("cannot determine the owner: {why}"),
                "grant the missing permission, then run again",
            );
        }
    }
}

/// Refuses to delete data, where consent does not cover them; the hint is the command that deletes all of them.
pub(super) fn spare(spares: &Spares, observations: &[Observation], steps: &mut [Step]) {
    let Spares { command, confirmation } = spares;
    let holds =
        |(seen, step): (&Observation, &Step)| seen.removal == Removal::Contents && step.holds.is_some();
    let are_objects = observations.iter().zip(&*steps).any(holds) && !command.contains("--delete-objects");
    let objects = if are_objects { " --delete-objects" } else { "" };
    let hint = || format!("`{command}{objects} {confirmation}` deletes that too");
    for (seen, step) in observations.iter().zip(steps) {
        let Some(held) = &step.holds else { continue };
        let obstacles = seen.seen.as_ref().map_or(0, |seen| seen.remarks().obstacles.len());
        match step.action {
            Action::Delete => {
                let reason = format!("it contains {held}, and `--yes` covers no data");
                refuse(step, reason, hint());
            }
            // Whatever else is in the way, the command does not remove.
            Action::Refuse if obstacles == 1 => step.hint = Some(hint()),
            _ => {}
        }
    }
}

/// Entries of others in a resource of ours are deleted with it; the plan lists them as findings.
pub(super) fn lose_kept(step: &mut Step) {
    let lost = std::mem::take(&mut step.kept);
    step.findings.extend(lost.iter().map(|entry| format!("deleted with it: {entry}")));
    step.ends.extend(lost);
}

pub(super) fn refuse(step: &mut Step, reason: impl Into<String>, hint: impl Into<String>) {
    step.action = Action::Refuse;
    step.reason = Some(reason.into());
    step.hint = Some(hint.into());
}

fn block(remarks: &Remarks, applies: impl Fn(Forbids) -> bool, step: &mut Step) {
    let mut against = remarks.obstacles.iter().filter(|obstacle| applies(obstacle.forbids)).peekable();
    if let Some(first) = against.peek() {
        step.action = Action::Refuse;
        if first.forbids == Forbids::Delete {
            // Nothing is deleted, so the counts add nothing to the reason.
            step.changes.clear();
        }
        step.hint.clone_from(&first.hint);
        step.reason = Some(against.map(|obstacle| obstacle.message.as_str()).collect::<Vec<_>>().join("; "));
    }
}

fn differences(old: &Fields, new: &Fields) -> Vec<Change> {
    let names: BTreeSet<_> = old.keys().chain(new.keys()).collect();
    names
        .into_iter()
        .filter(|name| old.get(*name) != new.get(*name))
        .map(|name| Change { field: name.clone(), old: old.get(name).cloned(), new: new.get(name).cloned() })
        .collect()
}
