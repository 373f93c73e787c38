//! What was written is looked at once more.

use super::*;

fn read_back(kind: &'static str) -> Part<ReadBack> {
    Part::new(kind)
}

fn meanwhile(act: impl FnOnce(&mut crate::resource::fake::World) + Send + 'static) -> Turn {
    Turn::After(Box::new(act))
}

/// An entry of a bucket that both exist, the entry with another size than is wanted.
async fn drifted(cloud: &Arc<Cloud>) -> Planned {
    cloud.world().put("bucket", 1, Owner::Ours);
    cloud.world().put("entry", 7, Owner::Ours);
    let parts = [part("bucket").on(cloud), Part::<Entry>::new("entry").within("bucket").on(cloud)];
    planned(PRESENT, cloud, parts).await
}

#[tokio::test(start_paused = true)]
async fn what_is_seen_as_it_was_written_is_done() {
    let cloud = Cloud::new();
    let parts = [read_back("bucket").on(&cloud), part("queue").on(&cloud)];
    let ran = planned(PRESENT, &cloud, parts).await.applied().await;
    assert_eq!(ran.calls, ["write bucket", "write queue", "look bucket"], "only one asks for it");
}

#[tokio::test(start_paused = true)]
async fn what_goes_is_not_read_back_and_neither_is_what_was_not_written() {
    let cloud = Cloud::new();
    cloud.world().put("bucket", 1, Owner::Ours);
    let ran = planned(Goal::Absent, &cloud, [read_back("bucket").on(&cloud)]).await.applied().await;
    assert_eq!(ran.calls, ["look bucket", "delete bucket"]);

    cloud.world().put("bucket", 7, Owner::Ours);
    let planned = planned(PRESENT, &cloud, [read_back("bucket").on(&cloud)]).await;
    cloud.world().put("bucket", 1, Owner::Ours);
    assert_eq!(planned.applied().await.calls, ["look bucket"]);
}

#[tokio::test(start_paused = true)]
async fn a_look_that_lags_once_is_only_taken_again() {
    let cloud = Cloud::new();
    let planned = drifted(&cloud).await;
    cloud.script("entry", Verb::Write, [Turn::Lags(1)]);
    let ran = planned.applied().await;
    assert_eq!((ran.count("write entry"), ran.count("look entry"), ran.code()), (1, 3, 0));
    assert_eq!(ran.waits(), ["its size is not yet the value that was written"]);
}

