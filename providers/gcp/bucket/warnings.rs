//! What reading a bucket shows besides its settings: obstacles to a teardown, and findings for a reviewer.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::settings::soft_delete;
use super::{Described, GcsBucket};
use crate::lifecycle;
use crate::mark::{Entries, Mark, QUEUE};
use crate::providers::gcp::cors;
use crate::providers::gcp::mark::{self, LABELS};
use crate::providers::gcp::objects::is_emptying;
use crate::reader::GCP;
use crate::resource::{Forbids, Owner, Seen};
use crate::span::Span;
use crate::text::{clean, word};
use crate::value::quoted;

/// How long Cloud Storage keeps what was deleted unless told otherwise (Cloud Storage docs, "Soft delete").
const DEFAULT: &str = "7d";

/// Adds the findings and obstacles of `bucket`.
pub(super) fn add(wanted: &GcsBucket, bucket: &Described, labels: &Entries, found: &mut Seen<GcsBucket>) {
    let mark = LABELS.read(labels);
    holds(&wanted.name, bucket, found);
    // A topic and a subscription that are not in the request would be left behind.
    let events = |_: &str, _: &str| {
        let hint = "omit `--queue internal`, and name them with --topic and --subscription if they do not \
                    have the default names";
        ("a topic and a subscription".to_owned(), hint.to_owned())
    };
    wanted.labels.keep_parts(labels, QUEUE, events, found);
    accounts(wanted, &mark, found);
    if !wanted.leaving {
        surprises(wanted, bucket, found);
    }
    let kept = soft_delete(bucket);
    if wanted.leaving && found.owner() == Some(&Owner::Ours) && kept != "0" {
        // Each object is kept from its own deletion on, and the bucket until the last of them (B27).
        let seconds = SignedDuration::from_secs(bucket.soft_delete_seconds());
        let end = Timestamp::now().checked_add(seconds).unwrap_or(Timestamp::MAX);
        found.remarks_mut().leave(format!(
            "soft delete keeps what is deleted, and the bucket itself, for {kept} from its deletion on, so not \
             before {} is anything gone, and bills for it; until then `gcloud storage ls --buckets --soft-deleted` shows the generation, `gcloud \
             storage restore gs://{1}#GENERATION` restores the bucket, and `gcloud storage restore \
             gs://{1}/**` then restores its objects",
            TimeZone::UTC.to_datetime(end).date(),
            wanted.name
        ));
    }
    if !wanted.leaving && wanted.soft_delete.is_none() && kept != DEFAULT {
        found.finding(match kept.as_str() {
            "0" => "soft delete is off: deletions are permanent; `--soft-delete 7d` enables it".to_owned(),
            _ => format!("soft delete keeps deleted objects for {kept}; `--soft-delete` changes that"),
        });
    }
    let key = clean(bucket.kms_key());
    if wanted.kms_key.is_none() && !key.is_empty() {
        found.finding(format!("new objects are encrypted with {key}, which is kept"));
    }
    if bucket.has_hierarchical_namespace() {
        found.finding("it has a hierarchical namespace: its folders are deleted one by one".to_owned());
    }
    if bucket.has_hierarchical_namespace() && wanted.versioning == Some(true) {
        found.obstacle(
            Forbids::Write,
            "it has a hierarchical namespace, with which Cloud Storage keeps no versions",
            "omit `--versioning`, or choose another bucket; soft delete keeps deleted objects there",
        );
    }
    if is_emptying(bucket.lifecycle_rules()) {
        found.obstacle(
            Forbids::Present,
            "an earlier teardown set lifecycle rules that empty it, which also delete new uploads",
            format!(
                "wait until it is empty and run `wbstore teardown gcp` again; to keep the bucket instead, \
                 remove its lifecycle rules with `gcloud storage buckets update gs://{} --clear-lifecycle`",
                wanted.name
            ),
        );
    }
    if let Some(ours) = wanted.cors.as_ref().filter(|_| !wanted.leaving) {
        found.remarks_mut().findings.extend(cors::hidden(bucket.cors(), ours));
    }
    if cors::open_to_all(bucket.cors()) {
        found.finding("a CORS entry of others allows every origin".to_owned());
    }
    found.remarks_mut().kept = cors::others(
        bucket.cors(),
        cors::ours(bucket.cors(), wanted.cors.as_ref(), mark.get(mark::CORS)).as_ref(),
    );
}

/// What changes by an adoption, and what makes uploads, browsers or deletions fail whoever's the bucket is.
fn surprises(wanted: &GcsBucket, bucket: &Described, found: &mut Seen<GcsBucket>) {
    let name = &wanted.name;
    let update = |option: &str| format!("`gcloud storage buckets update gs://{name} {option}`");
    let class = clean(bucket.storage_class());
    if found.owner() != Some(&Owner::Ours) && class != wanted.storage_class {
        found.finding(format!("new objects have the storage class {class}, which is kept"));
    }
    if !bucket.uniform_access() && wanted.uniform_access {
        found.finding(format!(
            "uniform access ends what the ACLs of the bucket and of its objects grant, and cannot be turned off \
             again after 90 days; until then {} restores them",
            update("--no-uniform-bucket-level-access")
        ));
    }
    found.remarks_mut().findings.extend(deletions(bucket.lifecycle_rules()));
    if let Some(seconds) = bucket.retention_seconds().filter(|seconds| *seconds > 0) {
        found.finding(format!(
            "its retention policy keeps every object for {}: until then W&B cannot delete or replace files",
            span(seconds)
        ));
    }
    if bucket.holds_new_objects() {
        found.finding("it sets an event-based hold on every new object: W&B cannot delete or replace files");
    }
    if bucket.has_object_retention() {
        found.finding(
            "objects may have a retention of their own, during which W&B cannot delete or replace them",
        );
    }
    if bucket.requester_pays() {
        found.finding(format!(
            "requester pays is on: requests that name no project to bill, as those of browsers and of the W&B \
             server, are rejected; {} turns it off",
            update("--no-requester-pays")
        ));
    }
    if bucket.filters_addresses() {
        found.finding(format!(
            "its IP filter rejects requests from other networks, browsers and the W&B server included; `gcloud \
             storage buckets describe gs://{name} --format='default(ip_filter_config)'` shows it"
        ));
    }
    if bucket.requires_kms_key() && bucket.kms_key().is_empty() && wanted.kms_key.is_none() {
        found.finding("it rejects objects that are encrypted with Google's own keys; `--kms-key` sets one");
    }
}

