//! What ARM says of the account, the container and the event subscription, before anything is tried.

use serde_json::Value;

use super::{Target, failed, inconclusive, passed};
use crate::error::{Kind, Result};
use crate::provider::Verdict;
use crate::providers::azure::arm::{Call, version};
use crate::providers::azure::session::Api;
use crate::resource::Address;
use crate::text::clean;

/// A setting, or why it may not be seen.
type Seen = std::result::Result<Option<Value>, String>;

/// The settings, as far as they may be seen.
pub struct Settings {
    account: Seen,
    container: Seen,
    subscription: Option<Seen>,
}

impl Settings {
    /// Reads all of them at once.
    ///
    /// # Errors
    /// Those of the calls, but for being denied.
    pub async fn read(api: &Api, target: &Target) -> Result<Self> {
        let account = api.account_id();
        let container = format!("{account}/blobServices/default/containers/{}", target.container);
        let look = |id: String, kind: &'static str, name: String, action: &'static str, version| async move {
            let address = Address::new("azure", kind, &name);
            match api.arm.get(&id, Call { action, target: &address, version }).await {
                Ok(found) => Ok(Ok(found)),
                Err(error) if error.kind() == Kind::Denied => Ok(Err(error.chain())),
                Err(error) => Err(error),
            }
        };
        let subscription = async {
            let Some((_, name)) = &target.events else { return Ok(None) };
            let id = format!("{}/providers/Microsoft.EventGrid/eventSubscriptions/{name}", api.account_id());
            let action = "Microsoft.EventGrid/eventSubscriptions/read";
            look(id, "event-subscription", name.clone(), action, version::EVENT_GRID).await.map(Some)
        };
        let (account, container, subscription) = tokio::try_join!(
            look(
                account,
                "account",
                api.account.clone(),
                "Microsoft.Storage/storageAccounts/read",
                version::STORAGE
            ),
            look(
                container,
                "container",
                target.container.to_string(),
                "Microsoft.Storage/storageAccounts/blobServices/containers/read",
                version::STORAGE
            ),
            subscription
        )?;
        Ok(Self { account, container, subscription })
    }

    /// When the account was made, in RFC 3339.
    pub fn account_created(&self) -> Option<&str> {
        self.account.as_ref().ok()?.as_ref()?["properties"]["creationTime"].as_str()
    }

    /// Whether strangers are kept out of the container, and by what. Either setting alone does so
    /// (Azure documentation, "Prevent anonymous read access to containers and blobs").
    pub fn exposure(&self) -> Verdict {
        let container = match &self.container {
            Ok(Some(container)) => container,
            Ok(None) => return inconclusive("ARM does not know the container"),
            Err(why) => return inconclusive(why.clone()),
        };
        let open = container["properties"]["publicAccess"].as_str().unwrap_or("None");
        let account_allows = match &self.account {
            // Left out it is false ("Storage Accounts - Get Properties").
            Ok(Some(account)) => Some(account["properties"]["allowBlobPublicAccess"] == true),
            _ => None,
        };
        match (open, account_allows) {
            ("None", Some(false)) => passed("the container is private, and the account allows no other"),
            ("None", _) => passed("the container is private; others of the account may be open"),
            (open, Some(false)) => passed(format!(
                "the container is set to public access `{}`, which the account does not allow",
                clean(open)
            )),
            (open, _) => failed(
                format!("the container is open to everybody: its public access is `{}`", clean(open)),
                "run `wbstore provision azure` again; it makes the container private",
            ),
        }
    }

    /// Whether the event subscription is ready; `None` where none is wanted.
    pub fn events(&self) -> Option<Verdict> {
        const AGAIN: &str = "run `wbstore provision azure` again";
        let subscription = match self.subscription.as_ref()? {
            Ok(Some(subscription)) => subscription,
            Ok(None) => return Some(failed("it is not there", AGAIN)),
            Err(why) => return Some(inconclusive(why.clone())),
        };
        Some(match subscription["properties"]["provisioningState"].as_str() {
            Some("Succeeded") => passed("provisioned"),
            Some("Failed" | "Canceled") => failed(
                "its provisioning failed, and it will never deliver",
                "run `wbstore provision azure` again; it makes the subscription anew",
            ),
            Some(state) => failed(
                format!("its provisioning state is `{}`", clean(state)),
                "it is still being made; run again in a minute",
            ),
            None => inconclusive("Event Grid does not tell its provisioning state"),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn settings(allows: Option<bool>, access: &str, state: &str) -> Settings {
        Settings {
            account: Ok(Some(json!({ "properties": { "allowBlobPublicAccess": allows } }))),
            container: Ok(Some(json!({ "properties": { "publicAccess": access } }))),
            subscription: Some(Ok(Some(json!({ "properties": { "provisioningState": state } })))),
        }
    }

    #[test]
    fn a_container_is_open_only_where_both_allow_it() {
        let exposure = |allows, access| settings(allows, access, "Succeeded").exposure();
        assert!(matches!(exposure(Some(false), "None"), Verdict::Passed { .. }));
        assert!(matches!(exposure(Some(true), "None"), Verdict::Passed { .. }));
        assert!(matches!(exposure(None, "Blob"), Verdict::Passed { .. }));
        let Verdict::Failed { reason, .. } = exposure(Some(true), "Blob") else { panic!("it is open") };
        assert!(reason.contains("`Blob`"), "{reason}");
    }

    #[test]
    fn what_may_not_be_seen_is_left_open() {
        let denied = Settings { container: Err("denied".to_owned()), ..settings(None, "None", "Succeeded") };
        assert!(matches!(denied.exposure(), Verdict::Inconclusive { .. }));
    }

    #[test]
    fn only_a_subscription_that_succeeded_delivers() {
        let events = |state| settings(None, "None", state).events().unwrap();
        assert!(matches!(events("Succeeded"), Verdict::Passed { .. }));
        for state in ["Creating", "Failed", "AwaitingManualAction"] {
            assert!(matches!(events(state), Verdict::Failed { .. }), "{state}");
        }
        let internal = Settings { subscription: None, ..settings(None, "None", "Succeeded") };
        assert!(internal.events().is_none());
    }
}
