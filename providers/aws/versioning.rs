//! The versioning of the bucket, where it is asked for.

use aws_sdk_s3::operation::get_bucket_versioning::GetBucketVersioningOutput;
use aws_sdk_s3::types::{BucketVersioningStatus, MfaDeleteStatus, VersioningConfiguration};
use serde::Serialize;

use crate::error::Result;
use crate::event::Progress;
use crate::providers::aws::bucket::S3Bucket;
use crate::providers::aws::failure::{code, failure, missing_bucket};
use crate::providers::aws::session::Api;
use crate::resource::{Address, Deleted, Forbids, Owner, Removal, Resource, Seen};

/// Whether the bucket keeps versions.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct BucketVersioning {
    /// The bucket it is set on.
    #[serde(skip)]
    pub bucket: String,
    /// `Enabled` or `Suspended`.
    pub status: String,
}

impl BucketVersioning {
    /// Versioning on, for `bucket`.
    pub(crate) fn enabled(bucket: &str) -> Self {
        Self { bucket: bucket.to_owned(), status: BucketVersioningStatus::Enabled.as_str().to_owned() }
    }

    fn observed(&self, found: &GetBucketVersioningOutput) -> Seen<Self> {
        let mut seen = match found.status() {
            Some(status) => {
                let state = Self { bucket: self.bucket.clone(), status: status.as_str().to_owned() };
                Seen::there(state, Owner::Ours)
            }
            None => Seen::absent(),
        };
        // "Configuring MFA delete": a change of the versioning requires the device too.
        if found.mfa_delete() == Some(&MfaDeleteStatus::Enabled) {
            seen.obstacle(
                Forbids::Write,
                "MFA delete is on: only the account's root user, with its MFA device, can change the versioning",
                "enable versioning as the root user, or omit `--versioning`",
            );
        }
        seen
    }
}

impl Resource for BucketVersioning {
    type Api = Api;

    const REMOVAL: Removal = Removal::Setting;
    const READ_BACK: bool = true;

    fn address(&self) -> Address {
        Address::new("aws", "versioning", &self.bucket)
    }

    fn part_of(&self) -> Option<Address> {
        Some(S3Bucket::at(&self.bucket))
    }

    async fn read(&self, api: &Api) -> Result<Seen<Self>> {
        let call = api.s3.get_bucket_versioning().bucket(&self.bucket).expected_bucket_owner(api.owner());
        match call.send().await {
            Ok(found) => Ok(self.observed(&found)),
            Err(error) if code(&error) == "NoSuchBucket" => Ok(Seen::absent()),
            Err(error) => Err(failure(error, "s3:GetBucketVersioning", self.address())),
        }
    }

    async fn write(&self, api: &Api, _: &Seen<Self>, _: &Progress) -> Result<()> {
        let wanted = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
        api.s3
            .put_bucket_versioning()
            .bucket(&self.bucket)
            .expected_bucket_owner(api.owner())
            .versioning_configuration(wanted)
            .send()
            .await
            .map(drop)
            .map_err(|error| missing_bucket(error, "s3:PutBucketVersioning", self.address()))
    }

    async fn delete(&self, _: &Api, _: &Self, _: &Progress) -> Result<Deleted> {
        Ok(Deleted::Gone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_the_root_user_can_change_is_an_obstacle() {
        let seen = |status: Option<BucketVersioningStatus>, mfa: Option<MfaDeleteStatus>| {
            let found = GetBucketVersioningOutput::builder().set_status(status).set_mfa_delete(mfa).build();
            let seen = BucketVersioning::enabled("acme").observed(&found);
            let status = seen.state().map(|state| state.status.clone());
            (status, seen.remarks().obstacles.iter().filter(|one| one.forbids == Forbids::Write).count())
        };
        let status = |text: &str| Some(text.to_owned());
        assert_eq!(seen(None, None), (None, 0));
        assert_eq!(seen(Some(BucketVersioningStatus::Enabled), None), (status("Enabled"), 0));
        let mfa = Some(MfaDeleteStatus::Enabled);
        assert_eq!(seen(Some(BucketVersioningStatus::Suspended), mfa), (status("Suspended"), 1));
    }
}
