//! What other people have in the subscription.

use hyper::Method;
use serde_json::json;

use super::Azure;
use super::double::control::Planted;
use crate::cloud::NAME;
use crate::dialect::azure::BLOB;

/// The container of the deployment: the one that wbstore names by itself.
pub(super) const CONTAINER: &str = "wbstore-wandb-acme-com";

impl Azure {
    /// An account beside the deployment's.
    pub(super) async fn make_neighbours(&self) {
        let logs = format!("{}logs", &self.account()[..20.min(self.account().len())]);
        let done = async {
            let double = self.double();
            double.plant(Planted::new(&logs).tag("team", "data")).await?;
            double.plant_container(&logs, CONTAINER, &json!({ "team": "data" })).await?;
            double.plant_queue(&logs, CONTAINER, &json!({})).await
        };
        done.await.unwrap_or_else(|error: std::io::Error| panic!("{error}"));
    }

    /// The account, with the entries of others in it, and the deployment's container and queue without
    /// a mark.
    pub(super) async fn make_predecessor(&self) {
        let (double, account) = (self.double(), self.account());
        let rules = [
            json!({
                "allowedOrigins": ["https://data.acme.com"], "allowedMethods": ["DELETE"],
                "allowedHeaders": ["x-ms-*"], "exposedHeaders": ["x-ms-request-id"], "maxAgeInSeconds": 7,
            }),
            json!({
                "allowedOrigins": ["https://*.acme.com"], "allowedMethods": ["PUT", "GET"],
                "allowedHeaders": [], "exposedHeaders": [], "maxAgeInSeconds": 0,
            }),
        ];
        let done = async {
            double.plant(Planted::new(account).tag("team", "data")).await?;
            double.plant_cors(account, &rules).await?;
            double.plant_container(account, CONTAINER, &json!({ "team": "data" })).await?;
            double.plant_container(account, &format!("{CONTAINER}2"), &json!({})).await?;
            double.plant_blob(account, &format!("{CONTAINER}2"), "kept", "x").await?;
            double.plant_queue(account, &format!("wbstore-{NAME}"), &json!({ "team": "data" })).await?;
            double.plant_queue(account, "audit", &json!({})).await
        };
        done.await.unwrap_or_else(|error: std::io::Error| panic!("{error}"));
        let destination = json!({
            "endpointType": "StorageQueue",
            "properties": { "resourceId": double.account_id(account), "queueName": "audit" },
        });
        let removals = json!({
            "destination": destination, "labels": ["audit"],
            "filter": { "includedEventTypes": ["Microsoft.Storage.BlobDeleted"] },
        });
        double.plant_event_subscription(account, "removals", &removals, false);
    }

    /// Puts a blob into the container as the server does, through the double and around the proxy.
    pub(super) async fn upload_blob(&self, blob: &str) {
        let path = format!("/{}/{CONTAINER}/{blob}", self.account());
        let token = self.double().token(&self.double().principal(), "https://storage.azure.com", 600);
        let authorization = format!("Bearer {token}");
        let headers = [
            ("authorization", authorization.as_str()),
            ("x-ms-blob-type", "BlockBlob"),
            ("x-ms-version", "2024-11-04"),
        ];
        let reply = self.proxy().upstream_of(BLOB).request((Method::PUT, &path), &headers, "x").await;
        let reply = reply.unwrap_or_else(|error| panic!("{path}: {error}"));
        assert!(reply.status().is_success(), "{path}: {}", String::from_utf8_lossy(reply.body()));
    }
}
