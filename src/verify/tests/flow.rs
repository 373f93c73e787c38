//! What is checked, in which order, and what is left afterwards.

use std::time::Duration;

use super::fake::{OWN, PEEKED, SHARED, options, run, run_with};
use crate::error::{Error, Kind};
use crate::resource::Address;
use crate::verify::{Verdict, VerifyOptions};

const NAMES: [&str; 10] = [
    "not public",
    "preflight GET",
    "preflight PUT",
    "preflight HEAD",
    "preflight other origin",
    "upload",
    "ETag exposed",
    "anonymous read",
    "event",
    "cleanup",
];

#[tokio::test(start_paused = true)]
async fn what_works_passes_every_check_by_the_same_names_on_every_cloud() {
    for ran in [run::<SHARED>(|_| ()).await, run::<PEEKED>(|_| ()).await, run::<OWN>(|_| ()).await] {
        ran.outcome.as_ref().unwrap();
        assert!(ran.checks.iter().all(|(_, verdict)| matches!(verdict, Verdict::Passed { .. })));
        let names = ran.checks.iter().map(|(name, _)| name.as_str());
        assert_eq!(names.filter(|name| *name != "event subscription").collect::<Vec<_>>(), NAMES);
        let cloud = ran.cloud();
        assert_eq!(cloud.removed, cloud.uploaded);
        assert!(cloud.closed && cloud.lost == 0);
        let key = cloud.uploaded[0].strip_prefix(".wbstore-probe/").unwrap();
        assert!(key.ends_with("/0 +ü.txt"), "{key}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_subscription_is_told_right_after_the_bucket() {
    let ran = run::<OWN>(|_| ()).await;
    assert_eq!(ran.checks[1].0, "event subscription");
}

#[tokio::test(start_paused = true)]
async fn an_internal_queue_has_nothing_to_prove() {
    let ran = run::<SHARED>(|cloud| cloud.route = None).await;
    ran.passes("event", "internal");
    assert_eq!(ran.cloud().looks, 0);
}

#[tokio::test(start_paused = true)]
async fn a_missing_part_of_the_way_is_not_waited_for() {
    let absent = vec![Address::new("fake", "queue", "q")];
    let ran = run_with::<SHARED>(&VerifyOptions { absent, ..options() }, |_| ()).await;
    ran.fails("event", "fake/queue/q is missing", "`wbstore provision`");
    ran.passes("upload", "");
    assert_eq!(ran.cloud().looks, 0);
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_cannot_begin_leaves_the_bucket_proven() {
    let denied = |cloud: &mut super::fake::Cloud| {
        cloud.unwatchable = Some(Error::new(Kind::Denied, "subscriptions.create").hint("grant it"));
    };
    let ran = run::<OWN>(denied).await;
    ran.fails("event", "subscriptions.create", "grant it");
    ran.passes("anonymous read", "403");
    let ran = run::<OWN>(|cloud| cloud.unwatchable = Some(Error::new(Kind::Credentials, "expired"))).await;
    assert_eq!(ran.outcome.as_ref().unwrap_err().kind(), Kind::Credentials);
    assert!(ran.cloud().closed);
}

#[tokio::test(start_paused = true)]
async fn an_interrupt_removes_the_probe_and_the_watch() {
    let options = options();
    let ran = run_with::<OWN>(&options, |cloud| {
        cloud.delivers_from = None;
        let cancel = options.cancel.clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(5)).await;
            cancel.cancel();
        });
    });
    let ran = ran.await;
    assert_eq!(ran.outcome.as_ref().unwrap_err().kind(), Kind::Interrupted);
    assert_eq!(ran.took, Duration::from_secs(5));
    ran.passes("cleanup", "the probe is deleted");
    assert!(ran.cloud().closed);
}

#[tokio::test(start_paused = true)]
async fn what_is_left_is_named() {
    let ran = run::<SHARED>(|cloud| cloud.unremovable = true).await;
    ran.fails("cleanup", "1 of 1 probes were not deleted, such as .wbstore-probe/", "grant it");
    let ran = run::<OWN>(|cloud| {
        cloud.unclosable = true;
        cloud.unwatchable = Some(Error::new(Kind::Failed, "no"));
    });
    let ran = ran.await;
    assert!(matches!(ran.verdict("cleanup"), Verdict::Failed { reason, .. } if reason == "a watch is left"));
    let ran = run::<PEEKED>(|cloud| cloud.keeps = Some("soft delete keeps a copy for 7d")).await;
    ran.passes("cleanup", "the probe is deleted; soft delete keeps a copy for 7d");
}
