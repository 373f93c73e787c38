//! What Azure Resource Manager reports of the account, the container and the event subscription, before
//! anything is tried.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use crate::error::{Error, Kind, Result};
use crate::providers::azure::arm::{Call, version};
use crate::providers::azure::session::Api;
use crate::resource::Address;
use crate::text::clean;
use crate::verify::{Settings, Settling, Verdict, failed, inconclusive, passed};

/// How long after its creation an account may be unreachable: its names reach DNS, and its data plane the
/// rest of Azure, some minutes after Azure Resource Manager knows it (Z25).
const SETTLES_WITHIN: Duration = Duration::from_secs(5 * 60);

/// A setting, or why it may not be read.
type Seen = std::result::Result<Option<Value>, String>;

/// Reads all of them at once.
///
/// # Errors
/// Those of the calls, but for being denied.
pub(super) async fn read(api: &Api, container: &str, subscription: Option<&str>) -> Result<Settings> {
    const CONTAINER: &str = "Microsoft.Storage/storageAccounts/blobServices/containers/read";
    let seen = |found: Result<Option<Value>>| -> Result<Seen> {
        let denied = |error: Error| match error.kind() {
            Kind::Denied => Ok(Err(error.chain())),
            _ => Err(error),
        };
        found.map_or_else(denied, |found| Ok(Ok(found)))
    };
    let look = |path: String, kind: &'static str, name: String, action: &'static str, version| async move {
        let target = Address::new("azure", kind, &name);
        seen(
            api.arm
                .get(&format!("{}{path}", api.account_id()), Call { action, target: &target, version })
                .await,
        )
    };
    let subscription = async {
        let Some(name) = subscription else { return Ok(None) };
        let path = format!("/providers/Microsoft.EventGrid/eventSubscriptions/{name}");
        let action = "Microsoft.EventGrid/eventSubscriptions/read";
        look(path, "event-subscription", name.to_owned(), action, version::EVENT_GRID).await.map(Some)
    };
    let account = "Microsoft.Storage/storageAccounts/read";
    let path = format!("/blobServices/default/containers/{container}");
    let (account, container, subscription) = tokio::try_join!(
        look(String::new(), "account", api.account.clone(), account, version::STORAGE),
        look(path, "container", container.to_owned(), CONTAINER, version::STORAGE),
        subscription
    )?;
    let until = created(&account).and_then(|created| Settling::until(created, SETTLES_WITHIN));
    Ok(Settings {
        public: exposure(&account, &container),
        subscription: subscription.map(|found| provisioning(&found)),
        settling: until.map(|until| Settling::Endpoint { until, name: "new account", statuses: &[403, 404] }),
        kept_by: kept_by(&container),
    })
}

fn created(account: &Seen) -> Option<Timestamp> {
    account.as_ref().ok()?.as_ref()?["properties"]["creationTime"].as_str()?.parse().ok()
}

/// What would keep a probe from being removed.
fn kept_by(container: &Seen) -> Option<String> {
    let properties = &container.as_ref().ok()?.as_ref()?["properties"];
    let kept_by = [("hasLegalHold", "a legal hold"), ("hasImmutabilityPolicy", "an immutability policy")];
    let kept_by = kept_by.iter().find(|(property, _)| properties[*property] == true);
    kept_by.map(|(_, what)| (*what).to_owned())
}

/// Whether the public is kept out of the container, and by what. Either setting alone does so (Azure
/// documentation, "Prevent anonymous read access to containers and blobs").
fn exposure(account: &Seen, container: &Seen) -> Verdict {
    let container = match container {
        Ok(Some(container)) => container,
        Ok(None) => return inconclusive("the container does not exist"),
        Err(why) => return inconclusive(why),
    };
    let open = container["properties"]["publicAccess"].as_str().unwrap_or("None");
    let account_allows = match account {
        // Left out it is false ("Storage Accounts - Get Properties").
        Ok(Some(account)) => Some(account["properties"]["allowBlobPublicAccess"] == true),
        _ => None,
    };
    match (open, account_allows) {
        ("None", Some(false)) => {
            passed("the container is private, and the account allows no public container")
        }
        ("None", _) => passed("the container is private; other containers of the account may be public"),
        (open, Some(false)) => passed(format!(
            "the container is set to public access `{}`, which the account does not allow",
            clean(open)
        )),
        (open, _) => failed(
            format!("the container is public: its public access is `{}`", clean(open)),
            "`wbstore provision azure` makes the container private",
        ),
    }
}

/// Whether the event subscription is ready.
fn provisioning(subscription: &Seen) -> Verdict {
    let subscription = match subscription {
        Ok(Some(subscription)) => subscription,
        Ok(None) => return failed("it does not exist", "`wbstore provision azure` creates it"),
        Err(why) => return inconclusive(why),
    };
    match subscription["properties"]["provisioningState"].as_str() {
        Some("Succeeded") => passed("provisioned"),
        Some("Failed" | "Canceled") => failed(
            "its provisioning failed, and it does not deliver",
            "`wbstore provision azure` creates it again",
        ),
        Some(state) => failed(
            format!("its provisioning state is `{}`", clean(state)),
            "it is still being created; run again in a minute",
        ),
        None => inconclusive("Event Grid does not report its provisioning state"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn there(properties: Value) -> Seen {
        Ok(Some(json!({ "properties": properties })))
    }

    #[test]
    fn a_container_is_open_only_where_both_allow_it() {
        let verdict = |allows: Option<bool>, access| {
            exposure(
                &there(json!({ "allowBlobPublicAccess": allows })),
                &there(json!({ "publicAccess": access })),
            )
        };
        assert!(matches!(verdict(Some(false), "None"), Verdict::Passed { .. }));
        assert!(matches!(verdict(Some(true), "None"), Verdict::Passed { .. }));
        assert!(matches!(verdict(None, "Blob"), Verdict::Passed { .. }));
        let Verdict::Failed { reason, .. } = verdict(Some(true), "Blob") else { panic!("it is open") };
        assert!(reason.contains("`Blob`"), "{reason}");
        let denied = Err("denied".to_owned());
        assert!(matches!(exposure(&there(json!({})), &denied), Verdict::Inconclusive { .. }));
    }

    #[test]
    fn only_a_subscription_that_succeeded_delivers() {
        let verdict = |state| provisioning(&there(json!({ "provisioningState": state })));
        assert!(matches!(verdict("Succeeded"), Verdict::Passed { .. }));
        for state in ["Creating", "Failed", "AwaitingManualAction"] {
            assert!(matches!(verdict(state), Verdict::Failed { .. }), "{state}");
        }
    }

    #[test]
    fn nothing_is_uploaded_that_could_not_be_removed() {
        assert_eq!(kept_by(&there(json!({ "hasLegalHold": true }))).as_deref(), Some("a legal hold"));
        assert_eq!(kept_by(&there(json!({ "hasLegalHold": false }))), None);
    }
}
