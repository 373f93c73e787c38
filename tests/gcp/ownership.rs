//! Whose a bucket, topic or subscription is, and what happens when it is not ours.

use serde_json::{Value, json};
use wbstore_sandbox::fault::{Fault, Side, When};

use crate::support::{EVENTS, NAME, Site};

/// The three things that carry a mark.
const KINDS: [&str; 3] = ["bucket", "topic", "subscription"];

impl Site {
    /// Makes a part of the deployment by other hands.
    async fn plant(&self, kind: &str, labels: Value) {
        let project = self.gcp.project();
        match kind {
            "bucket" => {
                let bucket = json!({ "name": self.bucket, "labels": labels });
                self.ask("POST", &format!("/storage/v1/b?project={project}"), bucket).await;
            }
            "topic" => drop(self.ask("PUT", &self.topic(), json!({ "labels": labels })).await),
            _ => {
                let topic = self.plant_topic("elsewhere").await;
                self.plant_subscription(json!({ "topic": topic, "labels": labels })).await;
            }
        }
        self.gcp.proxy().clear_journal();
    }

    async fn plant_topic(&self, name: &str) -> String {
        let topic = format!("projects/{}/topics/{name}", self.gcp.project());
        self.ask("PUT", &format!("/v1/{topic}"), json!({})).await;
        topic
    }

    async fn plant_subscription(&self, settings: Value) {
        self.ask("PUT", &self.subscription(), settings).await;
    }

    fn name_of<'a>(&'a self, kind: &str) -> &'a str {
        if kind == "bucket" { &self.bucket } else { EVENTS }
    }
}

#[tokio::test]
async fn what_carries_no_mark_is_refused_and_nothing_is_made() {
    for kind in KINDS {
        let site = Site::open().await;
        site.plant(kind, json!({ "team": "vision", "wbstore": "no_mark" })).await;
        let ran = site.provision(&[]).await.ends(3);
        ran.tells(&[site.name_of(kind), "has no wbstore mark", "hint:", "--adopt"]);
        site.is_untouched();
    }
}

#[tokio::test]
async fn the_teardown_of_another_deployment_leaves_ours() {
    let site = Site::provisioned().await;
    let names = ["--bucket", &site.bucket, "--topic", EVENTS, "--subscription", EVENTS];
    let other = ["--name", "other", "--confirm", "other"];
    let ran = site.run("teardown", &[&names[..], &other].concat()).await.ends(0);
    ran.tells(&["belongs to the deployment `wandb-acme-com`"]);
    site.is_untouched();
}

#[tokio::test]
async fn a_bucket_of_another_project_is_neither_used_nor_adopted_nor_torn_down() {
    let site = Site::open().await;
    site.gcp.control().others_bucket(&site.bucket);
    for adopt in [&[][..], &["--adopt"]] {
        let ran = site.provision(adopt).await.ends(3);
        ran.tells(&[&site.bucket, "belongs to another project", "hint:", "--bucket"]);
    }
    site.teardown(&["--delete-objects"]).await.ends(3).tells(&[&site.bucket, "hint:"]);
    site.is_untouched();
}

#[tokio::test]
async fn a_name_that_others_took_between_plan_and_creation_is_told() {
    let site = Site::open().await;
    let create = site.gcp.proxy().arm(When::every("storage.buckets.insert"), Fault::Hang(Side::Before));
    let meanwhile = async {
        create.reached().await;
        site.gcp.control().others_bucket(&site.bucket);
        create.release();
    };
    let (ran, ()) = futures::join!(site.provision(&["--queue", "internal"]), meanwhile);
    ran.ends(3).tells(&[&site.bucket, "is already taken", "hint:", "--bucket"]);
    assert_eq!(create.hits(), 1);
}

#[tokio::test]
async fn a_topic_that_appeared_between_plan_and_creation_is_left_alone() {
    let site = Site::open().await;
    let create = site.gcp.proxy().arm(When::every("pubsub.topics.create"), Fault::Hang(Side::Before));
    let meanwhile = async {
        create.reached().await;
        site.ask("PUT", &site.topic(), json!({ "labels": { "team": "vision" } })).await;
        create.release();
    };
    let (ran, ()) = futures::join!(site.provision(&[]), meanwhile);
    ran.ends(4).tells(&[EVENTS, "has no wbstore mark", "hint:"]);
    assert_eq!(site.get(&site.topic()).await["labels"], json!({ "team": "vision" }));
    assert!(site.subscriptions().await.is_empty(), "nothing hangs on it");
}

#[tokio::test]
async fn a_subscription_to_another_topic_is_refused_even_if_it_is_ours() {
    for (labels, adopt) in [(json!({ "wbstore-deployment": NAME }), &[][..]), (json!({}), &["--adopt"])] {
        let site = Site::open().await;
        let topic = site.plant_topic("elsewhere").await;
        site.plant_subscription(json!({ "topic": topic, "labels": labels })).await;
        let ran = site.provision(adopt).await.ends(3);
        ran.tells(&[EVENTS, "topic", "topics/elsewhere", "cannot be changed in place", "hint:"]);
        site.is_untouched();
    }
}

