//! The settings of a bucket between our form and the JSON API's.

use serde_json::{Value, json};

use super::{Described, GcsBucket};
use crate::mark::Entries;
use crate::providers::gcp::cors::{self, Cors};
use crate::providers::gcp::kms_key::KmsKeyName;
use crate::providers::gcp::mark::{self, LABELS};
use crate::providers::gcp::soft_delete::SoftDelete;
use crate::resource::Owner;

impl GcsBucket {
    /// All settings of a new bucket.
    pub(super) fn settings(&self) -> Value {
        let mut labels = self.labels.to_create();
        labels.extend(self.cors.iter().map(|cors| (LABELS.key(mark::CORS), cors.fingerprint())));
        labels.extend(mark::note(mark::GRANTED, self.service_account.as_deref()));
        let mut settings = json!({
            "name": self.name,
            "location": self.location,
            "storageClass": self.storage_class,
            "iamConfiguration": self.access(),
            "cors": self.cors.iter().map(Cors::to_entry).collect::<Vec<_>>(),
            "labels": labels,
        });
        if self.soft_delete.is_some() {
            settings["softDeletePolicy"] = self.soft_delete_policy();
        }
        if self.kms_key.is_some() {
            settings["encryption"] = self.encryption();
        }
        if self.versioning.is_some() {
            settings["versioning"] = self.versions();
        }
        settings
    }

    fn access(&self) -> Value {
        json!({
            "uniformBucketLevelAccess": { "enabled": self.uniform_access },
            "publicAccessPrevention": self.public_access_prevention,
        })
    }

    fn soft_delete_policy(&self) -> Value {
        let kept = self.soft_delete.as_ref().and_then(|text| text.parse().ok());
        let kept = kept.map_or(0, |kept: SoftDelete| kept.kept().as_secs());
        json!({ "retentionDurationSeconds": kept.to_string() })
    }

    fn versions(&self) -> Value {
        json!({ "enabled": self.versioning })
    }

    fn encryption(&self) -> Value {
        json!({ "defaultKmsKeyName": self.kms_key })
    }

    /// All that differs, as one patch.
    pub(super) fn change(&self, found: &Described, adopt: bool) -> Option<Value> {
        let labels = found.labels();
        let state = self.observed(found, &labels);
        let mark = LABELS.read(&labels);
        let kept = mark.get(mark::CORS);
        let (entries, fingerprint) = cors::merged(found.cors(), self.cors.as_ref(), kept);
        let mut wanted = self.labels.to_write(&mark, adopt);
        wanted.remove(mark::CORS);
        if let Some(fingerprint) = fingerprint {
            wanted.set(mark::CORS, fingerprint);
        }
        let relabels = self.labels.with_tags(LABELS.replace(&labels, &wanted));
        let access = (self.uniform_access, &self.public_access_prevention);
        let relabelled = adopt || state.labels != self.labels || kept != wanted.get(mark::CORS);
        let patch = [
            ("storageClass", state.storage_class != self.storage_class, json!(self.storage_class)),
            (
                "iamConfiguration",
                (state.uniform_access, &state.public_access_prevention) != access,
                self.access(),
            ),
            ("softDeletePolicy", state.soft_delete != self.soft_delete, self.soft_delete_policy()),
            ("versioning", state.versioning != self.versioning, self.versions()),
            ("encryption", state.kms_key != self.kms_key, self.encryption()),
            ("cors", entries != found.cors(), json!(entries)),
            ("labels", relabelled, mark::patch(&labels, &relabels)),
        ];
        let patch: serde_json::Map<_, _> = patch
            .into_iter()
            .filter(|(_, differs, _)| *differs)
            .map(|(field, _, value)| (field.to_owned(), value))
            .collect();
        (!patch.is_empty()).then_some(Value::Object(patch))
    }

