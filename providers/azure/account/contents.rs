//! What an account contains that is not wbstore's, and would be deleted with it.

use futures::future::try_join_all;
use serde_json::Value;

use crate::error::Result;
use crate::mark::entries;
use crate::name::StorageName;
use crate::providers::azure::account::Account;
use crate::providers::azure::arm::{Call, version};
use crate::providers::azure::mark::{LABELS, METADATA, pairs};
use crate::providers::azure::session::Api;
use crate::resource::Owner;
use crate::value::quoted;

/// wbstore's resources in an account, by name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Contents {
    pub containers: Vec<String>,
    /// The queue.
    pub queues: Vec<String>,
    pub event_subscription: String,
}

/// A list of an account's parts: their kind, their path and the action that the call requires.
const PARTS: [(&str, &str, &str); 4] = [
    (
        "container",
        "blobServices/default/containers",
        "Microsoft.Storage/storageAccounts/blobServices/containers/read",
    ),
    ("queue", "queueServices/default/queues", "Microsoft.Storage/storageAccounts/queueServices/queues/read"),
    ("table", "tableServices/default/tables", "Microsoft.Storage/storageAccounts/tableServices/tables/read"),
    (
        "file share",
        "fileServices/default/shares",
        "Microsoft.Storage/storageAccounts/fileServices/shares/read",
    ),
];

impl Contents {
    /// The contents of the account that are not wbstore's, as text. What has one of wbstore's names is
    /// checked for the mark.
    ///
    /// # Errors
    /// Those of the lists. This includes a denied call: an account whose contents cannot be read is neither
    /// deleted nor released.
    pub(crate) async fn others(&self, api: &Api, deployment: &StorageName) -> Result<Vec<String>> {
        let lists = futures::future::join_all(PARTS.map(|part| self.others_of(api, deployment, part)));
        let (lists, events) = futures::join!(lists, self.other_subscriptions(api, deployment));
        let mut others = vec![];
        for list in lists {
            others.extend(list?);
        }
        others.extend(events?);
        Ok(others)
    }

    async fn others_of(
        &self,
        api: &Api,
        deployment: &StorageName,
        (what, path, action): (&str, &str, &str),
    ) -> Result<Vec<String>> {
        let at = Account::at(&api.account);
        let call = Call { action, target: &at, version: version::STORAGE };
        let path = format!("{}/{path}", api.account_id());
        let expected = match what {
            "container" => &self.containers[..],
            "queue" => &self.queues[..],
            _ => &[],
        };
        // Lists leave the metadata out, and lag: what is listed may have been deleted.
        let marks = expected.iter().map(|name| async {
            let name = name.clone();
            let part = api.arm.get(&format!("{path}/{name}"), call).await?;
            let is_ours = part.is_none_or(|part| {
                let mark = METADATA.read(&entries(&part["properties"]["metadata"]));
                mark.owner(deployment) == Owner::Ours
            });
            Ok((name, is_ours))
        });
        let (parts, marks) = futures::try_join!(api.arm.list(&path, call), try_join_all(marks))?;
        let is_ours = |name: &str| marks.iter().any(|(ours, is_ours)| ours == name && *is_ours);
        let names = parts.iter().filter_map(|part| part["name"].as_str());
        Ok(names.filter(|name| !is_ours(name)).map(|name| format!("the {what} {}", quoted(name))).collect())
    }

    async fn other_subscriptions(&self, api: &Api, deployment: &StorageName) -> Result<Vec<String>> {
        let at = Account::at(&api.account);
        let action = "Microsoft.EventGrid/eventSubscriptions/read";
        let call = Call { action, target: &at, version: version::EVENT_GRID };
        let path = format!("{}/providers/Microsoft.EventGrid/eventSubscriptions", api.account_id());
        let all = api.arm.list(&path, call).await?;
        let is_ours = |one: &Value| {
            let mark = LABELS.read(&pairs(&one["properties"]["labels"]));
            one["name"] == self.event_subscription.as_str() && mark.owner(deployment) == Owner::Ours
        };
        let names = all.iter().filter(|one| !is_ours(one)).filter_map(|one| one["name"].as_str());
        Ok(names.map(|name| format!("the event subscription {}", quoted(name))).collect())
    }
}
