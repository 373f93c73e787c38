//! Which events go where (Event Grid REST API, "Event Subscriptions - Create Or Update").

use serde::Serialize;
use serde_json::{Value, json};

use crate::text::clean;

/// How often Event Grid tries to deliver an event, and for how long, in minutes: its own defaults, set
/// explicitly (Z20).
const ATTEMPTS: i64 = 30;
const TRIES_FOR: i64 = 1440;

/// What an event subscription does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Shape {
    /// The destination queue.
    pub queue: String,
    /// The prefix of the subjects: the blobs of one container. The slash at the end keeps out those of a
    /// container whose name begins alike (Z18).
    pub subject_begins_with: String,
    /// What has to have happened.
    pub event_types: Vec<String>,
    /// Whether upper and lower case differ in subjects.
    pub case_sensitive: bool,
    /// How an event is written.
    pub schema: String,
    /// How long an event waits in the queue, in seconds; -1 is for ever.
    pub message_ttl_seconds: i64,
    /// How often delivery is tried.
    pub delivery_attempts: i64,
    /// How long delivery is tried, in minutes.
    pub event_ttl_minutes: i64,
    /// The container of the events that could not be delivered; without one they are dropped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dead_letter: Option<String>,
    /// Additional filters and destinations, by name.
    pub beyond: Vec<String>,
}

impl Shape {
    /// What the subjects of all blobs of `container` begin with.
    pub(crate) fn subjects(container: &str) -> String {
        format!("/blobServices/default/containers/{container}/blobs/")
    }

    /// New blobs of `container` to `queue`, where they wait for `ttl` seconds.
    pub(crate) fn new(container: &str, queue: &str, ttl: i64, dead_letter: Option<String>) -> Self {
        Self {
            queue: queue.to_owned(),
            subject_begins_with: Self::subjects(container),
            event_types: vec!["Microsoft.Storage.BlobCreated".to_owned()],
            case_sensitive: false,
            schema: "EventGridSchema".to_owned(),
            message_ttl_seconds: ttl,
            delivery_attempts: ATTEMPTS,
            event_ttl_minutes: TRIES_FOR,
            dead_letter,
            beyond: vec![],
        }
    }

    /// As `properties` have it, next to what is `wanted`.
    pub(crate) fn observed(properties: &Value, wanted: &Self) -> Self {
        let text = |value: &Value| clean(value.as_str().unwrap_or_default());
        let (filter, retry) = (&properties["filter"], &properties["retryPolicy"]);
        let destination = &properties["destination"]["properties"];
        let types = filter["includedEventTypes"].as_array().into_iter().flatten();
        let begins = text(&filter["subjectBeginsWith"]);
        let mut beyond = vec![];
        if filter["subjectEndsWith"].as_str().is_some_and(|end| !end.is_empty()) {
            beyond.push("subjectEndsWith".to_owned());
        }
        if filter["advancedFilters"].as_array().is_some_and(|filters| !filters.is_empty()) {
            beyond.push("advancedFilters".to_owned());
        }
        let endpoint = text(&properties["destination"]["endpointType"]);
        if endpoint != "StorageQueue" {
            beyond.push(format!("destination {endpoint}"));
        }
        Self {
            queue: text(&destination["queueName"]),
            subject_begins_with: if begins.eq_ignore_ascii_case(&wanted.subject_begins_with) {
                wanted.subject_begins_with.clone()
            } else {
                begins
            },
            event_types: types.map(text).collect(),
            case_sensitive: filter["isSubjectCaseSensitive"].as_bool().unwrap_or(false),
            schema: text(&properties["eventDeliverySchema"]),
            message_ttl_seconds: destination["queueMessageTimeToLiveInSeconds"].as_i64().unwrap_or_default(),
            delivery_attempts: retry["maxDeliveryAttempts"].as_i64().unwrap_or(ATTEMPTS),
            event_ttl_minutes: retry["eventTimeToLiveInMinutes"].as_i64().unwrap_or(TRIES_FOR),
            dead_letter: properties["deadLetterDestination"]["properties"]["blobContainerName"]
                .as_str()
                .map(clean),
            beyond,
        }
    }

