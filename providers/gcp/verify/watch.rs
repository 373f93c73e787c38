//! A subscription for the time of a check, through which only the events of its probes come. The server's
//! own is left alone: whatever were pulled from it would be lost to the server (G26).

use google_cloud_pubsub::model::{ExpirationPolicy, Subscription};
use google_cloud_pubsub::subscriber::MessageStream;
use google_cloud_wkt::Duration;

use super::Target;
use crate::error::Result;
use crate::inventory::PROBE;
use crate::mark::{DEPLOYMENT, ROLE};
use crate::providers::gcp::failure::{Refusal, failure, is_not_found};
use crate::providers::gcp::mark::LABELS;
use crate::providers::gcp::pubsub_name::TopicName;
use crate::providers::gcp::session::Api;

/// The least there is: should we vanish, it deletes itself after a day without a reader (Pub/Sub REST
/// reference, "ExpirationPolicy").
const EXPIRES_AFTER: i64 = 24 * 60 * 60;
/// The least there is, ten minutes (Pub/Sub REST reference, "Subscription.messageRetentionDuration").
const KEPT_FOR: i64 = 600;

/// The subscription of one check.
pub struct Watch<'a> {
    api: &'a Api,
    name: String,
    topic: String,
    filter: String,
    deployment: String,
    begun: bool,
}

impl<'a> Watch<'a> {
    /// A subscription to what `topic` tells of objects below `prefix`, not made yet.
    pub fn new(api: &'a Api, target: &Target, topic: &TopicName, prefix: &str) -> Self {
        let deployment = target.deployment.to_string();
        Self {
            api,
            name: format!("wbstore-verify-{deployment}-{:08x}", fastrand::u32(..)),
            topic: api.topic_name(topic.as_str()),
            filter: filter(prefix),
            deployment,
            begun: false,
        }
    }

    /// Makes it. What is published from now on comes through it.
    ///
    /// # Errors
    /// Those of the cloud.
    pub async fn begin(&mut self) -> Result<()> {
        let (deployment, role) = (LABELS.key(DEPLOYMENT), LABELS.key(ROLE));
        let labels = [(deployment, self.deployment.as_str()), (role, PROBE)];
        let request = Subscription::new()
            .set_name(self.full_name())
            .set_topic(&self.topic)
            .set_filter(&self.filter)
            .set_ack_deadline_seconds(10)
            .set_message_retention_duration(Duration::clamp(KEPT_FOR, 0))
            .set_expiration_policy(ExpirationPolicy::new().set_ttl(Duration::clamp(EXPIRES_AFTER, 0)))
            .set_labels(labels);
        // It is to be removed from now on, whatever becomes of the answer.
        self.begun = true;
        match self.api.subscriptions().await?.create_subscription().with_request(request).send().await {
            Ok(_) => Ok(()),
            // The name is ours alone: the call was repeated after its answer was lost.
            Err(error) if Refusal::of(&error).is_some_and(|refusal| refusal.is_taken()) => Ok(()),
            Err(error) => Err(failure(
                &error,
                "pubsub.subscriptions.create",
                format!("subscription {} of {}", self.name, self.topic),
            )),
        }
    }

    /// The messages that come.
    ///
    /// # Errors
    /// When the client cannot be built.
    pub async fn messages(&self) -> Result<MessageStream> {
        Ok(self.api.subscriber().await?.subscribe(self.full_name()).build())
    }

    /// A failure to receive, explained.
    pub fn failure(&self, error: &google_cloud_pubsub::Error) -> crate::error::Error {
        failure(error, "pubsub.subscriptions.consume", format!("subscription {}", self.name))
    }

    /// Removes it. Gone is done.
    ///
    /// # Errors
    /// Those of the cloud.
    pub async fn remove(&mut self) -> Result<()> {
        if !std::mem::take(&mut self.begun) {
            return Ok(());
        }
        let call = self.api.subscriptions().await?.delete_subscription();
        match call.set_subscription(self.full_name()).send().await {
            Err(error) if !is_not_found(&error) => {
                Err(failure(&error, "pubsub.subscriptions.delete", format!("subscription {}", self.name)))
            }
            _ => Ok(()),
        }
    }

    fn full_name(&self) -> String {
        self.api.subscription_name(&self.name)
    }
}

/// The filter for objects whose names begin with `prefix` (Pub/Sub documentation, "Filter messages from
/// a subscription").
fn filter(prefix: &str) -> String {
    let quoted = prefix.replace('\\', r"\\").replace('"', "\\\"");
    format!("hasPrefix(attributes.objectId, \"{quoted}\")")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::gcp::iam::PROBE_PREFIX;

    #[test]
    fn only_probes_come_through() {
        assert_eq!(filter(PROBE_PREFIX), r#"hasPrefix(attributes.objectId, ".wbstore-probe/")"#);
        assert_eq!(filter(r#"a"b\"#), r#"hasPrefix(attributes.objectId, "a\"b\\")"#);
        assert!(filter(&format!("{PROBE_PREFIX}{:016x}/", u64::MAX)).len() <= 256);
    }
}
