//! wbstore's entry in the bucket's notification document: it sends an event to the queue for every created
//! object.
//!
//! S3 has no condition on this document, so the last writer wins. It is read just before it is written, the
//! entries of others (topics, queues, functions, EventBridge) are written back, and the engine reads it once
//! more afterwards.

use std::time::Duration;

use aws_sdk_s3::operation::get_bucket_notification_configuration::GetBucketNotificationConfigurationOutput;
use aws_sdk_s3::operation::put_bucket_notification_configuration::PutBucketNotificationConfigurationError;
use aws_sdk_s3::types::{Event, NotificationConfiguration, QueueConfiguration};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use serde::Serialize;

use crate::error::{Error, Kind, Result};
use crate::event::Progress;
use crate::providers::aws::bucket::S3Bucket;
use crate::providers::aws::failure::{arguments, code, failure, message, missing_bucket};
use crate::providers::aws::queue::Queue;
use crate::providers::aws::session::Api;
use crate::resource::{Address, Deleted, Forbids, Owner, Removal, Resource, Seen};

/// How long a new queue and its policy may be invisible to S3; SQS documents 60 s for a policy (A8, A9).
const DESTINATION_WITHIN: Duration = Duration::from_secs(120);

/// The entry that makes S3 send to the queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Notification {
    /// The bucket it is set on.
    #[serde(skip)]
    pub bucket: String,
    /// The name of the queue.
    #[serde(skip)]
    pub queue: String,
    /// The entry's id, which identifies it as wbstore's.
    pub id: String,
    /// The ARN of the queue.
    pub queue_arn: String,
    /// The event types.
    pub events: Vec<String>,
    /// Key filters, as `prefix=…` or `suffix=…`; wbstore's entry has none.
    pub filters: Vec<String>,
}

impl Notification {
    /// The address of the one of `bucket`.
    pub(crate) fn at(bucket: &str) -> Address {
        Address::new("aws", "notification", bucket)
    }

    /// Events of all created objects of `bucket`, sent to the queue with `queue_arn`.
    pub(crate) fn new(bucket: &str, queue: &str, id: String, queue_arn: String) -> Self {
        Self {
            bucket: bucket.to_owned(),
            queue: queue.to_owned(),
            id,
            queue_arn,
            events: vec!["s3:ObjectCreated:*".to_owned()],
            filters: vec![],
        }
    }

    async fn document(&self, api: &Api) -> Result<NotificationConfiguration> {
        let answer = api
            .s3
            .get_bucket_notification_configuration()
            .bucket(&self.bucket)
            .expected_bucket_owner(api.owner())
            .send()
            .await;
        match answer {
            Ok(answer) => {
                let GetBucketNotificationConfigurationOutput {
                    topic_configurations,
                    queue_configurations,
                    lambda_function_configurations,
                    event_bridge_configuration,
                    ..
                } = answer;
                Ok(NotificationConfiguration::builder()
                    .set_topic_configurations(topic_configurations)
                    .set_queue_configurations(queue_configurations)
                    .set_lambda_function_configurations(lambda_function_configurations)
                    .set_event_bridge_configuration(event_bridge_configuration)
                    .build())
            }
            Err(error) if code(&error) == "NoSuchBucket" => Ok(NotificationConfiguration::builder().build()),
            Err(error) => Err(failure(error, "s3:GetBucketNotification", self.address())),
        }
    }

    async fn put(&self, api: &Api, document: NotificationConfiguration) -> Result<()> {
        api.s3
            .put_bucket_notification_configuration()
            .bucket(&self.bucket)
            .expected_bucket_owner(api.owner())
            .notification_configuration(document)
            .send()
            .await
            .map(drop)
            .map_err(|error| self.refusal(error))
    }

    /// S3 has one code for several causes; only the text distinguishes them (A8).
    fn refusal(&self, error: SdkError<PutBucketNotificationConfigurationError, HttpResponse>) -> Error {
        let text = message(&error);
        if code(&error) != "InvalidArgument" {
            return missing_bucket(error, "s3:PutBucketNotification", self.address());
        }
        if text.contains("overlap") {
            return Error::refused(format!(
                "s3:PutBucketNotification on {}: another entry already receives the same events ({text})",
                self.address()
            ))
            .hint("run again: the plan shows the entry that overlaps");
        }
        if !text.contains("destination") {
            return failure(error, "s3:PutBucketNotification", self.address());
        }
        let arguments = arguments(&error);
        let ours = arguments.iter().find(|(name, _)| name.contains(&self.queue_arn));
        if let (None, Some((theirs, value))) =
            (ours, arguments.first().filter(|(name, _)| name.starts_with("arn:")))
        {
            return Error::refused(format!(
                "s3:PutBucketNotification on {}: S3 checks the entries of others too, and {theirs} is no longer valid: {value}",
                self.address()
            ))
            .hint("correct or remove that entry; wbstore does not change it");
        }
        let cause = ours.or(arguments.first()).map_or(text, |(_, value)| value.clone());
        let error = |why: &str| {
            Error::new(Kind::NotYet, format!("S3 does not accept the queue {} yet: {why}", self.queue_arn))
                .because(cause.clone())
                .within(DESTINATION_WITHIN)
        };
        if cause.contains("does not exist") {
            error("the queue is not visible to it")
                .hint("if this persists, check that the queue exists and is in the bucket's region")
        } else {
            error("it is not allowed to send to the queue")
                .hint("if this persists, check the queue's policy and, with a KMS key, the key's policy")
        }
    }

    fn ours(&self, document: &NotificationConfiguration) -> Option<QueueConfiguration> {
        let queues = document.queue_configurations();
        queues.iter().find(|entry| entry.id() == Some(&self.id)).cloned()
    }

