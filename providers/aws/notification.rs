//! wbstore's entry in the bucket's notification document: it sends an event to the queue for every created
//! object.
//!
//! S3 has no condition on this document, so the last writer wins. It is read just before it is written, the
//! entries of others (topics, queues, functions, EventBridge) are written back, and the engine reads it once
//! more afterwards.

use std::time::Duration;

use aws_sdk_s3::operation::get_bucket_notification_configuration::GetBucketNotificationConfigurationOutput;
use aws_sdk_s3::operation::put_bucket_notification_configuration::PutBucketNotificationConfigurationError;
use aws_sdk_s3::types::{
    Event, NotificationConfiguration, NotificationConfigurationFilter, QueueConfiguration,
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use serde::Serialize;

use crate::error::{Error, Kind, Result};
use crate::event::Progress;
use crate::providers::aws::bucket::S3Bucket;
use crate::providers::aws::failure::{arguments, code, failure, message, missing_bucket};
use crate::providers::aws::queue::Queue;
use crate::providers::aws::queue_name::QueueName;
use crate::providers::aws::session::Api;
use crate::resource::{Address, Deleted, Forbids, Owner, Removal, Resource, Seen};
use crate::text::clean;
use crate::value::quoted;

/// How long a new queue and its policy may be invisible to S3; SQS documents 60 s for a policy (A8, A9).
const DESTINATION_WITHIN: Duration = Duration::from_secs(120);

/// The most entries of one bucket (S3 user guide, "Amazon S3 Event Notifications").
const MOST_ENTRIES: usize = 100;

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

    /// The entry of others that already sends our events to our queue, as one does that the console or W&B's
    /// guide has set up.
    fn sufficient<'a>(&self, document: &'a NotificationConfiguration) -> Option<&'a QueueConfiguration> {
        document.queue_configurations().iter().find(|entry| {
            entry.id() != Some(&self.id)
                && entry.queue_arn == self.queue_arn
                && filters(entry.filter()).is_empty()
                && covers(&entry.events, &self.events)
        })
    }

    fn others(&self, document: &NotificationConfiguration) -> Vec<Entry> {
        let entry = |target, id: Option<&str>, arn: &str, events: &[Event], filter| Entry {
            target,
            id: id.map(str::to_owned),
            arn: arn.to_owned(),
            events: words(events),
            filters: filters(filter),
        };
        let queues = document.queue_configurations().iter().filter(|entry| entry.id() != Some(&self.id));
        let queues = queues.map(|e| entry(Target::Queue, e.id(), &e.queue_arn, &e.events, e.filter()));
        let topics = document.topic_configurations().iter();
        let topics = topics.map(|e| entry(Target::Topic, e.id(), &e.topic_arn, &e.events, e.filter()));
        let functions = document.lambda_function_configurations().iter();
        let functions =
            functions.map(|e| entry(Target::Function, e.id(), &e.lambda_function_arn, &e.events, e.filter()));
        queues.chain(topics).chain(functions).collect()
    }

    /// The way out where `entry` receives our events and does not suffice.
    fn instead_of(&self, entry: &Entry) -> String {
        let Self { bucket, queue, .. } = self;
        let queue_of_others = entry.arn.rsplit(':').next().and_then(|name| name.parse::<QueueName>().ok());
        let place = |arn: &str| arn.rsplit_once(':').map(|(place, _)| place.to_owned());
        let same_place = place(&entry.arn) == place(&self.queue_arn);
        let usable = entry.filters.is_empty() && covers_words(&entry.events, &self.events);
        match (entry.target, queue_of_others) {
            (Target::Queue, Some(theirs)) if same_place && usable => format!(
                "add `--queue {theirs} --adopt` to use its queue, or `--queue internal` to use none; `aws s3api \
                 get-bucket-notification-configuration --bucket {bucket}` shows the entry"
            ),
            (Target::Queue, Some(theirs)) if same_place && theirs.as_str() == queue => {
                "let the entry send `s3:ObjectCreated:*` without a filter, then run again with `--adopt`; or add \
                 `--queue internal` to use no queue"
                    .to_owned()
            }
            _ => format!(
                "add `--queue internal` to use no queue, choose a separate bucket with --bucket, or let \
                 EventBridge serve that destination (`aws s3api get-bucket-notification-configuration --bucket \
                 {bucket}` shows the entry): delivery to EventBridge overlaps with no entry"
            ),
        }
    }
}

/// The kind of a destination.
#[derive(Clone, Copy, Debug)]
enum Target {
    Queue,
    Topic,
    Function,
}

/// Somebody else's entry.
struct Entry {
    target: Target,
    id: Option<String>,
    arn: String,
    events: Vec<String>,
    filters: Vec<String>,
}

impl Entry {
    fn name(&self) -> String {
        let kind = match self.target {
            Target::Queue => "queue",
            Target::Topic => "topic",
            Target::Function => "function",
        };
        let id = self.id.as_ref().map_or_else(String::new, |id| format!(" {}", quoted(id)));
        format!("{kind} entry{id}")
    }

