//! Our one rule in the bucket's CORS document.

use aws_sdk_s3::types::CorsRule;
use serde::Serialize;

use crate::error::Result;
use crate::event::Progress;
use crate::providers::aws::bucket::S3Bucket;
use crate::providers::aws::failure::{code, failure, missing_bucket};
use crate::providers::aws::session::Api;
use crate::providers::s3_protocol::cors::{self, BrowserRule};
use crate::resource::{Address, Deleted, Removal, Resource, Seen};

/// What the browser of a W&B user may do with the bucket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Cors {
    /// The bucket it is set on.
    #[serde(skip)]
    pub bucket: String,
    #[serde(flatten)]
    pub rule: BrowserRule,
}

impl Cors {
    /// The rule with `id` that allows pages from `origins` to read and upload.
    pub(crate) fn new(bucket: &str, id: String, origins: Vec<String>) -> Self {
        Self { bucket: bucket.to_owned(), rule: BrowserRule::new(id, origins) }
    }

    async fn rules(&self, api: &Api) -> Result<Vec<CorsRule>> {
        let answer =
            api.s3.get_bucket_cors().bucket(&self.bucket).expected_bucket_owner(api.owner()).send().await;
        match answer {
            Ok(answer) => Ok(answer.cors_rules.unwrap_or_default()),
            Err(error) if matches!(code(&error), "NoSuchCORSConfiguration" | "NoSuchBucket") => Ok(vec![]),
            Err(error) => Err(failure(error, "s3:GetBucketCORS", self.address())),
        }
    }

    async fn put(&self, api: &Api, rules: Vec<CorsRule>) -> Result<()> {
        if rules.is_empty() {
            return api
                .s3
                .delete_bucket_cors()
                .bucket(&self.bucket)
                .expected_bucket_owner(api.owner())
                .send()
                .await
                .map(drop)
                .map_err(|error| failure(error, "s3:PutBucketCORS", self.address()));
        }
        let document = cors::document(rules)?;
        api.s3
            .put_bucket_cors()
            .bucket(&self.bucket)
            .expected_bucket_owner(api.owner())
            .cors_configuration(document)
            .send()
            .await
            .map(drop)
            .map_err(|error| missing_bucket(error, "s3:PutBucketCORS", self.address()))
    }
}

impl Resource for Cors {
    type Api = Api;

    const REMOVAL: Removal = Removal::WithParent;
    const READ_BACK: bool = true;
    const BOOKKEEPING: &'static [&'static str] = &["id"];

    fn address(&self) -> Address {
        Address::new("aws", "cors", &self.bucket)
    }

    fn part_of(&self) -> Option<Address> {
        Some(S3Bucket::at(&self.bucket))
    }

    async fn read(&self, api: &Api) -> Result<Seen<Self>> {
        let rules = self.rules(api).await?;
        Ok(self.rule.look(&rules).map(|rule| Self { rule, ..self.clone() }))
    }

    async fn write(&self, api: &Api, _: &Seen<Self>, progress: &Progress) -> Result<()> {
        let ours = self.rule.to_rule()?;
        let mut rules = if progress.parent_is_new() { vec![] } else { self.rules(api).await? };
        self.rule.merge(&mut rules, ours);
        self.put(api, rules).await
    }

    async fn delete(&self, api: &Api, _: &Self, _: &Progress) -> Result<Deleted> {
        let mut rules = self.rules(api).await?;
        let before = rules.len();
        rules.retain(|rule| rule.id() != Some(&self.rule.id));
        if rules.len() < before {
            self.put(api, rules).await?;
        }
        Ok(Deleted::Gone)
    }
}
