//! What other people have in the project.

use serde_json::{Value, json};

use super::Gcp;
use crate::cloud::NAME;

/// The bucket of the deployment.
pub(super) const BUCKET: &str = "acme-media";

impl Gcp {
    /// One request around the proxy, with all rights.
    pub(super) async fn ask(&self, method: &str, path: &str, body: Value) -> Value {
        self.control().ask(method, path, body).await
    }

    pub(super) async fn make_neighbours(&self) {
        let cors = json!([{ "origin": ["https://*.acme.com:8443"], "method": ["PUT", "GET"] }]);
        let bucket = format!("{BUCKET}-logs");
        self.make_bucket(json!({ "name": bucket, "cors": cors, "labels": { "team": "data" } })).await;
        let audit = self.make_topic(&format!("wbstore-{NAME}-audit"), json!({})).await;
        self.make_subscription(&format!("wbstore-{NAME}-audit"), &audit, json!({})).await;
    }

    pub(super) async fn make_predecessor(&self) {
        let audit = self.make_topic("audit", json!({})).await;
        self.publish_to(&audit).await;
        let topic = self.make_topic(&format!("wbstore-{NAME}"), json!({ "team": "data" })).await;
        self.grant(&topic, "roles/pubsub.viewer", "user:ann@acme.com").await;
        let name = format!("wbstore-{NAME}");
        self.make_subscription(&name, &topic, json!({ "team": "data", "wbstore": "no_mark" })).await;
        self.make_bucket(json!({
            "name": BUCKET,
            "labels": { "team": "data", "wbstore": "no_mark" },
            "iamConfiguration": { "uniformBucketLevelAccess": { "enabled": true } },
            "cors": [
                { "origin": ["https://data.acme.com"], "method": ["DELETE"], "responseHeader": ["x-goog-hash"], "maxAgeSeconds": 7 },
                { "origin": ["https://*.acme.com:8443"], "method": ["PUT", "GET"] },
            ],
        }))
        .await;
        let until = json!({ "title": "for a while", "expression": "request.time < timestamp('2030-01-01T00:00:00Z')" });
        let bindings = json!([{ "role": "roles/storage.objectViewer", "members": ["user:bob@acme.com"], "condition": until }]);
        let policy = json!({ "version": 3, "bindings": bindings });
        self.ask("PUT", &format!("/storage/v1/b/{BUCKET}/iam"), policy).await;
        let notification = json!({
            "topic": format!("//pubsub.googleapis.com/{audit}"), "payload_format": "NONE",
            "event_types": ["OBJECT_DELETE"], "object_name_prefix": "raw data/", "custom_attributes": { "for": "audit" },
        });
        self.ask("POST", &format!("/storage/v1/b/{BUCKET}/notificationConfigs"), notification).await;
    }

    async fn make_bucket(&self, bucket: Value) {
        self.ask("POST", &format!("/storage/v1/b?project={}", self.project()), bucket).await;
    }

    /// Gives the whole name.
    pub(super) async fn make_topic(&self, name: &str, labels: Value) -> String {
        let name = format!("projects/{}/topics/{name}", self.project());
        self.ask("PUT", &format!("/v1/{name}"), json!({ "labels": labels })).await;
        name
    }

    pub(super) async fn make_subscription(&self, name: &str, topic: &str, labels: Value) {
        let subscription = json!({ "topic": topic, "labels": labels, "ackDeadlineSeconds": 41 });
        self.ask("PUT", &format!("/v1/projects/{}/subscriptions/{name}", self.project()), subscription).await;
    }

    /// Lets Cloud Storage publish to a topic, by its owner's hand.
    pub(super) async fn publish_to(&self, topic: &str) {
        let agent = format!("serviceAccount:{}", self.double().agent());
        self.grant(topic, "roles/pubsub.publisher", &agent).await;
    }

    async fn grant(&self, topic: &str, role: &str, member: &str) {
        let policy = json!({ "bindings": [{ "role": role, "members": [member] }] });
        self.ask("POST", &format!("/v1/{topic}:setIamPolicy"), json!({ "policy": policy })).await;
    }
}
