//! The subscription that the server reads its events from.

use serde::Serialize;
use serde_json::{Value, json};

use crate::error::Result;
use crate::event::Progress;
use crate::expiry::Voucher;
use crate::mark::{Entries, Marking, entries};
use crate::providers::gcp::mark;
use crate::providers::gcp::pubsub;
use crate::providers::gcp::session::Api;
use crate::providers::gcp::topic::Topic;
use crate::resource::{Address, Deleted, Forbids, Owner, Resource, Seen};
use crate::span::Span;
use crate::text::clean;

/// What Pub/Sub shows as the topic of a subscription whose topic was deleted (RPC reference,
/// `Subscription.topic`). A new topic of the old name does not bring it back (G14).
pub(crate) const DELETED_TOPIC: &str = "_deleted-topic_";

/// How the server receives its messages.
const PULL: &str = "pull";

const DAY: i64 = 24 * 60 * 60;

/// A Pub/Sub subscription.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Subscription {
    /// Its name, without the project.
    #[serde(skip)]
    pub name: String,
    /// The service account that is granted access, which the creating call notes.
    #[serde(skip)]
    pub service_account: Option<String>,
    /// The full name of the topic.
    pub topic: String,
    /// Whether messages of that topic still reach it.
    pub attached: bool,
    /// How messages leave: `pull`, or where they are sent.
    pub delivery: String,
    /// The filter of its messages; all if empty.
    pub filter: Option<String>,
    /// The acknowledgement deadline, in seconds.
    pub ack_deadline_seconds: i64,
    /// How long a message is kept, in seconds.
    pub retention_seconds: i64,
    /// After how long without a reader it deletes itself: `never`, or a time such as `31d`.
    pub expires_unused: String,
    pub labels: Marking,
}

