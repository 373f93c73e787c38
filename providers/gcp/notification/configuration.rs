//! Notification configurations in the form of the JSON API, and its error responses.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::providers::gcp::failure::Refusal;
use crate::text::clean;

/// A configuration as the JSON API has it (`Notifications` resource).
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct Configuration {
    pub(super) id: String,
    pub(super) topic: String,
    pub(super) event_types: Vec<String>,
    pub(super) payload_format: String,
    pub(super) object_name_prefix: String,
    pub(super) custom_attributes: BTreeMap<String, String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Listing {
    pub(super) items: Vec<Configuration>,
}

impl Configuration {
    /// Ids are numbers that count up, written as text.
    pub(super) fn age(&self) -> (usize, &str) {
        (self.id.len(), &self.id)
    }

    pub(super) fn events(&self) -> Vec<String> {
        let mut events = self.event_types.clone();
        events.sort();
        if events.is_empty() { vec!["all".to_owned()] } else { events }
    }

    /// Whether it sends events of the type `event`.
    pub(super) fn is_of(&self, event: &str) -> bool {
        self.event_types.is_empty() || self.event_types.iter().any(|one| one == event)
    }

    /// Its full name, where its ID is one of Cloud Storage's numbers.
    pub(super) fn path(&self, bucket: &str) -> Option<String> {
        let is_number = !self.id.is_empty() && self.id.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| format!("projects/_/buckets/{bucket}/notificationConfigs/{}", self.id))
    }

    pub(super) fn describe(&self) -> String {
        let topic = self.topic.trim_start_matches("//pubsub.googleapis.com/");
        format!(
            "notification {} to {} for {}",
            clean(&self.id),
            clean(topic),
            clean(&self.events().join(", "))
        )
    }
}

/// The two errors that Cloud Storage returns while the topic, or its own permission to publish there, has not
/// propagated (G2): a 403 and a 400.
pub(super) fn is_unheard_of(refusal: &Refusal) -> bool {
    let words = refusal.message.to_lowercase();
    let publish = words.contains("permission to publish");
    let topic = words.contains("topic not found") || words.contains("topic does not exist");
    matches!(refusal.http, 400 | 403) && (publish || topic)
}
