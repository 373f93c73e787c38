//! What a proxy can be told to do wrong, and when.

mod failure;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::watch;

use crate::call::Call;

pub use failure::Failure;

/// Something that goes wrong between a client and the cloud.
#[derive(Clone, Debug)]
pub enum Fault {
    /// The connection ends before the cloud has seen the request.
    DropBefore,
    /// The cloud does as asked, then the connection ends without an answer.
    DropAfter,
    /// Nothing more happens until [`Armed::release`] or [`Armed::abandon`]; for killing the client
    /// at this very point.
    Hang(Side),
    /// The answer is late.
    Delay(Duration),
    /// The cloud does as asked; half of the answer arrives, then the connection ends.
    Truncate,
    /// The service answers with an error.
    Fail(Failure, Side),
    /// S3's worst habit: the status is 200, the body is an `<Error>`. Other services do no such
    /// thing, and answer as ever.
    OkWithError(Failure),
    /// Something in between answers 502 with a web page.
    Html,
    /// The same with 200, as a captive portal does.
    Portal,
    /// A read is answered with what it said the last time, whatever has happened since.
    Stale,
    /// `DeleteObjects` answers 200 and reports some keys as not deleted.
    KeyErrors(Failure, Keys),
    /// The service's clock runs ahead of ours by so many seconds (or behind, when negative).
    Skew(i64),
    /// The answer has these texts in place of these words, wherever they are values or names: as if people had
    /// written them, and more than a cloud lets them write.
    Reword(Vec<(&'static str, String)>),
}

impl Fault {
    /// The service refuses, and has done nothing.
    pub fn fail(failure: Failure) -> Self {
        Self::Fail(failure, Side::Before)
    }

    /// The service does as asked and reports a failure.
    pub fn fail_after(failure: Failure) -> Self {
        Self::Fail(failure, Side::After)
    }
}

/// On which side of the cloud's work a fault lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The cloud has not seen the request.
    Before,
    /// The cloud has done as asked.
    After,
}

/// Which keys of a `DeleteObjects` fail.
#[derive(Clone, Debug)]
pub enum Keys {
    /// Every n-th, counted over all requests, so that a later attempt gets through.
    EveryNth(usize),
    /// Those that contain this text, each time.
    Containing(String),
}

/// Which requests a fault strikes. Requests are counted from the last
/// [`clear_journal`](crate::proxy::Proxy::clear_journal).
#[derive(Clone, Debug)]
pub struct When {
    pick: Pick,
    times: usize,
}

#[derive(Clone, Debug)]
enum Pick {
    Request(usize),
    Operation(String, usize),
    OneIn(String, usize),
    OnFirst(String),
}

impl When {
    /// The request with this place in the journal. With [`times`](Self::times), also the next
    /// ones that try the same operation on the same resource.
    pub fn request(index: usize) -> Self {
        Self { pick: Pick::Request(index), times: 1 }
    }

    /// The n-th request (from 0) of an operation such as `s3:PutBucketCors`; `s3:*` is any of S3, `*`
    /// any at all.
    /// With [`times`](Self::times), also the ones after it.
    pub fn operation(operation: &str, nth: usize) -> Self {
        Self { pick: Pick::Operation(operation.to_owned(), nth), times: 1 }
    }

    /// Every request of an operation.
    pub fn every(operation: &str) -> Self {
        Self::operation(operation, 0).times(usize::MAX)
    }

    /// Every request of an operation on the resource that the first of them is on.
    pub fn on_first(operation: &str) -> Self {
        Self { pick: Pick::OnFirst(operation.to_owned()), times: usize::MAX }
    }

    /// One in `n` requests of an operation, again and again.
    pub fn one_in(n: usize, operation: &str) -> Self {
        Self { pick: Pick::OneIn(operation.to_owned(), n), times: usize::MAX }
    }

    /// How many requests are struck before the trouble is over.
    #[must_use]
    pub fn times(mut self, times: usize) -> Self {
        self.times = times;
        self
    }
}

/// What becomes of requests that hang.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Open,
    GoOn,
    End,
}

/// A fault that lies in wait. Dropping the handle changes nothing.
#[derive(Clone, Debug)]
pub struct Armed(Arc<Trap>);

