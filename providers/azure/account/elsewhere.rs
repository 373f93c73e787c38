//! An account that is not in the resource group may exist elsewhere: names are globally unique.

use serde_json::json;

use super::{Account, call};
use crate::error::{Kind, Result};
use crate::providers::azure::session::Api;
use crate::resource::{Forbids, Resource, Seen};
use crate::text::{clean, word};

impl Account {
    /// Whether no account has its name, as far as Azure reports it (Z1); asked once a run.
    pub(super) async fn name_is_free(&self, api: &Api) -> Result<bool> {
        let at = self.address();
        let path = format!("{}/providers/Microsoft.Storage/checkNameAvailability", api.subscription_id());
        let asked = json!({"name": self.name, "type": "Microsoft.Storage/storageAccounts"});
        let call = call("Microsoft.Storage/checknameavailability/read", &at);
        let ask = async {
            match api.arm.post(&path, Some(&asked), call).await {
                Ok(answer) => Ok(answer["nameAvailable"].as_bool().unwrap_or(true)),
                // A hint only: the creating call is authoritative.
                Err(error) if matches!(error.kind(), Kind::Denied | Kind::Refused | Kind::Failed) => Ok(true),
                Err(error) => Err(error),
            }
        };
        api.name_is_free.get_or_try_init(|| ask).await.copied()
    }

    /// Where the account is that has its name and is not in the resource group.
    pub(super) async fn look_for_owner(&self, api: &Api, found: &mut Seen<Self>) -> Result<()> {
        let at = self.address();
        let path = format!("{}/providers/Microsoft.Storage", api.subscription_id());
        let action = "Microsoft.Storage/storageAccounts/read";
        let all = match api.arm.list(&format!("{path}/storageAccounts"), call(action, &at)).await {
            Err(error) if error.kind() == Kind::Denied => {
                found.obstacle(
                    Forbids::Write,
                    "the account name is taken; whether by an account of this subscription cannot be checked",
                    format!("grant {action} on the subscription, or choose another name with --account"),
                );
                return Ok(());
            }
            all => all?,
        };
        let there = all.iter().find(|account| {
            account["name"].as_str().is_some_and(|name| name.eq_ignore_ascii_case(&self.name))
        });
        match there.and_then(|account| account["id"].as_str()?.split('/').nth(4)) {
            // It appeared meanwhile; the write reads it again.
            Some(group) if group.eq_ignore_ascii_case(&api.resource_group) => {}
            Some(group) => found.obstacle(
                Forbids::Write,
                format!("the account is in the resource group {}", clean(group)),
                format!(
                    "add `--resource-group {}`, or choose another name with --account",
                    word(group).unwrap_or("GROUP")
                ),
            ),
            None => found.obstacle(
                Forbids::Write,
                "the account name is taken outside this subscription",
                "account names are globally unique, and an account deleted in the last 14 days may still \
                 reserve its name; choose another with --account, or give its subscription with \
                 --subscription",
            ),
        }
        Ok(())
    }
}
