//! The topic that Cloud Storage publishes the bucket's events to.

use google_cloud_gax::options::RequestOptionsBuilder;
use google_cloud_pubsub::model;
use google_cloud_wkt::FieldMask;
use serde::Serialize;

use crate::error::{Error, Result};
use crate::event::Progress;
use crate::mark::{Entries, Marking};
use crate::providers::gcp::failure::{Refusal, failure, is_not_found};
use crate::providers::gcp::session::Api;
use crate::resource::{Address, Deleted, Resource, Seen};
use crate::text::clean;

/// A Pub/Sub topic.
#[derive(Clone, Debug, Serialize)]
pub struct Topic {
    /// Its name, without the project.
    #[serde(skip)]
    pub name: String,
    /// Our subscription to it, where it is looked at to be removed.
    #[serde(skip)]
    pub leaving: Option<String>,
    /// Our labels.
    pub labels: Marking,
}

impl Topic {
    /// The address of the topic `name`.
    pub fn at(name: &str) -> Address {
        Address::new("gcp", "topic", name)
    }

    /// The subscriptions of others, which get nothing more once the topic is gone. Not to know them is
    /// no reason to keep it.
    async fn other_subscriptions(&self, api: &Api) -> Vec<String> {
        let (Some(ours), Ok(topics)) = (&self.leaving, api.topics().await) else { return vec![] };
        let ours = api.subscription_name(ours);
        let asked = topics.list_topic_subscriptions().set_topic(api.topic_name(&self.name)).send().await;
        let names = asked.map(|answer| answer.subscriptions).unwrap_or_default();
        names
            .iter()
            .filter(|name| **name != ours)
            .map(|name| format!("subscription {}", clean(name)))
            .collect()
    }

    async fn create(&self, api: &Api) -> Result<()> {
        let call = api.topics().await?.create_topic().set_name(api.topic_name(&self.name));
        let made = api.mutate(call.set_labels(self.labels.to_create()).with_idempotency(false).send()).await;
        match made {
            Ok(_) => Ok(()),
            // Ours when an answer was lost on its way; somebody's otherwise (G15).
            Err(error) if Refusal::of(&error).is_some_and(|refusal| refusal.is_taken()) => {
                Err(Error::exists(self.address()))
            }
            Err(error) => Err(failure(&error, "pubsub.topics.create", self.address())),
        }
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
        let (topic, others) = futures::join!(get(api, &self.name), self.other_subscriptions(api));
        let Some(topic) = topic? else { return Ok(Seen::absent()) };
        let labels = topic.labels.into_iter().collect();
        let state = Self { labels: self.labels.observed(&labels), ..self.clone() };
        let mut found = self.labels.seen(&labels, None, state);
        found.remarks_mut().kept = others;
        if !topic.kms_key_name.is_empty() {
            found.finding(format!(
                "its messages are encrypted with {}, which Pub/Sub's service agent must be allowed to use",
                clean(&topic.kms_key_name)
            ));
        }
        if topic.schema_settings.is_some() {
            found.finding("it has a schema, which the events of a bucket may not fit".to_owned());
        }
        Ok(found)
    }

    async fn write(&self, api: &Api, seen: &Seen<Self>, _: &Progress) -> Result<()> {
        if seen.state().is_none() {
            return self.create(api).await;
        }
        let observed = labels_of(api, &self.name).await?.unwrap_or_default();
        relabel(api, &self.name, self.labels.to_update(&observed, seen.is_unmarked())).await
    }

    async fn delete(&self, api: &Api, _: &Self, _: &Progress) -> Result<Deleted> {
        let call = api.topics().await?.delete_topic().set_topic(api.topic_name(&self.name));
        match api.mutate(call.with_idempotency(false).send()).await {
            Ok(()) => Ok(Deleted::Gone),
            Err(error) if is_not_found(&error) => Ok(Deleted::Gone),
            Err(error) => Err(failure(&error, "pubsub.topics.delete", self.address())),
        }
    }

    async fn release(&self, api: &Api, _: &Self, _: &Progress) -> Result<()> {
        match labels_of(api, &self.name).await? {
            Some(observed) => relabel(api, &self.name, self.labels.to_release(&observed)).await,
            None => Ok(()),
        }
    }
}

async fn get(api: &Api, name: &str) -> Result<Option<model::Topic>> {
    match api.topics().await?.get_topic().set_topic(api.topic_name(name)).send().await {
        Ok(topic) => Ok(Some(topic)),
        Err(error) if is_not_found(&error) => Ok(None),
        Err(error) => Err(failure(&error, "pubsub.topics.get", Topic::at(name))),
    }
}

/// The labels of the topic `name`; `None` where it is not there.
///
/// # Errors
/// Those of the cloud.
pub async fn labels_of(api: &Api, name: &str) -> Result<Option<Entries>> {
    Ok(get(api, name).await?.map(|topic| topic.labels.into_iter().collect()))
}

/// Sets all labels of the topic `name`. Pub/Sub has no condition on this, so they are read just before.
///
/// # Errors
/// Those of the cloud.
pub async fn relabel(api: &Api, name: &str, labels: Entries) -> Result<()> {
    let topic = model::Topic::new().set_name(api.topic_name(name)).set_labels(labels);
    let call = api.topics().await?.update_topic().set_topic(topic);
    let call = call.set_update_mask(FieldMask::default().set_paths(["labels"])).with_idempotency(false);
    let relabelled = api.mutate(call.send()).await;
    relabelled.map(drop).map_err(|error| failure(&error, "pubsub.topics.update", Topic::at(name)))
}
