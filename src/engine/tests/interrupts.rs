//! Ctrl-C, at any time.

use super::*;
use crate::error::exit;

fn bucket_and_entry(cloud: &Arc<Cloud>) -> [Box<dyn AnyResource>; 2] {
    [part("bucket").on(cloud), part("entry").needs(&["bucket"]).on(cloud)]
}

#[tokio::test(start_paused = true)]
async fn what_is_under_way_is_finished_and_the_rest_is_not_begun() {
    let cloud = Cloud::new();
    let planned = planned(PRESENT, &cloud, bucket_and_entry(&cloud)).await;
    cloud.script("bucket", Verb::Write, [Turn::Takes(seconds(10))]);
    let ran = planned.interrupted_after(5000).await;
    assert_eq!(ran.events, ["bucket started", "interrupted", "bucket done", "entry not tried"]);
    assert_eq!(ran.when("interrupted"), seconds(5));
    assert_eq!(ran.calls, ["write bucket"]);
    let report = &ran.report;
    assert!(report.interrupted && report.halted.is_empty());
    assert_eq!((&report.done, &report.blocked), (&vec![at("bucket")], &vec![at("entry")]));
    assert_eq!(ran.code(), exit::INTERRUPTED);
}

#[tokio::test(start_paused = true)]
async fn before_the_first_step_nothing_is_called() {
    let cloud = Cloud::new();
    let planned = planned(PRESENT, &cloud, bucket_and_entry(&cloud)).await;
    let (events, _receiver) = Events::channel();
    let cancel = CancellationToken::new();
    cancel.cancel();
    let engine = Engine { events, cancel, patience: None, aged: false };
    let report = engine.apply(&planned.plan, &planned.stack).await;
    assert_eq!(report.blocked, [at("bucket"), at("entry")]);
    assert_eq!((cloud.calls().len(), report.exit_code()), (0, exit::INTERRUPTED));
}

#[tokio::test(start_paused = true)]
async fn of_plans_that_are_carried_out_side_by_side_it_is_reported_once() {
    let cloud = Cloud::new();
    let planned = planned(PRESENT, &cloud, [part("bucket").on(&cloud)]).await;
    cloud.script("bucket", Verb::Write, [Turn::Takes(seconds(10)), Turn::Takes(seconds(10))]);
    let (events, mut receiver) = Events::channel();
    let cancel = CancellationToken::new();
    let engine = Engine { events, cancel: cancel.clone(), patience: None, aged: false };
    let interrupt = async {
        tokio::time::sleep(seconds(5)).await;
        cancel.cancel();
    };
    let apply = || engine.apply(&planned.plan, &planned.stack);
    let (one, other, ()) = futures::join!(apply(), apply(), interrupt);
    assert!(one.interrupted && other.interrupted);
    drop(engine);
    let mut times = 0;
    while let Some(event) = receiver.recv().await {
        times += usize::from(event.event == Event::Interrupted);
    }
    assert_eq!(times, 1);
}

#[tokio::test(start_paused = true)]
async fn a_run_whose_last_step_ends_well_was_interrupted_all_the_same() {
    let cloud = Cloud::new();
    let planned = planned(PRESENT, &cloud, [part("bucket").on(&cloud)]).await;
    cloud.script("bucket", Verb::Write, [Turn::Takes(seconds(10))]);
    let ran = planned.interrupted_after(5000).await;
    assert_eq!((ran.ends(), ran.code()), (vec!["interrupted", "bucket done"], exit::INTERRUPTED));
}

#[tokio::test(start_paused = true)]
async fn a_wait_ends_at_once_and_what_was_waited_for_is_reported() {
    let cloud = Cloud::new();
    let planned = planned(PRESENT, &cloud, bucket_and_entry(&cloud)).await;
    cloud.script("bucket", Verb::Write, [Turn::Refused(not_yet().retry_after(seconds(50)))]);
    let ran = planned.interrupted_after(5000).await;
    assert_eq!(
        ran.ends(),
        ["interrupted", "bucket halted: waiting to retry: it is not there yet", "entry not tried"]
    );
    assert_eq!((ran.took, ran.report.halted.clone()), (seconds(5), vec![at("bucket")]));
    assert_eq!(ran.code(), exit::INTERRUPTED);
}

#[tokio::test(start_paused = true)]
async fn no_wait_is_begun_after_it() {
    let cloud = Cloud::new();
    let planned = planned(PRESENT, &cloud, [part("bucket").on(&cloud)]).await;
    cloud.script("bucket", Verb::Write, [Turn::Takes(seconds(10)), Turn::Refused(not_yet())]);
    let ran = planned.interrupted_after(5000).await;
    assert_eq!(
        ran.events,
        ["bucket started", "interrupted", "bucket halted: waiting to retry: it is not there yet"]
    );
    assert_eq!(ran.took, seconds(10));
}

