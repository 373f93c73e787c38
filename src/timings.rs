//! `--timings FILE`: when each request of a run was sent, how long it took and what it waited for.
//!
//! The transports record each request with `tracing`, for `--verbose` too. Here the records are kept, with the
//! resource and the [`Phase`] that they were sent for, until the run is over.

mod file;
mod page;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::fmt::Debug;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::Serialize;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Event, Span, Subscriber};
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::LookupSpan;

use crate::address::Address;
use crate::retry;
use crate::text::clean;

pub use file::{TimingsFile, TimingsReport};

/// The target of the spans that say what a request is sent for.
pub(crate) const TARGET: &str = "wbstore::timings";

/// The most requests that are kept: of a bucket with millions of objects the rest is only counted.
const MOST: usize = 100_000;

/// Why a resource is read or written.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Phase {
    Plan,
    DecideAgain,
    Apply,
    ReadBack,
}

impl Phase {
    fn word(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::DecideAgain => "decide again",
            Self::Apply => "apply",
            Self::ReadBack => "read back",
        }
    }
}

/// What is done for `resource`, which waits for `others`.
pub(crate) fn work(resource: &Address, phase: Phase, others: &[Address]) -> Span {
    let others = || others.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    tracing::debug_span!(target: TARGET, "work", subject = %resource, phase = phase.word(), others = others())
}

/// What is done for no resource in particular, such as `reading the account`.
pub(crate) fn activity(what: &str) -> Span {
    tracing::debug_span!(target: TARGET, "work", subject = what)
}

/// The requests of a run.
#[derive(Clone, Debug)]
pub struct Timings(Arc<Mutex<Recorded>>);

#[derive(Debug)]
struct Recorded {
    begun: Instant,
    at: Timestamp,
    requests: Vec<Request>,
    pauses: Vec<Pause>,
    omitted: u64,
}

/// What a request is sent for.
#[derive(Clone, Debug, Default)]
struct Purpose {
    subject: String,
    phase: String,
    others: String,
}

/// A request, its times in milliseconds since the beginning of the run.
#[derive(Clone, Debug, Default, Serialize)]
struct Request {
    /// The address of the resource, or what is done; empty where neither is known.
    subject: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    phase: String,
    #[serde(skip)]
    others: String,
    operation: String,
    /// Of the response; 0 without one.
    status: u64,
    start_ms: u64,
    took_ms: u64,
    /// Between the response that it waited for and its start.
    wait_ms: u64,
    /// Which request it waited for, counted from 0 in this list.
    after: Option<usize>,
    /// How many requests had to follow each other until this one was answered.
    trip: usize,
}

impl Request {
    fn end(&self) -> u64 {
        self.start_ms + self.took_ms
    }
}

/// A pause before a request is repeated.
#[derive(Clone, Debug, Serialize)]
struct Pause {
    start_ms: u64,
    took_ms: u64,
    why: String,
}

/// All of a run.
#[derive(Debug, Serialize)]
struct Run {
    format_version: u32,
    wbstore: &'static str,
    command: String,
    started: Timestamp,
    took_ms: u64,
    exit_code: u8,
    /// The longest chain of requests that had to follow each other.
    trips: usize,
    requests: Vec<Request>,
    /// Requests that were sent after those of the list.
    omitted: u64,
    pauses: Vec<Pause>,
}

impl Default for Timings {
    fn default() -> Self {
        let (requests, pauses) = Default::default();
        let recorded = Recorded { begun: Instant::now(), at: Timestamp::now(), requests, pauses, omitted: 0 };
        Self(Arc::new(Mutex::new(recorded)))
    }
}

impl Timings {
    /// All of it, once `command` has ended with `exit_code`.
    fn of(&self, command: String, exit_code: u8) -> Run {
        let mut recorded = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut requests = std::mem::take(&mut recorded.requests);
        requests.sort_by_key(|request| (request.start_ms, request.end()));
        link(&mut requests);
        Run {
            format_version: 1,
            wbstore: env!("CARGO_PKG_VERSION"),
            command,
            started: recorded.at,
            took_ms: millis(recorded.begun.elapsed()),
            exit_code,
            trips: requests.iter().map(|request| request.trip).max().unwrap_or(0),
            requests,
            omitted: recorded.omitted,
            pauses: std::mem::take(&mut recorded.pauses),
        }
    }
}

