//! The deployments of a subscription, told from the marks on its storage accounts and on what is in
//! them.

mod inside;

use std::collections::BTreeMap;

use futures::StreamExt;
use jiff::Timestamp;
use serde_json::Value;

use self::inside::{Looked, look_inside};
use super::arm::{Call, version};
use super::mark::{self, Form, Mark};
use super::session::Api;
use crate::error::{Error, Kind, Result};
use crate::provider::{Deployment, Inventory, Part};
use crate::resource::Address;

/// How many accounts without a mark are looked into. Each takes two lists, and Azure allows a hundred
/// of these in five minutes (Azure Resource Manager documentation, "Storage throttling"; Z5).
const LOOKED_INTO: usize = 40;
/// This many accounts are looked into at once.
const AT_ONCE: usize = 8;

/// Where is looked.
#[derive(Clone, Copy, Debug, Default)]
pub struct Within<'a> {
    /// Only in this resource group.
    pub resource_group: Option<&'a str>,
    /// Only in this account.
    pub account: Option<&'a str>,
}

impl Within<'_> {
    /// Whether the user said where to look, so that it is worth a closer look.
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
    created: Option<i64>,
    mark: Mark,
}

/// Something that carries a mark.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Marked {
    kind: &'static str,
    name: String,
    /// Seconds since the epoch.
    created: Option<i64>,
    mark: Mark,
}

/// All deployments of the subscription of `api`: in accounts that wbstore made, and in those of others,
/// as far as they are looked into.
///
/// # Errors
/// When the accounts cannot be listed at all. What else cannot be looked at is told in
/// [`Inventory::unread`].
pub async fn list(api: &Api, within: Within<'_>) -> Result<Inventory> {
    let (accounts, left_out) = chosen(accounts(api, within).await?, within);
    let mut unread = vec![];
    if left_out > 0 {
        unread.push(format!(
            "{left_out} storage accounts without a mark were not looked into, as Azure allows few lists in five \
             minutes; --resource-group says where to look"
        ));
    }
    let mut looks = futures::stream::iter(accounts)
        .map(|account| async move { (look_inside(api, &account, within.is_narrow()).await, account) })
        .buffer_unordered(AT_ONCE);
    let mut deployments = vec![];
    while let Some((looked, account)) = looks.next().await {
        deployments.extend(group(&account, looked?, &mut unread));
    }
    deployments.sort_by(|one, other| (&one.name, &one.region).cmp(&(&other.name, &other.region)));
    unread.sort();
    Ok(Inventory { scope: scope(api, within), deployments, unread })
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
    Ok(listed.iter().filter_map(Account::told_by).filter(wanted).collect())
}

/// Those to look into, the marked ones first, and how many are left out.
fn chosen(accounts: Vec<Account>, within: Within<'_>) -> (Vec<Account>, usize) {
    let (mut marked, mut others): (Vec<_>, Vec<_>) =
        accounts.into_iter().partition(|account| !account.mark.is_empty());
    let most = if within.is_narrow() { others.len() } else { LOOKED_INTO };
    let left_out = others.len().saturating_sub(most);
    others.truncate(most);
    marked.extend(others);
    (marked, left_out)
}

impl Account {
    /// `None` for one of a kind that wbstore never uses.
    fn told_by(listed: &Value) -> Option<Self> {
        let id = listed["id"].as_str()?;
        let mark = Form::Tags.read(&listed["tags"]);
        if listed["kind"] != "StorageV2" && mark.is_empty() {
            return None;
        }
        // ARM ids are compared without regard to case.
        let mut parts = id.split('/').skip_while(|part| !part.eq_ignore_ascii_case("resourceGroups"));
        Some(Self {
            id: id.to_owned(),
            name: listed["name"].as_str()?.to_owned(),
            group: parts.nth(1)?.to_owned(),
            location: listed["location"].as_str().unwrap_or_default().to_owned(),
            created: seconds(&listed["properties"]["creationTime"]),
            mark,
        })
    }

    fn marked(&self) -> Marked {
        Marked { kind: "account", name: self.name.clone(), created: self.created, mark: self.mark.clone() }
    }
}

/// A date in RFC 3339 as seconds since the epoch.
fn seconds(date: &Value) -> Option<i64> {
    Some(date.as_str()?.parse::<Timestamp>().ok()?.as_second())
}

