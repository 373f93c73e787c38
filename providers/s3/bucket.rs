//! The bucket itself, and our mark on it.

use std::fmt::Display;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use aws_sdk_s3::operation::create_bucket::CreateBucketError;
use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Error;
use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use serde::Serialize;

use super::cors;
use super::failure::{VIRTUAL_ONLY, code, failure, status};
use super::inventory;
use super::knowledge::no_store;
use super::mark::{self, MARKS, MarkPlace, Marks};
use super::objects::Contents;
use super::session::Api;
use crate::empty::filled;
use crate::error::{Error, Kind, Result};
use crate::event::Progress;
use crate::mark::{Entries, Mark, Marking};
use crate::providers::s3_protocol::cors::BrowserRule;
use crate::providers::s3_protocol::root::Root;
use crate::providers::s3_protocol::unmarked::is_new;
use crate::resource::{Address, Deleted, Owner, Resource, Seen};

const LIST: &str = "s3:ListBucket";

/// The bucket that keeps the run files.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct StoreBucket {
    #[serde(skip)]
    pub name: String,
    /// Whether an interrupted run may have created it: its name is the default of this deployment.
    #[serde(skip)]
    pub may_be_left: bool,
    /// The CORS rule, whose id is the mark where the store has no tags.
    #[serde(skip)]
    pub rule: BrowserRule,
    /// Where the mark was found.
    #[serde(skip)]
    pub place: Option<MarkPlace>,
    /// What this run has done to it.
    #[serde(skip)]
    pub done: Arc<Done>,
    /// The tags that the user wants, where the store has tags of buckets.
    #[serde(skip_serializing_if = "Entries::is_empty")]
    pub tags: Entries,
    pub mark: Marking,
}

/// What one run has done, which no read shows.
#[derive(Debug, Default)]
pub(crate) struct Done {
    /// It has created the bucket.
    pub created: AtomicBool,
    /// It has deleted the CORS rule of an adopted bucket, which was its mark.
    pub unmarked: AtomicBool,
    /// The store declined a CORS rule, although it answers reads of them.
    pub declined: AtomicBool,
}

impl StoreBucket {
    /// The address of the bucket `name`.
    pub(crate) fn at(name: &str) -> Address {
        Address::new("s3", "bucket", name)
    }

    async fn create(&self, api: &Api) -> Result<()> {
        let created = match self.create_in(api, None).await {
            // The place is that of the endpoint, and few stores require its name.
            Err(error)
                if matches!(
                    code(&error),
                    "IllegalLocationConstraintException" | "InvalidLocationConstraint"
                ) =>
            {
                self.create_in(api, Some(api.region.as_str())).await
            }
            created => created,
        };
        created.map_err(|error| self.refusal(error))?;
        self.done.created.store(true, Ordering::Relaxed);
        self.put_mark(api, false).await
    }

    async fn create_in(
        &self,
        api: &Api,
        region: Option<&str>,
    ) -> std::result::Result<(), SdkError<CreateBucketError, HttpResponse>> {
        let place = region.map(|region| {
            let constraint = BucketLocationConstraint::from(region);
            CreateBucketConfiguration::builder().location_constraint(constraint).build()
        });
        let call = api.s3.create_bucket().bucket(&self.name).set_create_bucket_configuration(place);
        call.send().await.map(drop)
    }

    fn refusal(&self, error: SdkError<CreateBucketError, HttpResponse>) -> Error {
        match code(&error) {
            "BucketAlreadyOwnedByYou" => Error::exists(self.address()),
            "BucketAlreadyExists" => {
                Error::refused(format!("the bucket name {} is already taken on this store", self.name))
                    .hint("choose another with --bucket")
            }
            _ => {
                let error = failure(error, "s3:CreateBucket", self.address());
                match error.kind() {
                    Kind::Denied => error.hint(
                        "create the bucket with a key that may, then add `--bucket NAME --adopt`; or grant s3:CreateBucket \
                         to these credentials",
                    ),
                    _ => error,
                }
            }
        }
    }