#[tokio::test(start_paused = true)]
async fn an_emptying_stops_between_two_calls_and_says_how_far_it_came() {
    let cloud = Cloud::new();
    cloud.world().put("bucket", 1, Owner::Ours);
    cloud.world().put("objects", 12_000, Owner::Ours);
    let parts = [part("bucket").on(&cloud), Part::<Contents>::new("objects").within("bucket").on(&cloud)];
    let planned = planned(Goal::Absent, &cloud, parts).await;
    let ran = planned.interrupted_after(2500).await;
    assert_eq!(ran.ends(), ["interrupted", "objects halted: 3,000 of 12,000 versions", "bucket not tried"]);
    assert_eq!(cloud.found("objects"), Some((9000, Owner::Ours)));
    assert_eq!((ran.report.changed, ran.code()), (true, exit::INTERRUPTED));
}

#[tokio::test(start_paused = true)]
async fn an_emptying_that_waits_says_how_far_it_came_too() {
    let cloud = Cloud::new();
    cloud.world().put("bucket", 1, Owner::Ours);
    cloud.world().put("objects", 12_000, Owner::Ours);
    let parts = [part("bucket").on(&cloud), Part::<Contents>::new("objects").within("bucket").on(&cloud)];
    let planned = planned(Goal::Absent, &cloud, parts).await;
    let slow_down = Error::new(Kind::NotYet, "slow down").retry_after(seconds(50));
    cloud.script("objects", Verb::Delete, [Turn::Works, Turn::Refused(slow_down)]);
    let ran = planned.interrupted_after(30_000).await;
    assert_eq!(ran.ends(), ["interrupted", "objects halted: 1,000 of 12,000 versions", "bucket not tried"]);
    assert_eq!(ran.took, seconds(30));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_written_after_a_look_that_it_came_into() {
    for goal in [PRESENT, Goal::Absent] {
        let cloud = Cloud::new();
        cloud.world().put("bucket", 7, Owner::Ours);
        let planned = planned(goal, &cloud, [part("bucket").on(&cloud)]).await;
        cloud.script("bucket", Verb::Look, [Turn::Takes(seconds(10))]);
        let ran = planned.interrupted_after(5000).await;
        assert_eq!(ran.ends(), ["interrupted", "bucket not tried"]);
        assert_eq!(
            (ran.took, ran.calls.len(), cloud.found("bucket")),
            (seconds(5), 1, Some((7, Owner::Ours)))
        );
        assert_eq!((ran.report.changed, ran.code()), (false, exit::INTERRUPTED));
    }
}

#[tokio::test(start_paused = true)]
async fn a_step_that_was_only_looked_at_was_not_tried() {
    let cloud = Cloud::new();
    cloud.world().put("bucket", 7, Owner::Ours);
    let planned = planned(PRESENT, &cloud, [part("bucket").on(&cloud)]).await;
    cloud.world().put("bucket", 9, Owner::Ours);
    let ran = planned.interrupted_after(5000).await;
    assert_eq!(ran.ends(), ["interrupted", "bucket not tried"]);
    assert_eq!((ran.report.blocked.clone(), ran.count("write bucket")), (vec![at("bucket")], 0));
}

#[tokio::test(start_paused = true)]
async fn a_step_that_is_looked_at_again_between_two_tries_was_under_way() {
    let cloud = Cloud::new();
    let planned = planned(PRESENT, &cloud, [part("bucket").on(&cloud)]).await;
    cloud.script("bucket", Verb::Write, [Turn::Refused(not_yet().retry_after(seconds(2)))]);
    cloud.script("bucket", Verb::Look, [Turn::Takes(seconds(10))]);
    let ran = planned.interrupted_after(5000).await;
    assert_eq!((ran.report.halted.clone(), ran.count("write bucket")), (vec![at("bucket")], 1));
    assert_eq!(ran.took, seconds(5));
}

#[tokio::test(start_paused = true)]
async fn what_is_written_and_not_read_back_yet_is_done() {
    let cloud = Cloud::new();
    let planned = planned(PRESENT, &cloud, [Part::<ReadBack>::new("bucket").on(&cloud)]).await;
    cloud.script("bucket", Verb::Write, [Turn::Lags(1000)]);
    let ran = planned.interrupted_after(5000).await;
    assert_eq!((ran.ends(), ran.took), (vec!["interrupted", "bucket done"], seconds(5)));
    assert_eq!(ran.code(), exit::INTERRUPTED);
}

#[tokio::test(start_paused = true)]
async fn what_a_failure_had_blocked_before_is_still_blocked_by_it() {
    let cloud = Cloud::new();
    let parts = [
        part("bucket").on(&cloud),
        part("queue").on(&cloud),
        part("entry").needs(&["bucket"]).on(&cloud),
        part("rule").needs(&["queue"]).on(&cloud),
        part("last").needs(&["entry", "rule"]).on(&cloud),
    ];
    let planned = planned(PRESENT, &cloud, parts).await;
    cloud.script("bucket", Verb::Write, [Turn::Refused(denied())]);
    cloud.script("queue", Verb::Write, [Turn::Takes(seconds(10))]);
    let ran = planned.interrupted_after(5000).await;
    assert_eq!(
        ran.ends(),
        [
            "bucket failed: it was denied",
            "interrupted",
            "queue done",
            "entry blocked: bucket",
            "rule not tried",
            "last blocked: entry"
        ]
    );
    assert_eq!(ran.code(), exit::INTERRUPTED);
}
