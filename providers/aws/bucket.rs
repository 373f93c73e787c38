//! The S3 bucket itself: region, object ownership and our mark. What is set on it with calls of its
//! own (encryption, CORS, …) are resources of their own, so that they are written side by side.

mod warnings;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use aws_sdk_s3::operation::create_bucket::CreateBucketError;
use aws_sdk_s3::types::{
    BucketLocationConstraint, BucketNamespace, CreateBucketConfiguration, ObjectOwnership, OwnershipControls,
    OwnershipControlsRule, Tag,
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use serde::Serialize;

use crate::empty::filled;
use crate::error::{Error, Kind, Result};
use crate::event::Progress;
use crate::mark::{Entries, Marking, QUEUE};
use crate::providers::aws::failure::{code, failure, header, message, missing_bucket, status, wrong_clock};
use crate::providers::aws::lifecycle;
use crate::providers::aws::mark::{NOTIFICATIONS_QUEUE, readable};
use crate::providers::aws::session::Api;
use crate::providers::s3_protocol::tags;
use crate::providers::s3_protocol::unmarked::is_new;
use crate::resource::{Address, Deleted, Forbids, Owner, Resource, Seen};
use crate::text::{clean, word};

pub(crate) use warnings::Warnings;

/// The bucket that keeps the run files.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct S3Bucket {
    #[serde(skip)]
    pub name: String,
    /// The region it is in.
    pub region: String,
    /// Who owns uploaded objects; `BucketOwnerEnforced` switches ACLs off.
    pub object_ownership: String,
    /// Whether it is to be torn down.
    #[serde(skip)]
    pub leaving: bool,
    /// Whether its name is in the namespace of account and region.
    #[serde(skip)]
    pub is_regional: bool,
    /// Whether an interrupted run may have created it: its name is the default of this deployment.
    #[serde(skip)]
    pub may_be_left: bool,
    /// Whether this run has created it without tags.
    #[serde(skip)]
    pub created: Arc<AtomicBool>,
    /// Whether S3 has rejected its deletion because of its contents.
    #[serde(skip)]
    pub was_rejected: Arc<AtomicBool>,
    #[serde(skip)]
    pub warnings: Warnings,
    pub tags: Marking,
}

impl S3Bucket {
    /// The address of the bucket `name`.
    pub(crate) fn at(name: &str) -> Address {
        Address::new("aws", "bucket", name)
    }

    async fn create(&self, api: &Api) -> Result<()> {
        let tags = tags::tags(self.tags.to_create())?;
        let Err(error) = self.create_with(api, Some(tags)).await else { return Ok(()) };
        // Some regions and partitions reject tags here (B1; hashicorp/terraform-provider-aws#45684, #45566).
        if !matches!(code(&error), "UnsupportedArgument" | "MalformedXML" | "NotImplemented") {
            return Err(self.refusal(error, api));
        }
        self.create_with(api, None).await.map_err(|error| self.refusal(error, api))?;
        self.created.store(true, Ordering::Relaxed);
        put_tags(api, &self.name, self.tags.to_create()).await
    }

    async fn create_with(
        &self,
        api: &Api,
        tags: Option<Vec<Tag>>,
    ) -> std::result::Result<(), SdkError<CreateBucketError, HttpResponse>> {
        let location = api.region.location_constraint().map(BucketLocationConstraint::from);
        let configuration =
            CreateBucketConfiguration::builder().set_tags(tags).set_location_constraint(location);
        api.s3
            .create_bucket()
            .bucket(&self.name)
            .object_ownership(ObjectOwnership::BucketOwnerEnforced)
            .set_bucket_namespace(self.is_regional.then_some(BucketNamespace::AccountRegional))
            .create_bucket_configuration(configuration.build())
            .send()
            .await
            .map(drop)
    }

    fn refusal(&self, error: SdkError<CreateBucketError, HttpResponse>, api: &Api) -> Error {
        match code(&error) {
            // Created by this run if a response was lost; otherwise by others in the account (A2).
            "BucketAlreadyOwnedByYou" => Error::exists(self.address()),
            "BucketAlreadyExists" => Error::refused(format!(
                "the bucket name {} is already taken by another AWS account",
                self.name
            ))
            .hint("bucket names are globally unique; choose another with --bucket"),
            "UnsupportedArgument" | "InvalidArgument" | "NotImplemented" if self.is_regional => {
                Error::refused(format!(
                    "s3:CreateBucket on {}: {} does not accept names of the account-regional namespace ({})",
                    self.address(),
                    api.region,
                    message(&error)
                ))
                .hint("omit `--bucket-namespace`, or choose another name or region: not every region has it")
            }
            _ => failure(error, "s3:CreateBucket", self.address()),
        }
    }

