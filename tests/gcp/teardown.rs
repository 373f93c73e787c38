//! What `teardown` removes, what it keeps, and when it will not begin.

use serde_json::{Value, json};
use wbstore_sandbox::fault::{Failure, Fault, Side, When};

use crate::support::{EVENTS, NAME, Site};

#[tokio::test]
async fn everything_of_an_empty_deployment_goes() {
    let site = Site::provisioned().await;
    let ran = site.teardown(&[]).await.ends(0);
    // In the plan, and once more when it is done.
    let (plan, end) = ran.stderr.split_once(": deleted").expect("it says what it deletes");
    assert!(plan.contains("gcloud storage restore") && end.contains("gcloud storage restore"), "{ran}");
    assert_eq!(site.left().await, json!([[], [], []]));
}

#[tokio::test]
async fn no_event_is_sent_of_what_a_teardown_deletes() {
    let site = Site::provisioned().await;
    site.put("run", b"four");
    site.gcp.proxy().clear_journal();
    site.teardown(&["--delete-objects"]).await.ends(0);
    let sent = site.gcp.proxy().journal().into_iter().filter(|exchange| exchange.mutating);
    let sent: Vec<_> = sent.map(|exchange| exchange.operation).collect();
    let at = |operation: &str| sent.iter().position(|one| one == operation).expect("it was sent");
    assert!(at("storage.notifications.delete") < at("storage.objects.delete"), "{sent:?}");
    assert!(at("storage.objects.delete") < at("storage.buckets.delete"), "{sent:?}");
}

#[tokio::test]
async fn a_teardown_may_be_repeated() {
    let site = Site::provisioned().await;
    site.teardown(&[]).await.ends(0);
    site.gcp.proxy().clear_journal();
    site.teardown(&[]).await.ends(0).tells(&["wbstore list gcp"]);
    site.is_untouched();
}

#[tokio::test]
async fn a_bucket_that_is_not_empty_is_refused_with_its_counts() {
    let site = Site::provisioned().await;
    for number in 0..3 {
        site.put(&format!("k{number}"), b"four");
    }
    site.teardown(&[]).await.ends(3).tells(&["3 objects", "12 bytes", "hint:", "--delete-objects"]);
    site.is_untouched();
}

#[tokio::test]
async fn all_generations_and_odd_names_are_deleted() {
    let site = Site::provisioned().await;
    site.patch_bucket(json!({ "versioning": { "enabled": true } })).await;
    for name in ["twice", "twice", "a b", "a+b", "%", "ü/本/🪣", "a&<b>'\"", "dir/", " ", "a//b", "?q=1#f"]
    {
        site.put(name, b"x");
    }
    site.teardown(&["--delete-objects"]).await.ends(0);
    assert_eq!(site.left().await, json!([[], [], []]));
}

#[tokio::test]
async fn more_than_a_page_is_deleted_however_busy_the_service_is() {
    let site = Site::provisioned().await;
    for number in 0..1101 {
        site.put(&format!("runs/{number:04}"), b"");
    }
    let proxy = site.gcp.proxy();
    proxy.arm(When::one_in(25, "storage.objects.delete"), Fault::fail(Failure::Throttled));
    proxy.arm(When::one_in(40, "storage.objects.delete"), Fault::fail(Failure::Internal));
    site.teardown(&["--delete-objects"]).await.ends(0);
    assert_eq!(site.left().await, json!([[], [], []]));
    let deletions = proxy.journal().iter().filter(|sent| sent.operation == "storage.objects.delete").count();
    assert!((1102..1400).contains(&deletions), "{deletions}");
}

#[tokio::test]
async fn a_hold_is_refused_before_anything_is_deleted() {
    let site = Site::provisioned().await;
    site.put("free", b"x");
    site.gcp.control().put(&site.bucket, "kept", b"x", true);
    let ran = site.teardown(&["--delete-objects"]).await.ends(3);
    ran.tells(&["1 object is under an event-based hold (`kept`)", "hint:", "--no-event-based-hold"]);
    site.is_untouched();
}

#[tokio::test]
async fn a_retention_policy_is_refused_before_anything_is_deleted() {
    let site = Site::provisioned().await;
    site.put("kept", b"x");
    site.patch_bucket(json!({ "retentionPolicy": { "retentionPeriod": "172800" } })).await;
    let ran = site.teardown(&["--delete-objects"]).await.ends(3);
    ran.tells(&["its retention policy keeps every object for 2d", "hint:", "--clear-retention-period"]);
    site.is_untouched();
}

#[tokio::test]
async fn a_bucket_that_empties_itself_is_not_provisioned() {
    let site = Site::provisioned().await;
    site.put("run", b"four");
    let lifecycle = ["--delete-objects", "--empty-by", "lifecycle"];
    site.teardown(&lifecycle).await.ends(4).tells(&["within a day or two", "hint:", "48 hours"]);
    let bucket = site.get(&format!("/storage/v1/b/{}", site.bucket)).await;
    let rules: Vec<&Value> = bucket["lifecycle"]["rule"].as_array().expect("rules").iter().collect();
    assert_eq!(rules.len(), 2, "{bucket}");
    site.provision(&[]).await.ends(3).tells(&["lifecycle rules that empty it", "hint:"]);
    // As the cloud would have done it by then.
    let object = format!("/storage/v1/b/{}/o/run", site.bucket);
    site.ask("DELETE", &object, Value::Null).await;
    site.teardown(&lifecycle).await.ends(0);
    assert_eq!(site.left().await, json!([[], [], []]));
}

#[tokio::test]
async fn lifecycle_rules_of_others_stay() {
    let site = Site::provisioned().await;
    let theirs = json!({ "action": { "type": "Delete" }, "condition": { "age": 365 } });
    site.patch_bucket(json!({ "lifecycle": { "rule": [theirs] } })).await;
    site.put("run", b"four");
    let lifecycle = ["--delete-objects", "--empty-by", "lifecycle"];
    site.teardown(&lifecycle).await.ends(4);
    site.teardown(&lifecycle).await.ends(4);
    let bucket = site.get(&format!("/storage/v1/b/{}", site.bucket)).await;
    let rules = bucket["lifecycle"]["rule"].as_array().expect("rules");
    assert_eq!((rules.len(), &rules[0]), (3, &theirs), "{bucket}");
}

#[tokio::test]
async fn half_a_deployment_is_torn_down() {
    let site = Site::open().await;
    site.gcp.proxy().arm(When::every("storage.buckets.insert"), Fault::fail(Failure::AccessDenied));
    site.provision(&[]).await.ends(4);
    site.gcp.proxy().disarm();
    assert_eq!(site.subscriptions().await, [EVENTS]);
    site.teardown(&[]).await.ends(0);
    assert_eq!(site.left().await, json!([[], [], []]));
}

#[tokio::test]
async fn what_arrives_meanwhile_is_not_lost_in_silence() {
    let site = Site::provisioned().await;
    let delete =
        site.gcp.proxy().arm(When::operation("storage.buckets.delete", 0), Fault::Hang(Side::Before));
    let meanwhile = async {
        delete.reached().await;
        site.put("late", b"x");
        delete.release();
    };
    let (ran, ()) = futures::join!(site.teardown(&[]), meanwhile);
    ran.ends(4).tells(&["hint:"]);
    assert_eq!(site.objects().await, ["late"]);
}

#[tokio::test]
async fn the_name_alone_is_enough() {
    let site = Site::provisioned().await;
    site.gcp.run(&["destroy", "gcp", "--name", NAME, "--confirm", NAME]).await.ends(0);
    assert_eq!(site.left().await, json!([[], [], []]));
}