    fn others(&self, document: &NotificationConfiguration) -> Vec<Entry> {
        let queues = document.queue_configurations().iter().filter(|entry| entry.id() != Some(&self.id));
        let queues = queues.map(|entry| Entry::new("queue", entry.id(), &entry.queue_arn, &entry.events));
        let topics = document.topic_configurations().iter();
        let topics = topics.map(|entry| Entry::new("topic", entry.id(), &entry.topic_arn, &entry.events));
        let functions = document.lambda_function_configurations().iter();
        let functions = functions
            .map(|entry| Entry::new("function", entry.id(), &entry.lambda_function_arn, &entry.events));
        queues.chain(topics).chain(functions).collect()
    }
}

/// Somebody else's entry.
struct Entry {
    words: String,
    events: Vec<String>,
}

impl Entry {
    fn new(kind: &str, id: Option<&str>, arn: &str, events: &[Event]) -> Self {
        let events: Vec<_> = events.iter().map(|event| event.as_str().to_owned()).collect();
        let id = id.map_or_else(String::new, |id| format!(" `{id}`"));
        Self { words: format!("{kind} entry{id} to {arn} for {}", events.join(", ")), events }
    }

    /// Ours has no filter, so the keys always overlap and the events alone decide (S3 user guide,
    /// "Configuring event notifications using object key name filtering").
    fn overlaps(&self, events: &[String]) -> bool {
        self.events.iter().any(|theirs| events.iter().any(|ours| same_family(theirs, ours)))
    }
}

/// Whether two event types, either of which may end in `*`, have an event in common.
fn same_family(one: &str, other: &str) -> bool {
    match (one.strip_suffix('*'), other.strip_suffix('*')) {
        (Some(one), Some(other)) => one.starts_with(other) || other.starts_with(one),
        (Some(family), None) => other.starts_with(family),
        (None, Some(family)) => one.starts_with(family),
        (None, None) => one == other,
    }
}

impl Resource for Notification {
    type Api = Api;

    const REMOVAL: Removal = Removal::WithParent;
    const READ_BACK: bool = true;

    fn address(&self) -> Address {
        Self::at(&self.bucket)
    }

    fn needs(&self) -> Vec<Address> {
        vec![S3Bucket::at(&self.bucket), Queue::at(&self.queue)]
    }

    fn part_of(&self) -> Option<Address> {
        Some(S3Bucket::at(&self.bucket))
    }

    async fn read(&self, api: &Api) -> Result<Seen<Self>> {
        let document = self.document(api).await?;
        let mut found = match self.ours(&document) {
            Some(entry) => Seen::there(
                Self {
                    queue_arn: entry.queue_arn.clone(),
                    events: entry.events.iter().map(|event| event.as_str().to_owned()).collect(),
                    filters: filters(&entry),
                    ..self.clone()
                },
                Owner::Ours,
            ),
            None => Seen::absent(),
        };
        for entry in self.others(&document) {
            if entry.overlaps(&self.events) {
                found.obstacle(
                    Forbids::Write,
                    format!(
                        "the bucket's {} receives the same events, and S3 sends an event to one entry only",
                        entry.words
                    ),
                    "choose a separate bucket with --bucket, or send that entry through EventBridge or an \
                     SNS topic",
                );
            }
            found.remarks_mut().kept.push(entry.words);
        }
        if document.event_bridge_configuration.is_some() {
            found.remarks_mut().kept.push("delivery to EventBridge".to_owned());
        }
        Ok(found)
    }

    async fn write(&self, api: &Api, _: &Seen<Self>, progress: &Progress) -> Result<()> {
        let Self { bucket: _, queue: _, id, queue_arn, events, filters: _ } = self;
        let ours = QueueConfiguration::builder()
            .id(id)
            .queue_arn(queue_arn)
            .set_events(Some(events.iter().map(|event| Event::from(event.as_str())).collect()))
            .build()
            .map_err(|error| Error::new(Kind::Failed, "the notification is incomplete").because(error))?;
        let mut document = match progress.parent_is_new() {
            true => NotificationConfiguration::builder().build(),
            false => self.document(api).await?,
        };
        let queues = document.queue_configurations.get_or_insert_default();
        match queues.iter_mut().find(|entry| entry.id() == Some(id)) {
            Some(place) => *place = ours,
            None => queues.push(ours),
        }
        self.put(api, document).await
    }

    async fn delete(&self, api: &Api, _: &Self, _: &Progress) -> Result<Deleted> {
        let mut document = self.document(api).await?;
        if self.ours(&document).is_none() {
            return Ok(Deleted::Gone);
        }
        if let Some(queues) = &mut document.queue_configurations {
            queues.retain(|entry| entry.id() != Some(&self.id));
        }
        self.put(api, document).await?;
        Ok(Deleted::Gone)
    }
}

fn filters(entry: &QueueConfiguration) -> Vec<String> {
    let rules =
        entry.filter().and_then(|filter| filter.key()).map(|key| key.filter_rules()).unwrap_or_default();
    rules
        .iter()
        .map(|rule| {
            let name = rule.name().map_or("", |name| name.as_str()).to_lowercase();
            format!("{name}={}", rule.value().unwrap_or_default())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn event_types_overlap_by_family() {
        assert!(same_family("s3:ObjectCreated:Put", "s3:ObjectCreated:*"));
        assert!(same_family("s3:ObjectCreated:*", "s3:ObjectCreated:*"));
        assert!(!same_family("s3:ObjectRemoved:*", "s3:ObjectCreated:*"));
        assert!(!same_family("s3:ObjectCreated:Copy", "s3:ObjectCreated:Put"));
    }
}
