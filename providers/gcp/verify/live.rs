//! The subscription that the server reads from: looked at, and never pulled from. What verify took out
//! of it the server would miss (G26).

use google_cloud_pubsub::model::Subscription;

use super::{failed, passed};
use crate::error::{Kind, Result};
use crate::provider::Verdict;
use crate::providers::gcp::failure::{failure, is_not_found};
use crate::providers::gcp::pubsub_name::{SubscriptionName, TopicName};
use crate::providers::gcp::session::Api;
use crate::text::clean;

const DAY: i64 = 24 * 60 * 60;

/// Checks that messages of `topic` reach `subscription`, wait there for a reader who pulls, and that it
/// does not delete itself.
///
/// # Errors
/// Without credentials; what else keeps it from being looked at is a verdict.
pub async fn check(api: &Api, topic: &TopicName, subscription: &SubscriptionName) -> Result<Verdict> {
    let name = subscription.as_str();
    let call = api.subscriptions().await?.get_subscription();
    match call.set_subscription(api.subscription_name(name)).send().await {
        Ok(found) => Ok(judge(&found, &api.topic_name(topic.as_str()))),
        Err(error) if is_not_found(&error) => {
            Ok(failed(format!("the subscription {name} is not there"), "`wbstore provision gcp` makes it"))
        }
        Err(error) => {
            let error = failure(&error, "pubsub.subscriptions.get", format!("subscription {name}"));
            if error.kind() == Kind::Credentials { Err(error) } else { Ok(super::refused(&error, false)) }
        }
    }
}

fn judge(found: &Subscription, topic: &str) -> Verdict {
    const MEND: &str = "run `wbstore plan gcp` to see the difference, and `wbstore provision gcp` to mend it";
    let sends = [
        (
            found.push_config.as_ref().is_some_and(|push| !push.push_endpoint.is_empty()),
            "pushes to an endpoint",
        ),
        (found.bigquery_config.is_some(), "writes to BigQuery"),
        (found.cloud_storage_config.is_some(), "writes to Cloud Storage"),
        (found.bigtable_config.is_some(), "writes to Bigtable"),
    ];
    if found.detached || found.topic == "_deleted-topic_" {
        return failed("it is attached to no topic any more, and no event reaches it", MEND);
    }
    if found.topic != topic {
        return failed(format!("it is attached to another topic, {}", clean(&found.topic)), MEND);
    }
    if let Some((_, what)) = sends.into_iter().find(|(set, _)| *set) {
        return failed(format!("it {what}, so that the server finds nothing to pull"), MEND);
    }
    if !found.filter.is_empty() {
        return failed(format!("it takes only messages that fit the filter {}", clean(&found.filter)), MEND);
    }
    // Without a policy the default holds, and one without an end means never (Pub/Sub REST reference,
    // "ExpirationPolicy"; G12).
    let unused = match &found.expiration_policy {
        Some(policy) => policy.ttl.as_ref().map(|ttl| ttl.seconds() / DAY),
        None => Some(31),
    };
    match unused {
        Some(days) => failed(format!("it deletes itself after {days} days without a reader"), MEND),
        None => passed("attached to the topic, for a reader who pulls, and without an end"),
    }
}

#[cfg(test)]
mod tests {
    use google_cloud_pubsub::model::{ExpirationPolicy, PushConfig};
    use google_cloud_wkt::Duration;

    use super::*;

    const TOPIC: &str = "projects/acme/topics/wbstore-acme";

    fn good() -> Subscription {
        Subscription::new().set_topic(TOPIC).set_expiration_policy(ExpirationPolicy::new())
    }

    fn reason(found: Subscription) -> String {
        match judge(&found, TOPIC) {
            Verdict::Failed { reason, .. } => reason,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_the_server_can_read_for_ever_is_right() {
        assert!(matches!(judge(&good(), TOPIC), Verdict::Passed { .. }));
    }

    #[test]
    fn whatever_keeps_messages_from_the_server_is_told() {
        assert!(reason(good().set_topic("_deleted-topic_")).contains("no topic"));
        assert!(reason(good().set_detached(true)).contains("no topic"));
        assert!(
            reason(good().set_topic("projects/x/topics/y")).contains("another topic, projects/x/topics/y")
        );
        let push = PushConfig::new().set_push_endpoint("https://example.com");
        assert!(reason(good().set_push_config(push)).contains("pushes"));
        assert!(matches!(judge(&good().set_push_config(PushConfig::new()), TOPIC), Verdict::Passed { .. }));
        assert!(reason(good().set_filter("attributes:x")).contains("attributes:x"));
        let month = ExpirationPolicy::new().set_ttl(Duration::clamp(31 * DAY, 0));
        assert!(reason(good().set_expiration_policy(month)).contains("31 days"));
        assert!(reason(good().set_or_clear_expiration_policy(None::<ExpirationPolicy>)).contains("31 days"));
    }
}
