//! Settings of the bucket that are made only where they are asked for, because stores break with them: Ceph rejects every
//! upload once public ACLs are blocked, and with a default encryption that it accepts and has no key for. So each is
//! proved by an upload, and undone where that fails.

use std::fmt::Display;
use std::time::Duration;

use aws_sdk_s3::types::{
    BucketVersioningStatus, PublicAccessBlockConfiguration, ServerSideEncryption,
    ServerSideEncryptionByDefault, ServerSideEncryptionConfiguration, ServerSideEncryptionRule,
    VersioningConfiguration,
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::bucket::StoreBucket;
use super::failure::failure;
use super::knowledge::{ENCRYPTION, Known, POLICY, PUBLIC_ACCESS_BLOCK, SubResource, VERSIONING, ask};
use super::objects::Contents;
use super::session::Api;
use crate::error::{Error, Kind, Result};
use crate::event::Progress;
use crate::http::{Client, Method, Request};
use crate::name::StorageName;
use crate::providers::s3_protocol::failure::is_declined;
use crate::providers::s3_protocol::policy_document::{self, PolicyDocument, Purpose, statements};
use crate::providers::s3_protocol::presigned;
use crate::resource::{Address, Deleted, Forbids, Owner, Removal, Resource, Seen};
use crate::text::{clean, xml_element};
use crate::verify::PROBE_PREFIX;

/// Which setting.
#[derive(Clone, Debug)]
pub(crate) enum Setting {
    /// The four blocks of public access.
    PublicAccessBlock,
    /// A statement of the bucket policy.
    Statement(OurStatement),
    /// AES256 for new objects.
    Encryption,
    /// Versions of objects that are replaced or deleted.
    Versioning,
}

/// A statement of wbstore in the bucket policy.
#[derive(Clone, Debug)]
pub(crate) struct OurStatement {
    purpose: Purpose,
    storage: StorageName,
    statement: Value,
}

impl OurStatement {
    /// The one of `storage` that denies requests without TLS.
    pub(crate) fn tls(storage: &StorageName, bucket_arn: &str) -> Self {
        let statement = statements::deny_insecure_bucket(&Purpose::Tls.sid(storage), bucket_arn);
        Self { purpose: Purpose::Tls, storage: storage.clone(), statement }
    }

    /// The one of `storage` that lets in the reader of a team's bucket.
    pub(crate) fn reader(storage: &StorageName, statement: Value) -> Self {
        Self { purpose: Purpose::Reader, storage: storage.clone(), statement }
    }

    fn sid(&self) -> String {
        self.purpose.sid(&self.storage)
    }
}

/// The document of a setting, as the store has it.
enum Document {
    Blocks(PublicAccessBlockConfiguration),
    Policy(PolicyDocument),
    Encryption(ServerSideEncryptionConfiguration),
    Versioning(BucketVersioningStatus),
}

/// One setting of a bucket.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct StoreSetting {
    #[serde(skip)]
    bucket: String,
    #[serde(skip)]
    setting: Setting,
    /// Whether it is to be torn down, and was perhaps never asked for.
    #[serde(skip)]
    leaving: bool,
    #[serde(flatten)]
    fields: Map<String, Value>,
}

impl Setting {
    /// The kind in the address.
    fn kind(&self) -> &'static str {
        match self {
            Self::PublicAccessBlock => "public-access-block",
            Self::Statement(ours) => ours.purpose.kind(),
            Self::Encryption => "encryption",
            Self::Versioning => "versioning",
        }
    }

    fn option(&self) -> &'static str {
        match self {
            Self::PublicAccessBlock => "--block-public-access",
            Self::Statement(OurStatement { purpose: Purpose::Tls, .. }) => "--require-tls",
            Self::Statement(OurStatement { purpose: Purpose::Reader, .. }) => "--team",
            Self::Encryption => "--encrypt",
            Self::Versioning => "--versioning",
        }
    }

    fn sub_resource(&self) -> &'static SubResource {
        match self {
            Self::PublicAccessBlock => &PUBLIC_ACCESS_BLOCK,
            Self::Statement(_) => &POLICY,
            Self::Encryption => &ENCRYPTION,
            Self::Versioning => &VERSIONING,
        }
    }

    /// The permission to write it.
    fn action(&self) -> &'static str {
        match self {
            Self::PublicAccessBlock => "s3:PutBucketPublicAccessBlock",
            Self::Statement(_) => "s3:PutBucketPolicy",
            Self::Encryption => "s3:PutEncryptionConfiguration",
            Self::Versioning => "s3:PutBucketVersioning",
        }
    }

    fn fields(&self) -> Map<String, Value> {
        let fields = match self {
            Self::PublicAccessBlock => blocks(&all_blocks()),
            Self::Statement(ours) => json!({ "statement": ours.statement }),
            Self::Encryption => json!({ "algorithm": "AES256" }),
            Self::Versioning => json!({ "status": BucketVersioningStatus::Enabled.as_str() }),
        };
        fields.as_object().cloned().unwrap_or_default()
    }
}

