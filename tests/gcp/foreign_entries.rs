//! What others wrote into the same documents: there before, there while we are, there after we left.

use serde_json::{Value, json};
use wbstore_sandbox::fault::{Fault, Side, When};
use wbstore_sandbox::snapshot::Snapshot;

use crate::support::{EVENTS, Site};

/// A site on which somebody has a bucket, a topic and a subscription by our names, and a service
/// account, with entries of their own in every document that we write into.
struct Planted {
    site: Site,
    server: String,
    before: Snapshot,
}

fn until(title: &str) -> Value {
    json!({ "title": title, "expression": "request.time < timestamp('2030-01-01T00:00:00Z')" })
}

/// A policy with the role that we will give too: to somebody else, to ours under a condition, and with
/// an audit configuration.
fn policy(role: &str, member: &str) -> Value {
    json!({
        "version": 3,
        "bindings": [
            { "role": role, "members": ["user:ann@acme.com", "group:ops@acme.com"] },
            { "role": role, "members": [member], "condition": until("till 2030") },
        ],
        "auditConfigs": [{
            "service": "allServices",
            "auditLogConfigs": [{ "logType": "DATA_READ", "exemptedMembers": ["user:bob@acme.com"] }],
        }],
    })
}

async fn planted() -> Planted {
    let site = Site::open().await;
    let project = site.gcp.project();
    let server = format!("wandb@{project}.iam.gserviceaccount.com");
    site.gcp.control().account(&server, &[]);
    let agent = format!("serviceAccount:{}", site.gcp.double().agent());
    let member = format!("serviceAccount:{server}");
    let labels = json!({ "team": "vision", "wbstore": "no_mark" });
    let bucket = json!({
        "name": site.bucket, "labels": labels, "storageClass": "STANDARD",
        "iamConfiguration": { "uniformBucketLevelAccess": { "enabled": true } },
        "lifecycle": { "rule": [{ "action": { "type": "Delete" }, "condition": { "age": 365 } }] },
        "cors": [
            { "origin": ["https://*.example.org"], "method": ["POST", "DELETE"], "maxAgeSeconds": 7 },
            { "origin": ["https://b.example", "https://a.example"], "method": ["PUT", "GET"],
              "responseHeader": ["x-two", "x-one"] },
        ],
    });
    site.ask("POST", &format!("/storage/v1/b?project={project}"), bucket).await;
    let iam = policy("roles/storage.objectAdmin", &member);
    site.ask("PUT", &format!("/storage/v1/b/{}/iam", site.bucket), iam).await;
    let audit = format!("/v1/projects/{project}/topics/audit");
    for topic in [audit.as_str(), &site.topic()] {
        site.ask("PUT", topic, json!({ "labels": labels })).await;
        let mut iam = policy("roles/pubsub.publisher", &agent);
        if topic == audit {
            iam["bindings"][0]["members"] = json!([agent]);
        }
        site.ask("POST", &format!("{topic}:setIamPolicy"), json!({ "policy": iam })).await;
    }
    let ours = site.topic().trim_start_matches("/v1/").to_owned();
    for name in [EVENTS, "thumbnails"] {
        let settings = json!({ "topic": ours, "labels": labels, "ackDeadlineSeconds": 41 });
        site.ask("PUT", &format!("/v1/projects/{project}/subscriptions/{name}"), settings).await;
    }
    let iam = json!({ "policy": policy("roles/pubsub.subscriber", &member) });
    site.ask("POST", &format!("{}:setIamPolicy", site.subscription()), iam).await;
    let iam = json!({ "policy": policy("roles/iam.serviceAccountTokenCreator", &member) });
    site.ask("POST", &format!("/v1/projects/-/serviceAccounts/{server}:setIamPolicy"), iam).await;
    for (prefix, attributes) in
        [("raw data/", json!({ "for": "audit" })), ("ü&<b>/", json!({ "wbstore": "x" }))]
    {
        let notification = json!({
            "topic": format!("//pubsub.googleapis.com{}", audit.trim_start_matches("/v1")),
            "payload_format": "NONE", "event_types": ["OBJECT_DELETE", "OBJECT_ARCHIVE"],
            "object_name_prefix": prefix, "custom_attributes": attributes,
        });
        site.ask("POST", &site.notifications(), notification).await;
    }
    let before = site.snapshot().await;
    site.gcp.proxy().clear_journal();
    Planted { site, server, before }
}

impl Planted {
    fn options(&self) -> [&str; 3] {
        ["--adopt", "--service-account", &self.server]
    }

