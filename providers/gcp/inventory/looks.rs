//! One listing for each kind of thing.

use serde_json::Value;

use super::LAYOUT;
use crate::error::Result;
use crate::inventory::{Looked, Marked, Part};
use crate::mark::entries;
use crate::providers::gcp::mark::{self, LABELS};
use crate::providers::gcp::rest::segment;
use crate::providers::gcp::session::Api;

/// All buckets of the project that carry a mark.
pub(super) async fn buckets(api: &Api) -> Result<Looked> {
    let path = format!(
        "/storage/v1/b?project={}&fields=nextPageToken,items(name,location,labels,timeCreated)",
        segment(&api.project)
    );
    let (mut looked, rest) = (Looked::default(), api.storage_json().await?);
    let listed = rest.list(&path, "items", "storage.buckets.list", project(api), |one| {
        let text = |field: &str| one[field].as_str().unwrap_or_default();
        let created = text("timeCreated").parse::<jiff::Timestamp>();
        looked.parts.extend(marked(LAYOUT.bucket, &one).map(|part| Marked {
            place: text("location").to_owned(),
            region: text("location").to_owned(),
            created: created.ok().map(jiff::Timestamp::as_second),
            // What this account was granted is to be revoked with the bucket.
            refers_to: signer(&part).into_iter().collect(),
            ..part
        }));
    });
    listed.await?;
    Ok(looked)
}

/// All topics or subscriptions (the `kind`) of the project that carry a mark. A failure other than missing
/// credentials is noted, and passed over.
pub(super) async fn queues(api: &Api, kind: &'static str) -> Result<Looked> {
    // The most that one page of Pub/Sub holds (Pub/Sub REST reference, "projects.topics.list").
    let path = format!("/v1/projects/{}/{kind}s?pageSize=1000", api.project);
    let (mut looked, rest) = (Looked::default(), api.pubsub().await?);
    let (named, permission) = (format!("{kind}s"), format!("pubsub.{kind}s.list"));
    let listed =
        rest.list(&path, &named, &permission, project(api), |one| looked.parts.extend(marked(kind, &one)));
    if let Err(error) = listed.await {
        looked.unlisted(&[kind], "", &format!("the {kind}s"), error)?;
    }
    Ok(looked)
}

/// What the API shows as `one`, where it carries a mark.
fn marked(kind: &'static str, one: &Value) -> Option<Marked> {
    let name = one["name"].as_str().unwrap_or_default();
    Marked::new(kind, name.rsplit('/').next().unwrap_or_default(), &LABELS, &entries(&one["labels"]))
}

/// The service account that may sign, by the mark of a bucket.
fn signer(bucket: &Marked) -> Option<Part> {
    bucket.mark.get(mark::SIGNER).and_then(mark::account_of).map(|email| Part::new("signer", email))
}

fn project(api: &Api) -> String {
    format!("project {}", api.project)
}
