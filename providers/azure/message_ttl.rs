//! How long a message waits in the queue.

use std::str::FromStr;

use crate::error::{Error, Result};
use crate::span::Span;
use crate::value::{quoted, text_value};

/// The time to live of an event in the queue: a length of time, or without end (Event Grid REST API,
/// `StorageQueueEventSubscriptionDestinationProperties.queueMessageTimeToLiveInSeconds`). One meaning
/// has one text: `168h` is kept as `7d`, and `-1` as `never`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct MessageTtl {
    text: String,
    span: Option<Span>,
}

text_value!(MessageTtl);

/// What the API's 32-bit number can hold.
const LONGEST: Span = Span::from_secs(i32::MAX.unsigned_abs());

impl MessageTtl {
    /// The value for Event Grid: seconds, and -1 for a message that never expires.
    pub(crate) fn as_seconds(&self) -> i64 {
        self.span.map_or(-1, |span| span.as_secs().into())
    }

    fn lasting(span: Span) -> Self {
        Self { text: span.to_string(), span: Some(span) }
    }
}

impl Default for MessageTtl {
    /// Seven days, which is also Azure Storage's default.
    fn default() -> Self {
        Self::lasting(Span::from_days(7))
    }
}

impl FromStr for MessageTtl {
    type Err = Error;

    fn from_str(input: &str) -> Result<Self> {
        const WHAT: &str = "message lifetime";
        const FORMS: &str = "use a time span such as `7d`, `12h` or `1h30m`, or `never`";
        if matches!(input, "never" | "-1") {
            return Ok(Self { text: "never".to_owned(), span: None });
        }
        let wrong = |why: &str| Error::input(format!("invalid {WHAT} {}: {why}", quoted(input))).hint(FORMS);
        match Span::read(input, WHAT, FORMS)? {
            span if span.as_secs() == 0 => Err(wrong("shorter than a second")),
            span if span > LONGEST => Err(wrong("longer than 68 years")),
            span => Ok(Self::lasting(span)),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_meaning_has_one_text() {
        for (given, kept, seconds) in [
            ("7d", "7d", 604_800),
            ("168h", "7d", 604_800),
            ("90m", "90m", 5400),
            ("1s", "1s", 1),
            ("never", "never", -1),
            ("-1", "never", -1),
        ] {
            let ttl: MessageTtl = given.parse().unwrap();
            assert_eq!((ttl.as_str(), ttl.as_seconds()), (kept, seconds));
        }
        assert_eq!(MessageTtl::default(), "7d".parse().unwrap());
    }

    #[test]
    fn refuses_the_rest_and_says_why() {
        for (bad, why) in [
            ("", ""),
            ("7", ": the unit is missing"),
            ("-2", ""),
            ("1M", ": `M` could mean minutes or months"),
            ("0s", ": shorter than a second"),
            ("100000d", ": longer than 68 years"),
            ("99999999999999999999d", ": longer than 68 years"),
        ] {
            let error = bad.parse::<MessageTtl>().unwrap_err();
            assert_eq!(error.to_string(), format!("invalid message lifetime {}{why}", quoted(bad)));
        }
    }

    proptest! {
        #[test]
        fn never_panics(input in any::<String>()) {
            let _ = input.parse::<MessageTtl>();
        }
    }
}
