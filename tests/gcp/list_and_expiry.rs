//! What is there, for how long, and what goes when its time is up.

use serde_json::{Value, json};

use crate::support::{EVENTS, NAME, Site};

async fn listed(site: &Site) -> Value {
    site.run("list", &["--format", "json"]).await.ends(0).json()
}

/// The end of a lease that is over now, and was not before the bucket was created.
fn over() -> Value {
    json!({ "labels": { "wbstore-expires": jiff::Timestamp::now().as_second().to_string() } })
}

#[tokio::test]
async fn a_deployment_is_listed_with_its_parts() {
    let site = Site::provisioned().await;
    let listed = listed(&site).await;
    let only = &listed["deployments"][0];
    assert_eq!((&only["name"], &only["region"]), (&NAME.into(), &"US".into()));
    let part = |kind: &str, name: &str| json!({ "kind": kind, "name": name });
    assert_eq!(
        only["parts"],
        json!([part("bucket", &site.bucket), part("subscription", EVENTS), part("topic", EVENTS)])
    );
    assert_eq!((&only["missing"], &only["expires"]), (&json!([]), &json!(null)));
    let table = site.run("list", &[]).await.ends(0).stdout;
    let row = table.lines().nth(1).expect("a header and a row");
    assert!(row.starts_with(NAME) && row.contains("US") && row.contains("never"), "{table}");
}

#[tokio::test]
async fn a_missing_subscription_is_told() {
    let site = Site::provisioned().await;
    site.ask("DELETE", &site.subscription(), Value::Null).await;
    let missing = &listed(&site).await["deployments"][0]["missing"];
    assert_eq!(*missing, json!([{ "kind": "subscription", "name": "" }]));
}

#[tokio::test]
async fn an_internal_queue_misses_nothing() {
    let site = Site::open().await;
    site.provision(&["--queue", "internal"]).await.ends(0);
    assert_eq!(listed(&site).await["deployments"][0]["missing"], json!([]));
}

#[tokio::test]
async fn what_may_not_be_listed_is_told_and_not_called_missing() {
    let site = Site::provisioned().await;
    site.gcp.control().deny("pubsub.topics.list");
    let listed = site.run("list", &["--format", "json"]).await.ends(1).json();
    assert_eq!(listed["deployments"][0]["missing"], json!([]));
    assert!(listed["unread"][0].as_str().is_some_and(|text| text.contains("the topics cannot be listed")));
    site.run("list", &[]).await.ends(1).tells(&["not listed:", "pubsub.topics.list"]);
}

#[tokio::test]
async fn buckets_that_may_not_be_listed_fail_it() {
    let site = Site::provisioned().await;
    site.gcp.control().deny("storage.buckets.list");
    site.run("list", &[]).await.ends(3).tells(&["storage.buckets.list", "hint:"]);
}

#[tokio::test]
async fn names_of_ones_own_are_found_again_by_their_marks() {
    let site = Site::open().await;
    let named = ["--bucket", "acme-media", "--topic", "media", "--subscription", "media-server"];
    site.provision(&[&named[..], &["--expires", "7d", "--location", "EU"]].concat()).await.ends(0);
    site.ask("PATCH", "/storage/v1/b/acme-media", over()).await;
    site.run("teardown", &["--expired", "--confirm", "expired"]).await.ends(0);
    assert_eq!(site.left().await, json!([[], [], []]));
}

/// A bucket of others with an object, on which somebody who may write labels has put a mark.
async fn forge(site: &Site, ends: &str) {
    let marks = json!({
        "wbstore-deployment": "old", "wbstore-lease": "7d", "wbstore-expires": ends, "wbstore-queue": "internal"
    });
    let project = site.gcp.project();
    let bucket = json!({ "name": "payroll", "labels": marks });
    site.ask("POST", &format!("/storage/v1/b?project={project}"), bucket).await;
}

#[tokio::test]
async fn a_mark_alone_has_no_bucket_deleted() {
    let site = Site::open().await;
    forge(&site, &jiff::Timestamp::now().as_second().to_string()).await;
    site.gcp.proxy().clear_journal();
    let ran = site.run("teardown", &["--expired", "--delete-objects", "--confirm", "expired"]).await.ends(3);
    ran.tells(&["gcp/bucket/payroll", "only its mark assigns it to this deployment", "hint:"]);
    site.is_untouched();
}

#[tokio::test]
async fn a_lease_that_is_older_than_the_bucket_has_nothing_deleted() {
    let site = Site::open().await;
    site.provision(&["--expires", "7d"]).await.ends(0);
    site.patch_bucket(json!({ "labels": { "wbstore-expires": "1577836800" } })).await;
    site.gcp.proxy().clear_journal();
    let ran = site.run("teardown", &["--expired", "--delete-objects", "--confirm", "expired"]).await.ends(3);
    ran.tells(&["its lease ended at 2020-01-01T00:00:00Z, before it was created at", "hint:"]);
    site.is_untouched();
}
