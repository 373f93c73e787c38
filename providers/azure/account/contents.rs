//! What an account contains that is not wbstore's, and would be deleted with it.

use serde_json::Value;

use crate::error::Result;
use crate::mark::entries;
use crate::name::DeploymentName;
use crate::providers::azure::account::Account;
use crate::providers::azure::arm::{Call, version};
use crate::providers::azure::mark::METADATA;
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
    pub(crate) async fn others(&self, api: &Api, deployment: &DeploymentName) -> Result<Vec<String>> {
        let lists = futures::future::join_all(PARTS.map(|part| self.others_of(api, deployment, part)));
        let (lists, events) = futures::join!(lists, self.other_subscriptions(api));
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
        deployment: &DeploymentName,
        (what, path, action): (&str, &str, &str),
    ) -> Result<Vec<String>> {
        let at = Account::at(&api.account);
        let call = Call { action, target: &at, version: version::STORAGE };
        let path = format!("{}/{path}", api.account_id());
        let parts = api.arm.list(&path, call).await?;
        let ours = match what {
            "container" => &self.containers[..],
            "queue" => &self.queues[..],
            _ => &[],
        };
        let mut others = vec![];
        for name in parts.iter().filter_map(|part| part["name"].as_str()) {
            let is_ours = ours.iter().any(|ours| ours == name) && {
                // Lists leave the metadata out, and lag: what is listed may have been deleted.
                let part = api.arm.get(&format!("{path}/{name}"), call).await?;
                part.is_none_or(|part| {
                    let mark = METADATA.read(&entries(&part["properties"]["metadata"]));
                    mark.owner(deployment) == Owner::Ours
                })
            };
            if !is_ours {
                others.push(format!("the {what} {}", quoted(name)));
            }
        }
        Ok(others)
    }

    async fn other_subscriptions(&self, api: &Api) -> Result<Vec<String>> {
        let at = Account::at(&api.account);
        let action = "Microsoft.EventGrid/eventSubscriptions/read";
        let call = Call { action, target: &at, version: version::EVENT_GRID };
        let path = format!("{}/providers/Microsoft.EventGrid/eventSubscriptions", api.account_id());
        let all = api.arm.list(&path, call).await?;
        let names = all.iter().filter_map(|one: &Value| one["name"].as_str());
        let others = names.filter(|name| *name != self.event_subscription);
        Ok(others.map(|name| format!("the event subscription {}", quoted(name))).collect())
    }
}
