//! The buckets and queues of an account that carry a mark.

mod buckets;
mod queues;

use std::collections::BTreeSet;

use futures::StreamExt;

use super::mark::NOTIFICATIONS_QUEUE;
use super::session::Api;
use crate::error::Result;
use crate::inventory::{Called, Expected, Inventory, Layout};
use crate::mark::QUEUE;

/// Tags are read from this many buckets or queues at once.
const AT_ONCE: usize = 16;

/// A bucket refers to nothing that is not its own.
const LAYOUT: Layout = Layout {
    bucket: "bucket",
    parts: &[
        Expected { kind: "queue", by: QUEUE, called: Called::AsMarked },
        Expected { kind: queues::NOTIFICATIONS, by: NOTIFICATIONS_QUEUE, called: Called::AsMarked },
    ],
};

/// All deployments of the account: those with a bucket in any region, and those of which only a queue
/// is left in the region of `api`.
///
/// # Errors
/// When the buckets cannot be listed at all. What else cannot be read is in [`Inventory::unread`].
pub(crate) async fn list(api: &Api) -> Result<Inventory> {
    let home = api.region.to_string();
    let (buckets, queues) = tokio::join!(buckets::list(api), queues::list(api, &home));
    let (mut looked, queues) = (buckets?, queues?);
    let mut regions: BTreeSet<String> = looked.parts.iter().map(|part| part.region.clone()).collect();
    regions.remove(&home);
    looked.add(queues);
    let mut elsewhere = futures::stream::iter(regions.clone())
        .map(|region| async move { queues::list(api, &region).await })
        .buffer_unordered(AT_ONCE);
    while let Some(queues) = elsewhere.next().await {
        looked.add(queues?);
    }
    let with: String = regions.iter().map(|region| format!(", {region}")).collect();
    let scope = format!("account {}: buckets of every region, queues of {home}{with}", api.account);
    Ok(Inventory::of(scope, looked, &LAYOUT))
}