fn all_blocks() -> PublicAccessBlockConfiguration {
    PublicAccessBlockConfiguration::builder()
        .block_public_acls(true)
        .ignore_public_acls(true)
        .block_public_policy(true)
        .restrict_public_buckets(true)
        .build()
}

fn blocks(blocks: &PublicAccessBlockConfiguration) -> Value {
    json!({
        "block_public_acls": blocks.block_public_acls == Some(true),
        "ignore_public_acls": blocks.ignore_public_acls == Some(true),
        "block_public_policy": blocks.block_public_policy == Some(true),
        "restrict_public_buckets": blocks.restrict_public_buckets == Some(true),
    })
}

impl StoreSetting {
    pub(crate) fn new(bucket: &str, setting: Setting, leaving: bool) -> Self {
        Self { bucket: bucket.to_owned(), fields: setting.fields(), setting, leaving }
    }

    async fn document(&self, api: &Api) -> Result<Known<Document>> {
        let (s3, bucket, of, at) = (&api.s3, &self.bucket, self.setting.sub_resource(), self.address());
        let encrypted = |found: Option<ServerSideEncryptionConfiguration>| found.map(Document::Encryption);
        Ok(match &self.setting {
            Setting::PublicAccessBlock => {
                let call =
                    |root| s3.get_public_access_block().bucket(bucket).customize().interceptor(root).send();
                let found = ask(of, at, call).await?;
                some(found.map(|found| found.public_access_block_configuration.map(Document::Blocks)))
            }
            Setting::Encryption => {
                let call =
                    |root| s3.get_bucket_encryption().bucket(bucket).customize().interceptor(root).send();
                let found = ask(of, at, call).await?;
                some(found.map(|found| encrypted(found.server_side_encryption_configuration)))
            }
            Setting::Versioning => {
                let call =
                    |root| s3.get_bucket_versioning().bucket(bucket).customize().interceptor(root).send();
                some(ask(of, at, call).await?.map(|found| found.status.map(Document::Versioning)))
            }
            Setting::Statement(_) => {
                let call = |root| s3.get_bucket_policy().bucket(bucket).customize().interceptor(root).send();
                match ask(of, &at, call).await? {
                    Known::Set(found) => {
                        let document = PolicyDocument::parse_or_new(found.policy.as_deref());
                        Known::Set(Document::Policy(document.map_err(|error| error.context(at))?))
                    }
                    other => some(other.map(|_| None)),
                }
            }
        })
    }

    fn observed(&self, document: &Document) -> Seen<Self> {
        let there = |fields: Value| {
            let fields = fields.as_object().cloned().unwrap_or_default();
            Seen::there(Self { fields, ..self.clone() }, Owner::Ours)
        };
        match (document, &self.setting) {
            (Document::Blocks(found), _) => there(blocks(found)),
            (Document::Encryption(found), _) => {
                let rule = found.rules.first();
                let default = rule.and_then(|rule| rule.apply_server_side_encryption_by_default.as_ref());
                match default.map(|by| by.sse_algorithm.as_str()) {
                    None => Seen::absent(),
                    Some("AES256") => there(json!({ "algorithm": "AES256" })),
                    Some(other) => {
                        let mut found = there(json!({ "algorithm": "AES256" }));
                        found.finding(format!("the bucket encrypts with {}, which is kept", clean(other)));
                        found
                    }
                }
            }
            (Document::Versioning(status), _) => there(json!({ "status": status.as_str() })),
            (Document::Policy(document), Setting::Statement(ours)) => {
                let OurStatement { purpose, storage, statement } = ours;
                let mut found = match document.statement(&ours.sid()) {
                    Some(is) if policy_document::same_meaning(is, statement) => {
                        there(json!({ "statement": statement }))
                    }
                    Some(is) => there(json!({ "statement": is })),
                    None => Seen::absent(),
                };
                if *purpose == Purpose::Tls {
                    let [tls, reader] = [Purpose::Tls, Purpose::Reader].map(|purpose| purpose.sid(storage));
                    found.remarks_mut().kept = document.others(&[&tls, &reader]);
                    found.remarks_mut().findings = document.open_to_all();
                }
                found
            }
            (Document::Policy(_), _) => Seen::absent(),
        }
    }

