//! The bucket's four public access blocks. New buckets have them since April 2023; they are written
//! and read back all the same, because an account may have been set up otherwise (A25).

use aws_sdk_s3::types::PublicAccessBlockConfiguration;
use serde::Serialize;

use crate::error::Result;
use crate::event::Progress;
use crate::providers::aws::bucket::S3Bucket;
use crate::providers::aws::failure::{code, failure, missing_bucket};
use crate::providers::aws::session::Api;
use crate::resource::{Address, Deleted, Owner, Removal, Resource, Seen};

/// The four blocks, all on.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct PublicAccessBlock {
    /// The bucket they are set on.
    #[serde(skip)]
    pub bucket: String,
    /// New public ACLs are refused.
    pub block_public_acls: bool,
    /// Existing public ACLs are ignored.
    pub ignore_public_acls: bool,
    /// New public bucket policies are refused.
    pub block_public_policy: bool,
    /// Existing public bucket policies are restricted to the account.
    pub restrict_public_buckets: bool,
}

impl PublicAccessBlock {
    /// All four on, for `bucket`.
    pub(crate) fn all(bucket: &str) -> Self {
        Self {
            bucket: bucket.to_owned(),
            block_public_acls: true,
            ignore_public_acls: true,
            block_public_policy: true,
            restrict_public_buckets: true,
        }
    }
}

impl Resource for PublicAccessBlock {
    type Api = Api;

    const REMOVAL: Removal = Removal::Setting;
    const READ_BACK: bool = true;

    fn address(&self) -> Address {
        Address::new("aws", "public-access-block", &self.bucket)
    }

    fn part_of(&self) -> Option<Address> {
        Some(S3Bucket::at(&self.bucket))
    }

    async fn read(&self, api: &Api) -> Result<Seen<Self>> {
        let answer = api
            .s3
            .get_public_access_block()
            .bucket(&self.bucket)
            .expected_bucket_owner(api.owner())
            .send()
            .await;
        let found = match answer {
            Ok(answer) => answer.public_access_block_configuration,
            Err(error) if matches!(code(&error), "NoSuchPublicAccessBlockConfiguration" | "NoSuchBucket") => {
                None
            }
            Err(error) => return Err(failure(error, "s3:GetBucketPublicAccessBlock", self.address())),
        };
        let Some(found) = found else { return Ok(Seen::absent()) };
        let state = Self {
            bucket: self.bucket.clone(),
            block_public_acls: found.block_public_acls.unwrap_or(false),
            ignore_public_acls: found.ignore_public_acls.unwrap_or(false),
            block_public_policy: found.block_public_policy.unwrap_or(false),
            restrict_public_buckets: found.restrict_public_buckets.unwrap_or(false),
        };
        Ok(Seen::there(state, Owner::Ours))
    }

    async fn write(&self, api: &Api, _: &Seen<Self>, _: &Progress) -> Result<()> {
        let Self {
            bucket,
            block_public_acls,
            ignore_public_acls,
            block_public_policy,
            restrict_public_buckets,
        } = self;
        let blocks = PublicAccessBlockConfiguration::builder()
            .block_public_acls(*block_public_acls)
            .ignore_public_acls(*ignore_public_acls)
            .block_public_policy(*block_public_policy)
            .restrict_public_buckets(*restrict_public_buckets)
            .build();
        api.s3
            .put_public_access_block()
            .bucket(bucket)
            .expected_bucket_owner(api.owner())
            .public_access_block_configuration(blocks)
            .send()
            .await
            .map(drop)
            .map_err(|error| missing_bucket(error, "s3:PutBucketPublicAccessBlock", self.address()))
    }

    async fn delete(&self, _: &Api, _: &Self, _: &Progress) -> Result<Deleted> {
        Ok(Deleted::Gone)
    }
}
