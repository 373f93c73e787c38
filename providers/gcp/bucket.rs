//! A Cloud Storage bucket, with all that is set on it: made in one call, and changed in one.

pub mod calls;
mod settings;
mod warnings;

use std::time::Duration;

use google_cloud_gax::options::RequestOptionsBuilder;
use google_cloud_storage::model;
use google_cloud_storage::model::bucket::Encryption;
use jiff::Timestamp;
use serde::Serialize;

use crate::error::{Error, Kind, Result};
use crate::event::Progress;
use crate::mark::Marking;
use crate::providers::gcp::cors::{self, Cors};
use crate::providers::gcp::failure::{Refusal, failure, is_not_found};
use crate::providers::gcp::iam_policy;
use crate::providers::gcp::location::LOCATIONS;
use crate::providers::gcp::mark::{self, LABELS};
use crate::providers::gcp::session::Api;
use crate::resource::{Address, Deleted, Resource, Seen};

/// A project may make or delete a bucket about every two seconds (Cloud Storage docs, "Quotas and
/// limits"; G8).
const PACE: Duration = Duration::from_secs(2);

/// The bucket that keeps the run files.
#[derive(Clone, Debug, Serialize)]
pub struct GcsBucket {
    /// Its name.
    #[serde(skip)]
    pub name: String,
    /// Whether it is looked at to be removed.
    #[serde(skip)]
    pub leaving: bool,
    /// Of what is there: the number of the change that was seen last, which a change by us must follow.
    #[serde(skip)]
    pub metageneration: i64,
    /// The service account that the command knows of.
    #[serde(skip)]
    pub service_account: Option<String>,
    /// Whether the user named a time for soft delete; otherwise a bucket that is there keeps its own.
    #[serde(skip)]
    pub soft_delete_asked: bool,
    /// Where it is.
    pub location: String,
    /// The class of new objects.
    pub storage_class: String,
    /// Whether IAM alone decides on access, without lists on single objects.
    pub uniform_access: bool,
    /// `enforced` where nothing can be made public.
    pub public_access_prevention: String,
    /// How long deleted objects can be had back.
    pub soft_delete: String,
    /// The Cloud KMS key of new objects, where one is asked for.
    pub kms_key: Option<String>,
    /// What browsers may do.
    pub cors: Option<Cors>,
    /// Our labels.
    pub labels: Marking,
}

impl GcsBucket {
    /// The address of the bucket `name`.
    pub fn at(name: &str) -> Address {
        Address::new("gcp", "bucket", name)
    }

    async fn create(&self, api: &Api) -> Result<()> {
        let mut labels = self.labels.to_create();
        let entries: Vec<_> = self.cors.iter().map(Cors::to_entry).collect();
        labels.extend(self.cors.iter().map(|cors| (LABELS.key(mark::CORS), cors.fingerprint())));
        let encryption = self.kms_key.as_ref().map(|key| Encryption::new().set_default_kms_key(key));
        let bucket = model::Bucket::new()
            .set_project(format!("projects/{}", api.project))
            .set_location(&self.location)
            .set_storage_class(&self.storage_class)
            .set_iam_config(self.iam_config(None))
            .set_soft_delete_policy(self.soft_delete_policy())
            .set_or_clear_encryption(encryption)
            .set_cors(entries)
            .set_labels(labels);
        let call = api.control().await?.create_bucket().set_parent("projects/_");
        let made = api.mutate(call.set_bucket_id(&self.name).set_bucket(bucket).send()).await;
        let Err(error) = made else { return Ok(()) };
        let call = "storage.buckets.create";
        match Refusal::of(&error).map(|refusal| refusal.within(&api.project)) {
            Some(refusal) if refusal.is_taken() => Err(self.taken(api).await),
            Some(refusal) => {
                let error = refusal.explain(call, self.address());
                Err(self.explained(api, &refusal.message, error))
            }
            None => Err(failure(&error, call, self.address())),
        }
    }

    /// Google has one answer for a name that is ours, when an answer was lost on its way, and for one
    /// that is anybody's (G7).
    async fn taken(&self, api: &Api) -> Error {
        match calls::get(api, &self.name).await {
            Ok(Some(_)) => Error::exists(self.address()),
            Ok(None) => self.taken_by_others(),
            Err(error) if error.kind() == Kind::Refused => self.taken_by_others(),
            Err(error) => error,
        }
    }

    fn taken_by_others(&self) -> Error {
        Error::refused(format!("the bucket name {} is taken by somebody else", self.name))
            .hint("bucket names are shared by everybody; choose another with --bucket")
    }

