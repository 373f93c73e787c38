//! Which settings a bucket may have, and those it has when nothing is said.

use googleapis_tonic_google_storage_v2::google::storage::v2::Bucket;
use googleapis_tonic_google_storage_v2::google::storage::v2::bucket::iam_config::UniformBucketLevelAccess;
use googleapis_tonic_google_storage_v2::google::storage::v2::bucket::{IamConfig, SoftDeletePolicy};
use jiff::Timestamp;
use prost_types::Duration;

use super::super::super::refusal::{Answer, Refusal};
use super::super::super::state::State;
use super::super::super::{labels, time};
use super::super::names;

const DAY: i64 = 24 * 60 * 60;
const CLASSES: &[&str] = &["STANDARD", "NEARLINE", "COLDLINE", "ARCHIVE"];
const METHODS: &[&str] = &["*", "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"];

/// Refuses what no bucket may have.
pub(super) fn check(state: &State, meta: &Bucket) -> Answer<()> {
    labels::check(meta.labels.iter().map(|(key, value)| (key.as_str(), value.as_str())))?;
    if !meta.location.is_empty() && names::location(&meta.location).is_none() {
        return Err(Refusal::invalid("The specified location constraint is not valid."));
    }
    if !meta.storage_class.is_empty() && !CLASSES.contains(&meta.storage_class.as_str()) {
        return Err(Refusal::invalid("Invalid storage class."));
    }
    for rule in &meta.cors {
        // https://cloud.google.com/storage/docs/cors-configurations
        if let Some(wrong) = rule.method.iter().find(|method| !METHODS.contains(&method.as_str())) {
            return Err(Refusal::invalid(format!("Invalid CORS method: {wrong}")));
        }
        if rule.max_age_seconds < 0 {
            return Err(Refusal::invalid("Invalid CORS max age"));
        }
    }
    if let Some(policy) = &meta.soft_delete_policy {
        // https://cloud.google.com/storage/docs/soft-delete#overview: 0, or 7 to 90 days
        let seconds = policy.retention_duration.map_or(0, |duration| duration.seconds);
        if seconds != 0 && !(7 * DAY..=90 * DAY).contains(&seconds) {
            return Err(Refusal::invalid(
                "Soft delete policy retention duration must be 0 or between 7 and 90 days.",
            ));
        }
    }
    if let Some(config) = &meta.iam_config
        && !matches!(config.public_access_prevention.as_str(), "" | "inherited" | "enforced")
    {
        return Err(Refusal::invalid("Invalid argument: publicAccessPrevention"));
    }
    if let Some(encryption) = &meta.encryption {
        let key = encryption.default_kms_key.as_str();
        let parts: Vec<_> = key.split('/').collect();
        if !key.is_empty()
            && !matches!(parts[..], ["projects", _, "locations", _, "keyRings", _, "cryptoKeys", _])
        {
            return Err(Refusal::invalid(format!("Malformed Cloud KMS crypto key: {key}")));
        }
        if state.switches.closed_keys.contains(key) {
            // https://cloud.google.com/storage/docs/encryption/using-customer-managed-keys
            return Err(Refusal::denied(
                "Permission denied on Cloud KMS key. Please ensure that your Cloud Storage service account \
                 has been authorized to use this key.",
            ));
        }
    }
    Ok(())
}

