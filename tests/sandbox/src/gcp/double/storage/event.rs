//! What is published when something happens to an object:
//! <https://cloud.google.com/storage/docs/pubsub-notifications#format>.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::super::state::State;
use super::super::time;
use super::notifications;
use super::object::Object;

/// A message for one topic.
#[derive(Clone, Debug)]
pub(in super::super) struct Event {
    pub(in super::super) topic: String,
    pub(in super::super) attributes: Map<String, Value>,
    /// The object's resource as text, or nothing.
    pub(in super::super) data: String,
}

/// What happened.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Finalize { over: Option<i64> },
    MetadataUpdate,
    Delete { by: Option<i64> },
    Archive { by: Option<i64> },
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Finalize { .. } => "OBJECT_FINALIZE",
            Self::MetadataUpdate => "OBJECT_METADATA_UPDATE",
            Self::Delete { .. } => "OBJECT_DELETE",
            Self::Archive { .. } => "OBJECT_ARCHIVE",
        }
    }

    fn other(self) -> Option<(&'static str, i64)> {
        match self {
            Self::Finalize { over } => Some(("overwroteGeneration", over?)),
            Self::Delete { by } | Self::Archive { by } => Some(("overwrittenByGeneration", by?)),
            Self::MetadataUpdate => None,
        }
    }
}

/// Writes down what is to be published, if the service agent may publish it. Without the grant the
/// event is lost, as it is in the cloud after a while.
pub(super) fn happened(state: &mut State, bucket: &str, object: &Object, kind: Kind) {
    let Some(found) = state.buckets.get(bucket) else { return };
    let told = found.notifications.iter().filter(|(_, one)| one.tells(kind.name(), &object.name));
    let mut events = vec![];
    for (id, one) in told {
        if !notifications::publishes(state, &one.topic) {
            continue;
        }
        let mut attributes = one.config["custom_attributes"].as_object().cloned().unwrap_or_default();
        for (key, value) in [
            ("notificationConfig", format!("projects/_/buckets/{bucket}/notificationConfigs/{id}")),
            ("eventType", kind.name().to_owned()),
            ("payloadFormat", one.config["payload_format"].as_str().unwrap_or_default().to_owned()),
            ("bucketId", bucket.to_owned()),
            ("objectId", object.name.clone()),
            ("objectGeneration", object.generation.to_string()),
            ("eventTime", time::text(Timestamp::now())),
        ] {
            attributes.insert(key.to_owned(), value.into());
        }
        if let Some((key, generation)) = kind.other() {
            attributes.insert(key.to_owned(), generation.to_string().into());
        }
        let data = if one.has_payload() {
            object.json(bucket, "https://www.googleapis.com").to_string()
        } else {
            String::new()
        };
        events.push(Event { topic: one.topic.clone(), attributes, data });
    }
    state.events.extend(events);
}
