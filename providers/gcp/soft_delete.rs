//! How long a bucket keeps what was deleted.

use std::str::FromStr;
use std::time::Duration;

use crate::error::{Error, Result};
use crate::value::{quoted, seconds, text_value};

/// The retention of soft-deleted objects: 7 to 90 days, or nothing (Cloud Storage documentation,
/// "Soft delete"). One meaning has one text: `168h` is kept as `7d`, and nothing as `0`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SoftDelete {
    text: String,
    kept: Duration,
}

text_value!(SoftDelete);

const DAY: u64 = 24 * 60 * 60;

impl SoftDelete {
    /// How long deleted objects are kept; zero switches it off.
    pub fn kept(&self) -> Duration {
        self.kept
    }
}

impl FromStr for SoftDelete {
    type Err = Error;

    fn from_str(input: &str) -> Result<Self> {
        const FORMS: &str = "use 7d to 90d, or 0 to keep nothing";
        let wrong = |why: &str| Error::input(format!("soft delete {} {why}", quoted(input))).hint(FORMS);
        let given = if input == "0" { Some(Some(0)) } else { seconds(input) };
        match given {
            None => Err(wrong("is no length of time")),
            Some(Some(0)) => Ok(Self { text: "0".to_owned(), kept: Duration::ZERO }),
            Some(Some(seconds)) if (7 * DAY..=90 * DAY).contains(&seconds) => {
                let text = match seconds % DAY {
                    0 => format!("{}d", seconds / DAY),
                    _ => format!("{seconds}s"),
                };
                Ok(Self { text, kept: Duration::from_secs(seconds) })
            }
            Some(Some(seconds)) if seconds < 7 * DAY => Err(wrong("is shorter than 7 days")),
            Some(_) => Err(wrong("is longer than 90 days")),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_meaning_has_one_text() {
        for (given, kept, days) in [
            ("7d", "7d", 7),
            ("168h", "7d", 7),
            ("2w", "14d", 14),
            ("90d", "90d", 90),
            ("0", "0", 0),
            ("0d", "0", 0),
        ] {
            let retention: SoftDelete = given.parse().unwrap();
            assert_eq!((retention.as_str(), retention.kept()), (kept, Duration::from_secs(days * DAY)));
        }
    }

    #[test]
    fn refuses_what_cloud_storage_refuses() {
        for (bad, why) in [
            ("", "is no length of time"),
            ("7", "is no length of time"),
            ("d", "is no length of time"),
            ("-7d", "is no length of time"),
            ("6d", "is shorter than 7 days"),
            ("1h", "is shorter than 7 days"),
            ("91d", "is longer than 90 days"),
            ("99999999999999999999d", "is longer than 90 days"),
        ] {
            let error = bad.parse::<SoftDelete>().unwrap_err();
            assert_eq!(error.to_string(), format!("soft delete {} {why}", quoted(bad)));
        }
    }

    proptest! {
        #[test]
        fn never_panics(input in any::<String>(), text in "[0-9]{0,24}[a-z]{0,2}") {
            let _ = input.parse::<SoftDelete>();
            let _ = text.parse::<SoftDelete>();
        }
    }
}
