//! What Azure asks to be waited: done in sight up to a minute, and never for a day.

use std::time::{Duration, Instant};

use serde_json::Value;
use wbstore_sandbox::fault::{Failure, Fault, When};
use wbstore_sandbox::reply::ApiError;

use crate::support::{Ends, NAME, Site};

/// The ways in which an answer can ask for a wait of `seconds`.
fn pleas(seconds: u64) -> [Failure; 3] {
    let busy = || ApiError::new(503, "ServerBusy", "The server is busy.");
    [
        Failure::TooManyRequests(seconds),
        Failure::Other(busy().header("retry-after", seconds.to_string())),
        Failure::Other(busy().header("x-ms-retry-after-ms", (seconds * 1000).to_string())),
    ]
}

/// Every command, with a call that it makes.
const LOOKS: [(&str, &[&str], &str); 5] = [
    ("list", &[], "arm.storageAccounts.LIST"),
    ("plan", &[], "arm.containers.GET"),
    ("config", &[], "arm.storageAccounts.GET"),
    ("verify", &["--within", "5s"], "queue.PeekMessages"),
    ("teardown", &["--confirm", NAME], "blob.ListBlobs"),
];

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_day_is_not_waited_and_the_reader_learns_of_it() {
    let site = Site::open().await;
    site.provisioned().await;
    for (command, arguments, call) in LOOKS {
        for plea in pleas(86400) {
            let armed = site.azure.proxy().arm(When::every(call), Fault::fail(plea.clone()));
            let begun = Instant::now();
            let ran = site.run(command, arguments).await.ends(1);
            assert!(begun.elapsed() < Duration::from_secs(20), "{command}, {plea:?}: {:?}", begun.elapsed());
            // `verify` says it among its checks, on stdout.
            let said = ran.to_string();
            assert!(said.contains("Retry-After: 24h") && said.contains("hint: run again in 24h"), "{said}");
            assert!(armed.hits() > 0, "{command} does not call {call}");
            site.azure.proxy().disarm();
        }
    }
    site.run("plan", &["--exit-code"]).await.ends(0);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn two_seconds_are_waited_in_sight() {
    let site = Site::open().await;
    site.provisioned().await;
    for (command, arguments, call) in LOOKS {
        let [plea, ..] = pleas(2);
        let armed = site.azure.proxy().arm(When::operation(call, 0), Fault::fail(plea));
        let begun = Instant::now();
        site.run(command, arguments).await.ends(0).tells(&["retrying in 2s: "]);
        assert!(begun.elapsed() >= Duration::from_secs(2), "{command}, {call}: {:?}", begun.elapsed());
        assert_eq!(armed.hits(), 1, "{command} does not call {call}");
        site.azure.proxy().disarm();
    }
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_program_reads_a_wait_as_an_event() {
    let site = Site::open().await;
    for plea in pleas(2) {
        site.azure.proxy().arm(When::operation("arm.storageAccounts.LIST", 0), Fault::fail(plea));
        let ran = site.run("list", &["--format", "json"]).await.ends(0);
        let event: Value = serde_json::from_str(ran.stderr.trim()).expect("one line of JSON");
        assert_eq!((&event["event"], &event["next_seconds"]), (&"waiting".into(), &2.0.into()), "{event}");
        assert!(event["why"].as_str().unwrap().contains("storageAccounts"), "{event}");
        site.azure.proxy().disarm();
    }
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_token_is_waited_for_like_anything_else() {
    let site = Site::open().await;
    site.azure.proxy().arm(When::operation("token.POST", 0), Fault::fail(Failure::TooManyRequests(2)));
    site.run("list", &[]).await.ends(0).tells(&["retrying in 2s: "]);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_step_waits_by_its_own_name_and_not_for_a_day() {
    let site = Site::open().await;
    let queue = "arm.queues.PUT";
    site.azure.proxy().arm(When::operation(queue, 0), Fault::fail(Failure::TooManyRequests(2)));
    site.provision(&[]).await.ends(0).tells(&["azure/queue/", "waiting for"]);
    site.azure
        .proxy()
        .arm(When::every("arm.containers.DELETE"), Fault::fail(Failure::TooManyRequests(86400)));
    let begun = Instant::now();
    let ran = site.teardown(&[]).await.ends(4);
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    ran.tells(&["Retry-After: 24h", "run again in 24h"]);
}