/// Puts together what carries the same name in one account.
fn group(account: &Account, looked: Looked, unread: &mut Vec<String>) -> Vec<Deployment> {
    let Looked { parts, unread: not_seen, unsure } = looked;
    unread.extend(not_seen);
    let mut groups: BTreeMap<String, Vec<Marked>> = BTreeMap::new();
    for part in parts.into_iter().chain([account.marked()]) {
        if let Some(name) = part.mark.get(mark::DEPLOYMENT) {
            groups.entry(name.clone()).or_default().push(part);
        }
    }
    let deployment = |(name, mut parts): (String, Vec<Marked>)| {
        let queue = container(&parts).and_then(|container| container.mark.get(mark::QUEUE).cloned());
        // Of several queues, the one that the container names comes last.
        parts.sort_by_cached_key(|part| (part.kind, Some(&part.name) == queue.as_ref(), part.name.clone()));
        Deployment {
            created: created(&parts),
            expires: expires(&parts, unsure, unread),
            missing: if unsure { vec![] } else { missing(&name, &parts) },
            refers_to: places(account, &parts),
            parts: parts
                .into_iter()
                .map(|Marked { kind, name, .. }| Part { kind: kind.to_owned(), name })
                .collect(),
            region: account.location.clone(),
            name,
        }
    };
    groups.into_iter().map(deployment).collect()
}

/// The container of the server's files.
fn container(parts: &[Marked]) -> Option<&Marked> {
    parts.iter().find(|part| part.kind == "container")
}

/// When the first part was made, where Azure tells. What was adopted may be years older than the
/// deployment, and counts only when there is nothing else.
fn created(parts: &[Marked]) -> Option<i64> {
    let dates = parts.iter().filter_map(|part| Some((part.mark.contains_key(mark::ADOPTED), part.created?)));
    dates.min().map(|(_, date)| date)
}

/// When the lease ends: what the container says, and without one the last that a part says. The lease of
/// a deployment may have been lengthened while a part could not be written.
fn expires(parts: &[Marked], unsure: bool, unread: &mut Vec<String>) -> Option<i64> {
    let container = container(parts);
    if container.is_none() && unsure {
        // Its container may be one that could not be looked at, and say otherwise.
        return None;
    }
    let mut last = None;
    for part in parts.iter().filter(|part| container.is_none_or(|container| container == *part)) {
        // A part that is to stay keeps the whole.
        let text = part.mark.get(mark::EXPIRES)?;
        match text.parse::<Timestamp>() {
            Ok(date) => last = last.max(Some(date.as_second())),
            Err(_) => {
                unread.push(format!(
                    "the end of the lease of {} {} is no date: `{text}`",
                    part.kind, part.name
                ));
                return None;
            }
        }
    }
    last
}

/// What should be there by what the container says, and is not. Of a missing container no name is known.
fn missing(deployment: &str, parts: &[Marked]) -> Vec<Part> {
    let part = |kind: &str, name: &str| Part { kind: kind.to_owned(), name: name.to_owned() };
    let Some(container) = container(parts) else { return vec![part("container", "")] };
    let subscription = format!("wbstore-{deployment}");
    let queue = container.mark.get(mark::QUEUE).filter(|queue| *queue != "internal");
    [
        ("dead-letter", container.mark.get(mark::DEAD_LETTER)),
        ("event-subscription", queue.is_some().then_some(&subscription)),
        ("queue", queue),
    ]
    .into_iter()
    .filter_map(|(kind, name)| Some((kind, name?)))
    .filter(|(kind, name)| !parts.iter().any(|part| part.kind == *kind && part.name == **name))
    .map(|(kind, name)| part(kind, name))
    .collect()
}

/// Where the parts are, which a teardown has to know: the resource group, and the account where that is
/// none of them.
fn places(account: &Account, parts: &[Marked]) -> Vec<Part> {
    let used = Some(("account", &account.name)).filter(|_| parts.iter().all(|part| part.kind != "account"));
    [("resource-group", &account.group)]
        .into_iter()
        .chain(used)
        .map(|(kind, name)| Part { kind: kind.to_owned(), name: name.clone() })
        .collect()
}

/// What a failure to look at `what` means: nothing of the rest can be known without credentials; all
/// else is told and passed over.
fn unread(what: &str, error: Error) -> Result<String> {
    match error.kind() {
        Kind::Credentials => Err(error),
        _ => Ok(format!("{what} may belong to a deployment, but cannot be looked at: {}", error.chain())),
    }
}

#[cfg(test)]
mod tests;
