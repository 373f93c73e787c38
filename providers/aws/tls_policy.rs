//! wbstore's statement in the bucket policy: requests without TLS are denied.

use serde::Serialize;
use serde_json::Value;

use crate::error::{Kind, Result};
use crate::event::Progress;
use crate::providers::aws::bucket::S3Bucket;
use crate::providers::aws::failure::{code, failure, missing_bucket};
use crate::providers::aws::policy_document::{self, PolicyDocument};
use crate::providers::aws::session::Api;
use crate::resource::{Address, Deleted, Forbids, Owner, Removal, Resource, Seen};

/// The largest policy of a bucket, in bytes (S3 user guide, "Bucket policies": 20 KB).
const LARGEST: usize = 20 << 10;

/// What browsers and the server do with a bucket.
const USED: [&str; 5] =
    ["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:ListBucket", "s3:PutObject"];

/// The statement that denies unencrypted requests.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct TlsPolicy {
    /// The bucket it is set on.
    #[serde(skip)]
    pub bucket: String,
    /// The statement's id, which identifies it as wbstore's.
    #[serde(skip)]
    pub sid: String,
    pub statement: Value,
}

impl TlsPolicy {
    /// The address of the one of `bucket`.
    pub(crate) fn at(bucket: &str) -> Address {
        Address::new("aws", "tls-policy", bucket)
    }

    /// The statement `sid` for `bucket`.
    pub(crate) fn new(bucket: &str, sid: String, bucket_arn: &str) -> Self {
        let statement = policy_document::statements::deny_insecure_bucket(&sid, bucket_arn);
        Self { bucket: bucket.to_owned(), sid, statement }
    }

    async fn document(&self, api: &Api) -> Result<PolicyDocument> {
        let answer =
            api.s3.get_bucket_policy().bucket(&self.bucket).expected_bucket_owner(api.owner()).send().await;
        match answer {
            Ok(answer) => PolicyDocument::parse_or_new(answer.policy.as_deref())
                .map_err(|error| error.context(self.address())),
            Err(error) if matches!(code(&error), "NoSuchBucketPolicy" | "NoSuchBucket") => {
                PolicyDocument::new()
            }
            Err(error) => Err(failure(error, "s3:GetBucketPolicy", self.address())),
        }
    }

    async fn put(&self, api: &Api, document: PolicyDocument) -> Result<()> {
        if document.is_empty() {
            return api
                .s3
                .delete_bucket_policy()
                .bucket(&self.bucket)
                .expected_bucket_owner(api.owner())
                .send()
                .await
                .map(drop)
                .map_err(|error| failure(error, "s3:DeleteBucketPolicy", self.address()));
        }
        api.s3
            .put_bucket_policy()
            .bucket(&self.bucket)
            .expected_bucket_owner(api.owner())
            .policy(document.to_string())
            .send()
            .await
            .map(drop)
            .map_err(|error| missing_bucket(error, "s3:PutBucketPolicy", self.address()))
    }
}

impl Resource for TlsPolicy {
    type Api = Api;

    const REMOVAL: Removal = Removal::WithParent;
    const READ_BACK: bool = true;

    fn address(&self) -> Address {
        Self::at(&self.bucket)
    }

    fn part_of(&self) -> Option<Address> {
        Some(S3Bucket::at(&self.bucket))
    }

    async fn read(&self, api: &Api) -> Result<Seen<Self>> {
        let document = self.document(api).await?;
        let mut found = match document.statement(&self.sid) {
            Some(statement) => {
                // Two spellings of one meaning are no drift.
                let same = policy_document::same_meaning(statement, &self.statement);
                let statement = if same { &self.statement } else { statement }.clone();
                Seen::there(Self { statement, ..self.clone() }, Owner::Ours)
            }
            None => Seen::absent(),
        };
        found.remarks_mut().kept = document.others(&self.sid);
        found.remarks_mut().findings = document.open_to_all();
        if !found.remarks().findings.is_empty() && found.state().is_none() {
            found.obstacle(
                Forbids::Write,
                format!(
                    "{}; S3 rejects a policy with such a statement once public access is blocked",
                    found.remarks().findings.join("; ")
                ),
                "remove the statement, or choose a separate bucket with --bucket",
            );
        }
        let mut merged = document.clone();
        merged.upsert(&self.sid, &self.statement)?;
        let size = merged.to_string().len();
        if found.state().is_none() && size > LARGEST {
            found.obstacle(
                Forbids::Write,
                format!(
                    "with wbstore's statement the policy would have {size} bytes, and S3 allows {LARGEST}"
                ),
                "remove a statement that is no longer needed",
            );
        }
        let shut_out = document.denials(&self.sid, &USED, "browsers, the W&B server or wbstore");
        found.remarks_mut().findings.extend(shut_out);
        Ok(found)
    }

    async fn write(&self, api: &Api, _: &Seen<Self>, progress: &Progress) -> Result<()> {
        let mut document =
            if progress.parent_is_new() { PolicyDocument::new()? } else { self.document(api).await? };
        if document.upsert(&self.sid, &self.statement)? { self.put(api, document).await } else { Ok(()) }
    }

    async fn delete(&self, api: &Api, _: &Self, _: &Progress) -> Result<Deleted> {
        let mut document = self.document(api).await?;
        if !document.remove(&self.sid) {
            return Ok(Deleted::Gone);
        }
        let open = document.open_to_all();
        self.put(api, document).await.map_err(|error| match open.as_slice() {
            [first, ..] if error.kind() == Kind::Denied => error
                .hint(format!("{first}, which S3 rejects while public access is blocked; remove it first")),
            _ => error,
        })?;
        Ok(Deleted::Gone)
    }
}