    /// The request body for `account`, an ARM id, with `labels`.
    pub(crate) fn body(&self, account: &str, labels: Vec<String>) -> Value {
        let Self {
            queue,
            subject_begins_with,
            event_types,
            case_sensitive,
            schema,
            message_ttl_seconds,
            delivery_attempts,
            event_ttl_minutes,
            dead_letter,
            beyond: _,
        } = self;
        let mut properties = json!({
            "destination": {
                "endpointType": "StorageQueue",
                "properties": {
                    "resourceId": account,
                    "queueName": queue,
                    "queueMessageTimeToLiveInSeconds": message_ttl_seconds,
                },
            },
            "filter": {
                "subjectBeginsWith": subject_begins_with,
                "includedEventTypes": event_types,
                "isSubjectCaseSensitive": case_sensitive,
            },
            "eventDeliverySchema": schema,
            "retryPolicy": {
                "maxDeliveryAttempts": delivery_attempts,
                "eventTimeToLiveInMinutes": event_ttl_minutes,
            },
            "labels": labels,
        });
        if let Some(container) = dead_letter {
            properties["deadLetterDestination"] = json!({
                "endpointType": "StorageBlob",
                "properties": {"resourceId": account, "blobContainerName": container},
            });
        }
        json!({"properties": properties})
    }

    /// Whether `other`, another event subscription of the account, sends to the same queue.
    pub(crate) fn shares_queue(&self, other: &Value) -> bool {
        let destination = &other["properties"]["destination"];
        destination["endpointType"] == "StorageQueue"
            && destination["properties"]["queueName"] == self.queue.as_str()
    }
}

/// How far Event Grid is, by `properties`.
pub(super) fn state(properties: &Value) -> String {
    clean(properties["provisioningState"].as_str().unwrap_or("Succeeded"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape() -> Shape {
        Shape::new("wandb", "uploads", 604_800, Some("dead".to_owned()))
    }

    #[test]
    fn what_is_written_reads_back_as_wanted() {
        let body = shape().body("/subscriptions/s/x", vec!["wbstore:acme".to_owned()]);
        assert_eq!(Shape::observed(&body["properties"], &shape()), shape());
        assert_eq!(body["properties"]["labels"], json!(["wbstore:acme"]));
    }

    #[test]
    fn the_filter_ends_with_a_slash_so_that_a_sibling_stays_out() {
        let subject = shape().subject_begins_with;
        assert_eq!(subject, "/blobServices/default/containers/wandb/blobs/");
        assert!(!"/blobServices/default/containers/wandb2/blobs/x".starts_with(&subject));
    }

    #[test]
    fn each_field_of_the_filter_is_drift() {
        let good = shape().body("/a", vec![]);
        for (path, value) in [
            ("/properties/filter/includedEventTypes", Value::Null),
            ("/properties/filter/isSubjectCaseSensitive", json!(true)),
            ("/properties/filter/subjectBeginsWith", json!("/blobServices/default/containers/wandb")),
            ("/properties/destination/properties/queueMessageTimeToLiveInSeconds", json!(60)),
            ("/properties/destination/properties/queueName", json!("other")),
            ("/properties/destination/endpointType", json!("WebHook")),
            ("/properties/eventDeliverySchema", json!("CloudEventSchemaV1_0")),
            ("/properties/retryPolicy/maxDeliveryAttempts", json!(1)),
            ("/properties/deadLetterDestination", Value::Null),
        ] {
            let mut changed = good.clone();
            *changed.pointer_mut(path).unwrap() = value;
            assert_ne!(Shape::observed(&changed["properties"], &shape()), shape(), "{path}");
        }
        let mut narrowed = good;
        narrowed["properties"]["filter"]["subjectEndsWith"] = json!(".txt");
        assert_eq!(Shape::observed(&narrowed["properties"], &shape()).beyond, ["subjectEndsWith"]);
    }
}
