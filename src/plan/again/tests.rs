use std::sync::Arc;

use super::*;
use crate::error::{Error, Kind};
use crate::plan::tests::{PRESENT, at, child, found, planned, seen};
use crate::resource::{Forbids, Removal};

const ADOPT: Goal = Goal::Present { adopt: true };

/// What comes of the second look at a bucket.
#[derive(Debug, PartialEq)]
enum Comes {
    Goes,
    Reached,
    /// Refused, for a reason that ends like this.
    Refused(&'static str),
    /// Looked at again.
    Waits(&'static str),
}
use Comes::{Goes, Reached, Refused, Waits};

#[track_caller]
fn comes(again: &Again, expected: &Comes, row: &str) {
    let fits = match (again, expected) {
        (Again::Proceed, Goes) | (Again::Reached, Reached) => true,
        (Again::Changed { reason, may_settle: false, .. }, Refused(end)) => reason.ends_with(end),
        (Again::Changed { reason, may_settle: true, .. }, Waits(end)) => reason.ends_with(end),
        _ => false,
    };
    assert!(fits, "{row}: {again:?}, not {expected:?}");
}

/// Decides twice on the first of the observations.
fn twice(goal: Goal, before: &[Observation], now: &[Observation], retry: bool) -> Again {
    again(&planned(goal, before), &before[0].address, now, retry)
}

fn bucket(size: i64, owner: Owner) -> Observation {
    found("bucket", size, owner)
}

fn none() -> Observation {
    seen("bucket")
}

fn beta() -> Owner {
    Owner::Other(Some("beta".into()))
}

fn unmarked() -> Owner {
    Owner::Other(None)
}

fn forbidding(forbids: Forbids, mut observation: Observation) -> Observation {
    if let Ok(seen) = &mut observation.seen {
        seen.obstacle(forbids, "it is locked", "unlock it");
    }
    observation
}

fn with_kept(entry: &str, mut observation: Observation) -> Observation {
    if let Ok(seen) = &mut observation.seen {
        seen.remarks_mut().kept.push(entry.to_owned());
    }
    observation
}

fn denied() -> Observation {
    let error = Error::new(Kind::Denied, "it was denied").hint("grant it");
    Observation { seen: Err(Arc::new(error)), ..none() }
}

const BETA: &str = "it belongs to the deployment `beta`";
const UNMARKED: &str = "it exists and has no wbstore mark";
const OTHER: &str = "it now exists, with other settings";

#[test]
fn a_bucket_by_itself() {
    use Owner::{Adopted, Ours, Unknown, Used};
    // What the plan saw, what is there now, what comes of it at the first try and after one of ours.
    let present = [
        (none(), none(), Goes, Goes),
        (none(), bucket(1, Ours), Reached, Reached),
        (none(), bucket(1, Adopted), Reached, Reached),
        // Ours, half-way.
        (none(), bucket(7, Ours), Waits(OTHER), Goes),
        // The mark may come, and may be a stranger's absence of one.
        (none(), bucket(1, unmarked()), Refused(UNMARKED), Waits(UNMARKED)),
        (none(), bucket(1, Used), Refused("it now exists, with another owner"), Waits("with another owner")),
        (none(), bucket(1, beta()), Refused(BETA), Refused(BETA)),
        (none(), bucket(1, Unknown("no tags".into())), Refused("no tags"), Refused("no tags")),
        (none(), denied(), Refused("it was denied"), Refused("it was denied")),
        (none(), forbidding(Forbids::Write, none()), Refused("it is locked"), Refused("it is locked")),
        (bucket(7, Ours), bucket(7, Ours), Goes, Goes),
        (bucket(7, Ours), bucket(1, Ours), Reached, Reached),
        (bucket(7, Ours), bucket(7, Adopted), Goes, Goes),
        // A third value may be on the way from ours.
        (bucket(7, Ours), bucket(9, Ours), Waits("its size is now 9"), Goes),
        (bucket(7, Ours), none(), Waits("it no longer exists"), Goes),
        (bucket(7, Ours), bucket(7, unmarked()), Refused(UNMARKED), Waits(UNMARKED)),
        (bucket(7, Ours), bucket(7, beta()), Refused(BETA), Refused(BETA)),
        (
            bucket(7, Ours),
            forbidding(Forbids::Write, bucket(7, Ours)),
            Refused("it is locked"),
            Refused("it is locked"),
        ),
        // An obstacle to a write that is not needed is none.
        (bucket(7, Ours), forbidding(Forbids::Write, bucket(1, Ours)), Reached, Reached),
        (
            bucket(7, Ours),
            forbidding(Forbids::Present, bucket(1, Ours)),
            Refused("it is locked"),
            Refused("it is locked"),
        ),
        (bucket(7, Ours), denied(), Refused("it was denied"), Refused("it was denied")),
    ];
    let adopt = [
        (bucket(7, unmarked()), bucket(7, unmarked()), Goes, Goes),
        (bucket(7, unmarked()), bucket(1, unmarked()), Goes, Goes),
        (bucket(7, unmarked()), bucket(9, unmarked()), Waits("its size is now 9"), Goes),
        // Our mark is on, the rest is not.
        (bucket(7, unmarked()), bucket(7, Adopted), Waits(OTHER), Goes),
        (bucket(7, unmarked()), bucket(1, Adopted), Reached, Reached),
        (bucket(7, unmarked()), none(), Waits("it no longer exists"), Waits("it no longer exists")),
        (bucket(7, unmarked()), bucket(7, beta()), Refused(BETA), Refused(BETA)),
        (
            none(),
            bucket(1, unmarked()),
            Waits("it now exists, without a wbstore mark"),
            Waits("it now exists, without a wbstore mark"),
        ),
    ];
    let kept = "it has no wbstore mark";
    let absent = [
        (bucket(1, Ours), bucket(1, Ours), Goes, Goes),
        (bucket(1, Ours), bucket(9, Ours), Goes, Goes),
        (bucket(1, Ours), none(), Reached, Reached),
        (bucket(1, Ours), bucket(1, beta()), Refused(BETA), Refused(BETA)),
        (bucket(1, Ours), bucket(1, unmarked()), Refused(kept), Refused(kept)),
        (
            bucket(1, Ours),
            bucket(1, Adopted),
            Refused("it is now marked as adopted"),
            Refused("it is now marked as adopted"),
        ),
        (bucket(1, Ours), bucket(1, Unknown("no tags".into())), Refused("no tags"), Refused("no tags")),
        (bucket(1, Ours), denied(), Refused("it was denied"), Refused("it was denied")),
        (
            bucket(1, Ours),
            forbidding(Forbids::Delete, bucket(1, Ours)),
            Refused("it is locked"),
            Refused("it is locked"),
        ),
        (bucket(1, Ours), forbidding(Forbids::Write, bucket(1, Ours)), Goes, Goes),
        (
            bucket(1, Ours),
            with_kept("rule `theirs`", bucket(1, Ours)),
            Refused("rule `theirs` would be deleted with it"),
            Refused("rule `theirs` would be deleted with it"),
        ),
        (
            with_kept("rule `theirs`", bucket(1, Ours)),
            with_kept("rule `theirs`", bucket(1, Ours)),
            Goes,
            Goes,
        ),
        (bucket(1, Adopted), bucket(9, Adopted), Goes, Goes),
        (bucket(1, Adopted), none(), Reached, Reached),
        (bucket(1, Adopted), bucket(1, unmarked()), Refused(kept), Reached),
        (bucket(1, Adopted), bucket(1, beta()), Refused(BETA), Refused(BETA)),
        (
            bucket(1, Adopted),
            bucket(1, Ours),
            Refused("it now belongs to this deployment"),
            Refused("it now belongs to this deployment"),
        ),
        (
            bucket(1, Adopted),
            forbidding(Forbids::Delete, bucket(1, Adopted)),
            Refused("it is locked"),
            Refused("it is locked"),
        ),
    ];
    let goals = [(PRESENT, &present[..]), (ADOPT, &adopt[..]), (Goal::Absent, &absent[..])];
    for (goal, rows) in goals {
        for (number, (before, now, first, after)) in rows.iter().enumerate() {
            for (retry, expected) in [(false, first), (true, after)] {
                let again = twice(goal, std::slice::from_ref(before), std::slice::from_ref(now), retry);
                comes(&again, expected, &format!("{goal:?}, row {number}, retry {retry}"));
            }
        }
    }
}

#[test]
fn a_refusal_of_the_new_decision_brings_its_hint() {
    let now = forbidding(Forbids::Delete, bucket(1, Owner::Ours));
    let again = twice(Goal::Absent, &[bucket(1, Owner::Ours)], &[now], false);
    assert!(matches!(again, Again::Changed { hint: Some(hint), .. } if hint == "unlock it"));
    let again = twice(PRESENT, &[bucket(7, Owner::Ours)], &[bucket(9, Owner::Ours)], false);
    assert!(matches!(again, Again::Changed { hint: None, .. }));
}

/// A field that was not in the plan is not written, not even when the rest is as planned.
#[test]
fn a_field_that_differs_since_is_not_written() {
    let also = |mut observation: Observation| {
        let colour = ("colour".to_owned(), serde_json::json!("red"));
        if let Ok(Seen::There { state, .. }) = &mut observation.seen {
            state.extend([colour]);
        }
        observation
    };
    let again = twice(PRESENT, &[bucket(7, Owner::Ours)], &[also(bucket(7, Owner::Ours))], false);
    comes(&again, &Waits("its colour is now \"red\""), "another field");
    // It was to be taken off, and somebody has.
    let again = twice(PRESENT, &[also(bucket(7, Owner::Ours))], &[bucket(7, Owner::Ours)], false);
    comes(&again, &Goes, "one field less");
    // What is wanted now is not what was planned.
    let wanted = |value: i64, observation: Observation| Observation {
        desired: [("size".to_owned(), value.into())].into(),
        ..observation
    };
    let again = twice(PRESENT, &[bucket(7, Owner::Ours)], &[wanted(2, bucket(7, Owner::Ours))], false);
    comes(&again, &Waits("its size is now 7"), "another wish");
    let unset = |mut observation: Observation| {
        if let Ok(Seen::There { state, .. }) = &mut observation.seen {
            state.clear();
        }
        observation
    };
    let again = twice(PRESENT, &[bucket(7, Owner::Ours)], &[unset(bucket(7, Owner::Ours))], false);
    comes(&again, &Waits("its size is no longer set"), "a field unset");
}

#[test]
fn what_a_step_is_part_of_counts_too() {
    use Owner::{Adopted, Ours, Used};
    let entry = |size, removal| child(found("entry", size, Ours), removal);
    let with = |entry: Observation, parent: Observation| [entry, parent];
    let drifted = || entry(7, Removal::WithParent);
    for (parent, expected) in [
        (bucket(1, Ours), Goes),
        (bucket(9, Ours), Goes),
        (bucket(1, Used), Goes),
        (bucket(1, beta()), Refused("test/bucket/acme: it belongs to the deployment `beta`")),
        (bucket(1, unmarked()), Refused(UNMARKED)),
        (forbidding(Forbids::Present, bucket(1, Ours)), Refused("it is locked")),
        (denied(), Refused("it was denied")),
    ] {
        let row = format!("{:?}", parent.seen);
        let before = with(drifted(), bucket(1, Ours));
        comes(&twice(PRESENT, &before, &with(drifted(), parent.clone()), false), &expected, &row);
        // Nothing is left to do, so nothing is done.
        let reached = entry(1, Removal::WithParent);
        comes(&twice(PRESENT, &before, &with(reached, parent), false), &Reached, &row);
    }
    // What this run has created a moment ago may not show its mark yet; another's mark it has not.
    let before = || with(child(seen("entry"), Removal::WithParent), none());
    let now = |owner| with(child(seen("entry"), Removal::WithParent), bucket(1, owner));
    for (owner, expected) in [(Ours, Goes), (unmarked(), Waits(UNMARKED)), (beta(), Refused(BETA))] {
        comes(&twice(PRESENT, &before(), &now(owner), true), &expected, "in a new bucket");
    }
    let objects = || entry(3000, Removal::Contents);
    for (parent, expected) in [
        (bucket(1, Ours), Goes),
        (bucket(1, beta()), Refused(BETA)),
        (bucket(1, unmarked()), Refused("it has no wbstore mark")),
        (bucket(1, Adopted), Refused("which is kept")),
        (forbidding(Forbids::Delete, bucket(1, Ours)), Refused("it is locked")),
        (with_kept("rule `theirs`", bucket(1, Ours)), Refused("rule `theirs` would be deleted with it")),
    ] {
        let row = format!("{:?}", parent.seen);
        let before = with(objects(), bucket(1, Ours));
        comes(&twice(Goal::Absent, &before, &with(objects(), parent), false), &expected, &row);
    }
}

#[test]
fn what_a_deletion_takes_along_counts_too() {
    use Owner::Ours;
    let inside = |observation: Observation, removal| child(observation, removal);
    let objects = |size| inside(found("objects", size, Ours), Removal::Contents);
    let no_objects = || inside(seen("objects"), Removal::Contents);
    let entry = |owner| inside(found("entry", 1, owner), Removal::WithParent);
    let no_entry = || inside(seen("entry"), Removal::WithParent);
    let rows = [
        (no_objects(), no_objects(), Goes),
        (no_objects(), objects(1), Goes),
        (no_objects(), forbidding(Forbids::Delete, objects(1)), Refused("test/objects/acme: it is locked")),
        (objects(3000), objects(2000), Goes),
        (objects(3000), no_objects(), Goes),
        (entry(Ours), entry(Ours), Goes),
        (entry(Ours), no_entry(), Goes),
        (entry(Ours), entry(beta()), Refused("test/entry/acme: it belongs to the deployment `beta`")),
        (
            no_entry(),
            with_kept("rule `theirs`", no_entry()),
            Refused("rule `theirs` would be deleted with it"),
        ),
        (with_kept("rule `theirs`", entry(Ours)), with_kept("rule `theirs`", entry(Ours)), Goes),
        (
            with_kept("rule `theirs`", entry(Ours)),
            with_kept("rule `new`", entry(Ours)),
            Refused("rule `new` would be deleted with it"),
        ),
    ];
    for (number, (before, now, expected)) in rows.into_iter().enumerate() {
        let before = [bucket(1, Ours), before];
        let again = twice(Goal::Absent, &before, &[bucket(1, Ours), now.clone()], false);
        comes(&again, &expected, &format!("row {number}"));
        // What is gone takes nothing along.
        comes(&twice(Goal::Absent, &before, &[none(), now], false), &Reached, &format!("row {number}"));
    }
}

#[test]
fn what_holds_the_lease_may_have_been_released_by_this_run() {
    use Owner::{Adopted, Ours};
    for (owner, expected) in [(Adopted, Goes), (unmarked(), Goes), (beta(), Refused(BETA))] {
        let before = [found("entry", 1, Ours), bucket(1, Adopted)];
        let row = format!("{owner:?}");
        let now = [found("entry", 1, Ours), bucket(1, owner)];
        comes(&twice(Goal::Absent, &before, &now, false), &expected, &row);
    }
}

#[test]
fn a_step_that_the_plan_does_not_have_is_not_taken() {
    let plan = planned(PRESENT, &[none()]);
    for (address, looked) in [(at("queue"), seen("queue")), (at("bucket"), seen("queue"))] {
        comes(&again(&plan, &address, &[looked], false), &Refused("the plan has no such step"), "");
    }
}
