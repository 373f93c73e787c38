//! Messages: published, pulled, acknowledged.

use std::collections::VecDeque;
use std::time::Duration;

use hyper::Method;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::super::Shared;
use super::super::caller::Caller;
use super::super::refusal::{Answer, Refusal};
use super::super::state::State;
use super::super::time;
use super::names::Name;
use super::resources::Subscription;
use super::{allow, missing};

/// How long a pull waits for a first message.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(10);

/// What waits in a subscription.
#[derive(Clone, Debug, Default)]
pub(super) struct Queue {
    waiting: VecDeque<Value>,
    leased: Vec<Lease>,
}

#[derive(Clone, Debug)]
struct Lease {
    ack_id: String,
    message: Value,
    until: Timestamp,
}

impl Queue {
    /// Takes at most `most` messages out, until they are acknowledged or `seconds` are over.
    fn take(&mut self, most: usize, seconds: i64, mut fresh: impl FnMut() -> i64) -> Vec<Value> {
        let now = Timestamp::now();
        let (late, leased) = self.leased.drain(..).partition(|lease| lease.until <= now);
        self.leased = leased;
        self.waiting.extend(Vec::into_iter(late).map(|lease: Lease| lease.message));
        let count = most.min(self.waiting.len());
        let mut received = vec![];
        for message in self.waiting.drain(..count) {
            let ack_id = format!("ack-{}", fresh());
            received.push(json!({"ackId": ack_id, "message": message}));
            self.leased.push(Lease { ack_id, message, until: time::later(now, seconds) });
        }
        received
    }
}

/// <https://cloud.google.com/pubsub/docs/reference/rest/v1/projects.topics/publish>
pub(super) async fn publish(shared: &Shared, caller: &Caller, name: &Name, body: &Value) -> Answer<Value> {
    allow(&shared.state(), caller, name, "publish")?;
    send(shared, name.as_str(), body["messages"].as_array().cloned().unwrap_or_default()).await
}

/// Publishes in nobody's name.
pub(super) async fn send(shared: &Shared, topic: &str, messages: Vec<Value>) -> Answer<Value> {
    let empty = |message: &Value| {
        let nothing = |key: &str| message[key].is_null() || message[key] == "" || message[key] == json!({});
        nothing("data") && nothing("attributes")
    };
    if messages.is_empty() || messages.iter().any(empty) {
        return Err(Refusal::invalid(
            "One or more messages in the publish request is empty. Each message must contain either non-empty \
             data, or at least one attribute.",
        ));
    }
    if !shared.state().topics.contains_key(topic) {
        let id = topic.rsplit('/').next().unwrap_or_default();
        return Err(Refusal::missing(format!("Resource not found (resource={id}).")));
    }
    if let Some(emulator) = &shared.emulator {
        let body = json!({"messages": messages});
        return emulator.ask(Method::POST, &format!("/v1/{topic}:publish"), &body).await;
    }
    let mut state = shared.state();
    let mut ids = vec![];
    for mut message in messages {
        let id = state.next().to_string();
        message["messageId"] = id.as_str().into();
        message["publishTime"] = time::text(Timestamp::now()).into();
        ids.push(id);
        for subscription in
            state.subscriptions.values_mut().filter(|one| one.topic() == topic && !one.detached)
        {
            if admits(subscription, &message) {
                subscription.queue.waiting.push_back(message.clone());
            }
        }
    }
    Ok(json!({"messageIds": ids}))
}

fn admits(subscription: &Subscription, message: &Value) -> bool {
    subscription.filter().is_none_or(|filter| filter.admits(message["attributes"].as_object()))
}

