//! What gives access to the data: keys, and signatures made with them.
//!
//! <https://learn.microsoft.com/rest/api/storagerp/storage-accounts>

use serde_json::{Value, json};

use super::Shared;
use super::accounts;
use super::answer::{Outcome, Refusal, ok};
use super::arm::Call;
use super::sas;
use super::store::{Account, Key};

/// `POST …/listKeys`
/// <https://learn.microsoft.com/rest/api/storagerp/storage-accounts/list-keys>
pub(super) fn list(shared: &Shared, call: &Call) -> Outcome {
    ok(&document(&accounts::ready(shared, call)?))
}

/// `POST …/regenerateKey`
/// <https://learn.microsoft.com/rest/api/storagerp/storage-accounts/regenerate-key>
pub(super) async fn regenerate(shared: &Shared, call: &Call) -> Outcome {
    let mut account = accounts::ready(shared, call)?;
    let which = match call.body["keyName"].as_str() {
        Some("key1") => 0,
        Some("key2") => 1,
        _ => return Err(Refusal::invalid("keyName")),
    };
    account.keys[which] = Key::fresh();
    let owner = shared.world().owner.clone();
    let keys = [account.keys[0].value.as_str(), account.keys[1].value.as_str()];
    shared.plane.open_account(&owner, &account.name, keys).await?;
    let reply = document(&account);
    shared.world().accounts.insert(account.name.clone(), account);
    ok(&reply)
}

/// `POST …/ListAccountSas`
/// <https://learn.microsoft.com/rest/api/storagerp/storage-accounts/list-account-sas>
pub(super) fn account_sas(shared: &Shared, call: &Call) -> Outcome {
    let account = accounts::ready(shared, call)?;
    let token = sas::account(&account.name, chosen(&account, &call.body), &call.body)?;
    ok(&json!({ "accountSasToken": token }))
}

/// `POST …/ListServiceSas`
/// <https://learn.microsoft.com/rest/api/storagerp/storage-accounts/list-service-sas>
pub(super) fn service_sas(shared: &Shared, call: &Call) -> Outcome {
    let account = accounts::ready(shared, call)?;
    ok(&json!({ "serviceSasToken": sas::service(chosen(&account, &call.body), &call.body)? }))
}

fn chosen<'a>(account: &'a Account, body: &Value) -> &'a str {
    let second = body["keyToSign"].as_str() == Some("key2");
    &account.keys[usize::from(second)].value
}

fn document(account: &Account) -> Value {
    let keys: Vec<_> = ["key1", "key2"]
        .into_iter()
        .zip(&account.keys)
        .map(|(name, key)| {
            json!({
                "keyName": name, "value": key.value, "permissions": "FULL", "creationTime": key.created,
            })
        })
        .collect();
    json!({ "keys": keys })
}
