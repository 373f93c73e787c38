//! Our one rule in the bucket's CORS document, on stores that have one; elsewhere the store itself has to accept pages of
//! the server.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use aws_sdk_s3::types::CorsRule;
use serde::Serialize;

use super::bucket::{Done, StoreBucket};
use super::failure::{code, failure};
use super::knowledge::{CORS, Known, ask};
use super::session::Api;
use crate::error::{Error, Kind, Result};
use crate::event::Progress;
use crate::http::{Client, Method, Request};
use crate::providers::s3_protocol::cors::{self, BrowserRule};
use crate::providers::s3_protocol::failure::is_declined;
use crate::providers::s3_protocol::presigned;
use crate::resource::{Address, Deleted, Forbids, Owner, Removal, Resource, Seen};
use crate::verify::allows_origin;

/// A key that no object has.
const NOTHING: &str = ".wbstore-probe/none";

/// What the browser of a W&B user may do with the bucket.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct StoreCors {
    /// The bucket it is set on.
    #[serde(skip)]
    pub bucket: String,
    #[serde(flatten)]
    pub rule: BrowserRule,
    /// Whether it is to be torn down.
    #[serde(skip)]
    pub leaving: bool,
    #[serde(skip)]
    pub done: Arc<Done>,
}

impl StoreCors {
    /// The address of the rule on `bucket`.
    pub(crate) fn at(bucket: &str) -> Address {
        Address::new("s3", "cors", bucket)
    }

    async fn known(&self, api: &Api) -> Result<Known<Vec<CorsRule>>> {
        if self.done.declined.load(Ordering::Relaxed) {
            return Ok(Known::Unknown("PUT ?cors is not implemented".to_owned()));
        }
        rules(api, &self.bucket).await
    }

    /// Whether the store accepts pages of the server without a rule: in a preflight, and in the response itself, because
    /// some stores answer every preflight alike.
    async fn is_needless(&self, api: &Api) -> bool {
        let mut served = !self.rule.allowed_origins.is_empty();
        for origin in &self.rule.allowed_origins {
            served = served && serves(api, &self.bucket, origin).await.unwrap_or(false);
        }
        served
    }

    /// What the store does by itself, where it has no rules for `why`.
    async fn without_rules(&self, api: &Api, why: &str) -> Seen<Self> {
        if self.leaving {
            return Seen::absent();
        }
        if self.is_needless(api).await {
            let mut found = Seen::there(self.clone(), Owner::Used);
            found.finding(format!(
                "the store accepts pages of the server by itself, and keeps no rule: {why}"
            ));
            return found;
        }
        let mut found = Seen::absent();
        let (message, hint) = self.unserved(why);
        found.obstacle(Forbids::Write, message, hint);
        found
    }

    fn unserved(&self, why: &str) -> (String, String) {
        let origin = self.rule.allowed_origins.join(",");
        (
            format!("the store has no CORS rules for buckets ({why}), and rejects pages of {origin}"),
            format!(
                "allow the origin in the store itself, then run again: MinIO with \
                 `MINIO_API_CORS_ALLOW_ORIGIN={origin}`; other stores in their configuration, or a proxy before them; with \
                 W&B's BUCKET_PROXY the server passes files on, and browsers need no access"
            ),
        )
    }
}

impl Resource for StoreCors {
    type Api = Api;

    const REMOVAL: Removal = Removal::WithParent;
    const READ_BACK: bool = true;
    const BOOKKEEPING: &'static [&'static str] = &["id"];

    fn address(&self) -> Address {
        Self::at(&self.bucket)
    }

    fn part_of(&self) -> Option<Address> {
        Some(StoreBucket::at(&self.bucket))
    }

    async fn read(&self, api: &Api) -> Result<Seen<Self>> {
        let rules = match self.known(api).await? {
            Known::Set(rules) => rules,
            Known::NoBucket => return Ok(Seen::absent()),
            Known::Unknown(why) => return Ok(self.without_rules(api, &why).await),
            // MinIO answers so for every bucket, and has no rules.
            Known::Unset if !self.leaving && self.is_needless(api).await => {
                return Ok(self.without_rules(api, "the bucket has none").await);
            }
            Known::Unset => vec![],
        };
        Ok(self.rule.look(&rules).map(|rule| Self { rule, ..self.clone() }))
    }

    async fn write(&self, api: &Api, _: &Seen<Self>, _: &Progress) -> Result<()> {
        let why = match self.known(api).await? {
            Known::Unknown(why) => why,
            _ if put_rule(api, &self.bucket, &self.rule, None).await? => return Ok(()),
            _ => {
                self.done.declined.store(true, Ordering::Relaxed);
                "PUT ?cors is not implemented".to_owned()
            }
        };
        if self.is_needless(api).await {
            return Ok(());
        }
        let (message, hint) = self.unserved(&why);
        Err(Error::refused(format!("{}: {message}", self.address())).hint(hint))
    }

    async fn delete(&self, api: &Api, _: &Self, _: &Progress) -> Result<Deleted> {
        let Known::Set(mut rules) = rules(api, &self.bucket).await? else { return Ok(Deleted::Gone) };
        let before = rules.len();
        rules.retain(|rule| !self.rule.is_ours(rule));
        if rules.len() < before {
            put(api, &self.bucket, rules).await?;
            self.done.unmarked.store(true, Ordering::Relaxed);
        }
        Ok(Deleted::Gone)
    }
}

