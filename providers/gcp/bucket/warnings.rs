//! What reading a bucket shows besides its settings: obstacles to a teardown, and findings for a reviewer.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::settings::soft_delete;
use super::{Described, GcsBucket};
use crate::mark::{Entries, Mark, QUEUE};
use crate::providers::gcp::cors;
use crate::providers::gcp::mark::{self, LABELS};
use crate::providers::gcp::objects::is_emptying;
use crate::resource::{Forbids, Owner, Seen};
use crate::text::clean;

const DAY: i64 = 24 * 60 * 60;

/// Adds the findings and obstacles of `bucket`.
pub(super) fn add(wanted: &GcsBucket, bucket: &Described, labels: &Entries, found: &mut Seen<GcsBucket>) {
    let mark = LABELS.read(labels);
    holds(&wanted.name, bucket, found);
    // A topic and a subscription that are not in the request would be left behind.
    let events = |_: &str| {
        let hint = "omit `--queue internal`, and name them with --topic and --subscription if they do not \
                    have the default names";
        ("a topic and a subscription".to_owned(), hint.to_owned())
    };
    wanted.labels.keep_parts(labels, QUEUE, events, found);
    accounts(wanted, &mark, found);
    let kept = soft_delete(bucket);
    if wanted.leaving && found.owner() == Some(&Owner::Ours) && kept != "0" {
        let seconds = SignedDuration::from_secs(bucket.soft_delete_seconds());
        let end = Timestamp::now().checked_add(seconds).unwrap_or(Timestamp::MAX);
        found.finding(format!(
            "soft delete keeps what is deleted, and the bucket itself, for {kept}, until {}, and bills for \
             it; until then `gcloud storage ls --buckets --soft-deleted` shows the generation, `gcloud \
             storage restore gs://{1}#GENERATION` restores the bucket, and `gcloud storage restore \
             gs://{1}/**` then restores its objects",
            TimeZone::UTC.to_datetime(end).date(),
            wanted.name
        ));
    }
    if !wanted.leaving && !wanted.soft_delete_asked && kept != wanted.soft_delete {
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
    if cors::open_to_all(bucket.cors()) {
        found.finding("a CORS entry of others allows every origin".to_owned());
    }
    found.remarks_mut().kept = cors::others(
        bucket.cors(),
        cors::ours(bucket.cors(), wanted.cors.as_ref(), mark.get(mark::CORS)).as_ref(),
    );
}

/// What Cloud Storage refuses to delete (G19).
fn holds(name: &str, bucket: &Described, found: &mut Seen<GcsBucket>) {
    if let Some(seconds) = bucket.retention_seconds() {
        let days = seconds.max(0) / DAY;
        if bucket.is_retention_locked() {
            found.obstacle(
                Forbids::Delete,
                format!("its retention policy of {days} days is locked and cannot be removed"),
                "wait until every object is older than the retention period, then run again",
            );
        } else {
            found.obstacle(
                Forbids::Delete,
                format!("its retention policy keeps every object for {days} days"),
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
        let account = mark::account_of(note).unwrap_or_else(|| "EMAIL".to_owned());
        match wanted.leaving {
            true if is_adopted || name == mark::SIGNER => found.obstacle(
                Forbids::Delete,
                format!("its mark names `{note}`, whose grants this command would leave behind"),
                format!("add --service-account {account}"),
            ),
            false if known.is_none() && name == mark::GRANTED => found.finding(format!(
                "its mark names `{note}`, which keeps its access; `--service-account` with another account revokes it"
            )),
            _ => {}
        }
    }
}
