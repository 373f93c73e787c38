//! wbstore's statements in the bucket policy: requests without TLS are denied, and the reader of a team's bucket may use
//! it.

use serde::Serialize;
use serde_json::{Value, json};

use crate::error::{Kind, Result};
use crate::event::Progress;
use crate::name::StorageName;
use crate::providers::aws::bucket::S3Bucket;
use crate::providers::aws::failure::{code, failure, missing_bucket};
use crate::providers::aws::session::Api;
use crate::providers::s3_protocol::policy_document::{self, PolicyDocument, Purpose, statements};
use crate::resource::{Address, Deleted, Forbids, Owner, Removal, Resource, Seen};

/// The largest policy of a bucket, in bytes (S3 user guide, "Bucket policies": 20 KB).
const LARGEST: usize = 20 << 10;

/// What browsers and the server do with a bucket.
const USED: [&str; 5] =
    ["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:ListBucket", "s3:PutObject"];

/// One statement of wbstore.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct BucketStatement {
    /// The bucket it is set on.
    #[serde(skip)]
    pub bucket: String,
    #[serde(skip)]
    purpose: Purpose,
    /// The statement's id, which identifies it as wbstore's.
    #[serde(skip)]
    sid: String,
    /// All statements of this storage, whichever of them this is.
    #[serde(skip)]
    ours: Vec<Value>,
    pub statement: Value,
}

impl BucketStatement {
    /// The address of the one on `bucket` that denies requests without TLS.
    pub(crate) fn tls_at(bucket: &str) -> Address {
        Purpose::Tls.at("aws", bucket)
    }

    /// The statements of `storage` for `bucket`: with the policy's name for the `reader` where it is of a team, and
    /// with none in its place to tear it down.
    pub(crate) fn all(
        bucket: &str,
        storage: &StorageName,
        bucket_arn: &str,
        reader: Option<&str>,
    ) -> Vec<Self> {
        let (tls, reader_sid) = (Purpose::Tls.sid(storage), Purpose::Reader.sid(storage));
        let mut ours = vec![(Purpose::Tls, statements::deny_insecure_bucket(&tls, bucket_arn), tls)];
        if storage.team.is_some() {
            let principal = json!({ "AWS": reader.unwrap_or_default() });
            let statement = statements::reader_may_use(&reader_sid, bucket_arn, &principal, None);
            ours.push((Purpose::Reader, statement, reader_sid));
        }
        let all: Vec<Value> = ours.iter().map(|(_, statement, _)| statement.clone()).collect();
        let made = ours.into_iter().map(|(purpose, statement, sid)| Self {
            bucket: bucket.to_owned(),
            purpose,
            sid,
            ours: all.clone(),
            statement,
        });
        made.collect()
    }

    fn our_sids(&self) -> Vec<&str> {
        self.ours.iter().filter_map(|statement| statement["Sid"].as_str()).collect()
    }

    /// How many bytes `document` has with all statements of ours.
    fn size(&self, document: &PolicyDocument) -> Result<usize> {
        let mut merged = document.clone();
        for (sid, statement) in self.our_sids().into_iter().zip(&self.ours) {
            merged.upsert(sid, statement)?;
        }
        Ok(merged.to_string().len())
    }

    async fn document(&self, api: &Api) -> Result<PolicyDocument> {
        bucket_policy(api, &self.bucket, &self.address()).await
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

/// The policy of `bucket`, read for what is `at` an address; a new one where there is none.
///
/// # Errors
/// Those of the read, and a policy that is none.
pub(super) async fn bucket_policy(api: &Api, bucket: &str, at: &Address) -> Result<PolicyDocument> {
    let answer = api.s3.get_bucket_policy().bucket(bucket).expected_bucket_owner(api.owner()).send().await;
    match answer {
        Ok(answer) => {
            PolicyDocument::parse_or_new(answer.policy.as_deref()).map_err(|error| error.context(at))
        }
        Err(error) if matches!(code(&error), "NoSuchBucketPolicy" | "NoSuchBucket") => PolicyDocument::new(),
        Err(error) => Err(failure(error, "s3:GetBucketPolicy", at)),
    }
}

impl Resource for BucketStatement {
    type Api = Api;

    const REMOVAL: Removal = Removal::WithParent;
    const READ_BACK: bool = true;
    const WORDED: &'static [&'static str] = &["statement"];

    fn permission(&self) -> Option<String> {
        policy_document::sentence(&self.statement)
    }

    fn address(&self) -> Address {
        self.purpose.at("aws", &self.bucket)
    }

    fn needs(&self) -> Vec<Address> {
        let first = self.purpose.follows().map(|first| first.at("aws", &self.bucket));
        [S3Bucket::at(&self.bucket)].into_iter().chain(first).collect()
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
            None => match document.equivalent(&self.statement) {
                // Others let the reader in already, as W&B's Terraform module does.
                Some(theirs) if self.purpose == Purpose::Reader => {
                    Seen::there(self.clone(), Owner::Sufficient(theirs))
                }
                _ => Seen::absent(),
            },
        };
        let open = document.open_to_all();
        if !open.is_empty() && found.state().is_none() {
            found.obstacle(
                Forbids::Write,
                format!(
                    "{}; S3 rejects a policy with such a statement once public access is blocked",
                    open.join("; ")
                ),
                "remove the statement, or choose a separate bucket with --bucket",
            );
        }
        let size = self.size(&document)?;
        if found.state().is_none() && size > LARGEST {
            found.obstacle(
                Forbids::Write,
                format!(
                    "with wbstore's statement the policy would have {size} bytes, and S3 allows {LARGEST}"
                ),
                "remove a statement that is no longer needed",
            );
        }
        if self.purpose == Purpose::Tls {
            let remarks = found.remarks_mut();
            remarks.kept = document.others(&self.our_sids());
            remarks.findings = open;
            remarks.findings.extend(document.denials(
                &self.sid,
                &USED,
                "browsers, the W&B server or wbstore",
            ));
        }
        Ok(found)
    }

    async fn write(&self, api: &Api, seen: &Seen<Self>, progress: &Progress) -> Result<()> {
        let mut document = if progress.parent_is_new() {
            // A read could return the policy from before the statement that was written first.
            let first = self.our_sids().into_iter().zip(&self.ours).take_while(|(sid, _)| *sid != self.sid);
            let mut document = PolicyDocument::new()?;
            for (sid, statement) in first {
                document.upsert(sid, statement)?;
            }
            document
        } else {
            self.document(api).await?
        };
        if matches!(seen.owner(), Some(Owner::Sufficient(_))) {
            document.remove_equivalent(&self.statement);
        }
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
