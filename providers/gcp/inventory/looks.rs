//! One listing for each kind of thing.

use google_cloud_gax::paginator::ItemPaginator;

use super::{Marked, Seen};
use crate::error::{Error, Kind, Result};
use crate::providers::gcp::failure::failure;
use crate::providers::gcp::mark;
use crate::providers::gcp::session::Api;

/// The most that one page of Pub/Sub holds (Pub/Sub REST reference, "projects.topics.list").
const PAGE: i32 = 1000;

/// All buckets of the project that carry a mark.
pub async fn buckets(api: &Api) -> Result<Vec<Marked>> {
    let call = api.control().await?.list_buckets().set_parent(format!("projects/{}", api.project));
    let mut listed = call.by_item();
    let mut parts = vec![];
    while let Some(bucket) = listed.next().await {
        let bucket = bucket.map_err(|error| failure(&error, "storage.buckets.list", project(api)))?;
        parts.extend(marked("bucket", &bucket.name, mark::labels(bucket.labels)).map(|part| Marked {
            location: bucket.location,
            created: bucket.create_time.as_ref().map(google_cloud_wkt::Timestamp::seconds),
            ..part
        }));
    }
    Ok(parts)
}

/// All topics of the project that carry a mark.
pub async fn topics(api: &Api) -> Result<Seen> {
    let call = api.topics().await?.list_topics().set_project(format!("projects/{}", api.project));
    let mut listed = call.set_page_size(PAGE).by_item();
    let mut seen = Seen::default();
    while let Some(topic) = listed.next().await {
        match topic {
            Ok(topic) => seen.parts.extend(marked("topic", &topic.name, mark::labels(topic.labels))),
            Err(error) => {
                let error = failure(&error, "pubsub.topics.list", project(api));
                return unread(seen, "topic", error);
            }
        }
    }
    Ok(seen)
}

/// All subscriptions of the project that carry a mark.
pub async fn subscriptions(api: &Api) -> Result<Seen> {
    let call =
        api.subscriptions().await?.list_subscriptions().set_project(format!("projects/{}", api.project));
    let mut listed = call.set_page_size(PAGE).by_item();
    let mut seen = Seen::default();
    while let Some(subscription) = listed.next().await {
        match subscription {
            Ok(one) => seen.parts.extend(marked("subscription", &one.name, mark::labels(one.labels))),
            Err(error) => {
                let error = failure(&error, "pubsub.subscriptions.list", project(api));
                return unread(seen, "subscription", error);
            }
        }
    }
    Ok(seen)
}

/// The thing of the full name `name`, where it carries a mark.
fn marked(kind: &'static str, name: &str, labels: mark::Labels) -> Option<Marked> {
    let short = name.rsplit('/').next().unwrap_or(name).to_owned();
    let ours = labels.contains_key(mark::DEPLOYMENT);
    ours.then(|| Marked { kind, name: short, location: String::new(), created: None, labels })
}

/// What a failure to list one kind means: nothing of the rest can be known without credentials; all else
/// is told and passed over.
fn unread(mut seen: Seen, kind: &'static str, error: Error) -> Result<Seen> {
    if error.kind() == Kind::Credentials {
        return Err(error);
    }
    seen.unsure.insert(kind, format!("the {kind}s cannot be listed: {}", error.chain()));
    Ok(seen)
}

fn project(api: &Api) -> String {
    format!("project {}", api.project)
}
