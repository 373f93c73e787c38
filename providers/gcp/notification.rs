//! The notification that sends events of new objects to the topic.
//!
//! A notification configuration has no name, cannot be updated, and creating one is never idempotent (Cloud
//! Storage docs, "Retry strategy"; G1). wbstore's have an attribute of their own. They are listed before one
//! is created, so no retry creates a second one, and of several all but the oldest are deleted.

mod configuration;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use serde_json::json;

use crate::ablation::Safeguard;
use crate::error::{Error, Kind, Result};
use crate::event::Progress;
use crate::http::Method;
use crate::name::DeploymentName;
use crate::providers::gcp::bucket::GcsBucket;
use crate::providers::gcp::grant::Place;
use crate::providers::gcp::rest::segment;
use crate::providers::gcp::session::Api;
use crate::providers::gcp::subscription::Subscription;
use crate::providers::gcp::topic::Topic;
use crate::resource::{Address, Deleted, Forbids, Owner, Removal, Resource, Seen};
use crate::text::clean;

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
/// All types of events, and the word for them.
const TYPES: [&str; 4] = [CREATED, "OBJECT_METADATA_UPDATE", "OBJECT_DELETE", "OBJECT_ARCHIVE"];
const ALL: &str = "all";

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
    /// Whether it is read for a teardown.
    #[serde(skip)]
    pub leaving: bool,
    /// The topic with the number of the project, which Cloud Storage may show instead.
    #[serde(skip)]
    topic_by_number: String,
    /// The topic, as `//pubsub.googleapis.com/projects/…/topics/…`.
    pub topic: String,
    /// The event types, or `all`.
    pub events: Vec<String>,
    /// What a message holds.
    pub payload_format: String,
    /// The prefix of the object names; all objects if empty.
    pub prefix: Option<String>,
    /// The attributes of every message, wbstore's mark among them.
    pub attributes: BTreeMap<String, String>,
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
        leaving: bool,
    ) -> Self {
        let full = |topic: &str| format!("//pubsub.googleapis.com/{topic}");
        Self {
            bucket: bucket.to_owned(),
            topic_name: topic.to_owned(),
            subscription: subscription.to_owned(),
            deployment: deployment.clone(),
            leaving,
            topic_by_number: full(&format!(
                "projects/{}/topics/{topic}",
                api.project_number().unwrap_or(&api.project)
            )),
            topic: full(&api.topic_name(topic)),
            events: vec![if all_events { ALL } else { CREATED }.to_owned()],
            payload_format: "JSON_API_V1".to_owned(),
            prefix: None,
            attributes: BTreeMap::from([(ATTRIBUTE.to_owned(), deployment.to_string())]),
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
            "custom_attributes": self.attributes,
        });
        if self.events != [ALL] {
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
        let sufficient = others.iter().copied().find(|one| self.suffices(one)).filter(|_| ours.is_empty());
        // Of several the correct one is chosen, so that only the rest must be deleted.
        let right = ours.iter().copied().find(|one| self.is_wanted(one));
        let mut found = match (right.or(ours.first().copied()), sufficient) {
            (Some(one), _) => Seen::there(Self { entries: ours.len(), ..self.shown(one) }, Owner::Ours),
            (None, Some(one)) => {
                let entry = format!("the notification `{}`", clean(&one.id));
                Seen::there(self.shown(one), Owner::Sufficient(entry))
            }
            (None, None) => Seen::absent(),
        };
        if right.is_none() && !self.leaving {
            let replaced: Vec<_> = ours.iter().copied().chain(sufficient).collect();
            self.count(all, &replaced, &mut found);
        }
        let besides = |one: &&&Configuration| sufficient.is_none_or(|sufficient| sufficient.id != one.id);
        if !self.leaving {
            let doubled = others.iter().filter(besides).filter_map(|one| self.doubled_by(one));
            found.remarks_mut().findings.extend(doubled);
        }
        found.remarks_mut().kept.extend(others.iter().map(|one| one.describe()));
        found
    }

    fn shown(&self, one: &Configuration) -> Self {
        let mut attributes = one.custom_attributes.clone();
        for value in attributes.values_mut() {
            *value = clean(value);
        }
        Self {
            topic: self.by_id(&one.topic),
            events: one.events(),
            payload_format: one.payload_format.clone(),
            prefix: Some(one.object_name_prefix.clone()).filter(|prefix| !prefix.is_empty()),
            attributes,
            ..self.clone()
        }
    }

    /// `topic` with the project's ID where it has the number.
    fn by_id(&self, topic: &str) -> String {
        if topic == self.topic_by_number { self.topic.clone() } else { topic.to_owned() }
    }

    fn is_wanted(&self, one: &Configuration) -> bool {
        self.shown(one) == *self
    }

    /// Whether the configuration of others `one` has the effect of ours: the same topic, our events all covered,
    /// no prefix, and the form that the server reads.
    fn suffices(&self, one: &Configuration) -> bool {
        let covers = self.types().iter().all(|event| one.is_of(event));
        self.is_doubled_by(one)
            && covers
            && one.object_name_prefix.is_empty()
            && one.payload_format == self.payload_format
            && !one.custom_attributes.contains_key(ATTRIBUTE)
    }

    fn is_doubled_by(&self, one: &Configuration) -> bool {
        self.by_id(&one.topic) == self.topic && self.types().iter().any(|event| one.is_of(event))
    }

    /// The finding on a configuration of others that sends events of the same uploads to the same topic.
    fn doubled_by(&self, one: &Configuration) -> Option<String> {
        if !self.is_doubled_by(one) {
            return None;
        }
        let prefix = match one.object_name_prefix.as_str() {
            "" => String::new(),
            prefix => format!(" of objects below `{}`", clean(prefix)),
        };
        let effect = match &one.payload_format {
            format if *format == self.payload_format => "so that the server receives them twice",
            _ => "in a format that the server cannot read",
        };
        let delete = one.path(&self.bucket).map_or_else(String::new, |path| {
            format!("; `gcloud storage buckets notifications delete {path}` deletes it")
        });
        let id = clean(&one.id);
        Some(format!("the notification `{id}` also sends events{prefix} to the topic, {effect}{delete}"))
    }

    fn types(&self) -> Vec<&str> {
        match self.events.as_slice() {
            [all] if all == ALL => TYPES.to_vec(),
            some => some.iter().map(String::as_str).collect(),
        }
    }

    /// The most of `all` for one type of our events.
    fn most_of_a_type<'a>(&self, all: impl Iterator<Item = &'a Configuration> + Clone) -> usize {
        let of_a_type = |event: &&str| all.clone().filter(|one| one.is_of(event)).count();
        self.types().iter().map(of_a_type).max().unwrap_or_default()
    }

    /// Whether there is room for one more beside `others`.
    fn has_room<'a>(&self, others: impl Iterator<Item = &'a Configuration> + Clone) -> bool {
        others.clone().count() < MOST && self.most_of_a_type(others) < MOST_OF_A_TYPE
    }

    /// Counts what limits a new one, which replaces those that are `replaced`.
    fn count(&self, all: &[Configuration], replaced: &[&Configuration], found: &mut Seen<Self>) {
        let others = all.iter().filter(|one| !replaced.iter().any(|gone| gone.id == one.id));
        if !self.has_room(others.clone()) {
            found.obstacle(
                Forbids::Write,
                format!(
                    "the bucket has {} notifications of these events and {} in all, and Cloud Storage allows at \
                     most {MOST_OF_A_TYPE} of a type and {MOST} in all",
                    self.most_of_a_type(others.clone()),
                    others.count()
                ),
                "remove one that is no longer needed, or choose a separate bucket with --bucket",
            );
        } else if !self.has_room(all.iter()) {
            found.finding(format!(
                "the bucket has as many notifications as Cloud Storage allows ({MOST} in all, {MOST_OF_A_TYPE} for a \
                 type of event), so a replacement is created only after the existing one is deleted: uploads in \
                 between send no event"
            ));
        }
    }

    /// The paths of the configurations that send the events of all uploads to the topic in the form that the
    /// server reads: wbstore's, and those of others.
    ///
    /// # Errors
    /// Those of the cloud.
    pub(crate) async fn senders(&self, api: &Api) -> Result<Senders> {
        let all = self.list(api).await?.unwrap_or_default();
        let is_complete = |one: &&Configuration| self.is_ours(one) && one.object_name_prefix.is_empty();
        let others = all.iter().filter(|one| self.suffices(one));
        Ok(Senders {
            ours: all.iter().filter(is_complete).map(|one| one.id.clone()).collect(),
            others: others.map(|one| one.id.clone()).collect(),
        })
    }
}

