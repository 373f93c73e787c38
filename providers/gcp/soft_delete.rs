//! How long a bucket keeps what was deleted.

use std::str::FromStr;

use crate::error::{Error, Result};
use crate::span::Span;
use crate::value::{quoted, text_value};

/// The retention of soft-deleted objects: 7 to 90 days, or nothing (Cloud Storage documentation,
/// "Soft delete"). One meaning has one text: `168h` is kept as `7d`, and nothing as `0`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct SoftDelete {
    text: String,
    kept: Span,
}

text_value!(SoftDelete);

/// The shortest retention, as the text of a [`SoftDelete`].
pub(super) const SHORTEST: &str = "7d";

const LEAST: Span = Span::from_days(7);
const LONGEST: Span = Span::from_days(90);

impl SoftDelete {
    /// How long deleted objects are kept; zero switches it off.
    pub(crate) fn kept(&self) -> Span {
        self.kept
    }
}

impl FromStr for SoftDelete {
    type Err = Error;

    fn from_str(input: &str) -> Result<Self> {
        const WHAT: &str = "soft-delete retention";
        const FORMS: &str = "use 7d to 90d, or 0 to disable soft delete";
        let wrong = |why: &str| Error::input(format!("invalid {WHAT} {}: {why}", quoted(input))).hint(FORMS);
        let kept = if input == "0" { Span::from_secs(0) } else { Span::read(input, WHAT, FORMS)? };
        match kept {
            kept if kept.as_secs() == 0 => Ok(Self { text: "0".to_owned(), kept }),
            kept if kept < LEAST => Err(wrong("shorter than 7 days")),
            kept if kept > LONGEST => Err(wrong("longer than 90 days")),
            kept => Ok(Self { text: kept.to_string(), kept }),
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
            assert_eq!((retention.as_str(), retention.kept()), (kept, Span::from_days(days)));
        }
    }

    #[test]
    fn refuses_what_cloud_storage_refuses() {
        for (bad, why) in [
            ("", ""),
            ("7", ": the unit is missing"),
            ("3M", ": `M` could mean minutes or months"),
            ("-7d", ""),
            ("6d", ": shorter than 7 days"),
            ("6d23h59m59s", ": shorter than 7 days"),
            ("91d", ": longer than 90 days"),
            ("99999999999999999999d", ": longer than 90 days"),
        ] {
            let error = bad.parse::<SoftDelete>().unwrap_err();
            assert_eq!(error.to_string(), format!("invalid soft-delete retention {}{why}", quoted(bad)));
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