/// The rules of `bucket`, if the store has any for buckets.
///
/// # Errors
/// Those of the call.
pub(crate) async fn rules(api: &Api, bucket: &str) -> Result<Known<Vec<CorsRule>>> {
    let call = |root| api.s3.get_bucket_cors().bucket(bucket).customize().interceptor(root).send();
    let answer = ask(&CORS, StoreCors::at(bucket), call).await?;
    Ok(answer.map(|answer| answer.cors_rules.unwrap_or_default()))
}

/// Puts `rule` among the rules of `bucket`, with the id that it has there, or with `id`. False where the store declines it.
///
/// # Errors
/// Those of the calls.
pub(crate) async fn put_rule(
    api: &Api,
    bucket: &str,
    rule: &BrowserRule,
    id: Option<String>,
) -> Result<bool> {
    let mut rules = match rules(api, bucket).await? {
        Known::Set(rules) => rules,
        Known::Unset => vec![],
        Known::Unknown(_) => return Ok(false),
        Known::NoBucket => {
            let at = StoreCors::at(bucket);
            return Err(Error::new(
                Kind::NotYet,
                format!("s3:PutBucketCORS on {at}: the bucket is not visible yet"),
            ));
        }
    };
    let found = rules.iter().find(|one| rule.is_ours(one)).and_then(|one| one.id().map(str::to_owned));
    let mut ours = rule.to_rule()?;
    ours.id = id.or(found).or(ours.id);
    rule.merge(&mut rules, ours);
    put(api, bucket, rules).await
}

/// Writes `rules`. The store has just answered a read of them.
async fn put(api: &Api, bucket: &str, rules: Vec<CorsRule>) -> Result<bool> {
    const ACTION: &str = "s3:PutBucketCORS";
    let at = StoreCors::at(bucket);
    if rules.is_empty() {
        let deleted = api.s3.delete_bucket_cors().bucket(bucket).send().await;
        return deleted.map(|_| true).map_err(|error| failure(error, ACTION, at));
    }
    let call = api.s3.put_bucket_cors().bucket(bucket).cors_configuration(cors::document(rules)?);
    match call.send().await {
        Ok(_) => Ok(true),
        Err(error) if code(&error) == "NoSuchBucket" => {
            Err(Error::new(Kind::NotYet, format!("{ACTION} on {at}: the bucket is not visible yet")))
        }
        Err(error) if is_declined(&error) && code(&error) != "MalformedXML" => Ok(false),
        Err(error) => Err(failure(error, ACTION, at)),
    }
}

/// Whether a page of `origin` may upload to `bucket` and read the response.
async fn serves(api: &Api, bucket: &str, origin: &str) -> Result<bool> {
    let expiring = presigned::valid_for(Duration::from_secs(60))?;
    let signed = api.public.get_object().bucket(bucket).key(NOTHING).presigned(expiring).await;
    let url = presigned::url(signed)?;
    let address = url.split('?').next().unwrap_or_default();
    let client = Client::new()?;
    let preflight = Request::new(Method::OPTIONS, address)?
        .header("origin", origin)
        .header("access-control-request-method", "PUT")
        .header("access-control-request-headers", "content-type");
    let answer = client.send(&preflight).await?;
    let puts = answer.list("access-control-allow-methods").any(|method| method == "*" || method == "PUT");
    if !answer.is_success() || !allows_origin(&answer, origin) || !puts {
        return Ok(false);
    }
    let read = Request::new(Method::GET, &url)?.header("origin", origin);
    Ok(allows_origin(&client.send(&read).await?, origin))
}
