//! Event subscriptions, as extensions of a storage account.
//!
//! <https://learn.microsoft.com/rest/api/eventgrid/controlplane/event-subscriptions>

use serde_json::{Map, Value, json};

use super::answer::{Outcome, Refusal, Reply, empty, json, ok};
use super::arm::Call;
use super::operations::{self, Work};
use super::store::{Account, EventSubscription, State};
use super::{Service, Shared, listing, system_topics};

/// `GET {scope}/providers/Microsoft.EventGrid/eventSubscriptions`: those of one resource. Of a
/// subscription or a group it lists those "global" ones that have no region, and so none here.
/// <https://learn.microsoft.com/rest/api/eventgrid/controlplane/event-subscriptions/list-by-resource>
pub(super) fn list(shared: &Shared, call: &Call) -> Outcome {
    let world = shared.world();
    let inside = |one: &&EventSubscription| one.source.eq_ignore_ascii_case(call.scope());
    let documents = world.event_subscriptions.values().filter(inside).map(document).collect();
    drop(world);
    listing::page(shared, call, documents)
}

/// `GET …/providers/Microsoft.EventGrid/locations/{location}/eventSubscriptions`, of a subscription
/// or a group.
/// <https://learn.microsoft.com/rest/api/eventgrid/controlplane/event-subscriptions/list-regional-by-subscription>
pub(super) fn list_regional(shared: &Shared, call: &Call) -> Outcome {
    let scope = format!("{}/", call.scope().to_ascii_lowercase());
    let location = call.path.to_ascii_lowercase();
    let world = shared.world();
    let inside = |one: &&EventSubscription| {
        let region = world.account_at(&one.source).map(|account| format!("/locations/{}/", account.location));
        one.source.to_ascii_lowercase().starts_with(&scope)
            && region.is_some_and(|region| location.contains(&region))
    };
    let documents = world.event_subscriptions.values().filter(inside).map(document).collect();
    drop(world);
    listing::page(shared, call, documents)
}

/// `GET …/eventSubscriptions/{name}`; a creation under way gets on with each look.
/// <https://learn.microsoft.com/rest/api/eventgrid/controlplane/event-subscriptions/get>
pub(super) fn get(shared: &Shared, call: &Call) -> Outcome {
    let mut world = shared.world();
    let Some(one) = world.event_subscriptions.get_mut(&call.path.to_ascii_lowercase()) else {
        return Err(not_found(&call.path));
    };
    let seen = document(one);
    one.state.look();
    ok(&seen)
}

/// `PUT …/eventSubscriptions/{name}`: 201, then `Creating` until it is `Succeeded`; one that is
/// there is replaced.
/// <https://learn.microsoft.com/rest/api/eventgrid/controlplane/event-subscriptions/create-or-update>
pub(super) async fn put(shared: &Shared, call: &Call, fails: bool) -> Outcome {
    let name = call.name();
    let letters = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if !letters || !(3..=64).contains(&name.len()) {
        let what = "Event subscription name must be between 3 and 64 characters in length and use \
                    alphanumeric letters and dash only.";
        return Err(Refusal::new(400, "InvalidRequest", what));
    }
    let source = source(shared, call)?;
    let properties = completed(call.body["properties"].as_object().cloned().unwrap_or_default());
    destination(shared, &properties).await?;
    let id = call.path.clone();
    let polls = shared.options.polls;
    let failed = |one: &EventSubscription| one.state == State::Failed;
    // One that has failed once fails for ever, until it is deleted.
    // <https://github.com/Azure/azure-sdk-for-net/issues/51014>
    let lost = shared.world().event_subscriptions.get(&id.to_ascii_lowercase()).is_some_and(failed);
    let state = if fails || lost { State::Failing(polls) } else { State::Creating(polls) };
    let one = EventSubscription { name: name.to_owned(), source: source.id(), id, properties, state };
    let reply = json(201, &document(&one));
    let work = Work::EventSubscription(one.id.clone());
    {
        let mut world = shared.world();
        system_topics::need(&mut world, &source);
        match world.vanishing.iter().position(|name| *name == one.name) {
            Some(at) => drop(world.vanishing.remove(at)),
            None => drop(world.event_subscriptions.insert(one.id.to_ascii_lowercase(), one)),
        }
    }
    Ok(operations::start(shared, call, work, reply))
}

/// `PATCH …/eventSubscriptions/{name}`: its body has no `properties` around it.
/// <https://learn.microsoft.com/rest/api/eventgrid/controlplane/event-subscriptions/update>
pub(super) fn patch(shared: &Shared, call: &Call) -> Outcome {
    let reply = {
        let mut world = shared.world();
        let Some(one) = world.event_subscriptions.get_mut(&call.path.to_ascii_lowercase()) else {
            return Err(not_found(&call.path));
        };
        let mut properties = one.properties.clone();
        properties.extend(call.body.as_object().cloned().unwrap_or_default());
        one.properties = completed(properties);
        one.state = State::Creating(shared.options.polls);
        json(201, &document(one))
    };
    Ok(operations::start(shared, call, Work::EventSubscription(call.path.clone()), reply))
}

/// `DELETE …/eventSubscriptions/{name}`
/// <https://learn.microsoft.com/rest/api/eventgrid/controlplane/event-subscriptions/delete>
pub(super) fn delete(shared: &Shared, call: &Call) -> Outcome {
    let gone = {
        let mut world = shared.world();
        let gone = world.event_subscriptions.remove(&call.path.to_ascii_lowercase());
        if let Some(one) = &gone {
            system_topics::release(&mut world, &one.source);
        }
        gone
    };
    let accepted: Reply = empty(202);
    match gone {
        Some(_) => Ok(operations::start(shared, call, Work::Deletion(shared.options.polls), accepted)),
        None => Ok(empty(204)),
    }
}

