//! What S3 and SQS add to the proof.

mod message;
mod node;
mod public;
mod queue;
mod reader;

use std::time::Duration;

use self::queue::DeadLetters;
use super::bucket_name::BucketName;
use super::failure::{code, failure};
use super::objects::store;
use super::queue_name::QueueName;
use super::session::Api;
use crate::empty::{self, Cursor, Listing};
use crate::error::Result;
use crate::http::{Answer, Client, Request};
use crate::providers::s3_protocol::cors::UPLOAD_HEADERS;
use crate::providers::s3_protocol::objects::S3Store;
use crate::resource::Address;
use crate::verify::{Depth, Message, OperatorSite, Probe, Profile, Queue, Settings, Signed, Site, failed};

pub(super) use reader::TeamReader;

/// A bucket and the queue that gets its events; no queue with `--queue internal`.
pub(super) struct S3Site<'a> {
    api: &'a Api,
    bucket: S3Store,
    queue: Option<String>,
    reader: Option<TeamReader>,
    dead_letters: Option<DeadLetters>,
    /// The ARN of the credentials, with `--as node`.
    caller: String,
    has_key: bool,
    http: Client,
}

impl<'a> S3Site<'a> {
    /// # Errors
    /// [`Kind::Failed`] when TLS cannot be set up.
    pub(super) fn new(api: &'a Api, bucket: &BucketName, queue: Option<&QueueName>) -> Result<Self> {
        let bucket = store(api, bucket.as_str());
        let (queue, http) = (queue.map(ToString::to_string), Client::new()?);
        let reader = None;
        Ok(Self {
            api,
            bucket,
            queue,
            reader,
            dead_letters: None,
            caller: String::new(),
            has_key: false,
            http,
        })
    }

    /// The same with the one who may use it, of a team's bucket.
    pub(super) fn read_by(self, reader: Option<TeamReader>) -> Self {
        Self { reader, ..self }
    }

    fn queue(&self) -> &str {
        self.queue.as_deref().unwrap_or_default()
    }

    async fn delete_version(&self, key: &str, version: Option<&str>) -> Result<()> {
        let S3Store { s3, name, owner, .. } = &self.bucket;
        let call = s3.delete_object().bucket(name).set_expected_bucket_owner(owner.clone()).key(key);
        let action = if version.is_some() { "s3:DeleteObjectVersion" } else { "s3:DeleteObject" };
        match call.set_version_id(version.map(str::to_owned)).send().await {
            Ok(_) => Ok(()),
            Err(error) if matches!(code(&error), "NoSuchKey" | "NoSuchVersion") => Ok(()),
            Err(error) => Err(failure(error, action, format!("{name}/{key}"))),
        }
    }
}

impl Site for S3Site<'_> {
    const PROFILE: Profile = Profile {
        cloud: "aws",
        cors_of: "the bucket",
        every_origin: failed,
        cors_settles: Duration::from_secs(6),
        headers: UPLOAD_HEADERS,
        refusals: &[401, 403],
        exposed: "check for a bucket policy, an access control list or an access point that grants public \
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

    fn refusal(&self, _: &str, why: &str) -> &'static str {
        if why.to_lowercase().contains("kms") {
            "grant these credentials kms:GenerateDataKey and kms:Decrypt on the bucket's key"
        } else {
            "grant the signing credentials s3:PutObject on the bucket's objects, and check that no policy \
             denies it"
        }
    }

    fn route(&self) -> Option<Vec<Address>> {
        Some(vec![super::queue::Queue::at(self.queue.as_deref()?)])
    }

    /// Every receive counts, also that of a message that is returned (SQS developer guide, "Using dead-letter
    /// queues", B9).
    fn spares(&self, received: usize) -> Option<String> {
        let DeadLetters { after, waiting } = self.dead_letters.as_ref()?;
        (*waiting > 0 || received > 0).then(|| {
            format!(
                "the queue moves a message to its dead-letter queue after {after} receives, and there are messages of \
                 others in it, which a search for the probe's event would receive too; let the W&B server work \
                 through the queue and run again"
            )
        })
    }

    async fn receive(&mut self, wait: Duration) -> Result<Vec<Message>> {
        queue::receive(self.api, self.queue(), wait).await
    }

    async fn delete(&mut self, handles: Vec<String>) -> Result<()> {
        queue::delete(self.api, self.queue(), &handles).await
    }

    async fn give_back(&mut self, handles: Vec<String>) -> Result<()> {
        queue::give_back(self.api, self.queue(), &handles).await
    }

    async fn depth(&mut self, _: bool) -> Result<Option<Depth>> {
        queue::depth(self.api, self.queue()).await.map(Some)
    }

    fn silence(&self, tested: bool) -> (&'static str, &'static str) {
        if tested {
            (
                ", although S3 is allowed to send to the queue: its s3:TestEvent arrived",
                "a new notification can take a few minutes to take effect; run `wbstore verify aws` again, \
                 and `wbstore plan aws` if it still fails",
            )
        } else {
            (
                ", and the queue contains no s3:TestEvent, which S3 sends when a notification is set",
                "`wbstore plan aws` shows whether the notification or the queue's policy was changed; with a \
                 KMS key on the queue, the key's policy must allow s3.amazonaws.com to use the key",
            )
        }
    }
}

impl OperatorSite for S3Site<'_> {
    async fn settings(&mut self) -> Result<Settings> {
        // It uses the SDK, so that a wrong region, a missing bucket or expired credentials are explained
        // once and not by every check.
        let (public, lock) =
            tokio::join!(public::check(self.api, &self.bucket.name), self.bucket.object_lock());
        // Where the lock cannot be read: S3 rejects an upload that it would retain, as it has no checksum.
        let retention = lock.ok().flatten().and_then(|lock| lock.retention);
        let kept_by = retention.map(|retention| format!("Object Lock ({retention})"));
        let reader = match &self.reader {
            Some(reader) => reader.checks(self.api, &self.bucket.name).await?,
            None => vec![],
        };
        Ok(Settings { public: public?, subscription: None, reader, settling: None, kept_by })
    }

    async fn address(&self, key: &str) -> Result<String> {
        self.bucket.address(key).await
    }

    async fn remove(&mut self, probe: &Probe) -> Result<Option<String>> {
        if let Some(answer) = &probe.answer {
            self.delete_version(&probe.key, answer.header("x-amz-version-id")).await?;
        } else {
            let start = Cursor::default();
            let found = empty::page(&self.bucket, Listing::Objects, &probe.key, &start).await?;
            for version in found.unwrap_or_default().entries {
                self.delete_version(&version.key, version.id.as_deref()).await?;
            }
        }
        Ok(None)
    }

    async fn watch(&mut self, _: &str) -> Result<()> {
        self.dead_letters = queue::dead_letters(self.api, self.queue()).await?;
        Ok(())
    }
}
