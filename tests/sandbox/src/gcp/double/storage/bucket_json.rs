//! A bucket as JSON: <https://cloud.google.com/storage/docs/json_api/v1/buckets#resource>.

use googleapis_tonic_google_storage_v2::google::storage::v2;
use googleapis_tonic_google_storage_v2::google::storage::v2::bucket;
use googleapis_tonic_google_storage_v2::google::storage::v2::bucket::iam_config::UniformBucketLevelAccess;
use googleapis_tonic_google_storage_v2::google::storage::v2::bucket::lifecycle::Rule;
use googleapis_tonic_google_storage_v2::google::storage::v2::bucket::lifecycle::rule::{Action, Condition};
use prost_types::{Duration, FieldMask};
use serde_json::{Map, Value, json};

use super::super::refusal::{Answer, Refusal};
use super::super::time;

/// The settings in both forms of names: JSON, and update mask.
const FIELDS: &[(&str, &str)] = &[
    ("cors", "cors"),
    ("defaultEventBasedHold", "default_event_based_hold"),
    ("encryption", "encryption"),
    ("iamConfiguration", "iam_config"),
    ("labels", "labels"),
    ("lifecycle", "lifecycle"),
    ("retentionPolicy", "retention_policy"),
    ("softDeletePolicy", "soft_delete_policy"),
    ("storageClass", "storage_class"),
    ("versioning", "versioning"),
];

/// Settings that are kept as they are written: nothing here acts on them.
const MORE: &[&str] = &["autoclass", "billing", "ipFilter", "objectRetention"];

/// Keeps those of `body` in `more`.
pub(super) fn keep_more(more: &mut Map<String, Value>, body: &Value) {
    for key in MORE {
        match body.get(*key) {
            Some(Value::Null) => drop(more.remove(*key)),
            Some(value) => drop(more.insert((*key).to_owned(), value.clone())),
            None => {}
        }
    }
}

/// What a client reads.
pub(super) fn read(meta: &v2::Bucket, url: &str) -> Value {
    let name = &meta.bucket_id;
    let mut json = settings(meta);
    for (key, value) in [
        ("kind", "storage#bucket"),
        ("id", name),
        ("name", name),
        ("selfLink", &format!("{url}/storage/v1/b/{name}")),
        ("projectNumber", meta.project.trim_start_matches("projects/")),
        ("metageneration", &meta.metageneration.to_string()),
        ("generation", "1"),
        ("etag", &meta.etag),
        ("timeCreated", &time::text_of(meta.create_time.as_ref())),
        ("updated", &time::text_of(meta.update_time.as_ref())),
    ] {
        json.insert(key.to_owned(), value.into());
    }
    json.into()
}

/// What was or can be chosen.
pub(in super::super) fn settings(meta: &v2::Bucket) -> Map<String, Value> {
    let mut json = Map::new();
    let mut put = |key: &str, value: Value| json.insert(key.to_owned(), value);
    put("location", meta.location.as_str().into());
    put("locationType", meta.location_type.as_str().into());
    put("storageClass", meta.storage_class.as_str().into());
    if !meta.rpo.is_empty() {
        put("rpo", meta.rpo.as_str().into());
    }
    if !meta.labels.is_empty() {
        let sorted: std::collections::BTreeMap<_, _> = meta.labels.iter().collect();
        put("labels", json!(sorted));
    }
    if !meta.cors.is_empty() {
        put("cors", meta.cors.iter().map(cors).collect());
    }
    if let Some(config) = &meta.iam_config {
        let access = config.uniform_bucket_level_access.unwrap_or_default();
        let mut uniform = json!({"enabled": access.enabled});
        if access.lock_time.is_some() {
            uniform["lockedTime"] = time::text_of(access.lock_time.as_ref()).into();
        }
        put(
            "iamConfiguration",
            json!({
                "publicAccessPrevention": config.public_access_prevention,
                "uniformBucketLevelAccess": uniform, "bucketPolicyOnly": uniform,
            }),
        );
    }
    if let Some(policy) = &meta.soft_delete_policy {
        let seconds = policy.retention_duration.map_or(0, |duration| duration.seconds);
        put(
            "softDeletePolicy",
            json!({
                "retentionDurationSeconds": seconds.to_string(),
                "effectiveTime": time::text_of(policy.effective_time.as_ref()),
            }),
        );
    }
    if let Some(policy) = &meta.retention_policy {
        let seconds = policy.retention_duration.map_or(0, |duration| duration.seconds);
        put(
            "retentionPolicy",
            json!({
                "retentionPeriod": seconds.to_string(), "isLocked": policy.is_locked,
                "effectiveTime": time::text_of(policy.effective_time.as_ref()),
            }),
        );
    }
    if let Some(versioning) = &meta.versioning {
        put("versioning", json!({"enabled": versioning.enabled}));
    }
    if let Some(encryption) = &meta.encryption {
        put("encryption", json!({"defaultKmsKeyName": encryption.default_kms_key}));
    }
    if let Some(lifecycle) = &meta.lifecycle {
        put("lifecycle", json!({"rule": lifecycle.rule.iter().map(rule).collect::<Vec<_>>()}));
    }
    if meta.default_event_based_hold {
        put("defaultEventBasedHold", true.into());
    }
    json
}

