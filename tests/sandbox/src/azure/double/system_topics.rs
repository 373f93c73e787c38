//! System topics: where a storage account's events come from.
//!
//! <https://learn.microsoft.com/rest/api/eventgrid/controlplane/system-topics>,
//! <https://learn.microsoft.com/azure/event-grid/system-topics>

use serde_json::{Value, json};

use super::Shared;
use super::answer::{Outcome, Refusal, empty, ok};
use super::arm::Call;
use super::listing;
use super::store::{Account, Topic, World, guid};

/// "If you create an event subscription on an Azure source as an extension resource, Event Grid
/// automatically creates a system topic with the name in the format: <Azure resource name>-<GUID>."
/// Only one is allowed per source.
pub(super) fn need(world: &mut World, source: &Account) {
    let id = source.id();
    if world.topics.values().any(|topic| topic.source.eq_ignore_ascii_case(&id)) {
        return;
    }
    let name = format!("{}-{}", source.name, guid());
    let topic = Topic {
        id: format!(
            "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.EventGrid/systemTopics/{name}",
            source.subscription, source.group
        ),
        name,
        source: id,
        location: source.location.clone(),
        implicit: true,
    };
    world.topics.insert(topic.id.to_ascii_lowercase(), topic);
}

/// "the system topic is automatically deleted when the last event subscription … is deleted", unless
/// somebody made it by name.
pub(super) fn release(world: &mut World, source: &str) {
    if !world.event_subscriptions.values().any(|one| one.source.eq_ignore_ascii_case(source)) {
        world.topics.retain(|_, topic| !topic.implicit || !topic.source.eq_ignore_ascii_case(source));
    }
}

/// `GET …/systemTopics`, of a group or of a subscription.
/// <https://learn.microsoft.com/rest/api/eventgrid/controlplane/system-topics/list-by-resource-group>
pub(super) fn list(shared: &Shared, call: &Call) -> Outcome {
    let scope = format!("{}/", call.scope().to_ascii_lowercase());
    let world = shared.world();
    let topics = world.topics.iter().filter(|(id, _)| id.starts_with(&scope));
    let documents = topics.map(|(_, topic)| document(topic)).collect();
    drop(world);
    listing::page(shared, call, documents)
}

/// `GET …/systemTopics/{name}`
/// <https://learn.microsoft.com/rest/api/eventgrid/controlplane/system-topics/get>
pub(super) fn get(shared: &Shared, call: &Call) -> Outcome {
    let world = shared.world();
    let topic = world.topics.get(&call.path.to_ascii_lowercase());
    topic.map_or_else(
        || Err(Refusal::not_found("Microsoft.EventGrid/systemTopics", call.name(), call.group())),
        |topic| ok(&document(topic)),
    )
}

/// `DELETE …/systemTopics/{name}`: takes all event subscriptions of its source along.
/// <https://learn.microsoft.com/rest/api/eventgrid/controlplane/system-topics/delete>
pub(super) fn delete(shared: &Shared, call: &Call) -> Outcome {
    let mut world = shared.world();
    let Some(topic) = world.topics.remove(&call.path.to_ascii_lowercase()) else { return Ok(empty(204)) };
    world.event_subscriptions.retain(|_, one| !one.source.eq_ignore_ascii_case(&topic.source));
    Ok(empty(200))
}

fn document(topic: &Topic) -> Value {
    json!({
        "id": topic.id, "name": topic.name, "type": "Microsoft.EventGrid/systemTopics",
        "location": topic.location, "properties": {
            "provisioningState": "Succeeded", "source": topic.source,
            "topicType": "Microsoft.Storage.StorageAccounts",
        },
    })
}