/// The IDs of the configurations by which the server learns of uploads.
#[derive(Clone, Debug, Default)]
pub(crate) struct Senders {
    pub(crate) ours: Vec<String>,
    /// Those without a wbstore mark.
    pub(crate) others: Vec<String>,
}

impl Resource for Notification {
    type Api = Api;

    const REMOVAL: Removal = Removal::BeforeParent;
    const READ_BACK: bool = true;
    const BOOKKEEPING: &'static [&'static str] = &["entries"];

    fn address(&self) -> Address {
        Self::at(&self.bucket)
    }

    fn needs(&self) -> Vec<Address> {
        vec![
            GcsBucket::at(&self.bucket),
            Topic::at(&self.topic_name),
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

    async fn write(&self, api: &Api, seen: &Seen<Self>, progress: &Progress) -> Result<()> {
        let all = match progress.parent_is_new() {
            true => vec![],
            false => self.list(api).await?.unwrap_or_default(),
        };
        let (right, mut wrong): (Vec<_>, Vec<_>) =
            all.iter().filter(|one| self.is_ours(one)).partition(|one| self.is_wanted(one));
        if seen.is_unmarked() {
            wrong.extend(all.iter().find(|one| self.suffices(one)));
        }
        let mut superfluous = right.iter().copied().skip(1).chain(wrong).map(|one| one.id.as_str());
        if right.is_empty() || !Safeguard::ListMatchInsert.holds() {
            if !self.has_room(all.iter()) {
                for id in superfluous.by_ref() {
                    self.remove(api, id).await?;
                }
            }
            self.insert(api).await?;
        }
        // The new one first, so that no event is missed.
        for id in superfluous {
            self.remove(api, id).await?;
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
