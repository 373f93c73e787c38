//! Subscriptions and resource groups.
//!
//! <https://learn.microsoft.com/rest/api/resources/resource-groups>

use serde_json::{Value, json};

use super::Shared;
use super::answer::{Outcome, Refusal, empty, json, ok};
use super::arm::Call;
use super::claims::Caller;
use super::listing;
use super::route::Operation;
use super::store::Group;

/// Everything in a group needs the group.
pub(super) fn exists(shared: &Shared, call: &Call, operation: Operation) -> Result<(), Refusal> {
    let in_one = call.part(2).eq_ignore_ascii_case("resourcegroups") && !call.group().is_empty();
    // HEAD is how existence is checked, and has no body.
    if !in_one || operation == Operation::PutGroup {
        return Ok(());
    }
    let world = shared.world();
    let groups = world.subscriptions.get(&call.subscription().to_ascii_lowercase()).map(|one| &one.groups);
    if groups.is_some_and(|groups| groups.contains_key(&call.group().to_ascii_lowercase())) {
        return Ok(());
    }
    let message = format!("Resource group '{}' could not be found.", call.group());
    Err(Refusal::new(404, "ResourceGroupNotFound", message))
}

/// `GET /subscriptions`: those of the token's tenant.
/// <https://learn.microsoft.com/rest/api/resources/subscriptions/list>
pub(super) fn subscriptions(shared: &Shared, call: &Call, caller: &Caller) -> Outcome {
    let world = shared.world();
    let visible = world.subscriptions.iter().filter(|(_, one)| one.tenant == caller.tenant);
    let documents = visible.map(|(id, one)| shown(id, &one.tenant)).collect();
    drop(world);
    listing::page(shared, call, documents)
}

/// `GET /subscriptions/{id}`
/// <https://learn.microsoft.com/rest/api/resources/subscriptions/get>
pub(super) fn subscription(shared: &Shared, call: &Call) -> Outcome {
    let id = call.subscription().to_ascii_lowercase();
    let tenant = shared.world().subscriptions.get(&id).map(|one| one.tenant.clone());
    ok(&shown(&id, &tenant.unwrap_or_default()))
}

fn shown(id: &str, tenant: &str) -> Value {
    json!({
        "id": format!("/subscriptions/{id}"), "subscriptionId": id, "displayName": "wbstore sandbox",
        "tenantId": tenant, "state": "Enabled",
    })
}

/// `GET /subscriptions/{id}/resourcegroups`
pub(super) fn list(shared: &Shared, call: &Call) -> Outcome {
    let world = shared.world();
    let subscription = world.subscriptions.get(&call.subscription().to_ascii_lowercase());
    let groups = subscription.map(|one| one.groups.values().map(|group| document(call, group)).collect());
    drop(world);
    listing::page(shared, call, groups.unwrap_or_default())
}

/// `GET /subscriptions/{id}/resourcegroups/{name}`
pub(super) fn get(shared: &Shared, call: &Call) -> Outcome {
    if call.method == "HEAD" {
        return Ok(empty(204));
    }
    let world = shared.world();
    let subscription = world.subscriptions.get(&call.subscription().to_ascii_lowercase());
    let group = subscription.and_then(|one| one.groups.get(&call.group().to_ascii_lowercase()));
    ok(&group.map_or(Value::Null, |group| document(call, group)))
}

/// `PUT /subscriptions/{id}/resourcegroups/{name}`
pub(super) fn put(shared: &Shared, call: &Call) -> Outcome {
    let Some(location) = call.body["location"].as_str() else {
        let message = "The location property is required for this definition.";
        return Err(Refusal::new(400, "LocationRequired", message));
    };
    let group = Group {
        name: call.group().to_owned(),
        location: location.to_owned(),
        tags: call.body["tags"].as_object().cloned().unwrap_or_default(),
    };
    let reply = document(call, &group);
    let mut world = shared.world();
    let subscription = world.subscriptions.get_mut(&call.subscription().to_ascii_lowercase());
    let before = subscription.and_then(|one| one.groups.insert(call.group().to_ascii_lowercase(), group));
    Ok(json(if before.is_some() { 200 } else { 201 }, &reply))
}

fn document(call: &Call, group: &Group) -> Value {
    json!({
        "id": format!("/subscriptions/{}/resourceGroups/{}", call.subscription(), group.name),
        "name": group.name, "type": "Microsoft.Resources/resourceGroups", "location": group.location,
        "tags": group.tags, "properties": { "provisioningState": "Succeeded" },
    })
}
