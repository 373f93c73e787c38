//! The buckets, topics and subscriptions of a project that carry a mark.

mod looks;

use super::session::Api;
use crate::error::Result;
use crate::inventory::{Called, Expected, Inventory, Layout};
use crate::mark::QUEUE;

const TOPIC: &str = "topic";
const SUBSCRIPTION: &str = "subscription";

/// The mark of a bucket does not name its topic and subscription. They have no location, so that they belong to
/// every bucket of the deployment's name.
const LAYOUT: Layout = Layout {
    bucket: "bucket",
    parts: &[
        Expected { kind: TOPIC, by: QUEUE, called: Called::Unknown },
        Expected { kind: SUBSCRIPTION, by: QUEUE, called: Called::Unknown },
    ],
};

/// All deployments of the project.
///
/// # Errors
/// When the buckets cannot be listed. What else cannot be read is in [`Inventory::unread`].
pub(crate) async fn list(api: &Api) -> Result<Inventory> {
    let (buckets, topics, subscriptions) =
        tokio::join!(looks::buckets(api), looks::queues(api, TOPIC), looks::queues(api, SUBSCRIPTION));
    let mut looked = buckets?;
    looked.add(topics?);
    looked.add(subscriptions?);
    Ok(Inventory::of(format!("project {}", api.project), looked, &LAYOUT))
}
