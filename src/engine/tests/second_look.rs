//! What the engine does when the look right before a step shows something else than the plan was made of.

use super::*;
use crate::resource::fake::World;

fn first(act: impl FnOnce(&mut World) + Send + 'static) -> Turn {
    Turn::After(Box::new(act))
}

fn beta() -> Owner {
    Owner::Other(Some("beta".to_owned()))
}

/// A bucket that exists in this size and with this owner.
async fn a_bucket(goal: Goal, size: u32, owner: Owner) -> Planned {
    let cloud = Cloud::new();
    cloud.world().put("bucket", size, owner);
    planned(goal, &cloud, [part("bucket").on(&cloud)]).await
}

/// A bucket that does not.
async fn no_bucket() -> Planned {
    let cloud = Cloud::new();
    planned(PRESENT, &cloud, [part("bucket").on(&cloud)]).await
}

impl Planned {
    fn meanwhile(self, act: impl FnOnce(&mut World)) -> Self {
        act(&mut self.cloud.world());
        self
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_as_planned_is_looked_at_and_written() {
    let planned = a_bucket(PRESENT, 7, Owner::Ours).await;
    let cloud = Arc::clone(&planned.cloud);
    let ran = planned.applied().await;
    assert_eq!(ran.calls, ["look bucket", "write bucket"]);
    assert_eq!((cloud.found("bucket"), ran.code()), (Some((1, Owner::Ours)), 0));
}

#[tokio::test(start_paused = true)]
async fn a_goal_that_is_reached_is_done_without_a_write() {
    let planned =
        a_bucket(PRESENT, 7, Owner::Ours).await.meanwhile(|world| world.put("bucket", 1, Owner::Ours));
    let ran = planned.applied().await;
    assert_eq!((&ran.calls[..], ran.ends()), (&["look bucket".to_owned()][..], vec!["bucket done"]));
    assert_eq!((ran.report.changed, ran.code()), (false, 0));
    let gone = a_bucket(Goal::Absent, 1, Owner::Ours).await.meanwhile(|world| world.take("bucket"));
    let ran = gone.applied().await;
    assert_eq!((ran.calls.len(), ran.report.done.len(), ran.code()), (1, 1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_field_that_somebody_changed_is_left_once_it_is_no_lag() {
    let planned =
        a_bucket(PRESENT, 7, Owner::Ours).await.meanwhile(|world| world.put("bucket", 9, Owner::Ours));
    let ran = planned.applied().await;
    let (error, text) = ran.failure();
    assert_eq!(
        (error.kind(), text.as_str()),
        (Kind::Outdated, "test/bucket/acme has changed since the plan: its size is now 9")
    );
    assert_eq!(ran.count("write bucket"), 0);
    assert!(ran.took > seconds(100) && ran.took <= seconds(120), "{:?}", ran.took);
    assert_eq!((ran.report.changed, ran.code()), (false, 3));
}

#[tokio::test(start_paused = true)]
async fn a_look_that_lags_is_taken_again_until_it_shows_what_was_planned() {
    let planned =
        a_bucket(PRESENT, 7, Owner::Ours).await.meanwhile(|world| world.put("bucket", 9, Owner::Ours));
    let cloud = Arc::clone(&planned.cloud);
    let settle = async {
        tokio::time::sleep(seconds(20)).await;
        cloud.world().put("bucket", 7, Owner::Ours);
    };
    let (ran, ()) = futures::join!(planned.applied(), settle);
    assert_eq!((ran.count("write bucket"), ran.code()), (1, 0));
    assert!(ran.waits().iter().all(|why| why.contains("its size is now 9")), "{:?}", ran.waits());
}

#[tokio::test(start_paused = true)]
async fn another_deployments_mark_is_refused_at_once() {
    for (goal, size, owner) in [
        (PRESENT, 7, Owner::Ours),
        (ADOPT, 1, Owner::Other(None)),
        (Goal::Absent, 1, Owner::Ours),
        (Goal::Absent, 1, Owner::Adopted),
    ] {
        let planned = a_bucket(goal, size, owner).await.meanwhile(|world| world.put("bucket", 3, beta()));
        let cloud = Arc::clone(&planned.cloud);
        let ran = planned.applied().await;
        assert_eq!((ran.took, &ran.calls[..]), (Duration::ZERO, &["look bucket".to_owned()][..]));
        assert!(ran.failure().1.contains("it belongs to the deployment `beta`"), "{}", ran.failure().1);
        assert_eq!((cloud.found("bucket"), ran.report.changed, ran.code()), (Some((3, beta())), false, 3));
    }
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_was_renewed_is_refused_at_once_with_its_own_hint() {
    let planned = a_bucket(Goal::Absent, 1, Owner::Ours).await;
    let planned =
        planned.meanwhile(|world| world.forbid("bucket", Forbids::Delete, "its lease has not ended"));
    let ran = planned.applied().await;
    let (error, text) = ran.failure();
    assert_eq!(text, "test/bucket/acme has changed since the plan: its lease has not ended");
    assert_eq!(error.what_next(), Some("clear it"));
    assert_eq!((ran.took, ran.count("delete bucket"), ran.code()), (Duration::ZERO, 0, 3));
}

#[tokio::test(start_paused = true)]
async fn whose_lease_a_deletion_is_under_is_looked_at_too() {
    for (owner, call) in [(Owner::Ours, "delete queue"), (Owner::Adopted, "release queue")] {
        for renewed in [false, true] {
            let cloud = Cloud::new();
            cloud.world().put("bucket", 1, Owner::Ours);
            cloud.world().put("queue", 1, owner.clone());
            let parts = [part("bucket").on(&cloud), part("queue").under_lease_of("bucket").on(&cloud)];
            let planned = planned(Goal::Absent, &cloud, parts).await;
            if renewed {
                cloud.world().forbid("bucket", Forbids::Delete, "its lease has not ended");
            }
            let ran = planned.applied().await;
            assert_eq!(ran.count(call), usize::from(!renewed));
            assert_eq!(ran.code(), if renewed { 3 } else { 0 });
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_depended_on_twice_is_looked_at_once() {
    let cloud = Cloud::new();
    cloud.world().put("bucket", 1, Owner::Ours);
    cloud.world().put("queue", 1, Owner::Ours);
    let parts =
        [part("bucket").on(&cloud), part("queue").within("bucket").under_lease_of("bucket").on(&cloud)];
    let ran = planned(Goal::Absent, &cloud, parts).await.applied().await;
    assert_eq!(ran.calls[..3], ["look queue", "look bucket", "delete queue"]);
}

#[tokio::test(start_paused = true)]
async fn a_look_that_is_denied_is_no_absence() {
    for (goal, size) in [(PRESENT, 7), (Goal::Absent, 1)] {
        let planned = a_bucket(goal, size, Owner::Ours).await;
        planned.cloud.script("bucket", Verb::Look, [Turn::Unsent(denied())]);
        let ran = planned.applied().await;
        assert!(ran.failure().1.ends_with("it was denied"));
        assert_eq!((ran.calls.len(), ran.code()), (1, 3));
    }
}

#[tokio::test(start_paused = true)]
async fn a_creation_that_fails_where_something_exists_takes_no_look_unless_time_has_passed() {
    let calls = |ran: Ran| ran.calls;
    assert_eq!(calls(no_bucket().await.applied().await), ["write bucket"]);
    assert_eq!(calls(no_bucket().await.aged().applied().await), ["look bucket", "write bucket"]);
    let cloud = Cloud::new();
    let inclusive = planned(PRESENT, &cloud, [part("bucket").inclusive().on(&cloud)]).await;
    assert_eq!(calls(inclusive.applied().await), ["look bucket", "write bucket"]);
}

#[tokio::test(start_paused = true)]
async fn what_was_to_be_created_and_exists_now_is_not_written_over() {
    for (size, owner, why) in [
        (9, Owner::Ours, "it now exists, with other settings"),
        (9, Owner::Other(None), "it exists and has no wbstore mark"),
        (9, beta(), "it belongs to the deployment `beta`"),
    ] {
        let planned = no_bucket().await.aged();
        let cloud = Arc::clone(&planned.cloud);
        cloud.world().put("bucket", size, owner.clone());
        let ran = planned.applied().await;
        assert!(ran.failure().1.ends_with(why), "{}", ran.failure().1);
        // Only what is ours may be a look that lags.
        assert_eq!(ran.took > Duration::ZERO, owner == Owner::Ours);
        assert_eq!(
            (cloud.found("bucket"), ran.count("write bucket"), ran.code()),
            (Some((size, owner)), 0, 3)
        );
    }
    let ran = no_bucket().await.aged().meanwhile(|world| world.put("bucket", 1, Owner::Ours)).applied().await;
    assert_eq!((ran.count("write bucket"), ran.ends(), ran.code()), (0, vec!["bucket done"], 0));
}

#[tokio::test(start_paused = true)]
async fn a_creation_that_comes_second_is_decided_by_whose_it_is() {
    for (owner, code) in [(Owner::Ours, 0), (beta(), 3)] {
        let planned = no_bucket().await;
        let cloud = Arc::clone(&planned.cloud);
        let theirs = owner.clone();
        cloud.script("bucket", Verb::Write, [first(|world| world.put("bucket", 1, theirs))]);
        let ran = planned.applied().await;
        assert_eq!((ran.count("write bucket"), ran.report.changed, ran.code()), (1, false, code));
        assert_eq!(cloud.found("bucket"), Some((1, owner)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_creation_whose_answer_was_lost_is_found_and_not_repeated() {
    let planned = no_bucket().await;
    planned.cloud.script("bucket", Verb::Write, [Turn::Lost(fault())]);
    let ran = planned.applied().await;
    assert_eq!(ran.calls, ["write bucket", "look bucket"]);
    assert_eq!((ran.ends(), ran.report.changed, ran.code()), (vec!["bucket done"], true, 0));
}

#[tokio::test(start_paused = true)]
async fn a_creation_whose_answer_was_lost_and_that_is_not_seen_yet_is_waited_for() {
    let planned = no_bucket().await;
    let cloud = Arc::clone(&planned.cloud);
    cloud.script("bucket", Verb::Write, [Turn::Lost(fault())]);
    cloud.script("bucket", Verb::Look, [first(|world| world.hide("bucket", 2))]);
    let ran = planned.applied().await;
    assert_eq!((ran.ends(), ran.code()), (vec!["bucket done"], 0));
    assert!(ran.waits().contains(&"test/bucket/acme already exists"), "{:?}", ran.waits());
}

#[tokio::test(start_paused = true)]
async fn a_creation_that_came_half_way_goes_on_from_what_it_left() {
    let planned = no_bucket().await;
    let cloud = Arc::clone(&planned.cloud);
    let half = |world: &mut World| world.put("bucket", 5, Owner::Ours);
    cloud.script("bucket", Verb::Write, [first(half), Turn::Refused(fault())]);
    let ran = planned.applied().await;
    assert_eq!(ran.calls, ["write bucket", "look bucket", "write bucket"]);
    assert_eq!((cloud.found("bucket"), ran.code()), (Some((1, Owner::Ours)), 0));
}

#[tokio::test(start_paused = true)]
async fn what_changed_before_our_first_request_left_is_not_ours() {
    let planned = no_bucket().await;
    let cloud = Arc::clone(&planned.cloud);
    let theirs = |world: &mut World| world.put("bucket", 5, Owner::Ours);
    cloud.script("bucket", Verb::Write, [first(theirs), Turn::Unsent(fault())]);
    let ran = planned.applied().await;
    assert!(ran.failure().1.ends_with("it now exists, with other settings"), "{}", ran.failure().1);
    assert_eq!((ran.count("write bucket"), ran.report.changed, ran.code()), (1, false, 3));
}

#[tokio::test(start_paused = true)]
async fn an_update_is_repeated_after_a_fault_but_not_over_what_cannot_be_ours() {
    let planned = a_bucket(PRESENT, 7, Owner::Ours).await;
    planned.cloud.script("bucket", Verb::Write, [Turn::Refused(fault())]);
    let ran = planned.applied().await;
    assert_eq!((ran.count("write bucket"), ran.code()), (2, 0));

    let planned = a_bucket(PRESENT, 7, Owner::Ours).await;
    let cloud = Arc::clone(&planned.cloud);
    let theirs = |world: &mut World| world.put("bucket", 9, Owner::Ours);
    cloud.script("bucket", Verb::Write, [Turn::Unsent(fault())]);
    cloud.script("bucket", Verb::Look, [Turn::Works, first(theirs)]);
    let ran = planned.applied().await;
    assert_eq!((ran.count("write bucket"), cloud.found("bucket")), (1, Some((9, Owner::Ours))));
    assert_eq!(ran.code(), 3);
}

#[tokio::test(start_paused = true)]
async fn an_adoption_that_came_half_way_goes_on_and_stays_an_adoption() {
    let planned = a_bucket(ADOPT, 7, Owner::Other(None)).await;
    let cloud = Arc::clone(&planned.cloud);
    let marked = |world: &mut World| world.put("bucket", 7, Owner::Adopted);
    cloud.script("bucket", Verb::Write, [first(marked), Turn::Refused(fault())]);
    let ran = planned.applied().await;
    assert_eq!((cloud.found("bucket"), ran.code()), (Some((1, Owner::Adopted)), 0));
}

#[tokio::test(start_paused = true)]
async fn a_release_whose_answer_was_lost_is_done_and_one_by_somebody_else_is_not() {
    let planned = a_bucket(Goal::Absent, 1, Owner::Adopted).await;
    planned.cloud.script("bucket", Verb::Release, [Turn::Lost(fault())]);
    let ran = planned.applied().await;
    assert_eq!((ran.count("release bucket"), ran.ends(), ran.code()), (1, vec!["bucket done"], 0));

    let planned = a_bucket(Goal::Absent, 1, Owner::Adopted).await;
    let ran = planned.meanwhile(|world| world.put("bucket", 1, Owner::Other(None))).applied().await;
    assert!(ran.failure().1.ends_with("it has no wbstore mark"));
    assert_eq!((ran.count("release bucket"), ran.code()), (0, 3));
}

#[tokio::test(start_paused = true)]
async fn a_deletion_whose_answer_was_lost_is_done() {
    let planned = a_bucket(Goal::Absent, 1, Owner::Ours).await;
    planned.cloud.script("bucket", Verb::Delete, [Turn::Lost(fault())]);
    let ran = planned.applied().await;
    assert_eq!((ran.count("delete bucket"), ran.ends(), ran.code()), (1, vec!["bucket done"], 0));
}

/// A bucket of ours with `versions`, where they may be deleted.
async fn holding(versions: u32) -> Planned {
    let cloud = Cloud::new();
    cloud.world().put("bucket", 1, Owner::Ours);
    if versions > 0 {
        cloud.world().put("objects", versions, Owner::Ours);
    }
    let parts = [
        part("bucket").on(&cloud),
        Part::<Contents>::new("objects").within("bucket").on(&cloud),
        Part::<Entry>::new("entry").within("bucket").on(&cloud),
    ];
    planned(Goal::Absent, &cloud, parts).await
}

#[tokio::test(start_paused = true)]
async fn contents_that_appeared_keep_their_bucket() {
    let planned = holding(0).await.meanwhile(|world| {
        world.put("objects", 1, Owner::Ours);
        world.forbid("objects", Forbids::Delete, "it contains 1 object");
    });
    let cloud = Arc::clone(&planned.cloud);
    let ran = planned.applied().await;
    assert_eq!(
        ran.failure().1,
        "test/bucket/acme has changed since the plan: test/objects/acme: it contains 1 object"
    );
    assert_eq!(
        (ran.count("delete bucket"), cloud.found("objects"), ran.code()),
        (0, Some((1, Owner::Ours)), 3)
    );
}

#[tokio::test(start_paused = true)]
async fn contents_that_may_be_deleted_are_however_many_there_are_by_then() {
    for by_then in [500, 5000] {
        let planned = holding(3000).await.meanwhile(|world| world.put("objects", by_then, Owner::Ours));
        let cloud = Arc::clone(&planned.cloud);
        let ran = planned.applied().await;
        assert_eq!(ran.ends(), ["objects done", "bucket done"]);
        assert_eq!((cloud.found("objects"), cloud.found("bucket"), ran.code()), (None, None, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn contents_are_kept_when_their_bucket_was_taken() {
    for owner in [beta(), Owner::Other(None), Owner::Adopted] {
        let planned = holding(3000).await.meanwhile(|world| world.put("bucket", 1, owner));
        let cloud = Arc::clone(&planned.cloud);
        let ran = planned.applied().await;
        assert_eq!(
            (cloud.found("objects"), ran.report.changed, ran.code()),
            (Some((3000, Owner::Ours)), false, 3)
        );
        assert_eq!(ran.ends()[1], "bucket blocked: objects");
    }
}

#[tokio::test(start_paused = true)]
async fn a_bucket_that_is_taken_while_it_is_emptied_is_kept() {
    let planned = holding(3000).await;
    let cloud = Arc::clone(&planned.cloud);
    let taken = first(|world| world.put("bucket", 1, beta()));
    cloud.script("objects", Verb::Delete, [Turn::Works, taken]);
    let ran = planned.applied().await;
    assert_eq!((ran.count("delete bucket"), cloud.found("bucket"), ran.code()), (0, Some((1, beta())), 4));
}

/// Puts another object into the bucket each time that it is looked at.
fn refill(cloud: &Cloud, times: usize) {
    let refill = || first(|world| world.put("objects", 1, Owner::Ours));
    let refills = (0..times).flat_map(|_| [refill(), Turn::Works]);
    // The first look is that of the objects.
    cloud.script("bucket", Verb::Look, std::iter::once(Turn::Works).chain(refills));
}

#[tokio::test(start_paused = true)]
async fn what_arrives_while_a_bucket_is_emptied_is_deleted_too() {
    let planned = holding(3000).await;
    let cloud = Arc::clone(&planned.cloud);
    refill(&cloud, 2);
    let ran = planned.applied().await;
    assert_eq!((ran.ends(), ran.code()), (vec!["objects done", "bucket done"], 0));
    assert_eq!((ran.count("delete objects"), ran.count("delete bucket")), (5, 1));
}

#[tokio::test(start_paused = true)]
async fn a_bucket_that_is_written_to_all_the_time_is_given_up() {
    let planned = holding(3000).await;
    let cloud = Arc::clone(&planned.cloud);
    refill(&cloud, 1000);
    let ran = planned.applied().await;
    let (error, text) = ran.failure();
    assert_eq!((error.kind(), text.as_str()), (Kind::Conflict, "empty acme: new objects keep arriving"));
    assert!(error.what_next().is_some_and(|hint| hint.contains("stop what writes")), "{error:?}");
    assert_eq!((ran.count("delete bucket"), ran.code()), (0, 4));
}

#[tokio::test(start_paused = true)]
async fn what_arrives_in_a_bucket_that_was_taken_is_kept() {
    for owner in [beta(), Owner::Other(None), Owner::Adopted] {
        let planned = holding(3000).await;
        let cloud = Arc::clone(&planned.cloud);
        let taken = first(|world| {
            world.put("bucket", 1, owner);
            world.put("objects", 1, Owner::Ours);
        });
        cloud.script("bucket", Verb::Look, [Turn::Works, taken]);
        let ran = planned.applied().await;
        assert_eq!((cloud.found("objects"), ran.count("delete objects")), (Some((1, Owner::Ours)), 3));
        assert_eq!((ran.count("delete bucket"), ran.code()), (0, 4));
    }
}

#[tokio::test(start_paused = true)]
async fn an_entry_of_others_that_would_end_with_a_bucket_keeps_it() {
    let empty = holding(0).await.meanwhile(|world| world.enter("entry", "rule `theirs`"));
    let cloud = Arc::clone(&empty.cloud);
    let ran = empty.applied().await;
    assert_eq!(
        ran.failure().1,
        "test/bucket/acme has changed since the plan: test/entry/acme: rule `theirs` would be deleted with it"
    );
    assert_eq!((ran.count("delete bucket"), cloud.entries("entry").len(), ran.code()), (0, 1, 3));

    // It came while our own entry beside it was removed.
    let cloud = Cloud::new();
    cloud.world().put("bucket", 1, Owner::Ours);
    cloud.world().put("entry", 1, Owner::Ours);
    cloud.world().put("objects", 3, Owner::Ours);
    let parts = [
        part("bucket").on(&cloud),
        Part::<Contents>::new("objects").within("bucket").on(&cloud),
        Part::<EarlyEntry>::new("entry").within("bucket").on(&cloud),
    ];
    let removal = planned(Goal::Absent, &cloud, parts).await;
    cloud.script("entry", Verb::Delete, [first(|world| world.enter("entry", "rule `theirs`"))]);
    let ran = removal.applied().await;
    assert_eq!((ran.count("delete entry"), ran.count("delete bucket"), ran.code()), (1, 0, 4));

    // The one that the plan showed goes, as it said.
    let cloud = Cloud::new();
    cloud.world().put("bucket", 1, Owner::Ours);
    cloud.world().enter("entry", "rule `theirs`");
    let parts = [part("bucket").on(&cloud), Part::<Entry>::new("entry").within("bucket").on(&cloud)];
    let ran = planned(Goal::Absent, &cloud, parts).await.applied().await;
    assert_eq!((cloud.found("bucket"), ran.code()), (None, 0));
}

/// An entry that is to be created in a bucket.
fn bucket_and_entry(cloud: &Arc<Cloud>) -> [Box<dyn AnyResource>; 2] {
    [part("bucket").on(cloud), Part::<Entry>::new("entry").within("bucket").on(cloud)]
}

#[tokio::test(start_paused = true)]
async fn an_entry_is_not_written_into_a_bucket_that_was_taken() {
    let cloud = Cloud::new();
    cloud.world().put("bucket", 1, Owner::Ours);
    let planned = planned(PRESENT, &cloud, bucket_and_entry(&cloud)).await;
    let ran = planned.meanwhile(|world| world.put("bucket", 1, beta())).applied().await;
    assert_eq!(
        ran.failure().1,
        "test/entry/acme has changed since the plan: test/bucket/acme: it belongs to the deployment `beta`"
    );
    assert_eq!((ran.count("write entry"), ran.took, ran.code()), (0, Duration::ZERO, 3));
}

#[tokio::test(start_paused = true)]
async fn in_a_bucket_that_this_run_created_nothing_is_looked_at_first() {
    let cloud = Cloud::new();
    let ran = planned(PRESENT, &cloud, bucket_and_entry(&cloud)).await.applied().await;
    assert_eq!(ran.calls, ["write bucket", "write entry"]);
}

#[tokio::test(start_paused = true)]
async fn while_the_cloud_completes_a_bucket_others_have_no_time_to_write_into_it() {
    let asked = ["write bucket", "write bucket", "write entry"];
    let repeated = ["write bucket", "look bucket", "write bucket", "write entry", "look entry"];
    for (answer, calls) in [(not_yet().under_way(), &asked[..]), (not_yet(), &repeated[..])] {
        let cloud = Cloud::new();
        let parts = [part("bucket").on(&cloud), Part::<Entry>::new("entry").within("bucket").on(&cloud)];
        let planned = planned(PRESENT, &cloud, parts).await;
        cloud.script("bucket", Verb::Write, [Turn::Refused(answer)]);
        assert_eq!(planned.applied().await.calls, calls);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_detached_is_not_waited_for_but_looked_at() {
    let both = async || {
        let cloud = Cloud::new();
        cloud.world().put("topic", 1, Owner::Ours);
        cloud.world().put("subscription", 1, Owner::Ours);
        for kind in ["topic", "subscription"] {
            cloud.script(kind, Verb::Delete, [Turn::Takes(Duration::from_secs(10))]);
        }
        let topic = part("topic").detaching("subscription").on(&cloud);
        let subscription = part("subscription").needs(&["topic"]).on(&cloud);
        planned(Goal::Absent, &cloud, [topic, subscription]).await
    };
    let ran = both().await.applied().await;
    assert_eq!((ran.count("delete topic"), ran.took, ran.code()), (1, Duration::from_secs(10), 0));
    let ran = both().await.meanwhile(|world| world.put("subscription", 1, beta())).applied().await;
    let deleted = ["topic", "subscription"].map(|kind| ran.count(&format!("delete {kind}")));
    assert_eq!((deleted, ran.code()), ([0, 0], 3));
}

#[tokio::test(start_paused = true)]
async fn after_a_prompt_a_bucket_is_looked_at_but_not_what_is_in_a_new_one() {
    let cloud = Cloud::new();
    let ran = planned(PRESENT, &cloud, bucket_and_entry(&cloud)).await.aged().applied().await;
    assert_eq!(ran.calls, ["look bucket", "write bucket", "write entry"]);
}

#[tokio::test(start_paused = true)]
async fn in_a_bucket_that_another_run_created_the_entries_of_others_are_kept() {
    // As it is to be, as it is to be and our answer is lost, and still on its way.
    for (size, answer) in [(1, None), (1, Some(Turn::Lost(fault()))), (5, Some(Turn::Refused(fault())))] {
        let cloud = Cloud::new();
        let planned = planned(PRESENT, &cloud, bucket_and_entry(&cloud)).await;
        let another_run = first(move |world| {
            world.put("bucket", size, Owner::Ours);
            world.enter("entry", "rule `theirs`");
        });
        cloud.script("bucket", Verb::Write, std::iter::once(another_run).chain(answer));
        let ran = planned.applied().await;
        assert_eq!(ran.code(), 0, "{:?}", ran.events);
        assert_eq!(cloud.entries("entry"), ["rule `theirs`"], "{:?}", ran.calls);
    }
}

#[tokio::test(start_paused = true)]
async fn an_entry_of_others_that_came_while_we_waited_is_kept() {
    let cloud = Cloud::new();
    let planned = planned(PRESENT, &cloud, bucket_and_entry(&cloud)).await;
    cloud.script("entry", Verb::Write, [Turn::Refused(not_yet())]);
    cloud.script("entry", Verb::Look, [first(|world| world.enter("entry", "rule `theirs`"))]);
    let ran = planned.applied().await;
    assert_eq!((ran.count("write entry"), ran.code()), (2, 0));
    assert_eq!(cloud.entries("entry"), ["rule `theirs`"]);
}

#[tokio::test(start_paused = true)]
async fn a_bucket_that_is_taken_while_its_entry_is_waited_for_is_left() {
    let cloud = Cloud::new();
    let planned = planned(PRESENT, &cloud, bucket_and_entry(&cloud)).await;
    let taken = first(|world| world.put("bucket", 1, beta()));
    cloud.script("entry", Verb::Write, [taken, Turn::Refused(not_yet())]);
    let ran = planned.applied().await;
    assert!(ran.failure().1.ends_with("it belongs to the deployment `beta`"));
    assert_eq!((ran.count("write entry"), ran.code()), (1, 4));
}

#[tokio::test(start_paused = true)]
async fn an_entry_waits_for_the_mark_of_its_new_bucket() {
    let cloud = Cloud::new();
    let parts =
        [Part::<ReadBack>::new("bucket").on(&cloud), Part::<Entry>::new("entry").within("bucket").on(&cloud)];
    let planned = planned(PRESENT, &cloud, parts).await;
    cloud.script("bucket", Verb::Write, [Turn::Unmarked, Turn::Takes(seconds(30))]);
    cloud.script("entry", Verb::Write, [Turn::Refused(not_yet())]);
    let ran = planned.applied().await;
    assert_eq!((ran.ends(), ran.code()), (vec!["bucket done", "entry done"], 0));
    assert!(ran.waits().iter().any(|why| why.ends_with("it exists and has no wbstore mark")));
}