    /// `error` with what more is known of it here.
    fn explained(&self, api: &Api, said: &str, error: Error) -> Error {
        if let Some(key) = &self.kms_key
            && said.to_lowercase().contains("kms")
        {
            return error.hint(format!(
                "Cloud Storage's service agent must be allowed to use the key: `gcloud kms keys \
                 add-iam-policy-binding {key} --member serviceAccount:{} --role \
                 roles/cloudkms.cryptoKeyEncrypterDecrypter`",
                api.agent
            ));
        }
        match LOCATIONS.warning(&self.location) {
            Some(warning) if said.to_lowercase().contains("location") => error.hint(warning),
            _ => paced(error),
        }
    }
}

impl Resource for GcsBucket {
    type Api = Api;

    const FIXED: &'static [&'static str] = &["location"];
    // CORS entries and labels are of several owners.
    const READ_BACK: bool = true;

    fn address(&self) -> Address {
        Self::at(&self.name)
    }

    fn marking(&self) -> Option<&Marking> {
        Some(&self.labels)
    }

    fn creation_is_exclusive(&self) -> bool {
        true
    }

    async fn read(&self, api: &Api) -> Result<Seen<Self>> {
        let (bucket, policy) = futures::join!(calls::get(api, &self.name), calls::policy(api, &self.name));
        let Some(bucket) = bucket? else { return Ok(Seen::absent()) };
        if let Some(number) = api.project_number()
            && bucket
                .project
                .strip_prefix("projects/")
                .is_some_and(|project| project != number && project != api.project)
        {
            return Err(Error::refused(format!("the bucket {} belongs to another project", self.name))
                .hint("choose another name with --bucket, or name that project with --project"));
        }
        let labels = bucket.labels.clone().into_iter().collect();
        let created =
            bucket.create_time.as_ref().and_then(|time| Timestamp::from_second(time.seconds()).ok());
        let mut found = self.labels.seen(&labels, created, self.observed(&bucket, &labels));
        warnings::add(self, &bucket, &labels, &mut found);
        match policy {
            Ok(policy) => found.remarks_mut().findings.extend(policy.iter().flat_map(iam_policy::public)),
            Err(error) if error.kind() == Kind::Denied => found
                .finding("its policy may not be read, so nothing tells whether it is open to all".to_owned()),
            Err(error) => return Err(error),
        }
        Ok(found)
    }

    async fn write(&self, api: &Api, seen: &Seen<Self>, _: &Progress) -> Result<()> {
        let Some(state) = seen.state() else { return self.create(api).await };
        let adopt = seen.is_unmarked();
        let change =
            calls::change_seen(api, &self.name, state.metageneration, |found| self.change(found, adopt));
        change.await.map_err(|error| {
            let said = error.chain();
            self.explained(api, &said, error)
        })
    }

    async fn delete(&self, api: &Api, seen: &Self, _: &Progress) -> Result<Deleted> {
        let call = api.control().await?.delete_bucket().set_name(api.bucket_name(&self.name));
        let call = call.set_if_metageneration_match(seen.metageneration).with_idempotency(false);
        let Err(error) = api.mutate(call.send()).await else { return Ok(Deleted::Gone) };
        let refusal = Refusal::of(&error).unwrap_or_default();
        if is_not_found(&error) {
            return Ok(Deleted::Gone);
        }
        if refusal.message.contains("not empty") {
            return Err(Error::new(
                Kind::Failed,
                format!(
                    "storage.buckets.delete on {}: objects arrived while it was being emptied",
                    self.address()
                ),
            )
            .hint("stop the W&B server that still writes to it, then run again"));
        }
        Err(paced(failure(&error, "storage.buckets.delete", self.address())))
    }

    async fn release(&self, api: &Api, _: &Self, _: &Progress) -> Result<()> {
        calls::change(api, &self.name, |found| {
            let labels = found.labels.clone().into_iter().collect();
            let (entries, _) = cors::merged(&found.cors, None, LABELS.read(&labels).get(mark::CORS));
            let mut paths = vec!["labels"];
            if entries != found.cors {
                paths.push("cors");
            }
            let labels = self.labels.to_release(&labels);
            Some((model::Bucket::new().set_labels(labels).set_cors(entries), paths))
        })
        .await
    }
}

fn paced(error: Error) -> Error {
    match (error.kind(), error.server_wait()) {
        (Kind::Throttled, None) => error.retry_after(PACE),
        _ => error,
    }
}
