//! Our one rule in the bucket's CORS document. The document is written whole, so it is read just before, and
//! the rules of others are written back unchanged.

use aws_sdk_s3::types::{CorsConfiguration, CorsRule};
use serde::Serialize;

use crate::cors;
use crate::error::{Error, Kind, Result};
use crate::event::Progress;
use crate::providers::aws::bucket::S3Bucket;
use crate::providers::aws::failure::{code, failure, missing_bucket};
use crate::providers::aws::session::Api;
use crate::resource::{Address, Deleted, Forbids, Owner, Removal, Resource, Seen};

/// The most rules S3 allows for one bucket (S3 user guide, "CORS configuration").
const MOST_RULES: usize = 100;

/// The headers that a page sends with an upload or with a read of a part.
pub(super) const UPLOAD_HEADERS: &[&str] = &["content-type", "range"];

/// What the browser of a W&B user may do with the bucket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Cors {
    /// The bucket it is set on.
    #[serde(skip)]
    pub bucket: String,
    /// The rule's id, which identifies it as wbstore's.
    pub id: String,
    /// The addresses of the W&B server, as browsers send them.
    pub allowed_origins: Vec<String>,
    /// The methods it may use.
    pub allowed_methods: Vec<String>,
    /// The headers it may send.
    pub allowed_headers: Vec<String>,
    /// The headers its scripts may read.
    pub expose_headers: Vec<String>,
    /// How long a browser may remember a preflight, in seconds.
    pub max_age_seconds: i32,
}

impl Cors {
    /// The rule with `id` that allows pages from `origins` to read and upload.
    pub(crate) fn new(bucket: &str, id: String, origins: Vec<String>) -> Self {
        let words = |words: &[&str]| words.iter().map(ToString::to_string).collect();
        Self {
            bucket: bucket.to_owned(),
            id,
            allowed_origins: origins,
            allowed_methods: words(&["GET", "HEAD", "PUT"]),
            allowed_headers: words(&["*"]),
            expose_headers: words(&["ETag"]),
            max_age_seconds: 3000,
        }
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
        let document = CorsConfiguration::builder()
            .set_cors_rules(Some(rules))
            .build()
            .map_err(|error| Error::new(Kind::Failed, "the CORS document is incomplete").because(error))?;
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

    fn observed(&self, rule: &CorsRule) -> Self {
        let sorted = |words: &[String]| {
            let mut words = words.to_vec();
            words.sort();
            words
        };
        Self {
            bucket: self.bucket.clone(),
            id: self.id.clone(),
            allowed_origins: rule.allowed_origins.clone(),
            allowed_methods: sorted(&rule.allowed_methods),
            allowed_headers: rule.allowed_headers.clone().unwrap_or_default(),
            expose_headers: rule.expose_headers.clone().unwrap_or_default(),
            max_age_seconds: rule.max_age_seconds.unwrap_or(0),
        }
    }

    fn to_rule(&self) -> Result<CorsRule> {
        let Self {
            bucket: _,
            id,
            allowed_origins,
            allowed_methods,
            allowed_headers,
            expose_headers,
            max_age_seconds,
        } = self;
        CorsRule::builder()
            .id(id)
            .set_allowed_origins(Some(allowed_origins.clone()))
            .set_allowed_methods(Some(allowed_methods.clone()))
            .set_allowed_headers(Some(allowed_headers.clone()))
            .set_expose_headers(Some(expose_headers.clone()))
            .max_age_seconds(*max_age_seconds)
            .build()
            .map_err(|error| Error::new(Kind::Failed, "the CORS rule is incomplete").because(error))
    }

    fn comparable(&self) -> cors::CorsRule {
        cors::CorsRule {
            name: self.id.clone(),
            origins: self.allowed_origins.clone(),
            methods: self.allowed_methods.clone(),
            headers: self.allowed_headers.clone(),
            exposed: self.expose_headers.clone(),
        }
    }

    fn hidden_by(&self, rules: &[CorsRule]) -> Vec<String> {
        let earlier: Vec<_> = rules
            .iter()
            .take_while(|rule| rule.id() != Some(&self.id))
            .map(|rule| cors::CorsRule { name: describe(rule), ..self.observed(rule).comparable() })
            .collect();
        self.comparable().hidden_by(&earlier, UPLOAD_HEADERS)
    }
}

fn describe(rule: &CorsRule) -> String {
    let name = rule.id().map_or_else(|| "a rule without id".to_owned(), |id| format!("rule `{id}`"));
    format!("{name} for {}", rule.allowed_origins.join(", "))
}

impl Resource for Cors {
    type Api = Api;

    const REMOVAL: Removal = Removal::WithParent;
    const READ_BACK: bool = true;

    fn address(&self) -> Address {
        Address::new("aws", "cors", &self.bucket)
    }

    fn part_of(&self) -> Option<Address> {
        Some(S3Bucket::at(&self.bucket))
    }

    async fn read(&self, api: &Api) -> Result<Seen<Self>> {
        let rules = self.rules(api).await?;
        let mut found = match rules.iter().find(|rule| rule.id() == Some(&self.id)) {
            Some(rule) => Seen::there(self.observed(rule), Owner::Ours),
            None => Seen::absent(),
        };
        if found.state().is_none() && rules.len() >= MOST_RULES {
            found.obstacle(
                Forbids::Write,
                format!("the bucket has {} CORS rules, and S3 allows at most {MOST_RULES}", rules.len()),
                "remove a rule that is no longer needed",
            );
        }
        for finding in self.hidden_by(&rules) {
            found.finding(finding);
        }
        found.remarks_mut().kept =
            rules.iter().filter(|rule| rule.id() != Some(&self.id)).map(describe).collect();
        Ok(found)
    }

    async fn write(&self, api: &Api, _: &Seen<Self>, progress: &Progress) -> Result<()> {
        let ours = self.to_rule()?;
        let mut rules = if progress.parent_is_new() { vec![] } else { self.rules(api).await? };
        match rules.iter_mut().find(|rule| rule.id() == Some(&self.id)) {
            Some(place) => *place = ours,
            None => rules.push(ours),
        }
        self.put(api, rules).await
    }

    async fn delete(&self, api: &Api, _: &Self, _: &Progress) -> Result<Deleted> {
        let mut rules = self.rules(api).await?;
        let before = rules.len();
        rules.retain(|rule| rule.id() != Some(&self.id));
        if rules.len() < before {
            self.put(api, rules).await?;
        }
        Ok(Deleted::Gone)
    }
}
