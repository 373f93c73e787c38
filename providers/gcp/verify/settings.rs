//! What Cloud Storage and Pub/Sub report of the bucket and of the server's subscription, before anything is
//! tried.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::TeamReader;
use crate::error::{Error, Kind, Result};
use crate::name::DeploymentName;
use crate::providers::gcp::bucket::{Described, calls};
use crate::providers::gcp::iam_policy::Policy;
use crate::providers::gcp::notification::{Notification, Senders};
use crate::providers::gcp::session::Api;
use crate::providers::gcp::subscription::DELETED_TOPIC;
use crate::span::Span;
use crate::text::clean;
use crate::verify::{Settings, Settling, Verdict, failed, inconclusive, passed};

/// How long a grant may take to take effect: "typically 2 minutes, potentially 7 minutes or longer" (IAM
/// documentation, "Access change propagation"; G3).
const GRANTS_HOLD_WITHIN: Duration = Duration::from_secs(8 * 60);
/// The setting that blocks every public grant (Cloud Storage documentation, "Public access prevention").
const ENFORCED: &str = "enforced";
/// The hint for settings that `provision` corrects.
const REPAIR: &str = "`wbstore plan gcp` shows the difference, and `wbstore provision gcp` corrects it";

/// What was read.
pub(super) struct Found {
    pub(super) settings: Settings,
    /// How long soft delete keeps deleted objects, as text.
    pub(super) soft_deleted: Option<String>,
    pub(super) senders: Senders,
}

/// Reads all at once.
///
/// # Errors
/// Without credentials, or without the bucket.
pub(super) async fn read(
    api: &Api,
    deployment: &DeploymentName,
    bucket: &str,
    events: Option<(&str, &str)>,
    reader: Option<&TeamReader>,
) -> Result<Found> {
    let subscription = async {
        match events {
            Some((topic, subscription)) => delivery(api, topic, subscription).await.map(Some),
            None => Ok(None),
        }
    };
    let senders = async {
        let Some(names) = events else { return Ok(Senders::default()) };
        Notification::new(api, bucket, names, deployment, false, false).senders(api).await
    };
    let (described, policy, subscription, senders) =
        tokio::join!(calls::get(api, bucket), calls::policy(api, bucket), subscription, senders);
    let Some(described) = described? else {
        return Err(Error::new(Kind::Failed, format!("the bucket {bucket} does not exist"))
            .hint("`wbstore provision gcp` creates it"));
    };
    let until = described.updated().and_then(|changed| Settling::until(changed, GRANTS_HOLD_WITHIN));
    let reader = reader.map_or_else(Vec::new, |reader| reader.checks(&described, &policy));
    let settings = Settings {
        public: exposure(bucket, &described, policy)?,
        reader,
        subscription: subscription?.map(|verdict| doubled(verdict, &senders)),
        settling: until.map(|until| Settling::Grants {
            until,
            why: "the bucket was created or updated a moment ago, and a grant can take 7 minutes or more to \
                  take effect",
        }),
        kept_by: kept_by(&described),
    };
    Ok(Found { settings, soft_deleted: soft_deleted(&described), senders: senders.unwrap_or_default() })
}

/// The verdict on the subscription, with what is known of events that are sent twice.
fn doubled(verdict: Verdict, senders: &Result<Senders>) -> Verdict {
    let more = match senders {
        Err(error) => format!("; not checked whether events arrive twice: {}", error.chain()),
        Ok(Senders { ours, others }) => {
            let all: Vec<_> = ours.iter().chain(others).map(|id| format!("`{}`", clean(id))).collect();
            if all.len() < 2 {
                return verdict;
            }
            format!(
                "; every upload is announced {} times, by the notifications {}: `wbstore plan gcp` shows how to \
                 delete those that are not wbstore's",
                all.len(),
                all.join(", ")
            )
        }
    };
    match verdict {
        Verdict::Passed { detail } => passed(detail + &more),
        verdict => verdict,
    }
}

/// What would keep a probe from being removed.
fn kept_by(described: &Described) -> Option<String> {
    if described.holds_new_objects() {
        return Some("an event-based hold on every new object".to_owned());
    }
    let kept = described.retention_seconds()? > 0;
    kept.then(|| "a retention policy".to_owned())
}