#[tokio::test]
async fn a_subscription_without_a_topic_that_is_not_ours_is_refused_with_the_command() {
    let site = Site::open().await;
    let topic = site.plant_topic(EVENTS).await;
    site.plant_subscription(json!({ "topic": topic })).await;
    site.ask("DELETE", &site.topic(), Value::Null).await;
    let ran = site.provision(&["--adopt"]).await.ends(3);
    let command = format!("gcloud pubsub subscriptions delete {EVENTS} --project {}", site.gcp.project());
    ran.tells(&["its topic was deleted or it was detached", "hint:", &command, "--subscription"]);
    site.is_untouched();
}

#[tokio::test]
async fn a_push_subscription_that_is_not_ours_is_refused_and_its_token_is_not_shown() {
    let site = Site::open().await;
    let topic = site.plant_topic(EVENTS).await;
    let push = json!({ "pushEndpoint": "https://push.example.com/in?token=s3cret" });
    site.plant_subscription(json!({ "topic": topic, "pushConfig": push })).await;
    let ran = site.provision(&["--adopt"]).await.ends(3);
    let ran = ran.tells(&[EVENTS, "push to https://push.example.com/in", "hint:", "--subscription"]);
    assert!(!ran.to_string().contains("s3cret"), "{ran}");
    site.is_untouched();
}

#[tokio::test]
async fn a_bucket_in_another_location_is_refused_with_its_location() {
    let site = Site::open().await;
    let bucket = json!({ "name": site.bucket, "location": "EU" });
    site.ask("POST", &format!("/storage/v1/b?project={}", site.gcp.project()), bucket).await;
    let ran = site.provision(&["--adopt"]).await.ends(3);
    ran.tells(&[&site.bucket, "location is EU", "hint:"]);
    site.is_untouched();
}

#[tokio::test]
async fn labels_that_may_not_be_read_are_no_missing_labels() {
    let site = Site::provisioned().await;
    let permissions = ["storage.buckets.get", "pubsub.topics.get", "pubsub.subscriptions.get"];
    for permission in permissions {
        site.gcp.control().deny(permission);
        for command in [&["provision", "--yes", "--adopt"][..], &["teardown", "--confirm", NAME]] {
            let ran = site.run(command[0], &command[1..]).await.ends(3);
            ran.tells(&[permission, "hint:"]);
        }
        site.gcp.control().allow_all();
    }
    site.is_untouched();
}

#[tokio::test]
async fn a_mark_that_was_lost_is_no_longer_ours() {
    let site = Site::provisioned().await;
    site.patch_subscription("labels", json!({ "labels": { "team": "vision" } })).await;
    site.provision(&[]).await.ends(3).tells(&[EVENTS, "has no wbstore mark", "--adopt"]);
    site.is_untouched();
    // Nor is it deleted with the rest.
    site.teardown(&[]).await.ends(0).tells(&["has no wbstore mark"]);
    assert_eq!(site.subscriptions().await, [EVENTS]);
}

#[tokio::test]
async fn what_was_adopted_stays_and_loses_only_our_mark() {
    let site = Site::open().await;
    let topic = site.plant_topic(EVENTS).await;
    site.plant_subscription(json!({ "topic": topic })).await;
    site.plant("bucket", json!({})).await;
    site.put("kept", b"x");
    for _ in 0..2 {
        site.provision(&["--adopt"]).await.ends(0);
        site.run("plan", &["--exit-code"]).await.ends(0);
        site.teardown(&[]).await.ends(0);
        for one in [site.bucket().await, site.get(&site.topic()).await, site.get(&site.subscription()).await]
        {
            assert!(one["labels"].as_object().is_none_or(serde_json::Map::is_empty), "{one}");
        }
        assert_eq!(site.objects().await, ["kept"]);
        assert_eq!(site.get(&site.notifications()).await["items"], Value::Null);
        let policy = site.get(&format!("{}:getIamPolicy", site.topic())).await;
        assert!(policy["bindings"].as_array().is_none_or(Vec::is_empty), "{policy}");
    }
    site.provision(&[]).await.ends(3).tells(&["has no wbstore mark"]);
}

#[tokio::test]
async fn an_adoption_is_shown_as_one_with_what_it_changes() {
    let site = Site::open().await;
    let bucket = json!({ "name": site.bucket, "labels": { "team": "vision" } });
    site.ask("POST", &format!("/storage/v1/b?project={}", site.gcp.project()), bucket).await;
    let plan = site.plan(&["--adopt"]).await;
    assert_eq!((&plan["counts"]["adopt"], &plan["counts"]["create"]), (&json!(1), &json!(4)), "{plan:#}");
    let shown = site.run("plan", &["--adopt"]).await.ends(0);
    for field in ["uniform_access: false -> true", r#"public_access_prevention: "inherited" -> "enforced""#] {
        let squeezed = shown.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(squeezed.contains(field), "{field} is not in\n{shown}");
    }
    site.is_untouched();
}
