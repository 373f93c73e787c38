//! Topics and subscriptions.

use hyper::Method;
use serde_json::{Value, json};

use super::super::Shared;
use super::super::caller::Caller;
use super::super::policy::Policy;
use super::super::refusal::{Answer, Refusal};
use super::super::state::State;
use super::filter::Filter;
use super::messages::Queue;
use super::names::{self, Name};
use super::settings::{self, Settings};
use super::{allow, denied, missing};

/// What a subscription's topic is called when it is gone.
const DELETED: &str = "_deleted-topic_";

#[derive(Clone, Debug, Default)]
pub(in super::super) struct Topic {
    pub(in super::super) settings: Settings,
    pub(in super::super) policy: Policy,
}

#[derive(Clone, Debug, Default)]
pub(in super::super) struct Subscription {
    /// Its topic among them.
    pub(in super::super) settings: Settings,
    pub(in super::super) policy: Policy,
    pub(super) detached: bool,
    pub(super) queue: Queue,
}

impl Topic {
    fn json(&self, name: &str) -> Value {
        let mut json = Value::Object(self.settings.clone());
        json["name"] = name.into();
        json
    }
}

impl Subscription {
    pub(super) fn topic(&self) -> &str {
        self.settings.get("topic").and_then(Value::as_str).unwrap_or_default()
    }

    pub(super) fn filter(&self) -> Option<Filter> {
        Filter::parse(self.settings.get("filter")?.as_str()?)
    }

    /// How long, in seconds, a message that was pulled is nobody else's.
    pub(super) fn deadline(&self) -> i64 {
        self.settings.get("ackDeadlineSeconds").and_then(Value::as_i64).unwrap_or(10)
    }

    fn json(&self, name: &str) -> Value {
        let mut json = Value::Object(self.settings.clone());
        json["name"] = name.into();
        if self.detached {
            json["detached"] = true.into();
        }
        json
    }
}

/// <https://cloud.google.com/pubsub/docs/reference/rest/v1/projects.topics/create>,
/// <https://cloud.google.com/pubsub/docs/reference/rest/v1/projects.subscriptions/create>. Whether
/// there is one already with the same settings makes no difference.
pub(super) async fn create(shared: &Shared, caller: &Caller, name: &Name, body: &Value) -> Answer<Value> {
    let settings = {
        let state = shared.state();
        if !state.may(caller, &format!("pubsub.{}.create", name.kind()), None) {
            return Err(denied());
        }
        let settings = begin(&state, caller, name, body)?;
        let taken =
            state.topics.contains_key(name.as_str()) || state.subscriptions.contains_key(name.as_str());
        if taken {
            let id = name.id();
            return Err(Refusal::taken(format!("Resource already exists in the project (resource={id}).")));
        }
        settings
    };
    if let Some(emulator) = &shared.emulator {
        emulator.ask(Method::PUT, &format!("/v1/{}", name.as_str()), &json!(settings)).await?;
    }
    let mut state = shared.state();
    let key = name.as_str().to_owned();
    match name {
        Name::Topic(full) => {
            let topic = Topic { settings, ..Topic::default() };
            let json = topic.json(full);
            state.topics.insert(key, topic);
            Ok(json)
        }
        Name::Subscription(full) => {
            let subscription = Subscription { settings, ..Subscription::default() };
            let json = subscription.json(full);
            state.subscriptions.insert(key, subscription);
            Ok(json)
        }
    }
}

fn begin(state: &State, caller: &Caller, name: &Name, body: &Value) -> Answer<Settings> {
    if let Name::Topic(_) = name {
        let settings = settings::chosen(body, settings::OF_TOPIC);
        settings::check_labels(&settings)?;
        return Ok(settings);
    }
    let mut settings = settings::chosen(body, settings::OF_SUBSCRIPTION);
    let topic = Name::read(state, body["topic"].as_str().unwrap_or_default())?;
    allow(state, caller, &topic, "attachSubscription")?;
    if !state.topics.contains_key(topic.as_str()) {
        return Err(missing(&topic));
    }
    settings.insert("topic".to_owned(), topic.as_str().into());
    settings::complete(&mut settings)?;
    Ok(settings)
}

/// <https://cloud.google.com/pubsub/docs/reference/rest/v1/projects.subscriptions/get>
pub(super) async fn get(shared: &Shared, caller: &Caller, name: &Name) -> Answer<Value> {
    let json = {
        let state = shared.state();
        allow(&state, caller, name, "get")?;
        read(&state, name)?
    };
    if let Some(emulator) = &shared.emulator
        && json["detached"].is_null()
    {
        emulator.ask(Method::GET, &format!("/v1/{}", name.as_str()), &Value::Null).await?;
    }
    Ok(json)
}

fn read(state: &State, name: &Name) -> Answer<Value> {
    let full = name.as_str();
    let json = match name {
        Name::Topic(_) => state.topics.get(full).map(|topic| topic.json(full)),
        Name::Subscription(_) => state.subscriptions.get(full).map(|one| one.json(full)),
    };
    json.ok_or_else(|| missing(name))
}

