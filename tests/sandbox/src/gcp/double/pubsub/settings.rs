//! Which settings a subscription may have, and those it has when nothing is said:
//! <https://cloud.google.com/pubsub/docs/reference/rest/v1/projects.subscriptions#Subscription>.

use serde_json::{Map, Value, json};

use super::super::labels;
use super::super::refusal::{Answer, Refusal};
use super::filter::Filter;

const DAY: i64 = 24 * 60 * 60;

pub(super) type Settings = Map<String, Value>;

/// What can be said when a topic is made.
pub(super) const OF_TOPIC: &[&str] =
    &["labels", "kmsKeyName", "messageRetentionDuration", "messageStoragePolicy", "schemaSettings"];
/// What can be said of it later.
pub(super) const OF_TOPIC_LATER: &[&str] = &["labels", "messageRetentionDuration", "messageStoragePolicy"];
/// What can be said when a subscription is made.
pub(super) const OF_SUBSCRIPTION: &[&str] = &[
    "ackDeadlineSeconds",
    "deadLetterPolicy",
    "enableExactlyOnceDelivery",
    "enableMessageOrdering",
    "expirationPolicy",
    "filter",
    "labels",
    "messageRetentionDuration",
    "pushConfig",
    "retainAckedMessages",
    "retryPolicy",
    "topic",
];
/// What can be said of it later.
pub(super) const OF_SUBSCRIPTION_LATER: &[&str] = &[
    "ackDeadlineSeconds",
    "deadLetterPolicy",
    "enableExactlyOnceDelivery",
    "expirationPolicy",
    "labels",
    "messageRetentionDuration",
    "pushConfig",
    "retainAckedMessages",
    "retryPolicy",
];

/// Takes over what is known, and leaves out what says nothing.
pub(super) fn chosen(body: &Value, known: &[&str]) -> Settings {
    let says = |value: &Value| !matches!(value, Value::Null) && *value != json!("") && *value != json!(false);
    let known = known.iter().filter_map(|key| Some(((*key).to_owned(), body.get(*key)?.clone())));
    known
        .filter(|(_, value)| says(value))
        .filter(|(key, value)| key != "labels" || *value != json!({}))
        .collect()
}

/// The field names of an update mask, which may be written in either way.
pub(super) fn mask(body: &Value, known: &[&str], what: &str) -> Answer<Vec<String>> {
    let mask = body["updateMask"].as_str().unwrap_or_default();
    let fields: Vec<_> =
        mask.split(',').map(str::trim).filter(|field| !field.is_empty()).map(camel).collect();
    if fields.is_empty() {
        return Err(Refusal::invalid(format!(
            "The update_mask in the Update{what}Request must be set, and must contain a non-empty paths list."
        )));
    }
    match fields.iter().find(|field| !known.contains(&field.as_str())) {
        Some(field) => Err(Refusal::invalid(format!(
            "Invalid update_mask provided in the Update{what}Request: the '{field}' field in the {what} is not \
             mutable."
        ))),
        None => Ok(fields),
    }
}

fn camel(field: &str) -> String {
    let mut words = field.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| {
        let (head, tail) = word.split_at(word.len().min(1));
        name + &head.to_uppercase() + tail
    })
}

/// Refuses labels that cannot be.
pub(super) fn check_labels(settings: &Settings) -> Answer<()> {
    let Some(labels) = settings.get("labels") else { return Ok(()) };
    let labels = labels.as_object().ok_or_else(|| Refusal::invalid("Invalid labels"))?;
    let pairs: Vec<_> =
        labels.iter().map(|(key, value)| (key.as_str(), value.as_str().unwrap_or(" "))).collect();
    labels::check(pairs.into_iter())
}

/// Completes a subscription's settings, and refuses those that cannot be.
pub(super) fn complete(settings: &mut Settings) -> Answer<()> {
    check_labels(settings)?;
    let deadline = settings.get("ackDeadlineSeconds").and_then(Value::as_i64).unwrap_or_default();
    if deadline != 0 && !(10..=600).contains(&deadline) {
        return Err(Refusal::invalid(format!(
            "Invalid ack deadline given (ack_deadline_seconds={deadline}). It must be between 10 and 600 seconds."
        )));
    }
    let deadline = if deadline == 0 { 10 } else { deadline };
    settings.insert("ackDeadlineSeconds".to_owned(), deadline.into());
    let retention = settings.entry("messageRetentionDuration").or_insert("604800s".into());
    let retention = seconds(retention).filter(|seconds| (600..=31 * DAY).contains(seconds));
    let retention = retention.ok_or_else(|| {
        Refusal::invalid("Invalid message_retention_duration: it must be between 10 minutes and 31 days.")
    })?;
    let expiration = settings.entry("expirationPolicy").or_insert_with(|| json!({"ttl": "2678400s"}));
    if let Some(ttl) = expiration.get("ttl") {
        // A policy without a time to live never expires.
        let long_enough = seconds(ttl).is_some_and(|ttl| ttl >= DAY && ttl >= retention);
        if !long_enough {
            return Err(Refusal::invalid(
                "Invalid expiration_policy: its ttl must be at least one day and no shorter than the message \
                 retention.",
            ));
        }
    }
    if let Some(filter) = settings.get("filter").and_then(Value::as_str)
        && (filter.len() > 256 || Filter::parse(filter).is_none())
    {
        return Err(Refusal::invalid(format!("Invalid filter given (filter={filter}).")));
    }
    settings.entry("pushConfig").or_insert_with(|| json!({}));
    settings.entry("state").or_insert("ACTIVE".into());
    Ok(())
}

/// `604800s` as a number.
fn seconds(value: &Value) -> Option<i64> {
    let text = value.as_str()?.strip_suffix('s')?;
    text.split_once('.').map_or(text, |(whole, _)| whole).parse().ok()
}
