//! What the server asks to be waited: done in sight up to a minute, and never for a day.

use std::time::{Duration, Instant};

use serde_json::Value;
use wbstore_sandbox::fault::{Failure, Fault, When};
use wbstore_sandbox::reply::ApiError;

use crate::support::{Ends, NAME, Site};

/// The ways in which an answer can ask for a wait of `seconds`.
fn pleas(seconds: u64) -> [Failure; 3] {
    let busy = || ApiError::new(503, "SlowDown", "Please reduce your request rate.");
    [
        Failure::TooManyRequests(seconds),
        Failure::Other(busy().header("retry-after", seconds.to_string())),
        Failure::Other(busy().header("x-amz-retry-after", (seconds * 1000).to_string())),
    ]
}

/// Every command, with a call that it makes.
const LOOKS: [(&str, &[&str], &str); 6] = [
    ("list", &[], "s3:ListBuckets"),
    ("plan", &[], "sts:GetCallerIdentity"),
    ("plan", &[], "s3:GetBucketCors"),
    ("config", &[], "sqs:GetQueueAttributes"),
    ("verify", &["--within", "5s"], "sqs:ReceiveMessage"),
    ("teardown", &["--confirm", NAME], "s3:ListObjectVersions"),
];

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_day_is_not_waited_and_the_reader_learns_of_it() {
    let site = Site::open().await;
    site.provisioned().await;
    site.aws.proxy().clear_journal();
    for (command, arguments, call) in LOOKS {
        for plea in pleas(86400) {
            let armed = site.aws.proxy().arm(When::every(call), Fault::fail(plea.clone()));
            let begun = Instant::now();
            let ran = site.run(command, arguments).await.ends(1);
            assert!(begun.elapsed() < Duration::from_secs(20), "{command}, {plea:?}: {:?}", begun.elapsed());
            // `verify` says it among its checks, on stdout.
            let said = ran.to_string();
            assert!(said.contains("Retry-After: 24h") && said.contains("hint: run again in 24h"), "{said}");
            assert!(armed.hits() > 0, "{command} does not call {call}");
            site.aws.proxy().disarm();
        }
    }
    let written: Vec<_> = site.mutations().into_iter().map(|sent| sent.operation).collect();
    assert!(written.iter().all(|sent| !sent.starts_with("s3:DeleteBucket")), "{written:?}");
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn two_seconds_are_waited_in_sight() {
    let site = Site::open().await;
    site.provisioned().await;
    for (command, arguments, call) in LOOKS {
        let [plea, ..] = pleas(2);
        let armed = site.aws.proxy().arm(When::operation(call, 0), Fault::fail(plea));
        let begun = Instant::now();
        site.run(command, arguments).await.ends(0).tells(&["retrying in 2s: "]);
        assert!(begun.elapsed() >= Duration::from_secs(2), "{command}, {call}: {:?}", begun.elapsed());
        assert_eq!(armed.hits(), 1, "{command} does not call {call}");
        site.aws.proxy().disarm();
    }
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_program_reads_a_wait_as_an_event() {
    let site = Site::open().await;
    for plea in pleas(2) {
        site.aws.proxy().arm(When::operation("s3:ListBuckets", 0), Fault::fail(plea));
        let ran = site.run("list", &["--format", "json"]).await.ends(0);
        let event: Value = serde_json::from_str(ran.stderr.trim()).expect("one line of JSON");
        assert_eq!((&event["event"], &event["next_seconds"]), (&"waiting".into(), &2.0.into()), "{event}");
        assert!(event["why"].as_str().unwrap().contains("ListBuckets"), "{event}");
        site.aws.proxy().disarm();
    }
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn emptying_waits_in_sight_and_not_for_a_day() {
    let site = Site::open().await;
    site.provisioned().await;
    site.boto("[s3.put_object(Bucket=bucket, Key=f'run/{n}', Body=b'x') for n in range(3)] and None").await;
    let deleting = ["--delete-objects"];
    for call in ["s3:DeleteObjects", "s3:ListObjectVersions"] {
        // The first listing is the plan's.
        let nth = usize::from(call == "s3:ListObjectVersions");
        let day = Fault::fail(Failure::TooManyRequests(86400));
        site.aws.proxy().arm(When::operation(call, nth).times(usize::MAX), day);
        site.aws.proxy().clear_journal();
        let begun = Instant::now();
        let ran = site.teardown(&deleting).await;
        assert!(begun.elapsed() < Duration::from_secs(20), "{call}: {:?}", begun.elapsed());
        assert!(matches!(ran.code, Some(1 | 4)), "{ran}");
        ran.tells(&["Retry-After: 24h", "run again in 24h"]);
        site.aws.proxy().disarm();
    }
    site.aws.proxy().arm(When::operation("s3:DeleteObjects", 0), Fault::fail(Failure::TooManyRequests(2)));
    site.teardown(&deleting).await.ends(0).tells(&["retrying in 2s: s3:DeleteObjectVersion on"]);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_step_waits_by_its_own_name() {
    let site = Site::open().await;
    let plea = Fault::fail(Failure::TooManyRequests(2));
    site.aws.proxy().arm(When::operation("s3:PutBucketCors", 0), plea);
    site.provision(&[]).await.ends(0).tells(&[&format!("aws/cors/{}: waiting for", site.bucket)]);
}
