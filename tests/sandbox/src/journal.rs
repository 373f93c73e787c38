//! What passed through a proxy, and how to count it.

use std::time::Instant;

use hyper::body::Bytes;

use crate::call::Call;
use crate::dialect::Service;

/// Bodies longer than this are cut in the journal; only uploads are.
const KEPT: usize = 64 * 1024;

/// One request and what became of it.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// Place in the journal, from 0.
    pub index: usize,
    /// The service it was meant for.
    pub service: Service,
    /// `s3:PutBucketCors`, `storage.CreateBucket`, `arm.containers.PUT`, …
    pub operation: String,
    /// What it is about: [`Call::resource`].
    pub resource: String,
    /// Whether it changes anything.
    pub mutating: bool,
    /// HTTP method.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Request headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Request body (the first 64 KiB).
    pub body: Bytes,
    /// What the client was answered; `None` while under way and when it got no answer.
    pub status: Option<u16>,
    /// Whether that was an error.
    pub refused: bool,
    /// The fault or the strict rule that had a hand in the answer.
    pub meddled: Option<String>,
    /// When the request had arrived.
    pub started: Instant,
    /// When the answer was handed over.
    pub finished: Option<Instant>,
}

impl Exchange {
    pub(crate) fn begin(index: usize, call: &Call) -> Self {
        Self {
            index,
            service: call.service,
            operation: call.operation.clone(),
            resource: call.resource().to_owned(),
            mutating: call.mutates(),
            method: call.method.to_string(),
            target: call.uri.to_string(),
            headers: call
                .headers
                .iter()
                .map(|(name, value)| {
                    (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
                })
                .collect(),
            body: call.body.slice(..call.body.len().min(KEPT)),
            status: None,
            refused: false,
            meddled: None,
            started: Instant::now(),
            finished: None,
        }
    }

    /// Whether it has changed something, or may have: an answer that got lost says nothing.
    pub fn has_changed(&self) -> bool {
        self.mutating && !self.refused
    }

    /// A request header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }
}

/// What a run cost, in the units a user pays in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// All requests.
    pub requests: usize,
    /// Those that change something.
    pub mutating: usize,
    /// The longest chain of requests each of which began after the one before it had ended:
    /// how many times the run has to wait for the network, whatever the bandwidth.
    pub round_trips: usize,
}

impl Counts {
    /// Counts a journal.
    ///
    /// Requests made at the same time are told from dependent ones by their times, so give the
    /// proxy a latency that dwarfs the client's own pauses before counting round trips: 100 ms, more
    /// on a machine that is busy. Otherwise the number is too high, never too low.
    pub fn of(exchanges: &[Exchange]) -> Self {
        Self {
            requests: exchanges.len(),
            mutating: exchanges.iter().filter(|exchange| exchange.mutating).count(),
            round_trips: round_trips(exchanges.iter().map(|exchange| (exchange.finished, exchange.started))),
        }
    }
}

/// A chain of dependent requests is a set of intervals of which no two overlap; taking the one
/// that ends first, again and again, finds the largest.
pub(crate) fn round_trips(exchanges: impl IntoIterator<Item = (Option<Instant>, Instant)>) -> usize {
    let mut spans: Vec<(Option<Instant>, Instant)> = exchanges.into_iter().collect();
    // One that never ended can only be the last of a chain.
    spans.sort_by_key(|(finished, _)| (finished.is_none(), *finished));
    let mut chain = 0;
    let mut free = None;
    for (finished, started) in spans {
        if free.is_none_or(|free| free <= started) {
            chain += 1;
            match finished {
                Some(finished) => free = Some(finished),
                None => break,
            }
        }
    }
    chain
}