/// <https://cloud.google.com/pubsub/docs/reference/rest/v1/projects.subscriptions/pull>
pub(super) async fn pull(shared: &Shared, caller: &Caller, name: &Name, body: &Value) -> Answer<Value> {
    let most = body["maxMessages"].as_u64().and_then(|most| usize::try_from(most).ok()).unwrap_or_default();
    if most == 0 {
        return Err(Refusal::invalid("The value for max_messages is too small. It must be at least 1."));
    }
    let end = Instant::now() + PATIENCE;
    loop {
        consume(&shared.state(), caller, name)?;
        let received = take(shared, name, most).await?;
        let waits = body["returnImmediately"] != true && Instant::now() < end;
        if received.is_empty() && waits {
            tokio::time::sleep(PAUSE).await;
            continue;
        }
        return Ok(if received.is_empty() { json!({}) } else { json!({"receivedMessages": received}) });
    }
}

/// Refuses who may not pull, and a subscription that cannot be pulled.
pub(super) fn consume(state: &State, caller: &Caller, name: &Name) -> Answer<()> {
    allow(state, caller, name, "consume")?;
    let Some(subscription) = state.subscriptions.get(name.as_str()) else { return Err(missing(name)) };
    if subscription.detached {
        return Err(Refusal::failed_precondition("The subscription is detached."));
    }
    if subscription.settings.get("pushConfig").is_some_and(|push| push.get("pushEndpoint").is_some()) {
        return Err(Refusal::failed_precondition("The subscription is a push subscription."));
    }
    Ok(())
}

/// Takes messages out, none at all if there are none.
pub(super) async fn take(shared: &Shared, name: &Name, most: usize) -> Answer<Vec<Value>> {
    let Some(emulator) = &shared.emulator else {
        let mut state = shared.state();
        let mut next = state.next();
        let Some(subscription) = state.subscriptions.get_mut(name.as_str()) else {
            return Err(missing(name));
        };
        let deadline = subscription.deadline();
        return Ok(subscription.queue.take(most, deadline, || {
            next += 1;
            next
        }));
    };
    let body = json!({"maxMessages": most, "returnImmediately": true});
    let answer = emulator.ask(Method::POST, &format!("/v1/{}:pull", name.as_str()), &body).await?;
    let received = answer["receivedMessages"].as_array().cloned().unwrap_or_default();
    let (wanted, others): (Vec<_>, Vec<_>) = {
        let state = shared.state();
        let subscription = state.subscriptions.get(name.as_str());
        received.into_iter().partition(|one| subscription.is_none_or(|this| admits(this, &one["message"])))
    };
    if !others.is_empty() {
        // What a filter holds back counts as acknowledged.
        let ids: Vec<_> = others.iter().map(|one| &one["ackId"]).collect();
        let path = format!("/v1/{}:acknowledge", name.as_str());
        emulator.ask(Method::POST, &path, &json!({"ackIds": ids})).await?;
    }
    Ok(wanted)
}

/// `acknowledge` and `modifyAckDeadline`:
/// <https://cloud.google.com/pubsub/docs/reference/rest/v1/projects.subscriptions/acknowledge>.
pub(super) async fn settle(
    shared: &Shared,
    caller: &Caller,
    name: &Name,
    verb: &str,
    body: &Value,
) -> Answer<Value> {
    consume(&shared.state(), caller, name)?;
    if let Some(emulator) = &shared.emulator {
        return emulator.ask(Method::POST, &format!("/v1/{}:{verb}", name.as_str()), body).await;
    }
    let mut state = shared.state();
    let Some(subscription) = state.subscriptions.get_mut(name.as_str()) else { return Err(missing(name)) };
    let ids: Vec<_> = body["ackIds"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let named = |lease: &Lease| ids.contains(&lease.ack_id.as_str());
    if verb == "acknowledge" {
        subscription.queue.leased.retain(|lease| !named(lease));
    } else {
        let until = time::later(Timestamp::now(), body["ackDeadlineSeconds"].as_i64().unwrap_or_default());
        for lease in subscription.queue.leased.iter_mut().filter(|lease| named(lease)) {
            lease.until = until;
        }
    }
    Ok(json!({}))
}
