//! Pub/Sub: <https://cloud.google.com/pubsub/docs/reference/rest>.
//!
//! Topics and subscriptions with their labels, settings and policies are kept here in either case.
//! With the official emulator each of them is made there too, and messages are its own business; it
//! has no policies, updates no labels, applies no filters and detaches nothing.

pub(super) mod emulator;
mod filter;
mod messages;
mod names;
pub(super) mod resources;
mod rpc;
mod settings;
mod streaming;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hyper::Method;
use serde_json::{Value, json};

use super::Shared;
use super::asked::Asked;
use super::caller::Caller;
use super::policy::{Policy, Wanted};
use super::refusal::{Answer, Refusal};
use super::state::State;
use names::Name;

pub(super) use rpc::answer as rpc;
pub(super) use streaming::pull as streaming_pull;

const SERVICE: &str = "pubsub.googleapis.com";

/// The REST API.
pub(super) async fn answer(shared: &Shared, asked: &Asked) -> Answer<Value> {
    let caller = Caller::known(asked)?;
    shared.state().serves(SERVICE, asked.header("x-goog-user-project"))?;
    let parts = asked.parts();
    let parts: Vec<&str> = parts.iter().map(AsRef::as_ref).collect();
    let [_, _, project, kind, rest @ ..] = &parts[..] else {
        return Err(Refusal::unknown_call(&asked.path));
    };
    let name = |id: &str| Name::new(&shared.state(), project, kind, id);
    match *rest {
        [] if asked.method == Method::GET => resources::list(&shared.state(), &caller, project, kind),
        [topic, "subscriptions"] if asked.method == Method::GET => {
            let topic = name(topic)?;
            resources::attached(&shared.state(), &caller, &topic)
        }
        [id] => match id.split_once(':') {
            Some((id, verb)) => act(shared, &caller, asked, &name(id)?, verb).await,
            None => resource(shared, &caller, asked, &name(id)?).await,
        },
        _ => Err(Refusal::unknown_call(&asked.path)),
    }
}

async fn resource(shared: &Shared, caller: &Caller, asked: &Asked, name: &Name) -> Answer<Value> {
    match asked.method {
        Method::PUT => resources::create(shared, caller, name, &asked.json()?).await,
        Method::GET => resources::get(shared, caller, name).await,
        Method::PATCH => resources::update(shared, caller, name, &asked.json()?).await,
        Method::DELETE => resources::delete(shared, caller, name).await,
        _ => Err(Refusal::unknown_call(&asked.path)),
    }
}

async fn act(shared: &Shared, caller: &Caller, asked: &Asked, name: &Name, verb: &str) -> Answer<Value> {
    let body = asked.json()?;
    match verb {
        "getIamPolicy" => {
            let version = asked.number("options.requestedPolicyVersion")?.unwrap_or_default();
            let state = shared.state();
            allow(&state, caller, name, "getIamPolicy")?;
            Ok(policy(&state, name)?.seen(version).json())
        }
        "setIamPolicy" => set_policy(&mut shared.state(), caller, name, &body),
        "testIamPermissions" => {
            let state = shared.state();
            let wanted = body["permissions"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let has = wanted.filter(|one| state.may(caller, one, policy(&state, name).ok()));
            Ok(json!({"permissions": has.collect::<Vec<_>>()}))
        }
        "detach" => resources::detach(shared, caller, name).await,
        "publish" => messages::publish(shared, caller, name, &body).await,
        "pull" => messages::pull(shared, caller, name, &body).await,
        "acknowledge" | "modifyAckDeadline" => messages::settle(shared, caller, name, verb, &body).await,
        _ => Err(Refusal::unknown_call(&asked.path)),
    }
}

/// <https://cloud.google.com/pubsub/docs/reference/rest/v1/projects.topics/setIamPolicy>
fn set_policy(state: &mut State, caller: &Caller, name: &Name, body: &Value) -> Answer<Value> {
    allow(state, caller, name, "setIamPolicy")?;
    policy(state, name)?;
    let wanted = Wanted::request(body)?;
    state.admits(&wanted.policy)?;
    let raced = state.switches.race();
    let conflict = state.switches.lost_race.spelled(|message| Refusal::raced(message));
    let policy = match name {
        Name::Topic(_) => state.topics.get_mut(name.as_str()).map(|topic| &mut topic.policy),
        Name::Subscription(_) => state.subscriptions.get_mut(name.as_str()).map(|one| &mut one.policy),
    };
    let Some(policy) = policy else { return Err(missing(name)) };
    if raced {
        policy.touch();
    }
    policy.replace(wanted, conflict)?;
    Ok(policy.json())
}

fn policy<'a>(state: &'a State, name: &Name) -> Answer<&'a Policy> {
    let policy = match name {
        Name::Topic(_) => state.topics.get(name.as_str()).map(|topic| &topic.policy),
        Name::Subscription(_) => state.subscriptions.get(name.as_str()).map(|one| &one.policy),
    };
    policy.ok_or_else(|| missing(name))
}

/// Refuses who may not do `verb`, without a word on whether the thing is there.
fn allow(state: &State, caller: &Caller, name: &Name, verb: &str) -> Answer<()> {
    let permission = format!("pubsub.{}.{verb}", name.kind());
    if state.may(caller, &permission, policy(state, name).ok()) { Ok(()) } else { Err(denied()) }
}

fn denied() -> Refusal {
    Refusal::denied("User not authorized to perform this action.")
}

fn missing(name: &Name) -> Refusal {
    Refusal::missing(format!("Resource not found (resource={}).", name.id()))
}

/// Publishes what has happened in Cloud Storage.
pub(super) async fn deliver(shared: &Shared) {
    let events = std::mem::take(&mut shared.state().events);
    for event in events {
        let data = BASE64_STANDARD.encode(event.data);
        let message = json!({"data": data, "attributes": event.attributes});
        // A topic that went in the meantime gets nothing.
        let _ = messages::send(shared, &event.topic, vec![message]).await;
    }
}