/// <https://cloud.google.com/pubsub/docs/reference/rest/v1/projects.subscriptions/list>; all in one
/// page.
pub(super) fn list(state: &State, caller: &Caller, project: &str, kind: &str) -> Answer<Value> {
    names::ours(state, project)?;
    if !state.may(caller, &format!("pubsub.{kind}.list"), None) {
        return Err(denied());
    }
    let all: Vec<_> = match kind {
        "topics" => state.topics.iter().map(|(name, topic)| topic.json(name)).collect(),
        "subscriptions" => state.subscriptions.iter().map(|(name, one)| one.json(name)).collect(),
        _ => vec![],
    };
    Ok(if all.is_empty() { json!({}) } else { json!({ kind: all }) })
}

/// <https://cloud.google.com/pubsub/docs/reference/rest/v1/projects.topics.subscriptions/list>
pub(super) fn attached(state: &State, caller: &Caller, topic: &Name) -> Answer<Value> {
    allow(state, caller, topic, "get")?;
    read(state, topic)?;
    let attached =
        state.subscriptions.iter().filter(|(_, one)| !one.detached && one.topic() == topic.as_str());
    let names: Vec<_> = attached.map(|(name, _)| name).collect();
    Ok(if names.is_empty() { json!({}) } else { json!({"subscriptions": names}) })
}

/// <https://cloud.google.com/pubsub/docs/reference/rest/v1/projects.subscriptions/patch>
pub(super) async fn update(shared: &Shared, caller: &Caller, name: &Name, body: &Value) -> Answer<Value> {
    let (json, deadline) = {
        let mut state = shared.state();
        allow(&state, caller, name, "update")?;
        read(&state, name)?;
        match name {
            Name::Topic(full) => {
                let fields = settings::mask(body, settings::OF_TOPIC_LATER, "Topic")?;
                let Some(topic) = state.topics.get_mut(full) else { return Err(missing(name)) };
                let wanted = settings::chosen(&body["topic"], settings::OF_TOPIC_LATER);
                let settings = laid_over(&topic.settings, &wanted, &fields);
                settings::check_labels(&settings)?;
                topic.settings = settings;
                (topic.json(full), None)
            }
            Name::Subscription(full) => {
                let fields = settings::mask(body, settings::OF_SUBSCRIPTION_LATER, "Subscription")?;
                let Some(subscription) = state.subscriptions.get_mut(full) else { return Err(missing(name)) };
                let wanted = settings::chosen(&body["subscription"], settings::OF_SUBSCRIPTION_LATER);
                let mut settings = laid_over(&subscription.settings, &wanted, &fields);
                settings::complete(&mut settings)?;
                subscription.settings = settings;
                let deadline = fields.iter().any(|field| field == "ackDeadlineSeconds");
                (subscription.json(full), deadline.then(|| subscription.deadline()))
            }
        }
    };
    // Of all that can be updated, the emulator has use for this only.
    if let (Some(emulator), Some(deadline)) = (&shared.emulator, deadline) {
        let subscription = json!({"name": name.as_str(), "ackDeadlineSeconds": deadline});
        let body = json!({"subscription": subscription, "updateMask": "ackDeadlineSeconds"});
        emulator.ask(Method::PATCH, &format!("/v1/{}", name.as_str()), &body).await?;
    }
    Ok(json)
}

fn laid_over(settings: &Settings, wanted: &Settings, fields: &[String]) -> Settings {
    let mut settings = settings.clone();
    for field in fields {
        match wanted.get(field) {
            Some(value) => settings.insert(field.clone(), value.clone()),
            None => settings.remove(field),
        };
    }
    settings
}

/// <https://cloud.google.com/pubsub/docs/reference/rest/v1/projects.topics/delete>: subscriptions stay,
/// without a topic.
pub(super) async fn delete(shared: &Shared, caller: &Caller, name: &Name) -> Answer<Value> {
    let detached = {
        let mut state = shared.state();
        allow(&state, caller, name, "delete")?;
        let found = read(&state, name)?;
        match name {
            Name::Topic(full) => {
                state.topics.remove(full);
                for subscription in state.subscriptions.values_mut().filter(|one| one.topic() == full) {
                    subscription.settings.insert("topic".to_owned(), DELETED.into());
                }
            }
            Name::Subscription(full) => drop(state.subscriptions.remove(full)),
        }
        found["detached"] == true
    };
    if let Some(emulator) = &shared.emulator
        && !detached
    {
        emulator.ask(Method::DELETE, &format!("/v1/{}", name.as_str()), &Value::Null).await?;
    }
    Ok(json!({}))
}

/// <https://cloud.google.com/pubsub/docs/reference/rest/v1/projects.subscriptions/detach>: its messages
/// go, it stays.
pub(super) async fn detach(shared: &Shared, caller: &Caller, name: &Name) -> Answer<Value> {
    {
        let mut state = shared.state();
        let Some(subscription) = state.subscriptions.get(name.as_str()) else { return Err(missing(name)) };
        let topic = state.topics.get(subscription.topic()).map(|topic| &topic.policy);
        if !state.may(caller, "pubsub.topics.detachSubscription", topic) {
            return Err(denied());
        }
        if let Some(subscription) = state.subscriptions.get_mut(name.as_str()) {
            subscription.detached = true;
            subscription.queue = Queue::default();
        }
    }
    if let Some(emulator) = &shared.emulator {
        // It knows no such call. A subscription that is not there gets no messages either.
        emulator.ask(Method::DELETE, &format!("/v1/{}", name.as_str()), &Value::Null).await?;
    }
    Ok(json!({}))
}
