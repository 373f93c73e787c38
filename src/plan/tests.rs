use std::sync::Arc;

use serde_json::json;

use super::*;
use crate::error::{Error, Kind};
use crate::resource::{Fields, Forbids, Owner, Remarks, Removal, Seen, Wording};

pub(super) const PRESENT: Goal = Goal::Present { adopt: false };

pub(super) fn at(kind: &'static str) -> Address {
    Address::new("test", kind, "acme")
}

pub(super) fn fields(pairs: &[(&str, i64)]) -> Fields {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect()
}

/// A resource that wants `size` 1 and was not found.
pub(super) fn seen(kind: &'static str) -> Observation {
    Observation {
        address: at(kind),
        needs: vec![],
        part_of: None,
        detaches: vec![],
        removal: Removal::Own,
        fixed: &[],
        desired: fields(&[("size", 1)]),
        wording: Wording::default(),
        vouchers: None,
        seen: Ok(Seen::absent()),
    }
}

pub(super) fn found(kind: &'static str, size: i64, owner: Owner) -> Observation {
    Observation { seen: Ok(Seen::there(fields(&[("size", size)]), owner)), ..seen(kind) }
}

pub(super) fn child(observation: Observation, removal: Removal) -> Observation {
    Observation { needs: vec![at("bucket")], part_of: Some(at("bucket")), removal, ..observation }
}

fn subject() -> Subject {
    Subject {
        deployment: "acme".into(),
        scope: "here".into(),
        outputs: vec![],
        notes: vec![],
        assumptions: vec![],
        spares: None,
    }
}

pub(super) fn planned(goal: Goal, observations: &[Observation]) -> Plan {
    plan(goal, subject(), observations)
}

fn action(goal: Goal, observation: Observation) -> (Action, Option<String>) {
    let step = planned(goal, &[observation]).steps.remove(0);
    (step.action, step.reason)
}

#[test]
fn what_is_as_described_needs_nothing() {
    let plan = planned(PRESENT, &[found("bucket", 1, Owner::Ours), found("queue", 1, Owner::Adopted)]);
    assert!(plan.is_empty());
    assert_eq!(plan.counts.unchanged, 2);
}

#[test]
fn what_is_not_there_is_made_after_what_it_needs() {
    let notification = Observation { needs: vec![at("bucket"), at("queue")], ..seen("notification") };
    let plan = planned(PRESENT, &[notification, seen("bucket"), found("queue", 1, Owner::Ours)]);
    let order: Vec<_> = plan.steps.iter().map(|step| (step.address.kind(), step.action)).collect();
    assert_eq!(
        order,
        [("bucket", Action::Create), ("notification", Action::Create), ("queue", Action::NoOp)]
    );
    assert_eq!(plan.step(&at("notification")).expect("planned").waits_for, [at("bucket")]);
}

#[test]
fn drift_of_ours_is_changed_field_by_field() {
    let plan = planned(PRESENT, &[found("bucket", 7, Owner::Ours)]);
    assert_eq!(plan.steps[0].action, Action::Update);
    assert_eq!(
        plan.steps[0].changes,
        [Change { field: "size".into(), old: Some(json!(7)), new: Some(json!(1)) }]
    );
}

#[test]
fn what_has_no_mark_is_refused_until_it_is_to_be_adopted() {
    let unmarked = || found("bucket", 7, Owner::Other(None));
    assert_eq!(action(PRESENT, unmarked()).0, Action::Refuse);
    assert_eq!(action(Goal::Present { adopt: true }, unmarked()).0, Action::Adopt);
}

#[test]
fn what_is_only_used_is_neither_changed_nor_removed() {
    let used = || found("account", 7, Owner::Used);
    assert_eq!(action(Goal::Present { adopt: true }, used()), (Action::NoOp, None));
    assert_eq!(action(Goal::Absent, used()).0, Action::Keep);
    let mut unfit = used();
    unfit.seen.as_mut().expect("found").obstacle(Forbids::Present, "it is too old", "choose another");
    assert_eq!(action(PRESENT, unfit), (Action::Refuse, Some("it is too old".into())));
}

#[test]
fn what_suffices_is_used_until_it_is_to_be_adopted() {
    let theirs = || found("notification", 7, Owner::Sufficient("the notification `7`".into()));
    let used = &planned(PRESENT, &[theirs()]).steps[0];
    assert_eq!((used.action, used.changes.len()), (Action::NoOp, 0));
    assert!(used.findings[0].contains("the notification `7` already has the same effect and is used"));
    let adopted = &planned(Goal::Present { adopt: true }, &[theirs()]).steps[0];
    assert_eq!((adopted.action, adopted.changes.len()), (Action::Adopt, 1));
    assert!(adopted.findings[0].contains("is replaced"), "{:?}", adopted.findings);
    assert_eq!(action(Goal::Absent, theirs()).0, Action::NoOp);
}

