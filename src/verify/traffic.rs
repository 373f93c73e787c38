//! What happens in the queue besides the events of the probes: another consumer may have received
//! them first.

use std::collections::HashMap;

use super::{Depth, Message, Queue, Says};

/// How many messages are remembered; those of a busier queue are forgotten all at once.
const REMEMBERED: usize = 100_000;

#[derive(Debug)]
pub(super) struct Traffic {
    queue: Queue,
    /// How often each message had been received when it was last seen.
    times: HashMap<String, u64>,
    /// The messages of the last look, and when they end.
    last: HashMap<String, Option<i64>>,
    pub(super) others: usize,
    /// The cloud's test message, where it was seen.
    pub(super) tested: Option<&'static str>,
    looks: usize,
    /// How many looks brought as many messages as a look can bring.
    full: usize,
    last_depth: Option<Depth>,
    /// The evidence of another consumer.
    pub(super) consumer: Option<&'static str>,
}

impl Traffic {
    pub(super) fn new(queue: Queue) -> Self {
        Self {
            queue,
            times: HashMap::new(),
            last: HashMap::new(),
            others: 0,
            tested: None,
            looks: 0,
            full: 0,
            last_depth: None,
            consumer: None,
        }
    }

    /// Records a look at `now`, in seconds since the epoch, at messages none of which is about a probe;
    /// returns whether any is new.
    pub(super) fn look(&mut self, messages: &[Message], now: i64) -> bool {
        if self.times.len() >= REMEMBERED {
            self.times.clear();
        }
        // A look that receives counts one up.
        let own = u64::from(self.queue == Queue::Shared);
        let mut anything_new = false;
        for message in messages {
            match self.times.insert(message.id.clone(), message.times) {
                Some(before) if message.times > before + own => {
                    self.consumer = Some("messages were received in the meantime");
                }
                Some(_) => {}
                None => {
                    anything_new = true;
                    match message.says {
                        Says::Test(name) => self.tested = Some(name),
                        _ => self.others += 1,
                    }
                }
            }
        }
        if let Queue::Peeked { window } = self.queue {
            self.looks += 1;
            self.full += usize::from(messages.len() >= window);
            let current: HashMap<_, _> =
                messages.iter().map(|message| (message.id.clone(), message.ends)).collect();
            let taken = |(id, ends): (&String, &Option<i64>)| {
                !current.contains_key(id) && ends.is_none_or(|end| end > now)
            };
            if self.last.iter().any(taken) {
                self.consumer = Some("messages left the queue in the meantime");
            }
            self.last = current;
        }
        anything_new
    }

    /// Records how deep the queue is. The numbers lag behind, so that they are evidence only as long as
    /// this run received nothing itself.
    pub(super) fn sample(&mut self, depth: Depth) {
        if self.queue == Queue::Shared && !self.times.is_empty() {
            return;
        }
        if depth.held > 0 {
            self.consumer = Some("a consumer holds messages of the queue");
        } else if self.last_depth.is_some_and(|before| depth.waiting < before.waiting) {
            self.consumer = Some("messages left the queue in the meantime");
        }
        self.last_depth = Some(depth);
    }

    /// Whether the last look brought as many messages as a look can.
    pub(super) fn is_full(&self) -> bool {
        matches!(self.queue, Queue::Peeked { window } if self.last.len() >= window)
    }

    /// How many messages a look can bring, and how many there are, where a new one cannot be seen.
    pub(super) fn hidden_by(&self) -> Option<(usize, u64)> {
        let Queue::Peeked { window } = self.queue else { return None };
        let depth = self.last_depth?.waiting;
        (self.is_full() && depth > u64::try_from(window).unwrap_or(u64::MAX)).then_some((window, depth))
    }

    /// How many messages a look can bring, where it always brought as many, so that the event of a probe
    /// may be behind them.
    pub(super) fn deeper_than(&self) -> Option<usize> {
        match self.queue {
            Queue::Peeked { window } if self.looks > 0 && self.full == self.looks => Some(window),
            _ => None,
        }
    }
}
