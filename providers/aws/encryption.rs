//! The bucket's default encryption: S3's own keys, or the user's KMS key.

use aws_sdk_s3::types::{
    ServerSideEncryption, ServerSideEncryptionByDefault, ServerSideEncryptionConfiguration,
    ServerSideEncryptionRule,
};
use serde::Serialize;

use crate::error::{Error, Kind, Result};
use crate::event::Progress;
use crate::providers::aws::bucket::S3Bucket;
use crate::providers::aws::failure::{code, failure, missing_bucket};
use crate::providers::aws::session::Api;
use crate::resource::{Address, Deleted, Owner, Removal, Resource, Seen};

/// What new objects are encrypted with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Encryption {
    /// The bucket it is set on.
    #[serde(skip)]
    pub bucket: String,
    /// `AES256` or `aws:kms`.
    pub algorithm: String,
    /// The ARN of the KMS key, with `aws:kms`.
    pub kms_key: Option<String>,
    /// Whether one data key serves many objects, which saves most of the calls to KMS.
    pub bucket_key: bool,
}

impl Encryption {
    /// S3's own keys, or `kms_key`.
    pub(crate) fn with(bucket: &str, kms_key: Option<String>) -> Self {
        Self {
            bucket: bucket.to_owned(),
            algorithm: if kms_key.is_some() { "aws:kms" } else { "AES256" }.to_owned(),
            bucket_key: kms_key.is_some(),
            kms_key,
        }
    }
}

impl Resource for Encryption {
    type Api = Api;

    const REMOVAL: Removal = Removal::Setting;
    const READ_BACK: bool = true;

    fn address(&self) -> Address {
        Address::new("aws", "encryption", &self.bucket)
    }

    fn part_of(&self) -> Option<Address> {
        Some(S3Bucket::at(&self.bucket))
    }

    async fn read(&self, api: &Api) -> Result<Seen<Self>> {
        let answer = api
            .s3
            .get_bucket_encryption()
            .bucket(&self.bucket)
            .expected_bucket_owner(api.owner())
            .send()
            .await;
        let rules = match answer {
            Ok(answer) => answer.server_side_encryption_configuration.map(|found| found.rules),
            Err(error)
                if matches!(
                    code(&error),
                    "ServerSideEncryptionConfigurationNotFoundError" | "NoSuchBucket"
                ) =>
            {
                None
            }
            Err(error) => return Err(failure(error, "s3:GetEncryptionConfiguration", self.address())),
        };
        let Some(rule) = rules.and_then(|rules| rules.into_iter().next()) else { return Ok(Seen::absent()) };
        let default = rule.apply_server_side_encryption_by_default;
        let state = Self {
            bucket: self.bucket.clone(),
            algorithm: default.as_ref().map_or("AES256", |by| by.sse_algorithm.as_str()).to_owned(),
            kms_key: default.and_then(|by| by.kms_master_key_id),
            bucket_key: rule.bucket_key_enabled.unwrap_or(false),
        };
        if self.kms_key.is_none() && state.algorithm != self.algorithm {
            // Somebody chose a key for this bucket; without --kms-key that is theirs to manage.
            let key = state.kms_key.as_deref().unwrap_or("the key alias/aws/s3").to_owned();
            let mut found = Seen::there(self.clone(), Owner::Ours);
            found.finding(format!(
                "the bucket encrypts with {key}, which is kept; add `--kms-key` to manage it and to print \
                 AWS_S3_KMS_ID"
            ));
            return Ok(found);
        }
        // With S3's own keys the bucket key setting means nothing.
        let bucket_key = if self.kms_key.is_none() { self.bucket_key } else { state.bucket_key };
        Ok(Seen::there(Self { bucket_key, ..state }, Owner::Ours))
    }

    async fn write(&self, api: &Api, _: &Seen<Self>, _: &Progress) -> Result<()> {
        let Self { bucket, algorithm, kms_key, bucket_key } = self;
        let incomplete = |error| Error::new(Kind::Failed, "the encryption rule is incomplete").because(error);
        let by_default = ServerSideEncryptionByDefault::builder()
            .sse_algorithm(ServerSideEncryption::from(algorithm.as_str()))
            .set_kms_master_key_id(kms_key.clone())
            .build()
            .map_err(incomplete)?;
        let rule = ServerSideEncryptionRule::builder()
            .apply_server_side_encryption_by_default(by_default)
            .bucket_key_enabled(*bucket_key)
            .build();
        let rules = ServerSideEncryptionConfiguration::builder().rules(rule).build().map_err(incomplete)?;
        api.s3
            .put_bucket_encryption()
            .bucket(bucket)
            .expected_bucket_owner(api.owner())
            .server_side_encryption_configuration(rules)
            .send()
            .await
            .map(drop)
            .map_err(|error| missing_bucket(error, "s3:PutEncryptionConfiguration", self.address()))
    }

    async fn delete(&self, _: &Api, _: &Self, _: &Progress) -> Result<Deleted> {
        Ok(Deleted::Gone)
    }
}
