//! One listing for each kind of thing.

use google_cloud_gax::paginator::ItemPaginator;

use super::{LAYOUT, SUBSCRIPTION, TOPIC};
use crate::error::Result;
use crate::inventory::{Looked, Marked, Part};
use crate::mark::Entries;
use crate::providers::gcp::failure::failure;
use crate::providers::gcp::mark::{self, LABELS};
use crate::providers::gcp::session::Api;

/// The most that one page of Pub/Sub holds (Pub/Sub REST reference, "projects.topics.list").
const PAGE: i32 = 1000;

/// All buckets of the project that carry a mark.
pub async fn buckets(api: &Api) -> Result<Looked> {
    let call = api.control().await?.list_buckets().set_parent(format!("projects/{}", api.project));
    let mut listed = call.by_item();
    let mut looked = Looked::default();
    while let Some(bucket) = listed.next().await {
        let bucket = bucket.map_err(|error| failure(&error, "storage.buckets.list", project(api)))?;
        looked.parts.extend(marked(LAYOUT.bucket, &bucket.name, bucket.labels).map(|part| Marked {
            place: bucket.location.clone(),
            region: bucket.location,
            created: bucket.create_time.as_ref().map(google_cloud_wkt::Timestamp::seconds),
            // What this account was given is to be revoked with the bucket.
            refers_to: signer(&part).into_iter().collect(),
            ..part
        }));
    }
    Ok(looked)
}

/// All topics of the project that carry a mark.
pub async fn topics(api: &Api) -> Result<Looked> {
    let call = api.topics().await?.list_topics().set_project(format!("projects/{}", api.project));
    let mut listed = call.set_page_size(PAGE).by_item();
    let mut looked = Looked::default();
    while let Some(topic) = listed.next().await {
        match topic {
            Ok(topic) => looked.parts.extend(marked(TOPIC, &topic.name, topic.labels)),
            Err(error) => {
                let error = failure(&error, "pubsub.topics.list", project(api));
                looked.unlisted(&[TOPIC], "", "the topics", error)?;
                break;
            }
        }
    }
    Ok(looked)
}

/// All subscriptions of the project that carry a mark.
pub async fn subscriptions(api: &Api) -> Result<Looked> {
    let call =
        api.subscriptions().await?.list_subscriptions().set_project(format!("projects/{}", api.project));
    let mut listed = call.set_page_size(PAGE).by_item();
    let mut looked = Looked::default();
    while let Some(subscription) = listed.next().await {
        match subscription {
            Ok(one) => looked.parts.extend(marked(SUBSCRIPTION, &one.name, one.labels)),
            Err(error) => {
                let error = failure(&error, "pubsub.subscriptions.list", project(api));
                looked.unlisted(&[SUBSCRIPTION], "", "the subscriptions", error)?;
                break;
            }
        }
    }
    Ok(looked)
}

/// The thing of the full name `name`, where it carries a mark.
fn marked(
    kind: &'static str,
    name: &str,
    labels: impl IntoIterator<Item = (String, String)>,
) -> Option<Marked> {
    let short = name.rsplit('/').next().unwrap_or(name);
    Marked::new(kind, short, &LABELS, &labels.into_iter().collect::<Entries>())
}

/// The service account that may sign, by the mark of a bucket.
fn signer(bucket: &Marked) -> Option<Part> {
    bucket.mark.get(mark::SIGNER).and_then(mark::account_of).map(|email| Part::new("signer", email))
}

fn project(api: &Api) -> String {
    format!("project {}", api.project)
}