    /// Writes the setting beside what is in `before`; false where the store declines it.
    async fn put(&self, api: &Api, before: Option<&Document>) -> Result<bool> {
        let (s3, bucket) = (&api.s3, &self.bucket);
        match &self.setting {
            Setting::PublicAccessBlock => {
                let call = s3.put_public_access_block().bucket(bucket);
                self.accepted(call.public_access_block_configuration(all_blocks()).send().await)
            }
            Setting::Encryption => {
                let call = s3.put_bucket_encryption().bucket(bucket);
                self.accepted(call.server_side_encryption_configuration(encryption()?).send().await)
            }
            Setting::Versioning => self.put_versioning(api, BucketVersioningStatus::Enabled).await,
            Setting::Statement(ours) => {
                let mut document = match before {
                    Some(Document::Policy(document)) => document.clone(),
                    _ => PolicyDocument::new()?,
                };
                document.upsert(&ours.sid(), &ours.statement)?;
                self.accepted(s3.put_bucket_policy().bucket(bucket).policy(document.to_string()).send().await)
            }
        }
    }

    async fn put_versioning(&self, api: &Api, status: BucketVersioningStatus) -> Result<bool> {
        let call = api.s3.put_bucket_versioning().bucket(&self.bucket);
        let configuration = VersioningConfiguration::builder().status(status).build();
        self.accepted(call.versioning_configuration(configuration).send().await)
    }

    fn accepted<T, E>(&self, answer: std::result::Result<T, SdkError<E, HttpResponse>>) -> Result<bool>
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        match answer {
            Ok(_) => Ok(true),
            Err(error) if is_declined(&error) => Ok(false),
            Err(error) => Err(failure(error, self.setting.action(), self.address())),
        }
    }

    /// Makes the document what it was `before`. The store has answered a read of it with its own document.
    async fn undo(&self, api: &Api, before: Option<Document>) -> Result<()> {
        let (s3, bucket) = (&api.s3, &self.bucket);
        let undone = match (&self.setting, before) {
            (_, Some(Document::Blocks(found))) => {
                let call = s3.put_public_access_block().bucket(bucket);
                self.accepted(call.public_access_block_configuration(found).send().await)
            }
            (_, Some(Document::Encryption(found))) => {
                let call = s3.put_bucket_encryption().bucket(bucket);
                self.accepted(call.server_side_encryption_configuration(found).send().await)
            }
            (_, Some(Document::Policy(found))) if !found.is_empty() => {
                self.accepted(s3.put_bucket_policy().bucket(bucket).policy(found.to_string()).send().await)
            }
            // A bucket that had versions once cannot be as if it never had: they can only be suspended.
            (_, Some(Document::Versioning(status))) => self.put_versioning(api, status).await,
            (Setting::Versioning, _) => self.put_versioning(api, BucketVersioningStatus::Suspended).await,
            (Setting::PublicAccessBlock, _) => {
                self.accepted(s3.delete_public_access_block().bucket(bucket).send().await)
            }
            (Setting::Encryption, _) => {
                self.accepted(s3.delete_bucket_encryption().bucket(bucket).send().await)
            }
            (Setting::Statement(_), _) => {
                self.accepted(s3.delete_bucket_policy().bucket(bucket).send().await)
            }
        };
        match undone? {
            true => Ok(()),
            false => Err(Error::new(Kind::Failed, "the store accepts no change back")),
        }
    }
}

fn some<T>(known: Known<Option<T>>) -> Known<T> {
    match known {
        Known::Set(Some(found)) => Known::Set(found),
        Known::Set(None) | Known::Unset => Known::Unset,
        Known::NoBucket => Known::NoBucket,
        Known::Unknown(why) => Known::Unknown(why),
    }
}

fn encryption() -> Result<ServerSideEncryptionConfiguration> {
    let incomplete = |error| Error::new(Kind::Failed, "the encryption rule is incomplete").because(error);
    let by = ServerSideEncryptionByDefault::builder().sse_algorithm(ServerSideEncryption::Aes256).build();
    let rule =
        ServerSideEncryptionRule::builder().apply_server_side_encryption_by_default(by.map_err(incomplete)?);
    ServerSideEncryptionConfiguration::builder().rules(rule.build()).build().map_err(incomplete)
}

/// Why an upload as the server's pages do it fails now; `None` if it works. The probe is deleted.
async fn upload_fails(api: &Api, bucket: &str) -> Result<Option<String>> {
    let key = format!("{PROBE_PREFIX}{:016x}/setting", fastrand::u64(..));
    let expiring = presigned::valid_for(Duration::from_secs(60))?;
    let url = presigned::url(api.s3.put_object().bucket(bucket).key(&key).presigned(expiring).await)?;
    let answer = Client::new()?.send(&Request::new(Method::PUT, &url)?.body("wbstore")).await?;
    if answer.is_success() {
        if let Some(contents) = Contents::of(api, bucket).await? {
            contents.delete_key(&key).await?;
        }
        return Ok(None);
    }
    let code = xml_element(&String::from_utf8_lossy(&answer.body), "Code");
    Ok(Some(code.unwrap_or_else(|| format!("HTTP status {}", answer.status))))
}