    pub(super) fn observed(&self, found: &Described, labels: &Entries) -> Self {
        let prevention = found.public_access_prevention();
        let key = Some(KmsKeyName::spelled(found.kms_key())).filter(|key| !key.is_empty());
        // New objects of a bucket that others created keep their class, which costs what they decided on (B29).
        let is_ours = LABELS.read(labels).owner(self.labels.storage()) == Owner::Ours;
        Self {
            metageneration: found.metageneration(),
            location: found.location().to_ascii_uppercase(),
            storage_class: if is_ours { found.storage_class() } else { &self.storage_class }.to_owned(),
            uniform_access: found.uniform_access(),
            // `unspecified` is what it was called before (Cloud Storage docs, "Public access prevention").
            public_access_prevention: match prevention {
                "" | "unspecified" => "inherited".to_owned(),
                prevention => prevention.to_owned(),
            },
            soft_delete: match &self.soft_delete {
                Some(wanted) if self.requires_soft_delete && found.soft_delete_seconds() > 0 => {
                    Some(wanted.clone())
                }
                wanted => wanted.as_ref().map(|_| soft_delete(found)),
            },
            versioning: self.versioning.map(|_| found.has_versions()),
            kms_key: self.kms_key.as_ref().and(key),
            cors: cors::ours(found.cors(), self.cors.as_ref(), LABELS.read(labels).get(mark::CORS)),
            labels: self.labels.observed(labels),
            ..self.clone()
        }
    }
}

/// How long `bucket` keeps what was deleted, in the one spelling of `--soft-delete`.
pub(super) fn soft_delete(bucket: &Described) -> String {
    let text = format!("{}s", bucket.soft_delete_seconds());
    text.parse::<SoftDelete>().map_or(text, |length| length.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mark::Marking;
    use crate::provider::Wanted;

    fn wanted() -> GcsBucket {
        GcsBucket {
            name: "acme-runs".to_owned(),
            leaving: false,
            requires_soft_delete: false,
            service_account: None,
            metageneration: 1,
            location: "US".to_owned(),
            storage_class: "STANDARD".to_owned(),
            uniform_access: true,
            public_access_prevention: "enforced".to_owned(),
            soft_delete: None,
            versioning: None,
            kms_key: None,
            cors: Some(Cors::for_pages_of(vec!["https://wandb.acme.com".to_owned()])),
            labels: Marking::of(
                &Wanted::named("acme".parse::<crate::name::DeploymentName>().unwrap()),
                &LABELS,
            ),
        }
    }

    fn theirs() -> Value {
        json!({
            "location": "US", "storageClass": "STANDARD", "labels": {"team": "ml"},
            "cors": [{"origin": ["https://x.example"], "method": ["GET"]}],
        })
    }

    fn change(wanted: &GcsBucket, found: &Value, adopt: bool) -> Option<Value> {
        wanted.change(&Described::from(found.clone()), adopt)
    }

    /// `theirs` after we adopted it.
    fn adopted() -> Value {
        let mut found = theirs();
        for (field, value) in change(&wanted(), &theirs(), true).expect("a change").as_object().unwrap() {
            match field.as_str() {
                "labels" => {
                    found["labels"].as_object_mut().unwrap().extend(value.as_object().unwrap().clone());
                }
                "cors" | "iamConfiguration" => found[field] = value.clone(),
                other => panic!("{other} does not differ"),
            }
        }
        found
    }

    #[test]
    fn what_differs_goes_into_one_patch_and_nothing_is_left_to_do() {
        let found = adopted();
        assert_eq!(found["cors"].as_array().map(Vec::len), Some(2));
        assert_eq!(
            (&found["labels"]["team"], &found["labels"]["wbstore-adopted"]),
            (&json!("ml"), &json!("true"))
        );
        assert_eq!(change(&wanted(), &found, false), None);
        let found = Described::from(found);
        assert_eq!(wanted().observed(&found, &found.labels()).cors, wanted().cors);
    }

    #[test]
    fn soft_delete_and_keys_of_others_are_left_alone_until_they_are_asked_for() {
        let mut found = adopted();
        found["softDeletePolicy"] = json!({"retentionDurationSeconds": "0"});
        found["encryption"] = json!({"defaultKmsKeyName": "theirs"});
        assert_eq!(change(&wanted(), &found, false), None);
        let asked =
            GcsBucket { soft_delete: Some("7d".to_owned()), kms_key: Some("ours".to_owned()), ..wanted() };
        assert_eq!(
            change(&asked, &found, false),
            Some(json!({
                "softDeletePolicy": {"retentionDurationSeconds": "604800"},
                "encryption": {"defaultKmsKeyName": "ours"},
            }))
        );
    }
}
