//! Which events go where (Event Grid REST API, "Event Subscriptions - Create Or Update").

use serde::Serialize;
use serde_json::{Value, json};

use crate::providers::azure::spelling::{flag, number, same};
use crate::text::clean;

/// How often Event Grid tries to deliver an event, and for how long, in minutes: its own defaults, which are
/// also the most it allows, set explicitly (Z20).
const ATTEMPTS: i64 = 30;
const TRIES_FOR: i64 = 1440;
/// The time to live of a message where none is set, in seconds.
const USUAL_TTL: i64 = 7 * 24 * 3600;
/// The longest text of a value that is shown.
const SHOWN: usize = 60;

/// The type of the event of a new blob.
const CREATED: &str = "Microsoft.Storage.BlobCreated";

/// The fields that a [`Shape`] has; a prefix covers all below it.
const KNOWN: &[&str] = &[
    "deadLetterDestination.endpointType",
    "deadLetterDestination.properties.blobContainerName",
    "deadLetterDestination.properties.resourceId",
    "destination.endpointType",
    "destination.properties.queueMessageTimeToLiveInSeconds",
    "destination.properties.queueName",
    "destination.properties.resourceId",
    "eventDeliverySchema",
    "expirationTimeUtc",
    "filter.includedEventTypes",
    "filter.isSubjectCaseSensitive",
    "filter.subjectBeginsWith",
    "labels",
    "provisioningState",
    "retryPolicy.eventTimeToLiveInMinutes",
    "retryPolicy.maxDeliveryAttempts",
    "topic",
];

/// What an event subscription does.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Shape {
    /// The account of the queue, an ARM id.
    pub destination: String,
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
    /// The container of the events that could not be delivered, with its account if that is another one;
    /// without one they are dropped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dead_letter: Option<String>,
    /// When it ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// What else is set, by name: additional filters, identities, properties of the delivery.
    pub beyond: Vec<String>,
    /// Whether a longer time to live is as good: it is, unless the user has named one.
    #[serde(skip)]
    pub longer_is_kept: bool,
}

impl Shape {
    /// What the subjects of all blobs of `container` begin with.
    pub(crate) fn subjects(container: &str) -> String {
        format!("/blobServices/default/containers/{container}/blobs/")
    }

    /// New blobs of `container` to `queue` of `account`, an ARM id, where they wait for `ttl` seconds.
    pub(crate) fn new(
        account: &str,
        container: &str,
        queue: &str,
        ttl: i64,
        dead_letter: Option<String>,
    ) -> Self {
        Self {
            destination: account.to_owned(),
            queue: queue.to_owned(),
            subject_begins_with: Self::subjects(container),
            event_types: vec![CREATED.to_owned()],
            case_sensitive: false,
            schema: "EventGridSchema".to_owned(),
            message_ttl_seconds: ttl,
            delivery_attempts: ATTEMPTS,
            event_ttl_minutes: TRIES_FOR,
            dead_letter,
            expires: None,
            beyond: vec![],
            longer_is_kept: false,
        }
    }

    /// As `properties` have it, next to what is `wanted`.
    pub(crate) fn observed(properties: &Value, wanted: &Self) -> Self {
        let text = |value: &Value| clean(value.as_str().unwrap_or_default());
        let like = |value: &Value, wanted: &str| same(text(value), wanted);
        let (filter, retry) = (&properties["filter"], &properties["retryPolicy"]);
        let destination = &properties["destination"]["properties"];
        let types = filter["includedEventTypes"].as_array().into_iter().flatten();
        let dead = &properties["deadLetterDestination"]["properties"];
        let dead_letter = dead["blobContainerName"].as_str().map(|container| {
            let account = like(&dead["resourceId"], &wanted.destination);
            if account == wanted.destination {
                clean(container)
            } else {
                format!("{account}/{}", clean(container))
            }
        });
        let mut beyond = vec![];
        let endpoint = like(&properties["destination"]["endpointType"], "StorageQueue");
        if endpoint != "StorageQueue" {
            beyond.push(format!("destination {endpoint}"));
        }
        collect(properties, "", &mut beyond);
        let ttl = Self::ttl(properties);
        Self {
            destination: like(&destination["resourceId"], &wanted.destination),
            queue: text(&destination["queueName"]),
            subject_begins_with: like(&filter["subjectBeginsWith"], &wanted.subject_begins_with),
            event_types: types.map(|kind| like(kind, CREATED)).collect(),
            case_sensitive: flag(&filter["isSubjectCaseSensitive"]).unwrap_or(false),
            schema: like(&properties["eventDeliverySchema"], &wanted.schema),
            message_ttl_seconds: if wanted.keeps(ttl) { wanted.message_ttl_seconds } else { ttl },
            delivery_attempts: number(&retry["maxDeliveryAttempts"]).unwrap_or(ATTEMPTS),
            event_ttl_minutes: number(&retry["eventTimeToLiveInMinutes"]).unwrap_or(TRIES_FOR),
            dead_letter,
            expires: properties["expirationTimeUtc"].as_str().filter(|end| !is_endless(end)).map(clean),
            beyond,
            longer_is_kept: wanted.longer_is_kept,
        }
    }

