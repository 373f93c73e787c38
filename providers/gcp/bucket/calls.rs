//! The calls that a bucket is read and changed with. Every change carries the metageneration that was
//! read, so that what somebody else changed meanwhile is seen again instead of lost (G9).

use std::time::Duration;

use backon::BackoffBuilder;
use google_cloud_gax::options::RequestOptionsBuilder;
use google_cloud_iam_v1::model::{GetPolicyOptions, Policy};
use google_cloud_storage::model;
use google_cloud_wkt::FieldMask;

use super::GcsBucket;
use crate::error::{Error, Kind, Result};
use crate::mark::Entries;
use crate::patience::pauses;
use crate::providers::gcp::failure::{Refusal, failure, is_not_found};
use crate::providers::gcp::iam_policy::VERSION;
use crate::providers::gcp::session::Api;

/// How often a change is made upon what somebody else wrote in between (G4).
const TRIES: usize = 10;

/// The pauses before each new try. A bucket takes one change of its settings a second (Cloud Storage docs,
/// "Quotas and limits"; G8); longer ones are the engine's, which shows them.
pub fn retries() -> impl Iterator<Item = Duration> {
    pauses().with_max_delay(Duration::from_secs(1)).with_max_times(TRIES - 1).build()
}

/// A change of a bucket: the settings to send and the paths of those that differ.
pub type Change = (model::Bucket, Vec<&'static str>);

/// The bucket `name`; `None` only when Cloud Storage says that there is none.
///
/// # Errors
/// [`Kind::Refused`] for one that we may not look at, which is mostly somebody else's; those of the
/// cloud.
pub async fn get(api: &Api, name: &str) -> Result<Option<model::Bucket>> {
    let error = match api.control().await?.get_bucket().set_name(api.bucket_name(name)).send().await {
        Ok(bucket) => return Ok(Some(bucket)),
        Err(error) if is_not_found(&error) => return Ok(None),
        Err(error) => failure(&error, "storage.buckets.get", GcsBucket::at(name)),
    };
    if error.kind() != Kind::Denied {
        return Err(error);
    }
    Err(Error::refused(format!(
        "the bucket {name} exists, and these credentials may not look at it: it belongs to another project, or \
         storage.buckets.get is denied"
    ))
    .hint("choose another name with --bucket; if it is yours, grant storage.buckets.get on it"))
}

/// The labels of the bucket `name`; `None` where it is not there.
///
/// # Errors
/// As [`get`].
pub async fn labels_of(api: &Api, name: &str) -> Result<Option<Entries>> {
    Ok(get(api, name).await?.map(|bucket| bucket.labels.into_iter().collect()))
}

/// Sets labels of the bucket `name` to what `edit` makes of them.
///
/// # Errors
/// As [`change`].
pub async fn relabel(api: &Api, name: &str, edit: impl Fn(Entries) -> Entries) -> Result<()> {
    change(api, name, |bucket| {
        let before: Entries = bucket.labels.clone().into_iter().collect();
        let after = edit(before.clone());
        (after != before).then(|| (model::Bucket::new().set_labels(after), vec!["labels"]))
    })
    .await
}

/// Reads the bucket `name`, and writes what `edit` makes of it; nothing where that is nothing, or no
/// bucket is there.
///
/// # Errors
/// [`Kind::Conflict`] when others are faster every time; those of the cloud.
pub async fn change(api: &Api, name: &str, edit: impl Fn(&model::Bucket) -> Option<Change>) -> Result<()> {
    let mut retries = retries();
    loop {
        let Some(bucket) = get(api, name).await? else { return Ok(()) };
        let Some((settings, paths)) = edit(&bucket) else { return Ok(()) };
        let sent = update(api, name, (settings, paths), bucket.metageneration).await?;
        let Err(error) = sent else { return Ok(()) };
        if !Refusal::of(&error).is_some_and(|refusal| refusal.is_stale()) {
            return Err(failure(&error, "storage.buckets.update", GcsBucket::at(name)));
        }
        let Some(pause) = retries.next() else {
            return Err(crowded(&format!("storage.buckets.update on {}", GcsBucket::at(name))));
        };
        tokio::time::sleep(pause).await;
    }
}

/// As [`change`], of a bucket that was decided on as it was with `metageneration`: what has been changed
/// since then is for another decision.
///
/// # Errors
/// [`Kind::Conflict`] when it has been changed; those of the cloud.
pub async fn change_seen(
    api: &Api,
    name: &str,
    metageneration: i64,
    edit: impl Fn(&model::Bucket) -> Option<Change>,
) -> Result<()> {
    let Some(bucket) = get(api, name).await? else { return Ok(()) };
    let Some(change) = edit(&bucket) else { return Ok(()) };
    match update(api, name, change, metageneration).await? {
        Ok(_) => Ok(()),
        Err(error) => Err(failure(&error, "storage.buckets.update", GcsBucket::at(name))),
    }
}

async fn update(
    api: &Api,
    name: &str,
    (settings, paths): Change,
    metageneration: i64,
) -> Result<google_cloud_gax::Result<model::Bucket>> {
    let call = api.control().await?.update_bucket().set_bucket(settings.set_name(api.bucket_name(name)));
    let call = call.set_update_mask(FieldMask::default().set_paths(paths));
    let call = call.set_if_metageneration_match(metageneration).with_idempotency(false);
    Ok(api.mutate(call.send()).await)
}

/// Somebody else was faster every time. That is final, whatever `--wait` says: the pauses in between were
/// long enough.
pub fn crowded(call: &str) -> Error {
    Error::new(Kind::Failed, format!("{call}: it was changed by somebody else {TRIES} times in a row"))
        .hint("another tool keeps writing to it; stop that and run again")
}

/// The IAM policy of the bucket `name`; `None` where it is not there.
///
/// # Errors
/// Those of the cloud.
pub async fn policy(api: &Api, name: &str) -> Result<Option<Policy>> {
    let answer = api
        .control()
        .await?
        .get_iam_policy()
        .set_resource(api.bucket_name(name))
        .set_options(GetPolicyOptions::new().set_requested_policy_version(VERSION))
        // The call is a POST, but only looks.
        .with_idempotency(true)
        .send()
        .await;
    match answer {
        Ok(policy) => Ok(Some(policy)),
        Err(error) if is_not_found(&error) => Ok(None),
        Err(error) => Err(failure(&error, "storage.buckets.getIamPolicy", GcsBucket::at(name))),
    }
}