impl Subscription {
    /// The desired subscription, to the topic with the full name `topic`.
    pub(crate) fn new(name: &str, topic: String, service_account: Option<&str>, labels: Marking) -> Self {
        Self {
            name: name.to_owned(),
            service_account: service_account.map(str::to_owned),
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
    pub(crate) fn at(name: &str) -> Address {
        Address::new("gcp", "subscription", name)
    }

    async fn create(&self, api: &Api) -> Result<()> {
        let mut labels = self.labels.to_create();
        labels.extend(mark::note(mark::GRANTED, self.service_account.as_deref()));
        let settings = json!({
            "topic": self.topic,
            "labels": labels,
            "ackDeadlineSeconds": self.ack_deadline_seconds,
            "messageRetentionDuration": self.retention(),
            // Without a time to live in it this means never (REST reference, `ExpirationPolicy`).
            "expirationPolicy": {},
        });
        pubsub::create(api, &self.address(), &settings).await
    }

    fn retention(&self) -> String {
        format!("{}s", self.retention_seconds)
    }

    fn observed(&self, found: &Value, labels: &Entries) -> Self {
        let attached = is_attached(found);
        let policy = &found["expirationPolicy"];
        Self {
            topic: if attached { text(found, "topic") } else { self.topic.clone() },
            attached,
            delivery: delivery(found),
            filter: Some(text(found, "filter")).filter(|filter| !filter.is_empty()),
            // What is longer is as good, and stays (B30).
            ack_deadline_seconds: deadline(found).min(self.ack_deadline_seconds),
            retention_seconds: retention(found).min(self.retention_seconds),
            expires_unused: match seconds(&policy["ttl"]) {
                Some(seconds) if seconds % DAY == 0 => format!("{}d", seconds / DAY),
                Some(seconds) => format!("{seconds}s"),
                None if policy.is_object() => "never".to_owned(),
                // Pub/Sub always shows the policy that holds; without any it is the default of 31 days.
                None => "31d".to_owned(),
            },
            labels: self.labels.observed(labels),
            ..self.clone()
        }
    }

    async fn update(&self, api: &Api, prior: &Self, adopt: bool) -> Result<()> {
        let address = self.address();
        let observed = pubsub::labels_of(api, &address).await?.unwrap_or_default();
        let mut settings = json!({ "labels": self.labels.to_update(&observed, adopt)? });
        let mut mask = vec!["labels"];
        // A field that is in the mask without a value is reset to its default: messages are pulled (REST
        // reference, `Subscription.pushConfig`).
        for (field, differs, value) in [
            (
                "ackDeadlineSeconds",
                prior.ack_deadline_seconds != self.ack_deadline_seconds,
                json!(self.ack_deadline_seconds),
            ),
            (
                "messageRetentionDuration",
                prior.retention_seconds != self.retention_seconds,
                json!(self.retention()),
            ),
            ("expirationPolicy", prior.expires_unused != self.expires_unused, json!({})),
            (delivery_field(&prior.delivery), prior.delivery != self.delivery, Value::Null),
        ] {
            if differs {
                mask.push(field);
                settings[field] = value;
            }
        }
        pubsub::update(api, &address, &settings, &mask.join(",")).await
    }
}

fn text(found: &Value, field: &str) -> String {
    found[field].as_str().unwrap_or_default().to_owned()
}

/// `604800s`, as the API writes a length of time, in whole seconds; or a number of them.
fn seconds(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.trim_end_matches('s').split('.').next()?.parse().ok())
}

fn deadline(found: &Value) -> i64 {
    seconds(&found["ackDeadlineSeconds"]).unwrap_or_default()
}

fn retention(found: &Value) -> i64 {
    seconds(&found["messageRetentionDuration"]).unwrap_or_default()
}

/// Settings that wbstore does not write and that change what the server receives, as the API calls them.
const KEPT: [(&str, &str); 4] = [
    ("enableExactlyOnceDelivery", "it delivers exactly once"),
    ("enableMessageOrdering", "it delivers in order"),
    ("retainAckedMessages", "it keeps messages that were acknowledged"),
    ("messageTransforms", "it changes messages before they are delivered (`messageTransforms`)"),
];

/// What differs from the desired subscription and stays as it is.
fn kept(found: &Value, desired: &Subscription) -> Vec<String> {
    let is_set = |value: &Value| value == true || value.as_array().is_some_and(|list| !list.is_empty());
    let mut kept: Vec<_> =
        KEPT.iter().filter(|(field, _)| is_set(&found[*field])).map(|(_, text)| (*text).to_owned()).collect();
    let (deadline, retention) = (deadline(found), retention(found));
    if deadline > desired.ack_deadline_seconds {
        kept.push(format!("its acknowledgement deadline of {deadline}s is longer than required"));
    }
    if retention > desired.retention_seconds {
        let kept_for = Span::from_secs(u32::try_from(retention).unwrap_or(u32::MAX));
        kept.push(format!("it keeps messages for {kept_for}, which is longer than required"));
    }
    kept.into_iter().map(|text| format!("{text}; this stays")).collect()
}

/// Whether messages of its topic still reach the subscription.
pub(crate) fn is_attached(found: &Value) -> bool {
    found["topic"] != DELETED_TOPIC && found["detached"] != true
}

/// How messages leave the subscription. The address of a push may carry a token in its query, so only
/// its beginning is shown.
fn delivery(found: &Value) -> String {
    let push = found["pushConfig"]["pushEndpoint"].as_str().unwrap_or_default();
    if !push.is_empty() {
        return format!("push to {}", clean(push.split(['?', '#']).next().unwrap_or_default()));
    }
    let to = DELIVERIES.iter().find(|(_, field, _)| found[*field].is_object());
    to.map_or(PULL.to_owned(), |(word, field, member)| {
        format!("{word} {}", clean(found[*field][*member].as_str().unwrap_or_default()))
    })
}

/// The delivery types other than pull: as text, and the fields of the API.
const DELIVERIES: [(&str, &str, &str); 3] = [
    ("bigquery table", "bigqueryConfig", "table"),
    ("storage bucket", "cloudStorageConfig", "bucket"),
    ("bigtable table", "bigtableConfig", "table"),
];

/// The setting for the delivery type `delivery`.
fn delivery_field(delivery: &str) -> &'static str {
    let to = DELIVERIES.iter().find(|(word, ..)| delivery.starts_with(word));
    to.map_or("pushConfig", |(_, field, _)| field)
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
        let found = pubsub::get(api, &self.address()).await?;
        let Some(mut subscription) = found else { return Ok(Seen::absent()) };
        subscription["topic"] = json!(api.by_id(subscription["topic"].as_str().unwrap_or_default()));
        let labels = entries(&subscription["labels"]);
        let state = self.observed(&subscription, &labels);
        let (attached, delivery) = (state.attached, state.delivery.clone());
        let mut found = self.labels.seen(&labels, None, state);
        let ours = found.owner() == Some(&Owner::Ours);
        if !attached && ours {
            found.finding(
                "its topic was deleted or it was detached, so it is deleted and created again: its remaining \
                 messages are lost"
                    .to_owned(),
            );
        } else if !attached {
            found.obstacle(
                Forbids::Present,
                "its topic was deleted or it was detached, and it cannot be attached again",
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
                format!("it delivers by {delivery}, but the server pulls"),
                "choose another name with --subscription; this subscription has another use",
            );
        }
        found.remarks_mut().findings.extend(kept(&subscription, self));
        let dead_letters = &subscription["deadLetterPolicy"];
        if dead_letters.is_object() {
            found.finding(format!(
                "messages that are not acknowledged after {} attempts are sent to {}",
                dead_letters["maxDeliveryAttempts"].as_i64().unwrap_or_default(),
                clean(dead_letters["deadLetterTopic"].as_str().unwrap_or_default())
            ));
        }
        Ok(found)
    }

    async fn write(&self, api: &Api, seen: &Seen<Self>, _: &Progress) -> Result<()> {
        match seen.state() {
            None => self.create(api).await,
            Some(state) if !state.attached => {
                pubsub::delete(api, &self.address()).await?;
                self.create(api).await
            }
            Some(state) => self.update(api, state, seen.is_unmarked()).await,
        }
    }

    async fn delete(&self, api: &Api, _: &Self, _: &Progress) -> Result<Deleted> {
        pubsub::delete(api, &self.address()).await.map(|()| Deleted::Gone)
    }

    async fn release(&self, api: &Api, _: &Self, _: &Progress) -> Result<()> {
        pubsub::relabel(api, &self.address(), |observed| Ok(self.labels.to_release(&observed))).await
    }
}