    /// Whether all that was there is there still, in its place and to the byte.
    async fn survives(&self) {
        let after = self.site.snapshot().await;
        let shared =
            |path: &str| ["cors", "labels", "notifications", "policy"].iter().any(|end| path.ends_with(end));
        for path in self.before.paths() {
            let (old, new) =
                (self.before.get(path).expect("it is there"), after.get(path).unwrap_or_default());
            let parse =
                |text: &str| serde_json::from_str::<Value>(text).unwrap_or_else(|_| panic!("{path}: {text}"));
            if path.starts_with("topic/audit") || path.starts_with("subscription/thumbnails") {
                assert_eq!(new, old, "{path}");
            } else if shared(path) {
                holds(&parse(new), &parse(old), path);
            }
        }
    }
}

/// Whether `new` has every entry of `old`: those of a list in the same order, and the members of a
/// binding among others.
#[track_caller]
fn holds(new: &Value, old: &Value, path: &str) {
    match (new, old) {
        (Value::Object(new), Value::Object(old)) => {
            for (key, value) in old {
                holds(new.get(key).unwrap_or(&Value::Null), value, path);
            }
        }
        (Value::Array(new), Value::Array(old)) if path.ends_with("policy") => {
            for one in old {
                let same = |other: &&Value| {
                    let members = |one: &Value| one["members"].as_array().cloned().unwrap_or_default();
                    other == &one
                        || (one["role"].is_string()
                            && (&other["role"], &other["condition"]) == (&one["role"], &one["condition"])
                            && members(one).iter().all(|member| members(other).contains(member)))
                };
                assert!(new.iter().any(|other| same(&other)), "{path}: {one} is not in {new:?}");
            }
        }
        (Value::Array(new), Value::Array(old)) => {
            let kept: Vec<_> = new.iter().filter(|one| old.contains(one)).collect();
            assert_eq!(kept, old.iter().collect::<Vec<_>>(), "{path}");
        }
        _ => assert_eq!(new, old, "{path}"),
    }
}

#[tokio::test]
async fn every_entry_of_others_survives_provision_to_the_byte() {
    let planted = planted().await;
    planted.site.provision(&planted.options()).await.ends(0);
    planted.survives().await;
    let after = planted.site.snapshot().await;
    assert!(after.get(&format!("topic/{EVENTS}/labels")).expect("labels").contains("wbstore-adopted"));
    planted.site.run("plan", &[&["--exit-code"], &planted.options()[1..]].concat()).await.ends(0);
    let bucket = planted.site.bucket().await;
    assert_eq!(bucket["lifecycle"]["rule"].as_array().map(Vec::len), Some(1), "{bucket}");
}

#[tokio::test]
async fn after_a_teardown_the_documents_are_what_they_were() {
    let planted = planted().await;
    planted.site.provision(&planted.options()).await.ends(0);
    planted.site.teardown(&["--service-account", &planted.server]).await.ends(0);
    let shared = |path: &str| {
        ["cors", "labels", "notifications", "policy"].iter().any(|end| path.ends_with(end))
            || ["topic/", "account/", "subscription/thumb"].iter().any(|start| path.starts_with(start))
    };
    let after = planted.site.snapshot().await.only(shared);
    assert_eq!(after.differences(&planted.before.only(shared)), Vec::<String>::new());
    let paths: Vec<_> = planted.before.paths().collect();
    let left = planted.site.snapshot().await;
    assert_eq!(left.paths().collect::<Vec<_>>(), paths, "nothing is more, and nothing less");
}

#[tokio::test]
async fn a_role_that_others_gave_stays_when_we_leave() {
    let Planted { site, .. } = planted().await;
    let agent = format!("serviceAccount:{}", site.gcp.double().agent());
    let given =
        json!({ "version": 3, "bindings": [{ "role": "roles/pubsub.publisher", "members": [agent] }] });
    site.ask("POST", &format!("{}:setIamPolicy", site.topic()), json!({ "policy": given })).await;
    site.provision(&["--adopt"]).await.ends(0);
    let sent = site.mutations();
    assert!(!sent.iter().any(|sent| sent == "pubsub.topics.setIamPolicy"), "{sent:?}");
    site.teardown(&[]).await.ends(0);
    let policy = site.get(&format!("{}:getIamPolicy", site.topic())).await;
    assert_eq!(policy["bindings"], given["bindings"]);
}

