//! The calls that a bucket is read and changed with. Every change carries the metageneration that was read,
//! so that a concurrent update is read again instead of lost (G9).

use serde_json::Value;

use super::{Described, GcsBucket};
use crate::error::{Error, Kind, Result};
use crate::http::Method;
use crate::mark::{Entries, Mark, entries};
use crate::providers::gcp::grant::Place;
use crate::providers::gcp::iam_policy::Policy;
use crate::providers::gcp::mark::{self, LABELS};
use crate::providers::gcp::rest::segment;
use crate::providers::gcp::session::Api;
use crate::retry;

/// Where the bucket `name` is in the JSON API.
pub(crate) fn path(name: &str) -> String {
    format!("/storage/v1/b/{}", segment(name))
}

/// The bucket `name`; `None` only if Cloud Storage reports that it does not exist.
///
/// # Errors
/// [`Kind::Refused`] for one that the credentials may not read, which usually belongs to another project;
/// those of the cloud.
pub(crate) async fn get(api: &Api, name: &str) -> Result<Option<Described>> {
    match find(api, name).await {
        Err(error) if error.kind() == Kind::Denied => Err(Error::refused(format!(
            "the bucket {name} exists, but these credentials are not allowed to read it: it belongs to \
             another project, or storage.buckets.get is denied"
        ))
        .hint("choose another name with --bucket; if it is yours, grant storage.buckets.get on it")),
        found => found,
    }
}

/// As [`get`], with what is denied as [`Kind::Denied`].
///
/// # Errors
/// Those of the cloud.
pub(super) async fn find(api: &Api, name: &str) -> Result<Option<Described>> {
    api.storage_json().await?.find(&path(name), "storage.buckets.get", GcsBucket::at(name)).await
}

/// The labels of the bucket `name`; `None` if it does not exist.
///
/// # Errors
/// As [`get`].
pub(crate) async fn labels_of(api: &Api, name: &str) -> Result<Option<Entries>> {
    Ok(get(api, name).await?.map(|bucket| bucket.labels()))
}

/// Gives `each` the name and the mark of every bucket of the project that has one.
///
/// # Errors
/// Those of the cloud.
pub(crate) async fn each_marked(api: &Api, mut each: impl FnMut(&str, &Mark)) -> Result<()> {
    let path =
        format!("/storage/v1/b?project={}&fields=nextPageToken,items(name,labels)", segment(&api.project));
    let target = format!("project {}", api.project);
    let rest = api.storage_json().await?;
    rest.list(&path, "items", "storage.buckets.list", target, |one| {
        let mark = LABELS.read(&entries(&one["labels"]));
        if !mark.is_empty() {
            each(one["name"].as_str().unwrap_or_default(), &mark);
        }
    })
    .await
}

/// Sets the labels of the bucket `name` to the result of `edit`.
///
/// # Errors
/// As [`change`].
pub(crate) async fn relabel(api: &Api, name: &str, edit: impl Fn(Entries) -> Entries) -> Result<()> {
    change(api, name, |bucket| {
        let before = bucket.labels();
        let after = edit(before.clone());
        (after != before).then(|| serde_json::json!({ "labels": mark::patch(&before, &after) }))
    })
    .await
}

/// Reads the bucket `name`, and writes the patch that `edit` returns; writes nothing without a patch or a
/// bucket.
///
/// # Errors
/// [`Kind::Failed`] when others are faster every time; those of the cloud.
pub(crate) async fn change(api: &Api, name: &str, edit: impl Fn(&Described) -> Option<Value>) -> Result<()> {
    let edit = &edit;
    retry::undisturbed(&format!("{UPDATE} on {}", GcsBucket::at(name)), || async move {
        match get(api, name).await? {
            Some(bucket) => update(api, name, edit(&bucket), bucket.metageneration()).await,
            None => Ok(()),
        }
    })
    .await
}

/// As [`change`], of a bucket that was decided on as it was with `metageneration`: what has been changed
/// since then is for another decision.
///
/// # Errors
/// [`Kind::Conflict`] when it has been changed; those of the cloud.
pub(crate) async fn change_seen(
    api: &Api,
    name: &str,
    metageneration: i64,
    edit: impl Fn(&Described) -> Option<Value>,
) -> Result<()> {
    let Some(bucket) = get(api, name).await? else { return Ok(()) };
    update(api, name, edit(&bucket), metageneration).await
}

const UPDATE: &str = "storage.buckets.update";

async fn update(api: &Api, name: &str, patch: Option<Value>, metageneration: i64) -> Result<()> {
    let Some(patch) = patch else { return Ok(()) };
    let path = format!("{}?ifMetagenerationMatch={metageneration}", path(name));
    let written = api.storage_json().await?.write(Method::PATCH, &path, Some(&patch)).await?;
    written.map_err(|refusal| refusal.explain(UPDATE, GcsBucket::at(name)))
}

/// The IAM policy of the bucket `name`; `None` if it does not exist.
///
/// # Errors
/// Those of the cloud.
pub(crate) async fn policy(api: &Api, name: &str) -> Result<Option<Policy>> {
    Place::Bucket(name.to_owned()).policy(api).await
}
