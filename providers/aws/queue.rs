//! An SQS queue: for the bucket's events, or for the run events that the server publishes.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_sqs::types::QueueAttributeName as Attribute;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::Value;

use crate::error::{Error, Kind, Result};
use crate::event::Progress;
use crate::expiry::Voucher;
use crate::mark::{Entries, Marking};
use crate::providers::aws::failure::{code, failure};
use crate::providers::aws::mark::readable;
use crate::providers::aws::session::Api;
use crate::providers::s3_protocol::policy_document::{self, PolicyDocument};
use crate::resource::{Address, Deleted, Forbids, Resource, Seen};
use crate::text::counted;

/// SQS keeps the name of a deleted queue for 60 s (API reference, `CreateQueue`:
/// `QueueDeletedRecently`); ten more have been seen to be needed.
const NAME_FREE_WITHIN: Duration = Duration::from_secs(75);

/// How far apart one run may create two queues: the longest that it waits for the name of one.
const CREATED_TOGETHER: SignedDuration = SignedDuration::from_mins(5);

/// The limits of a queue's policy (SQS developer guide, "Amazon SQS policy quotas").
const MOST_STATEMENTS: usize = 20;
const LARGEST_POLICY: usize = 8192;

/// What S3 and the server do with a queue.
const USED: [&str; 3] = ["sqs:DeleteMessage", "sqs:ReceiveMessage", "sqs:SendMessage"];

/// A standard queue.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Queue {
    #[serde(skip)]
    pub name: String,
    /// The id of our policy statement.
    #[serde(skip)]
    pub sid: String,
    /// How long a receiver may wait for a message, in seconds.
    pub receive_wait_seconds: u32,
    /// How long a message is kept, in seconds.
    pub retention_seconds: u32,
    /// Whether SQS encrypts with keys of its own.
    pub sse_sqs: bool,
    /// Under `teardown --expired`, of a queue without a statement: the queue that was created with it and has
    /// one.
    #[serde(skip)]
    pub companion: Option<String>,
    /// Whether that agrees with its mark.
    #[serde(skip)]
    pub agreed: bool,
    /// Our policy statement, for a queue that S3 sends to.
    pub statement: Option<Value>,
    pub tags: Marking,
}

impl Queue {
    /// The desired queue; `statement` allows S3 to send.
    pub(crate) fn new(name: &str, sid: String, statement: Option<Value>, tags: Marking) -> Self {
        Self {
            name: name.to_owned(),
            sid,
            // The maximum of SQS: fewest empty responses.
            receive_wait_seconds: 20,
            // The longest that SQS allows: a server that is down for a week loses no upload.
            retention_seconds: 1_209_600,
            sse_sqs: true,
            companion: None,
            agreed: false,
            statement,
            tags,
        }
    }

    /// The address of the queue `name`.
    pub(crate) fn at(name: &str) -> Address {
        Address::new("aws", "queue", name)
    }

    fn settings(&self, policy: Option<String>) -> HashMap<Attribute, String> {
        let Self {
            name: _,
            sid: _,
            receive_wait_seconds,
            retention_seconds,
            sse_sqs,
            companion: _,
            agreed: _,
            statement: _,
            tags: _,
        } = self;
        let mut settings = HashMap::from([
            (Attribute::ReceiveMessageWaitTimeSeconds, receive_wait_seconds.to_string()),
            (Attribute::MessageRetentionPeriod, retention_seconds.to_string()),
            (Attribute::SqsManagedSseEnabled, sse_sqs.to_string()),
        ]);
        if let Some(policy) = policy {
            settings.insert(Attribute::Policy, policy);
        }
        settings
    }

    async fn create(&self, api: &Api) -> Result<()> {
        let policy = match &self.statement {
            Some(statement) => {
                let mut document = PolicyDocument::new()?;
                document.upsert(&self.sid, statement)?;
                Some(document.to_string())
            }
            None => None,
        };
        let made = api
            .sqs
            .create_queue()
            .queue_name(&self.name)
            .set_attributes(Some(self.settings(policy)))
            .set_tags(Some(self.tags.to_create().into_iter().collect()))
            .send()
            .await;
        let Err(error) = made else { return Ok(()) };
        match code(&error) {
            "QueueDeletedRecently" => Err(Error::new(
                Kind::NotYet,
                format!("the queue {} was deleted a moment ago, and SQS keeps its name for 60 s", self.name),
            )
            .within(NAME_FREE_WITHIN)
            .hint("run again in a minute, or choose another name with --queue")),
            "QueueNameExists" | "QueueAlreadyExists" => Err(Error::exists(self.address())),
            _ => Err(failure(error, "sqs:CreateQueue", self.address())),
        }
    }

