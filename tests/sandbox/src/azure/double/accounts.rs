//! Storage accounts.
//!
//! <https://learn.microsoft.com/rest/api/storagerp/storage-accounts>

mod checks;

use serde_json::{Map, Value, json};

use super::Shared;
use super::answer::{Outcome, Refusal, empty, ok};
use super::arm::Call;
use super::listing;
use super::operations::{self, Work};
use super::store::{Account, Key, State, World, now};

/// What cannot be changed once the account is there.
const FIXED: &[&str] = &["isHnsEnabled", "isNfsV3Enabled"];

/// `POST /subscriptions/{id}/providers/Microsoft.Storage/checkNameAvailability`
/// <https://learn.microsoft.com/rest/api/storagerp/storage-accounts/check-name-availability>
pub(super) fn check_name(shared: &Shared, call: &Call) -> Outcome {
    let Some(name) = call.body["name"].as_str() else { return Err(Refusal::invalid("name")) };
    let told = match checks::name(name) {
        Err(refusal) => json!({
            "nameAvailable": false, "reason": "AccountNameInvalid", "message": refusal.message(),
        }),
        Ok(()) if shared.world().accounts.contains_key(name) => json!({
            "nameAvailable": false, "reason": "AlreadyExists",
            "message": format!("The storage account named {name} is already taken."),
        }),
        // Another double's name is found out only when the account is made: so it is in Azure with
        // one that was deleted a short while ago.
        Ok(()) => json!({ "nameAvailable": true }),
    };
    ok(&told)
}

/// `GET …/storageAccounts`, of a group or of a subscription.
/// <https://learn.microsoft.com/rest/api/storagerp/storage-accounts/list-by-resource-group>
pub(super) fn list(shared: &Shared, call: &Call) -> Outcome {
    let world = shared.world();
    let of_group = call.part(2).eq_ignore_ascii_case("resourcegroups");
    let inside = |account: &&Account| {
        account.subscription.eq_ignore_ascii_case(call.subscription())
            && (!of_group || account.group.eq_ignore_ascii_case(call.group()))
    };
    let documents = world.accounts.values().filter(inside).map(|one| document(&world, one)).collect();
    drop(world);
    listing::page(shared, call, documents)
}

/// `GET …/storageAccounts/{name}`; a creation under way gets on with each look.
/// <https://learn.microsoft.com/rest/api/storagerp/storage-accounts/get-properties>
pub(super) fn get(shared: &Shared, call: &Call) -> Outcome {
    let mut world = shared.world();
    let name = named(&world, call)?;
    let Some(account) = world.accounts.get_mut(&name) else { return Err(not_found(call)) };
    let seen = account.clone();
    account.state.look();
    ok(&document(&world, &seen))
}

/// `PUT …/storageAccounts/{name}`: "If an account is already created and a subsequent create request
/// is issued with different properties, the account properties will be updated."
/// <https://learn.microsoft.com/rest/api/storagerp/storage-accounts/create>
pub(super) async fn put(shared: &Shared, call: &Call, fails: bool) -> Outcome {
    checks::name(call.account())?;
    let wanted = wanted(call)?;
    let taken = Refusal::new(
        409,
        "StorageAccountAlreadyTaken",
        format!("The storage account named {} is already taken.", wanted.name),
    );
    let (owner, existing) = {
        let world = shared.world();
        (world.owner.clone(), world.accounts.get(&wanted.name).cloned())
    };
    if let Some(existing) = existing {
        if !existing.subscription.eq_ignore_ascii_case(call.subscription()) {
            return Err(taken);
        }
        return update(shared, existing, wanted, call);
    }
    let keys = [wanted.keys[0].value.as_str(), wanted.keys[1].value.as_str()];
    if !shared.plane.open_account(&owner, &wanted.name, keys).await? {
        return Err(taken);
    }
    let polls = shared.options.polls;
    let state = if fails { State::Failing(polls) } else { State::Creating(polls) };
    let name = wanted.name.clone();
    {
        let mut world = shared.world();
        let mut account = Account { state, lag: shared.options.lag, ..wanted };
        account.properties.extend(world.policy.clone());
        world.accounts.insert(name.clone(), account);
    }
    Ok(operations::start(shared, call, Work::Account(name), empty(202)))
}

fn update(shared: &Shared, existing: Account, wanted: Account, call: &Call) -> Outcome {
    if !existing.group.eq_ignore_ascii_case(call.group()) {
        let message = format!(
            "The account {} is already in another resource group in this subscription.",
            existing.name
        );
        return Err(Refusal::new(409, "StorageAccountInAnotherResourceGroup", message));
    }
    if existing.location != wanted.location {
        let message = format!(
            "The resource '{}' already exists in location '{}' in resource group '{}'. A resource with the \
             same name cannot be created in location '{}'. Please select a new resource name.",
            existing.name, existing.location, existing.group, wanted.location
        );
        return Err(Refusal::new(409, "InvalidResourceLocation", message));
    }
    let tags = wanted.tags.clone();
    change(shared, existing, Some(tags), wanted.properties)
}

/// `PATCH …/storageAccounts/{name}`; what is left out stays.
/// <https://learn.microsoft.com/rest/api/storagerp/storage-accounts/update>
pub(super) fn patch(shared: &Shared, call: &Call) -> Outcome {
    let existing = found(shared, call)?;
    let tags = call.body.get("tags").map(checks::tags).transpose()?;
    change(shared, existing, tags, checks::properties(&call.body["properties"])?)
}