fn soft_deleted(described: &Described) -> Option<String> {
    let seconds = u32::try_from(described.soft_delete_seconds()).ok().filter(|seconds| *seconds > 0)?;
    Some(Span::from_secs(seconds).to_string())
}

/// Whether no grant is public, and none can be.
fn exposure(bucket: &str, described: &Described, policy: Result<Option<Policy>>) -> Result<Verdict> {
    let enforced = described.public_access_prevention() == ENFORCED;
    let public = match policy {
        Ok(policy) => policy.unwrap_or_default().public(),
        Err(error) if error.kind() != Kind::Denied => return Err(error),
        Err(_) if enforced => {
            return Ok(passed(
                "public access prevention is enforced; these credentials are not allowed to read the policy",
            ));
        }
        Err(error) => return Ok(inconclusive(error.chain())),
    };
    let grants = public.join("; ");
    let remove = format!(
        "`gcloud storage buckets remove-iam-policy-binding gs://{bucket} --member MEMBER --role ROLE`"
    );
    Ok(match (public.is_empty(), enforced) {
        (false, false) => failed(
            format!("it is public: {grants}"),
            format!("remove the grant with {remove}, then run `wbstore provision gcp` again"),
        ),
        (false, true) => failed(
            format!("its policy grants public access, which only public access prevention blocks: {grants}"),
            format!("remove the grant with {remove}"),
        ),
        (true, false) => failed(
            "public access prevention is not enforced, so a single grant could make it public",
            "`wbstore provision gcp` enforces it",
        ),
        (true, true) => passed("no grant is public, and public access prevention is enforced"),
    })
}

/// What matters of a subscription (Pub/Sub REST reference, "projects.subscriptions").
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Subscribed {
    topic: String,
    detached: bool,
    filter: String,
    push_config: Value,
    bigquery_config: Value,
    cloud_storage_config: Value,
    bigtable_config: Value,
    expiration_policy: Option<Expiration>,
}

#[derive(Deserialize)]
struct Expiration {
    ttl: Option<String>,
}

/// Whether messages of `topic` reach `subscription`, which the server pulls from, and wait there. It is only
/// read and never pulled from, because the server would miss what verify receives (G26).
///
/// # Errors
/// Without credentials; any other failed read is a verdict.
async fn delivery(api: &Api, topic: &str, subscription: &str) -> Result<Verdict> {
    let path = format!("/v1/{}", api.subscription_name(subscription));
    let target = format!("subscription {subscription}");
    match api.pubsub().await?.find(&path, "pubsub.subscriptions.get", target).await {
        Ok(None) => {
            let why = format!("the subscription {subscription} does not exist");
            Ok(failed(why, "`wbstore provision gcp` creates it"))
        }
        Ok(Some(found)) => Ok(judge(&found, &api.topic_name(topic))),
        Err(error) if error.kind() == Kind::Credentials || error.asks_too_much() => Err(error),
        Err(error) if error.kind() == Kind::Denied => Ok(inconclusive(error.chain())),
        Err(error) => Ok(failed(error.chain(), error.what_next().unwrap_or(REPAIR))),
    }
}