/// What the lifecycle `rules` delete of what W&B stores. Rules for noncurrent versions do not.
fn deletions(rules: &[Value]) -> Vec<String> {
    let of_live = |(number, rule): (usize, &Value)| {
        let condition = &rule["condition"];
        let noncurrent = ["numNewerVersions", "daysSinceNoncurrentTime", "noncurrentTimeBefore"];
        let spares =
            condition["isLive"] == false || noncurrent.iter().any(|name| !condition[*name].is_null());
        if rule["action"]["type"] != "Delete" || spares {
            return None;
        }
        let text = |name: &str| match &condition[name] {
            Value::String(text) => Some(clean(text)),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        let time = if let Some(days) = text("age") {
            format!("{days} days after they were created")
        } else if let Some(date) = text("createdBefore") {
            format!("that were created before {date}")
        } else {
            "that meet its conditions".to_owned()
        };
        let prefixes = condition["matchesPrefix"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let prefix = prefixes.map(clean).collect::<Vec<_>>().join("`, `");
        Some(lifecycle::deletes_objects(&format!("lifecycle rule {}", number + 1), &prefix, &time))
    };
    if is_emptying(rules) { vec![] } else { rules.iter().enumerate().filter_map(of_live).collect() }
}

fn span(seconds: i64) -> Span {
    Span::from_secs(u32::try_from(seconds).unwrap_or(u32::MAX))
}

/// What Cloud Storage refuses to delete (G19).
fn holds(name: &str, bucket: &Described, found: &mut Seen<GcsBucket>) {
    if let Some(seconds) = bucket.retention_seconds() {
        let kept = span(seconds);
        if bucket.is_retention_locked() {
            found.obstacle(
                Forbids::Delete,
                format!("its retention policy of {kept} is locked and cannot be removed"),
                "wait until every object is older than the retention period, then run again",
            );
        } else {
            found.obstacle(
                Forbids::Delete,
                format!("its retention policy keeps every object for {kept}"),
                format!(
                    "remove it with `gcloud storage buckets update gs://{name} --clear-retention-period`"
                ),
            );
        }
    }
    if bucket.holds_new_objects() {
        found.obstacle(
            Forbids::Delete,
            "it sets an event-based hold on every new object",
            format!(
                "disable it with `gcloud storage buckets update gs://{name} --no-default-event-based-hold`"
            ),
        );
    }
}

/// Grants to a service account outside of the deleted resources must be revoked too.
fn accounts(wanted: &GcsBucket, mark: &Mark, found: &mut Seen<GcsBucket>) {
    let known = wanted.service_account.as_deref().map(mark::account_label);
    let is_adopted = found.owner() == Some(&Owner::Adopted);
    for (name, former) in [(mark::SIGNER, mark::FORMER_SIGNER), (mark::GRANTED, mark::FORMER_GRANTED)] {
        let noted = mark.get(name).or(mark.get(former));
        let Some(note) = noted.filter(|note| known.as_deref() != Some(note)) else { continue };
        let account = mark::account_of(note)
            .filter(|account| word(account).is_some())
            .unwrap_or_else(|| "EMAIL".to_owned());
        match wanted.leaving {
            true if is_adopted || name == mark::SIGNER => found.obstacle(
                Forbids::Delete,
                format!("its mark names {}, whose grants this command would leave behind", quoted(note)),
                match account.as_str() {
                    account if account == GCP.dedicated => "add `--reader dedicated`".to_owned(),
                    account if account == GCP.multi_tenant => "add `--reader multi-tenant`".to_owned(),
                    account => format!("add --service-account {account}"),
                },
            ),
            false if known.is_none() && name == mark::GRANTED => found.finding(format!(
                "its mark names {}, which keeps its access; `--service-account` with another account revokes it",
                quoted(note)
            )),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::mark::Marking;
    use crate::provider::Wanted;

    #[test]
    fn versions_are_refused_where_there_are_folders() {
        let bucket = Described::from(json!({"hierarchicalNamespace": {"enabled": true}}));
        let obstacles = |versioning| {
            let name = "acme".parse::<crate::name::DeploymentName>().unwrap();
            let wanted = GcsBucket {
                name: "acme".to_owned(),
                leaving: false,
                metageneration: 0,
                requires_soft_delete: false,
                service_account: None,
                location: "US".to_owned(),
                storage_class: "STANDARD".to_owned(),
                uniform_access: true,
                public_access_prevention: "enforced".to_owned(),
                soft_delete: None,
                versioning,
                kms_key: None,
                cors: None,
                labels: Marking::of(&Wanted::named(name), &LABELS),
            };
            let mut found = Seen::there(wanted.clone(), Owner::Ours);
            add(&wanted, &bucket, &Entries::new(), &mut found);
            found.remarks().obstacles.len()
        };
        assert_eq!((obstacles(Some(true)), obstacles(None)), (1, 0));
    }
}
