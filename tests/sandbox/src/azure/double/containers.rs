//! Blob containers, which are really Azurite's.
//!
//! <https://learn.microsoft.com/rest/api/storagerp/blob-containers>

use axum::http::Method;
use serde_json::{Map, Value, json};

use super::answer::{Outcome, Refusal, empty, json, ok};
use super::arm::Call;
use super::plane::{Found, borrowed, metadata_headers};
use super::store::Account;
use super::{Service, Shared, accounts, listing};

/// `GET …/containers`; a container on its way out is not listed.
/// <https://learn.microsoft.com/rest/api/storagerp/blob-containers/list>
pub(super) async fn list(shared: &Shared, call: &Call) -> Outcome {
    let account = accounts::ready(shared, call)?;
    let mut documents = vec![];
    for (name, metadata) in shared.plane.list(Service::Blob, &account.name).await? {
        if let Some(found) = shared.plane.look(Service::Blob, &at(&account, &name)).await? {
            documents.push(document(&account, &name, &found, metadata));
        }
    }
    listing::page(shared, call, documents)
}

/// `GET …/containers/{name}`
/// <https://learn.microsoft.com/rest/api/storagerp/blob-containers/get>
pub(super) async fn get(shared: &Shared, call: &Call) -> Outcome {
    let (account, name) = named(shared, call)?;
    let found = existing(shared, &account, &name).await?;
    ok(&document(&account, &name, &found, found.metadata()))
}

/// `PUT …/containers/{name}`: 201 for a new one, 200 for one that is there and is updated.
/// <https://learn.microsoft.com/rest/api/storagerp/blob-containers/create>
pub(super) async fn put(shared: &Shared, call: &Call) -> Outcome {
    let (account, name) = named(shared, call)?;
    check_name(&name)?;
    let properties = &call.body["properties"];
    let mut headers = metadata_headers(&properties["metadata"])?;
    headers.extend(public(&account, properties)?);
    let path = at(&account, &name);
    // "a container with the same name can't be created for at least 30 seconds"
    // <https://learn.microsoft.com/rest/api/storageservices/delete-container#remarks>
    if shared.world().refuse_resting(&path) {
        let message = "The specified container is being deleted. Try operation later.";
        return Err(Refusal::new(409, "ContainerOperationFailure", message));
    }
    let there = shared.plane.look(Service::Blob, &path).await?.is_some();
    if there {
        write_metadata(shared, &account, &name, &properties["metadata"]).await?;
    } else {
        let reply = shared.plane.ask(Service::Blob, Method::PUT, &path, &borrowed(&headers), "").await?;
        if !reply.status().is_success() {
            return Err(Refusal::broken(String::from_utf8_lossy(reply.body())));
        }
    }
    let found = existing(shared, &account, &name).await?;
    Ok(json(if there { 200 } else { 201 }, &document(&account, &name, &found, found.metadata())))
}

/// `PATCH …/containers/{name}`: metadata, where it is given, is replaced.
/// <https://learn.microsoft.com/rest/api/storagerp/blob-containers/update>
pub(super) async fn patch(shared: &Shared, call: &Call) -> Outcome {
    let (account, name) = named(shared, call)?;
    existing(shared, &account, &name).await?;
    let properties = &call.body["properties"];
    public(&account, properties)?;
    write_metadata(shared, &account, &name, &properties["metadata"]).await?;
    let found = existing(shared, &account, &name).await?;
    ok(&document(&account, &name, &found, found.metadata()))
}

/// `DELETE …/containers/{name}`, with all that is in it.
/// <https://learn.microsoft.com/rest/api/storagerp/blob-containers/delete>
pub(super) async fn delete(shared: &Shared, call: &Call) -> Outcome {
    let (account, name) = named(shared, call)?;
    let path = at(&account, &name);
    let Some(found) = shared.plane.look(Service::Blob, &path).await? else { return Ok(empty(204)) };
    held(&account, &name)?;
    if found.header("x-ms-lease-state") == Some("leased") {
        let message =
            "There is currently a lease on the container and no lease ID was specified in the request.";
        return Err(Refusal::new(412, "LeaseIdMissing", message));
    }
    let reply = shared.plane.ask(Service::Blob, Method::DELETE, &path, &[], "").await?;
    if !reply.status().is_success() {
        return Err(Refusal::broken(String::from_utf8_lossy(reply.body())));
    }
    shared.lay_to_rest(path);
    Ok(empty(200))
}