#[test]
fn what_suffices_since_the_plan_is_not_created_again() {
    let plan = planned(PRESENT, &[seen("notification")]);
    let now = [found("notification", 1, Owner::Sufficient("the notification `7`".into()))];
    let again = again(&plan, &at("notification"), &now, false);
    assert!(matches!(again, Again::Changed { .. }), "{again:?}");
}

#[test]
fn another_deployments_is_refused_even_for_adoption() {
    let (action, reason) =
        action(Goal::Present { adopt: true }, found("bucket", 1, Owner::Other(Some("beta".into()))));
    assert_eq!(action, Action::Refuse);
    assert_eq!(reason.as_deref(), Some("it belongs to the deployment `beta`"));
}

#[test]
fn an_unknown_owner_refuses_both_ways() {
    for goal in [PRESENT, Goal::Absent] {
        let unknown = found("bucket", 1, Owner::Unknown("tags cannot be read".into()));
        assert_eq!(action(goal, unknown).0, Action::Refuse);
    }
}

#[test]
fn a_denied_look_is_a_refusal_and_not_an_absence() {
    for goal in [PRESENT, Goal::Absent] {
        let denied = Error::new(Kind::Denied, "s3:ListBucket was denied");
        let (action, reason) = action(goal, Observation { seen: Err(Arc::new(denied)), ..seen("bucket") });
        assert_eq!(action, Action::Refuse);
        assert_eq!(reason.as_deref(), Some("s3:ListBucket was denied"));
    }
}

#[test]
fn a_fixed_field_is_refused_and_never_replaced() {
    let bucket = Observation { fixed: &["size"], ..found("bucket", 7, Owner::Ours) };
    let (action, reason) = action(PRESENT, bucket);
    assert_eq!(action, Action::Refuse);
    assert_eq!(reason.as_deref(), Some("its size is 7 and cannot be changed in place"));
}

#[test]
fn an_obstacle_stops_only_what_it_forbids() {
    let locked = |size| {
        let mut bucket = found("bucket", size, Owner::Ours);
        if let Ok(found) = &mut bucket.seen {
            found.obstacle(Forbids::Write, "it is locked", "unlock it");
        }
        bucket
    };
    assert_eq!(action(PRESENT, locked(7)).0, Action::Refuse);
    assert_eq!(action(PRESENT, locked(1)).0, Action::NoOp);
    assert_eq!(action(Goal::Absent, locked(7)).0, Action::Delete);
}

#[test]
fn what_would_not_last_is_refused_even_where_nothing_differs() {
    let mut bucket = found("bucket", 1, Owner::Ours);
    if let Ok(found) = &mut bucket.seen {
        found.obstacle(Forbids::Present, "it is being emptied", "wait");
    }
    assert_eq!(action(PRESENT, bucket.clone()).0, Action::Refuse);
    assert_eq!(action(Goal::Absent, bucket).0, Action::Delete);
}

#[test]
fn what_was_adopted_is_not_given_back_while_something_would_be_left_behind() {
    let mut bucket = found("bucket", 1, Owner::Adopted);
    if let Ok(found) = &mut bucket.seen {
        found.obstacle(Forbids::Delete, "its queue would stay", "name the queue");
    }
    assert_eq!(action(Goal::Absent, bucket).0, Action::Refuse);
}

#[test]
fn teardown_turns_the_waits_round() {
    let notification = Observation { needs: vec![at("queue")], ..found("notification", 1, Owner::Ours) };
    let plan = planned(Goal::Absent, &[found("queue", 1, Owner::Ours), notification]);
    let order: Vec<_> = plan.steps.iter().map(|step| step.address.kind()).collect();
    assert_eq!(order, ["notification", "queue"]);
    assert_eq!(plan.steps[1].waits_for, [at("notification")]);
}

#[test]
fn what_lives_in_a_deleted_bucket_goes_with_it() {
    let bucket = found("bucket", 1, Owner::Ours);
    let mut cors = child(found("cors", 1, Owner::Ours), Removal::WithParent);
    if let Ok(found) = &mut cors.seen {
        found.remarks_mut().kept.push("rule `theirs`".into());
    }
    let contents = child(found("objects", 9, Owner::Ours), Removal::Contents);
    let plan = planned(Goal::Absent, &[bucket, cors, contents]);
    let cors = plan.step(&at("cors")).expect("planned");
    assert_eq!(cors.goes_with, Some(at("bucket")));
    assert_eq!(
        (cors.kept.len(), cors.findings.as_slice()),
        (0, &["deleted with it: rule `theirs`".to_owned()][..])
    );
    let bucket = plan.step(&at("bucket")).expect("planned");
    assert_eq!(bucket.waits_for, [at("objects")], "the contents go first, by calls of their own");
}