    async fn attributes(&self, api: &Api) -> Result<Option<HashMap<Attribute, String>>> {
        let answer = api
            .sqs
            .get_queue_attributes()
            .queue_url(api.queue_url(&self.name))
            .attribute_names(Attribute::All)
            .send()
            .await;
        match answer {
            Ok(answer) => Ok(Some(answer.attributes.unwrap_or_default())),
            Err(error) if is_gone(code(&error)) => Ok(None),
            Err(error) => Err(failure(error, "sqs:GetQueueAttributes", self.address())),
        }
    }

    async fn tags(&self, api: &Api) -> Result<Entries> {
        let answer = api.sqs.list_queue_tags().queue_url(api.queue_url(&self.name)).send().await;
        match answer {
            Ok(answer) => Ok(answer.tags.unwrap_or_default().into_iter().collect()),
            Err(error) if is_gone(code(&error)) => Ok(Entries::new()),
            Err(error) => Err(failure(error, "sqs:ListQueueTags", self.address())),
        }
    }

    async fn set(&self, api: &Api, settings: HashMap<Attribute, String>) -> Result<()> {
        if settings.is_empty() {
            return Ok(());
        }
        api.sqs
            .set_queue_attributes()
            .queue_url(api.queue_url(&self.name))
            .set_attributes(Some(settings))
            .send()
            .await
            .map(drop)
            .map_err(|error| failure(error, "sqs:SetQueueAttributes", self.address()))
    }

    async fn untag(&self, api: &Api, keys: Vec<String>) -> Result<()> {
        if keys.is_empty() {
            return Ok(());
        }
        api.sqs
            .untag_queue()
            .queue_url(api.queue_url(&self.name))
            .set_tag_keys(Some(keys))
            .send()
            .await
            .map(drop)
            .map_err(|error| failure(error, "sqs:UntagQueue", self.address()))
    }

    /// Whether the companion has our statement, and was created at about the same time as what has these
    /// `attributes`: neither comes of writing tags.
    async fn agrees_with_companion(
        &self,
        api: &Api,
        attributes: &HashMap<Attribute, String>,
    ) -> Result<bool> {
        let Some(companion) = &self.companion else { return Ok(false) };
        let companion = Self { name: companion.clone(), ..self.clone() };
        let Some(theirs) = companion.attributes(api).await? else { return Ok(false) };
        let (Some(one), Some(other)) = (created(attributes), created(&theirs)) else { return Ok(false) };
        Ok(parse_policy(&theirs)?.statement(&self.sid).is_some()
            && one.duration_since(other).abs() <= CREATED_TOGETHER)
    }

    /// The current policy, so that a concurrent statement of others is kept.
    async fn policy(&self, api: &Api) -> Result<PolicyDocument> {
        let attributes = self.attributes(api).await?.unwrap_or_default();
        parse_policy(&attributes).map_err(|error| error.context(self.address()))
    }

    fn state(
        &self,
        attributes: &HashMap<Attribute, String>,
        policy: &PolicyDocument,
        tags: &Entries,
    ) -> Self {
        // A number that cannot be read differs from every other one.
        let number = |name| attributes.get(&name).and_then(|text| text.parse().ok()).unwrap_or(0);
        let statement = policy.statement(&self.sid).map(|found| match &self.statement {
            Some(wanted) if policy_document::same_meaning(found, wanted) => wanted.clone(),
            _ => found.clone(),
        });
        // A queue with a KMS key is encrypted already, and SQS refuses both at once (A16).
        let encrypted = attributes.contains_key(&Attribute::KmsMasterKeyId)
            || attributes.get(&Attribute::SqsManagedSseEnabled).is_some_and(|text| text == "true");
        Self {
            name: self.name.clone(),
            sid: self.sid.clone(),
            receive_wait_seconds: number(Attribute::ReceiveMessageWaitTimeSeconds),
            retention_seconds: number(Attribute::MessageRetentionPeriod),
            sse_sqs: encrypted,
            companion: self.companion.clone(),
            agreed: false,
            statement,
            tags: self.tags.observed(tags),
        }
    }
}

impl Resource for Queue {
    type Api = Api;

