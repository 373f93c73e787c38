//! Notifications of others beside ours: those that have the same effect, and those that fill the bucket.

use serde_json::{Value, json};

use crate::support::Site;

/// A notification of somebody else.
async fn plant(site: &Site, topic: &str, events: Value, more: Value) -> String {
    let mut body = json!({
        "topic": format!("//pubsub.googleapis.com{}", topic.trim_start_matches("/v1")),
        "payload_format": "JSON_API_V1", "custom_attributes": { "by": "terraform" },
    });
    for (key, value) in more.as_object().into_iter().flatten() {
        body[key] = value.clone();
    }
    if !events.is_null() {
        body["event_types"] = events;
    }
    let planted = site.ask("POST", &site.notifications(), body).await;
    planted["id"].as_str().expect("an id").to_owned()
}

/// A topic of somebody else that Cloud Storage may publish to.
async fn audit(site: &Site) -> String {
    let topic = format!("/v1/projects/{}/topics/audit", site.gcp.project());
    site.ask("PUT", &topic, json!({})).await;
    let agent = format!("serviceAccount:{}", site.gcp.double().agent());
    let binding = json!({ "role": "roles/pubsub.publisher", "members": [agent] });
    site.ask("POST", &format!("{topic}:setIamPolicy"), json!({ "policy": { "bindings": [binding] } })).await;
    topic
}

async fn all(site: &Site) -> Vec<Value> {
    site.get(&site.notifications()).await["items"].as_array().cloned().unwrap_or_default()
}

async fn remove_ours(site: &Site) {
    for one in all(site).await.iter().filter(|one| one["custom_attributes"]["wbstore"].is_string()) {
        let path = format!("{}/{}", site.notifications(), one["id"].as_str().expect("an id"));
        site.ask("DELETE", &path, Value::Null).await;
    }
}

fn findings(plan: &Value) -> String {
    let steps = plan["steps"].as_array().expect("a list");
    let notification = steps.iter().find(|step| {
        step["address"].as_str().is_some_and(|address| address.starts_with("gcp/notification/"))
    });
    notification.expect("it is in the plan")["findings"].to_string()
}

#[tokio::test]
async fn one_that_does_already_what_ours_would_is_used_as_it_is() {
    let site = Site::provisioned().await;
    remove_ours(&site).await;
    let id = plant(&site, &site.topic(), json!(["OBJECT_DELETE", "OBJECT_FINALIZE"]), json!({})).await;
    let plan = site.plan(&["--exit-code"]).await;
    assert!(
        findings(&plan).contains(&format!("the notification `{id}` already has the same effect")),
        "{plan:#}"
    );
    site.gcp.proxy().clear_journal();
    site.provision(&[]).await.ends(0);
    site.is_untouched();
    let ran = site.run("verify", &["--within", "60s", "--format", "json"]).await.ends(0);
    assert!(ran.stdout.contains("\"name\":\"event\",\"verdict\":\"passed\""), "{ran}");
    site.teardown(&[]).await.ends(0);
}

#[tokio::test]
async fn under_adopt_ours_takes_its_place_without_a_gap() {
    let site = Site::provisioned().await;
    remove_ours(&site).await;
    plant(&site, &site.topic(), Value::Null, json!({})).await;
    let plan = site.run("plan", &["--adopt"]).await.ends(0);
    assert!(
        plan.stdout
            .lines()
            .any(|line| line.trim_start().starts_with("- ") && line.ends_with(": \"terraform\"")),
        "the plan says what ends\n{plan}"
    );
    site.gcp.proxy().clear_journal();
    site.provision(&["--adopt"]).await.ends(0);
    let sent = site.mutations();
    assert_eq!(sent, ["storage.notifications.insert", "storage.notifications.delete"]);
    let left = all(&site).await;
    assert_eq!(left.len(), 1, "{left:?}");
    assert_eq!(left[0]["event_types"], json!(["OBJECT_FINALIZE"]));
    site.run("plan", &["--exit-code"]).await.ends(0);
}

