//! The queue as a guest uses it: look, give back at once, and notice who else is there.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry, MessageSystemAttributeName,
    QueueAttributeName,
};

use crate::error::{Error, Kind, Result};
use crate::providers::aws::failure::failure;
use crate::providers::aws::session::Api;

/// How long a message is hidden from others should we vanish while we hold it.
const HIDDEN_FOR: i32 = 10;
/// The most messages that one call brings or takes.
const BATCH: usize = 10;
/// How many messages are remembered; a deeper queue is looked through again.
const REMEMBERED: usize = 100_000;

/// One queue.
pub struct Queue<'a> {
    api: &'a Api,
    name: String,
    url: String,
}

/// One message that we hold for a moment.
#[derive(Clone, Debug)]
pub struct Received {
    /// What it says.
    pub body: String,
    id: String,
    handle: String,
    /// How often it was received, by anybody.
    times: u64,
}

/// About how many messages there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Depth {
    /// Those that can be received.
    pub waiting: u64,
    /// Those that somebody holds.
    pub in_flight: u64,
}

impl Received {
    /// A message that nobody sent, to try out what is made of it.
    #[cfg(test)]
    pub(super) fn of(id: &str, times: u64) -> Self {
        Self { body: String::new(), id: id.to_owned(), handle: String::new(), times }
    }
}

impl<'a> Queue<'a> {
    /// The queue `name`.
    pub fn new(api: &'a Api, name: &str) -> Self {
        Self { api, name: name.to_owned(), url: api.queue_url(name) }
    }

    /// How deep it is. The numbers are those of a minute ago (SQS API reference, "GetQueueAttributes").
    pub async fn depth(&self) -> Result<Depth> {
        let answer = self
            .api
            .sqs
            .get_queue_attributes()
            .queue_url(&self.url)
            .attribute_names(QueueAttributeName::ApproximateNumberOfMessages)
            .attribute_names(QueueAttributeName::ApproximateNumberOfMessagesNotVisible)
            .send()
            .await
            .map_err(|error| failure(error, "sqs:GetQueueAttributes", &self.name))?;
        let attributes = answer.attributes.unwrap_or_default();
        let number = |name| attributes.get(&name).and_then(|text| text.parse().ok()).unwrap_or_default();
        Ok(Depth {
            waiting: number(QueueAttributeName::ApproximateNumberOfMessages),
            in_flight: number(QueueAttributeName::ApproximateNumberOfMessagesNotVisible),
        })
    }

    /// Up to ten messages, or none after `wait`.
    pub async fn receive(&self, wait: Duration) -> Result<Vec<Received>> {
        let answer = self
            .api
            .sqs
            .receive_message()
            .queue_url(&self.url)
            .max_number_of_messages(i32::try_from(BATCH).unwrap_or_default())
            .wait_time_seconds(i32::try_from(wait.as_secs()).unwrap_or_default())
            .visibility_timeout(HIDDEN_FOR)
            .message_system_attribute_names(MessageSystemAttributeName::ApproximateReceiveCount)
            .send()
            .await
            .map_err(|error| failure(error, "sqs:ReceiveMessage", &self.name))?;
        let messages = answer.messages.unwrap_or_default();
        Ok(messages
            .into_iter()
            .map(|message| Received {
                times: message
                    .attributes
                    .and_then(|mut all| all.remove(&MessageSystemAttributeName::ApproximateReceiveCount))
                    .and_then(|text| text.parse().ok())
                    .unwrap_or_default(),
                body: message.body.unwrap_or_default(),
                id: message.message_id.unwrap_or_default(),
                handle: message.receipt_handle.unwrap_or_default(),
            })
            .collect())
    }

    /// Deletes messages that are ours. One that stays after all is the event of a probe, and whoever
    /// gets it finds no object.
    pub async fn delete(&self, messages: Vec<Received>) -> Result<()> {
        for batch in messages.chunks(BATCH) {
            let entry = |(index, message): (usize, &Received)| {
                let entry = DeleteMessageBatchRequestEntry::builder().id(index.to_string());
                entry.receipt_handle(&message.handle).build().map_err(unbuilt)
            };
            let entries = batch.iter().enumerate().map(entry).collect::<Result<Vec<_>>>()?;
            let call = self.api.sqs.delete_message_batch().queue_url(&self.url).set_entries(Some(entries));
            call.send().await.map_err(|error| failure(error, "sqs:DeleteMessage", &self.name))?;
        }
        Ok(())
    }

