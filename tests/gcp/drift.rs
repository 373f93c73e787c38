//! Whatever was changed behind our back is found, and nothing else is touched to mend it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::{EVENTS, NAME, Site};

/// Checks that a plan finds what was changed on `site`, that `provision` mends it with no more than
/// `calls`, and that nothing is left to do then. Gives what the plan said.
async fn mends(site: &Site, calls: &[&str]) -> Value {
    site.gcp.proxy().clear_journal();
    let plan = site.run("plan", &["--exit-code", "--format", "json"]).await.ends(5).json();
    site.is_untouched();
    site.provision(&[]).await.ends(0);
    let sent: BTreeSet<_> = site.mutations().into_iter().collect();
    assert_eq!(sent, calls.iter().map(ToString::to_string).collect());
    site.run("plan", &["--exit-code"]).await.ends(0);
    plan
}

/// The same, and everything is to the byte as it was before.
async fn restores(site: &Site, change: impl Future<Output = ()>, calls: &[&str]) -> Value {
    let before = site.snapshot().await;
    change.await;
    assert_ne!(site.snapshot().await, before, "something was changed");
    let plan = mends(site, calls).await;
    assert_eq!(site.snapshot().await.differences(&before), Vec::<String>::new());
    plan
}

/// The fields that the only step of `plan` changes, without their own fields.
fn fields<'a>(plan: &'a Value) -> Vec<&'a str> {
    let steps = plan["steps"].as_array().expect("a list").iter();
    let steps: Vec<_> = steps.filter(|step| step["action"] == "update").collect();
    assert_eq!(steps.len(), 1, "{plan:#}");
    let changes = steps[0]["changes"].as_array().expect("a list").iter();
    let name = |change: &'a Value| change["field"].as_str().expect("a name").split('.').next();
    let mut fields: Vec<_> = changes.filter_map(name).collect();
    fields.sort_unstable();
    fields.dedup();
    fields
}

#[tokio::test]
async fn settings_of_the_subscription_are_found_and_mended_in_one_call() {
    let site = Site::provisioned().await;
    let change = async {
        let push = json!({ "pushEndpoint": "https://push.example.com/x" });
        let settings = json!({
            "expirationPolicy": { "ttl": "2678400s" }, "ackDeadlineSeconds": 10,
            "messageRetentionDuration": "600s", "pushConfig": push,
        });
        let mask = "expirationPolicy,ackDeadlineSeconds,messageRetentionDuration,pushConfig";
        site.patch_subscription(mask, settings).await;
    };
    let plan = restores(&site, change, &["pubsub.subscriptions.patch"]).await;
    let all = ["ack_deadline_seconds", "delivery", "expires_unused", "retention_seconds"];
    assert_eq!(fields(&plan), all);
    assert_eq!(site.mutations().len(), 1);
    // One alone, of which nothing else tells.
    let change = site
        .patch_subscription("pushConfig", json!({ "pushConfig": { "pushEndpoint": "https://x.example" } }));
    assert_eq!(fields(&restores(&site, change, &["pubsub.subscriptions.patch"]).await), ["delivery"]);
}

