//! The storage accounts of a subscription, and what is in them, that carry a mark.

mod inside;

use futures::StreamExt;
use jiff::Timestamp;
use serde_json::Value;

use self::inside::{EVENT_SUBSCRIPTION, look_inside};
use super::arm::{Call, version};
use super::held;
use super::mark::{self, TAGS};
use super::session::Api;
use crate::error::Result;
use crate::inventory::{Called, Expected, Inventory, Layout, Looked, Marked, Part};
use crate::mark::{QUEUE, entries};
use crate::resource::Address;

const ACCOUNT: &str = "account";

/// How many accounts without a mark are searched. Each requires two list calls, and Azure allows a hundred of
/// these in five minutes (Azure Resource Manager documentation, "Storage throttling"; Z5).
const LOOKED_INTO: usize = 40;
/// How many accounts are searched at once.
const AT_ONCE: usize = 8;

const LAYOUT: Layout = Layout {
    bucket: held::CONTAINER,
    parts: &[
        Expected { kind: held::DEAD_LETTER, by: mark::DEAD_LETTERS, called: Called::AsMarked },
        Expected { kind: EVENT_SUBSCRIPTION, by: QUEUE, called: Called::Derived },
        Expected { kind: held::QUEUE, by: QUEUE, called: Called::AsMarked },
    ],
};

/// Where to search.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Within<'a> {
    /// Only in this resource group.
    pub resource_group: Option<&'a str>,
    /// Only in this account.
    pub account: Option<&'a str>,
}

impl Within<'_> {
    /// Whether the user limited the search, so that more is read.
    fn is_narrow(self) -> bool {
        self.resource_group.is_some() || self.account.is_some()
    }
}

/// A storage account, as the list shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Account {
    id: String,
    name: String,
    group: String,
    location: String,
    /// What it is itself, where it carries a mark.
    marked: Option<Marked>,
}

/// All deployments of the subscription of `api`: in accounts that wbstore created, and in those of others, as
/// far as they are searched.
///
/// # Errors
/// If the accounts cannot be listed at all. Other failed reads are reported in [`Inventory::unread`].
pub(crate) async fn list(api: &Api, within: Within<'_>) -> Result<Inventory> {
    let (accounts, left_out) = chosen(accounts(api, within).await?, within);
    let mut looked = Looked::default();
    if left_out > 0 {
        looked.unread.push(format!(
            "{left_out} storage accounts without a mark were not searched, because Azure limits list \
             requests; `--resource-group` limits the search"
        ));
    }
    let mut looks = futures::stream::iter(accounts)
        .map(|account| async move { (look_inside(api, &account, within.is_narrow()).await, account) })
        .buffer_unordered(AT_ONCE);
    while let Some((inside, account)) = looks.next().await {
        let mut inside = inside?;
        inside.parts.extend(account.marked.clone());
        inside.parts.iter_mut().for_each(|part| account.locate(part));
        looked.add(inside);
    }
    Ok(Inventory::of(scope(api, within), looked, &LAYOUT))
}

fn scope(api: &Api, within: Within<'_>) -> String {
    let mut scope = format!("azure subscription {}", api.subscription);
    if let Some(group) = within.resource_group {
        scope.push_str(&format!(", resource group {group}"));
    }
    if let Some(account) = within.account {
        scope.push_str(&format!(", account {account}"));
    }
    scope
}

/// The accounts that can hold a deployment.
async fn accounts(api: &Api, within: Within<'_>) -> Result<Vec<Account>> {
    let home = match within.resource_group {
        Some(group) => format!("{}/resourceGroups/{group}", api.subscription_id()),
        None => api.subscription_id(),
    };
    let target = Address::new("azure", "subscription", &api.subscription);
    let call =
        Call { action: "Microsoft.Storage/storageAccounts/read", target: &target, version: version::STORAGE };
    let listed = api.arm.list(&format!("{home}/providers/Microsoft.Storage/storageAccounts"), call).await?;
    let wanted =
        |account: &Account| within.account.is_none_or(|name| account.name.eq_ignore_ascii_case(name));
    Ok(listed.iter().filter_map(Account::listed).filter(wanted).collect())
}

/// The accounts to search, the marked ones first, and how many are omitted.
fn chosen(accounts: Vec<Account>, within: Within<'_>) -> (Vec<Account>, usize) {
    let (mut marked, mut others): (Vec<_>, Vec<_>) =
        accounts.into_iter().partition(|account| account.marked.is_some());
    let most = if within.is_narrow() { others.len() } else { LOOKED_INTO };
    let left_out = others.len().saturating_sub(most);
    others.truncate(most);
    marked.extend(others);
    (marked, left_out)
}

impl Account {
    /// `None` for one of a kind that wbstore never uses.
    fn listed(listed: &Value) -> Option<Self> {
        let id = listed["id"].as_str()?;
        let name = listed["name"].as_str()?;
        let created = seconds(&listed["properties"]["creationTime"]);
        let marked = Marked::new(ACCOUNT, name, &TAGS, &entries(&listed["tags"]));
        if !listed["kind"].as_str().is_some_and(|kind| kind.eq_ignore_ascii_case("StorageV2"))
            && marked.is_none()
        {
            return None;
        }
        // ARM ids are compared without regard to case.
        let mut parts = id.split('/').skip_while(|part| !part.eq_ignore_ascii_case("resourceGroups"));
        Some(Self {
            id: id.to_owned(),
            name: name.to_owned(),
            group: parts.nth(1)?.to_owned(),
            location: listed["location"].as_str().unwrap_or_default().to_owned(),
            marked: marked.map(|account| Marked { created, ..account }),
        })
    }

    /// Where `part` is, which a teardown has to know: the account, and its resource group.
    fn locate(&self, part: &mut Marked) {
        part.place.clone_from(&self.id);
        part.region.clone_from(&self.location);
        part.refers_to = vec![Part::new("resource-group", &self.group), Part::new(ACCOUNT, &self.name)];
    }
}

/// A date in RFC 3339 as seconds since the epoch.
fn seconds(date: &Value) -> Option<i64> {
    Some(date.as_str()?.parse::<Timestamp>().ok()?.as_second())
}

#[cfg(test)]
mod tests;