    /// Lets others have `messages` at once. One that fails comes back by itself after [`HIDDEN_FOR`].
    pub async fn give_back(&self, messages: Vec<Received>) -> Result<()> {
        for batch in messages.chunks(BATCH) {
            let entry = |(index, message): (usize, &Received)| {
                let entry = ChangeMessageVisibilityBatchRequestEntry::builder().id(index.to_string());
                entry.receipt_handle(&message.handle).visibility_timeout(0).build().map_err(unbuilt)
            };
            let entries = batch.iter().enumerate().map(entry).collect::<Result<Vec<_>>>()?;
            let call = self
                .api
                .sqs
                .change_message_visibility_batch()
                .queue_url(&self.url)
                .set_entries(Some(entries));
            call.send().await.map_err(|error| failure(error, "sqs:ChangeMessageVisibility", &self.name))?;
        }
        Ok(())
    }
}

fn unbuilt(error: aws_sdk_sqs::error::BuildError) -> Error {
    Error::new(Kind::Failed, "describe messages").because(error)
}

/// What was seen going on in the queue.
#[derive(Debug, Default)]
pub struct Traffic {
    /// How often each message had been received when we saw it last.
    times: HashMap<String, u64>,
    tests: usize,
    others: usize,
    last_depth: Option<Depth>,
    /// What shows that somebody else receives too.
    evidence: Option<&'static str>,
}

impl Traffic {
    /// Takes note of a message that is not ours, which may be a test of S3's; whether it is the first
    /// time.
    pub fn seen(&mut self, message: &Received, test: bool) -> bool {
        if self.times.len() >= REMEMBERED {
            self.times.clear();
        }
        let before = self.times.insert(message.id.clone(), message.times);
        // Every receive of ours counts one up; more than that is somebody else's.
        if before.is_some_and(|before| message.times > before + 1) {
            self.evidence = Some("messages were received in between by somebody else");
        }
        if before.is_none() {
            *(if test { &mut self.tests } else { &mut self.others }) += 1;
        }
        before.is_none()
    }

    /// Takes note of how deep the queue is. The numbers lag behind, so that they are evidence only as
    /// long as we received nothing ourselves.
    pub fn sample(&mut self, depth: Depth) {
        if !self.times.is_empty() {
            return;
        }
        if depth.in_flight > 0 {
            self.evidence = Some("somebody holds messages of the queue");
        } else if self.last_depth.is_some_and(|before| depth.waiting < before.waiting) {
            self.evidence = Some("messages left the queue meanwhile");
        }
        self.last_depth = Some(depth);
    }

    /// How many messages of others were seen.
    pub fn others(&self) -> usize {
        self.others
    }

    /// Whether S3's own test message is in the queue.
    pub fn has_test_event(&self) -> bool {
        self.tests > 0
    }

    /// What shows that somebody else receives from the queue.
    pub fn another_consumer(&self) -> Option<&'static str> {
        self.evidence
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_receives_are_no_evidence() {
        let mut traffic = Traffic::default();
        assert!(traffic.seen(&Received::of("a", 5), false));
        assert!(!traffic.seen(&Received::of("a", 6), false));
        assert_eq!(traffic.another_consumer(), None);
        traffic.seen(&Received::of("a", 8), false);
        assert!(traffic.another_consumer().is_some());
        assert_eq!(traffic.others(), 1);
    }

    #[test]
    fn a_queue_that_drains_has_a_consumer() {
        let mut traffic = Traffic::default();
        traffic.sample(Depth { waiting: 3, in_flight: 0 });
        traffic.sample(Depth { waiting: 4, in_flight: 0 });
        assert_eq!(traffic.another_consumer(), None);
        traffic.sample(Depth { waiting: 2, in_flight: 0 });
        assert!(traffic.another_consumer().is_some());
    }
}