pub(super) fn not_found(id: &str) -> Refusal {
    let message = format!("Event subscription doesn't exist: {id}.");
    Refusal::new(404, "ResourceNotFound", message)
}

/// The account that the subscription is on. "Only storage accounts of kind StorageV2 (general
/// purpose v2), BlockBlobStorage, and BlobStorage support event integration."
/// <https://learn.microsoft.com/azure/storage/blobs/storage-blob-event-overview>
fn source(shared: &Shared, call: &Call) -> Result<Account, Refusal> {
    let world = shared.world();
    let Some(account) = world.account_at(call.scope()) else {
        let name = call.scope().rsplit('/').next().unwrap_or_default();
        return Err(Refusal::not_found("Microsoft.Storage/storageAccounts", name, call.group()));
    };
    if account.kind == "Storage" || account.kind == "FileStorage" {
        let message = format!(
            "Storage accounts of kind {} do not support Event Grid subscriptions. Please use StorageV2, \
             BlockBlobStorage or BlobStorage.",
            account.kind
        );
        return Err(Refusal::new(400, "InvalidRequest", message));
    }
    Ok(account.clone())
}

/// "Resource should pre-exist before attempting this operation."
/// <https://github.com/hashicorp/terraform-provider-azurerm/issues/6953>
async fn destination(shared: &Shared, properties: &Map<String, Value>) -> Result<(), Refusal> {
    dead_letters(shared, properties).await?;
    let given = properties.get("destination").cloned().unwrap_or_default();
    if given["endpointType"].as_str() != Some("StorageQueue") {
        return match given["endpointType"].as_str() {
            // Those of others; nothing is delivered to them here.
            Some("WebHook" | "EventHub" | "ServiceBusQueue" | "ServiceBusTopic" | "AzureFunction") => Ok(()),
            _ => Err(Refusal::new(400, "InvalidRequest", "Invalid event subscription request: destination.")),
        };
    }
    let target = &given["properties"];
    let (id, queue) = (text(&target["resourceId"]), text(&target["queueName"]));
    let lasts = &target["queueMessageTimeToLiveInSeconds"];
    if !lasts.is_null() && !lasts.as_i64().is_some_and(|seconds| seconds == -1 || seconds > 0) {
        let message = "Queue message time to live must be greater than zero, or -1.";
        return Err(Refusal::new(400, "InvalidRequest", message));
    }
    let account = shared.world().account_at(&id).map(|account| account.name.clone());
    let there = match account {
        Some(account) => {
            shared.plane.look(Service::Queue, &format!("/{account}/{queue}?comp=metadata")).await?.is_some()
        }
        None => false,
    };
    if there {
        return Ok(());
    }
    let message = format!(
        "Destination endpoint not found. Resource details: resourceId: {id}, queue: {queue}. Resource should \
         pre-exist before attempting this operation."
    );
    Err(Refusal::new(400, "Endpoint validation", message))
}

/// The container for what cannot be delivered must be there too.
/// <https://learn.microsoft.com/azure/event-grid/manage-event-delivery#set-dead-letter-location>
async fn dead_letters(shared: &Shared, properties: &Map<String, Value>) -> Result<(), Refusal> {
    let Some(target) = properties.get("deadLetterDestination").filter(|given| !given.is_null()) else {
        return Ok(());
    };
    let target = &target["properties"];
    let (id, container) = (text(&target["resourceId"]), text(&target["blobContainerName"]));
    let account = shared.world().account_at(&id).map(|account| account.name.clone()).unwrap_or_default();
    let path = format!("/{account}/{container}?restype=container");
    if !account.is_empty() && shared.plane.look(Service::Blob, &path).await?.is_some() {
        return Ok(());
    }
    let message = format!(
        "Dead letter destination not found. Resource details: resourceId: {id}, container: {container}. \
         Resource should pre-exist before attempting this operation."
    );
    Err(Refusal::new(400, "Endpoint validation", message))
}

/// What is left out has its default.
/// <https://learn.microsoft.com/rest/api/eventgrid/controlplane/event-subscriptions/create-or-update#request-body>
pub(super) fn completed(mut properties: Map<String, Value>) -> Map<String, Value> {
    properties.remove("provisioningState");
    properties.remove("topic");
    let filter = properties.entry("filter").or_insert_with(|| json!({}));
    if let Some(filter) = filter.as_object_mut() {
        for (name, default) in [("subjectBeginsWith", json!("")), ("subjectEndsWith", json!(""))] {
            filter.entry(name).or_insert(default);
        }
    }
    properties.entry("eventDeliverySchema").or_insert_with(|| json!("EventGridSchema"));
    properties
        .entry("retryPolicy")
        .or_insert_with(|| json!({ "maxDeliveryAttempts": 30, "eventTimeToLiveInMinutes": 1440 }));
    properties.entry("labels").or_insert_with(|| json!([]));
    properties
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn document(one: &EventSubscription) -> Value {
    let mut properties = one.properties.clone();
    properties.insert("provisioningState".to_owned(), one.state.name().into());
    properties.insert("topic".to_owned(), one.source.clone().into());
    json!({
        "id": one.id, "name": one.name, "type": "Microsoft.EventGrid/eventSubscriptions",
        "properties": properties,
    })
}