    /// Whether it is what a run has left that ended between the creation and the tags: empty, and created within
    /// the hour.
    async fn was_left_unmarked(&self, api: &Api) -> bool {
        let listed = api.s3.list_buckets().prefix(&self.name).send();
        let versions = api.s3.list_object_versions().bucket(&self.name).max_keys(1);
        let (listed, versions) = futures::join!(listed, versions.expected_bucket_owner(api.owner()).send());
        let (Ok(listed), Ok(versions)) = (listed, versions) else { return false };
        let mut named = listed.buckets().iter().filter(|bucket| bucket.name() == Some(&self.name));
        named.any(|bucket| bucket.creation_date().is_some_and(|created| is_new(created.secs())))
            && versions.versions().is_empty()
            && versions.delete_markers().is_empty()
    }

    /// Reads what decides on a deletion: whose it is.
    async fn read_to_delete(&self, api: &Api) -> Result<Seen<Self>> {
        let tags = match tags(api, &self.name).await {
            Ok(None) => return Ok(Seen::absent()),
            Ok(Some(tags)) => Ok(tags),
            Err(error) => {
                // Its error names another region and another account.
                head(api, &self.name).await?;
                Err(error)
            }
        };
        let (tags, unknown) = readable(tags)?;
        let mut found = self.tags.seen(&tags, None, Self { tags: self.tags.observed(&tags), ..self.clone() });
        if let Some(unknown) = unknown {
            found.set_owner(unknown);
        }
        if found.owner() == Some(&Owner::Adopted) {
            warnings::attribute_based_access(api, &self.name, &mut found).await;
        }
        self.keep_queues(&tags, &mut found);
        Ok(found)
    }

    /// The queues that the tags name and the deployment has not.
    fn keep_queues(&self, tags: &Entries, found: &mut Seen<Self>) {
        for (name, flag) in [(QUEUE, "--queue"), (NOTIFICATIONS_QUEUE, "--notifications-queue")] {
            let queue = |is: &str, word: &str| (format!("the queue {is}"), format!("add {flag} {word}"));
            self.tags.keep_parts(tags, name, queue, found);
        }
    }

    async fn enforce_ownership(&self, api: &Api) -> Result<()> {
        let rule = OwnershipControlsRule::builder()
            .object_ownership(ObjectOwnership::BucketOwnerEnforced)
            .build()
            .map_err(|error| Error::new(Kind::Failed, "the ownership rule is incomplete").because(error))?;
        let controls = OwnershipControls::builder()
            .rules(rule)
            .build()
            .map_err(|error| Error::new(Kind::Failed, "the ownership rule is incomplete").because(error))?;
        api.s3
            .put_bucket_ownership_controls()
            .bucket(&self.name)
            .expected_bucket_owner(api.owner())
            .ownership_controls(controls)
            .send()
            .await
            .map_err(|error| failure(error, "s3:PutBucketOwnershipControls", self.address()))?;
        Ok(())
    }
}

impl Resource for S3Bucket {
    type Api = Api;

