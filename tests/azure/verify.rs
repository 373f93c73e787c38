//! The proof that it works, and what it says when it does not.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;
use wbstore_sandbox::ran::Ran;

use crate::support::{HOST, QUEUE, Site};

async fn verify(site: &Site) -> Ran {
    verify_within(site, "60s").await
}

/// `verify` where it waits for something that does not come.
async fn verify_in_vain(site: &Site) -> Ran {
    verify_within(site, "3s").await
}

async fn verify_within(site: &Site, time: &str) -> Ran {
    site.run("verify", &["--within", time, "--format", "json"]).await
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_fresh_deployment_passes_every_check() {
    let site = Site::open_provisioned().await;
    let ran = verify(&site).await.ends(0);
    for line in ran.stdout.lines() {
        assert!(line.contains("\"verdict\":\"passed\""), "{line}");
    }
    for name in [
        "drift",
        "not public",
        "event subscription",
        "preflight GET",
        "preflight PUT",
        "preflight HEAD",
        "preflight other origin",
        "upload",
        "ETag exposed",
        "anonymous read",
        "event",
        "cleanup",
    ] {
        ran.check(name);
    }
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn people_read_a_line_a_check_with_the_latency() {
    let site = Site::open_provisioned().await;
    let ran = site.run("verify", &["--within", "60s"]).await.ends(0);
    assert!(ran.stdout.contains("after the upload") && ran.stdout.contains("It works:"), "{ran}");
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn the_probe_is_removed_and_its_event_where_no_message_of_others_is_before_it() {
    let site = Site::open_provisioned().await;
    verify(&site).await.ends(0);
    assert!(!has_probe(&site).await);
    let messages = || site.double().messages(site.account(), QUEUE);
    assert_eq!(messages().await.unwrap(), [""; 0]);
    site.double().plant_message(site.account(), QUEUE, "theirs").await.unwrap();
    verify(&site).await.ends(0);
    let left = messages().await.unwrap();
    assert!(
        left.len() == 2 && left[1].contains("wbstore-probe"),
        "no message of others is received: {left:?}"
    );
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn messages_of_others_are_only_looked_at() {
    let site = Site::open_provisioned().await;
    for n in 0..5 {
        site.double().plant_message(site.account(), QUEUE, &format!("theirs {n}")).await.unwrap();
    }
    let ran = verify(&site).await.ends(0);
    assert!(ran.check("event")["detail"].as_str().unwrap().contains("5 messages of others"), "{ran}");
    let messages = site.double().messages(site.account(), QUEUE).await.unwrap();
    assert_eq!(messages.iter().filter(|message| message.starts_with("theirs")).count(), 5);
}

/// Peek Messages shows 32 messages at most. With so many of others that the event cannot be seen, the answer is
/// known at once: no second probe, and nothing of others is touched.
#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
#[expect(clippy::print_stderr, reason = "the numbers are for people")]
async fn unread_messages_of_others_decide_at_once_whether_the_event_can_be_seen() {
    let mut table = String::new();
    for (others, verdict, left) in
        [(0, "passed", 0), (31, "passed", 1), (33, "inconclusive", 1), (500, "inconclusive", 1)]
    {
        let site = Site::open_provisioned().await;
        let site = &site;
        let plant = |n: usize| async move {
            site.double().plant_message(site.account(), QUEUE, &format!("theirs {n}")).await
        };
        futures::future::try_join_all((0..others).map(plant)).await.unwrap();
        site.azure.proxy().clear_journal();
        let begun = Instant::now();
        let ran = verify(site).await.ends(0);
        let took = begun.elapsed();
        let event = ran.check("event");
        assert_eq!(event["verdict"], verdict, "{others}: {event}");
        if verdict == "inconclusive" {
            let reason = event["reason"].as_str().unwrap();
            assert!(reason.contains("behind the first 32") && reason.contains("holds about"), "{event}");
        }
        assert!(took < Duration::from_secs(20), "{others}: {took:?}");
        let uploads =
            site.azure.proxy().journal().iter().filter(|sent| sent.operation == "blob.PutBlob").count();
        assert_eq!((uploads, has_probe(site).await), (1, false), "{others}");
        // The event arrives although nobody can see it.
        let mut depth = 0;
        for _ in 0..50 {
            depth = site.double().depth(site.account(), QUEUE).await.unwrap();
            if depth == others + left {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert_eq!(depth, others + left, "{others}");
        table.push_str(&format!(
            "{others:>4} of others: {verdict}, {:.1} s, left behind: {left}\n",
            took.as_secs_f64()
        ));
    }
    eprint!("{table}");
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn nothing_provisioned_fails_it_at_once() {
    let site = Site::open().await;
    let ran = verify(&site).await.ends(6);
    assert_eq!(ran.check("drift")["verdict"], "failed");
    site.is_untouched();
}

/// Sends the events of the container elsewhere.
fn without_events(site: &Site) {
    let properties = json!({
        "destination": {"endpointType": "StorageQueue", "properties":
            {"resourceId": site.double().account_id(site.account()), "queueName": QUEUE}},
        "filter": {"subjectBeginsWith": "/blobServices/default/containers/other/blobs/",
            "includedEventTypes": ["Microsoft.Storage.BlobCreated"]},
        "labels": ["wbstore:wandb-acme-com"],
    });
    site.double().plant_event_subscription(site.account(), QUEUE, &properties, false);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn an_event_that_is_not_sent_fails_it() {
    let site = Site::open_provisioned().await;
    without_events(&site);
    let ran = verify_in_vain(&site).await.ends(6);
    let event = ran.check("event");
    assert_eq!(event["verdict"], "failed", "{event}");
    assert!(event["hint"].as_str().is_some_and(|hint| hint.contains("wbstore plan azure")), "{event}");
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_queue_or_an_event_subscription_that_is_gone_is_one_line_a_fact() {
    for kind in ["queue", "event-subscription"] {
        let site = Site::open_provisioned().await;
        match kind {
            "queue" => site.double().drop_queue(site.account(), QUEUE).await.unwrap(),
            _ => site.double().drop_event_subscription(QUEUE),
        }
        let ran = site.run("verify", &["--within", "60s", "--format", "json"]).await.ends(6);
        assert!(ran.stderr.lines().all(|line| line.contains("\"event\":\"waiting\"")), "{ran}");
        let address = format!("azure/{kind}/{QUEUE}");
        for (name, says) in [("drift", "(missing)"), ("event", "no event can arrive")] {
            let check = ran.check(name);
            assert_eq!(check["verdict"], "failed", "{check}");
            let reason = check["reason"].as_str().expect("text");
            assert!(reason.contains(&address) && reason.contains(says), "{check}");
            assert!(
                check["hint"].as_str().is_some_and(|hint| hint.contains("`wbstore provision`")),
                "{check}"
            );
        }
        assert_eq!(ran.check("upload")["verdict"], "passed", "the container is proven all the same");
    }
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn an_event_subscription_that_failed_is_told_as_such() {
    let site = Site::open_provisioned().await;
    let labels = json!({"labels": ["wbstore:wandb-acme-com"]});
    site.double().plant_event_subscription(site.account(), QUEUE, &labels, true);
    let ran = verify_in_vain(&site).await.ends(6);
    assert_eq!(ran.check("event subscription")["verdict"], "failed", "{ran}");
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_browser_that_is_refused_fails_it() {
    let site = Site::open_provisioned().await;
    site.double().plant_cors(site.account(), &[]).await.unwrap();
    let ran = verify(&site).await.ends(6);
    assert_eq!(ran.check("preflight PUT")["verdict"], "failed");
    assert_eq!(ran.check("ETag exposed")["verdict"], "failed");
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn an_account_that_every_page_may_use_fails_it() {
    let site = Site::open_provisioned().await;
    let rule = |origin: &str| {
        json!({"allowedOrigins": [origin], "allowedMethods": ["GET", "HEAD", "PUT"], "allowedHeaders": ["*"],
            "exposedHeaders": ["*"], "maxAgeInSeconds": 3000})
    };
    site.double().plant_cors(site.account(), &[rule(HOST), rule("*")]).await.unwrap();
    let ran = verify(&site).await.ends(6);
    assert_eq!(ran.check("preflight other origin")["verdict"], "failed");
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_role_that_may_not_sign_is_told_what_it_lacks() {
    let site = Site::open_provisioned().await;
    let action = "Microsoft.Storage/storageAccounts/listServiceSas/action";
    site.double().deny(&site.double().principal(), action);
    let ran = verify(&site).await.ends(3);
    let all = ran.check("all checks");
    assert!(all["hint"].as_str().is_some_and(|hint| hint.contains(action)), "{all}");
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn an_internal_queue_has_no_event_to_wait_for() {
    let site = Site::open().await;
    site.provision(&["--queue", "internal"]).await.ends(0);
    site.azure.proxy().clear_journal();
    let ran = site.run("verify", &["--queue", "internal"]).await.ends(0);
    assert!(!ran.stdout.contains("after the upload"), "{ran}");
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn an_interrupt_removes_the_probe_too() {
    let site = Site::open_provisioned().await;
    without_events(&site);
    let mut command = tokio::process::Command::from(site.azure.wbstore());
    command.args(site.arguments("verify", &["--within", "60s"]));
    command.stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
    let process = command.spawn().expect("it starts");
    while !has_probe(&site).await {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let id = process.id().expect("it still runs").to_string();
    // Unsafe code is forbidden here, and the standard library has no signals.
    assert!(Command::new("kill").args(["-INT", &id]).status().expect("kill runs").success());
    let ended = tokio::time::timeout(Duration::from_secs(60), process.wait_with_output()).await;
    let ended = ended.expect("it ends soon").expect("its output is read");
    assert_eq!(ended.status.code(), Some(130), "{}", String::from_utf8_lossy(&ended.stderr));
    assert!(!has_probe(&site).await);
}

async fn has_probe(site: &Site) -> bool {
    site.snapshot().await.paths().any(|path| path.contains("wbstore-probe"))
}
