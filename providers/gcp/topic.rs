//! The topic that Cloud Storage publishes the bucket's events to.

use serde::Serialize;
use serde_json::{Value, json};

use crate::error::Result;
use crate::event::Progress;
use crate::mark::{Entries, Marking, entries};
use crate::providers::gcp::pubsub;
use crate::providers::gcp::session::Api;
use crate::providers::gcp::subscription::Subscription;
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
    /// The only regions that may store its messages; all if `None`.
    pub message_regions: Option<Vec<String>>,
    pub labels: Marking,
}

impl Topic {
    /// The address of the topic `name`.
    pub(crate) fn at(name: &str) -> Address {
        Address::new("gcp", "topic", name)
    }

    /// The subscriptions of others, which receive nothing after the topic is deleted.
    async fn other_subscriptions(&self, api: &Api) -> Result<Vec<String>> {
        let mut names = vec![];
        if let Some(ours) = &self.leaving {
            let ours = api.subscription_name(ours);
            let path = format!("{}/subscriptions?pageSize=1000", pubsub::path(api, &self.address()));
            let permission = "pubsub.topics.get";
            let listed =
                api.pubsub().await?.list(&path, "subscriptions", permission, self.address(), |name| {
                    let name = name.as_str().map(|name| api.by_id(name)).filter(|name| *name != ours);
                    names.extend(name.map(|name| format!("subscription {}", clean(&name))));
                });
            listed.await?;
        }
        Ok(names)
    }

    fn storage_policy(&self) -> Value {
        json!({ "allowedPersistenceRegions": self.message_regions })
    }

    /// The regions of `topic`; those of the request where fewer are allowed, which is as good.
    fn observed_regions(&self, topic: &Value) -> Option<Vec<String>> {
        let wanted = self.message_regions.as_ref()?;
        let allowed = topic["messageStoragePolicy"]["allowedPersistenceRegions"].as_array()?;
        let mut allowed: Vec<_> = allowed.iter().filter_map(Value::as_str).map(clean).collect();
        if allowed.iter().all(|region| wanted.contains(region)) {
            return Some(wanted.clone());
        }
        allowed.sort();
        Some(allowed)
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

    fn detaches(&self) -> Vec<Address> {
        self.leaving.as_deref().map(Subscription::at).into_iter().collect()
    }

    async fn read(&self, api: &Api) -> Result<Seen<Self>> {
        let address = self.address();
        let (topic, others) = futures::join!(pubsub::get(api, &address), self.other_subscriptions(api));
        let Some(topic) = topic? else { return Ok(Seen::absent()) };
        let labels = entries(&topic["labels"]);
        let message_regions = self.observed_regions(&topic);
        let state = Self { message_regions, labels: self.labels.observed(&labels), ..self.clone() };
        let mut found = self.labels.seen(&labels, None, state);
        match others {
            Ok(others) => found.remarks_mut().kept = others,
            // It is advice, and does not prevent the deletion.
            Err(error) => found.finding(format!(
                "not checked whether subscriptions of others receive its messages: {}",
                error.chain()
            )),
        }
        if let Some(key) = topic["kmsKeyName"].as_str().filter(|key| !key.is_empty()) {
            found.finding(format!(
                "its messages are encrypted with {}, which Pub/Sub's service agent must be allowed to use",
                clean(key)
            ));
        }
        if topic["schemaSettings"].is_object() {
            found.finding("it has a schema, and bucket events might not match it".to_owned());
        }
        if topic["messageTransforms"].as_array().is_some_and(|transforms| !transforms.is_empty()) {
            found.finding("it changes messages before they are sent (`messageTransforms`); this stays");
        }
        Ok(found)
    }

    async fn write(&self, api: &Api, seen: &Seen<Self>, _: &Progress) -> Result<()> {
        if seen.state().is_none() {
            let mut settings = json!({ "labels": self.labels.to_create() });
            if self.message_regions.is_some() {
                settings["messageStoragePolicy"] = self.storage_policy();
            }
            return pubsub::create(api, &self.address(), &settings).await;
        }
        let edit = |observed: Entries| self.labels.to_update(&observed, seen.is_unmarked());
        if seen.state().is_some_and(|state| state.message_regions != self.message_regions) {
            let observed = pubsub::labels_of(api, &self.address()).await?.unwrap_or_default();
            let settings =
                json!({ "labels": edit(observed)?, "messageStoragePolicy": self.storage_policy() });
            return pubsub::update(api, &self.address(), &settings, "labels,messageStoragePolicy").await;
        }
        pubsub::relabel(api, &self.address(), edit).await
    }

    async fn delete(&self, api: &Api, _: &Self, _: &Progress) -> Result<Deleted> {
        pubsub::delete(api, &self.address()).await.map(|()| Deleted::Gone)
    }

    async fn release(&self, api: &Api, _: &Self, _: &Progress) -> Result<()> {
        pubsub::relabel(api, &self.address(), |observed| Ok(self.labels.to_release(&observed))).await
    }
}
