//! The deployments of a project, told from the labels of its buckets, topics and subscriptions.

mod looks;

use std::collections::{BTreeMap, BTreeSet};

use super::mark::{self, Labels};
use super::session::Api;
use crate::error::Result;
use crate::provider::{Deployment, Inventory, Part};

/// The label and its value on what `verify` makes for a moment, which is no part of a deployment.
pub const ROLE: &str = "wbstore-role";
/// See [`ROLE`].
pub const PROBE: &str = "probe";

/// One bucket, topic or subscription that carries a mark.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Marked {
    kind: &'static str,
    name: String,
    /// Where it is; empty for what is everywhere.
    location: String,
    /// Seconds since the epoch, where the cloud tells.
    created: Option<i64>,
    labels: Labels,
}

/// What a look at one kind of thing brought.
#[derive(Debug, Default, PartialEq, Eq)]
struct Seen {
    parts: Vec<Marked>,
    /// The kinds of which not all could be looked at, so that none can be called missing, and why.
    unsure: BTreeMap<&'static str, String>,
}

/// All deployments of the project.
///
/// # Errors
/// When the buckets cannot be listed. What else cannot be looked at is told in [`Inventory::unread`].
pub async fn list(api: &Api) -> Result<Inventory> {
    let (buckets, topics, subscriptions) =
        tokio::join!(looks::buckets(api), looks::queues(api, "topic"), looks::queues(api, "subscription"));
    let mut seen = Seen { parts: buckets?, ..Seen::default() };
    for found in [topics?, subscriptions?] {
        seen.parts.extend(found.parts);
        seen.unsure.extend(found.unsure);
    }
    Ok(group(format!("project {}", api.project), seen))
}

/// Puts together what carries the same name. Topics and subscriptions are everywhere, so that they belong
/// to every bucket of that name, wherever it is.
fn group(scope: String, seen: Seen) -> Inventory {
    let Seen { parts, unsure } = seen;
    let mut unread: Vec<String> = unsure.values().cloned().collect();
    let mut groups: BTreeMap<String, Vec<Marked>> = BTreeMap::new();
    for part in parts {
        if part.labels.get(ROLE).is_none_or(|role| role != PROBE)
            && let Some(name) = part.labels.get(mark::DEPLOYMENT)
        {
            groups.entry(name.clone()).or_default().push(part);
        }
    }
    let mut deployments = vec![];
    for (name, parts) in groups {
        let locations: BTreeSet<String> =
            parts.iter().filter(|part| part.kind == "bucket").map(|part| part.location.clone()).collect();
        let locations = if locations.is_empty() { BTreeSet::from([String::new()]) } else { locations };
        for location in locations {
            let here = |part: &&Marked| part.kind != "bucket" || part.location == location;
            let mut parts: Vec<Marked> = parts.iter().filter(here).cloned().collect();
            // Of several of a kind, the one with the default name comes last and counts.
            let default = format!("wbstore-{name}");
            parts.sort_by_cached_key(|part| (part.kind, part.name == default, part.name.clone()));
            deployments.push(Deployment {
                created: created(&parts),
                expires: expires(&parts, &mut unread),
                missing: missing(&parts, &unsure),
                refers_to: signers(&parts),
                parts: parts
                    .into_iter()
                    .map(|Marked { kind, name, .. }| Part { kind: kind.to_owned(), name })
                    .collect(),
                name: name.clone(),
                region: location,
            });
        }
    }
    Inventory { scope, deployments, unread }
}

/// The service accounts that a bucket's label says may sign: what they were given is to be taken back.
fn signers(parts: &[Marked]) -> Vec<Part> {
    let names: BTreeSet<_> =
        parts.iter().filter_map(|part| mark::account_of(part.labels.get(mark::SIGNER)?)).collect();
    names.into_iter().map(|name| Part { kind: "signer".to_owned(), name }).collect()
}

/// When the first part was made. What was adopted may be years older than the deployment, and counts
/// only when there is nothing else.
fn created(parts: &[Marked]) -> Option<i64> {
    let dates =
        parts.iter().filter_map(|part| Some((part.labels.contains_key(mark::ADOPTED), part.created?)));
    dates.min().map(|(_, date)| date)
}

/// When the lease ends: what the bucket says, and without a bucket the last that another part says.
fn expires(parts: &[Marked], unread: &mut Vec<String>) -> Option<i64> {
    let has_bucket = parts.iter().any(|part| part.kind == "bucket");
    let speaking = parts.iter().filter(|part| !has_bucket || part.kind == "bucket");
    let mut last = None;
    for part in speaking {
        // A part that is to stay keeps the whole.
        let text = part.labels.get(mark::EXPIRES)?;
        match text.parse::<i64>() {
            Ok(date) => last = last.max(Some(date)),
            Err(_) => {
                let Marked { kind, name, .. } = part;
                unread.push(format!("the label {} of {kind} {name} is not a date: `{text}`", mark::EXPIRES));
                return None;
            }
        }
    }
    last
}

/// What should be there by what the others say, and is not. Nothing tells its name.
fn missing(parts: &[Marked], unsure: &BTreeMap<&'static str, String>) -> Vec<Part> {
    let has = |kind: &str| parts.iter().any(|part| part.kind == kind);
    let queue = |part: &Marked| part.labels.get(mark::QUEUE).is_some_and(|queue| queue != "internal");
    let events = parts.iter().any(queue) || has("topic") || has("subscription");
    [("bucket", true), ("topic", events), ("subscription", events)]
        .into_iter()
        .filter(|(kind, wanted)| *wanted && !has(kind) && !unsure.contains_key(kind))
        .map(|(kind, _)| Part { kind: kind.to_owned(), name: String::new() })
        .collect()
}

#[cfg(test)]
mod tests;
