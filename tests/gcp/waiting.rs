//! What takes its time on Google's side, and is waited for in sight; what Google asks to be waited, up to
//! a minute and never for a day.

use std::time::{Duration, Instant};

use serde_json::Value;
use wbstore_sandbox::fault::{Failure, Fault, When};
use wbstore_sandbox::gcp::double::Refusing;

use crate::support::{EVENTS, Ends, NAME, Site, is_told_well};

#[tokio::test]
async fn a_grant_that_is_slow_to_arrive_is_waited_for_in_sight() {
    for how in [Refusing::Forbidden, Refusing::BadRequest] {
        let site = Site::open().await;
        site.gcp.control().refuse_topics(how);
        site.gcp.control().slow_grants(2);
        site.provision(&[]).await.ends(0).tells(&["waiting for", "may not publish to the topic yet"]);
        let inserts = site.mutations().iter().filter(|sent| *sent == "storage.notifications.insert").count();
        assert_eq!(inserts, 3, "{how:?}");
        let told = site.get(&site.notifications()).await;
        assert_eq!(told["items"].as_array().map(Vec::len), Some(1), "{told}");
    }
}

#[tokio::test]
async fn a_wait_that_is_cut_short_fails_with_its_reason() {
    let site = Site::open().await;
    site.gcp.control().slow_grants(u32::MAX);
    let ran = site.provision(&["--wait", "1s"]).await.ends(4);
    is_told_well(&ran);
    let agent = site.gcp.double().agent();
    ran.tells(&["may not publish to the topic yet", "roles/pubsub.publisher", EVENTS, &agent]);
    assert!(site.get(&site.notifications()).await["items"].is_null());
}

#[tokio::test]
async fn a_plea_to_slow_down_is_heeded() {
    let site = Site::open().await;
    let slow = When::operation("storage.notifications.insert", 0).times(2);
    let slow = site.gcp.proxy().arm(slow, Fault::fail(Failure::Throttled));
    site.provision(&[]).await.ends(0).tells(&["waiting for", "rate limit"]);
    assert_eq!(slow.hits(), 2);
}

/// Every command, with a call that it makes: over JSON, by our own client and by Google's, and over gRPC.
const LOOKS: [(&str, &[&str], &str); 7] = [
    ("list", &[], "storage.ListBuckets"),
    ("plan", &[], "pubsub.topics.get"),
    ("plan", &[], "storage.projects.serviceAccount.get"),
    ("plan", &[], "storage.notifications.list"),
    ("config", &[], "storage.GetBucket"),
    ("verify", &["--within", "5s"], "storage.preflight"),
    ("teardown", &["--confirm", NAME], "storage.objects.list"),
];

#[tokio::test]
async fn a_day_is_not_waited_and_the_reader_learns_of_it() {
    let site = Site::provisioned().await;
    for (command, arguments, call) in LOOKS {
        let day = Fault::fail(Failure::TooManyRequests(86400));
        let armed = site.gcp.proxy().arm(When::every(call), day);
        let begun = Instant::now();
        let ran = site.run(command, arguments).await.ends(1);
        assert!(begun.elapsed() < Duration::from_secs(20), "{command}, {call}: {:?}", begun.elapsed());
        // `verify` says it among its checks, on stdout.
        let said = ran.to_string();
        assert!(said.contains("Retry-After: 24h") && said.contains("hint: run again in 24h"), "{said}");
        assert!(armed.hits() > 0, "{command} does not call {call}");
        site.gcp.proxy().disarm();
    }
    site.run("plan", &["--exit-code"]).await.ends(0);
}

#[tokio::test]
async fn two_seconds_are_waited_in_sight() {
    let site = Site::provisioned().await;
    for (command, arguments, call) in LOOKS {
        let armed = site.gcp.proxy().arm(When::operation(call, 0), Fault::fail(Failure::TooManyRequests(2)));
        let begun = Instant::now();
        site.run(command, arguments).await.ends(0).tells(&["retrying in 2s: "]);
        assert!(begun.elapsed() >= Duration::from_secs(2), "{command}, {call}: {:?}", begun.elapsed());
        assert_eq!(armed.hits(), 1, "{command} does not call {call}");
        site.gcp.proxy().disarm();
    }
}

#[tokio::test]
async fn a_list_without_a_part_says_when_to_come_again() {
    let site = Site::provisioned().await;
    let day = Fault::fail(Failure::TooManyRequests(86400));
    site.gcp.proxy().arm(When::every("pubsub.topics.list"), day);
    site.run("list", &[]).await.ends(0).tells(&["the topics cannot be listed", "Retry-After: 24h"]);
}

#[tokio::test]
async fn a_program_reads_a_wait_as_an_event() {
    let site = Site::open().await;
    site.gcp.proxy().arm(When::operation("storage.ListBuckets", 0), Fault::fail(Failure::TooManyRequests(2)));
    let ran = site.run("list", &["--format", "json"]).await.ends(0);
    let event: Value = serde_json::from_str(ran.stderr.trim()).expect("one line of JSON");
    assert_eq!((&event["event"], &event["next_seconds"]), (&"waiting".into(), &2.0.into()), "{event}");
    assert!(event["why"].as_str().unwrap().contains("rate"), "{event}");
}

#[tokio::test]
async fn emptying_waits_in_sight_and_not_for_a_day() {
    let site = Site::provisioned().await;
    for name in ["run/1", "run/2", "run/3"] {
        site.put(name, b"x");
    }
    let deleting = ["--delete-objects"];
    for call in ["storage.objects.delete", "storage.objects.list"] {
        // The first listing is the plan's.
        let nth = usize::from(call == "storage.objects.list");
        let day = Fault::fail(Failure::TooManyRequests(86400));
        site.gcp.proxy().arm(When::operation(call, nth).times(usize::MAX), day);
        let begun = Instant::now();
        let ran = site.teardown(&deleting).await;
        assert!(begun.elapsed() < Duration::from_secs(20), "{call}: {:?}", begun.elapsed());
        assert!(matches!(ran.code, Some(1 | 4)), "{ran}");
        ran.tells(&["Retry-After: 24h", "run again in 24h"]);
        site.gcp.proxy().disarm();
    }
    let soon = Fault::fail(Failure::TooManyRequests(2));
    site.gcp.proxy().arm(When::operation("storage.objects.delete", 0), soon);
    site.teardown(&deleting).await.ends(0).tells(&["retrying in 2s: storage.objects.delete on"]);
}