#[tokio::test]
async fn the_plan_lists_what_it_keeps() {
    let planted = planted().await;
    let plan = planted.site.plan(&planted.options()).await;
    let steps = plan["steps"].as_array().expect("a list").iter();
    let kept: Vec<_> = steps.flat_map(|step| step["kept"].as_array().expect("a list").clone()).collect();
    for one in [
        "CORS entry for https://*.example.org",
        "projects/PROJECT/topics/audit for OBJECT_ARCHIVE, OBJECT_DELETE",
        "roles/storage.objectAdmin for user:ann@acme.com",
        "roles/pubsub.publisher for user:ann@acme.com",
        "if `till 2030`",
    ] {
        let one = one.replace("PROJECT", &planted.site.gcp.project());
        assert!(
            kept.iter().any(|entry| entry.as_str().is_some_and(|text| text.contains(&one))),
            "{one}: {kept:#?}"
        );
    }
}

/// Lets `meanwhile` happen between the reading and the writing of `call`.
async fn race(site: &Site, call: &str, options: &[&str], meanwhile: impl Future<Output = ()>) {
    let write = site.gcp.proxy().arm(When::operation(call, 0), Fault::Hang(Side::Before));
    let others = async {
        write.reached().await;
        meanwhile.await;
        write.release();
    };
    let (ran, ()) = futures::join!(site.provision(options), others);
    ran.ends(0);
    let sent = site.mutations().iter().filter(|sent| *sent == call).count();
    assert!(sent >= 2, "{call} was sent {sent} times");
}

#[tokio::test]
async fn a_binding_that_came_between_reading_and_writing_survives() {
    let planted = planted().await;
    let path = format!("{}:setIamPolicy", planted.site.topic());
    let late = async {
        let mut policy = planted
            .site
            .get(&format!("{}:getIamPolicy?options.requestedPolicyVersion=3", planted.site.topic()))
            .await;
        let late = json!({ "role": "roles/pubsub.viewer", "members": ["user:late@acme.com"] });
        policy["bindings"].as_array_mut().expect("a list").push(late);
        planted.site.ask("POST", &path, json!({ "policy": policy })).await;
    };
    race(&planted.site, "pubsub.topics.setIamPolicy", &["--adopt"], late).await;
    planted.survives().await;
    let policy = planted.site.snapshot().await;
    let policy = policy.get(&format!("topic/{EVENTS}/policy")).expect("a policy");
    assert!(policy.contains("user:late@acme.com") && policy.contains("gs-project-accounts"), "{policy}");
}

#[tokio::test]
async fn a_binding_that_came_before_our_first_one_survives() {
    let site = Site::open().await;
    let late = async {
        let late = json!({ "role": "roles/pubsub.viewer", "members": ["user:late@acme.com"] });
        let policy = json!({ "policy": { "bindings": [late] } });
        site.ask("POST", &format!("{}:setIamPolicy", site.topic()), policy).await;
    };
    race(&site, "pubsub.topics.setIamPolicy", &[], late).await;
    let policy = site.get(&format!("{}:getIamPolicy", site.topic())).await;
    assert_eq!(policy["bindings"].as_array().map(Vec::len), Some(2), "{policy}");
}

#[tokio::test]
async fn a_cors_entry_and_a_label_that_came_between_reading_and_writing_survive() {
    let planted = planted().await;
    let site = &planted.site;
    let late = async {
        let mut cors = site.bucket().await["cors"].clone();
        let entry = json!({ "origin": ["https://late.example"], "method": ["GET"] });
        cors.as_array_mut().expect("a list").push(entry);
        site.patch_bucket(json!({ "cors": cors, "labels": { "late": "too" } })).await;
    };
    race(site, "storage.buckets.patch", &["--adopt"], late).await;
    planted.survives().await;
    let bucket = site.bucket().await;
    let origins: Vec<_> =
        bucket["cors"].as_array().into_iter().flatten().map(|one| &one["origin"][0]).collect();
    assert!(origins.contains(&&json!("https://late.example")), "{origins:?}");
    assert!(origins.contains(&&json!(crate::support::HOST)), "{origins:?}");
    assert_eq!(bucket["labels"]["late"], "too");
}

#[tokio::test]
async fn a_policy_that_changes_under_every_try_ends_in_a_clear_error() {
    let site = Site::provisioned().await;
    let set = format!("{}:setIamPolicy", site.topic());
    site.ask("POST", &set, json!({ "policy": { "bindings": [] } })).await;
    site.gcp.control().race_policies(3);
    site.provision(&[]).await.ends(0);
    site.ask("POST", &set, json!({ "policy": { "bindings": [] } })).await;
    site.gcp.control().race_policies(u32::MAX);
    let ran = site.provision(&["--wait", "1s"]).await.ends(1);
    ran.tells(&[EVENTS, "changed it 10 times in a row", "hint:", "another tool keeps writing"]);
    let policy = site.get(&format!("{}:getIamPolicy", site.topic())).await;
    assert!(policy["bindings"].as_array().is_none_or(Vec::is_empty), "{policy}");
}
