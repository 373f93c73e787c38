//! The subscription that the server reads its events from.

mod calls;

use google_cloud_gax::options::RequestOptionsBuilder;
use google_cloud_pubsub::model::{self, ExpirationPolicy, PushConfig};
use google_cloud_wkt::{Duration, FieldMask};
use serde::Serialize;

use crate::error::{Error, Result};
use crate::event::Progress;
use crate::expiry::Voucher;
use crate::mark::{Entries, Marking};
use crate::providers::gcp::failure::{Refusal, failure, is_not_found};
use crate::providers::gcp::session::Api;
use crate::providers::gcp::topic::Topic;
use crate::resource::{Address, Deleted, Forbids, Owner, Resource, Seen};
use crate::text::clean;

use calls::{delivery, get};
pub use calls::{labels_of, relabel};

/// What Pub/Sub shows as the topic of a subscription whose topic was deleted (RPC reference,
/// `Subscription.topic`). A new topic of the old name does not bring it back (G14).
const DELETED_TOPIC: &str = "_deleted-topic_";

/// The way the server takes its messages.
const PULL: &str = "pull";

const DAY: i64 = 24 * 60 * 60;

/// A Pub/Sub subscription.
#[derive(Clone, Debug, Serialize)]
pub struct Subscription {
    /// Its name, without the project.
    #[serde(skip)]
    pub name: String,
    /// The full name of the topic.
    pub topic: String,
    /// Whether messages of that topic still reach it.
    pub attached: bool,
    /// How messages leave: `pull`, or where they are sent.
    pub delivery: String,
    /// Which messages it takes; all without one.
    pub filter: Option<String>,
    /// How long a message may be worked on before it is given out again, in seconds.
    pub ack_deadline_seconds: i32,
    /// How long a message is kept, in seconds.
    pub retention_seconds: i64,
    /// After how long without a reader it deletes itself: `never`, or a time such as `31d`.
    pub expires_unused: String,
    /// Our labels.
    pub labels: Marking,
}

impl Subscription {
    /// A subscription as we want it, to the topic of the full name `topic`.
    pub fn new(name: &str, topic: String, labels: Marking) -> Self {
        Self {
            name: name.to_owned(),
            topic,
            attached: true,
            delivery: PULL.to_owned(),
            filter: None,
            // Time enough for a server that is busy; W&B's own module has half of it (G13).
            ack_deadline_seconds: 60,
            // Seven days, Pub/Sub's own default: a server that is down for a weekend loses no upload.
            retention_seconds: 604_800,
            // The default would delete it after 31 quiet days (G12).
            expires_unused: "never".to_owned(),
            labels,
        }
    }

    /// The address of the subscription `name`.
    pub fn at(name: &str) -> Address {
        Address::new("gcp", "subscription", name)
    }

    fn settings(&self, api: &Api, labels: Entries) -> model::Subscription {
        let Self {
            name,
            topic,
            attached: _,
            delivery: _,
            filter: _,
            ack_deadline_seconds,
            retention_seconds,
            expires_unused: _,
            labels: _,
        } = self;
        model::Subscription::new()
            .set_name(api.subscription_name(name))
            .set_topic(topic)
            .set_ack_deadline_seconds(*ack_deadline_seconds)
            .set_message_retention_duration(Duration::clamp(*retention_seconds, 0))
            // Without a time to live in it this means never (REST reference, `ExpirationPolicy`).
            .set_expiration_policy(ExpirationPolicy::new())
            .set_labels(labels)
    }

    async fn create(&self, api: &Api) -> Result<()> {
        let request = self.settings(api, self.labels.to_create());
        let call = api.subscriptions().await?.create_subscription().with_request(request);
        match api.mutate(call.with_idempotency(false).send()).await {
            Ok(_) => Ok(()),
            // Ours when an answer was lost on its way; somebody's otherwise (G15).
            Err(error) if Refusal::of(&error).is_some_and(|refusal| refusal.is_taken()) => {
                Err(Error::exists(self.address()))
            }
            Err(error) => Err(failure(&error, "pubsub.subscriptions.create", self.address())),
        }
    }

    fn observed(&self, found: &model::Subscription, labels: &Entries) -> Self {
        let attached = found.topic != DELETED_TOPIC && !found.detached;
        let never = || "never".to_owned();
        let ttl = found.expiration_policy.as_ref().map(|policy| policy.ttl.as_ref().map(Duration::seconds));
        Self {
            name: self.name.clone(),
            topic: if attached { found.topic.clone() } else { self.topic.clone() },
            attached,
            delivery: delivery(found),
            filter: Some(found.filter.clone()).filter(|filter| !filter.is_empty()),
            ack_deadline_seconds: found.ack_deadline_seconds,
            retention_seconds: found.message_retention_duration.as_ref().map_or(0, Duration::seconds),
            expires_unused: match ttl {
                Some(Some(seconds)) if seconds % DAY == 0 => format!("{}d", seconds / DAY),
                Some(Some(seconds)) => format!("{seconds}s"),
                Some(None) => never(),
                // Pub/Sub always shows the policy that holds; without any it is the default of 31 days.
                None => "31d".to_owned(),
            },
            labels: self.labels.observed(labels),
        }
    }