#[test]
fn an_entry_goes_before_what_the_bucket_holds_and_with_an_empty_one() {
    let mut entry = child(found("notification", 1, Owner::Ours), Removal::BeforeParent);
    if let Ok(found) = &mut entry.seen {
        found.remarks_mut().kept.push("entry `theirs`".into());
    }
    let contents = child(found("objects", 9, Owner::Ours), Removal::Contents);
    let filled = [entry.clone(), contents];
    for (owner, within, ends, goes_with) in [
        (Owner::Ours, &filled[..], 1, None),
        (Owner::Ours, &filled[..1], 1, Some(at("bucket"))),
        (Owner::Adopted, &filled[..1], 0, None),
    ] {
        let plan = planned(Goal::Absent, &[&[found("bucket", 1, owner)], within].concat());
        let step = plan.step(&at("notification")).expect("planned");
        assert_eq!((step.goes_with.clone(), step.acts()), (goes_with.clone(), goes_with.is_none()));
        assert_eq!((step.ends.len(), step.kept.len()), (ends, 1 - ends));
        let waits = &plan.step(&at("bucket")).expect("planned").waits_for;
        assert_eq!(waits.contains(&at("notification")), goes_with.is_none());
    }
}

#[test]
fn what_lives_in_a_bucket_that_stays_is_left_but_for_our_entries() {
    let bucket = found("bucket", 1, Owner::Adopted);
    let cors = child(found("cors", 1, Owner::Ours), Removal::WithParent);
    let setting = child(found("encryption", 1, Owner::Ours), Removal::Setting);
    let mut contents = child(found("objects", 9, Owner::Ours), Removal::Contents);
    if let Ok(found) = &mut contents.seen {
        found.obstacle(Forbids::Delete, "it is not empty", "--delete-objects");
    }
    let plan = planned(Goal::Absent, &[bucket, cors, setting, contents]);
    let action = |kind| plan.step(&at(kind)).expect("planned").action;
    assert_eq!(action("bucket"), Action::Release);
    assert_eq!(action("cors"), Action::Delete);
    assert_eq!(action("encryption"), Action::Keep);
    assert_eq!(action("objects"), Action::Keep, "what is not deleted cannot be refused for being full");
}

#[test]
fn teardown_keeps_what_is_not_ours() {
    assert_eq!(action(Goal::Absent, found("bucket", 1, Owner::Other(None))).0, Action::Keep);
    assert_eq!(action(Goal::Absent, found("bucket", 1, Owner::Other(Some("beta".into())))).0, Action::Keep);
    assert_eq!(action(Goal::Absent, seen("bucket")).0, Action::NoOp);
}

/// The digest of a plan for `goal` of what was seen.
fn digest(goal: Goal, observations: &[Observation]) -> Digest {
    planned(goal, observations).digest.expect("nothing is assumed")
}

fn with(mut observation: Observation, change: impl FnOnce(&mut Remarks)) -> Observation {
    change(observation.seen.as_mut().expect("it was seen").remarks_mut());
    observation
}

#[test]
fn the_digest_follows_what_would_be_done() {
    let drifted = || found("bucket", 7, Owner::Ours);
    let reviewed = digest(PRESENT, &[drifted()]);
    assert_eq!(reviewed, digest(PRESENT, &[drifted()]));
    assert_ne!(reviewed, digest(PRESENT, &[found("bucket", 8, Owner::Ours)]));
    assert_ne!(reviewed, digest(PRESENT, &[found("topic", 7, Owner::Ours)]));
    assert_ne!(reviewed, digest(PRESENT, &[drifted(), seen("queue")]));
    assert_ne!(reviewed, digest(Goal::Absent, &[drifted()]));
    let subject = |scope: &str, value: &str| Subject {
        scope: scope.into(),
        outputs: vec![Output { name: "BUCKET", value: value.into() }],
        ..subject()
    };
    let of = |subject| plan(PRESENT, subject, &[drifted()]).digest;
    assert_ne!(of(subject("here", "a")), of(subject("there", "a")));
    assert_ne!(of(subject("here", "a")), of(subject("here", "b")));
}

#[test]
fn the_digest_does_not_follow_what_is_only_told() {
    let bucket = || found("bucket", 7, Owner::Ours);
    let told = with(bucket(), |found| {
        found.kept.push("rule `theirs`".into());
        found.findings.push("it comes back until 2030-01-01".into());
    });
    assert_eq!(digest(PRESENT, &[bucket()]), digest(PRESENT, &[told]));
    let noted = Subject { notes: vec!["a note".into()], ..subject() };
    assert_eq!(Some(digest(PRESENT, &[bucket()])), plan(PRESENT, noted, &[bucket()]).digest);
}