    /// Writes our mark where the store can keep it.
    async fn put_mark(&self, api: &Api, adopting: bool) -> Result<()> {
        let missing =
            || Error::new(Kind::NotYet, format!("mark {}: the bucket is not visible yet", self.address()));
        let marks = mark::read(api, &self.name).await?.ok_or_else(missing)?;
        // Some stores answer 200 to the creation of a bucket that somebody else has created meanwhile (S5).
        self.mark.require_untaken(&marks.entries)?;
        let mark = self.mark.to_write(&MARKS.read(&marks.entries), adopting);
        if marks.place == MarkPlace::Rule {
            if cors::put_rule(api, &self.name, &self.rule, Some(mark::id_with(&mark))).await? {
                return Ok(());
            }
            self.done.declined.store(true, Ordering::Relaxed);
            return mark::write(api, &self.name, MarkPlace::Object, &mark, None).await;
        }
        mark::write(api, &self.name, marks.place, &mark, Some(&self.mark)).await
    }

    /// Whether it is what a run has left that ended between the creation and the mark: empty, and created within the hour.
    async fn was_left_unmarked(&self, api: &Api, is_empty: bool) -> bool {
        if !is_empty {
            return false;
        }
        let Ok(buckets) = inventory::buckets(api).await else { return false };
        let mut named = buckets.iter().filter(|(name, _)| *name == self.name);
        named.any(|(_, created)| created.is_some_and(is_new))
    }
}

impl Resource for StoreBucket {
    type Api = Api;

    // No store creates a bucket with its mark, and some ignore what they do not know.
    const READ_BACK: bool = true;

    fn address(&self) -> Address {
        Self::at(&self.name)
    }

    fn marking(&self) -> Option<&Marking> {
        Some(&self.mark)
    }

    async fn read(&self, api: &Api) -> Result<Seen<Self>> {
        let (listed, marks) = futures::join!(is_empty(api, &self.name), mark::read(api, &self.name));
        let Some(is_empty) = listed? else {
            let mut absent = Seen::absent();
            if !self.rule.allowed_origins.is_empty() {
                absent.finding("what the store knows of tags, CORS rules and settings is found out once the bucket exists");
            }
            return Ok(absent);
        };
        let Some(Marks { place, entries, denied }) = marks? else { return Ok(Seen::absent()) };
        let mark = self.mark.observed(&entries);
        let tags = if place == MarkPlace::Tags { mark.tags() } else { &self.tags }.clone();
        let state = Self { tags, mark, place: Some(place), ..self.clone() };
        let is_bare = MARKS.read(&entries).is_empty();
        let mut found = self.mark.seen(&entries, None, state);
        if let Some(denied) = &denied {
            found.set_owner(Owner::Unknown(denied.chain()));
        }
        // Stores may create buckets without their mark only (S2, S3).
        if is_bare && self.done.created.load(Ordering::Relaxed) {
            found.set_owner(Owner::Ours);
        } else if is_bare && self.done.unmarked.load(Ordering::Relaxed) {
            found.set_owner(Owner::Adopted);
        } else if is_bare
            && found.owner() == Some(&Owner::Other(None))
            && self.may_be_left
            && self.was_left_unmarked(api, is_empty).await
        {
            found.set_owner(Owner::Ours);
            found.finding(
                "it is empty, new and without a mark, as an interrupted run leaves it: it is marked now",
            );
        }
        if let Some(remark) = place.remark() {
            found.finding(remark);
        }
        if place != MarkPlace::Tags && !self.tags.is_empty() {
            found.finding("--tag is skipped: the store has no tags of buckets");
        }
        Ok(found)
    }

    async fn write(&self, api: &Api, seen: &Seen<Self>, _: &Progress) -> Result<()> {
        let Some(state) = seen.state() else { return self.create(api).await };
        let adopt = seen.is_unmarked();
        if adopt || state.mark != self.mark {
            self.put_mark(api, adopt).await?;
        }
        Ok(())
    }