    async fn update(&self, api: &Api, prior: &Self, adopt: bool) -> Result<()> {
        let observed = labels_of(api, &self.name).await?.unwrap_or_default();
        let mut settings = self.settings(api, self.labels.to_update(&observed, adopt));
        let mut mask = vec!["labels"];
        for (field, differs) in [
            ("ack_deadline_seconds", prior.ack_deadline_seconds != self.ack_deadline_seconds),
            ("message_retention_duration", prior.retention_seconds != self.retention_seconds),
            ("expiration_policy", prior.expires_unused != self.expires_unused),
        ] {
            if differs {
                mask.push(field);
            }
        }
        if prior.delivery != self.delivery {
            // An empty one means pull (REST reference, `Subscription.pushConfig`); the others go by
            // being named and left out.
            settings = settings.set_push_config(PushConfig::new());
            mask.push(match prior.delivery.split(' ').next() {
                Some("bigquery") => "bigquery_config",
                Some("storage") => "cloud_storage_config",
                Some("bigtable") => "bigtable_config",
                _ => "push_config",
            });
        }
        let call = api.subscriptions().await?.update_subscription().set_subscription(settings);
        let call = call.set_update_mask(FieldMask::default().set_paths(mask)).with_idempotency(false);
        let updated = api.mutate(call.send()).await;
        updated.map(drop).map_err(|error| failure(&error, "pubsub.subscriptions.update", self.address()))
    }

    async fn remove(&self, api: &Api) -> Result<()> {
        let name = api.subscription_name(&self.name);
        let call = api.subscriptions().await?.delete_subscription().set_subscription(name);
        match api.mutate(call.with_idempotency(false).send()).await {
            Ok(()) => Ok(()),
            Err(error) if is_not_found(&error) => Ok(()),
            Err(error) => Err(failure(&error, "pubsub.subscriptions.delete", self.address())),
        }
    }
}

impl Resource for Subscription {
    type Api = Api;

    // Neither can be changed (REST reference, `projects.subscriptions.patch`).
    const FIXED: &'static [&'static str] = &["topic", "filter"];
    const READ_BACK: bool = true;

    fn address(&self) -> Address {
        Self::at(&self.name)
    }

    fn needs(&self) -> Vec<Address> {
        let topic = self.topic.rsplit('/').next().unwrap_or_default();
        vec![Topic::at(topic)]
    }

    fn vouchers(&self) -> Option<Vec<Voucher>> {
        // To be attached to our topic is what the notification can vouch for.
        let vouchers = self.labels.vouchers();
        if self.attached { vouchers } else { vouchers.map(|_| vec![]) }
    }

    fn marking(&self) -> Option<&Marking> {
        Some(&self.labels)
    }

    fn creation_is_exclusive(&self) -> bool {
        true
    }

    async fn read(&self, api: &Api) -> Result<Seen<Self>> {
        let Some(subscription) = get(api, &self.name).await? else { return Ok(Seen::absent()) };
        let labels = subscription.labels.clone().into_iter().collect();
        let state = self.observed(&subscription, &labels);
        let (attached, delivery) = (state.attached, state.delivery.clone());
        let mut found = self.labels.seen(&labels, None, state);
        let ours = found.owner() == Some(&Owner::Ours);
        if !attached && ours {
            found.finding(
                "its topic was deleted or it was detached, so it is made again: messages it still holds are lost"
                    .to_owned(),
            );
        } else if !attached {
            found.obstacle(
                Forbids::Present,
                "its topic was deleted or it was detached, and nothing brings it back",
                format!(
                    "delete it with `gcloud pubsub subscriptions delete {} --project {}`, or choose another name \
                     with --subscription",
                    self.name, api.project
                ),
            );
        }
        if delivery != PULL && !ours {
            found.obstacle(
                Forbids::Present,
                format!("its messages leave by {delivery}, and the server pulls"),
                "choose another name with --subscription; this one serves somebody else",
            );
        }
        if let Some(policy) = &subscription.dead_letter_policy {
            found.finding(format!(
                "messages that are not taken {} times go to {}",
                policy.max_delivery_attempts,
                clean(&policy.dead_letter_topic)
            ));
        }
        Ok(found)
    }

    async fn write(&self, api: &Api, seen: &Seen<Self>, _: &Progress) -> Result<()> {
        match seen.state() {
            None => self.create(api).await,
            Some(state) if !state.attached => {
                self.remove(api).await?;
                self.create(api).await
            }
            Some(state) => self.update(api, state, seen.is_unmarked()).await,
        }
    }

    async fn delete(&self, api: &Api, _: &Self, _: &Progress) -> Result<Deleted> {
        self.remove(api).await?;
        Ok(Deleted::Gone)
    }

    async fn release(&self, api: &Api, _: &Self, _: &Progress) -> Result<()> {
        match labels_of(api, &self.name).await? {
            Some(observed) => relabel(api, &self.name, self.labels.to_release(&observed)).await,
            None => Ok(()),
        }
    }
}