#[test]
fn of_a_containers_contents_only_whether_there_are_any_is_in_the_digest() {
    let holding = |count| {
        let contents = child(found("objects", count, Owner::Ours), Removal::Contents);
        digest(Goal::Absent, &[found("bucket", 1, Owner::Ours), contents])
    };
    assert_eq!(holding(9), holding(10));
    let empty = child(seen("objects"), Removal::Contents);
    assert_ne!(holding(9), digest(Goal::Absent, &[found("bucket", 1, Owner::Ours), empty]));
}

#[test]
fn of_a_lease_the_span_is_in_the_digest_and_the_date_is_not() {
    let leased = |span: i64, end: i64| Observation {
        desired: fields(&[("tags.lease", span), ("tags.expires", end)]),
        ..found("bucket", 1, Owner::Ours)
    };
    assert_eq!(digest(PRESENT, &[leased(7, 100)]), digest(PRESENT, &[leased(7, 200)]));
    assert_ne!(digest(PRESENT, &[leased(7, 100)]), digest(PRESENT, &[leased(8, 100)]));
}

#[test]
fn a_plan_that_assumes_something_says_so_and_has_no_digest() {
    let assumed = Subject { assumptions: vec!["the location was not read".into()], ..subject() };
    let plan = plan(PRESENT, assumed, &[seen("bucket")]);
    assert_eq!((plan.digest, plan.notes), (None, vec!["the location was not read".to_owned()]));
}

#[test]
fn a_digest_is_32_hex_digits() {
    let digest = digest(PRESENT, &[seen("bucket")]);
    assert_eq!(digest.as_str().len(), 32);
    assert_eq!(digest.as_str().to_uppercase().parse::<Digest>().expect("it is one"), digest);
    for wrong in ["", "0123456789abcdef", "0123456789abcdef0123456789abcdeg", &"ä".repeat(16)] {
        assert!(wrong.parse::<Digest>().is_err_and(|error| error.what_next().is_some()), "{wrong}");
    }
}

#[test]
fn steps_that_wait_for_each_other_are_still_all_listed() {
    let one = Observation { needs: vec![at("two")], ..seen("one") };
    let two = Observation { needs: vec![at("one")], ..seen("two") };
    assert_eq!(planned(PRESENT, &[one, two]).steps.len(), 2);
}

#[test]
fn consent_without_a_name_covers_no_data() {
    let holding = |observation: Observation, held: &str| {
        let mut observation = observation;
        if let Ok(seen) = &mut observation.seen {
            seen.remarks_mut().holds = Some(held.to_owned());
        }
        observation
    };
    let spares = Spares { command: "wbstore teardown test".into(), confirmation: "--confirm acme".into() };
    let planned = |observations: &[Observation]| {
        plan(Goal::Absent, Subject { spares: Some(spares.clone()), ..subject() }, observations)
    };
    let queue = || found("queue", 1, Owner::Ours);
    let bucket = || found("bucket", 1, Owner::Ours);
    let objects = || holding(child(found("objects", 9, Owner::Ours), Removal::Contents), "9 objects");
    let empty = planned(&[queue(), bucket()]);
    assert!(!empty.is_refused() && !empty.deletes_data());
    let hints = |plan: &Plan| plan.refusals().filter_map(|step| step.hint.clone()).collect::<Vec<_>>();
    let messages = planned(&[holding(queue(), "2 messages"), bucket()]);
    assert_eq!(hints(&messages), ["`wbstore teardown test --confirm acme` deletes that too"]);
    let both = planned(&[holding(queue(), "2 messages"), bucket(), objects()]);
    assert_eq!(hints(&both), ["`wbstore teardown test --delete-objects --confirm acme` deletes that too"; 2]);
    // What holds them is not ours, or is kept for another reason too.
    assert!(!planned(&[holding(found("queue", 1, Owner::Adopted), "2 messages")]).is_refused());
    let mut kept = objects();
    if let Ok(seen) = &mut kept.seen {
        seen.obstacle(Forbids::Delete, "it contains 9 objects", "add `--delete-objects`");
        seen.obstacle(Forbids::Delete, "a hold keeps them", "lift it");
    }
    assert_eq!(hints(&planned(&[bucket(), kept])), ["add `--delete-objects`"]);
    let consented = plan(Goal::Absent, subject(), &[holding(queue(), "2 messages"), bucket(), objects()]);
    assert!(consented.deletes_data() && !consented.is_refused());
}