    fn words(&self) -> String {
        let filters: String = self.filters.iter().map(|filter| format!(", {filter}")).collect();
        let rest = clean(&format!("{} for {}{filters}", self.arn, self.events.join(", ")));
        format!("{} to {rest}", self.name())
    }

    /// Ours has no filter, so the keys always overlap and the events alone decide (S3 user guide,
    /// "Configuring event notifications using object key name filtering").
    fn overlaps(&self, events: &[String]) -> bool {
        self.events.iter().any(|theirs| events.iter().any(|ours| same_family(theirs, ours)))
    }
}

/// The calls that create an object (S3 user guide, "Supported event types for SQS, SNS, and Lambda").
const CREATED: [&str; 4] = [
    "s3:ObjectCreated:Put",
    "s3:ObjectCreated:Post",
    "s3:ObjectCreated:Copy",
    "s3:ObjectCreated:CompleteMultipartUpload",
];

fn words(events: &[Event]) -> Vec<String> {
    events.iter().map(|event| event.as_str().to_owned()).collect()
}

fn covers(events: &[Event], wanted: &[String]) -> bool {
    covers_words(&words(events), wanted)
}

/// Whether `events` are at least those `wanted`.
fn covers_words(events: &[String], wanted: &[String]) -> bool {
    let has = |event: &str| events.iter().any(|one| one == event);
    wanted.iter().all(|event| {
        has(event) || (event == "s3:ObjectCreated:*" && CREATED.iter().all(|created| has(created)))
    })
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
    const BOOKKEEPING: &'static [&'static str] = &["id"];

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
                    filters: filters(entry.filter()),
                    ..self.clone()
                },
                Owner::Ours,
            ),
            None => match self.sufficient(&document) {
                Some(entry) => {
                    let id = entry.id().unwrap_or_default().to_owned();
                    let words = format!("the notification {}", quoted(&id));
                    Seen::there(Self { id, ..self.clone() }, Owner::Sufficient(words))
                }
                None => Seen::absent(),
            },
        };
        let replaced = self.sufficient(&document).and_then(QueueConfiguration::id);
        let others = self.others(&document);
        if found.state().is_none() && others.len() >= MOST_ENTRIES {
            found.obstacle(
                Forbids::Write,
                format!(
                    "the bucket has {} notifications, and S3 allows at most {MOST_ENTRIES}",
                    others.len()
                ),
                "remove one that is no longer needed, or add `--queue internal` to use no queue",
            );
        }
        for entry in others {
            let is_replaced = found.is_unmarked() && entry.id.as_deref() == replaced;
            if entry.overlaps(&self.events) && !is_replaced {
                found.obstacle(
                    Forbids::Write,
                    format!(
                        "the bucket's {} receives the same events, and S3 sends an event to one entry only",
                        entry.words()
                    ),
                    self.instead_of(&entry),
                );
            }
            found.remarks_mut().kept.push(entry.words());
        }
        if document.event_bridge_configuration.is_some() {
            found.remarks_mut().kept.push("delivery to EventBridge".to_owned());
        }
        Ok(found)
    }

    async fn write(&self, api: &Api, seen: &Seen<Self>, progress: &Progress) -> Result<()> {
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
        let replaced = self.sufficient(&document).filter(|_| seen.is_unmarked());
        let replaced = replaced.and_then(QueueConfiguration::id).map(str::to_owned);
        self.merge(&mut document, ours, replaced);
        self.put(api, document).await
    }

    async fn delete(&self, api: &Api, _: &Self, _: &Progress) -> Result<Deleted> {
        let mut document = self.document(api).await?;
        if self.ours(&document).is_none() {
            return Ok(Deleted::Gone);
        }
        self.take_out_of(&mut document);
        self.put(api, document).await?;
        Ok(Deleted::Gone)
    }
}

impl Notification {
    /// Puts `ours` in the place of the old one, and of what it does in the entry with the id `replaced`.
    fn merge(
        &self,
        document: &mut NotificationConfiguration,
        ours: QueueConfiguration,
        replaced: Option<String>,
    ) {
        let Self { id, events, .. } = self;
        let queues = document.queue_configurations.get_or_insert_default();
        if replaced.is_some() {
            // Its other events, such as those of deletions, go on under its id.
            for entry in queues.iter_mut().filter(|entry| entry.id == replaced) {
                entry.events.retain(|theirs| !events.iter().any(|ours| same_family(theirs.as_str(), ours)));
            }
            queues.retain(|entry| !entry.events.is_empty());
        }
        match queues.iter_mut().find(|entry| entry.id() == Some(id)) {
            Some(place) => *place = ours,
            None => queues.push(ours),
        }
    }

    fn take_out_of(&self, document: &mut NotificationConfiguration) {
        if let Some(queues) = &mut document.queue_configurations {
            queues.retain(|entry| entry.id() != Some(&self.id));
        }
    }
}

