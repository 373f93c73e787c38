//! What somebody else does in the project meanwhile.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::Gcp;
use super::others::BUCKET;
use crate::cloud::NAME;
use crate::person::{Document, ENTRY, OTHER, Person, Trace};

const TOPIC: &str = "topic/wbstore-wandb-acme-com";
const SUBSCRIPTION: &str = "subscription/wbstore-wandb-acme-com";

const BUCKET_LABELS: &str = "bucket/acme-media/labels";
const TOPIC_LABELS: &str = "topic/wbstore-wandb-acme-com/labels";
const SUBSCRIPTION_LABELS: &str = "subscription/wbstore-wandb-acme-com/labels";

const CORS: Document = Document {
    path: "bucket/acme-media/cors",
    read_by: &["storage.buckets.get"],
    written_by: &["storage.buckets.patch", "storage.buckets.delete"],
};
const NOTIFICATIONS: Document = Document {
    path: "bucket/acme-media/notifications",
    read_by: &["storage.notifications.list"],
    written_by: &["storage.notifications.delete", "storage.buckets.delete"],
};
const TOPIC_POLICY: Document = Document {
    path: "topic/wbstore-wandb-acme-com/policy",
    read_by: &["pubsub.topics.getIamPolicy"],
    written_by: &["pubsub.topics.setIamPolicy", "pubsub.topics.delete"],
};
/// A subscription of others to our topic.
const ATTACHED: Document = Document {
    path: "subscription/passer-by/settings",
    read_by: &["pubsub.topics.subscriptions.list"],
    written_by: &["pubsub.topics.delete"],
};

impl Person for Gcp {
    const OBJECTS: Document = Document {
        path: "bucket/acme-media/objects",
        read_by: &["storage.objects.list"],
        written_by: &["storage.objects.delete", "storage.buckets.delete"],
    };

