//! The wait for the event.

use std::time::Duration;

use tokio::time::Instant;

use super::fake::{Cloud, OWN, PEEKED, SHARED, WINDOW, options, run, run_with};
use crate::error::{Error, Kind};
use crate::verify::{Depth, Says, Settling, VerifyOptions};

fn silent(cloud: &mut Cloud) {
    cloud.delivers_from = None;
}

fn others(cloud: &mut Cloud, count: usize) {
    for number in 0..count {
        cloud.plant(&format!("theirs {number}"), Says::Other);
    }
}

#[tokio::test(start_paused = true)]
async fn each_queue_says_what_became_of_the_messages_of_others() {
    let ran = run::<SHARED>(|cloud| cloud.plant("theirs", Says::Other)).await;
    ran.passes("event", "arrived 2.0 s after the upload; one message of others was returned to the queue");
    assert_eq!(ran.cloud().deleted, ["event 0"]);
    let ran = run::<PEEKED>(|cloud| others(cloud, 2)).await;
    ran.passes("event", "; 2 messages of others were only peeked at");
    assert_eq!(ran.cloud().queue.len(), 3, "all of them are left to the server");
    let ran = run::<OWN>(|_| ()).await;
    ran.passes("event", "through a subscription for this check");
}

#[tokio::test(start_paused = true)]
async fn an_event_behind_others_is_found_and_they_stay() {
    let ran = run::<SHARED>(|cloud| others(cloud, 8)).await;
    ran.passes("event", "8 messages of others were returned to the queue");
    let cloud = ran.cloud();
    assert!(cloud.hidden.is_empty());
    assert_eq!((cloud.queue.len(), cloud.deleted.as_slice()), (8, ["event 0".to_owned()].as_slice()));
}

#[tokio::test(start_paused = true)]
async fn a_later_probe_is_proof_too_and_the_earlier_ones_are_deleted_with_it() {
    let ran = run::<SHARED>(|cloud| cloud.delivers_from = Some(1)).await;
    ran.passes("event", "arrived 2.0 s after the upload");
    ran.passes("cleanup", "2 probes are deleted");
    let ran = run::<SHARED>(|cloud| cloud.delivery = Duration::from_secs(31)).await;
    ran.passes("event", "arrived 31.0 s");
    assert_eq!(ran.cloud().deleted, ["event 0"], "the event of the second is not waited for long");
}

#[tokio::test(start_paused = true)]
async fn a_silent_queue_fails_at_the_deadline_with_what_was_seen() {
    let ran = run::<SHARED>(silent).await;
    ran.fails("event", "no event of the probe arrived within 60 s", "look at the plan");
    assert!(ran.took >= Duration::from_secs(60) && ran.took < Duration::from_secs(62), "{:?}", ran.took);
    assert_eq!(ran.cloud().uploaded.len(), 2, "there is a new probe after 30 s");
    let ran = run::<SHARED>(|cloud| {
        silent(cloud);
        cloud.plant("test", Says::Test("s3:TestEvent"));
    });
    ran.await.fails("event", "60 s, though the test is there", "wait");
    let ran = run::<PEEKED>(|cloud| {
        silent(cloud);
        others(cloud, 2);
    });
    ran.await.fails("event", "with 2 other messages in the queue", "look at the plan");
}

#[tokio::test(start_paused = true)]
async fn a_test_message_is_skipped() {
    let ran = run::<SHARED>(|cloud| cloud.plant("test", Says::Test("s3:TestEvent"))).await;
    ran.passes("event", "the upload; the s3:TestEvent of the setup was skipped");
}

#[tokio::test(start_paused = true)]
async fn another_consumer_or_a_deep_queue_leaves_it_open() {
    let ran = run::<SHARED>(|cloud| {
        silent(cloud);
        cloud.depths = [Depth { waiting: 1, held: 2 }].into();
    });
    ran.await.is_open("event", "another consumer may have received it");
    let ran = run::<PEEKED>(|cloud| {
        others(cloud, WINDOW);
    });
    ran.await.is_open("event", "behind the first 4 messages");
}