    const READ_BACK: bool = true;
    const WORDED: &'static [&'static str] = &["statement"];

    fn address(&self) -> Address {
        Self::at(&self.name)
    }

    fn permission(&self) -> Option<String> {
        policy_document::sentence(self.statement.as_ref()?)
    }

    fn vouchers(&self) -> Option<Vec<Voucher>> {
        // Creating a statement with wbstore's id requires the permission to write the policy.
        if self.statement.is_some() || self.agreed { None } else { self.tags.vouchers() }
    }

    fn marking(&self) -> Option<&Marking> {
        Some(&self.tags)
    }

    fn creation_is_exclusive(&self) -> bool {
        // But for a queue with the very same attributes, our statement included (API reference,
        // `CreateQueue`).
        true
    }

    async fn read(&self, api: &Api) -> Result<Seen<Self>> {
        let (attributes, tags) = futures::join!(self.attributes(api), self.tags(api));
        let Some(attributes) = attributes? else {
            // A denied read would otherwise stop the run half-way, once the resource exists.
            if tags?.is_empty() {
                return Ok(Seen::absent());
            }
            // One of the two lags behind the creation or the deletion: a teardown must not leave a queue behind.
            let text =
                format!("sqs:GetQueueAttributes on {}: it does not exist, but has tags", self.address());
            return Err(Error::new(Kind::Conflict, text).hint("SQS may lag by a minute; run again"));
        };
        let (tags, unknown) = readable(tags)?;
        let policy = parse_policy(&attributes).map_err(|error| error.context(self.address()))?;
        let mut state = self.state(&attributes, &policy, &tags);
        state.agreed = self.agrees_with_companion(api, &attributes).await?;
        let mut found = self.tags.seen(&tags, created(&attributes), state);
        if let Some(unknown) = unknown {
            found.set_owner(unknown);
        }
        found.remarks_mut().holds = messages(&attributes, u64::from(self.statement.is_some()));
        found.remarks_mut().kept = policy.others(&[&self.sid]);
        found.remarks_mut().findings = policy.open_to_all();
        found.remarks_mut().findings.extend(policy.denials(&self.sid, &USED, "S3 or the W&B server"));
        if let Some(statement) = self.statement.as_ref().filter(|_| policy.statement(&self.sid).is_none()) {
            let mut merged = policy.clone();
            merged.upsert(&self.sid, statement)?;
            let (statements, size) = (merged.statements().count(), merged.to_string().len());
            if statements > MOST_STATEMENTS || size > LARGEST_POLICY {
                found.obstacle(
                    Forbids::Write,
                    format!(
                        "with wbstore's statement the queue's policy would have {statements} statements in {size} \
                         bytes; SQS allows {MOST_STATEMENTS} in {LARGEST_POLICY}"
                    ),
                    "remove a statement that is no longer needed",
                );
            }
        }
        if let Some(after) = receives_at_most(&attributes) {
            found.finding(format!(
                "the queue moves messages to a dead-letter queue after {after} receives, and those of `wbstore verify` \
                 count: it receives nothing while there are messages of others"
            ));
        }
        if attributes.get(&Attribute::FifoQueue).is_some_and(|text| text == "true") {
            found.obstacle(
                Forbids::Write,
                "it is a FIFO queue, and S3 sends events only to standard queues",
                "choose another name with --queue",
            );
        }
        if self.statement.is_some() {
            match attributes.get(&Attribute::KmsMasterKeyId).map(String::as_str) {
                Some("alias/aws/sqs") => found.obstacle(
                    Forbids::Write,
                    "it is encrypted with alias/aws/sqs, which S3 is not allowed to use",
                    "switch the queue to SSE-SQS or to a customer managed key",
                ),
                Some(key) => found.finding(format!(
                    "the queue is encrypted with {key}: its key policy must allow s3.amazonaws.com to use \
                     kms:GenerateDataKey and kms:Decrypt, or events are lost"
                )),
                None => {}
            }
        }
        Ok(found)
    }

    async fn read_created(&self, api: &Api) -> Result<Seen<Self>> {
        let tags = self.tags(api).await?;
        Ok(self.tags.seen(&tags, None, Self { tags: self.tags.observed(&tags), ..self.clone() }))
    }

    async fn write(&self, api: &Api, seen: &Seen<Self>, _: &Progress) -> Result<()> {
        let Some(state) = seen.state() else { return self.create(api).await };
        let adopt = seen.is_unmarked();
        if adopt || state.tags != self.tags {
            let observed = self.tags(api).await?;
            let tags = self.tags.to_update(&observed, adopt)?;
            let gone = observed.into_keys().filter(|key| !tags.contains_key(key)).collect();
            api.sqs
                .tag_queue()
                .queue_url(api.queue_url(&self.name))
                .set_tags(Some(tags.into_iter().collect()))
                .send()
                .await
                .map_err(|error| failure(error, "sqs:TagQueue", self.address()))?;
            self.untag(api, gone).await?;
        }
        let mut policy = None;
        if let Some(statement) = self.statement.as_ref().filter(|_| state.statement != self.statement) {
            let mut document = self.policy(api).await?;
            document.upsert(&self.sid, statement)?;
            policy = Some(document.to_string());
        }
        let mut settings = self.settings(policy);
        if state.sse_sqs {
            settings.remove(&Attribute::SqsManagedSseEnabled);
        }
        self.set(api, settings).await
    }

    async fn delete(&self, api: &Api, _: &Self, _: &Progress) -> Result<Deleted> {
        match api.sqs.delete_queue().queue_url(api.queue_url(&self.name)).send().await {
            Ok(_) => Ok(Deleted::Gone),
            Err(error) if is_gone(code(&error)) => Ok(Deleted::Gone),
            Err(error) => Err(failure(error, "sqs:DeleteQueue", self.address())),
        }
    }

    async fn release(&self, api: &Api, _: &Self, _: &Progress) -> Result<()> {
        let mut document = self.policy(api).await?;
        if document.remove(&self.sid) {
            // An empty value removes the policy (SQS API reference, `SetQueueAttributes`).
            let text = if document.is_empty() { String::new() } else { document.to_string() };
            self.set(api, HashMap::from([(Attribute::Policy, text)])).await?;
        }
        let tags = self.tags(api).await?;
        let others = self.tags.to_release(&tags);
        self.untag(api, tags.into_keys().filter(|key| !others.contains_key(key)).collect()).await
    }
}

