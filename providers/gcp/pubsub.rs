//! The calls that topics and subscriptions have in common. Both are known by their address.

use serde_json::{Value, json};

use crate::error::{Error, Result};
use crate::http::Method;
use crate::mark::{Entries, entries};
use crate::providers::gcp::session::Api;
use crate::resource::Address;

/// Where the topic or subscription `address` is in the API.
pub(crate) fn path(api: &Api, address: &Address) -> String {
    format!("/v1/projects/{}/{}s/{}", api.project, address.kind(), address.name())
}

fn permission(address: &Address, verb: &str) -> String {
    format!("pubsub.{}s.{verb}", address.kind())
}

/// What is at `address`; `None` only if Pub/Sub reports that it does not exist.
///
/// # Errors
/// Those of the cloud.
pub(crate) async fn get(api: &Api, address: &Address) -> Result<Option<Value>> {
    let found = api.pubsub().await?.find(&path(api, address), &permission(address, "get"), address).await?;
    Ok(found.map(Value::Object))
}

/// Creates what is at `address`, with these `settings`.
///
/// # Errors
/// That of [`Error::exists`]; those of the cloud.
pub(crate) async fn create(api: &Api, address: &Address, settings: &Value) -> Result<()> {
    match api.pubsub().await?.write(Method::PUT, &path(api, address), Some(settings)).await? {
        Ok(()) => Ok(()),
        // Created by this run if a response was lost; otherwise by others (G15).
        Err(refusal) if refusal.is_taken() => Err(Error::exists(address)),
        Err(refusal) => Err(refusal.explain(&permission(address, "create"), address)),
    }
}

/// Writes the fields of `settings` that are in `mask`.
///
/// # Errors
/// Those of the cloud.
pub(crate) async fn update(api: &Api, address: &Address, settings: &Value, mask: &str) -> Result<()> {
    let mut settings = settings.clone();
    settings["name"] = json!(path(api, address).trim_start_matches("/v1/"));
    let body = json!({ address.kind(): settings, "updateMask": mask });
    let updated = api.pubsub().await?.write(Method::PATCH, &path(api, address), Some(&body)).await?;
    updated.map_err(|refusal| refusal.explain(&permission(address, "update"), address))
}

/// Deletes what is at `address`, if anything.
///
/// # Errors
/// Those of the cloud.
pub(crate) async fn delete(api: &Api, address: &Address) -> Result<()> {
    match api.pubsub().await?.write(Method::DELETE, &path(api, address), None).await? {
        Err(refusal) if !refusal.is_not_found() => {
            Err(refusal.explain(&permission(address, "delete"), address))
        }
        _ => Ok(()),
    }
}

/// The labels of what is at `address`; `None` if it does not exist.
///
/// # Errors
/// Those of the cloud.
pub(crate) async fn labels_of(api: &Api, address: &Address) -> Result<Option<Entries>> {
    Ok(get(api, address).await?.map(|found| entries(&found["labels"])))
}

/// Sets the labels of what is at `address` to the result of `edit`; writes nothing if it does not exist or
/// nothing changes. Pub/Sub has no condition on this, so they are read just before.
///
/// # Errors
/// Those of the cloud and of `edit`.
pub(crate) async fn relabel(
    api: &Api,
    address: &Address,
    edit: impl Fn(Entries) -> Result<Entries>,
) -> Result<()> {
    let Some(before) = labels_of(api, address).await? else { return Ok(()) };
    let after = edit(before.clone())?;
    if after == before {
        return Ok(());
    }
    update(api, address, &json!({ "labels": after }), "labels").await
}
