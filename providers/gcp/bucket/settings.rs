//! The settings of a bucket between our form and Google's.

use google_cloud_storage::model;
use google_cloud_storage::model::bucket::iam_config::UniformBucketLevelAccess;
use google_cloud_storage::model::bucket::{IamConfig, SoftDeletePolicy};
use google_cloud_wkt::Duration;

use super::{GcsBucket, calls};
use crate::mark::Entries;
use crate::providers::gcp::cors;
use crate::providers::gcp::mark::{self, LABELS};
use crate::providers::gcp::soft_delete::SoftDelete;

impl GcsBucket {
    pub(super) fn iam_config(&self, found: Option<&IamConfig>) -> IamConfig {
        let uniform = UniformBucketLevelAccess::new().set_enabled(self.uniform_access);
        found
            .cloned()
            .unwrap_or_default()
            .set_uniform_bucket_level_access(uniform)
            .set_public_access_prevention(&self.public_access_prevention)
    }

    pub(super) fn soft_delete_policy(&self) -> SoftDeletePolicy {
        let kept = self.soft_delete.parse().map_or(0, |kept: SoftDelete| kept.kept().as_secs());
        SoftDeletePolicy::new().set_retention_duration(Duration::clamp(kept.into(), 0))
    }

    /// All that differs, as one change.
    pub(super) fn change(&self, found: &model::Bucket, adopt: bool) -> Option<calls::Change> {
        let labels = found.labels.clone().into_iter().collect();
        let state = self.observed(found, &labels);
        let mark = LABELS.read(&labels);
        let kept = mark.get(mark::CORS);
        let (entries, fingerprint) = cors::merged(&found.cors, self.cors.as_ref(), kept);
        let mut wanted = self.labels.to_write(&mark, adopt);
        wanted.remove(mark::CORS);
        if let Some(fingerprint) = fingerprint {
            wanted.set(mark::CORS, fingerprint);
        }
        let encryption = found.encryption.clone().unwrap_or_default();
        let settings = model::Bucket::new()
            .set_storage_class(&self.storage_class)
            .set_iam_config(self.iam_config(found.iam_config.as_ref()))
            .set_soft_delete_policy(self.soft_delete_policy())
            .set_encryption(encryption.set_default_kms_key(self.kms_key.clone().unwrap_or_default()))
            .set_cors(entries.clone())
            .set_labels(LABELS.replace(&labels, &wanted));
        let access = (self.uniform_access, &self.public_access_prevention);
        let paths = [
            ("storage_class", state.storage_class != self.storage_class),
            ("iam_config", (state.uniform_access, &state.public_access_prevention) != access),
            ("soft_delete_policy", state.soft_delete != self.soft_delete),
            ("encryption", state.kms_key != self.kms_key),
            ("cors", entries != found.cors),
            ("labels", adopt || state.labels != self.labels || kept != wanted.get(mark::CORS)),
        ];
        let paths: Vec<_> = paths.into_iter().filter_map(|(path, differs)| differs.then_some(path)).collect();
        (!paths.is_empty()).then_some((settings, paths))
    }

    pub(super) fn observed(&self, found: &model::Bucket, labels: &Entries) -> Self {
        let Self { name, leaving, service_account, soft_delete_asked, .. } = self.clone();
        let access = found.iam_config.clone().unwrap_or_default();
        let prevention = access.public_access_prevention;
        let key = found.encryption.as_ref().map(|encryption| encryption.default_kms_key.clone());
        Self {
            name,
            leaving,
            service_account,
            soft_delete_asked,
            metageneration: found.metageneration,
            location: found.location.to_ascii_uppercase(),
            storage_class: found.storage_class.clone(),
            uniform_access: access.uniform_bucket_level_access.is_some_and(|uniform| uniform.enabled),
            public_access_prevention: if prevention.is_empty() { "inherited".to_owned() } else { prevention },
            soft_delete: if soft_delete_asked { soft_delete(found) } else { self.soft_delete.clone() },
            kms_key: self.kms_key.as_ref().and(key).filter(|key| !key.is_empty()),
            cors: cors::ours(&found.cors, self.cors.as_ref(), LABELS.read(labels).get(mark::CORS)),
            labels: self.labels.observed(labels),
        }
    }
}

