//! Tables and file shares, of which only the names are known here: what else an account may hold; and its
//! management policy, which is kept and not applied.

use serde_json::{Value, json};

use super::answer::{Outcome, Refusal, ok};
use super::arm::Call;
use super::store::Account;
use super::{Shared, accounts, listing};

/// `GET …/tableServices/default/tables`
/// <https://learn.microsoft.com/rest/api/storagerp/table/list>
pub(super) fn tables(shared: &Shared, call: &Call) -> Outcome {
    let account = general(shared, call)?;
    let documents = account.tables.iter().map(|name| document(&account, "tableServices", "tables", name));
    listing::page(shared, call, documents.collect())
}

/// `GET …/fileServices/default/shares`
/// <https://learn.microsoft.com/rest/api/storagerp/file-shares/list>
pub(super) fn shares(shared: &Shared, call: &Call) -> Outcome {
    let account = general(shared, call)?;
    let documents = account.shares.iter().map(|name| document(&account, "fileServices", "shares", name));
    listing::page(shared, call, documents.collect())
}

/// `GET …/managementPolicies/default`
/// <https://learn.microsoft.com/rest/api/storagerp/management-policies/get>
pub(super) fn management_policy(shared: &Shared, call: &Call) -> Outcome {
    let account = accounts::ready(shared, call)?;
    if account.lifecycle.is_null() {
        let message = format!("No ManagementPolicy found for account {}", account.name);
        return Err(Refusal::new(404, "ManagementPolicyNotFound", message));
    }
    ok(&json!({
        "id": format!("{}/managementPolicies/default", account.id()), "name": "DefaultManagementPolicy",
        "type": "Microsoft.Storage/storageAccounts/managementPolicies", "properties": account.lifecycle,
    }))
}

/// Accounts for blobs alone have neither.
/// <https://learn.microsoft.com/azure/storage/common/storage-account-overview#types-of-storage-accounts>
fn general(shared: &Shared, call: &Call) -> Result<Account, Refusal> {
    let account = accounts::ready(shared, call)?;
    if account.kind == "BlobStorage" || account.kind == "BlockBlobStorage" {
        let message = "The requested feature is not supported for the account.";
        return Err(Refusal::new(400, "FeatureNotSupportedForAccount", message));
    }
    Ok(account)
}

fn document(account: &Account, service: &str, kind: &str, name: &str) -> Value {
    json!({
        "id": format!("{}/{service}/default/{kind}/{name}", account.id()), "name": name,
        "type": format!("Microsoft.Storage/storageAccounts/{service}/{kind}"), "properties": {},
    })
}