#[tokio::test(start_paused = true)]
async fn a_change_that_was_lost_is_written_once_more() {
    let cloud = Cloud::new();
    let planned = drifted(&cloud).await;
    let lost = meanwhile(|world| world.put("entry", 9, Owner::Ours));
    cloud.script("entry", Verb::Look, [Turn::Works, lost]);
    let ran = planned.applied().await;
    assert_eq!((ran.count("write entry"), cloud.found("entry")), (2, Some((1, Owner::Ours))));
    assert_eq!(ran.code(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_entry_that_was_lost_is_created_once_more_with_those_of_others() {
    let cloud = Cloud::new();
    cloud.world().put("bucket", 1, Owner::Ours);
    let parts = [part("bucket").on(&cloud), Part::<Entry>::new("entry").within("bucket").on(&cloud)];
    let planned = planned(PRESENT, &cloud, parts).await;
    let lost = meanwhile(|world| {
        world.take("entry");
        world.enter("entry", "rule `theirs`");
    });
    cloud.script("entry", Verb::Look, [Turn::Works, lost]);
    let ran = planned.applied().await;
    assert_eq!((ran.count("write entry"), cloud.found("entry")), (2, Some((1, Owner::Ours))));
    assert_eq!((cloud.entries("entry").len(), ran.code()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn whoever_keeps_writing_something_else_is_written_over_once_and_then_reported() {
    let cloud = Cloud::new();
    let planned = drifted(&cloud).await;
    let theirs = || meanwhile(|world| world.put("entry", 9, Owner::Ours));
    let looks = std::iter::repeat_with(|| [theirs(), Turn::Works]).take(1000).flatten();
    cloud.script("entry", Verb::Look, std::iter::once(Turn::Works).chain(looks));
    let ran = planned.applied().await;
    assert_eq!(ran.count("write entry"), 2);
    let (error, text) = ran.failure();
    assert_eq!(
        (error.kind(), text.as_str()),
        (Kind::NotYet, "its size is not yet the value that was written")
    );
    assert_eq!((ran.report.changed, ran.code()), (true, 4));
}

#[tokio::test(start_paused = true)]
async fn a_second_write_that_fails_is_not_the_one() {
    let cloud = Cloud::new();
    let planned = drifted(&cloud).await;
    let lost = meanwhile(|world| world.put("entry", 9, Owner::Ours));
    cloud.script("entry", Verb::Look, [Turn::Works, lost]);
    cloud.script("entry", Verb::Write, [Turn::Works, Turn::Refused(fault())]);
    let ran = planned.applied().await;
    assert_eq!((ran.count("write entry"), cloud.found("entry")), (3, Some((1, Owner::Ours))));
    assert_eq!(ran.code(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_stands_by_itself_and_cannot_be_seen_is_not_created_twice() {
    let cloud = Cloud::new();
    let planned = planned(PRESENT, &cloud, [read_back("bucket").on(&cloud)]).await;
    cloud.script("bucket", Verb::Write, [Turn::Lags(1000)]);
    let ran = planned.applied().await;
    assert_eq!((ran.count("write bucket"), ran.failure().1.as_str()), (1, "it is not visible yet"));
    assert!(ran.took > seconds(100), "{:?}", ran.took);
    assert_eq!((ran.report.changed, ran.code()), (true, 4));
}

#[tokio::test(start_paused = true)]
async fn a_mark_that_was_left_out_is_set_as_what_it_was_to_be() {
    // Created by us, and adopted.
    for (there, goal, owner) in [(None, PRESENT, Owner::Ours), (Some(7), ADOPT, Owner::Adopted)] {
        let cloud = Cloud::new();
        if let Some(size) = there {
            cloud.world().put("bucket", size, Owner::Other(None));
        }
        let planned = planned(goal, &cloud, [read_back("bucket").on(&cloud)]).await;
        cloud.script("bucket", Verb::Write, [Turn::Unmarked]);
        let ran = planned.applied().await;
        assert_eq!((ran.count("write bucket"), cloud.found("bucket")), (2, Some((1, owner))));
        assert_eq!((ran.waits(), ran.code()), (vec!["its mark is not yet the value that was written"; 2], 0));
    }
}

#[tokio::test(start_paused = true)]
async fn an_update_whose_mark_was_taken_off_does_not_claim_to_have_created_it() {
    let cloud = Cloud::new();
    cloud.world().put("bucket", 7, Owner::Ours);
    let planned = planned(PRESENT, &cloud, [read_back("bucket").on(&cloud)]).await;
    let unmarked = meanwhile(|world| world.put("bucket", 1, Owner::Other(None)));
    cloud.script("bucket", Verb::Look, [Turn::Works, unmarked]);
    let ran = planned.applied().await;
    assert_eq!((cloud.found("bucket"), ran.code()), (Some((1, Owner::Adopted)), 0));
}

#[tokio::test(start_paused = true)]
async fn what_another_deployment_has_taken_since_is_left_to_it() {
    let cloud = Cloud::new();
    let planned = planned(PRESENT, &cloud, [read_back("bucket").on(&cloud)]).await;
    let beta = Owner::Other(Some("beta".to_owned()));
    let owner = beta.clone();
    cloud.script("bucket", Verb::Look, [meanwhile(|world| world.put("bucket", 3, owner))]);
    let ran = planned.applied().await;
    let (error, text) = ran.failure();
    assert_eq!(error.kind(), Kind::Refused);
    assert_eq!(text, "test/bucket/acme: it now belongs to the deployment `beta`");
    assert_eq!((ran.count("write bucket"), cloud.found("bucket")), (1, Some((3, beta))));
    assert_eq!((ran.took, ran.code()), (Duration::ZERO, 4));
}

#[tokio::test(start_paused = true)]
async fn a_read_back_that_fails_for_a_moment_is_repeated() {
    let cloud = Cloud::new();
    let planned = planned(PRESENT, &cloud, [read_back("bucket").on(&cloud)]).await;
    cloud.script("bucket", Verb::Look, [Turn::Unsent(fault()), Turn::Unsent(fault())]);
    let ran = planned.applied().await;
    assert_eq!((ran.count("look bucket"), ran.count("write bucket"), ran.code()), (3, 1, 0));
}
