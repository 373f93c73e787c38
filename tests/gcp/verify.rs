//! The proof that a deployment works, and what it says of one that does not.

use serde_json::{Value, json};
use wbstore_sandbox::fault::{Failure, Fault, Side, When};
use wbstore_sandbox::ran::Ran;

use crate::support::{EVENTS, Site, record};

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

#[track_caller]
fn fails(ran: &Ran, name: &str, word: &str) {
    let check = ran.check(name);
    assert_eq!(check["verdict"], "failed", "{check}");
    assert!(check["reason"].as_str().is_some_and(|reason| reason.contains(word)), "{check}");
}

#[tokio::test]
async fn what_was_provisioned_works() {
    let site = Site::provisioned().await;
    let ran = verify(&site).await.ends(0);
    for name in [
        "drift",
        "not public",
        "preflight GET",
        "preflight PUT",
        "preflight HEAD",
        "preflight other origin",
        "preflight JSON API",
        "event subscription",
        "upload",
        "ETag exposed",
        "anonymous read",
        "event",
        "cleanup",
    ] {
        assert_eq!(ran.check(name)["verdict"], "passed", "{name}\n{ran}");
    }
    assert_eq!(ran.check("upload")["detail"], "stored through a presigned URL");
}

#[tokio::test]
async fn nothing_of_the_check_is_left() {
    let site = Site::provisioned().await;
    verify(&site).await.ends(0);
    assert_eq!(site.objects().await, Vec::<String>::new());
    assert_eq!(site.subscriptions().await, [EVENTS]);
}

#[tokio::test]
async fn the_servers_own_subscription_is_not_pulled_from() {
    let site = Site::provisioned().await;
    verify(&site).await.ends(0);
    let asked = json!({ "maxMessages": 10, "returnImmediately": true });
    let pulled = site.ask("POST", &format!("{}:pull", site.subscription()), asked).await;
    let messages = pulled["receivedMessages"].as_array().cloned().unwrap_or_default();
    let about_probe = |message: &Value| {
        let object = message["message"]["attributes"]["objectId"].as_str();
        object.is_some_and(|object| object.starts_with(".wbstore-probe/"))
    };
    assert_eq!(messages.iter().filter(|message| about_probe(message)).count(), 1, "{pulled}");
}

#[tokio::test]
async fn a_browser_that_is_refused_fails_it() {
    let site = Site::provisioned().await;
    site.patch_bucket(json!({ "cors": [] })).await;
    let ran = verify(&site).await.ends(6);
    fails(&ran, "preflight PUT", "not allowed");
    fails(&ran, "ETag exposed", "cannot read the ETag");
    assert_eq!(ran.check("preflight JSON API")["verdict"], "passed", "it asks no bucket");
}

#[tokio::test]
async fn a_bucket_that_every_page_may_use_fails_it() {
    let site = Site::provisioned().await;
    let everybody = json!([{ "origin": ["*"], "method": ["PUT"], "responseHeader": ["Content-Type"] }]);
    site.patch_bucket(json!({ "cors": everybody })).await;
    fails(&verify(&site).await.ends(6), "preflight other origin", "any origin");
}

#[tokio::test]
async fn a_bucket_that_is_open_to_everybody_fails_it() {
    let site = Site::provisioned().await;
    let open = json!({ "iamConfiguration": { "publicAccessPrevention": "inherited" } });
    site.patch_bucket(open).await;
    let path = format!("/storage/v1/b/{}/iam", site.bucket);
    let bindings = json!([{ "role": "roles/storage.objectViewer", "members": ["allUsers"] }]);
    site.ask("PUT", &path, json!({ "version": 3, "bindings": bindings })).await;
    let ran = verify(&site).await.ends(6);
    fails(&ran, "not public", "allUsers has roles/storage.objectViewer");
    fails(&ran, "anonymous read", "anyone can read");
}

