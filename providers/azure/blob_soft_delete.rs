//! Soft delete of the account's blobs, where it is asked for: what other clouds have as versions ("Soft delete for blobs").

use serde::Serialize;
use serde_json::{Value, json};

use crate::error::{Error, Kind, Result};
use crate::event::Progress;
use crate::mark::{Marking, entries};
use crate::providers::azure::account::Account;
use crate::providers::azure::arm::{Call, version};
use crate::providers::azure::blob_service::{self, SERVED_WITHIN, settable};
use crate::providers::azure::mark::TAGS;
use crate::providers::azure::session::Api;
use crate::providers::azure::spelling::{flag, number};
use crate::resource::{Address, Deleted, Forbids, Owner, Removal, Resource, Seen};

/// For how long deleted blobs are kept, of the 1 to 365 days that Azure allows: what the portal proposes.
pub(super) const DAYS: i64 = 7;

/// The policy in the account's blob service.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct BlobSoftDelete {
    /// The account it is set on.
    #[serde(skip)]
    account: String,
    /// The CORS rule, which is written into the same document before.
    #[serde(skip)]
    rule: Address,
    /// What the account has as a tag if it is wbstore's.
    #[serde(skip)]
    mark: Marking,
    /// For how long deleted blobs are kept.
    days: i64,
}

impl BlobSoftDelete {
    /// The policy of `account`, which has `mark` if it is wbstore's; written after `rule`.
    pub(crate) fn of(account: &str, rule: Address, mark: Marking) -> Self {
        Self { account: account.to_owned(), rule, mark, days: DAYS }
    }

    /// The state in `service`; one that is longer is as good.
    fn observed(&self, service: &Value) -> Option<Self> {
        let policy = &service["properties"]["deleteRetentionPolicy"];
        let days = number(&policy["days"]).filter(|_| flag(&policy["enabled"]) == Some(true))?;
        Some(Self { days: days.min(self.days), ..self.clone() })
    }
}

impl Resource for BlobSoftDelete {
    type Api = Api;

    const REMOVAL: Removal = Removal::Setting;
    const READ_BACK: bool = true;

    fn address(&self) -> Address {
        Address::new("azure", "soft-delete", &self.account)
    }

    fn needs(&self) -> Vec<Address> {
        vec![Account::at(&self.account), self.rule.clone()]
    }

    fn part_of(&self) -> Option<Address> {
        Some(Account::at(&self.account))
    }

    async fn read(&self, api: &Api) -> Result<Seen<Self>> {
        let (at, id, account_id) = (self.address(), blob_service::id(api), api.account_id());
        let of_account =
            Call { action: "Microsoft.Storage/storageAccounts/read", target: &at, version: version::STORAGE };
        let (service, account) = futures::join!(
            api.arm.get(&id, blob_service::reading(&at)),
            api.arm.get(&account_id, of_account)
        );
        let (service, account) = (service?.unwrap_or_default(), account?);
        let mut seen = match self.observed(&service) {
            Some(state) => Seen::there(state, Owner::Ours),
            None => Seen::absent(),
        };
        let owner = account.map(|account| TAGS.read(&entries(&account["tags"])).owner(self.mark.storage()));
        if owner.is_some_and(|owner| owner != Owner::Ours) {
            seen.obstacle(
                Forbids::Write,
                "the account is not wbstore's, and soft delete would keep and bill the blobs of all its containers",
                format!(
                    "enable it with `az storage account blob-service-properties update --account-name {} \
                     --enable-delete-retention true --delete-retention-days {DAYS}`, or omit `--versioning`",
                    self.account
                ),
            );
        }
        Ok(seen)
    }

    async fn write(&self, api: &Api, _: &Seen<Self>, _: &Progress) -> Result<()> {
        let (at, id) = (self.address(), blob_service::id(api));
        let Some(service) = api.arm.get(&id, blob_service::reading(&at)).await? else {
            return Err(Error::new(Kind::NotYet, "the account has no blob service yet").within(SERVED_WITHIN));
        };
        let mut properties = settable(&service);
        let mut policy = properties["deleteRetentionPolicy"].as_object().cloned().unwrap_or_default();
        policy.extend([("enabled".to_owned(), json!(true)), ("days".to_owned(), json!(self.days))]);
        properties["deleteRetentionPolicy"] = policy.into();
        let body = json!({ "properties": properties });
        api.arm.put(&id, &body, SERVED_WITHIN, blob_service::writing(&at)).await
    }

    async fn delete(&self, _: &Api, _: &Self, _: &Progress) -> Result<Deleted> {
        Ok(Deleted::Gone)
    }
}