impl Resource for StoreSetting {
    type Api = Api;

    const REMOVAL: Removal = Removal::WithParent;
    const READ_BACK: bool = true;
    const WORDED: &'static [&'static str] = &["statement"];

    fn permission(&self) -> Option<String> {
        policy_document::sentence(self.fields.get("statement")?)
    }

    fn address(&self) -> Address {
        Address::new("s3", self.setting.kind(), &self.bucket)
    }

    fn needs(&self) -> Vec<Address> {
        let first = match &self.setting {
            Setting::Statement(ours) => ours.purpose.follows().map(|first| first.at("s3", &self.bucket)),
            _ => None,
        };
        [StoreBucket::at(&self.bucket)].into_iter().chain(first).collect()
    }

    fn part_of(&self) -> Option<Address> {
        Some(StoreBucket::at(&self.bucket))
    }

    async fn read(&self, api: &Api) -> Result<Seen<Self>> {
        let known = match self.document(api).await {
            Err(error) if self.leaving && error.kind() == Kind::Denied => {
                let mut found = Seen::absent();
                found.finding(format!(
                    "the bucket's policy may have a statement of wbstore, which then stays: {}",
                    error.chain()
                ));
                return Ok(found);
            }
            known => known?,
        };
        Ok(match known {
            Known::Set(document) => self.observed(&document),
            Known::Unset | Known::NoBucket => Seen::absent(),
            Known::Unknown(_) if self.leaving => Seen::absent(),
            Known::Unknown(why) if matches!(&self.setting, Setting::Statement(ours) if ours.purpose == Purpose::Reader) =>
            {
                let mut found = Seen::absent();
                found.obstacle(
                    Forbids::Write,
                    format!(
                        "the store has no bucket policies ({why}), and W&B's principal has no other way in"
                    ),
                    "check the endpoint: CoreWeave has bucket policies",
                );
                found
            }
            // The server would delete for good what was to be kept.
            Known::Unknown(why) if matches!(self.setting, Setting::Versioning) => {
                let mut found = Seen::absent();
                let (message, hint) = self.without_versions(&why);
                found.obstacle(Forbids::Write, message, hint);
                found
            }
            Known::Unknown(why) => {
                let mut found = Seen::there(self.clone(), Owner::Used);
                found.finding(format!(
                    "{} is skipped: the store does not have it ({why})",
                    self.setting.option()
                ));
                found
            }
        })
    }

    async fn write(&self, api: &Api, _: &Seen<Self>, _: &Progress) -> Result<()> {
        let before = match self.document(api).await? {
            Known::Set(document) => Some(document),
            Known::Unset => None,
            Known::Unknown(why) if matches!(self.setting, Setting::Versioning) => {
                let (message, hint) = self.without_versions(&why);
                return Err(Error::refused(format!("{}: {message}", self.address())).hint(hint));
            }
            Known::Unknown(_) => return Ok(()),
            Known::NoBucket => {
                let at = self.address();
                return Err(Error::new(Kind::NotYet, format!("{at}: the bucket is not visible yet")));
            }
        };
        let option = self.setting.option();
        let omit = format!("omit `{option}`: this store cannot have it");
        if !self.put(api, before.as_ref()).await? {
            return Err(
                Error::refused(format!("{}: the store declined the setting", self.address())).hint(omit)
            );
        }
        let why = match upload_fails(api, &self.bucket).await {
            Ok(None) => return Ok(()),
            Ok(Some(why)) => why,
            Err(error) => {
                self.undo(api, before).await?;
                return Err(error.context(self.undone()));
            }
        };
        self.undo(api, before).await.map_err(|error| {
            error.context(format!(
                "{}: uploads fail with it ({why}), and it could not be undone",
                self.address()
            ))
        })?;
        Err(Error::refused(format!("{}: {why}", self.undone())).hint(omit))
    }

    async fn delete(&self, api: &Api, _: &Self, _: &Progress) -> Result<Deleted> {
        // Only the statement is told from what others have set.
        let Setting::Statement(ours) = &self.setting else { return Ok(Deleted::Gone) };
        if let Known::Set(Document::Policy(mut document)) = self.document(api).await?
            && document.remove(&ours.sid())
        {
            self.undo(api, Some(Document::Policy(document))).await?;
        }
        Ok(Deleted::Gone)
    }
}

impl StoreSetting {
    fn without_versions(&self, why: &str) -> (String, String) {
        let message = format!("the store keeps no versions of objects ({why})");
        (message, "omit `--versioning` and `--artifact-gc`".to_owned())
    }

    fn undone(&self) -> impl Display {
        format!("{}: uploads fail with it, so it was undone", self.address())
    }
}
