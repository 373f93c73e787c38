//! What is in one storage account: its containers, queues and event subscriptions that carry a mark.

use futures::StreamExt;
use serde_json::Value;

use super::{Account, seconds};
use crate::error::Result;
use crate::inventory::{Looked, Marked};
use crate::mark::{ROLE, entries};
use crate::providers::azure::arm::{Call, version};
use crate::providers::azure::held::{CONTAINER, CONTAINERS, Collection, DEAD_LETTER, QUEUE, QUEUES};
use crate::providers::azure::mark::{LABELS, METADATA, pairs};
use crate::providers::azure::session::Api;
use crate::resource::Address;
use crate::text::word;

/// A list may leave metadata out. Up to this many containers or queues of one account are then read one by
/// one, because Azure allows some hundred reads in five minutes (Z5).
const ONE_BY_ONE: usize = 20;
/// The same if the user limited the search.
const ONE_BY_ONE_CLOSELY: usize = 200;
const AT_ONCE: usize = 8;

pub(super) const EVENT_SUBSCRIPTION: &str = "event-subscription";

/// Looks into `account`, and `closely` at more of what is in it.
pub(super) async fn look_inside(api: &Api, account: &Account, closely: bool) -> Result<Looked> {
    let most = if closely { ONE_BY_ONE_CLOSELY } else { ONE_BY_ONE };
    let (containers, queues, subscriptions) = tokio::join!(
        with_metadata(api, account, &CONTAINERS, most),
        with_metadata(api, account, &QUEUES, most),
        subscriptions(api, account)
    );
    let mut looked = Looked::default();
    for part in [containers?, queues?, subscriptions?] {
        looked.add(part);
    }
    Ok(looked)
}

async fn with_metadata(api: &Api, account: &Account, kind: &Collection, most: usize) -> Result<Looked> {
    let target = Address::new("azure", "account", &account.name);
    let call = Call { action: kind.read, target: &target, version: version::STORAGE };
    // What such a thing may be in a deployment.
    let kinds: &[_] = if kind.word == CONTAINER { &[CONTAINER, DEAD_LETTER] } else { &[QUEUE] };
    let mut looked = Looked::default();
    let listed = match api.arm.list(&format!("{}/{}", account.id, kind.path), call).await {
        Ok(listed) => listed,
        Err(error) => {
            let what = format!("the {}s of account {}", kind.word, account.name);
            looked.unlisted(kinds, &account.id, &what, error)?;
            return Ok(looked);
        }
    };
    let (told, mut untold): (Vec<_>, Vec<_>) =
        listed.into_iter().partition(|one| !entries(&one["properties"]["metadata"]).is_empty());
    looked.parts.extend(told.iter().filter_map(|one| marked(kind, one)));
    // Default names come first.
    untold.sort_by_key(|one| !one["name"].as_str().is_some_and(|name| name.starts_with("wbstore")));
    let left = untold.len().saturating_sub(most);
    if left > 0 {
        let reason = format!(
            "{left} {}s of account {} were not read; `--resource-group {}` reads more",
            kind.word,
            account.name,
            word(&account.group).unwrap_or("GROUP")
        );
        looked.unsure(kinds, &account.id, reason);
    }
    let names: Vec<String> =
        untold.iter().take(most).filter_map(|one| one["name"].as_str().map(str::to_owned)).collect();
    let mut looks = futures::stream::iter(names)
        .map(|name| async move {
            let target = Address::new("azure", kind.word, &name);
            let call = Call { action: kind.read, target: &target, version: version::STORAGE };
            (api.arm.get(&format!("{}/{}/{name}", account.id, kind.path), call).await, name)
        })
        .buffer_unordered(AT_ONCE);
    while let Some((found, name)) = looks.next().await {
        match found {
            Ok(found) => looked.parts.extend(found.and_then(|one| marked(kind, &one))),
            Err(error) => {
                let what = format!("{} {name} of account {}", kind.word, account.name);
                looked.unreadable(kinds, &account.id, &what, error)?;
            }
        }
    }
    Ok(looked)
}

fn marked(kind: &Collection, one: &Value) -> Option<Marked> {
    let metadata = entries(&one["properties"]["metadata"]);
    let part = Marked::new(kind.word, one["name"].as_str()?, &METADATA, &metadata)?;
    let kind = if part.mark.get(ROLE) == Some(DEAD_LETTER) { DEAD_LETTER } else { part.kind };
    Some(Marked { kind, ..part })
}

async fn subscriptions(api: &Api, account: &Account) -> Result<Looked> {
    let target = Address::new("azure", "account", &account.name);
    let call = Call {
        action: "Microsoft.EventGrid/eventSubscriptions/read",
        target: &target,
        version: version::EVENT_GRID,
    };
    let mut looked = Looked::default();
    let path = format!("{}/providers/Microsoft.EventGrid/eventSubscriptions", account.id);
    match api.arm.list(&path, call).await {
        Ok(listed) => looked.parts.extend(listed.iter().filter_map(subscription)),
        Err(error) => {
            let what = format!("the event subscriptions of account {}", account.name);
            looked.unlisted(&[EVENT_SUBSCRIPTION], &account.id, &what, error)?;
        }
    }
    Ok(looked)
}

fn subscription(one: &Value) -> Option<Marked> {
    let labels = pairs(&one["properties"]["labels"]);
    let part = Marked::new(EVENT_SUBSCRIPTION, one["name"].as_str()?, &LABELS, &labels)?;
    Some(Marked { created: seconds(&one["systemData"]["createdAt"]), ..part })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_mark_is_read_from_metadata_and_labels() {
        let container = json!({"name": "wandb", "properties": {"metadata": {"wbstore_deployment": "acme"}}});
        assert_eq!(marked(&CONTAINERS, &container).unwrap().kind, "container");
        let dead = json!({"name": "dead", "properties":
            {"metadata": {"Wbstore_Deployment": "acme", "wbstore_role": "dead-letter"}}});
        assert_eq!(marked(&CONTAINERS, &dead).unwrap().kind, "dead-letter");
        assert_eq!(marked(&QUEUES, &json!({"name": "q", "properties": {"metadata": {"team": "ml"}}})), None);
        let events = json!({"name": "wbstore-acme", "properties": {"labels": ["wbstore:acme"]},
            "systemData": {"createdAt": "1970-01-01T00:01:00Z"}});
        assert_eq!(subscription(&events).unwrap().created, Some(60));
        assert_eq!(subscription(&json!({"name": "x", "properties": {}})), None);
    }
}
