//! How long a message waits in the queue.

use std::str::FromStr;

use crate::error::{Error, Result};
use crate::value::{quoted, seconds, text_value};

/// The time to live of an event in the queue: a length of time, or without end (Event Grid REST API,
/// `StorageQueueEventSubscriptionDestinationProperties.queueMessageTimeToLiveInSeconds`). One meaning
/// has one text: `168h` is kept as `7d`, and `-1` as `never`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MessageTtl {
    text: String,
    seconds: Option<u64>,
}

text_value!(MessageTtl);

const DAY: u64 = 24 * 60 * 60;

/// What the API's 32-bit number can hold.
const LONGEST: u64 = i32::MAX as u64;

impl MessageTtl {
    /// What Event Grid wants: seconds, and -1 for a message that never expires.
    pub fn as_seconds(&self) -> i64 {
        self.seconds.and_then(|seconds| i64::try_from(seconds).ok()).unwrap_or(-1)
    }

    fn lasting(seconds: u64) -> Self {
        let text = match seconds {
            s if s % DAY == 0 => format!("{}d", s / DAY),
            s if s % 3600 == 0 => format!("{}h", s / 3600),
            s if s % 60 == 0 => format!("{}m", s / 60),
            s => format!("{s}s"),
        };
        Self { text, seconds: Some(seconds) }
    }
}

impl Default for MessageTtl {
    /// Seven days, which is also what Azure Storage gives a message of which nothing is said.
    fn default() -> Self {
        Self::lasting(7 * DAY)
    }
}

impl FromStr for MessageTtl {
    type Err = Error;

    fn from_str(input: &str) -> Result<Self> {
        if matches!(input, "never" | "-1") {
            return Ok(Self { text: "never".to_owned(), seconds: None });
        }
        let wrong = |why: &str| {
            let error = Error::input(format!("message lifetime {} {why}", quoted(input)));
            Err(error.hint("use a length of time such as 7d, 12h or 90m, or `never`"))
        };
        match seconds(input) {
            None => wrong("is no length of time"),
            Some(Some(0)) => wrong("is none"),
            Some(Some(seconds)) if seconds <= LONGEST => Ok(Self::lasting(seconds)),
            Some(_) => wrong("is too long"),
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
            ("", "is no length of time"),
            ("7", "is no length of time"),
            ("-2", "is no length of time"),
            ("soon", "is no length of time"),
            ("0s", "is none"),
            ("100000d", "is too long"),
            ("99999999999999999999d", "is too long"),
        ] {
            let error = bad.parse::<MessageTtl>().unwrap_err();
            assert_eq!(error.to_string(), format!("message lifetime {} {why}", quoted(bad)));
        }
    }

    proptest! {
        #[test]
        fn never_panics(input in any::<String>()) {
            let _ = input.parse::<MessageTtl>();
        }
    }
}