    fn ttl(properties: &Value) -> i64 {
        number(&properties["destination"]["properties"]["queueMessageTimeToLiveInSeconds"])
            .unwrap_or(USUAL_TTL)
    }

    /// Whether `ttl` is longer than this one, and stays.
    fn keeps(&self, ttl: i64) -> bool {
        let longer = self.message_ttl_seconds != -1 && (ttl == -1 || ttl > self.message_ttl_seconds);
        self.longer_is_kept && longer
    }

    /// The request body, with `labels`, where `before` are the properties that it replaces.
    pub(crate) fn body(&self, before: &Value, labels: Vec<String>) -> Value {
        let Self {
            destination,
            queue,
            subject_begins_with,
            event_types,
            case_sensitive,
            schema,
            message_ttl_seconds,
            delivery_attempts,
            event_ttl_minutes,
            dead_letter,
            expires: _,
            beyond: _,
            longer_is_kept: _,
        } = self;
        let ttl = Some(Self::ttl(before)).filter(|ttl| before.is_object() && self.keeps(*ttl));
        let mut properties = json!({
            "destination": {
                "endpointType": "StorageQueue",
                "properties": {
                    "resourceId": destination,
                    "queueName": queue,
                    "queueMessageTimeToLiveInSeconds": ttl.unwrap_or(*message_ttl_seconds),
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
                "properties": {"resourceId": destination, "blobContainerName": container},
            });
        }
        json!({"properties": properties})
    }

    /// Whether `other`, another event subscription of the account, sends to the same queue.
    pub(crate) fn shares_queue(&self, other: &Value) -> bool {
        let destination = &other["properties"]["destination"];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        same(text(&destination["endpointType"]), "StorageQueue") == "StorageQueue"
            && text(&destination["properties"]["queueName"]) == self.queue
            && same(text(&destination["properties"]["resourceId"]), &self.destination) == self.destination
    }

    /// Whether `other` sends every event that this one sends, to the same queue and in the same form.
    pub(crate) fn is_covered_by(&self, other: &Value) -> bool {
        let properties = &other["properties"];
        let theirs = Self::observed(properties, self);
        let begins = theirs.subject_begins_with.to_ascii_lowercase();
        let covers_subject = self.subject_begins_with.to_ascii_lowercase().starts_with(&begins)
            && (!theirs.case_sensitive || self.subject_begins_with.starts_with(&theirs.subject_begins_with));
        let types = &theirs.event_types;
        let covers_type = types.is_empty() || types.iter().any(|kind| kind == CREATED || kind == "All");
        let narrowed = theirs.beyond.iter().any(|name| name.starts_with("filter."));
        self.shares_queue(other)
            && state(properties) == super::SUCCEEDED
            && theirs.schema == self.schema
            && covers_subject
            && covers_type
            && !narrowed
    }
}

/// The names of the fields in `value` that a [`Shape`] does not have and that are set.
fn collect(value: &Value, path: &str, beyond: &mut Vec<String>) {
    if KNOWN.contains(&path) || is_unset(value) {
        return;
    }
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                collect(field, &path, beyond);
            }
        }
        value => {
            let text: String = value.to_string().chars().take(SHOWN).collect();
            beyond.push(clean(&format!("{path} {text}")));
        }
    }
}