fn judge(found: &Subscribed, topic: &str) -> Verdict {
    let push = found.push_config["pushEndpoint"].as_str().is_some_and(|endpoint| !endpoint.is_empty());
    let sends = [
        (push, "pushes to an endpoint"),
        (!found.bigquery_config.is_null(), "writes to BigQuery"),
        (!found.cloud_storage_config.is_null(), "writes to Cloud Storage"),
        (!found.bigtable_config.is_null(), "writes to Bigtable"),
    ];
    if found.detached || found.topic == DELETED_TOPIC {
        return failed("it is attached to no topic and receives no events", REPAIR);
    }
    if found.topic != topic {
        return failed(format!("it is attached to another topic, {}", clean(&found.topic)), REPAIR);
    }
    if let Some((_, what)) = sends.into_iter().find(|(set, _)| *set) {
        return failed(format!("it {what}, so the server has nothing to pull"), REPAIR);
    }
    if !found.filter.is_empty() {
        return failed(
            format!("it receives only messages that match the filter {}", clean(&found.filter)),
            REPAIR,
        );
    }
    // Without a policy the default holds, and one without an end means never (Pub/Sub REST reference,
    // "ExpirationPolicy"; G12).
    let expires = match &found.expiration_policy {
        Some(Expiration { ttl: None }) => None,
        Some(Expiration { ttl: Some(ttl) }) => {
            let seconds = ttl.strip_suffix('s').and_then(|seconds| seconds.parse().ok());
            Some(seconds.map_or_else(|| clean(ttl), |seconds| Span::from_secs(seconds).to_string()))
        }
        None => Some("31d".to_owned()),
    };
    match expires {
        Some(unused) => failed(format!("it expires after {unused} without a subscriber"), REPAIR),
        None => passed("attached to the topic, delivers by pull and never expires"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const TOPIC: &str = "projects/acme/topics/wbstore-acme";

    fn reason(verdict: Verdict) -> String {
        match verdict {
            Verdict::Failed { reason, .. } => reason,
            other => panic!("{other:?}"),
        }
    }

    fn with(prevention: &str) -> Described {
        json!({ "iamConfiguration": { "publicAccessPrevention": prevention } }).into()
    }

    #[test]
    fn closed_is_what_names_nobody_and_prevents_everybody() {
        let told = |prevention, policy| exposure("acme", &with(prevention), Ok(Some(policy))).unwrap();
        let mut everybody = Policy::default();
        everybody.add(&["roles/storage.objectViewer"], "allUsers");
        assert!(matches!(told("enforced", Policy::default()), Verdict::Passed { .. }));
        assert!(matches!(told("inherited", Policy::default()), Verdict::Failed { .. }));
        let reason_of = |prevention| reason(told(prevention, everybody.clone()));
        assert!(reason_of("enforced").contains("allUsers has roles/storage.objectViewer"));
        assert!(reason_of("").starts_with("it is public"));
    }

    #[test]
    fn a_policy_that_may_not_be_read_leaves_it_to_the_prevention() {
        let unread = |prevention, kind| exposure("acme", &with(prevention), Err(Error::new(kind, "no")));
        assert!(matches!(unread("enforced", Kind::Denied), Ok(Verdict::Passed { .. })));
        assert!(matches!(unread("", Kind::Denied), Ok(Verdict::Inconclusive { .. })));
        assert!(unread("", Kind::Credentials).is_err());
    }

    #[test]
    fn nothing_is_uploaded_that_could_not_be_removed() {
        let kept = |bucket: Value| kept_by(&bucket.into()).is_some();
        assert!(kept(json!({ "retentionPolicy": { "retentionPeriod": "60" } })));
        assert!(!kept(json!({ "retentionPolicy": { "retentionPeriod": "0" } })));
        assert!(kept(json!({ "defaultEventBasedHold": true })));
    }

    #[test]
    fn soft_delete_is_given_in_days() {
        let bucket =
            |seconds: &str| json!({ "softDeletePolicy": { "retentionDurationSeconds": seconds } }).into();
        assert_eq!(soft_deleted(&bucket("604800")).as_deref(), Some("7d"));
        assert_eq!(soft_deleted(&bucket("0")), None);
    }

    #[test]
    fn whatever_keeps_messages_from_the_server_fails() {
        let judged = |field: &str, value: Value| {
            let mut found = json!({ "topic": TOPIC, "expirationPolicy": {} });
            found[field] = value;
            judge(&serde_json::from_value(found).unwrap(), TOPIC)
        };
        for (field, value) in [("detached", json!(false)), ("pushConfig", json!({}))] {
            assert!(matches!(judged(field, value), Verdict::Passed { .. }), "{field}");
        }
        for (field, value, why) in [
            ("topic", json!("_deleted-topic_"), "no topic"),
            ("detached", json!(true), "no topic"),
            ("topic", json!("projects/x/topics/y"), "another topic, projects/x/topics/y"),
            ("pushConfig", json!({ "pushEndpoint": "https://example.com" }), "pushes"),
            ("bigqueryConfig", json!({ "table": "t" }), "BigQuery"),
            ("filter", json!("attributes:x"), "attributes:x"),
            ("expirationPolicy", json!({ "ttl": "86400s" }), "1d"),
            ("expirationPolicy", json!(null), "31d"),
        ] {
            let reason = reason(judged(field, value));
            assert!(reason.contains(why), "{reason}");
        }
    }
}
