//! What was changed, and the exit code that follows.

use jiff::Timestamp;

use super::*;

/// One resource that is to be created, whose writes go like this.
async fn created(writes: impl IntoIterator<Item = Turn>) -> Ran {
    let cloud = Cloud::new();
    let planned = planned(PRESENT, &cloud, [part("bucket").on(&cloud)]).await;
    cloud.script("bucket", Verb::Write, writes);
    planned.applied().await
}

#[tokio::test(start_paused = true)]
async fn a_call_that_was_denied_changed_nothing() {
    let ran = created([Turn::Refused(denied())]).await;
    assert_eq!((ran.report.changed, ran.code()), (false, 3));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_failed_for_another_reason_and_never_left_changed_nothing() {
    let ran = created([Turn::Unsent(Error::new(Kind::Failed, "it broke"))]).await;
    assert_eq!((ran.report.changed, ran.code()), (false, 1));
}

#[tokio::test(start_paused = true)]
async fn a_step_whose_second_call_is_denied_is_half_done() {
    let ran = created([Turn::Half(denied())]).await;
    assert_eq!(ran.ends(), ["bucket failed: it was denied"]);
    assert_eq!((ran.report.changed, ran.code()), (true, 4));
}

#[tokio::test(start_paused = true)]
async fn a_call_whose_answer_is_lost_may_have_changed_something() {
    let ran = created([Turn::Lost(Error::new(Kind::Failed, "no answer came"))]).await;
    assert_eq!((ran.report.changed, ran.code()), (true, 4));
}

#[tokio::test(start_paused = true)]
async fn refused_steps_and_failed_ones_together_are_a_failure() {
    let cloud = Cloud::new();
    let planned = planned(PRESENT, &cloud, [part("bucket").on(&cloud), part("queue").on(&cloud)]).await;
    cloud.script("bucket", Verb::Write, [Turn::Refused(denied())]);
    cloud.script("queue", Verb::Write, [Turn::Refused(Error::new(Kind::Failed, "it broke"))]);
    let ran = planned.applied().await;
    assert_eq!((ran.report.failed.len(), ran.report.changed, ran.code()), (2, false, 1));
}

#[tokio::test(start_paused = true)]
async fn what_the_cloud_carries_out_by_itself_is_pending_and_blocks_what_needs_it() {
    let cloud = Cloud::new();
    cloud.world().put("bucket", 1, Owner::Ours);
    cloud.world().put("rule", 1, Owner::Ours);
    let parts = [part("bucket").on(&cloud), part("rule").needs(&["bucket"]).on(&cloud)];
    let planned = planned(Goal::Absent, &cloud, parts).await;
    cloud.script("rule", Verb::Delete, [Turn::Until(Timestamp::UNIX_EPOCH)]);
    let ran = planned.applied().await;
    assert_eq!(ran.ends(), ["rule pending", "bucket blocked: rule"]);
    let report = &ran.report;
    assert_eq!(report.pending, [(at("rule"), Timestamp::UNIX_EPOCH)]);
    assert_eq!((report.failed.len(), report.blocked.clone()), (0, vec![at("bucket")]));
    // Even where an earlier run told the cloud, and this one changed nothing.
    assert!(!report.changed);
    assert_eq!(ran.code(), 4);
}

#[tokio::test(start_paused = true)]
async fn an_adopted_resource_is_released_and_stays() {
    let cloud = Cloud::new();
    cloud.world().put("bucket", 7, Owner::Adopted);
    let ran = planned(Goal::Absent, &cloud, [part("bucket").on(&cloud)]).await.applied().await;
    assert_eq!(ran.calls, ["look bucket", "release bucket"]);
    assert_eq!((cloud.found("bucket"), ran.code()), (Some((7, Owner::Other(None))), 0));
}

#[tokio::test(start_paused = true)]
async fn a_plan_of_another_stack_fails() {
    let cloud = Cloud::new();
    let mut planned = planned(PRESENT, &cloud, [part("bucket").on(&cloud)]).await;
    planned.stack.resources.clear();
    let ran = planned.applied().await;
    assert_eq!((ran.failure().1.as_str(), ran.code()), ("the plan belongs to another stack", 1));
}

#[tokio::test(start_paused = true)]
async fn a_denied_look_becomes_part_of_the_plan_and_other_failures_end_the_run() {
    let cloud = Cloud::new();
    let stack = cloud.stack([part("bucket").on(&cloud), part("queue").on(&cloud)]);
    cloud.script("queue", Verb::Look, [Turn::Unsent(denied())]);
    let seen = observe(&stack).await.expect("looked at");
    assert!(seen[0].seen.is_ok());
    assert_eq!(seen[1].seen.as_ref().expect_err("denied").kind(), Kind::Denied);
    cloud.script("queue", Verb::Look, [Turn::Unsent(fault())]);
    assert_eq!(observe(&stack).await.expect_err("failed").kind(), Kind::Transient);
}

#[tokio::test(start_paused = true)]
async fn a_guard_that_fails_ends_the_run_whatever_else_was_seen() {
    let cloud = Cloud::new();
    let mut stack = cloud.stack([part("bucket").on(&cloud)]);
    stack.guards.push(Box::new(|| Box::pin(async { Err(Error::refused("another account")) })));
    cloud.script("bucket", Verb::Look, [Turn::Unsent(fault())]);
    assert_eq!(observe(&stack).await.expect_err("refused").chain(), "another account");
}
