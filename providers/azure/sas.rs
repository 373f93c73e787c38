//! Shared access signatures: short permissions, signed with the account's key as the W&B server signs
//! its URLs.
//!
//! ARM does the signing ("Storage Accounts - List Service SAS" and "List Account SAS"), so that the key
//! itself never comes here. A signature is a secret until it expires: it appears only in URLs, which are
//! never shown.

use std::time::Duration;

use azure_core::credentials::Secret;
use jiff::Timestamp;
use serde_json::{Value, json};
use url::Url;

use crate::error::{Error, Kind, Result};
use crate::providers::azure::arm::{Call, version};
use crate::providers::azure::session::Api;
use crate::resource::Address;

/// How long a signature is valid: long enough for one read or one upload on a slow link.
const GOOD_FOR: Duration = Duration::from_secs(15 * 60);
/// A signature is not used any more when so little is left of it.
const SPARE: Duration = Duration::from_secs(3 * 60);

/// The action that signing for a container requires.
pub(crate) const LIST_SERVICE_SAS: &str = "Microsoft.Storage/storageAccounts/listServiceSas/action";
/// The action that signing for queues requires.
pub(crate) const LIST_ACCOUNT_SAS: &str = "Microsoft.Storage/storageAccounts/listAccountSas/action";

/// What is signed for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Scope<'a> {
    /// The blobs of this container, with these permissions, in the order of "Create a service SAS".
    Container(&'a str, &'static str),
    /// For peeking at the messages of the account's queues, and receiving the probe's. ARM signs for no single
    /// queue.
    Queues,
}

/// A signature.
#[derive(Clone, Debug)]
pub(crate) struct Sas {
    query: Secret,
    ends: Timestamp,
}

impl Sas {
    /// Requests a signature for `scope` from ARM; `None` if the account does not exist. Each look requests its own,
    /// which shows whether the account is still there: the name of a deleted one does not resolve.
    ///
    /// # Errors
    /// Those of the call; [`Kind::Failed`] for a response without a signature.
    pub(crate) async fn find(api: &Api, scope: Scope<'_>) -> Result<Option<Self>> {
        let now = Timestamp::now();
        let ends = now.checked_add(GOOD_FOR).unwrap_or(now);
        let (action, operation, field, target) = match scope {
            Scope::Container(container, _) => (
                LIST_SERVICE_SAS,
                "listServiceSas",
                "serviceSasToken",
                Address::new("azure", "container", container),
            ),
            Scope::Queues => (
                LIST_ACCOUNT_SAS,
                "listAccountSas",
                "accountSasToken",
                Address::new("azure", "account", &api.account),
            ),
        };
        let call = Call { action, target: &target, version: version::STORAGE };
        let path = format!("{}/{operation}", api.account_id());
        let body = parameters(api, scope, ends);
        let Some(answer) = api.arm.ask(&path, &body, call).await? else { return Ok(None) };
        match answer[field].as_str().map(|text| text.trim_start_matches('?')).filter(|text| !text.is_empty())
        {
            Some(query) => Ok(Some(Self { query: Secret::new(query.to_owned()), ends })),
            None => Err(Error::new(
                Kind::Failed,
                format!("{action} on {target}: the response contains no signature"),
            )),
        }
    }

    /// Requests a signature for `scope` of an account that must exist.
    ///
    /// # Errors
    /// As [`Sas::find`]; [`Kind::Failed`] if the account does not exist.
    pub(crate) async fn signed(api: &Api, scope: Scope<'_>) -> Result<Self> {
        Self::find(api, scope).await?.ok_or_else(|| {
            Error::new(Kind::Failed, format!("the storage account {} does not exist", api.account))
                .hint("`wbstore provision azure` creates it")
        })
    }

    /// The query string for a client.
    pub(crate) fn query(&self) -> &str {
        self.query.secret()
    }

    /// `url` with the signature: a secret.
    pub(crate) fn sign(&self, url: &Url) -> Url {
        let mut signed = url.clone();
        signed.set_query(Some(self.query()));
        signed
    }

    /// Whether it is good for a while yet.
    pub(crate) fn is_fresh(&self) -> bool {
        Timestamp::now().duration_until(self.ends) > jiff::SignedDuration::try_from(SPARE).unwrap_or_default()
    }
}

fn parameters(api: &Api, scope: Scope<'_>, ends: Timestamp) -> Value {
    let protocol = if api.signs_for_http() { "https,http" } else { "https" };
    let expiry = format!("{:.0}", ends);
    match scope {
        Scope::Container(container, permissions) => json!({
            "canonicalizedResource": format!("/blob/{}/{container}", api.account),
            "signedResource": "c",
            "signedPermission": permissions,
            "signedProtocol": protocol,
            "signedExpiry": expiry,
            "keyToSign": "key1",
        }),
        Scope::Queues => json!({
            "signedServices": "q",
            // The length of a queue is read at the container level, its messages are objects ("Create an
            // account SAS").
            "signedResourceTypes": "co",
            "signedPermission": "rp",
            "signedProtocol": protocol,
            "signedExpiry": expiry,
            "keyToSign": "key1",
        }),
    }
}
