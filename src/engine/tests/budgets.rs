//! How long a step is tried again.

use super::*;
use crate::retry::FAULT_WITHIN;

/// The longest pause of ours, with its jitter.
const PAUSE: Duration = Duration::from_secs(10);

/// One resource that is to be created and whose every write fails like this.
async fn failing(error: fn() -> Error, patience: Duration, wait: Option<u64>) -> Ran {
    let cloud = Cloud::new();
    let planned = planned(PRESENT, &cloud, [part("bucket").patient(patience).on(&cloud)]).await;
    cloud.script("bucket", Verb::Write, std::iter::repeat_with(|| Turn::Refused(error())).take(1000));
    match wait {
        Some(wait) => planned.waiting(wait).applied().await,
        None => planned.applied().await,
    }
}

#[track_caller]
fn gave_up_after(ran: &Ran, budget: Duration) {
    assert!(ran.took <= budget && ran.took + PAUSE > budget, "{:?} of {budget:?}", ran.took);
    assert_eq!((ran.report.failed.len(), ran.report.changed), (1, false));
    assert_eq!(ran.count("write bucket"), ran.waits().len() + 1);
}

#[tokio::test(start_paused = true)]
async fn a_cloud_that_has_not_caught_up_has_the_patience_of_the_resource() {
    gave_up_after(&failing(not_yet, seconds(30), None).await, seconds(30));
    gave_up_after(&failing(not_yet, seconds(600), None).await, seconds(600));
}

#[tokio::test(start_paused = true)]
async fn a_fault_does_not() {
    for error in [fault, || Error::new(Kind::Throttled, "busy"), || Error::new(Kind::Conflict, "busy")] {
        gave_up_after(&failing(error, seconds(600), None).await, FAULT_WITHIN);
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_that_brings_its_own_budget_has_that() {
    gave_up_after(&failing(|| not_yet().within(seconds(300)), seconds(30), None).await, seconds(300));
    gave_up_after(&failing(|| fault().within(seconds(15)), seconds(30), None).await, seconds(15));
}

#[tokio::test(start_paused = true)]
async fn the_user_has_the_last_word() {
    for error in [not_yet, fault, || not_yet().within(seconds(300))] {
        gave_up_after(&failing(error, seconds(600), Some(40)).await, seconds(40));
        gave_up_after(&failing(error, seconds(30), Some(400)).await, seconds(400));
    }
    let ran = failing(not_yet, seconds(600), Some(0)).await;
    assert_eq!((ran.took, ran.count("write bucket")), (Duration::ZERO, 1));
}

#[tokio::test(start_paused = true)]
async fn what_does_not_pass_is_not_tried_again() {
    for kind in [Kind::Failed, Kind::Denied, Kind::Refused, Kind::Credentials, Kind::Input] {
        let cloud = Cloud::new();
        let planned = planned(PRESENT, &cloud, [part("bucket").on(&cloud)]).await;
        cloud.script("bucket", Verb::Write, [Turn::Refused(Error::new(kind, "no"))]);
        let ran = planned.applied().await;
        assert_eq!((ran.count("write bucket"), ran.waits().len(), ran.report.failed.len()), (1, 0, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_wants_more_than_is_left_ends_the_step_at_once() {
    let ran = failing(|| not_yet().within(seconds(10)).retry_after(seconds(20)), seconds(120), None).await;
    assert_eq!((ran.took, ran.waits().len(), ran.count("write bucket")), (Duration::ZERO, 0, 1));
}

#[tokio::test(start_paused = true)]
async fn a_server_gets_the_wait_that_it_asks_for() {
    let cloud = Cloud::new();
    let planned = planned(PRESENT, &cloud, [part("bucket").on(&cloud)]).await;
    cloud.script("bucket", Verb::Write, [Turn::Refused(not_yet().retry_after(seconds(20)))]);
    let ran = planned.applied().await;
    assert_eq!((ran.took, ran.code()), (seconds(20), 0));
}

#[tokio::test(start_paused = true)]
async fn the_time_that_a_call_takes_before_it_fails_is_no_wait() {
    let cloud = Cloud::new();
    let planned = planned(PRESENT, &cloud, [part("bucket").on(&cloud)]).await;
    cloud.script("bucket", Verb::Write, [Turn::Takes(seconds(900)), Turn::Refused(fault())]);
    assert_eq!(planned.applied().await.code(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_fault_after_a_long_wait_is_a_fault_that_has_just_begun() {
    let cloud = Cloud::new();
    let planned = planned(PRESENT, &cloud, [part("bucket").on(&cloud)]).await;
    let long = || Turn::Refused(not_yet().retry_after(seconds(50)));
    cloud.script("bucket", Verb::Write, [Turn::Refused(fault()), long(), long(), Turn::Refused(fault())]);
    assert_eq!(planned.applied().await.code(), 0);
}

#[tokio::test(start_paused = true)]
async fn faults_in_between_do_not_make_a_wait_longer() {
    let cloud = Cloud::new();
    let planned = planned(PRESENT, &cloud, [part("bucket").on(&cloud)]).await;
    let both = || [Turn::Refused(not_yet()), Turn::Refused(fault())];
    cloud.script("bucket", Verb::Write, std::iter::repeat_with(both).take(500).flatten());
    let ran = planned.applied().await;
    assert_eq!(ran.report.failed.len(), 1);
    assert!(ran.took <= seconds(120) + PAUSE, "{:?}", ran.took);
}

#[tokio::test(start_paused = true)]
async fn a_second_look_that_fails_is_taken_again() {
    let cloud = Cloud::new();
    cloud.world().put("bucket", 7, Owner::Ours);
    let planned = planned(PRESENT, &cloud, [part("bucket").on(&cloud)]).await;
    cloud.script("bucket", Verb::Look, [Turn::Unsent(fault()), Turn::Unsent(fault())]);
    let ran = planned.applied().await;
    assert_eq!((ran.count("look bucket"), ran.count("write bucket"), ran.code()), (3, 1, 0));
}