#[derive(Debug)]
struct Trap {
    when: When,
    fault: Fault,
    seen: AtomicUsize,
    keys: AtomicUsize,
    /// Operation and resource of the first request that was struck.
    victim: std::sync::OnceLock<(String, String)>,
    hits: watch::Sender<usize>,
    met: watch::Sender<bool>,
    fate: watch::Sender<Fate>,
}

impl Armed {
    pub(crate) fn new(when: When, fault: Fault) -> Self {
        Self(Arc::new(Trap {
            when,
            fault,
            seen: AtomicUsize::new(0),
            keys: AtomicUsize::new(0),
            victim: std::sync::OnceLock::new(),
            hits: watch::Sender::new(0),
            met: watch::Sender::new(false),
            fate: watch::Sender::new(Fate::Open),
        }))
    }

    /// How many requests it has struck.
    pub fn hits(&self) -> usize {
        *self.0.hits.borrow()
    }

    /// Waits until it has struck once. For [`Fault::Hang`] this is the moment to kill the client;
    /// on [`Side::After`] the cloud has done as asked by then.
    pub async fn reached(&self) {
        // The sender lives as long as `self`, so waiting cannot fail.
        let _ = self.0.met.subscribe().wait_for(|met| *met).await;
    }

    /// Lets every request go on that hangs, now or later.
    pub fn release(&self) {
        self.0.fate.send_replace(Fate::GoOn);
    }

    /// Ends every request that hangs, now or later, without going on. Sure to leave nothing behind
    /// of a client that was killed, even if its connection is not known to be closed yet.
    pub fn abandon(&self) {
        self.0.fate.send_replace(Fate::End);
    }

    /// Hangs; says whether to go on afterwards.
    pub(crate) async fn hang(&self) -> bool {
        self.0.met.send_replace(true);
        let mut fate = self.0.fate.subscribe();
        // The sender lives as long as `self`, so waiting cannot fail.
        let decided = fate.wait_for(|fate| *fate != Fate::Open).await;
        decided.is_ok_and(|fate| *fate == Fate::GoOn)
    }

    pub(crate) fn fault(&self) -> &Fault {
        &self.0.fault
    }

    /// Asked once for every request, in order; says whether this one is struck.
    pub(crate) fn strikes(&self, index: usize, call: &Call) -> bool {
        let trap = &self.0;
        if self.hits() >= trap.when.times {
            return false;
        }
        let struck = match &trap.when.pick {
            Pick::Request(wanted) => {
                index == *wanted
                    || (self.hits() > 0
                        && trap.victim.get().is_some_and(|(operation, resource)| {
                            call.is(operation) && call.resource() == resource
                        }))
            }
            Pick::Operation(wanted, nth) => {
                matches(wanted, call) && trap.seen.fetch_add(1, Ordering::Relaxed) >= *nth
            }
            Pick::OnFirst(wanted) => {
                let victim = trap.victim.get();
                matches(wanted, call) && victim.is_none_or(|(_, resource)| call.resource() == resource)
            }
            Pick::OneIn(wanted, n) => {
                matches(wanted, call) && (trap.seen.fetch_add(1, Ordering::Relaxed) + 1).is_multiple_of(*n)
            }
        };
        if struck {
            trap.victim.get_or_init(|| (call.operation.clone(), call.resource().to_owned()));
            trap.hits.send_modify(|hits| *hits += 1);
            // One that hangs says for itself when it is there.
            if !matches!(trap.fault, Fault::Hang(_)) {
                trap.met.send_replace(true);
            }
        }
        struck
    }

    /// Counts one more key of a `DeleteObjects` and says whether it fails.
    pub(crate) fn fails_key(&self, keys: &Keys, key: &str) -> bool {
        match keys {
            Keys::Containing(text) => key.contains(text.as_str()),
            Keys::EveryNth(n) => (self.0.keys.fetch_add(1, Ordering::Relaxed) + 1).is_multiple_of(*n),
        }
    }
}

/// Whether a call is of the wanted operation; `s3:*` is any of S3, `*` any at all.
fn matches(wanted: &str, call: &Call) -> bool {
    match wanted.strip_suffix('*') {
        Some(prefix) => call.operation.starts_with(prefix),
        None => call.is(wanted),
    }
}