/// Finds what each of `requests`, in the order of their starts, waited for: the last response, before it was sent,
/// to one of the same subject or of those that its subject waits for, and without such a one to any.
fn link(requests: &mut [Request]) {
    // Those under way, the next to end first; of those that have ended, the last of each subject and of all.
    let mut running: BinaryHeap<Reverse<(u64, usize)>> = BinaryHeap::new();
    let mut ended: HashMap<String, (u64, usize)> = HashMap::new();
    let mut last = None;
    for index in 0..requests.len() {
        let start = requests[index].start_ms;
        while running.peek().is_some_and(|Reverse((end, _))| *end <= start)
            && let Some(Reverse((end, one))) = running.pop()
        {
            ended.insert(requests[one].subject.clone(), (end, one));
            last = Some((end, one));
        }
        let request = &requests[index];
        let related = std::iter::once(request.subject.as_str()).chain(request.others.split(' '));
        let after = related.filter_map(|subject| ended.get(subject).copied()).max().or(last);
        let trip = after.map_or(1, |(_, after)| requests[after].trip + 1);
        let request = &mut requests[index];
        request.after = after.map(|(_, after)| after);
        request.trip = trip;
        request.wait_ms = start - after.map_or(0, |(end, _)| end);
        running.push(Reverse((request.end(), index)));
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Keeps the records of a run.
#[derive(Debug)]
pub(crate) struct Recorder(pub(crate) Timings);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Recorder {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if let Some(span) = context.span(id) {
            let Fields { subject, phase, others, .. } = fields;
            span.extensions_mut().insert(Purpose { subject, phase, others });
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let mut recorded = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = millis(recorded.begun.elapsed());
        if event.metadata().target() == retry::TARGET {
            let took_ms = millis(Duration::try_from_secs_f64(fields.seconds).unwrap_or_default());
            return recorded.pauses.push(Pause { start_ms: now, took_ms, why: clean(&fields.why) });
        }
        if fields.message != "request" {
            return;
        }
        if recorded.requests.len() == MOST {
            recorded.omitted += 1;
            return;
        }
        let purpose = context
            .event_scope(event)
            .and_then(|mut scope| scope.find_map(|span| span.extensions().get::<Purpose>().cloned()));
        let Purpose { subject, phase, others } = purpose.unwrap_or_default();
        let operation = if fields.operation.is_empty() {
            format!("{} {}{}", fields.method, fields.host, fields.path)
        } else {
            format!("{}:{}", fields.service.to_ascii_lowercase(), fields.operation)
        };
        let took_ms = fields.took_ms.min(now);
        recorded.requests.push(Request {
            subject: clean(&subject),
            phase,
            others,
            operation: clean(&operation),
            status: fields.status,
            start_ms: now - took_ms,
            took_ms,
            ..Request::default()
        });
    }
}

/// The fields of a span or of a record that are kept.
#[derive(Debug, Default)]
struct Fields {
    message: String,
    subject: String,
    phase: String,
    others: String,
    service: String,
    operation: String,
    method: String,
    host: String,
    path: String,
    why: String,
    status: u64,
    took_ms: u64,
    seconds: f64,
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        let kept = match field.name() {
            "message" => &mut self.message,
            "subject" => &mut self.subject,
            "phase" => &mut self.phase,
            "others" => &mut self.others,
            "service" => &mut self.service,
            "operation" => &mut self.operation,
            "method" => &mut self.method,
            "host" => &mut self.host,
            "path" => &mut self.path,
            "why" => &mut self.why,
            _ => return,
        };
        value.clone_into(kept);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.record_str(field, &format!("{value:?}"));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        match field.name() {
            "status" => self.status = value,
            "took_ms" => self.took_ms = value,
            _ => {}
        }
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.record_u64(field, u64::try_from(value).unwrap_or(u64::MAX));
    }

    fn record_f64(&mut self, _: &Field, value: f64) {
        self.seconds = value;
    }
}

#[cfg(test)]
mod tests;