fn parse_policy(attributes: &HashMap<Attribute, String>) -> Result<PolicyDocument> {
    PolicyDocument::parse_or_new(attributes.get(&Attribute::Policy).map(String::as_str))
}

/// After how many receives a message goes to the dead-letter queue, where there is one (SQS API reference,
/// `SetQueueAttributes`, `RedrivePolicy`). The number may be text.
pub(super) fn receives_at_most(attributes: &HashMap<Attribute, String>) -> Option<String> {
    let policy: Value = serde_json::from_str(attributes.get(&Attribute::RedrivePolicy)?).ok()?;
    Some(policy.get("maxReceiveCount")?.to_string().trim_matches('"').to_owned())
}

/// How many messages the queue holds: those that wait, those that a receiver has, and those that are delayed. SQS
/// counts approximately (SQS API reference, `GetQueueAttributes`). As many as `tests` are no data: S3 sends an
/// `s3:TestEvent` when a notification is set, and a queue that no server has read yet still holds it.
fn messages(attributes: &HashMap<Attribute, String>, tests: u64) -> Option<String> {
    const COUNTS: [Attribute; 3] = [
        Attribute::ApproximateNumberOfMessages,
        Attribute::ApproximateNumberOfMessagesNotVisible,
        Attribute::ApproximateNumberOfMessagesDelayed,
    ];
    let count = |name| attributes.get(name).and_then(|text| text.parse().ok()).unwrap_or(0u64);
    let all = COUNTS.iter().map(count).fold(0, u64::saturating_add);
    (all > tests).then(|| format!("about {}", counted(&[(all, "message")])))
}

/// When SQS created the queue with these `attributes`.
fn created(attributes: &HashMap<Attribute, String>) -> Option<Timestamp> {
    Timestamp::from_second(attributes.get(&Attribute::CreatedTimestamp)?.parse().ok()?).ok()
}

/// The two codes that SQS has for a missing queue.
pub(crate) fn is_gone(code: &str) -> bool {
    matches!(code, "QueueDoesNotExist" | "NonExistentQueue")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::outside;

    #[test]
    fn messages_are_counted_wherever_they_are_and_a_test_event_is_none() {
        let held = |counts: [&str; 3], tests| {
            let names = [
                Attribute::ApproximateNumberOfMessages,
                Attribute::ApproximateNumberOfMessagesNotVisible,
                Attribute::ApproximateNumberOfMessagesDelayed,
            ];
            messages(&names.into_iter().zip(counts.map(str::to_owned)).collect(), tests)
        };
        assert_eq!(held(["1", "2", "4"], 1).as_deref(), Some("about 7 messages"));
        assert_eq!((held(["0", "0", "0"], 0), held(["1", "0", "0"], 1)), (None, None));
        assert_eq!(held(["0", "1", "?"], 0).as_deref(), Some("about 1 message"));
        assert_eq!(messages(&HashMap::new(), 0), None);
    }

    proptest! {
        #[test]
        fn any_attributes_are_read_or_refused(
            json in outside::json(&["Statement", "Sid", "maxReceiveCount", "deadLetterTargetArn", "Version"]), text in outside::text(),
        ) {
            for value in [json.to_string(), text] {
                let names = [Attribute::Policy, Attribute::RedrivePolicy, Attribute::CreatedTimestamp];
                let attributes = names.into_iter().map(|name| (name, value.clone())).collect();
                let _ = (parse_policy(&attributes), receives_at_most(&attributes), created(&attributes));
            }
        }
    }
}
