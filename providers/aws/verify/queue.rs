//! Reads the server's queue without consuming it: receives, and returns messages at once.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry, MessageSystemAttributeName,
    QueueAttributeName,
};

use super::message;
use crate::error::{Error, Kind, Result};
use crate::providers::aws::failure::failure;
use crate::providers::aws::queue::receives_at_most;
use crate::providers::aws::session::Api;
use crate::verify::{Depth, Message};

/// How long a message is hidden from others should this process die while it holds it, in seconds.
const HIDDEN_FOR: i32 = 10;
/// The most messages of one call.
const BATCH: usize = 10;

/// What a queue does with messages that were received often.
pub(super) struct DeadLetters {
    /// After how many receives a message is moved.
    pub(super) after: String,
    /// About how many messages there are.
    pub(super) waiting: u64,
}

/// The dead-letter policy of `queue`, if it has one.
pub(super) async fn dead_letters(api: &Api, queue: &str) -> Result<Option<DeadLetters>> {
    let call = api.sqs.get_queue_attributes().queue_url(api.queue_url(queue));
    let call = call.attribute_names(WAITING).attribute_names(HELD);
    let answer = call.attribute_names(QueueAttributeName::RedrivePolicy).send().await;
    let answer = answer.map_err(|error| failure(error, "sqs:GetQueueAttributes", queue))?;
    let attributes = answer.attributes.unwrap_or_default();
    let Depth { waiting, held } = depth_in(&attributes);
    Ok(receives_at_most(&attributes).map(|after| DeadLetters { after, waiting: waiting + held }))
}

const WAITING: QueueAttributeName = QueueAttributeName::ApproximateNumberOfMessages;
const HELD: QueueAttributeName = QueueAttributeName::ApproximateNumberOfMessagesNotVisible;

fn depth_in(attributes: &HashMap<QueueAttributeName, String>) -> Depth {
    let number = |name| attributes.get(&name).and_then(|text| text.parse().ok()).unwrap_or_default();
    Depth { waiting: number(WAITING), held: number(HELD) }
}

/// The numbers are those of a minute ago (SQS API reference, "GetQueueAttributes").
pub(super) async fn depth(api: &Api, queue: &str) -> Result<Depth> {
    let call = api.sqs.get_queue_attributes().queue_url(api.queue_url(queue));
    let answer = call.attribute_names(WAITING).attribute_names(HELD).send().await;
    let answer = answer.map_err(|error| failure(error, "sqs:GetQueueAttributes", queue))?;
    Ok(depth_in(&answer.attributes.unwrap_or_default()))
}

/// Up to ten messages, or none after `wait`.
pub(super) async fn receive(api: &Api, queue: &str, wait: Duration) -> Result<Vec<Message>> {
    const TIMES: MessageSystemAttributeName = MessageSystemAttributeName::ApproximateReceiveCount;
    let call = api.sqs.receive_message().queue_url(api.queue_url(queue));
    let call = call.max_number_of_messages(i32::try_from(BATCH).unwrap_or_default());
    let call = call.wait_time_seconds(i32::try_from(wait.as_secs()).unwrap_or_default());
    let answer = call.visibility_timeout(HIDDEN_FOR).message_system_attribute_names(TIMES).send().await;
    let answer = answer.map_err(|error| failure(error, "sqs:ReceiveMessage", queue))?;
    let received = answer.messages.unwrap_or_default().into_iter().map(|message| {
        let times = message.attributes.as_ref().and_then(|all| all.get(&TIMES)?.parse().ok());
        Message {
            id: message.message_id.unwrap_or_default(),
            handle: message.receipt_handle.unwrap_or_default(),
            times: times.unwrap_or_default(),
            ends: None,
            says: message::read(&message.body.unwrap_or_default()),
        }
    });
    Ok(received.collect())
}

/// One that remains is the event of a probe, and whoever receives it finds no object.
pub(super) async fn delete(api: &Api, queue: &str, handles: &[String]) -> Result<()> {
    for batch in handles.chunks(BATCH) {
        let entry = |(index, handle): (usize, &String)| {
            let entry = DeleteMessageBatchRequestEntry::builder().id(index.to_string());
            entry.receipt_handle(handle).build().map_err(unbuilt)
        };
        let entries = batch.iter().enumerate().map(entry).collect::<Result<Vec<_>>>()?;
        let call = api.sqs.delete_message_batch().queue_url(api.queue_url(queue)).set_entries(Some(entries));
        call.send().await.map_err(|error| failure(error, "sqs:DeleteMessage", queue))?;
    }
    Ok(())
}

/// One that fails becomes visible again after [`HIDDEN_FOR`].
pub(super) async fn give_back(api: &Api, queue: &str, handles: &[String]) -> Result<()> {
    for batch in handles.chunks(BATCH) {
        let entry = |(index, handle): (usize, &String)| {
            let entry = ChangeMessageVisibilityBatchRequestEntry::builder().id(index.to_string());
            entry.receipt_handle(handle).visibility_timeout(0).build().map_err(unbuilt)
        };
        let entries = batch.iter().enumerate().map(entry).collect::<Result<Vec<_>>>()?;
        let call = api.sqs.change_message_visibility_batch().queue_url(api.queue_url(queue));
        let answer = call.set_entries(Some(entries)).send().await;
        answer.map_err(|error| failure(error, "sqs:ChangeMessageVisibility", queue))?;
    }
    Ok(())
}

fn unbuilt(error: aws_sdk_sqs::error::BuildError) -> Error {
    Error::new(Kind::Failed, "describe messages").because(error)
}