fn change(
    shared: &Shared,
    existing: Account,
    tags: Option<Map<String, Value>>,
    properties: Map<String, Value>,
) -> Outcome {
    if !existing.state.is_done() {
        return Err(busy());
    }
    let mut account = existing;
    for (name, value) in properties {
        let before = account.properties.get(&name).cloned().unwrap_or(Value::Bool(false));
        if FIXED.contains(&name.as_str()) && before != value {
            let message =
                format!("The property '{name}' was specified in the input, but it cannot be updated.");
            return Err(Refusal::new(409, "AccountPropertyCannotBeUpdated", message));
        }
        account.properties.insert(name, value);
    }
    if let Some(tags) = tags {
        account.tags = tags;
    }
    let mut world = shared.world();
    account.properties.extend(world.policy.clone());
    let reply = document(&world, &account);
    world.accounts.insert(account.name.clone(), account);
    ok(&reply)
}

/// `DELETE …/storageAccounts/{name}`
/// <https://learn.microsoft.com/rest/api/storagerp/storage-accounts/delete>
pub(super) async fn delete(shared: &Shared, call: &Call) -> Outcome {
    let Ok(account) = found(shared, call) else { return Ok(empty(204)) };
    if !account.state.is_done() {
        return Err(busy());
    }
    if let Some(container) = account.held() {
        let name = &account.name;
        let message = format!(
            "The storage account '{name}' is protected from deletion. The container '{container}' has a legal \
             hold or a locked immutability policy."
        );
        return Err(Refusal::new(409, "AccountProtectedFromDeletion", message));
    }
    let owner = shared.world().owner.clone();
    shared.plane.close_account(&owner, &account.name).await?;
    let mut world = shared.world();
    world.accounts.remove(&account.name);
    // Event subscriptions are extensions of the account and go with it, as does an implicit topic.
    let id = account.id();
    world.event_subscriptions.retain(|_, one| !one.source.eq_ignore_ascii_case(&id));
    world.topics.retain(|_, one| !one.source.eq_ignore_ascii_case(&id));
    Ok(empty(200))
}

/// The account in the path, when it is in this group.
pub(super) fn found(shared: &Shared, call: &Call) -> Result<Account, Refusal> {
    let world = shared.world();
    let name = named(&world, call)?;
    world.accounts.get(&name).cloned().ok_or_else(|| not_found(call))
}

/// The same, when it can be worked with.
pub(super) fn ready(shared: &Shared, call: &Call) -> Result<Account, Refusal> {
    let account = found(shared, call)?;
    if account.state == State::Succeeded {
        return Ok(account);
    }
    let message =
        "The storage account provisioning state must be 'Succeeded' before executing the operation.";
    Err(Refusal::new(409, "StorageAccountIsNotProvisioned", message))
}

fn named(world: &World, call: &Call) -> Result<String, Refusal> {
    let name = call.account().to_ascii_lowercase();
    let here = world.accounts.get(&name).is_some_and(|account| {
        account.subscription.eq_ignore_ascii_case(call.subscription())
            && account.group.eq_ignore_ascii_case(call.group())
    });
    if here { Ok(name) } else { Err(not_found(call)) }
}

fn not_found(call: &Call) -> Refusal {
    Refusal::not_found("Microsoft.Storage/storageAccounts", call.account(), call.group())
}

fn busy() -> Refusal {
    let message =
        "An operation is currently performing on this storage account that requires exclusive access.";
    Refusal::new(409, "StorageAccountOperationInProgress", message)
}

/// What a `PUT` asks for.
fn wanted(call: &Call) -> Result<Account, Refusal> {
    let body = &call.body;
    Ok(Account {
        name: call.account().to_owned(),
        subscription: call.subscription().to_ascii_lowercase(),
        group: call.group().to_owned(),
        location: checks::location(body)?,
        kind: checks::kind(body)?,
        sku: checks::sku(body)?,
        tags: checks::tags(&body["tags"])?,
        properties: checks::properties(&body["properties"])?,
        blob_service: Map::new(),
        keys: [Key::fresh(), Key::fresh()],
        created: now(),
        state: State::Succeeded,
        lag: 0,
        tables: vec![],
        shares: vec![],
        lifecycle: Value::Null,
        holds: Default::default(),
    })
}

/// An account as ARM shows it.
pub(super) fn document(world: &World, account: &Account) -> Value {
    let Account { name, location, kind, sku, tags, created, keys, .. } = account;
    let tier = sku.split('_').next();
    let mut properties = json!({
        "provisioningState": account.state.name(), "creationTime": created, "primaryLocation": location,
        "statusOfPrimary": "available",
        "keyCreationTime": { "key1": keys[0].created, "key2": keys[1].created },
        // "The default interpretation is TLS 1.0 for this property."
        "minimumTlsVersion": "TLS1_0", "allowBlobPublicAccess": false, "supportsHttpsTrafficOnly": true,
        "allowCrossTenantReplication": false, "accessTier": "Hot", "privateEndpointConnections": [],
        "networkAcls": { "bypass": "AzureServices", "defaultAction": "Allow", "ipRules": [], "virtualNetworkRules": [] },
        "primaryEndpoints": {
            "blob": format!("{}/{name}/", world.blob_url), "queue": format!("{}/{name}/", world.queue_url),
        },
        "encryption": {
            "keySource": "Microsoft.Storage",
            "services": { "blob": { "enabled": true, "keyType": "Account" } },
        },
    });
    if let Some(shown) = properties.as_object_mut() {
        shown.extend(account.properties.clone());
    }
    json!({
        "id": account.id(), "name": name, "type": "Microsoft.Storage/storageAccounts", "location": location,
        "kind": kind, "sku": { "name": sku, "tier": tier }, "tags": tags, "properties": properties,
    })
}