#[tokio::test(start_paused = true)]
async fn an_event_that_cannot_be_seen_is_not_waited_for() {
    let ran = run::<PEEKED>(|cloud| {
        others(cloud, WINDOW);
        // The event has not arrived at the first look.
        cloud.depths = [4, 4, 5].map(|waiting| Depth { waiting, held: 0 }).into();
    });
    let ran = ran.await;
    ran.is_open("event", "behind the first 4 messages: the queue holds about 5");
    assert!(ran.took < Duration::from_secs(2), "{:?}", ran.took);
    let cloud = ran.cloud();
    assert_eq!((cloud.uploaded.len(), cloud.deleted.len()), (1, 0), "no other probe is uploaded");
}

#[tokio::test(start_paused = true)]
async fn of_a_queue_that_is_peeked_at_only_events_of_probes_in_front_are_deleted() {
    let ran = run::<PEEKED>(|_| ()).await;
    ran.passes("event", "arrived");
    assert_eq!(ran.cloud().deleted, ["event 0"]);
    let ran = run::<PEEKED>(|cloud| others(cloud, 1)).await;
    ran.passes("event", "one message of others was only peeked at");
    assert!(ran.cloud().deleted.is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_event_that_proves_nothing_is_explained() {
    let ran = run::<OWN>(|cloud| cloud.unproven = Some("only x sends events")).await;
    ran.fails("event", "only x sends events", "look at the plan");
    assert!(ran.cloud().hidden.is_empty(), "in a queue of its own everything is deleted");
}

#[tokio::test(start_paused = true)]
async fn a_busy_queue_is_looked_at_again_and_a_refusal_is_final() {
    let busy = || Error::new(Kind::Throttled, "busy");
    let ran = run::<SHARED>(|cloud| cloud.failures = [busy(), busy()].into()).await;
    ran.passes("event", "arrived");
    let ran = run::<SHARED>(|cloud| cloud.failures = [Error::new(Kind::Denied, "no").hint("grant")].into());
    let ran = ran.await;
    ran.fails("event", "no", "grant");
    assert!(ran.took < Duration::from_secs(1), "{:?}", ran.took);
    let day = Duration::from_secs(86400);
    for error in [Error::new(Kind::Credentials, "expired"), busy().retry_after(day)] {
        let kind = error.kind();
        let ran = run::<PEEKED>(|cloud| cloud.failures = [error].into()).await;
        assert_eq!(ran.outcome.as_ref().unwrap_err().kind(), kind);
        ran.passes("cleanup", "deleted");
    }
}

#[tokio::test(start_paused = true)]
async fn while_grants_settle_neither_a_refusal_nor_silence_is_a_failure() {
    let settling = |cloud: &mut Cloud| {
        silent(cloud);
        let until = Instant::now() + Duration::from_secs(3600);
        cloud.settling = Some(Settling::Grants { until, why: "grants take minutes" });
    };
    run::<OWN>(settling).await.is_open("event", "within 60 s; grants take minutes: run again");
    let ran = run::<OWN>(|cloud| {
        settling(cloud);
        cloud.failures = std::iter::repeat_with(|| Error::new(Kind::Denied, "no")).take(60).collect();
    });
    let ran = ran.await;
    ran.is_open("event", "no; grants take minutes");
    assert!(ran.took >= Duration::from_secs(60), "it may pass meanwhile");
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_always_fails_is_not_waited_for_as_long_as_an_event() {
    let options = VerifyOptions { event_within: Duration::from_secs(600), ..options() };
    let ran = run_with::<SHARED>(&options, |cloud| {
        let busy = || Error::new(Kind::Transient, "HTTP status 503").hint("run again");
        cloud.failures = std::iter::repeat_with(busy).take(600).collect();
    });
    let ran = ran.await;
    ran.fails("event", "HTTP status 503", "run again");
    assert!(ran.took < Duration::from_secs(70), "{:?}", ran.took);
}
