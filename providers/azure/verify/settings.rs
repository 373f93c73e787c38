//! What Azure Resource Manager reports of the account, the container and the event subscription, before
//! anything is tried.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use crate::error::{Error, Kind, Result};
use crate::providers::azure::account::Account;
use crate::providers::azure::arm::{Call, version};
use crate::providers::azure::event_subscription::EventSubscription;
use crate::providers::azure::lock;
use crate::providers::azure::session::Api;
use crate::providers::azure::spelling::{flag, number};
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
pub(super) async fn read(
    api: &Api,
    container: &str,
    subscription: Option<&EventSubscription>,
) -> Result<Settings> {
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
        let Some(subscription) = subscription else { return Ok(None) };
        let name = subscription.name.as_str();
        let path = format!("/providers/Microsoft.EventGrid/eventSubscriptions/{name}");
        let action = "Microsoft.EventGrid/eventSubscriptions/read";
        let found = look(path, "event-subscription", name.to_owned(), action, version::EVENT_GRID).await?;
        if matches!(found, Ok(None))
            && let Some(same) = subscription.same_of_others(api).await?
        {
            return Ok(Some(passed(format!("{same}, which is not wbstore's, sends the events"))));
        }
        Ok(Some(provisioning(&found)))
    };
    // The plan has read them.
    if let Ok((locks, _)) = lock::locks(api, &Account::at(&api.account)).await
        && let Some(lock) = lock::read_only(locks, &api.account_id())
    {
        return Err(Error::refused(format!(
            "{lock} denies signing the upload and the reads of the queue, without which nothing can be verified"
        ))
        .hint("ask its owner to remove it temporarily, or run `wbstore verify azure --as node` with the account's key"));
    }
    let account = "Microsoft.Storage/storageAccounts/read";
    let path = format!("/blobServices/default/containers/{container}");
    let (account, container, subscription) = tokio::try_join!(
        look(String::new(), "account", api.account.clone(), account, version::STORAGE),
        look(path, "container", container.to_owned(), CONTAINER, version::STORAGE),
        subscription
    )?;
    if let Ok(Some(account)) = &account {
        api.learn(account)?;
    }
    let until = created(&account).and_then(|created| Settling::until(created, SETTLES_WITHIN));
    Ok(Settings {
        public: exposure(&account, &container),
        subscription,
        reader: vec![],
        settling: until.map(|until| Settling::Endpoint { until, name: "new account", statuses: &[403, 404] }),
        kept_by: kept_by(&account, &container),
    })
}

fn created(account: &Seen) -> Option<Timestamp> {
    account.as_ref().ok()?.as_ref()?["properties"]["creationTime"].as_str()?.parse().ok()
}

/// What would keep a probe from being removed.
fn kept_by(account: &Seen, container: &Seen) -> Option<String> {
    let properties = |seen: &Seen| Some(seen.as_ref().ok()?.as_ref()?["properties"].clone());
    let container = properties(container)?;
    let kept_by = [("hasLegalHold", "a legal hold"), ("hasImmutabilityPolicy", "an immutability policy")];
    let kept_by = kept_by.iter().find(|(property, _)| flag(&container[*property]) == Some(true));
    if let Some((_, what)) = kept_by {
        return Some((*what).to_owned());
    }
    let policy = &properties(account)?["immutableStorageWithVersioning"]["immutabilityPolicy"];
    let days = number(&policy["immutabilityPeriodSinceCreationInDays"]).filter(|days| *days > 0)?;
    Some(format!("the account's immutability policy of {days} days"))
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
    let state = subscription["properties"]["provisioningState"].as_str();
    let known = ["Succeeded", "Failed", "Canceled"];
    match state.map(|state| known.into_iter().find(|one| one.eq_ignore_ascii_case(state)).unwrap_or(state)) {
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
        let plain = there(json!({}));
        let kept_by = |account: &Seen, container| kept_by(account, &there(container));
        assert_eq!(kept_by(&plain, json!({ "hasLegalHold": true })).as_deref(), Some("a legal hold"));
        assert_eq!(kept_by(&plain, json!({ "hasLegalHold": false })), None);
        let policy = json!({ "immutabilityPeriodSinceCreationInDays": 3 });
        let account = there(json!({ "immutableStorageWithVersioning": { "immutabilityPolicy": policy } }));
        assert!(kept_by(&account, json!({})).unwrap().contains("3 days"));
    }
}