    async fn delete(&self, api: &Api, seen: &Self, _: &Progress) -> Result<Deleted> {
        // Nothing but the mark is in it.
        let mark = match seen.place {
            Some(MarkPlace::Object) => mark::read(api, &self.name).await?,
            _ => None,
        };
        let contents = Contents::of(api, &self.name).await?;
        if let (Some(_), Some(contents)) = (&mark, &contents) {
            contents.delete_key(mark::OBJECT).await?;
        }
        let Err(error) = api.s3.delete_bucket().bucket(&self.name).send().await else {
            return Ok(Deleted::Gone);
        };
        if code(&error) == "NoSuchBucket" {
            return Ok(Deleted::Gone);
        }
        if let Some(mark) = mark {
            mark::write(api, &self.name, MarkPlace::Object, &MARKS.read(&mark.entries), None).await?;
        }
        if code(&error) != "BucketNotEmpty" {
            return Err(failure(error, "s3:DeleteBucket", self.address()));
        }
        Err(filled("s3:DeleteBucket", &self.address()))
    }

    async fn release(&self, api: &Api, seen: &Self, _: &Progress) -> Result<()> {
        match seen.place {
            // The mark in the id of our CORS rule goes with that.
            Some(place) => mark::write(api, &self.name, place, &Mark::default(), None).await,
            None => Ok(()),
        }
    }
}

/// What an endpoint answered to the first call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Greeting {
    /// It is a store.
    Store,
    /// It is one that requires the name of the bucket in the host name.
    VirtualOnly,
}

/// The result of listing `bucket`: whether it holds nothing; `None` where there is no such bucket.
type Listed = std::result::Result<Option<bool>, SdkError<ListObjectsV2Error, HttpResponse>>;

/// Lists `bucket`.
///
/// # Errors
/// An endpoint that answers with something else.
async fn listed(api: &Api, bucket: &str, at: &impl Display) -> Result<Listed> {
    let root = Root::default();
    let call = api.s3.list_objects_v2().bucket(bucket).max_keys(1).customize().interceptor(root.clone());
    let answer = call.send().await;
    let root = root.name();
    let is_listing = root.as_deref() == Some("ListBucketResult");
    match answer {
        Ok(listed) if is_listing => Ok(Ok(Some(listed.contents().is_empty()))),
        Ok(_) => Err(no_store(LIST, at, root.as_deref())),
        Err(error) if (200..300).contains(&status(&error)) && !is_listing => {
            Err(no_store(LIST, at, root.as_deref()))
        }
        Err(error) if code(&error) == "NoSuchBucket" => Ok(Ok(None)),
        Err(error) => Ok(Err(error)),
    }
}

/// Finds out whether the endpoint is a store that accepts the key.
///
/// # Errors
/// If it is not.
pub(crate) async fn greet(api: &Api, bucket: &str) -> Result<Greeting> {
    let error = match listed(api, bucket, &api.endpoint).await? {
        Ok(_) => return Ok(Greeting::Store),
        Err(error) => error,
    };
    if VIRTUAL_ONLY.contains(&code(&error)) {
        return Ok(Greeting::VirtualOnly);
    }
    let error = failure(error, LIST, &api.endpoint);
    // A key may be allowed less than this; which calls it may send, each of them shows.
    if error.kind() == Kind::Denied { Ok(Greeting::Store) } else { Err(error) }
}

/// Whether the bucket holds nothing; `None` where there is no such bucket.
///
/// # Errors
/// Those of the endpoint as a whole, and a bucket that may not be listed.
pub(crate) async fn is_empty(api: &Api, bucket: &str) -> Result<Option<bool>> {
    let at = StoreBucket::at(bucket);
    let error = match listed(api, bucket, &at).await? {
        Ok(listed) => return Ok(listed),
        Err(error) => failure(error, LIST, at),
    };
    if error.kind() != Kind::Denied {
        return Err(error);
    }
    let why = "it belongs to somebody else, or s3:ListBucket is denied";
    Err(Error::refused(format!("the bucket {bucket} may not be listed with this key: {why}"))
        .hint("choose another name with --bucket; if it is yours, grant s3:ListBucket on it")
        .because(error))
}