/// What a client writes.
pub(super) fn written(json: &Value) -> Answer<v2::Bucket> {
    let wrong = |error: serde_json::Error| Refusal::invalid(error.to_string());
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut meta = v2::Bucket {
        location: text(&json["location"]),
        storage_class: text(&json["storageClass"]),
        default_event_based_hold: json["defaultEventBasedHold"].as_bool().unwrap_or_default(),
        ..v2::Bucket::default()
    };
    if !json["labels"].is_null() {
        meta.labels = serde_json::from_value(json["labels"].clone()).map_err(wrong)?;
    }
    for rule in json["cors"].as_array().into_iter().flatten() {
        meta.cors.push(bucket::Cors {
            origin: texts(&rule["origin"]),
            method: texts(&rule["method"]),
            response_header: texts(&rule["responseHeader"]),
            max_age_seconds: i32::try_from(number(&rule["maxAgeSeconds"])).unwrap_or_default(),
        });
    }
    let config = &json["iamConfiguration"];
    if config.is_object() {
        let uniform = &config["uniformBucketLevelAccess"];
        meta.iam_config = Some(bucket::IamConfig {
            uniform_bucket_level_access: uniform.is_object().then(|| UniformBucketLevelAccess {
                enabled: uniform["enabled"].as_bool().unwrap_or_default(),
                lock_time: None,
            }),
            public_access_prevention: text(&config["publicAccessPrevention"]),
        });
    }
    let policy = &json["softDeletePolicy"];
    if policy.is_object() {
        let retention_duration = Some(seconds(&policy["retentionDurationSeconds"]));
        meta.soft_delete_policy = Some(bucket::SoftDeletePolicy { retention_duration, effective_time: None });
    }
    let policy = &json["retentionPolicy"];
    if policy.is_object() {
        meta.retention_policy = Some(bucket::RetentionPolicy {
            retention_duration: Some(seconds(&policy["retentionPeriod"])),
            ..bucket::RetentionPolicy::default()
        });
    }
    if json["versioning"].is_object() {
        let enabled = json["versioning"]["enabled"].as_bool().unwrap_or_default();
        meta.versioning = Some(bucket::Versioning { enabled });
    }
    if json["encryption"].is_object() {
        let default_kms_key = text(&json["encryption"]["defaultKmsKeyName"]);
        meta.encryption = Some(bucket::Encryption { default_kms_key, ..bucket::Encryption::default() });
    }
    let rules = json["lifecycle"]["rule"].as_array().map(|rules| rules.iter().map(read_rule).collect());
    meta.lifecycle = rules.map(|rule| bucket::Lifecycle { rule });
    Ok(meta)
}

/// What a patch means: its settings laid over those that are, and the fields it has.
pub(super) fn patch(meta: &v2::Bucket, body: &Value) -> Answer<(v2::Bucket, FieldMask)> {
    let mut json = Value::Object(settings(meta));
    merge(&mut json, body);
    let mut wanted = written(&json)?;
    wanted.name.clone_from(&meta.name);
    let has = |key: &&str| body.get(*key).is_some();
    let mut paths: Vec<_> =
        FIELDS.iter().filter(|(key, _)| has(key)).map(|(_, path)| (*path).to_owned()).collect();
    if MORE.iter().any(|key| body.get(*key).is_some()) {
        // A change of one of these is one of the bucket.
        paths.push("labels".to_owned());
    }
    Ok((wanted, FieldMask { paths }))
}

/// RFC 7396, which JSON patches here follow.
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        target.clone_from(patch);
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    let Value::Object(target) = target else { return };
    for (key, value) in patch {
        if value.is_null() {
            target.remove(key);
        } else {
            merge(target.entry(key).or_insert(Value::Null), value);
        }
    }
}

fn cors(rule: &bucket::Cors) -> Value {
    json!({
        "origin": rule.origin, "method": rule.method,
        "responseHeader": rule.response_header, "maxAgeSeconds": rule.max_age_seconds,
    })
}

fn rule(rule: &Rule) -> Value {
    let action = rule.action.clone().unwrap_or_default();
    let condition = rule.condition.clone().unwrap_or_default();
    let mut json = json!({"action": {"type": action.r#type}, "condition": {}});
    for (key, value) in [
        ("age", condition.age_days),
        ("numNewerVersions", condition.num_newer_versions),
        ("daysSinceNoncurrentTime", condition.days_since_noncurrent_time),
    ] {
        if let Some(value) = value {
            json["condition"][key] = value.into();
        }
    }
    if let Some(live) = condition.is_live {
        json["condition"]["isLive"] = live.into();
    }
    json
}

fn read_rule(json: &Value) -> Rule {
    let condition = &json["condition"];
    let days = |key: &str| condition[key].as_i64().and_then(|days| i32::try_from(days).ok());
    Rule {
        action: Some(Action {
            r#type: json["action"]["type"].as_str().unwrap_or_default().to_owned(),
            storage_class: json["action"]["storageClass"].as_str().unwrap_or_default().to_owned(),
        }),
        condition: Some(Condition {
            age_days: days("age"),
            is_live: condition["isLive"].as_bool(),
            num_newer_versions: days("numNewerVersions"),
            days_since_noncurrent_time: days("daysSinceNoncurrentTime"),
            ..Condition::default()
        }),
    }
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// A 64-bit number, which JSON has as text.
fn number(value: &Value) -> i64 {
    value.as_i64().or_else(|| value.as_str().and_then(|text| text.parse().ok())).unwrap_or_default()
}

fn seconds(value: &Value) -> Duration {
    Duration { seconds: number(value), nanos: 0 }
}
