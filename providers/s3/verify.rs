//! What an S3-compatible store adds to the proof: nothing about it can be looked up, so everything is tried.

mod basics;
mod node;
mod reader;

use std::time::Duration;

use aws_sdk_s3::Client as S3Client;

use super::addressing::Addressing;
use super::bucket_name::BucketName;
use super::objects::Contents;
use super::session::Api;
use super::store_url::StoreUrl;
use crate::error::Result;
use crate::http::{Answer, Client, Method, Request};
use crate::providers::s3_protocol::cors::UPLOAD_HEADERS;
use crate::providers::s3_protocol::objects::S3Store;
use crate::resource::Address;
use crate::verify::{
    Check, CheckSender, Message, OperatorSite, Probe, Profile, Queue, Settings, Signed, Site, StoreSite,
    Verdict, VerifyOptions, failed, inconclusive, passed, verify_as_node, verify_store, warned,
};

pub(super) use reader::TeamReader;

/// Proves the bucket at each endpoint: at the one that wbstore uses, and at the public one where there is another.
///
/// # Errors
/// As [`verify_store`].
pub(super) async fn prove(
    api: &Api,
    public: Option<&StoreUrl>,
    bucket: &BucketName,
    asked: Addressing,
    reader: Option<TeamReader>,
    options: &VerifyOptions,
    checks: CheckSender,
) -> Result<()> {
    let site = StoreDoor { reader, ..StoreDoor::new(api, &api.s3, &api.endpoint, bucket, asked)? };
    let Some(public) = public else {
        return verify_store(site, options, checks, None).await;
    };
    verify_store(site, options, checks.clone(), Some("--endpoint")).await?;
    let site = StoreDoor::new(api, &api.public, public, bucket, asked)?;
    verify_store(site, options, checks, Some("--public-endpoint")).await
}

/// Proves what the server does, with the key called `caller` that `api` has, at the endpoint of BUCKET.
///
/// # Errors
/// As [`verify_as_node`].
pub(super) async fn prove_as_node(
    api: &Api,
    public: Option<&StoreUrl>,
    bucket: &BucketName,
    asked: Addressing,
    caller: String,
    options: &VerifyOptions,
    checks: CheckSender,
) -> Result<()> {
    let endpoint = public.unwrap_or(&api.endpoint);
    let site = StoreDoor::new(api, &api.public, endpoint, bucket, asked)?;
    verify_as_node(StoreDoor { caller, ..site }, options, checks).await
}

/// A bucket at one endpoint of its store.
struct StoreDoor<'a> {
    api: &'a Api,
    endpoint: &'a StoreUrl,
    bucket: S3Store,
    /// As the user has it.
    asked: Addressing,
    /// Of a team's bucket.
    reader: Option<TeamReader>,
    caller: String,
    http: Client,
}

impl<'a> StoreDoor<'a> {
    fn new(
        api: &'a Api,
        s3: &S3Client,
        endpoint: &'a StoreUrl,
        bucket: &BucketName,
        asked: Addressing,
    ) -> Result<Self> {
        let bucket = S3Store { s3: s3.clone(), ..api.store(bucket.as_str()) };
        let (reader, caller) = (None, String::new());
        Ok(Self { api, endpoint, bucket, asked, reader, caller, http: Client::new()? })
    }

    /// Whether anybody may list the bucket.
    async fn listed_by_anybody(&self) -> Result<Verdict> {
        let url = format!("{}?list-type=2&max-keys=1", self.address("").await?.trim_end_matches('/'));
        let status = self.http.send(&Request::new(Method::GET, &url)?).await?.status;
        Ok(match status {
            200..300 => failed("anyone can list the objects", Self::PROFILE.exposed),
            _ if Self::PROFILE.refusals.contains(&status) => {
                passed(format!("an anonymous listing is refused (HTTP status {status})"))
            }
            _ => inconclusive(format!("an anonymous listing returned HTTP status {status}")),
        })
    }
}

impl Site for StoreDoor<'_> {
    const PROFILE: Profile = Profile {
        cloud: "s3",
        cors_of: "the bucket, or a setting of the whole store,",
        // Garage and MinIO answer so, whatever the rules are; the answers that follow are those that count.
        every_origin: warned,
        cors_settles: Duration::from_secs(6),
        headers: UPLOAD_HEADERS,
        // 400: no signature is one of an algorithm that the store does not know (rclone).
        refusals: &[400, 401, 403],
        exposed: "check for a bucket policy, an access control list or a setting of the store that grants public \
                  access",
        queue: Queue::Shared,
    };

    fn bucket(&self) -> &str {
        &self.bucket.name
    }

    async fn send(&self, request: &Request) -> Result<Answer> {
        self.http.send(request).await
    }

    async fn sign(&mut self, key: &str) -> Result<Signed> {
        self.bucket.sign_upload(key).await
    }

    fn refusal(&self, code: &str, _: &str) -> &'static str {
        match code {
            "InvalidRequest" | "NotImplemented" | "InvalidEncryptionAlgorithmError" => {
                "a default encryption that the store cannot perform refuses every upload: remove it from the bucket \
                 (`aws s3api delete-bucket-encryption`)"
            }
            "RequestTimeTooSkewed" => "synchronize the clock of this machine",
            _ => {
                "grant the key s3:PutObject on the bucket's objects; on Ceph, a public access block with \
                 BlockPublicAcls refuses every upload"
            }
        }
    }

    fn route(&self) -> Option<Vec<Address>> {
        None
    }

    async fn receive(&mut self, _: Duration) -> Result<Vec<Message>> {
        Ok(vec![])
    }

    fn silence(&self, _: bool) -> (&'static str, &'static str) {
        ("", "")
    }
}

impl OperatorSite for StoreDoor<'_> {
    async fn settings(&mut self) -> Result<Settings> {
        let (public, lock) = tokio::join!(self.listed_by_anybody(), self.bucket.object_lock());
        // Few stores have one, and each declines the question in its own way.
        let retention = lock.ok().flatten().and_then(|lock| lock.retention);
        let kept_by = retention.map(|retention| format!("Object Lock ({retention})"));
        let reader = match &self.reader {
            Some(reader) => reader.checks(self.api, &self.bucket.name).await?,
            None => vec![],
        };
        Ok(Settings { public: public?, subscription: None, reader, settling: None, kept_by })
    }

    async fn address(&self, key: &str) -> Result<String> {
        // A key is required, and cut off again where the bucket itself is meant.
        if key.is_empty() {
            return Ok(self.bucket.address("_").await?.trim_end_matches('_').to_owned());
        }
        self.bucket.address(key).await
    }

    async fn remove(&mut self, probe: &Probe) -> Result<Option<String>> {
        if let Some(contents) = Contents::of(self.api, &self.bucket.name).await? {
            contents.delete_key(&probe.key).await?;
        }
        Ok(None)
    }

    async fn watch(&mut self, _: &str) -> Result<()> {
        Ok(())
    }
}

impl StoreSite for StoreDoor<'_> {
    async fn basics(&mut self) -> Result<Vec<Check>> {
        basics::check(self).await
    }

    async fn sign_head(&mut self, key: &str) -> Result<Signed> {
        self.bucket.sign_head(key).await
    }
}
