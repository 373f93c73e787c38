//! The notification that sends events of new objects to the topic.
//!
//! A notification configuration has no name, cannot be updated, and creating one is never idempotent (Cloud
//! Storage docs, "Retry strategy"; G1). wbstore's have an attribute of their own. They are listed before one
//! is created, so no retry creates a second one, and of several all but the oldest are deleted.

mod configuration;

use std::time::Duration;

use serde::Serialize;
use serde_json::json;

use crate::error::{Error, Kind, Result};
use crate::event::Progress;
use crate::http::Method;
use crate::name::DeploymentName;
use crate::providers::gcp::bucket::GcsBucket;
use crate::providers::gcp::grant::Place;
use crate::providers::gcp::rest::segment;
use crate::providers::gcp::session::Api;
use crate::providers::gcp::subscription::Subscription;
use crate::resource::{Address, Deleted, Forbids, Owner, Removal, Resource, Seen};

use configuration::{Configuration, Listing, is_unheard_of};

/// The attribute that identifies wbstore's configuration. Every message has it too.
pub(crate) const ATTRIBUTE: &str = "wbstore";

/// How long an IAM change may take to take effect: "typically 2 minutes, potentially 7 minutes or longer"
/// (IAM docs, "Access change propagation"; G3).
const PERMISSION_WITHIN: Duration = Duration::from_secs(8 * 60);

/// The most configurations of one bucket, and the most for one type of event (Cloud Storage docs,
/// "Pub/Sub notifications"; G10).
const MOST: usize = 100;
const MOST_OF_A_TYPE: usize = 10;

/// The event of every new object, whole.
const CREATED: &str = "OBJECT_FINALIZE";

/// The configuration that makes Cloud Storage publish to the topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Notification {
    /// The bucket it is set on.
    #[serde(skip)]
    pub bucket: String,
    /// The name of the topic, without the project.
    #[serde(skip)]
    pub topic_name: String,
    /// The name of the subscription that must exist first, because it does not receive earlier events.
    #[serde(skip)]
    pub subscription: String,
    /// The deployment it belongs to.
    #[serde(skip)]
    pub deployment: DeploymentName,
    /// The topic, as `//pubsub.googleapis.com/projects/…/topics/…`.
    pub topic: String,
    /// The event types, or `all`.
    pub events: Vec<String>,
    /// What a message holds.
    pub payload_format: String,
    /// The prefix of the object names; all objects if empty.
    pub prefix: Option<String>,
    /// The number of wbstore's configurations.
    pub entries: usize,
}

impl Notification {
    /// The address of the one of `bucket`.
    pub(crate) fn at(bucket: &str) -> Address {
        Address::new("gcp", "notification", bucket)
    }

    /// Events of all new objects of `bucket`, sent to the topic; with `all_events` of updates and deletions
    /// too, as the published guide has it (G11).
    pub(crate) fn new(
        api: &Api,
        bucket: &str,
        (topic, subscription): (&str, &str),
        deployment: &DeploymentName,
        all_events: bool,
    ) -> Self {
        Self {
            bucket: bucket.to_owned(),
            topic_name: topic.to_owned(),
            subscription: subscription.to_owned(),
            deployment: deployment.clone(),
            topic: format!("//pubsub.googleapis.com/{}", api.topic_name(topic)),
            events: vec![if all_events { "all" } else { CREATED }.to_owned()],
            payload_format: "JSON_API_V1".to_owned(),
            prefix: None,
            entries: 1,
        }
    }

    fn path(&self) -> String {
        format!("/storage/v1/b/{}/notificationConfigs", segment(&self.bucket))
    }

    /// All configurations, the oldest first; `None` if the bucket does not exist.
    async fn list(&self, api: &Api) -> Result<Option<Vec<Configuration>>> {
        let rest = api.storage_json().await?;
        let found = rest.find::<Listing>(&self.path(), "storage.buckets.get", self.address()).await?;
        Ok(found.map(|Listing { items: mut all }| {
            all.sort_by(|one, other| one.age().cmp(&other.age()));
            all
        }))
    }

    async fn insert(&self, api: &Api) -> Result<()> {
        let mut body = json!({
            "topic": self.topic,
            "payload_format": self.payload_format,
            "custom_attributes": { ATTRIBUTE: self.deployment },
        });
        if self.events != ["all"] {
            body["event_types"] = json!(self.events);
        }
        // A POST is sent once, whatever becomes of it.
        match api.storage_json().await?.write(Method::POST, &self.path(), Some(&body)).await? {
            Ok(()) => Ok(()),
            Err(refusal) if is_unheard_of(&refusal) => Err(Error::new(
                Kind::NotYet,
                "Cloud Storage is not allowed to publish to the topic yet: a new permission takes a few \
                 minutes to take effect",
            )
            .because(refusal.message)
            .within(PERMISSION_WITHIN)
            .hint(format!(
                "if this persists, check that roles/pubsub.publisher on the topic {} is granted to {}",
                self.topic_name, api.agent
            ))),
            Err(refusal) => Err(refusal.explain("storage.buckets.update", self.address())),
        }
    }

