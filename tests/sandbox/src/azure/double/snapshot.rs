//! All that is there, read from the double and from Azurite, without any SDK.

use std::collections::BTreeMap;

use axum::http::Method;
use serde_json::{Map, Value, json};

use super::{AzureDouble, Service, blob_service};
use crate::Error;
use crate::snapshot::Snapshot;

impl AzureDouble {
    /// Accounts, CORS rules, containers, blobs, queues, event subscriptions, system topics and
    /// locks. What differs from one creation to the next (times, keys, etags) is left out.
    pub async fn snapshot(&self) -> Result<Snapshot, Error> {
        let mut snapshot = Snapshot::default();
        let accounts = self.control_plane(&mut snapshot);
        for account in accounts {
            self.data_plane(&account, &mut snapshot).await?;
        }
        Ok(snapshot)
    }

    /// What the control plane alone knows; gives the names of all accounts.
    fn control_plane(&self, snapshot: &mut Snapshot) -> Vec<String> {
        let world = self.shared.world();
        for (name, account) in &world.accounts {
            let document = json!({
                "id": account.id(), "location": account.location, "kind": account.kind, "sku": account.sku,
                "tags": account.tags, "properties": account.properties, "state": account.state.name(),
            });
            snapshot.insert(format!("account/{name}"), canonical(&document));
            snapshot.insert(format!("blob-service/{name}"), canonical(&json!(account.blob_service)));
        }
        for one in world.event_subscriptions.values() {
            let account = one.source.rsplit('/').next().unwrap_or_default();
            let document = json!({ "properties": one.properties, "state": one.state.name() });
            snapshot.insert(format!("event-subscription/{account}/{}", one.name), canonical(&document));
        }
        for topic in world.topics.values() {
            let account = topic.source.rsplit('/').next().unwrap_or_default();
            // An implicit one has a random name.
            let name = if topic.implicit { "(implicit)" } else { &topic.name };
            snapshot.insert(format!("system-topic/{account}/{name}"), topic.source.clone());
        }
        for lock in &world.locks {
            snapshot.insert(format!("lock{}", lock.id()), format!("{:?}", lock.level));
        }
        world.accounts.keys().cloned().collect()
    }

    async fn data_plane(&self, account: &str, snapshot: &mut Snapshot) -> Result<(), Error> {
        let shared = &self.shared;
        let lost = |what: String| Error::new(format!("cannot read {account} back: {what}"));
        let rules =
            blob_service::rules(shared, account).await.map_err(|error| lost(error.message().to_owned()))?;
        snapshot.insert(format!("cors/{account}"), canonical(&rules.into()));
        let list = |service| shared.plane.list(service, account);
        for (name, metadata) in list(Service::Blob).await.map_err(|error| lost(error.to_string()))? {
            snapshot.insert(format!("container/{account}/{name}"), canonical(&metadata.into()));
            for (blob, digest) in self.blobs(account, &name).await.map_err(|error| lost(error.to_string()))? {
                snapshot.insert(format!("blob/{account}/{name}/{blob}"), digest);
            }
        }
        for (name, metadata) in list(Service::Queue).await.map_err(|error| lost(error.to_string()))? {
            snapshot.insert(format!("queue/{account}/{name}"), canonical(&metadata.into()));
        }
        Ok(())
    }

    /// Names and MD5 of all blobs in a container.
    async fn blobs(&self, account: &str, container: &str) -> std::io::Result<Vec<(String, String)>> {
        let path = format!("/{account}/{container}?restype=container&comp=list");
        let reply = self.shared.plane.ask(Service::Blob, Method::GET, &path, &[], "").await?;
        let text = String::from_utf8_lossy(reply.body());
        let document = roxmltree::Document::parse(&text).map_err(std::io::Error::other)?;
        let text = |node: roxmltree::Node<'_, '_>, name: &str| {
            let found = node.descendants().find(|child| child.tag_name().name() == name);
            found.and_then(|child| child.text()).unwrap_or_default().to_owned()
        };
        let blobs = document.descendants().filter(|node| node.tag_name().name() == "Blob");
        Ok(blobs.map(|node| (text(node, "Name"), text(node, "Content-MD5"))).collect())
    }
}

/// A document that is equal to another when all its values are.
fn canonical(document: &Value) -> String {
    fn sorted(value: &Value) -> Value {
        match value {
            Value::Object(fields) => {
                let ordered: BTreeMap<_, _> =
                    fields.iter().map(|(name, value)| (name, sorted(value))).collect();
                ordered.into_iter().map(|(name, value)| (name.clone(), value)).collect::<Map<_, _>>().into()
            }
            Value::Array(values) => values.iter().map(sorted).collect::<Vec<_>>().into(),
            plain => plain.clone(),
        }
    }
    sorted(document).to_string()
}
