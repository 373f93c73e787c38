//! A subscription for the time of a run, through which only the events of its probes come. The server's
//! subscription is left alone: whatever were pulled from it would be lost to the server (G26).

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::message;
use crate::error::{Error, Kind, Result};
use crate::http::Method;
use crate::inventory::PROBE;
use crate::mark::{DEPLOYMENT, ROLE};
use crate::name::DeploymentName;
use crate::providers::gcp::failure::Refusal;
use crate::providers::gcp::mark::LABELS;
use crate::providers::gcp::pubsub_name::TopicName;
use crate::providers::gcp::rest;
use crate::providers::gcp::session::Api;
use crate::retry;
use crate::verify::Message;

/// The minimum: if this process dies, the subscription expires after a day without a reader (Pub/Sub REST
/// reference, "ExpirationPolicy").
const EXPIRES_AFTER: &str = "86400s";
/// The minimum (Pub/Sub REST reference, "Subscription.messageRetentionDuration").
const KEPT_FOR: &str = "600s";
/// The most messages of one pull. There are no more than a few probes.
const BATCH: usize = 100;

/// The subscription of one run.
pub(super) struct Watch<'a> {
    api: &'a Api,
    deployment: &'a DeploymentName,
    name: String,
    topic: String,
    filter: String,
    /// The IDs of the notifications of others whose events prove as much as ours.
    sufficient: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Pulled {
    received_messages: Vec<Received>,
}

impl Pulled {
    /// The messages, whoever's notification sent them.
    pub(super) fn messages_of_any(self) -> Vec<Message> {
        let id = |received: &Received| message::sender(&received.message.attributes).to_owned();
        let all: Vec<_> = self.received_messages.iter().map(id).collect();
        self.messages("", &all)
    }

    /// The messages, of which those prove something that the notification of `deployment` sent, or one of
    /// `sufficient`.
    pub(super) fn messages(self, deployment: &str, sufficient: &[String]) -> Vec<Message> {
        let received =
            self.received_messages.into_iter().map(|Received { ack_id, delivery_attempt, message }| {
                Message {
                    says: message::read(&message.attributes, deployment, sufficient),
                    id: message.message_id,
                    handle: ack_id,
                    times: delivery_attempt,
                    ends: None,
                }
            });
        received.collect()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Received {
    ack_id: String,
    /// Counted only where there is a dead-letter topic.
    #[serde(default)]
    delivery_attempt: u64,
    message: Published,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Published {
    message_id: String,
    #[serde(default)]
    attributes: HashMap<String, String>,
}

impl<'a> Watch<'a> {
    /// A subscription to the events of objects below `prefix`, not created yet.
    pub(super) fn new(
        api: &'a Api,
        deployment: &'a DeploymentName,
        topic: &TopicName,
        prefix: &str,
        sufficient: &[String],
    ) -> Self {
        Self {
            api,
            deployment,
            name: format!("wbstore-verify-{deployment}-{:08x}", fastrand::u32(..)),
            topic: api.topic_name(topic.as_str()),
            filter: filter(prefix),
            sufficient: sufficient.to_vec(),
        }
    }

    /// Creates it. What is published from now on comes through it.
    pub(super) async fn begin(&self) -> Result<()> {
        let body = json!({
            "topic": self.topic,
            "filter": self.filter,
            "ackDeadlineSeconds": 10,
            "messageRetentionDuration": KEPT_FOR,
            "expirationPolicy": { "ttl": EXPIRES_AFTER },
            "labels": { LABELS.key(DEPLOYMENT): self.deployment, LABELS.key(ROLE): PROBE },
        });
        let create = || self.call(Method::PUT, "", Some(&body), "pubsub.subscriptions.create");
        retry::page(create).await.map(drop)
    }

    /// The next messages; none after a while without any.
    pub(super) async fn pull(&self) -> Result<Vec<Message>> {
        let body = json!({ "maxMessages": BATCH });
        let pulled = self.call(Method::POST, ":pull", Some(&body), "pubsub.subscriptions.consume").await?;
        let pulled = pulled.ok_or_else(|| {
            Error::new(
                Kind::Failed,
                format!("the temporary subscription {} was deleted meanwhile", self.name),
            )
            .hint("run `wbstore verify gcp` again; something in the project deletes subscriptions")
        })?;
        let pulled: Pulled = serde_json::from_value(pulled).map_err(|error| {
            Error::new(Kind::Transient, format!("pull from subscription {}", self.name)).because(error)
        })?;
        Ok(pulled.messages(self.deployment.as_str(), &self.sufficient))
    }

    pub(super) async fn acknowledge(&self, handles: &[String]) -> Result<()> {
        let body = json!({ "ackIds": handles });
        self.call(Method::POST, ":acknowledge", Some(&body), "pubsub.subscriptions.consume").await.map(drop)
    }

    /// Removes it. Gone is done.
    pub(super) async fn remove(&self) -> Result<()> {
        let delete = || self.call(Method::DELETE, "", None, "pubsub.subscriptions.delete");
        let removed = retry::page(delete).await;
        removed
            .map(drop)
            .map_err(|error| error.context("the temporary subscription was not deleted and expires in a day"))
    }

    /// The response; `None` if the subscription does not exist, or already exists.
    async fn call(
        &self,
        method: Method,
        verb: &str,
        body: Option<&Value>,
        permission: &str,
    ) -> Result<Option<Value>> {
        let path = format!("/v1/{}{verb}", self.api.subscription_name(&self.name));
        let creates = method == Method::PUT;
        let answer = self.api.pubsub().await?.send(method, &path, body).await?;
        match Refusal::of_answer(&answer) {
            // Only this run uses the name: the call was retried after its response was lost.
            Some(refusal) if creates && refusal.is_taken() => Ok(None),
            Some(refusal) if !creates && refusal.is_not_found() => Ok(None),
            _ => rest::read(&answer, permission, format!("subscription {}", self.name)).map(Some),
        }
    }
}

/// The filter for objects whose names begin with `prefix` (Pub/Sub documentation, "Filter messages from a
/// subscription").
fn filter(prefix: &str) -> String {
    let quoted = prefix.replace('\\', r"\\").replace('"', "\\\"");
    format!("hasPrefix(attributes.objectId, \"{quoted}\")")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::PROBE_PREFIX;

    #[test]
    fn only_probes_come_through() {
        assert_eq!(filter(PROBE_PREFIX), r#"hasPrefix(attributes.objectId, ".wbstore-probe/")"#);
        assert_eq!(filter(r#"a"b\"#), r#"hasPrefix(attributes.objectId, "a\"b\\")"#);
        assert!(filter(&format!("{PROBE_PREFIX}{:016x}/", u64::MAX)).len() <= 256);
    }
}