    async fn remove(&self, api: &Api, id: &str) -> Result<()> {
        let path = format!("{}/{}", self.path(), segment(id));
        match api.storage_json().await?.write(Method::DELETE, &path, None).await? {
            Err(refusal) if !refusal.is_not_found() => {
                Err(refusal.explain("storage.buckets.update", self.address()))
            }
            _ => Ok(()),
        }
    }

    fn is_ours(&self, one: &Configuration) -> bool {
        one.custom_attributes.get(ATTRIBUTE).map(String::as_str) == Some(self.deployment.as_str())
    }

    /// The state of the configurations: wbstore's as one, the others as text.
    fn seen(&self, all: &[Configuration]) -> Seen<Self> {
        let (ours, others): (Vec<_>, Vec<_>) = all.iter().partition(|one| self.is_ours(one));
        // Of several the correct one is chosen, so that only the rest must be deleted.
        let shown = ours.iter().find(|one| self.is_wanted(one)).or(ours.first());
        let mut found = match shown {
            Some(one) => Seen::there(Self { entries: ours.len(), ..self.shown(one) }, Owner::Ours),
            None => Seen::absent(),
        };
        if ours.is_empty() {
            self.count(&others, &mut found);
        }
        found.remarks_mut().kept.extend(others.iter().map(|one| one.describe()));
        found
    }

    fn shown(&self, one: &Configuration) -> Self {
        Self {
            topic: one.topic.clone(),
            events: one.events(),
            payload_format: one.payload_format.clone(),
            prefix: Some(one.object_name_prefix.clone()).filter(|prefix| !prefix.is_empty()),
            ..self.clone()
        }
    }

    fn is_wanted(&self, one: &Configuration) -> bool {
        self.shown(one) == *self
    }

    fn count(&self, others: &[&Configuration], found: &mut Seen<Self>) {
        let all = self.events == ["all"];
        let same = others
            .iter()
            .filter(|one| {
                all || one.event_types.is_empty()
                    || one.event_types.iter().any(|event| self.events.contains(event))
            })
            .count();
        if others.len() >= MOST {
            found.obstacle(
                Forbids::Write,
                format!(
                    "the bucket has {} notifications, and Cloud Storage allows at most {MOST}",
                    others.len()
                ),
                "remove one that is no longer needed, or choose a separate bucket with --bucket",
            );
        } else if same >= MOST_OF_A_TYPE {
            found.obstacle(
                Forbids::Write,
                format!(
                    "the bucket has {same} notifications of these events, and Cloud Storage allows at most \
                     {MOST_OF_A_TYPE} of a type"
                ),
                "remove one that is no longer needed, or choose a separate bucket with --bucket",
            );
        }
    }
}

impl Resource for Notification {
    type Api = Api;

    const REMOVAL: Removal = Removal::BeforeParent;
    const READ_BACK: bool = true;

    fn address(&self) -> Address {
        Self::at(&self.bucket)
    }

    fn needs(&self) -> Vec<Address> {
        vec![
            GcsBucket::at(&self.bucket),
            Place::Topic(self.topic_name.clone()).address(),
            Subscription::at(&self.subscription),
            // In a teardown: before the bucket is emptied, which would send an event for each object.
            Address::new("gcp", "objects", &self.bucket),
        ]
    }

    // Teardown deletes it with a separate call, before the topic and whether or not the bucket is deleted.
    fn part_of(&self) -> Option<Address> {
        Some(GcsBucket::at(&self.bucket))
    }

    fn patience(&self) -> Duration {
        PERMISSION_WITHIN
    }

    async fn read(&self, api: &Api) -> Result<Seen<Self>> {
        Ok(self.list(api).await?.map_or_else(Seen::absent, |all| self.seen(&all)))
    }

    async fn write(&self, api: &Api, _: &Seen<Self>, progress: &Progress) -> Result<()> {
        let all = match progress.parent_is_new() {
            true => vec![],
            false => self.list(api).await?.unwrap_or_default(),
        };
        let (right, wrong): (Vec<_>, Vec<_>) =
            all.iter().filter(|one| self.is_ours(one)).partition(|one| self.is_wanted(one));
        if right.is_empty() {
            self.insert(api).await?;
        }
        // The new one first, so that no event is missed.
        for one in right.into_iter().skip(1).chain(wrong) {
            self.remove(api, &one.id).await?;
        }
        Ok(())
    }

    async fn delete(&self, api: &Api, _: &Self, _: &Progress) -> Result<Deleted> {
        let all = self.list(api).await?.unwrap_or_default();
        for one in all.iter().filter(|one| self.is_ours(one)) {
            self.remove(api, &one.id).await?;
        }
        Ok(Deleted::Gone)
    }
}

#[cfg(test)]
mod tests;