/// Adds what the cloud adds.
pub(super) fn complete(meta: &mut Bucket) -> Answer<()> {
    let now = Timestamp::now();
    let location = if meta.location.is_empty() { "US" } else { &meta.location };
    if let Some((location, kind)) = names::location(location) {
        meta.location = location;
        kind.clone_into(&mut meta.location_type);
    }
    if meta.location_type != "region" && meta.rpo.is_empty() {
        "DEFAULT".clone_into(&mut meta.rpo);
    }
    if meta.storage_class.is_empty() {
        "STANDARD".clone_into(&mut meta.storage_class);
    }
    let config = meta.iam_config.get_or_insert_with(IamConfig::default);
    if config.public_access_prevention.is_empty() {
        "inherited".clone_into(&mut config.public_access_prevention);
    }
    let uniform = config.uniform_bucket_level_access.get_or_insert_with(UniformBucketLevelAccess::default);
    if uniform.enabled && uniform.lock_time.is_none() {
        // https://cloud.google.com/storage/docs/uniform-bucket-level-access#should-you-use: after
        // 90 days it cannot be switched off.
        uniform.lock_time = Some(time::proto(time::later(now, 90 * DAY)));
    }
    if !uniform.enabled {
        uniform.lock_time = None;
    }
    let retention_duration = Some(Duration { seconds: 7 * DAY, nanos: 0 });
    let week = SoftDeletePolicy { retention_duration, effective_time: None };
    let policy = meta.soft_delete_policy.get_or_insert(week);
    if policy.effective_time.is_none() {
        policy.effective_time = Some(time::proto(now));
    }
    if let Some(policy) = &mut meta.retention_policy
        && policy.effective_time.is_none()
    {
        policy.effective_time = Some(time::proto(now));
    }
    Ok(())
}

/// Whether objects have no access lists of their own.
pub(super) fn uniform(meta: &Bucket) -> bool {
    let access = meta.iam_config.as_ref().and_then(|config| config.uniform_bucket_level_access);
    access.is_some_and(|access| access.enabled)
}

/// Takes one field of an update mask over.
pub(super) fn set(meta: &mut Bucket, wanted: &Bucket, path: &str) -> Answer<()> {
    match path {
        "labels" => meta.labels.clone_from(&wanted.labels),
        "cors" => meta.cors.clone_from(&wanted.cors),
        "storage_class" => meta.storage_class.clone_from(&wanted.storage_class),
        "iam_config" => meta.iam_config.clone_from(&wanted.iam_config),
        "iam_config.public_access_prevention" => {
            let prevention = wanted.iam_config.as_ref().map(|config| &config.public_access_prevention);
            let config = meta.iam_config.get_or_insert_with(IamConfig::default);
            config.public_access_prevention = prevention.cloned().unwrap_or_default();
        }
        "iam_config.uniform_bucket_level_access" | "iam_config.uniform_bucket_level_access.enabled" => {
            let access = wanted.iam_config.as_ref().and_then(|config| config.uniform_bucket_level_access);
            let config = meta.iam_config.get_or_insert_with(IamConfig::default);
            config.uniform_bucket_level_access = access;
        }
        "soft_delete_policy" | "soft_delete_policy.retention_duration" => {
            meta.soft_delete_policy = wanted
                .soft_delete_policy
                .map(|policy| SoftDeletePolicy { effective_time: None, ..policy })
                .or_else(|| Some(SoftDeletePolicy::default()));
        }
        "versioning" | "versioning.enabled" => meta.versioning = wanted.versioning,
        "encryption" | "encryption.default_kms_key" => meta.encryption.clone_from(&wanted.encryption),
        "lifecycle" => meta.lifecycle.clone_from(&wanted.lifecycle),
        "website" => meta.website.clone_from(&wanted.website),
        "logging" => meta.logging.clone_from(&wanted.logging),
        "billing" => meta.billing = wanted.billing,
        "default_event_based_hold" => meta.default_event_based_hold = wanted.default_event_based_hold,
        "retention_policy" | "retention_policy.retention_duration" => {
            if meta.retention_policy.is_some_and(|policy| policy.is_locked) {
                return Err(Refusal::denied("The bucket's retention policy is locked."));
            }
            meta.retention_policy = wanted.retention_policy;
        }
        _ => match path.strip_prefix("labels.") {
            Some(key) => match wanted.labels.get(key) {
                Some(value) => drop(meta.labels.insert(key.to_owned(), value.clone())),
                None => drop(meta.labels.remove(key)),
            },
            None => return Err(Refusal::invalid(format!("Invalid update mask: {path}"))),
        },
    }
    Ok(())
}
