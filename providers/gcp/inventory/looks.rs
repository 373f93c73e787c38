//! One listing for each kind of thing.

use serde_json::Value;

use super::{Marked, Seen};
use crate::error::{Kind, Result};
use crate::providers::gcp::mark;
use crate::providers::gcp::rest::segment;
use crate::providers::gcp::session::Api;

/// All buckets of the project that carry a mark.
pub(crate) async fn buckets(api: &Api) -> Result<Vec<Marked>> {
    let path = format!(
        "/storage/v1/b?project={}&fields=nextPageToken,items(name,location,labels,timeCreated)",
        segment(&api.project)
    );
    let (mut parts, rest) = (vec![], api.storage_json().await?);
    let listed = rest.list(&path, "items", "storage.buckets.list", project(api), |one| {
        parts.extend(marked("bucket", &one))
    });
    listed.await?;
    Ok(parts)
}

/// All topics or subscriptions (the `kind`) of the project that carry a mark. Without credentials nothing
/// can be known; any other failure is noted, and passed over.
pub(crate) async fn queues(api: &Api, kind: &'static str) -> Result<Seen> {
    // The most that one page of Pub/Sub holds (Pub/Sub REST reference, "projects.topics.list").
    let path = format!("/v1/projects/{}/{kind}s?pageSize=1000", api.project);
    let (mut seen, rest) = (Seen::default(), api.pubsub().await?);
    let (named, permission) = (format!("{kind}s"), format!("pubsub.{kind}s.list"));
    let listed =
        rest.list(&path, &named, &permission, project(api), |one| seen.parts.extend(marked(kind, &one)));
    match listed.await {
        Err(error) if error.kind() == Kind::Credentials => return Err(error),
        Err(error) => {
            seen.unsure.insert(kind, format!("the {kind}s cannot be listed: {}", error.chain()));
        }
        Ok(()) => {}
    }
    Ok(seen)
}

/// What the API shows as `one`, where it carries a mark. Only a bucket has a place and a time.
fn marked(kind: &'static str, one: &Value) -> Option<Marked> {
    let text = |field: &str| one[field].as_str().unwrap_or_default();
    let labels = mark::labels(one);
    labels.contains_key(mark::DEPLOYMENT).then(|| Marked {
        kind,
        name: text("name").rsplit('/').next().unwrap_or_default().to_owned(),
        location: text("location").to_owned(),
        created: text("timeCreated").parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_second),
        labels,
    })
}

fn project(api: &Api) -> String {
    format!("project {}", api.project)
}
