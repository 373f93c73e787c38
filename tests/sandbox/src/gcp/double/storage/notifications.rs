//! Notification configurations:
//! <https://cloud.google.com/storage/docs/json_api/v1/notifications>.

use serde_json::{Value, json};

use super::super::caller::Caller;
use super::super::control::Refusing;
use super::super::refusal::{Answer, Refusal};
use super::super::state::State;
use super::bucket::{find, find_mut};

const MOST: usize = 100;
/// <https://cloud.google.com/storage/docs/pubsub-notifications#limitations>
const MOST_OF_A_KIND: usize = 10;

pub(super) const KINDS: &[&str] =
    &["OBJECT_FINALIZE", "OBJECT_METADATA_UPDATE", "OBJECT_DELETE", "OBJECT_ARCHIVE"];

/// One configuration, as it was made.
#[derive(Clone, Debug)]
pub(in super::super) struct Notification {
    /// `projects/<project>/topics/<topic>`
    pub(in super::super) topic: String,
    /// What was sent, without what the cloud adds.
    pub(in super::super) config: Value,
}

impl Notification {
    /// Whether an event is one it tells of: <https://cloud.google.com/storage/docs/pubsub-notifications>.
    pub(super) fn tells(&self, kind: &str, object: &str) -> bool {
        self.is_of(kind) && object.starts_with(self.config["object_name_prefix"].as_str().unwrap_or_default())
    }

    fn is_of(&self, kind: &str) -> bool {
        let types = self.config["event_types"].as_array();
        types.is_none_or(|types| types.is_empty() || types.iter().any(|one| one == kind))
    }

    /// The object itself is in the message, or nothing is.
    pub(super) fn has_payload(&self) -> bool {
        self.config["payload_format"] == "JSON_API_V1"
    }

    fn json(&self, id: u64, bucket: &str, url: &str) -> Value {
        let mut json = self.config.clone();
        json["id"] = id.to_string().into();
        json["kind"] = "storage#notification".into();
        json["topic"] = format!("//pubsub.googleapis.com/{}", self.topic).into();
        json["selfLink"] = format!("{url}/storage/v1/b/{bucket}/notificationConfigs/{id}").into();
        json["etag"] = id.to_string().into();
        json
    }
}

/// Makes one more, whatever there is: this is never idempotent
/// (<https://cloud.google.com/storage/docs/retry-strategy#idempotency-operations>).
pub(super) fn insert(
    state: &mut State,
    caller: &Caller,
    bucket: &str,
    body: &Value,
    url: &str,
) -> Answer<Value> {
    const PERMISSION: &str = "storage.buckets.update";
    let found = find(state, caller, bucket, PERMISSION)?;
    let named = body["topic"].as_str().unwrap_or_default();
    // gcloud leaves the service out.
    let topic = named.trim_start_matches("//pubsub.googleapis.com/");
    if !matches!(topic.split('/').collect::<Vec<_>>()[..], ["projects", _, "topics", _]) {
        return Err(Refusal::invalid(format!("Invalid Google Cloud Pub/Sub topic name: {named:?}")));
    }
    if !matches!(body["payload_format"].as_str(), Some("JSON_API_V1" | "NONE")) {
        return Err(Refusal::invalid("Required").reason("required"));
    }
    let kinds: Vec<_> =
        body["event_types"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if let Some(wrong) = kinds.iter().find(|kind| !KINDS.contains(kind)) {
        return Err(Refusal::invalid(format!("Invalid event type: {wrong}")));
    }
    let attributes = body["custom_attributes"].as_object();
    if attributes.is_some_and(|all| all.iter().any(|(key, value)| key.len() > 256 || !value.is_string())) {
        return Err(Refusal::invalid("Invalid custom attributes"));
    }
    for kind in if kinds.is_empty() { KINDS } else { &kinds[..] } {
        if found.notifications.values().filter(|one| one.is_of(kind)).count() >= MOST_OF_A_KIND {
            return Err(Refusal::invalid(format!(
                "Too many overlapping notifications for event type {kind}."
            )));
        }
    }
    if found.notifications.len() >= MOST {
        return Err(Refusal::invalid("Too many notification configs on the bucket."));
    }
    reach(state, topic)?;
    let mut config = json!({"payload_format": body["payload_format"]});
    for key in ["event_types", "custom_attributes", "object_name_prefix"] {
        if !matches!(&body[key], Value::Null) {
            config[key] = body[key].clone();
        }
    }
    let notification = Notification { topic: topic.to_owned(), config };
    let found = find_mut(state, caller, bucket, PERMISSION)?;
    found.numbered += 1;
    let id = found.numbered;
    let json = notification.json(id, bucket, url);
    found.notifications.insert(id, notification);
    found.changed();
    Ok(json)
}

/// Refuses a topic that the service agent cannot publish to.
fn reach(state: &mut State, topic: &str) -> Answer<()> {
    let agent = state.project.agent();
    let granted = publishes(state, topic);
    if granted && state.switches.slow_grants == 0 {
        return Ok(());
    }
    if granted {
        state.switches.slow_grants -= 1;
    }
    Err(match state.switches.refusing {
        Refusing::Forbidden => Refusal::denied(format!(
            "The service account '{agent}' does not have permission to publish messages to to the Cloud \
             Pub/Sub topic '//pubsub.googleapis.com/{topic}', or that topic does not exist."
        )),
        Refusing::BadRequest => Refusal::invalid(format!(
            "Cloud Pub/Sub topic not found, or user does not have permission: {topic}"
        )),
    })
}

/// Whether the service agent may publish to a topic, which is there.
pub(super) fn publishes(state: &State, topic: &str) -> bool {
    let member = format!("serviceAccount:{}", state.project.agent());
    let number = format!("projects/{}/", state.project.number);
    let topic = &topic.replace(&number, &format!("projects/{}/", state.project.id));
    state
        .topics
        .get(topic)
        .is_some_and(|topic| topic.policy.lets(&state.custom_roles, &member, "pubsub.topics.publish"))
}

/// All of them, in one answer: there are no pages.
pub(super) fn list(state: &State, caller: &Caller, bucket: &str, url: &str) -> Answer<Value> {
    let found = find(state, caller, bucket, "storage.buckets.get")?;
    let items: Vec<_> = found.notifications.iter().map(|(id, one)| one.json(*id, bucket, url)).collect();
    let mut json = json!({"kind": "storage#notifications"});
    if !items.is_empty() {
        json["items"] = items.into();
    }
    Ok(json)
}

/// One of them.
pub(super) fn get(state: &State, caller: &Caller, bucket: &str, id: &str, url: &str) -> Answer<Value> {
    let found = find(state, caller, bucket, "storage.buckets.get")?;
    let number: u64 = id.parse().map_err(|_| missing(id))?;
    let one = found.notifications.get(&number).ok_or_else(|| missing(id))?;
    Ok(one.json(number, bucket, url))
}

/// Removes one.
pub(super) fn delete(state: &mut State, caller: &Caller, bucket: &str, id: &str) -> Answer<()> {
    let found = find_mut(state, caller, bucket, "storage.buckets.update")?;
    let number: u64 = id.parse().map_err(|_| missing(id))?;
    found.notifications.remove(&number).ok_or_else(|| missing(id))?;
    found.changed();
    Ok(())
}

fn missing(id: &str) -> Refusal {
    Refusal::missing(format!("Notification configuration {id} not found."))
}
