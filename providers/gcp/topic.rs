//! The topic that Cloud Storage publishes the bucket's events to.

use serde::Serialize;
use serde_json::json;

use crate::error::Result;
use crate::event::Progress;
use crate::mark::{Marking, entries};
use crate::providers::gcp::pubsub;
use crate::providers::gcp::session::Api;
use crate::resource::{Address, Deleted, Resource, Seen};
use crate::text::clean;

/// A Pub/Sub topic.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Topic {
    /// Its name, without the project.
    #[serde(skip)]
    pub name: String,
    /// wbstore's subscription to it, if it is read for a teardown.
    #[serde(skip)]
    pub leaving: Option<String>,
    pub labels: Marking,
}

impl Topic {
    /// The address of the topic `name`.
    pub(crate) fn at(name: &str) -> Address {
        Address::new("gcp", "topic", name)
    }

    /// The subscriptions of others, which receive nothing after the topic is deleted. A denied list does not
    /// prevent that.
    async fn other_subscriptions(&self, api: &Api) -> Vec<String> {
        let mut names = vec![];
        if let (Some(ours), Ok(rest)) = (&self.leaving, api.pubsub().await) {
            let ours = api.subscription_name(ours);
            let path = format!("{}/subscriptions?pageSize=1000", pubsub::path(api, &self.address()));
            let permission = "pubsub.topics.get";
            let listed = rest.list(&path, "subscriptions", permission, self.address(), |name| {
                names.extend(
                    name.as_str()
                        .filter(|name| *name != ours)
                        .map(|name| format!("subscription {}", clean(name))),
                )
            });
            let _ = listed.await;
        }
        names
    }
}

impl Resource for Topic {
    type Api = Api;

    const READ_BACK: bool = true;

    fn address(&self) -> Address {
        Self::at(&self.name)
    }

    fn marking(&self) -> Option<&Marking> {
        Some(&self.labels)
    }

    fn creation_is_exclusive(&self) -> bool {
        true
    }

    async fn read(&self, api: &Api) -> Result<Seen<Self>> {
        let address = self.address();
        let (topic, others) = futures::join!(pubsub::get(api, &address), self.other_subscriptions(api));
        let Some(topic) = topic? else { return Ok(Seen::absent()) };
        let labels = entries(&topic["labels"]);
        let state = Self { labels: self.labels.observed(&labels), ..self.clone() };
        let mut found = self.labels.seen(&labels, None, state);
        found.remarks_mut().kept = others;
        if let Some(key) = topic["kmsKeyName"].as_str().filter(|key| !key.is_empty()) {
            found.finding(format!(
                "its messages are encrypted with {}, which Pub/Sub's service agent must be allowed to use",
                clean(key)
            ));
        }
        if topic["schemaSettings"].is_object() {
            found.finding("it has a schema, and bucket events might not match it".to_owned());
        }
        Ok(found)
    }

    async fn write(&self, api: &Api, seen: &Seen<Self>, _: &Progress) -> Result<()> {
        if seen.state().is_none() {
            let settings = json!({ "labels": self.labels.to_create() });
            return pubsub::create(api, &self.address(), &settings).await;
        }
        let edit = |observed| self.labels.to_update(&observed, seen.is_unmarked());
        pubsub::relabel(api, &self.address(), edit).await
    }

    async fn delete(&self, api: &Api, _: &Self, _: &Progress) -> Result<Deleted> {
        pubsub::delete(api, &self.address()).await.map(|()| Deleted::Gone)
    }

    async fn release(&self, api: &Api, _: &Self, _: &Progress) -> Result<()> {
        pubsub::relabel(api, &self.address(), |observed| self.labels.to_release(&observed)).await
    }
}