#[tokio::test]
async fn each_field_of_a_change_is_shown_with_both_values() {
    let site = Site::provisioned().await;
    site.patch_subscription("expirationPolicy", json!({ "expirationPolicy": { "ttl": "2678400s" } })).await;
    let plan = site.run("plan", &[]).await.ends(0);
    let change = |line: &str| line.contains("expires_unused:") && line.contains(r#""31d" -> "never""#);
    assert!(plan.stdout.lines().any(change), "{plan}");
}

#[tokio::test]
async fn a_topic_that_stores_messages_anywhere_is_found_and_mended() {
    let site = Site::open().await;
    let with = ["--location", "EU"];
    site.provision(&with).await.ends(0);
    let set = async |regions: Value| {
        let topic = json!({ "messageStoragePolicy": { "allowedPersistenceRegions": regions } });
        let body = json!({ "topic": topic, "updateMask": "messageStoragePolicy" });
        site.ask("PATCH", &site.topic(), body).await;
    };
    set(json!(["europe-west4", "us-east1"])).await;
    site.run("plan", &[&with[..], &["--exit-code"]].concat()).await.ends(5);
    site.gcp.proxy().clear_journal();
    site.provision(&with).await.ends(0);
    assert_eq!(site.mutations(), ["pubsub.topics.patch"]);
    // What is stricter is as good.
    set(json!(["europe-west4"])).await;
    site.run("plan", &[&with[..], &["--exit-code"]].concat()).await.ends(0);
}

#[tokio::test]
async fn a_detached_subscription_is_made_again_and_said_so() {
    let site = Site::provisioned().await;
    let detach = format!("{}:detach", site.subscription());
    let before = site.snapshot().await;
    site.ask("POST", &detach, json!({})).await;
    let calls = ["pubsub.subscriptions.create", "pubsub.subscriptions.delete"];
    let plan = mends(&site, &calls).await;
    assert!(plan.to_string().contains("its remaining messages are lost"), "{plan:#}");
    assert_eq!(site.snapshot().await.differences(&before), Vec::<String>::new());
}

#[tokio::test]
async fn a_deleted_topic_is_made_again_with_what_hangs_on_it() {
    let site = Site::provisioned().await;
    let before = site.snapshot().await;
    site.ask("DELETE", &site.topic(), Value::Null).await;
    assert_eq!(site.get(&site.subscription()).await["topic"], "_deleted-topic_");
    let plan = mends(
        &site,
        &[
            "pubsub.subscriptions.create",
            "pubsub.subscriptions.delete",
            "pubsub.topics.create",
            "pubsub.topics.setIamPolicy",
        ],
    )
    .await;
    assert!(plan.to_string().contains("its topic was deleted"), "{plan:#}");
    assert_eq!(site.snapshot().await.differences(&before), Vec::<String>::new());
}

#[tokio::test]
async fn a_deleted_subscription_is_made_again() {
    let site = Site::provisioned().await;
    let delete = async {
        site.ask("DELETE", &site.subscription(), Value::Null).await;
    };
    restores(&site, delete, &["pubsub.subscriptions.create"]).await;
}

#[tokio::test]
async fn settings_of_the_bucket_are_found_and_mended_in_one_call() {
    let site = Site::provisioned().await;
    let access = |enabled: bool, prevention: &str| json!({ "uniformBucketLevelAccess": { "enabled": enabled }, "publicAccessPrevention": prevention });
    let all = json!({
        "iamConfiguration": access(false, "inherited"), "cors": [], "storageClass": "COLDLINE",
        "labels": { "wbstore-queue": "internal" },
    });
    let plan = restores(&site, site.patch_bucket(all), &["storage.buckets.patch"]).await;
    let found = ["cors", "labels", "public_access_prevention", "storage_class", "uniform_access"];
    assert_eq!(fields(&plan), found);
    assert_eq!(site.mutations().len(), 1);
    // One alone, beside which the other half of the same setting stays.
    let change = json!({ "iamConfiguration": access(false, "enforced") });
    let plan = restores(&site, site.patch_bucket(change), &["storage.buckets.patch"]).await;
    assert_eq!(fields(&plan), ["uniform_access"]);
}

#[tokio::test]
async fn a_changed_cors_entry_is_somebody_elses_then_and_ours_is_made_again() {
    let site = Site::provisioned().await;
    let mut cors = site.bucket().await["cors"].clone();
    cors[0]["maxAgeSeconds"] = json!(7);
    site.patch_bucket(json!({ "cors": cors })).await;
    mends(&site, &["storage.buckets.patch"]).await;
    let entries = site.bucket().await["cors"].clone();
    let entries = entries.as_array().expect("a list");
    assert_eq!((entries.len(), &entries[0]["maxAgeSeconds"]), (2, &json!(7)), "{entries:?}");
}

#[tokio::test]
async fn a_lost_label_is_set_again_and_labels_of_others_stay() {
    let site = Site::provisioned().await;
    let labels = json!({ "wbstore-deployment": NAME, "team": "vision", "wbstore-queue": null });
    site.patch_bucket(json!({ "labels": labels })).await;
    mends(&site, &["storage.buckets.patch"]).await;
    let labels = site.bucket().await["labels"].clone();
    assert_eq!((&labels["team"], &labels["wbstore-queue"]), (&json!("vision"), &json!("pubsub")));
}

#[tokio::test]
async fn a_notification_that_was_doubled_is_reduced_to_one() {
    let site = Site::provisioned().await;
    let told = site.get(&site.notifications()).await["items"][0].clone();
    for _ in 0..2 {
        let again = json!({
            "topic": told["topic"], "payload_format": "JSON_API_V1", "event_types": ["OBJECT_FINALIZE"],
            "custom_attributes": told["custom_attributes"],
        });
        site.ask("POST", &site.notifications(), again).await;
    }
    mends(&site, &["storage.notifications.delete"]).await;
    let left = site.get(&site.notifications()).await;
    assert_eq!(left["items"].as_array().map(Vec::len), Some(1), "{left}");
    assert_eq!(left["items"][0]["id"], told["id"], "the oldest stays");
}

#[tokio::test]
async fn a_notification_that_is_not_what_it_should_be_is_replaced() {
    let site = Site::provisioned().await;
    let before = site.snapshot().await;
    let told = site.get(&site.notifications()).await["items"][0].clone();
    let path = format!("{}/{}", site.notifications(), told["id"].as_str().expect("an id"));
    site.ask("DELETE", &path, Value::Null).await;
    let narrow = json!({
        "topic": told["topic"], "payload_format": "NONE", "object_name_prefix": "x/",
        "custom_attributes": told["custom_attributes"],
    });
    site.ask("POST", &site.notifications(), narrow).await;
    mends(&site, &["storage.notifications.delete", "storage.notifications.insert"]).await;
    assert_eq!(site.snapshot().await.differences(&before), Vec::<String>::new());
}

#[tokio::test]
async fn a_deleted_notification_is_made_again() {
    let site = Site::provisioned().await;
    let told = site.get(&site.notifications()).await["items"][0].clone();
    let path = format!("{}/{}", site.notifications(), told["id"].as_str().expect("an id"));
    let delete = async {
        site.ask("DELETE", &path, Value::Null).await;
    };
    restores(&site, delete, &["storage.notifications.insert"]).await;
}

#[tokio::test]
async fn a_publisher_grant_that_was_taken_is_given_again() {
    let site = Site::provisioned().await;
    let set = format!("{}:setIamPolicy", site.topic());
    let take = async {
        site.ask("POST", &set, json!({ "policy": { "bindings": [] } })).await;
    };
    restores(&site, take, &["pubsub.topics.setIamPolicy"]).await;
}

#[tokio::test]
async fn a_deleted_bucket_is_made_again_with_its_notification() {
    let site = Site::provisioned().await;
    let delete = async {
        site.ask("DELETE", &format!("/storage/v1/b/{}", site.bucket), Value::Null).await;
    };
    restores(&site, delete, &["storage.buckets.insert", "storage.notifications.insert"]).await;
}

#[tokio::test]
async fn another_host_changes_only_the_cors_entry() {
    let site = Site::provisioned().await;
    let moved = "https://new.acme.com";
    site.provision(&["--host", moved, "--name", NAME]).await.ends(0);
    assert_eq!(site.mutations(), ["storage.buckets.patch"]);
    let entries = site.bucket().await["cors"].clone();
    assert_eq!((entries.as_array().map(Vec::len), &entries[0]["origin"]), (Some(1), &json!([moved])));
}

#[tokio::test]
async fn another_location_is_refused_and_not_made_anew() {
    let site = Site::provisioned().await;
    let ran = site.provision(&["--location", "EU", "--bucket", &site.bucket]).await.ends(3);
    ran.tells(&[&site.bucket, "location", "hint:"]);
    site.is_untouched();
    assert_eq!(site.subscriptions().await, [EVENTS]);
}

#[tokio::test]
async fn a_label_that_others_removed_is_set_again_and_theirs_stay() {
    let site = Site::open().await;
    let tags = ["--tag", "cost-centre=c42"];
    site.provision(&tags).await.ends(0);
    site.patch_bucket(json!({ "labels": { "cost-centre": null, "owner": "ml" } })).await;
    let plan =
        site.run("plan", &[&tags[..], &["--exit-code", "--format", "json"]].concat()).await.ends(5).json();
    assert_eq!(fields(&plan), ["labels"]);
    site.provision(&tags).await.ends(0);
    let labels = &site.bucket().await["labels"];
    assert_eq!((&labels["cost-centre"], &labels["owner"]), (&json!("c42"), &json!("ml")));
    site.run("plan", &[&tags[..], &["--exit-code"]].concat()).await.ends(0);
}

#[tokio::test]
async fn versions_are_in_the_creating_call_and_turned_on_again() {
    let site = Site::open().await;
    site.provision(&["--versioning"]).await.ends(0);
    let sent: Vec<_> =
        site.mutations().into_iter().filter(|sent| sent.starts_with("storage.buckets")).collect();
    assert_eq!(sent, ["storage.buckets.insert"]);
    assert_eq!(site.bucket().await["versioning"], json!({ "enabled": true }));
    site.patch_bucket(json!({ "versioning": { "enabled": false } })).await;
    site.run("plan", &["--exit-code"]).await.ends(0);
    let plan = site.run("plan", &["--versioning", "--exit-code", "--format", "json"]).await.ends(5).json();
    assert_eq!(fields(&plan), ["versioning"]);
    site.provision(&["--versioning"]).await.ends(0);
    assert_eq!(site.bucket().await["versioning"], json!({ "enabled": true }));
}
