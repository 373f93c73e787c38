//! What is in the project, for comparison.

use serde_json::{Value, json};

use super::Shared;
use super::state::State;
use super::storage::bucket_json;
use crate::snapshot::Snapshot;

/// Documents that belong together begin alike, and those that several parties write into end in
/// their own words: `bucket/<name>`, `bucket/<name>/labels`, `…/cors`, `…/policy`, `…/notifications`,
/// `…/objects`; `topic/<name>` and `subscription/<name>` with `…/labels` and `…/policy`;
/// `account/<email>/policy`.
pub(super) async fn of(shared: &Shared) -> Snapshot {
    let state = shared.state();
    let mut snapshot = Snapshot::default();
    let mut put = |path: String, value: Value| {
        let empty = value.as_object().is_some_and(serde_json::Map::is_empty)
            || value.as_array().is_some_and(Vec::is_empty);
        if !empty {
            snapshot.insert(named(&state, &path), named(&state, &value.to_string()));
        }
    };
    for (name, bucket) in &state.buckets {
        let mut settings = bucket_json::settings(bucket.meta());
        let base = format!("bucket/{name}");
        for key in ["labels", "cors"] {
            put(format!("{base}/{key}"), settings.remove(key).unwrap_or_else(|| json!({})));
        }
        let mut settings = Value::Object(settings);
        timeless(&mut settings);
        put(base.clone(), settings);
        put(format!("{base}/policy"), bucket.policy.content());
        let notifications = bucket.notifications.values().map(|one| {
            let mut config = one.config.clone();
            config["topic"] = one.topic.as_str().into();
            config
        });
        put(format!("{base}/notifications"), notifications.collect());
        let versions = bucket.objects.values().flatten().map(|object| {
            json!({"name": object.name, "content": String::from_utf8_lossy(&object.content), "live": object.live()})
        });
        put(format!("{base}/objects"), versions.collect());
    }
    for (name, topic) in &state.topics {
        split(&mut put, &format!("topic/{}", last(name)), &topic.settings, topic.policy.content());
    }
    for (name, one) in &state.subscriptions {
        split(&mut put, &format!("subscription/{}", last(name)), &one.settings, one.policy.content());
    }
    for (email, policy) in &state.accounts {
        put(format!("account/{email}/policy"), policy.content());
    }
    snapshot
}

fn split(
    put: &mut impl FnMut(String, Value),
    base: &str,
    settings: &serde_json::Map<String, Value>,
    policy: Value,
) {
    let mut settings = settings.clone();
    put(format!("{base}/labels"), settings.remove("labels").unwrap_or_else(|| json!({})));
    // Something is there even if nothing was said of it.
    settings.insert("exists".to_owned(), true.into());
    put(base.to_owned(), settings.into());
    put(format!("{base}/policy"), policy);
}

fn last(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or_default()
}

/// Leaves out when something took effect.
fn timeless(value: &mut Value) {
    if let Value::Object(map) = value {
        map.retain(|key, _| !matches!(key.as_str(), "effectiveTime" | "lockedTime"));
        map.values_mut().for_each(timeless);
    }
}

fn named(state: &State, text: &str) -> String {
    text.replace(&state.project.id, "PROJECT").replace(&state.project.number, "NUMBER")
}
