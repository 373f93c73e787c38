//! A Cloud Storage bucket with all its settings: created in one call, and updated in one.

pub(crate) mod calls;
mod described;
mod settings;
mod warnings;

use std::time::Duration;

use serde::Serialize;
use serde_json::json;

use crate::empty::filled;
use crate::error::{Error, Kind, Result};
use crate::event::Progress;
use crate::http::Method;
use crate::mark::Marking;
use crate::providers::gcp::cors::{self, Cors};
use crate::providers::gcp::iam_policy::Policy;
use crate::providers::gcp::location::LOCATIONS;
use crate::providers::gcp::mark::{self, LABELS};
use crate::providers::gcp::rest::segment;
use crate::providers::gcp::session::Api;
use crate::resource::{Address, Deleted, Resource, Seen};

pub(crate) use described::Described;

/// A project may create or delete a bucket about every two seconds (Cloud Storage docs, "Quotas and limits";
/// G8).
const PACE: Duration = Duration::from_secs(2);

/// The bucket that keeps the run files.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct GcsBucket {
    #[serde(skip)]
    pub name: String,
    /// Whether it is read for a teardown.
    #[serde(skip)]
    pub leaving: bool,
    /// Of an existing bucket: the last metageneration that was read, the precondition of an update.
    #[serde(skip)]
    pub metageneration: i64,
    /// Whether soft delete has to be on, for whatever time: of a team's bucket.
    #[serde(skip)]
    pub requires_soft_delete: bool,
    /// The service account given on the command line, or the reader of a team's bucket.
    #[serde(skip)]
    pub service_account: Option<String>,
    /// Where it is.
    pub location: String,
    /// The class of new objects.
    pub storage_class: String,
    /// Whether IAM alone decides on access, without lists on single objects.
    pub uniform_access: bool,
    /// `enforced` if nothing can be made public.
    pub public_access_prevention: String,
    /// How long deleted objects can be restored; the project's default, or what an existing bucket has, if `None`.
    pub soft_delete: Option<String>,
    /// Whether it keeps versions of objects that are replaced or deleted; what an existing bucket has, if `None`.
    pub versioning: Option<bool>,
    /// The Cloud KMS key of new objects, if one is given.
    pub kms_key: Option<String>,
    /// What browsers may do.
    pub cors: Option<Cors>,
    pub labels: Marking,
}

impl GcsBucket {
    /// The address of the bucket `name`.
    pub(crate) fn at(name: &str) -> Address {
        Address::new("gcp", "bucket", name)
    }

    async fn create(&self, api: &Api) -> Result<()> {
        let path = format!("/storage/v1/b?project={}", segment(&api.project));
        match api.storage_json().await?.write(Method::POST, &path, Some(&self.settings())).await? {
            Ok(()) => Ok(()),
            Err(refusal) if refusal.is_taken() => Err(self.taken(api).await),
            Err(refusal) => {
                let refusal = refusal.within(&api.project);
                let error = refusal.explain("storage.buckets.create", self.address());
                Err(self.explained(api, &refusal.message, error))
            }
        }
    }

    /// Google returns the same error if an earlier attempt of this run created the bucket and its response
    /// was lost, and if another project has the name (G7).
    async fn taken(&self, api: &Api) -> Error {
        match calls::find(api, &self.name).await {
            Ok(Some(_)) => Error::exists(self.address()),
            Ok(None) => self.taken_by_others(),
            Err(error) if error.kind() == Kind::Denied => self.taken_by_others(),
            Err(error) => error,
        }
    }

    fn taken_by_others(&self) -> Error {
        Error::refused(format!("the bucket name {} is already taken", self.name))
            .hint("bucket names are globally unique; choose another with --bucket")
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
            && ![number, ""].contains(&bucket.project())
        {
            return Err(Error::refused(format!("the bucket {} belongs to another project", self.name))
                .hint("choose another name with --bucket, or name that project with --project"));
        }
        let labels = bucket.labels();
        let mut found = self.labels.seen(&labels, bucket.created(), self.observed(&bucket, &labels));
        warnings::add(self, &bucket, &labels, &mut found);
        match policy {
            Ok(policy) => {
                let ends =
                    !self.leaving && bucket.public_access_prevention() != self.public_access_prevention;
                let public = policy.iter().flat_map(Policy::public);
                let ending = if ends { "; public access prevention ends this access" } else { "" };
                found.remarks_mut().findings.extend(public.map(|grant| format!("{grant}{ending}")));
            }
            Err(error) if error.kind() == Kind::Denied => found.finding(
                "cannot check whether it is public: these credentials are not allowed to read its policy \
                 (storage.buckets.getIamPolicy)"
                    .to_owned(),
            ),
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
        let path = format!("{}?ifMetagenerationMatch={}", calls::path(&self.name), seen.metageneration);
        let deleted = api.storage_json().await?.write(Method::DELETE, &path, None).await?;
        let Err(refusal) = deleted else { return Ok(Deleted::Gone) };
        if refusal.is_not_found() {
            return Ok(Deleted::Gone);
        }
        if refusal.is_not_empty() {
            return Err(filled("storage.buckets.delete", &self.address()));
        }
        Err(paced(refusal.explain("storage.buckets.delete", self.address())))
    }

    async fn release(&self, api: &Api, seen: &Self, _: &Progress) -> Result<()> {
        calls::change_seen(api, &self.name, seen.metageneration, |found| {
            let labels = found.labels();
            let mark = LABELS.read(&labels);
            let (entries, _) = cors::merged(found.cors(), None, mark.get(mark::CORS));
            let mut patch = json!({ "labels": mark::patch(&labels, &self.labels.to_release(&labels)) });
            if entries != found.cors() {
                patch["cors"] = json!(entries);
            }
            Some(patch)
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
