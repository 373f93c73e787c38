//! Storage queues, which are really Azurite's.
//!
//! <https://learn.microsoft.com/rest/api/storagerp/queue>

use axum::http::Method;
use serde_json::{Map, Value, json};

use super::answer::{Outcome, Refusal, empty, ok};
use super::arm::Call;
use super::plane::{Found, borrowed, metadata_headers};
use super::store::Account;
use super::{Service, Shared, accounts, containers, listing};

/// `GET …/queueServices/default`
/// <https://learn.microsoft.com/rest/api/storagerp/queue-services/get-service-properties>
pub(super) fn service(shared: &Shared, call: &Call) -> Outcome {
    let account = accounts::ready(shared, call)?;
    ok(&json!({
        "id": format!("{}/queueServices/default", account.id()), "name": "default",
        "type": "Microsoft.Storage/storageAccounts/queueServices",
        "properties": { "cors": { "corsRules": [] } },
    }))
}

/// `GET …/queues`
/// <https://learn.microsoft.com/rest/api/storagerp/queue/list>
pub(super) async fn list(shared: &Shared, call: &Call) -> Outcome {
    let account = accounts::ready(shared, call)?;
    let queues = shared.plane.list(Service::Queue, &account.name).await?;
    let documents = queues.into_iter().map(|(name, metadata)| document(&account, &name, metadata, None));
    listing::page(shared, call, documents.collect())
}

/// `GET …/queues/{name}`
/// <https://learn.microsoft.com/rest/api/storagerp/queue/get>
pub(super) async fn get(shared: &Shared, call: &Call) -> Outcome {
    let (account, name) = named(shared, call)?;
    let found = existing(shared, &account, &name).await?;
    ok(&shown(&account, &name, &found))
}

/// `PUT …/queues/{name}`: one that is there is updated.
/// <https://learn.microsoft.com/rest/api/storagerp/queue/create>
pub(super) async fn put(shared: &Shared, call: &Call) -> Outcome {
    let (account, name) = named(shared, call)?;
    containers::check_name(&name)?;
    awake(shared, &account, &name)?;
    let metadata = &call.body["properties"]["metadata"];
    let headers = metadata_headers(metadata)?;
    let path = format!("/{}/{name}", account.name);
    let reply = shared.plane.ask(Service::Queue, Method::PUT, &path, &borrowed(&headers), "").await?;
    if reply.status() == 409 {
        write_metadata(shared, &account, &name, metadata).await?;
    } else if !reply.status().is_success() {
        return Err(Refusal::broken(String::from_utf8_lossy(reply.body())));
    }
    let found = existing(shared, &account, &name).await?;
    ok(&shown(&account, &name, &found))
}

/// `PATCH …/queues/{name}`: metadata, where it is given, is replaced.
/// <https://learn.microsoft.com/rest/api/storagerp/queue/update>
pub(super) async fn patch(shared: &Shared, call: &Call) -> Outcome {
    let (account, name) = named(shared, call)?;
    existing(shared, &account, &name).await?;
    write_metadata(shared, &account, &name, &call.body["properties"]["metadata"]).await?;
    let found = existing(shared, &account, &name).await?;
    ok(&shown(&account, &name, &found))
}

/// `DELETE …/queues/{name}`, with all messages.
/// <https://learn.microsoft.com/rest/api/storagerp/queue/delete>
pub(super) async fn delete(shared: &Shared, call: &Call) -> Outcome {
    let (account, name) = named(shared, call)?;
    let path = format!("/{}/{name}", account.name);
    let reply = shared.plane.ask(Service::Queue, Method::DELETE, &path, &[], "").await?;
    match reply.status().as_u16() {
        404 => Ok(empty(204)),
        200..300 => {
            shared.lay_to_rest(path);
            Ok(empty(204))
        }
        status => Err(Refusal::broken(status)),
    }
}

/// "If an operation is attempted against a queue while it's being deleted, Azure Queue Storage
/// returns status code 409 (Conflict), with additional error information indicating that the queue
/// is being deleted."
/// <https://learn.microsoft.com/rest/api/storageservices/delete-queue3#remarks>
fn awake(shared: &Shared, account: &Account, name: &str) -> Result<(), Refusal> {
    if !shared.world().refuse_resting(&format!("/{}/{name}", account.name)) {
        return Ok(());
    }
    Err(Refusal::new(409, "QueueBeingDeleted", "The specified queue is being deleted. Try operation later."))
}

async fn existing(shared: &Shared, account: &Account, name: &str) -> Result<Found, Refusal> {
    awake(shared, account, name)?;
    let path = format!("/{}/{name}?comp=metadata", account.name);
    let found = shared.plane.look(Service::Queue, &path).await?;
    found.ok_or_else(|| Refusal::new(404, "QueueNotFound", "The specified queue does not exist."))
}

async fn write_metadata(
    shared: &Shared,
    account: &Account,
    name: &str,
    metadata: &Value,
) -> Result<(), Refusal> {
    if metadata.is_null() {
        return Ok(());
    }
    let headers = metadata_headers(metadata)?;
    let path = format!("/{}/{name}?comp=metadata", account.name);
    let reply = shared.plane.ask(Service::Queue, Method::PUT, &path, &borrowed(&headers), "").await?;
    if reply.status().is_success() { Ok(()) } else { Err(Refusal::broken(reply.status())) }
}

fn named(shared: &Shared, call: &Call) -> Result<(Account, String), Refusal> {
    Ok((accounts::ready(shared, call)?, call.name().to_owned()))
}

fn shown(account: &Account, name: &str, found: &Found) -> Value {
    let count = found.header("x-ms-approximate-messages-count").and_then(|count| count.parse().ok());
    document(account, name, found.metadata(), count)
}

fn document(account: &Account, name: &str, metadata: Map<String, Value>, count: Option<u64>) -> Value {
    let mut properties = json!({ "metadata": metadata });
    if let Some(count) = count {
        properties["approximateMessageCount"] = count.into();
    }
    json!({
        "id": format!("{}/queueServices/default/queues/{name}", account.id()), "name": name,
        "type": "Microsoft.Storage/storageAccounts/queueServices/queues", "properties": properties,
    })
}