/// How long `bucket` keeps what was deleted, in the one spelling of `--soft-delete`.
pub(super) fn soft_delete(bucket: &model::Bucket) -> String {
    let kept = bucket.soft_delete_policy.as_ref().and_then(|policy| policy.retention_duration);
    let seconds = kept.as_ref().map_or(0, Duration::seconds);
    format!("{seconds}s")
        .parse::<SoftDelete>()
        .map_or_else(|_| format!("{seconds}s"), |length| length.to_string())
}

#[cfg(test)]
mod tests {
    use google_cloud_storage::model::bucket::Cors as Entry;

    use super::*;
    use crate::mark::Marking;
    use crate::provider::Wanted;
    use crate::providers::gcp::cors::Cors;

    fn wanted() -> GcsBucket {
        GcsBucket {
            name: "acme-runs".to_owned(),
            leaving: false,
            service_account: None,
            soft_delete_asked: false,
            metageneration: 1,
            location: "US".to_owned(),
            storage_class: "STANDARD".to_owned(),
            uniform_access: true,
            public_access_prevention: "enforced".to_owned(),
            soft_delete: "7d".to_owned(),
            kms_key: None,
            cors: Some(Cors::for_pages_of("https://wandb.acme.com".to_owned())),
            labels: Marking::of(&Wanted::named("acme".parse().unwrap()), &LABELS),
        }
    }

    fn theirs() -> model::Bucket {
        let entry = Entry::new().set_origin(["https://x.example"]).set_method(["GET"]);
        model::Bucket::new()
            .set_location("US")
            .set_storage_class("STANDARD")
            .set_cors([entry])
            .set_labels([("team", "ml")])
    }

    /// `found` after the settings at `paths` were written.
    fn after(mut found: model::Bucket, (settings, paths): calls::Change) -> model::Bucket {
        for path in paths {
            match path {
                "iam_config" => found.iam_config.clone_from(&settings.iam_config),
                "cors" => found.cors.clone_from(&settings.cors),
                "labels" => found.labels.clone_from(&settings.labels),
                other => panic!("{other} does not differ"),
            }
        }
        found
    }

    #[test]
    fn what_differs_goes_into_one_change_and_nothing_is_left_to_do() {
        let change = wanted().change(&theirs(), true).expect("a change");
        let found = after(theirs(), change);
        assert_eq!(found.cors.len(), 2);
        assert_eq!((found.labels["team"].as_str(), found.labels["wbstore-adopted"].as_str()), ("ml", "true"));
        assert_eq!(wanted().change(&found, false), None);
        let labels = found.labels.clone().into_iter().collect();
        assert_eq!(wanted().observed(&found, &labels).cors, wanted().cors);
    }

    #[test]
    fn soft_delete_and_keys_of_others_are_left_alone_until_they_are_asked_for() {
        let found = after(theirs(), wanted().change(&theirs(), true).expect("a change"))
            .set_soft_delete_policy(SoftDeletePolicy::new().set_retention_duration(Duration::clamp(0, 0)))
            .set_encryption(model::bucket::Encryption::new().set_default_kms_key("theirs"));
        assert_eq!(wanted().change(&found, false), None);
        let asked = GcsBucket { soft_delete_asked: true, kms_key: Some("ours".to_owned()), ..wanted() };
        let (settings, paths) = asked.change(&found, false).expect("a change");
        assert_eq!(paths, ["soft_delete_policy", "encryption"]);
        assert_eq!(soft_delete(&settings), "7d");
    }
}