    const FIXED: &'static [&'static str] = &["region"];
    // An endpoint that ignores tags in the creating call is found out, and tagged afterwards.
    const READ_BACK: bool = true;

    fn address(&self) -> Address {
        Self::at(&self.name)
    }

    fn marking(&self) -> Option<&Marking> {
        Some(&self.tags)
    }

    fn creation_is_exclusive(&self) -> bool {
        // Except in us-east-1, which answers 200 to the owner's second call (API reference, `CreateBucket`):
        // docs/aws.md names that gap.
        true
    }

    async fn read(&self, api: &Api) -> Result<Seen<Self>> {
        if self.leaving {
            return self.read_to_delete(api).await;
        }
        let storage = self.tags.storage().to_string();
        let (head, tags, ownership, lifecycle, warnings) = futures::join!(
            head(api, &self.name),
            tags(api, &self.name),
            object_ownership(api, &self.name),
            lifecycle::lifecycle(api, &self.name, &storage),
            self.warnings.of(api, &self.name)
        );
        let Some(region) = head? else {
            // A denied read would otherwise stop the run half-way, once the resource exists.
            tags?;
            ownership?;
            lifecycle?;
            return Ok(Seen::absent());
        };
        let (tags, unknown) = readable(tags.map(Option::unwrap_or_default))?;
        let state = Self {
            region: region.unwrap_or_else(|| self.region.clone()),
            object_ownership: ownership?,
            tags: self.tags.observed(&tags),
            ..self.clone()
        };
        let (retagged, has_acls) = (state.tags != self.tags, state.object_ownership != self.object_ownership);
        // The creation date of a bucket moves when its policy is edited (API reference, `ListBuckets`).
        let mut found = self.tags.seen(&tags, None, state);
        if let Some(unknown) = unknown {
            found.set_owner(unknown);
        }
        let is_bare = tags.is_empty() && found.owner() == Some(&Owner::Other(None));
        if is_bare && self.created.load(Ordering::Relaxed) {
            found.set_owner(Owner::Ours);
        } else if is_bare && self.may_be_left && self.was_left_unmarked(api).await {
            found.set_owner(Owner::Ours);
            found.finding(
                "it is empty, new and without tags, as an interrupted run leaves it: it is tagged now",
            );
        }
        let (emptying, deletions) = lifecycle?;
        if !emptying {
            found.remarks_mut().findings.extend(deletions);
        }
        found.remarks_mut().findings.extend_from_slice(warnings);
        let retags = match found.owner() {
            Some(Owner::Ours | Owner::Adopted) => retagged,
            Some(Owner::Other(None)) => true,
            _ => false,
        };
        // These cost a trip of their own, which only an adoption, its release or drift takes.
        if retags {
            warnings::attribute_based_access(api, &self.name, &mut found).await;
        }
        if has_acls {
            warnings::acl(api, &self.name, &mut found).await;
        }
        if emptying {
            found.obstacle(
                Forbids::Present,
                "an earlier teardown set lifecycle rules that empty it, which also delete new uploads",
                "wait until it is empty and run `wbstore teardown aws` again; to keep the bucket instead, \
                 remove its two lifecycle rules that begin with wbstore-",
            );
        }
        self.keep_queues(&tags, &mut found);
        Ok(found)
    }

    async fn read_created(&self, api: &Api) -> Result<Seen<Self>> {
        let tags = tags(api, &self.name).await?.unwrap_or_default();
        let mut found = self.tags.seen(&tags, None, Self { tags: self.tags.observed(&tags), ..self.clone() });
        if tags.is_empty() {
            found.set_owner(Owner::Ours);
        }
        Ok(found)
    }

    async fn write(&self, api: &Api, seen: &Seen<Self>, _: &Progress) -> Result<()> {
        let Some(state) = seen.state() else { return self.create(api).await };
        let adopt = seen.is_unmarked();
        if adopt || state.tags != self.tags {
            let observed = tags(api, &self.name).await?.unwrap_or_default();
            put_tags(api, &self.name, self.tags.to_update(&observed, adopt)?).await?;
        }
        if state.object_ownership != self.object_ownership {
            self.enforce_ownership(api).await?;
        }
        Ok(())
    }

    async fn delete(&self, api: &Api, _: &Self, _: &Progress) -> Result<Deleted> {
        let deleted =
            api.s3.delete_bucket().bucket(&self.name).expected_bucket_owner(api.owner()).send().await;
        let Err(error) = deleted else { return Ok(Deleted::Gone) };
        match code(&error) {
            "NoSuchBucket" => Ok(Deleted::Gone),
            // An empty bucket was not listed again before this call: the retry does that.
            "BucketNotEmpty" if !self.was_rejected.swap(true, Ordering::Relaxed) => Err(Error::new(
                Kind::NotYet,
                format!("s3:DeleteBucket on {}: it contains objects", self.address()),
            )),
            "BucketNotEmpty" => Err(filled("s3:DeleteBucket", &self.address())),
            _ => Err(failure(error, "s3:DeleteBucket", self.address())),
        }
    }

    async fn release(&self, api: &Api, _: &Self, _: &Progress) -> Result<()> {
        let tags = tags(api, &self.name).await?.unwrap_or_default();
        put_tags(api, &self.name, self.tags.to_release(&tags)).await
    }
}

