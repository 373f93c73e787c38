//! What soft delete keeps of a bucket and its objects after they were deleted.
//!
//! It is on by default, for seven days, and holds the bucket itself as well (Cloud Storage
//! documentation, "Soft delete"). wbstore never switches it off by itself.

use google_cloud_storage::model::Bucket as Described;
use serde_json::Value;

use super::retained::date;
use crate::http::Method;
use crate::providers::gcp::rest::segment;
use crate::providers::gcp::session::Api;

const DAY: i64 = 24 * 60 * 60;

/// For how long the bucket keeps what is deleted, in seconds; `None` when soft delete is off.
pub fn kept_for(described: &Described) -> Option<i64> {
    let policy = described.soft_delete_policy.as_ref()?;
    policy.retention_duration.as_ref().map(|duration| duration.seconds()).filter(|seconds| *seconds > 0)
}

/// The generation of the bucket, by which a deleted one is brought back. Only the JSON API tells it.
/// A reader can look it up later too, so that not to know is no failure.
pub async fn generation(api: &Api, bucket: &str) -> Option<String> {
    let path = format!("/storage/v1/b/{}?fields=generation", segment(bucket));
    let answer = api.storage_json().await.ok()?.send(Method::GET, &path, None).await.ok()?;
    let said: Value = serde_json::from_slice(&answer.body).ok()?;
    said["generation"].as_str().filter(|text| text.bytes().all(|b| b.is_ascii_digit())).map(str::to_owned)
}

/// What a reader should know of the days after a deletion at `now`, in seconds since the epoch.
pub fn tell(bucket: &str, described: &Described, generation: Option<&str>, now: i64) -> Option<String> {
    let kept = kept_for(described)?;
    let generation = generation.unwrap_or("GENERATION");
    Some(format!(
        "soft delete keeps the objects and the bucket until {} ({}), and bills them as before; \
         `gcloud storage restore gs://{bucket}#{generation}`, then `gcloud storage restore gs://{bucket}/**`, \
         bring them back",
        date(now.saturating_add(kept)),
        if kept % DAY == 0 { format!("{} days", kept / DAY) } else { format!("{kept} s") },
    ))
}

#[cfg(test)]
mod tests {
    use google_cloud_storage::model::bucket::SoftDeletePolicy;
    use google_cloud_wkt::Duration;

    use super::*;

    fn keeping(seconds: i64) -> Described {
        let policy = SoftDeletePolicy::new().set_retention_duration(Duration::clamp(seconds, 0));
        Described::new().set_soft_delete_policy(policy)
    }

    #[test]
    fn the_end_is_told_with_the_way_back() {
        assert_eq!(
            tell("acme", &keeping(7 * DAY), Some("42"), 0).unwrap(),
            "soft delete keeps the objects and the bucket until 1970-01-08 (7 days), and bills them as before; \
             `gcloud storage restore gs://acme#42`, then `gcloud storage restore gs://acme/**`, bring them back"
        );
    }

    #[test]
    fn switched_off_it_keeps_nothing() {
        assert_eq!(tell("acme", &keeping(0), None, 0), None);
        assert_eq!(kept_for(&Described::new()), None);
    }
}
