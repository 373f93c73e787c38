//! Whether a deleted container can be restored (Azure documentation, "Soft delete for containers").

use jiff::Timestamp;
use serde_json::Value;

use crate::error::{Kind, Result};
use crate::providers::azure::arm::{Call, version};
use crate::providers::azure::session::Api;
use crate::providers::azure::spelling::{flag, number};
use crate::resource::Address;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SoftDelete {
    Off,
    Days(i64),
    Unknown,
}

impl SoftDelete {
    pub(super) async fn find(api: &Api, container: &str) -> Result<Self> {
        let target = &Address::new("azure", "objects", container);
        let action = "Microsoft.Storage/storageAccounts/blobServices/read";
        let path = format!("{}/blobServices/default", api.account_id());
        match api.arm.get(&path, Call { action, target, version: version::STORAGE }).await {
            Ok(service) => Ok(Self::read(&service.unwrap_or_default())),
            Err(error) if error.kind() == Kind::Denied => Ok(Self::Unknown),
            Err(error) => Err(error),
        }
    }

    fn read(service: &Value) -> Self {
        let policy = &service["properties"]["containerDeleteRetentionPolicy"];
        match (flag(&policy["enabled"]), number(&policy["days"])) {
            (Some(true), Some(days)) => Self::Days(days),
            _ => Self::Off,
        }
    }

    /// The finding for a reviewer.
    pub(super) fn finding(self, account: &str, container: &str, now: Timestamp) -> Option<String> {
        match self {
            Self::Off => None,
            Self::Unknown => Some("cannot check whether the account keeps deleted containers".to_owned()),
            Self::Days(days) => {
                let until = now.checked_add(jiff::SignedDuration::from_hours(days * 24)).ok()?;
                Some(format!(
                    "the account keeps deleted containers for {days} days: until {} this one is billed and, unless its \
                     name is used again, can be restored: `az storage container list --account-name {account} \
                     --include-deleted --query \"[?name=='{container}'].version\"` prints the version for `az storage \
                     container restore --account-name {account} --name {container} --deleted-version VERSION`",
                    until.strftime("%Y-%m-%d")
                ))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn soft_delete_is_shown_with_its_end() {
        let policy =
            |policy| SoftDelete::read(&json!({"properties": {"containerDeleteRetentionPolicy": policy}}));
        assert_eq!(policy(json!({"enabled": true, "days": 7})), SoftDelete::Days(7));
        assert_eq!(policy(json!({"enabled": false, "days": 7})), SoftDelete::Off);
        assert_eq!(policy(json!(null)), SoftDelete::Off);
        let finding = |soft: SoftDelete| soft.finding("acme", "wandb", Timestamp::UNIX_EPOCH);
        let days = finding(SoftDelete::Days(7)).unwrap();
        assert!(days.contains("for 7 days: until 1970-01-08"), "{days}");
        assert!(days.contains("restore --account-name acme --name wandb --deleted-version"), "{days}");
        assert_eq!(finding(SoftDelete::Off), None);
    }
}