/// The region of an existing bucket: `None` without a bucket, `Some(None)` if the endpoint does not report
/// it.
async fn head(api: &Api, bucket: &str) -> Result<Option<Option<String>>> {
    let answer = api.s3.head_bucket().bucket(bucket).expected_bucket_owner(api.owner()).send().await;
    let error = match answer {
        Ok(head) => return Ok(Some(head.bucket_region)),
        Err(error) => error,
    };
    let region = error.raw_response().and_then(|response| header(response, "x-amz-bucket-region"));
    let wanted = api.region.to_string();
    match (status(&error), region) {
        (404, _) => Ok(None),
        (301 | 307 | 400 | 403, Some(region)) if region != wanted => {
            let there = word(&region).unwrap_or("REGION");
            Err(Error::refused(format!("the bucket {bucket} is in {}, not in {wanted}", clean(&region)))
                .hint(format!("add `--region {there}`, or choose another name with --bucket")))
        }
        (403, _) if let Some(wrong) = wrong_clock(&error, "s3:ListBucket", S3Bucket::at(bucket)) => {
            Err(wrong)
        }
        (403, _) => Err(Error::refused(format!(
            "the bucket {bucket} exists, but account {} is not allowed to read it: it belongs to another \
             account, or s3:ListBucket is denied",
            api.account
        ))
        .hint("choose another name with --bucket; if it is yours, grant s3:ListBucket on it")),
        _ => Err(failure(error, "s3:ListBucket", S3Bucket::at(bucket))),
    }
}

/// The tags of `bucket`; `None` where it does not exist.
///
/// # Errors
/// Those of the call.
pub(crate) async fn tags(api: &Api, bucket: &str) -> Result<Option<Entries>> {
    let answer = api.s3.get_bucket_tagging().bucket(bucket).expected_bucket_owner(api.owner()).send().await;
    match answer {
        Ok(answer) => Ok(Some(answer.tag_set.into_iter().map(|tag| (tag.key, tag.value)).collect())),
        Err(error) if code(&error) == "NoSuchTagSet" => Ok(Some(Entries::new())),
        Err(error) if code(&error) == "NoSuchBucket" => Ok(None),
        Err(error) => Err(failure(error, "s3:GetBucketTagging", S3Bucket::at(bucket))),
    }
}

async fn put_tags(api: &Api, bucket: &str, tags: Entries) -> Result<()> {
    if tags.is_empty() {
        return api
            .s3
            .delete_bucket_tagging()
            .bucket(bucket)
            .expected_bucket_owner(api.owner())
            .send()
            .await
            .map(drop)
            .map_err(|error| failure(error, "s3:PutBucketTagging", S3Bucket::at(bucket)));
    }
    // S3 rejects a set without the tags that AWS itself set, such as CloudFormation's, so they are written
    // back unchanged (A26; hashicorp/terraform-provider-aws#7323).
    let tagging = tags::document(tags)?;
    api.s3
        .put_bucket_tagging()
        .bucket(bucket)
        .expected_bucket_owner(api.owner())
        .tagging(tagging)
        .send()
        .await
        .map(drop)
        .map_err(|error| missing_bucket(error, "s3:PutBucketTagging", S3Bucket::at(bucket)))
}

/// Buckets from before April 2023 may have no ownership controls; that means `ObjectWriter`.
async fn object_ownership(api: &Api, bucket: &str) -> Result<String> {
    let answer =
        api.s3.get_bucket_ownership_controls().bucket(bucket).expected_bucket_owner(api.owner()).send().await;
    match answer {
        Ok(answer) => Ok(answer
            .ownership_controls
            .and_then(|controls| controls.rules.into_iter().next())
            .map_or_else(|| "ObjectWriter".to_owned(), |rule| rule.object_ownership.as_str().to_owned())),
        Err(error) if matches!(code(&error), "OwnershipControlsNotFoundError" | "NoSuchBucket") => {
            Ok("ObjectWriter".to_owned())
        }
        Err(error) => Err(failure(error, "s3:GetBucketOwnershipControls", S3Bucket::at(bucket))),
    }
}
