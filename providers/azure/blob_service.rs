//! The blob service of an account, one document with CORS rules, soft delete and more (Storage resource provider REST API,
//! "Blob Services - Set Service Properties"). It is written whole, and has no precondition.

use std::time::Duration;

use serde_json::{Value, json};

use crate::providers::azure::arm::{Call, version};
use crate::providers::azure::session::Api;
use crate::resource::Address;

/// How long the blob service of a new account may be unavailable.
pub(super) const SERVED_WITHIN: Duration = Duration::from_secs(300);

pub(super) fn id(api: &Api) -> String {
    format!("{}/blobServices/default", api.account_id())
}

pub(super) fn reading(target: &Address) -> Call<'_> {
    Call { action: "Microsoft.Storage/storageAccounts/blobServices/read", target, version: version::STORAGE }
}

pub(super) fn writing(target: &Address) -> Call<'_> {
    Call { action: "Microsoft.Storage/storageAccounts/blobServices/write", target, version: version::STORAGE }
}

/// The properties of `service` without those that only Azure sets.
pub(super) fn settable(service: &Value) -> Value {
    let mut properties = service["properties"].clone();
    if !properties.is_object() {
        properties = json!({});
    }
    if let Some(restore) = properties.get_mut("restorePolicy").and_then(Value::as_object_mut) {
        restore.remove("minRestoreTime");
        restore.remove("lastEnabledTime");
    }
    properties
}