#[tokio::test]
async fn a_subscription_of_a_deleted_topic_fails_it() {
    let site = Site::provisioned().await;
    let topic = format!("/v1/projects/{}/topics/{EVENTS}", site.gcp.project());
    site.ask("DELETE", &topic, Value::Null).await;
    let ran = verify(&site).await.ends(6);
    fails(&ran, "event subscription", "no topic");
    assert_ne!(ran.check("event")["verdict"], "passed");
    assert_eq!(site.objects().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_topic_or_a_subscription_that_is_gone_is_one_line_a_fact() {
    let site = Site::provisioned().await;
    site.ask("DELETE", &site.subscription(), Value::Null).await;
    let ran = verify(&site).await.ends(6);
    fails(&ran, "drift", &format!("gcp/subscription/{EVENTS} (missing)"));
    fails(&ran, "event subscription", "does not exist");
    assert_eq!(ran.check("event")["verdict"], "passed", "the topic gets it");
    site.ask("DELETE", &site.topic(), Value::Null).await;
    let ran = verify(&site).await.ends(6);
    assert!(ran.stderr.lines().all(|line| line.contains("\"event\":\"waiting\"")), "{ran}");
    fails(&ran, "event", &format!("gcp/topic/{EVENTS} is missing"));
    assert!(ran.check("event")["hint"].as_str().is_some_and(|hint| hint.contains("`wbstore provision`")));
    assert_eq!(ran.check("upload")["verdict"], "passed", "the bucket is proven all the same");
}

#[tokio::test]
async fn an_event_that_is_not_sent_soon_after_a_change_leaves_it_open() {
    let site = Site::provisioned().await;
    let path = format!("/storage/v1/b/{}/notificationConfigs", site.bucket);
    let listed = site.get(&path).await;
    let id = listed["items"][0]["id"].as_str().expect("there is one");
    site.ask("DELETE", &format!("{path}/{id}"), Value::Null).await;
    let ran = verify_in_vain(&site).await.ends(6);
    fails(&ran, "drift", "notification");
    let event = ran.check("event");
    assert_eq!(event["verdict"], "inconclusive", "{event}");
    assert!(event["reason"].as_str().is_some_and(|reason| reason.contains("7 minutes")), "{event}");
}

#[tokio::test]
async fn events_of_somebody_elses_notification_are_no_proof() {
    let site = Site::provisioned().await;
    let path = format!("/storage/v1/b/{}/notificationConfigs", site.bucket);
    let listed = site.get(&path).await;
    let ours = &listed["items"][0];
    site.ask("DELETE", &format!("{path}/{}", ours["id"].as_str().expect("an id")), Value::Null).await;
    // It lets the probes through, and not what the server uploads.
    let narrow = json!({
        "topic": ours["topic"], "payload_format": "JSON_API_V1", "object_name_prefix": ".wbstore-probe/",
    });
    site.ask("POST", &path, narrow).await;
    fails(&verify_in_vain(&site).await.ends(6), "event", "which is not wbstore's");
}

#[tokio::test]
async fn a_subscription_that_may_not_be_made_leaves_the_event_open() {
    let site = Site::provisioned().await;
    site.gcp.control().deny("pubsub.subscriptions.create");
    let ran = verify(&site).await.ends(0);
    let event = ran.check("event");
    assert_eq!(event["verdict"], "inconclusive", "{event}");
    assert!(event["reason"].as_str().is_some_and(|reason| reason.contains("pubsub.subscriptions.create")));
    assert_eq!(ran.check("upload")["verdict"], "passed");
}

#[tokio::test]
async fn a_subscription_whose_answer_is_lost_is_removed_too() {
    let site = Site::provisioned().await;
    let proxy = site.gcp.proxy();
    proxy.arm(
        When::operation("pubsub.subscriptions.create", 0).times(9),
        Fault::fail_after(Failure::Internal),
    );
    verify(&site).await;
    assert_eq!(site.subscriptions().await, [EVENTS]);
}

/// A temporary subscription that somebody deletes delivers nothing, however long it is waited for.
#[tokio::test]
async fn a_temporary_subscription_that_is_deleted_is_said_at_once() {
    let site = Site::provisioned().await;
    let pull =
        site.gcp.proxy().arm(When::operation("pubsub.subscriptions.pull", 0), Fault::Hang(Side::Before));
    let others = async {
        pull.reached().await;
        for name in site.subscriptions().await.iter().filter(|name| name.contains("verify")) {
            let path = format!("/v1/projects/{}/subscriptions/{name}", site.gcp.project());
            site.ask("DELETE", &path, Value::Null).await;
        }
        pull.release();
    };
    let (ran, ()) = futures::join!(verify_within(&site, "10m"), others);
    fails(&ran.ends(6), "event", "was deleted meanwhile");
    assert_eq!(site.objects().await, Vec::<String>::new());
}

/// However many messages of others wait for the server, verify reads its own, and leaves them as they are.
#[tokio::test]
async fn the_servers_backlog_neither_delays_the_check_nor_is_touched() {
    for backlog in [0, 31, 33, 500] {
        let site = Site::provisioned().await;
        site.publish(backlog).await;
        let begun = std::time::Instant::now();
        verify(&site).await.ends(0);
        record(format!("{backlog} unread messages of others: {:.1} s", begun.elapsed().as_secs_f64()));
        assert_eq!(site.pull_all().await, (backlog, 1), "the event of the probe is for the server too");
        assert_eq!(site.subscriptions().await, [EVENTS]);
    }
}

#[tokio::test]
async fn nothing_is_uploaded_that_could_not_be_removed() {
    let site = Site::provisioned().await;
    site.patch_bucket(json!({ "retentionPolicy": { "retentionPeriod": "86400" } })).await;
    let ran = verify(&site).await;
    let upload = ran.check("upload");
    assert_eq!(upload["verdict"], "inconclusive", "{upload}");
    assert!(upload["reason"].as_str().is_some_and(|reason| reason.contains("retention policy")), "{upload}");
    assert_eq!(site.objects().await, Vec::<String>::new());
}

#[tokio::test]
async fn nothing_provisioned_fails_it_at_once() {
    let site = Site::open().await;
    fails(&verify(&site).await.ends(6), "drift", "does not exist");
    site.is_untouched();
}

#[tokio::test]
async fn an_internal_queue_has_no_event_to_wait_for() {
    let site = Site::open().await;
    site.provision(&["--queue", "internal"]).await.ends(0);
    let ran = site.run("verify", &["--queue", "internal", "--format", "json"]).await.ends(0);
    let event = ran.check("event");
    assert!(event["detail"].as_str().is_some_and(|detail| detail.contains("not applicable")), "{event}");
    assert!(!ran.stdout.contains("event subscription"), "{ran}");
}