/// The rules of a key filter. The console writes both, with an empty value where there is none.
fn filters(filter: Option<&NotificationConfigurationFilter>) -> Vec<String> {
    let rules = filter.and_then(|filter| filter.key()).map(|key| key.filter_rules()).unwrap_or_default();
    let filled = rules.iter().filter(|rule| rule.value().is_some_and(|value| !value.is_empty()));
    let words = filled.map(|rule| {
        let name = rule.name().map_or("", |name| name.as_str()).to_lowercase();
        format!("{name}={}", rule.value().unwrap_or_default())
    });
    words.collect()
}

#[cfg(test)]
mod tests {
    use aws_sdk_s3::types::{FilterRule, FilterRuleName, S3KeyFilter};
    use proptest::prelude::*;

    use super::*;
    use crate::outside;

    #[test]
    fn all_calls_that_create_an_object_are_as_good_as_the_family() {
        let words = |words: &[&str]| words.iter().map(ToString::to_string).collect::<Vec<_>>();
        let wanted = words(&["s3:ObjectCreated:*"]);
        assert!(covers_words(&words(&["s3:ObjectRemoved:*", "s3:ObjectCreated:*"]), &wanted));
        assert!(covers_words(&words(&CREATED), &wanted));
        assert!(!covers_words(&words(&CREATED[1..]), &wanted));
    }

    #[test]
    fn event_types_overlap_by_family() {
        assert!(same_family("s3:ObjectCreated:Put", "s3:ObjectCreated:*"));
        assert!(same_family("s3:ObjectCreated:*", "s3:ObjectCreated:*"));
        assert!(!same_family("s3:ObjectRemoved:*", "s3:ObjectCreated:*"));
        assert!(!same_family("s3:ObjectCreated:Copy", "s3:ObjectCreated:Put"));
    }

    fn wanted() -> Notification {
        Notification::new(
            "acme",
            "wbstore-acme",
            "wbstore-acme".to_owned(),
            "arn:aws:sqs:eu-west-1:1:q".to_owned(),
        )
    }

    fn queue(id: Option<String>, arn: &str, events: &[&str], filter: Option<String>) -> QueueConfiguration {
        let rule = |value| FilterRule::builder().name(FilterRuleName::Prefix).value(value).build();
        let key = |value| S3KeyFilter::builder().filter_rules(rule(value)).build();
        let filter = filter.map(|value| NotificationConfigurationFilter::builder().key(key(value)).build());
        let events = events.iter().map(|event| Event::from(*event)).collect();
        let entry = QueueConfiguration::builder().set_id(id).queue_arn(arn).set_events(Some(events));
        entry.set_filter(filter).build().unwrap()
    }

    fn entry() -> impl Strategy<Value = QueueConfiguration> {
        let id = prop::option::of(outside::text().prop_filter("is ours", |id| *id != wanted().id));
        let arn = prop_oneof![Just(wanted().queue_arn), outside::text()];
        let events = prop::sample::subsequence(
            vec!["s3:ObjectRemoved:*", "s3:ObjectCreated:Put", "s3:ObjectCreated:*", "s3:Later:*"],
            1..4,
        );
        (id, arn, events, prop::option::of(outside::text()))
            .prop_map(|(id, arn, events, filter)| queue(id, &arn, &events, filter))
    }

    proptest! {
        #[test]
        fn ours_is_there_once_and_others_stay(others in prop::collection::vec(entry(), 0..5), is_there: bool) {
            let (wanted, ours) = (wanted(), queue(Some(wanted().id), &wanted().queue_arn, &["s3:ObjectCreated:*"], None));
            let old = queue(Some(wanted.id.clone()), "arn:old", &["s3:Old:*"], None);
            let queues = others.iter().cloned().chain(is_there.then_some(old)).collect();
            let mut document = NotificationConfiguration::builder().set_queue_configurations(Some(queues)).build();
            for entry in wanted.others(&document) {
                let _ = (wanted.instead_of(&entry), entry.words());
            }
            wanted.merge(&mut document, ours.clone(), None);
            prop_assert_eq!(wanted.ours(&document), Some(ours.clone()));
            let once = document.clone();
            wanted.merge(&mut document, ours, None);
            prop_assert_eq!(&document, &once);
            wanted.take_out_of(&mut document);
            prop_assert_eq!(document.queue_configurations(), others);
        }

        #[test]
        fn what_is_replaced_keeps_its_other_events(events in prop::sample::subsequence(
            vec!["s3:ObjectRemoved:*", "s3:ObjectCreated:*", "s3:Later:*"], 1..4,
        )) {
            let (wanted, ours) = (wanted(), queue(Some(wanted().id), &wanted().queue_arn, &["s3:ObjectCreated:*"], None));
            let theirs = queue(Some("theirs".to_owned()), &wanted.queue_arn, &events, None);
            let mut document = NotificationConfiguration::builder().queue_configurations(theirs).build();
            wanted.merge(&mut document, ours, Some("theirs".to_owned()));
            let all = document.queue_configurations().iter().flat_map(|entry| &entry.events);
            let left: Vec<_> = all.map(Event::as_str).collect();
            prop_assert_eq!(left.iter().filter(|event| **event == "s3:ObjectCreated:*").count(), 1);
            prop_assert!(events.iter().all(|event| left.contains(event)));
        }
    }
}
