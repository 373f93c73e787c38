//! The deployments of an account, told from the marks on its buckets and queues.

mod buckets;
mod queues;

use std::collections::{BTreeMap, BTreeSet};

use futures::StreamExt;
use jiff::Timestamp;

use super::mark::{self, Tags};
use super::session::Api;
use crate::error::{Error, Kind, Result};
use crate::provider::{Deployment, Inventory, Part};

/// Tags are read from this many buckets or queues at once.
const AT_ONCE: usize = 16;

/// One bucket or queue that carries a mark.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Marked {
    kind: &'static str,
    name: String,
    region: String,
    /// Seconds since the epoch.
    created: Option<i64>,
    tags: Tags,
}

/// What a look at one kind of thing brought.
#[derive(Debug, Default, PartialEq, Eq)]
struct Seen {
    parts: Vec<Marked>,
    /// What could not be looked at, one sentence each.
    unread: Vec<String>,
    /// The regions of which not every queue could be looked at, so that none can be called missing.
    unsure: BTreeSet<String>,
    /// Whether there is a bucket that could not be looked at, which may be any deployment's.
    bucket_unread: bool,
}

impl Seen {
    fn add(&mut self, other: Self) {
        self.parts.extend(other.parts);
        self.unread.extend(other.unread);
        self.unsure.extend(other.unsure);
        self.bucket_unread |= other.bucket_unread;
    }
}

/// All deployments of the account: those with a bucket in any region, and those of which only a queue
/// is left in the region of `api`.
///
/// # Errors
/// When the buckets cannot be listed at all. What else cannot be looked at is told in
/// [`Inventory::unread`].
pub async fn list(api: &Api) -> Result<Inventory> {
    let home = api.region.to_string();
    let (buckets, queues) = tokio::join!(buckets::list(api), queues::list(api, &home));
    let (mut seen, queues) = (buckets?, queues?);
    let mut regions: BTreeSet<String> = seen.parts.iter().map(|part| part.region.clone()).collect();
    regions.remove(&home);
    seen.add(queues);
    let mut elsewhere = futures::stream::iter(regions.clone())
        .map(|region| async move { queues::list(api, &region).await })
        .buffer_unordered(AT_ONCE);
    while let Some(queues) = elsewhere.next().await {
        seen.add(queues?);
    }
    let with: String = regions.iter().map(|region| format!(", {region}")).collect();
    let scope = format!("account {}: buckets of every region, queues of {home}{with}", api.account);
    Ok(group(scope, seen))
}

/// Puts together what carries the same name in the same region.
fn group(scope: String, seen: Seen) -> Inventory {
    let Seen { parts, mut unread, unsure, bucket_unread } = seen;
    let mut groups: BTreeMap<(String, String), Vec<Marked>> = BTreeMap::new();
    for part in parts {
        if let Some(name) = part.tags.get(mark::DEPLOYMENT) {
            groups.entry((name.clone(), part.region.clone())).or_default().push(part);
        }
    }
    let deployments = groups
        .into_iter()
        .map(|((name, region), mut parts)| {
            // Of several queues of a kind, the one that the bucket names comes last.
            let named: BTreeSet<String> = parts
                .iter()
                .filter(|part| part.kind == "bucket")
                .flat_map(|bucket| {
                    [mark::QUEUE, mark::NOTIFICATIONS_QUEUE].map(|tag| bucket.tags.get(tag).cloned())
                })
                .flatten()
                .collect();
            parts.sort_by_cached_key(|part| (part.kind, named.contains(&part.name), part.name.clone()));
            Deployment {
                created: created(&parts),
                expires: expires(&parts, bucket_unread, &mut unread),
                missing: missing(&parts, unsure.contains(&region)),
                parts: parts
                    .into_iter()
                    .map(|Marked { kind, name, .. }| Part { kind: kind.to_owned(), name })
                    .collect(),
                refers_to: vec![],
                name,
                region,
            }
        })
        .collect();
    Inventory { scope, deployments, unread }
}

/// When the first part was made. What was adopted may be years older than the deployment, and counts
/// only when there is nothing else.
fn created(parts: &[Marked]) -> Option<i64> {
    let dates = parts.iter().filter_map(|part| Some((part.tags.contains_key(mark::ADOPTED), part.created?)));
    dates.min().map(|(_, date)| date)
}

/// When the lease ends: what the bucket says, and without a bucket the last that a queue says. The
/// lease of a deployment may have been lengthened while a queue could not be written.
fn expires(parts: &[Marked], bucket_unread: bool, unread: &mut Vec<String>) -> Option<i64> {
    let has_bucket = parts.iter().any(|part| part.kind == "bucket");
    if !has_bucket && bucket_unread {
        // Its bucket may be the one that could not be looked at, and say otherwise.
        return None;
    }
    let speaking = parts.iter().filter(|part| !has_bucket || part.kind == "bucket");
    let mut last = None;
    for part in speaking {
        // A part that is to stay keeps the whole.
        let text = part.tags.get(mark::EXPIRES)?;
        match text.parse::<Timestamp>() {
            Ok(date) => last = last.max(Some(date.as_second())),
            Err(_) => {
                let Marked { kind, name, .. } = part;
                unread.push(format!("the tag {} of {kind} {name} is not a date: `{text}`", mark::EXPIRES));
                return None;
            }
        }
    }
    last
}

/// What should be there by what the bucket says, and is not. Of a missing bucket no name is known.
fn missing(parts: &[Marked], unsure: bool) -> Vec<Part> {
    let part = |kind: &str, name: &str| Part { kind: kind.to_owned(), name: name.to_owned() };
    let Some(bucket) = parts.iter().find(|part| part.kind == "bucket") else {
        return vec![part("bucket", "")];
    };
    let is_there = |kind: &str, name: &str| parts.iter().any(|part| part.kind == kind && part.name == name);
    [("queue", mark::QUEUE), ("notifications-queue", mark::NOTIFICATIONS_QUEUE)]
        .into_iter()
        .filter_map(|(kind, tag)| Some((kind, bucket.tags.get(tag)?)))
        .filter(|(kind, name)| *name != "internal" && !unsure && !is_there(kind, name))
        .map(|(kind, name)| part(kind, name))
        .collect()
}

/// What a failure to read the tags of `what` means: nothing of the rest can be known without
/// credentials; all else is told and passed over.
fn unread(what: &str, error: Error) -> Result<String> {
    match error.kind() {
        Kind::Credentials => Err(error),
        _ => Ok(format!("{what} may belong to a deployment, but its tags cannot be read: {}", error.chain())),
    }
}

#[cfg(test)]
mod tests;