fn is_unset(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Array(all) => all.is_empty(),
        Value::Object(all) => all.is_empty(),
        _ => false,
    }
}

/// Whether an expiration is .NET's last moment, by which some clients write none.
fn is_endless(end: &str) -> bool {
    end.is_empty() || end.starts_with("9999-12-31")
}

/// How far Event Grid is, by `properties`.
pub(super) fn state(properties: &Value) -> String {
    let state = clean(properties["provisioningState"].as_str().unwrap_or(super::SUCCEEDED));
    super::STATES.iter().fold(state, |state, known| same(state, known))
}

/// What an event subscription of others does besides, one finding each.
pub(super) fn remarks(theirs: &Shape, name: &str) -> Vec<String> {
    let mut remarks = vec![];
    if let Some(end) = &theirs.expires {
        remarks.push(format!("{name} expires at {end}, after which no event arrives"));
    }
    if theirs.message_ttl_seconds != -1 && theirs.message_ttl_seconds < USUAL_TTL {
        let seconds = theirs.message_ttl_seconds;
        remarks.push(format!("{name} keeps a message in the queue for only {seconds} seconds"));
    }
    remarks
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::outside;

    const ACCOUNT: &str = "/subscriptions/s/x";

    fn shape() -> Shape {
        Shape::new(ACCOUNT, "wandb", "uploads", 604_800, Some("dead".to_owned()))
    }

    fn fields(shape: &Shape) -> Value {
        json!(shape)
    }

    fn body() -> Value {
        shape().body(&Value::Null, vec!["wbstore:acme".to_owned()])
    }

    #[test]
    fn what_is_written_reads_back_as_wanted() {
        let body = body();
        assert_eq!(fields(&Shape::observed(&body["properties"], &shape())), fields(&shape()));
        assert_eq!(body["properties"]["labels"], json!(["wbstore:acme"]));
    }

    #[test]
    fn the_filter_ends_with_a_slash_so_that_a_sibling_stays_out() {
        let subject = shape().subject_begins_with;
        assert_eq!(subject, "/blobServices/default/containers/wandb/blobs/");
        assert!(!"/blobServices/default/containers/wandb2/blobs/x".starts_with(&subject));
    }

    #[test]
    fn each_field_is_drift() {
        for (path, value) in [
            ("/properties/filter/includedEventTypes", Value::Null),
            ("/properties/filter/isSubjectCaseSensitive", json!(true)),
            ("/properties/filter/subjectBeginsWith", json!("/blobServices/default/containers/wandb")),
            ("/properties/destination/properties/queueMessageTimeToLiveInSeconds", json!(60)),
            ("/properties/destination/properties/queueName", json!("other")),
            ("/properties/destination/properties/resourceId", json!("/subscriptions/s/y")),
            ("/properties/destination/endpointType", json!("WebHook")),
            ("/properties/eventDeliverySchema", json!("CloudEventSchemaV1_0")),
            ("/properties/retryPolicy/maxDeliveryAttempts", json!(1)),
            ("/properties/deadLetterDestination", Value::Null),
            ("/properties/deadLetterDestination/properties/resourceId", json!("/subscriptions/s/y")),
        ] {
            let mut changed = body();
            *changed.pointer_mut(path).unwrap() = value;
            let observed = Shape::observed(&changed["properties"], &shape());
            assert_ne!(fields(&observed), fields(&shape()), "{path}");
        }
        for (name, value, shown) in [
            ("expirationTimeUtc", json!("2027-01-01T00:00:00Z"), "2027-01-01T00:00:00Z"),
            (
                "deliveryWithResourceIdentity",
                json!({"identity": {"type": "SystemAssigned"}}),
                "SystemAssigned",
            ),
            ("unheardOf", json!(5), "unheardOf 5"),
        ] {
            let mut changed = body();
            changed["properties"][name] = value;
            let observed = fields(&Shape::observed(&changed["properties"], &shape())).to_string();
            assert!(observed.contains(shown), "{observed}");
        }
        for (name, value) in [("subjectEndsWith", json!(".txt")), ("advancedFilters", json!([{"key": "x"}]))]
        {
            let mut changed = body();
            changed["properties"]["filter"][name] = value;
            let beyond = Shape::observed(&changed["properties"], &shape()).beyond;
            assert!(beyond[0].starts_with(&format!("filter.{name} ")), "{beyond:?}");
        }
    }

    #[test]
    fn one_value_may_be_spelled_in_several_ways() {
        let mut other = body();
        for (path, value) in [
            ("/properties/filter/includedEventTypes", json!(["microsoft.storage.blobcreated"])),
            ("/properties/filter/isSubjectCaseSensitive", json!("False")),
            ("/properties/destination/properties/queueMessageTimeToLiveInSeconds", json!("604800")),
            ("/properties/destination/properties/resourceId", json!("/Subscriptions/S/X")),
            ("/properties/destination/endpointType", json!("storagequeue")),
            ("/properties/eventDeliverySchema", json!("eventgridschema")),
        ] {
            *other.pointer_mut(path).unwrap() = value;
        }
        other["properties"]["expirationTimeUtc"] = json!("9999-12-31T23:59:59Z");
        assert_eq!(fields(&Shape::observed(&other["properties"], &shape())), fields(&shape()));
        for state_of in ["succeeded", "SUCCEEDED"] {
            assert_eq!(state(&json!({"provisioningState": state_of})), "Succeeded");
        }
    }

    #[test]
    fn a_longer_time_to_live_stays_unless_another_was_named() {
        let mut longer = body();
        for ttl in [-1, 2_000_000] {
            longer["properties"]["destination"]["properties"]["queueMessageTimeToLiveInSeconds"] = json!(ttl);
            let properties = &longer["properties"];
            let usual = Shape { longer_is_kept: true, ..shape() };
            assert_eq!(fields(&Shape::observed(properties, &usual)), fields(&usual));
            assert_eq!(Shape::ttl(&usual.body(properties, vec![])["properties"]), ttl);
            assert_ne!(fields(&Shape::observed(properties, &shape())), fields(&shape()));
            assert_eq!(Shape::ttl(&shape().body(properties, vec![])["properties"]), 604_800);
        }
    }

    #[test]
    fn another_one_covers_it_only_with_all_its_events() {
        let covers = |name: &str, value: Value| {
            let mut other = body();
            if let Some(field) = other.pointer_mut(name) {
                *field = value;
            } else {
                other["properties"]["filter"][name] = value;
            }
            shape().is_covered_by(&other)
        };
        for (name, value) in [
            ("/properties/filter/subjectBeginsWith", json!("")),
            ("/properties/filter/subjectBeginsWith", json!("/BLOBSERVICES/default/containers/wandb")),
            ("/properties/filter/includedEventTypes", Value::Null),
            ("/properties/filter/includedEventTypes", json!(["All"])),
            ("/properties/deadLetterDestination", Value::Null),
            ("/properties/destination/properties/queueMessageTimeToLiveInSeconds", json!(60)),
        ] {
            assert!(covers(name, value.clone()), "{name} {value}");
        }
        for (name, value) in [
            ("/properties/filter/subjectBeginsWith", json!("/blobServices/default/containers/wandb/blobs/x")),
            ("/properties/filter/includedEventTypes", json!(["Microsoft.Storage.BlobDeleted"])),
            ("/properties/destination/properties/queueName", json!("other")),
            ("/properties/destination/properties/resourceId", json!("/subscriptions/s/y")),
            ("/properties/eventDeliverySchema", json!("CloudEventSchemaV1_0")),
            ("subjectEndsWith", json!(".txt")),
            ("advancedFilters", json!([{"key": "data.contentLength"}])),
        ] {
            assert!(!covers(name, value.clone()), "{name} {value}");
        }
    }

    proptest! {
        #[test]
        fn what_others_made_of_it_is_seen(place in 0_usize..24, with in outside::json(&["properties", "filter", "Succeeded"])) {
            let changed = outside::changed(&body(), place, &with);
            let observed = Shape::observed(&changed["properties"], &shape());
            let _ = (shape().is_covered_by(&changed), shape().shares_queue(&changed), fields(&observed));
            // Writing it once puts everything in order.
            let again = shape().body(&changed["properties"], vec![]);
            prop_assert_eq!(fields(&Shape::observed(&again["properties"], &shape())), fields(&shape()));
        }
    }
}