    const MARKS: &'static [Document] = &[
        Document { path: BUCKET_LABELS, read_by: CORS.read_by, written_by: &["storage.*"] },
        Document { path: TOPIC_LABELS, read_by: &["pubsub.topics.get"], written_by: &["pubsub.topics.*"] },
        Document {
            path: SUBSCRIPTION_LABELS,
            read_by: &["pubsub.subscriptions.get"],
            written_by: &["pubsub.subscriptions.*"],
        },
    ];

    const ENTRIES: &'static [Document] = &[
        CORS,
        Document { path: BUCKET_LABELS, ..CORS },
        NOTIFICATIONS,
        TOPIC_POLICY,
        Document {
            path: TOPIC_LABELS,
            read_by: &["pubsub.topics.get"],
            written_by: &["pubsub.topics.update", "pubsub.topics.patch", "pubsub.topics.delete"],
        },
        Document {
            path: SUBSCRIPTION_LABELS,
            read_by: &["pubsub.subscriptions.get"],
            written_by: &[
                "pubsub.subscriptions.update",
                "pubsub.subscriptions.patch",
                "pubsub.subscriptions.delete",
            ],
        },
    ];

    const ENDING: &'static [Document] = &[CORS, NOTIFICATIONS, TOPIC_POLICY, ATTACHED];

    /// A bucket's metageneration, a policy's etag.
    const GUARDED: &'static [&'static str] =
        &["storage.buckets.patch", "storage.buckets.delete", "pubsub.topics.setIamPolicy"];

    /// `ackDeadlineSeconds` of the subscription.
    const SETTING: [&'static str; 3] = ["60", "20", "30"];

    async fn upload(&self) -> Option<Trace> {
        let path = format!("/upload/storage/v1/b/{BUCKET}/o?uploadType=media&name={ENTRY}");
        self.try_ask("POST", &path, json!("x")).await?;
        Some(Trace { document: Self::OBJECTS, text: ENTRY.to_owned() })
    }

    async fn set_lease_end(&self, deployment: &str, end: Timestamp) -> Option<Trace> {
        let end = end.as_second().to_string();
        let mut found = None;
        for (kind, noun) in [("topics", "topic"), ("subscriptions", "subscription")] {
            let listing =
                self.ask("GET", &format!("/v1/projects/{}/{kind}", self.project()), Value::Null).await;
            for one in listing[kind].as_array().into_iter().flatten() {
                let mut labels = one["labels"].clone();
                if labels["wbstore-deployment"] == deployment {
                    labels["wbstore-expires"] = end.as_str().into();
                    let body = json!({ noun: { "labels": labels }, "updateMask": "labels" });
                    let path = format!("/v1/{}", one["name"].as_str().unwrap_or_default());
                    self.try_ask("PATCH", &path, body).await;
                }
            }
        }
        let listing =
            self.ask("GET", &format!("/storage/v1/b?project={}", self.project()), Value::Null).await;
        for bucket in listing["items"].as_array().into_iter().flatten() {
            if bucket["labels"]["wbstore-deployment"] == deployment {
                let path = format!("/storage/v1/b/{}", bucket["name"].as_str().unwrap_or_default());
                let labels = json!({ "labels": { "wbstore-expires": end } });
                found = self.try_ask("PATCH", &path, labels).await;
            }
        }
        found.map(|_| Trace { document: Self::MARKS[0], text: end })
    }

    async fn remark(&self, document: &Document) -> Option<Trace> {
        self.label(document, "wbstore-deployment", OTHER).await?;
        Some(Trace { document: *document, text: OTHER.to_owned() })
    }

    async fn add_entry(&self, document: &Document) -> Option<Trace> {
        let bucket = format!("/storage/v1/b/{BUCKET}");
        let topic = format!("/v1/projects/{}/topics/wbstore-{NAME}", self.project());
        let mut text = ENTRY;
        match document.path {
            BUCKET_LABELS | TOPIC_LABELS | SUBSCRIPTION_LABELS => self.label(document, ENTRY, "1").await?,
            path if path == CORS.path => {
                let mut cors = self.try_ask("GET", &bucket, Value::Null).await?["cors"].take();
                let entry = json!({ "origin": [format!("https://{ENTRY}.example")], "method": ["GET"] });
                match cors.as_array_mut() {
                    Some(entries) => entries.push(entry),
                    None => cors = json!([entry]),
                }
                self.try_ask("PATCH", &bucket, json!({ "cors": cors })).await?;
            }
            path if path == NOTIFICATIONS.path => {
                let topic = self.make_topic(ENTRY, json!({})).await;
                self.publish_to(&topic).await;
                let told = json!({
                    "topic": format!("//pubsub.googleapis.com/{topic}"), "payload_format": "NONE",
                    "event_types": ["OBJECT_ARCHIVE"],
                });
                self.try_ask("POST", &format!("{bucket}/notificationConfigs"), told).await?;
            }
            path if path == TOPIC_POLICY.path => {
                let path = format!("{topic}:getIamPolicy?options.requestedPolicyVersion=3");
                let mut policy = self.try_ask("GET", &path, Value::Null).await?;
                let binding =
                    json!({ "role": "roles/pubsub.viewer", "members": [format!("user:{ENTRY}@acme.com")] });
                match policy["bindings"].as_array_mut() {
                    Some(bindings) => bindings.push(binding),
                    None => policy["bindings"] = json!([binding]),
                }
                self.try_ask("POST", &format!("{topic}:setIamPolicy"), json!({ "policy": policy })).await?;
            }
            path if path == ATTACHED.path => {
                self.try_ask("GET", &topic, Value::Null).await?;
                self.make_subscription(ENTRY, topic.trim_start_matches("/v1/"), json!({})).await;
                // It outlives the topic, and is told of nothing any more.
                text = "/topics/wbstore-wandb-acme-com";
            }
            path => panic!("nobody adds entries to {path}"),
        }
        Some(Trace { document: *document, text: text.to_owned() })
    }

    async fn set(&self, value: &str) -> Option<Trace> {
        let seconds: u32 = value.parse().expect("seconds");
        let settings = json!({ "ackDeadlineSeconds": seconds });
        let body = json!({ "subscription": settings, "updateMask": "ackDeadlineSeconds" });
        let path = format!("/v1/projects/{}/subscriptions/wbstore-{NAME}", self.project());
        self.try_ask("PATCH", &path, body).await?;
        let document = Document {
            path: "subscription/wbstore-wandb-acme-com/settings",
            read_by: &["pubsub.subscriptions.get"],
            written_by: &["pubsub.subscriptions.update", "pubsub.subscriptions.patch"],
        };
        Some(Trace { document, text: format!("\"ackDeadlineSeconds\":{seconds}") })
    }
}

impl Gcp {
    async fn try_ask(&self, method: &str, path: &str, body: Value) -> Option<Value> {
        self.control().try_ask(method, path, body).await
    }

    /// Sets one label, and leaves the others.
    async fn label(&self, document: &Document, key: &str, value: &str) -> Option<()> {
        let (kind, noun) = match document.part() {
            TOPIC => ("topics", "topic"),
            SUBSCRIPTION => ("subscriptions", "subscription"),
            _ => {
                let labels = json!({ "labels": { key: value } });
                return self.try_ask("PATCH", &format!("/storage/v1/b/{BUCKET}"), labels).await.map(drop);
            }
        };
        let path = format!("/v1/projects/{}/{kind}/wbstore-{NAME}", self.project());
        let mut labels = self.try_ask("GET", &path, Value::Null).await?["labels"].take();
        labels[key] = value.into();
        let body = json!({ noun: { "labels": labels }, "updateMask": "labels" });
        self.try_ask("PATCH", &path, body).await.map(drop)
    }
}
