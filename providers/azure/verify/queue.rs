//! Reads the server's queue without consuming it: messages are peeked at, so no consumer misses one. Only the
//! probe's own are received, where they are the first in the queue, and deleted.

use azure_core::time::OffsetDateTime;
use azure_storage_queue::QueueClient;
use azure_storage_queue::models::{
    PeekedMessage, QueueClientGetPropertiesResultHeaders, QueueClientPeekMessagesOptions,
    QueueClientReceiveMessagesOptions,
};

use super::message;
use crate::error::Result;
use crate::providers::azure::failure::failure;
use crate::providers::azure::sas::{Sas, Scope};
use crate::providers::azure::session::Api;
use crate::verify::{Depth, Message};

/// The most messages that one call returns (Queue service REST API, "Peek Messages").
pub(super) const WINDOW: usize = 32;

/// How long a received message is hidden from other consumers, in seconds.
const HIDDEN_FOR: i32 = 5;

/// Looks at one queue.
pub(super) struct Peeks {
    name: String,
    sas: Sas,
    /// The number of messages in the last response.
    visible: usize,
}

impl Peeks {
    pub(super) fn new(name: &str, sas: Sas) -> Self {
        Self { name: name.to_owned(), sas, visible: 0 }
    }

    /// The visible messages at the front, at most [`WINDOW`].
    pub(super) async fn peek(&mut self, api: &Api) -> Result<Vec<Message>> {
        let options = QueueClientPeekMessagesOptions {
            number_of_messages: i32::try_from(WINDOW).ok(),
            ..QueueClientPeekMessagesOptions::default()
        };
        let client = self.client(api).await?;
        let failed = |error| failure(error, "peek messages", format!("queue {}", self.name));
        let answer = client.peek_messages(Some(options)).await.map_err(failed)?;
        let messages = answer.into_model().map_err(failed)?.items.unwrap_or_default();
        self.visible = messages.len();
        Ok(messages.into_iter().map(read).collect())
    }

    /// Whether the last look brought as many messages as a look can.
    pub(super) fn is_full(&self) -> bool {
        self.visible >= WINDOW
    }

    /// Deletes the messages `ids`, which are the first in the queue: they are received, and any others that come
    /// with them are visible again after [`HIDDEN_FOR`].
    pub(super) async fn delete(&mut self, api: &Api, ids: &[String]) -> Result<()> {
        let options = QueueClientReceiveMessagesOptions {
            number_of_messages: i32::try_from(ids.len().min(WINDOW)).ok(),
            visibility_timeout: Some(HIDDEN_FOR),
            ..QueueClientReceiveMessagesOptions::default()
        };
        let client = self.client(api).await?;
        let failed = |error| failure(error, "delete messages", format!("queue {}", self.name));
        let answer = client.receive_messages(Some(options)).await.map_err(failed)?;
        for message in answer.into_model().map_err(failed)?.items.unwrap_or_default() {
            let (Some(id), Some(receipt)) = (message.message_id, message.pop_receipt) else { continue };
            if ids.contains(&id) {
                client.delete_message(&id, &receipt, None).await.map_err(failed)?;
            }
        }
        Ok(())
    }

    /// The number that Azure reports includes invisible messages, and lags behind, but is never too small
    /// ("Get Queue Metadata"). So if none is visible, they are being processed.
    pub(super) async fn depth(&mut self, api: &Api) -> Result<Depth> {
        let client = self.client(api).await?;
        let failed = |error| failure(error, "read the length", format!("queue {}", self.name));
        let answer = client.get_properties(None).await.map_err(failed)?;
        let count = answer.approximate_messages_count().map_err(failed)?.unwrap_or_default();
        let count = u64::try_from(count).unwrap_or_default();
        Ok(Depth { waiting: count, held: if self.visible == 0 { count } else { 0 } })
    }

    async fn client(&mut self, api: &Api) -> Result<QueueClient> {
        if !self.sas.is_fresh() {
            self.sas = Sas::signed(api, Scope::Queues).await?;
        }
        let queues = api.queues(Some(self.sas.query())).await?;
        queues.queue_client(&self.name).map_err(|error| failure(error, "connect", &self.name))
    }
}

fn read(message: PeekedMessage) -> Message {
    let id = message.message_id.unwrap_or_default();
    Message {
        id: id.clone(),
        handle: id,
        times: message.dequeue_count.and_then(|times| u64::try_from(times).ok()).unwrap_or_default(),
        ends: message.expiration_time.map(OffsetDateTime::unix_timestamp),
        says: message::read(&message.message_text.unwrap_or_default()),
    }
}
