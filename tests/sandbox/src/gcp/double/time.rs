//! Times in the forms the APIs have them.

use jiff::{SignedDuration, Timestamp};

/// As the protocol buffers have it.
pub(super) fn proto(time: Timestamp) -> prost_types::Timestamp {
    prost_types::Timestamp { seconds: time.as_second(), nanos: time.subsec_nanosecond() }
}

/// As JSON has it, to the millisecond as Cloud Storage gives them.
pub(super) fn text(time: Timestamp) -> String {
    format!("{time:.3}")
}

/// The same of a protocol buffer; empty when there is none.
pub(super) fn text_of(time: Option<&prost_types::Timestamp>) -> String {
    time.and_then(|time| Timestamp::new(time.seconds, time.nanos).ok()).map(text).unwrap_or_default()
}

/// `days` from `time` on.
pub(super) fn later(time: Timestamp, seconds: i64) -> Timestamp {
    time.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX)
}
