//! The queue as a guest looks at it: messages are peeked at and never received, so that nobody misses
//! one.

use std::collections::{BTreeSet, HashMap};

use azure_core::time::OffsetDateTime;
use azure_storage_queue::QueueClient;
use azure_storage_queue::models::{
    PeekedMessage, QueueClientGetPropertiesResultHeaders, QueueClientPeekMessagesOptions,
};

use crate::error::Result;
use crate::providers::azure::failure::failure;
use crate::providers::azure::sas::{Sas, Scope};
use crate::providers::azure::session::Api;

/// The most messages that one look brings (Queue service REST API, "Peek Messages").
pub const WINDOW: usize = 32;
/// How many messages are remembered; of a busier queue the oldest are forgotten all at once.
const REMEMBERED: usize = 100_000;

/// One queue.
pub struct Queue<'a> {
    api: &'a Api,
    name: String,
    sas: Sas,
}

/// One message as a look shows it.
#[derive(Clone, Debug)]
pub struct Peeked {
    /// What it says.
    pub body: String,
    id: String,
    /// How often it was received.
    times: i64,
    /// When the queue drops it by itself, in seconds since the epoch.
    ends: Option<i64>,
}

impl From<PeekedMessage> for Peeked {
    fn from(message: PeekedMessage) -> Self {
        Self {
            body: message.message_text.unwrap_or_default(),
            id: message.message_id.unwrap_or_default(),
            times: message.dequeue_count.unwrap_or_default(),
            ends: message.expiration_time.map(OffsetDateTime::unix_timestamp),
        }
    }
}

impl<'a> Queue<'a> {
    /// The queue `name`, looked at with `sas` for as long as that lasts.
    pub fn new(api: &'a Api, name: &str, sas: Sas) -> Self {
        Self { api, name: name.to_owned(), sas }
    }

    /// The messages at the front that nobody holds, at most [`WINDOW`].
    pub async fn peek(&mut self) -> Result<Vec<Peeked>> {
        let options = QueueClientPeekMessagesOptions {
            number_of_messages: i32::try_from(WINDOW).ok(),
            ..QueueClientPeekMessagesOptions::default()
        };
        let name = self.name.clone();
        let failed = |error| failure(error, "peek messages", format!("queue {name}"));
        let answer = self.client().await?.peek_messages(Some(options)).await.map_err(failed)?;
        let messages = answer.into_model().map_err(failed)?.items.unwrap_or_default();
        Ok(messages.into_iter().map(Peeked::from).collect())
    }

    /// About how many messages there are, those that somebody holds included.
    pub async fn depth(&mut self) -> Result<usize> {
        let name = self.name.clone();
        let failed = |error| failure(error, "read the length", format!("queue {name}"));
        let answer = self.client().await?.get_properties(None).await.map_err(failed)?;
        let count = answer.approximate_messages_count().map_err(failed)?.unwrap_or_default();
        Ok(usize::try_from(count).unwrap_or_default())
    }

    async fn client(&mut self) -> Result<QueueClient> {
        if !self.sas.is_fresh() {
            self.sas = Sas::signed(self.api, Scope::Queues).await?;
        }
        let queues = self.api.queues(Some(self.sas.query()))?;
        queues.queue_client(&self.name).map_err(|error| failure(error, "connect", &self.name))
    }
}

/// What was seen going on in the queue.
#[derive(Debug, Default)]
pub struct Traffic {
    /// The messages of the last look that are not ours: how often received, and when they end.
    last: HashMap<String, (i64, Option<i64>)>,
    others: BTreeSet<String>,
    looks: usize,
    /// How many looks brought as many messages as a look can bring, so that ours may lie behind them.
    full: usize,
    /// What shows that somebody receives from the queue.
    evidence: Option<&'static str>,
}

impl Traffic {
    /// Takes note of a look at `now`, in seconds since the epoch, that brought `messages`, all of which
    /// are not ours.
    pub fn seen(&mut self, messages: &[Peeked], now: i64) {
        self.looks += 1;
        self.full += usize::from(messages.len() >= WINDOW);
        let current: HashMap<_, _> =
            messages.iter().map(|message| (message.id.clone(), (message.times, message.ends))).collect();
        for (id, (times, ends)) in &self.last {
            match current.get(id) {
                Some((now, _)) if now > times => {
                    self.evidence = Some("a message was received meanwhile and came back");
                }
                None if ends.is_none_or(|end| end > now) => {
                    self.evidence = Some("messages left the queue meanwhile");
                }
                _ => {}
            }
        }
        if self.others.len() >= REMEMBERED {
            self.others.clear();
        }
        self.others.extend(current.keys().cloned());
        self.last = current;
    }

    /// Takes note that the queue has `depth` messages, of which the look right before showed `visible`.
    /// The number lags behind, but is never too small ("Get Queue Metadata").
    pub fn sample(&mut self, depth: usize, visible: usize) {
        if visible == 0 && depth > 0 {
            self.evidence = Some("somebody holds messages of the queue");
        }
    }

    /// How many messages of others were seen.
    pub fn others(&self) -> usize {
        self.others.len()
    }

    /// Whether there were always so many messages that ours may have lain behind them.
    pub fn is_deep(&self) -> bool {
        self.looks > 0 && self.full == self.looks
    }

    /// What shows that somebody receives from the queue.
    pub fn consumer(&self) -> Option<&'static str> {
        self.evidence
    }
}

#[cfg(test)]
impl Peeked {
    /// A message that nobody sent, to try out what is made of it.
    pub(super) fn of(id: &str, times: i64) -> Self {
        Self { body: String::new(), id: id.to_owned(), times, ends: Some(100) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_that_nobody_touches_shows_no_consumer() {
        let mut traffic = Traffic::default();
        traffic.seen(&[Peeked::of("a", 0)], 1);
        traffic.seen(&[Peeked::of("a", 0), Peeked::of("b", 0)], 2);
        traffic.sample(2, 2);
        assert_eq!((traffic.consumer(), traffic.others(), traffic.is_deep()), (None, 2, false));
    }

    #[test]
    fn what_leaves_before_its_end_was_taken() {
        let mut traffic = Traffic::default();
        traffic.seen(&[Peeked::of("a", 0)], 1);
        traffic.seen(&[], 101);
        assert_eq!(traffic.consumer(), None, "it had come to its end");
        traffic.seen(&[Peeked::of("b", 0)], 2);
        traffic.seen(&[], 3);
        assert!(traffic.consumer().is_some());
    }

    #[test]
    fn what_came_back_or_is_held_was_taken() {
        let mut traffic = Traffic::default();
        traffic.seen(&[Peeked::of("a", 1)], 1);
        traffic.seen(&[Peeked::of("a", 2)], 2);
        assert!(traffic.consumer().is_some());
        let mut traffic = Traffic::default();
        traffic.sample(3, 0);
        assert!(traffic.consumer().is_some());
    }

    #[test]
    fn a_full_window_hides_what_is_behind() {
        let many: Vec<_> = (0..WINDOW).map(|n| Peeked::of(&n.to_string(), 0)).collect();
        let mut traffic = Traffic::default();
        assert!(!traffic.is_deep());
        traffic.seen(&many, 1);
        assert!(traffic.is_deep());
        traffic.seen(&many[1..], 2);
        assert!(!traffic.is_deep());
    }
}
