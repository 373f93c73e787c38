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

    async fn rules(&self, api: &Api) -> Result<Vec<ServerSideEncryptionRule>> {
        let call = api.s3.get_bucket_encryption().bucket(&self.bucket).expected_bucket_owner(api.owner());
        match call.send().await {
            Ok(answer) => {
                Ok(answer.server_side_encryption_configuration.map(|found| found.rules).unwrap_or_default())
            }
            Err(error)
                if matches!(
                    code(&error),
                    "ServerSideEncryptionConfigurationNotFoundError" | "NoSuchBucket"
                ) =>
            {
                Ok(vec![])
            }
            Err(error) => Err(failure(error, "s3:GetEncryptionConfiguration", self.address())),
        }
    }
}

/// The ARN or id of the key that `bucket` encrypts with; `None` for S3's own keys.
///
/// # Errors
/// Those of the read.
pub(super) async fn key_of(api: &Api, bucket: &str) -> Result<Option<String>> {
    let rule = Encryption::with(bucket, None).rules(api).await?.into_iter().next();
    let default = rule.and_then(|rule| rule.apply_server_side_encryption_by_default);
    Ok(default.and_then(|by| by.kms_master_key_id))
}

/// Encryption in two layers.
const DOUBLE: &str = "aws:kms:dsse";

/// Whether `key` is the key with the ARN `wanted`: S3 keeps ids as they were given, alone or within an ARN (KMS
/// developer guide, "Key identifiers").
fn is_same_key(key: &str, wanted: &str) -> bool {
    let id = wanted.rsplit('/').next().unwrap_or(wanted);
    key.eq_ignore_ascii_case(wanted) || key.eq_ignore_ascii_case(id)
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
        let Some(rule) = self.rules(api).await?.into_iter().next() else { return Ok(Seen::absent()) };
        let default = rule.apply_server_side_encryption_by_default;
        let algorithm = default.as_ref().map_or("AES256", |by| by.sse_algorithm.as_str());
        let mut state = Self {
            bucket: self.bucket.clone(),
            algorithm: algorithm.to_owned(),
            kms_key: default.as_ref().and_then(|by| by.kms_master_key_id.clone()),
            bucket_key: rule.bucket_key_enabled.unwrap_or(false),
        };
        let Some(wanted) = &self.kms_key else {
            let mut found = Seen::there(self.clone(), Owner::Ours);
            if !algorithm.eq_ignore_ascii_case(&self.algorithm) {
                // Somebody chose a key for this bucket; without --kms-key that is theirs to manage.
                let key = state.kms_key.as_deref().unwrap_or("the key alias/aws/s3");
                found.finding(format!(
                    "the bucket encrypts with {key}, which is kept; add `--kms-key` to manage it and to print \
                     AWS_S3_KMS_ID"
                ));
            }
            // With S3's own keys the bucket key setting means nothing.
            return Ok(found);
        };
        let alias = state.kms_key.as_deref().filter(|key| key.contains("alias/")).map(str::to_owned);
        if state.kms_key.as_deref().is_some_and(|key| is_same_key(key, wanted)) {
            state.kms_key.clone_from(&self.kms_key);
        }
        if algorithm.eq_ignore_ascii_case(DOUBLE) {
            // More than what is asked for, and without bucket keys.
            state = Self { algorithm: self.algorithm.clone(), bucket_key: self.bucket_key, ..state };
        } else if algorithm.eq_ignore_ascii_case(&self.algorithm) {
            state.algorithm.clone_from(&self.algorithm);
        }
        let mut found = Seen::there(state, Owner::Ours);
        if let Some(alias) = alias {
            found.finding(format!(
                "the bucket names its key by the alias {alias}, and which key that is cannot be read without \
                 kms:DescribeKey: it is replaced by the ARN"
            ));
        }
        Ok(found)
    }

    async fn write(&self, api: &Api, _: &Seen<Self>, progress: &Progress) -> Result<()> {
        let Self { bucket, algorithm, kms_key, bucket_key } = self;
        let incomplete = |error| Error::new(Kind::Failed, "the encryption rule is incomplete").because(error);
        let by_default = ServerSideEncryptionByDefault::builder()
            .sse_algorithm(ServerSideEncryption::from(algorithm.as_str()))
            .set_kms_master_key_id(kms_key.clone())
            .build()
            .map_err(incomplete)?;
        // The document also holds what else the bucket blocks (B4).
        let mut rules = if progress.parent_is_new() { vec![] } else { self.rules(api).await? };
        if rules.is_empty() {
            rules.push(ServerSideEncryptionRule::builder().build());
        }
        rules[0].apply_server_side_encryption_by_default = Some(by_default);
        rules[0].bucket_key_enabled = Some(*bucket_key);
        let rules = ServerSideEncryptionConfiguration::builder().set_rules(Some(rules)).build();
        api.s3
            .put_bucket_encryption()
            .bucket(bucket)
            .expected_bucket_owner(api.owner())
            .server_side_encryption_configuration(rules.map_err(incomplete)?)
            .send()
            .await
            .map(drop)
            .map_err(|error| missing_bucket(error, "s3:PutEncryptionConfiguration", self.address()))
    }

    async fn delete(&self, _: &Api, _: &Self, _: &Progress) -> Result<Deleted> {
        Ok(Deleted::Gone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_the_same_by_id_and_by_arn() {
        const KEY: &str = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab";
        assert!(is_same_key(KEY, KEY) && is_same_key("1234ABCD-12ab-34cd-56ef-1234567890ab", KEY));
        assert!(!is_same_key("alias/acme", KEY) && !is_same_key("key", KEY));
        assert!(!is_same_key(&KEY.replace("123456789012", "123456789013"), KEY));
    }
}
