//! What waits for what.

use super::*;

const TAKES: u64 = 10;

fn slow() -> [Turn; 1] {
    [Turn::Takes(seconds(TAKES))]
}

#[tokio::test(start_paused = true)]
async fn what_needs_nothing_runs_side_by_side_and_the_rest_in_order() {
    let cloud = Cloud::new();
    let parts = [
        part("entry").needs(&["bucket", "queue"]).on(&cloud),
        part("bucket").on(&cloud),
        part("queue").on(&cloud),
    ];
    let planned = planned(PRESENT, &cloud, parts).await;
    for kind in ["bucket", "queue", "entry"] {
        cloud.script(kind, Verb::Write, slow());
    }
    let ran = planned.applied().await;
    assert_eq!(ran.took, seconds(2 * TAKES), "the first two took {TAKES}s together");
    assert_eq!(
        ran.events,
        ["bucket started", "queue started", "bucket done", "queue done", "entry started", "entry done"]
    );
    assert_eq!((ran.report.done.len(), ran.report.changed, ran.code()), (3, true, 0));
}

#[tokio::test(start_paused = true)]
async fn teardown_goes_the_other_way() {
    let cloud = Cloud::new();
    cloud.world().put("queue", 1, Owner::Ours);
    cloud.world().put("entry", 1, Owner::Ours);
    let parts = [part("queue").on(&cloud), part("entry").needs(&["queue"]).on(&cloud)];
    let ran = planned(Goal::Absent, &cloud, parts).await.applied().await;
    assert_eq!(ran.ends(), ["entry done", "queue done"]);
    assert_eq!((cloud.found("queue"), ran.code()), (None, 0));
}

#[tokio::test(start_paused = true)]
async fn a_failure_blocks_only_what_needs_it() {
    let cloud = Cloud::new();
    let parts = [
        part("bucket").on(&cloud),
        part("queue").on(&cloud),
        part("rule").needs(&["queue"]).on(&cloud),
        part("entry").needs(&["bucket"]).on(&cloud),
        part("last").needs(&["entry", "queue"]).on(&cloud),
    ];
    let planned = planned(PRESENT, &cloud, parts).await;
    cloud.script("bucket", Verb::Write, [Turn::Refused(denied())]);
    let ran = planned.applied().await;
    assert_eq!(
        ran.ends(),
        [
            "bucket failed: it was denied",
            "queue done",
            "rule done",
            "entry blocked: bucket",
            "last blocked: entry"
        ]
    );
    let report = &ran.report;
    assert_eq!(
        (&report.done, &report.blocked),
        (&vec![at("queue"), at("rule")], &vec![at("entry"), at("last")])
    );
    assert_eq!(ran.code(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_plan_that_refuses_anything_is_not_begun() {
    let cloud = Cloud::new();
    cloud.world().put("queue", 1, Owner::Other(Some("beta".into())));
    let parts = [part("bucket").on(&cloud), part("queue").on(&cloud)];
    let ran = planned(PRESENT, &cloud, parts).await.applied().await;
    assert_eq!(ran.calls, [""; 0]);
    assert_eq!((ran.report.blocked.clone(), ran.code()), (vec![at("bucket")], 3));
}

#[tokio::test(start_paused = true)]
async fn a_parent_is_read_back_while_its_child_is_written_and_is_reported_first() {
    let cloud = Cloud::new();
    let parts = [Part::<ReadBack>::new("bucket").on(&cloud), part("entry").needs(&["bucket"]).on(&cloud)];
    let planned = planned(PRESENT, &cloud, parts).await;
    cloud.script("bucket", Verb::Look, slow());
    let ran = planned.applied().await;
    assert_eq!(ran.took, seconds(TAKES));
    assert_eq!(ran.calls, ["write bucket", "look bucket", "write entry"]);
    assert_eq!(ran.events, ["bucket started", "entry started", "bucket done", "entry done"]);
}

#[tokio::test(start_paused = true)]
async fn a_read_back_that_fails_keeps_what_has_not_started_from_starting() {
    let cloud = Cloud::new();
    let parts = [
        Part::<ReadBack>::new("bucket").on(&cloud),
        part("queue").on(&cloud),
        part("rule").needs(&["bucket"]).on(&cloud),
        part("entry").needs(&["bucket", "queue"]).on(&cloud),
    ];
    let planned = planned(PRESENT, &cloud, parts).await;
    cloud.script("bucket", Verb::Look, [Turn::Unsent(denied())]);
    cloud.script("queue", Verb::Write, slow());
    cloud.script("rule", Verb::Write, slow());
    let ran = planned.applied().await;
    assert_eq!(ran.count("write entry"), 0);
    // The rule was on its way already, and ends after what it is in.
    assert_eq!(
        ran.ends(),
        ["bucket failed: it was denied", "queue done", "rule done", "entry blocked: bucket"]
    );
    assert_eq!(ran.code(), 4);
}

#[tokio::test(start_paused = true)]
async fn the_failure_of_a_parent_is_reported_before_the_end_of_its_child() {
    let cloud = Cloud::new();
    let parts = [Part::<ReadBack>::new("bucket").on(&cloud), part("entry").needs(&["bucket"]).on(&cloud)];
    let planned = planned(PRESENT, &cloud, parts).await;
    cloud.script("bucket", Verb::Look, [Turn::Takes(seconds(TAKES)), Turn::Unsent(denied())]);
    let ran = planned.applied().await;
    assert_eq!(ran.ends(), ["bucket failed: it was denied", "entry done"]);
    assert_eq!(ran.report.done, [at("entry")]);
}

#[tokio::test(start_paused = true)]
async fn an_end_that_is_held_back_is_reported_with_those_that_wait_for_it() {
    let cloud = Cloud::new();
    let parts = [
        Part::<ReadBack>::new("bucket").on(&cloud),
        Part::<ReadBack>::new("entry").needs(&["bucket"]).on(&cloud),
        part("rule").needs(&["entry"]).on(&cloud),
    ];
    let planned = planned(PRESENT, &cloud, parts).await;
    cloud.script("bucket", Verb::Look, slow());
    cloud.script("rule", Verb::Write, [Turn::Refused(denied())]);
    let ran = planned.applied().await;
    assert_eq!(ran.ends(), ["bucket done", "entry done", "rule failed: it was denied"]);
}

#[tokio::test(start_paused = true)]
async fn every_step_that_starts_is_reported_to_end_once() {
    let cloud = Cloud::new();
    let kinds = ["one", "two", "three", "four"];
    let parts = kinds
        .iter()
        .enumerate()
        .map(|(index, kind)| Part::<ReadBack>::new(kind).needs(&kinds[..index]).on(&cloud));
    let ran = planned(PRESENT, &cloud, parts.collect::<Vec<_>>()).await.applied().await;
    for kind in kinds {
        let of = |event: &&String| event.starts_with(kind);
        assert_eq!(
            ran.events.iter().filter(of).collect::<Vec<_>>(),
            [&format!("{kind} started"), &format!("{kind} done")]
        );
    }
}