/// <https://learn.microsoft.com/azure/storage/blobs/immutable-storage-overview>
fn held(account: &Account, name: &str) -> Result<(), Refusal> {
    let Some(holds) = account.holds.get(name) else { return Ok(()) };
    let (code, why) = if holds["hasLegalHold"] == true {
        ("ContainerHasLegalHold", "the container has one or more legal holds")
    } else if holds["hasImmutabilityPolicy"] == true {
        ("ContainerImmutabilityPolicyLocked", "the container has a locked immutability policy")
    } else {
        return Ok(());
    };
    Err(Refusal::new(409, code, format!("The requested operation is not allowed as {why}.")))
}

async fn existing(shared: &Shared, account: &Account, name: &str) -> Result<Found, Refusal> {
    let found = shared.plane.look(Service::Blob, &at(account, name)).await?;
    found.ok_or_else(|| Refusal::new(404, "ContainerNotFound", "The specified container does not exist."))
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
    let path = format!("{}&comp=metadata", at(account, name));
    let reply = shared.plane.ask(Service::Blob, Method::PUT, &path, &borrowed(&headers), "").await?;
    if reply.status().is_success() { Ok(()) } else { Err(Refusal::broken(reply.status())) }
}

/// The header that opens a container to everybody, when that is wished and allowed.
/// <https://learn.microsoft.com/azure/storage/blobs/anonymous-read-access-prevent>
fn public(account: &Account, properties: &Value) -> Result<Option<(String, String)>, Refusal> {
    let wished = match properties["publicAccess"].as_str() {
        None | Some("None") => return Ok(None),
        Some("Blob") => "blob",
        Some("Container") => "container",
        Some(_) => return Err(Refusal::invalid("publicAccess")),
    };
    if account.allows("allowBlobPublicAccess", false) {
        return Ok(Some(("x-ms-blob-public-access".to_owned(), wished.to_owned())));
    }
    let message = "Public access is not permitted on this storage account.";
    Err(Refusal::new(409, "PublicAccessNotPermitted", message))
}

/// "3-63: Lowercase letters, numbers, and hyphens. Start with letter or number. Can't use
/// consecutive hyphens."
/// <https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules#microsoftstorage>
pub(super) fn check_name(name: &str) -> Result<(), Refusal> {
    let letters = name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    let hyphens = name.starts_with('-') || name.ends_with('-') || name.contains("--");
    if letters && !hyphens && (3..=63).contains(&name.len()) {
        return Ok(());
    }
    let message = "The specified resource name contains invalid characters or its length is not within the \
                   permissible limits.";
    Err(Refusal::new(400, "InvalidResourceName", message))
}

fn named(shared: &Shared, call: &Call) -> Result<(Account, String), Refusal> {
    Ok((accounts::ready(shared, call)?, call.name().to_owned()))
}

fn at(account: &Account, name: &str) -> String {
    format!("/{}/{name}?restype=container", account.name)
}

fn document(account: &Account, name: &str, found: &Found, metadata: Map<String, Value>) -> Value {
    let text = |header: &str| found.header(header).unwrap_or_default().to_owned();
    let capital = |text: String| {
        let mut letters = text.chars();
        letters
            .next()
            .map_or(String::new(), |first| first.to_ascii_uppercase().to_string() + letters.as_str())
    };
    let access = match found.header("x-ms-blob-public-access") {
        Some("blob") => "Blob",
        Some("container") => "Container",
        _ => "None",
    };
    let mut properties = json!({
        "publicAccess": access, "metadata": metadata, "lastModifiedTime": text("last-modified"),
        "leaseStatus": capital(text("x-ms-lease-status")), "leaseState": capital(text("x-ms-lease-state")),
        "hasImmutabilityPolicy": false, "hasLegalHold": false, "deleted": false, "remainingRetentionDays": 0,
    });
    if let (Some(all), Some(holds)) =
        (properties.as_object_mut(), account.holds.get(name).and_then(Value::as_object))
    {
        all.extend(holds.clone());
    }
    json!({
        "id": format!("{}/blobServices/default/containers/{name}", account.id()), "name": name,
        "type": "Microsoft.Storage/storageAccounts/blobServices/containers", "etag": text("etag"),
        "properties": properties,
    })
}