#[tokio::test]
async fn where_both_exist_the_command_that_removes_theirs_is_given_and_verify_says_that_events_come_twice() {
    let site = Site::provisioned().await;
    let id = plant(&site, &site.topic(), Value::Null, json!({})).await;
    let plan = site.run("plan", &["--exit-code"]).await.ends(0);
    let command = format!(
        "gcloud storage buckets notifications delete projects/_/buckets/{}/notificationConfigs/{id}",
        site.bucket
    );
    assert!(plan.stdout.contains(&command) && plan.stdout.contains("receives them twice"), "{plan}");
    let ran = site.run("verify", &["--within", "60s"]).await.ends(0);
    assert!(ran.stdout.contains("announced 2 times, by the notifications"), "{ran}");
    // One that only sends the same below a prefix, and one that the server cannot read.
    let prefixed = plant(&site, &site.topic(), Value::Null, json!({ "object_name_prefix": "runs/" })).await;
    let unread = plant(&site, &site.topic(), Value::Null, json!({ "payload_format": "NONE" })).await;
    let found = findings(&site.plan(&[]).await);
    for words in [
        format!("`{prefixed}` also sends events of objects below `runs/`"),
        format!("`{unread}` also sends events to the topic, in a format that the server cannot read"),
    ] {
        assert!(found.contains(&words), "{words} is not in {found}");
    }
}

#[tokio::test]
async fn a_second_one_of_ours_goes_and_the_right_one_stays() {
    let site = Site::provisioned().await;
    let right = all(&site).await[0].clone();
    let attributes = right["custom_attributes"].clone();
    plant(&site, &site.topic(), json!(["OBJECT_ARCHIVE"]), json!({ "custom_attributes": attributes })).await;
    site.provision(&["--wait", "10s"]).await.ends(0);
    let left = all(&site).await;
    assert_eq!(left.iter().map(|one| &one["id"]).collect::<Vec<_>>(), [&right["id"]], "{left:?}");
}

#[tokio::test]
async fn a_full_bucket_is_refused_in_the_plan() {
    let site = Site::provisioned().await;
    remove_ours(&site).await;
    let audit = audit(&site).await;
    for _ in 0..10 {
        plant(&site, &audit, json!(["OBJECT_FINALIZE"]), json!({ "object_name_prefix": "x/" })).await;
    }
    site.gcp.proxy().clear_journal();
    site.provision(&[]).await.ends(3).tells(&["10 notifications of these events", "10 of a type", "hint:"]);
    site.is_untouched();
}

/// Nine foreign ones and ours are ten, so that the one for all events finds no room beside ours.
#[tokio::test]
async fn ours_is_replaced_where_there_is_no_room_beside_it() {
    let site = Site::provisioned().await;
    let audit = audit(&site).await;
    for _ in 0..9 {
        plant(&site, &audit, Value::Null, json!({})).await;
    }
    let plan = site.run("plan", &["--all-events"]).await.ends(0);
    assert!(plan.stdout.contains("uploads in between send no event"), "{plan}");
    site.gcp.proxy().clear_journal();
    site.provision(&["--all-events"]).await.ends(0);
    assert_eq!(site.mutations(), ["storage.notifications.delete", "storage.notifications.insert"]);
    assert_eq!(all(&site).await.len(), 10);
    site.run("plan", &["--all-events", "--exit-code"]).await.ends(0);
}

#[tokio::test]
async fn one_of_others_is_replaced_where_there_is_no_room_beside_it() {
    let site = Site::provisioned().await;
    remove_ours(&site).await;
    let audit = audit(&site).await;
    for _ in 0..9 {
        plant(&site, &audit, Value::Null, json!({})).await;
    }
    plant(&site, &site.topic(), Value::Null, json!({})).await;
    site.gcp.proxy().clear_journal();
    site.provision(&["--adopt"]).await.ends(0);
    assert_eq!(site.mutations(), ["storage.notifications.delete", "storage.notifications.insert"]);
    site.run("plan", &["--exit-code"]).await.ends(0);
}
