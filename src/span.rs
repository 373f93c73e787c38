//! Time spans, as all options accept them: `90s`, `12h`, `1h30m`, `2w`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::error::{Error, Result};
use crate::value::quoted;

/// A span in whole seconds, at most 136 years; whatever is longer counts as that.
///
/// It is written as numbers with the units `w`, `d`, `h`, `m` and `s`, in this order. Months and years
/// are left out because their length varies, capital letters because `M` could be either minutes or
/// months. One span has one text, in the largest unit that divides it except weeks: `2w` is `14d`, and
/// `1h30m` is `90m`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Span(u32);

const UNITS: [(&str, u32); 5] = [("w", 604_800), ("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)];

impl Span {
    /// `const`, for the limits of options.
    pub(crate) const fn from_secs(seconds: u32) -> Self {
        Self(seconds)
    }

    /// Days of 24 hours.
    pub(crate) const fn from_days(days: u32) -> Self {
        Self(days.saturating_mul(86_400))
    }

    /// For the APIs that count in seconds.
    pub(crate) const fn as_secs(self) -> u32 {
        self.0
    }

    /// For everything that waits.
    pub(crate) const fn as_duration(self) -> Duration {
        Duration::from_secs(self.0 as u64)
    }

    /// Reads `input`, a `what` in the words of its option. `forms` is the forms that the option accepts; it
    /// is the hint wherever `input` does not suggest a better one.
    ///
    /// # Errors
    /// [`Kind::Input`](crate::error::Kind::Input) for everything that could be misread.
    pub(crate) fn read(input: &str, what: &str, forms: &str) -> Result<Self> {
        seconds(input).map(Self).ok_or_else(|| {
            let (why, hint) = misread(input);
            let why = why.map_or_else(String::new, |why| format!(": {why}"));
            Error::input(format!("invalid {what} {}{why}", quoted(input)))
                .hint(hint.unwrap_or_else(|| forms.to_owned()))
        })
    }
}

impl FromStr for Span {
    type Err = Error;

    fn from_str(input: &str) -> Result<Self> {
        Self::read(input, "time span", "use numbers with the units w, d, h, m or s: `90s`, `10m`, `1h30m`")
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(seconds) = self;
        let fits = UNITS[1..].iter().find(|(_, each)| seconds % each == 0);
        fits.map_or(Ok(()), |(unit, each)| write!(f, "{}{unit}", seconds / each))
    }
}

fn seconds(input: &str) -> Option<u32> {
    let mut units = UNITS.iter();
    let (mut rest, mut total) = (input, 0_u32);
    loop {
        let (digits, others) = split(rest, |c| !c.is_ascii_digit());
        let (unit, after) = split(others, |c| c.is_ascii_digit());
        if digits.is_empty() {
            return None;
        }
        // The iterator continues after the unit it found, so that each unit is smaller than the last.
        let (_, each) = units.find(|(name, _)| *name == unit)?;
        // Digits fail to be a number only by being too many.
        let count = digits.parse().unwrap_or(u32::MAX);
        total = total.saturating_add(each.saturating_mul(count));
        rest = after;
        if rest.is_empty() {
            return Some(total);
        }
    }
}

fn split(text: &str, at: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(at).unwrap_or(text.len()))
}

/// Why `input` is no span, and what to write instead, as far as `input` shows.
fn misread(input: &str) -> (Option<&'static str>, Option<String>) {
    let lower = input.to_ascii_lowercase();
    let (digits, unit) = split(input, |c| !c.is_ascii_digit());
    if digits.is_empty() {
        let iso = lower
            .strip_prefix('p')
            .is_some_and(|rest| rest.starts_with(|c: char| c == 't' || c.is_ascii_digit()));
        return (iso.then_some("ISO 8601 durations are not accepted"), None);
    }
    let (why, hint) = match unit {
        _ if seconds(&format!("{input}s")).is_some() => return (Some("the unit is missing"), None),
        _ if unit.starts_with('M') && seconds(&lower).is_some() => (
            "`M` could mean minutes or months",
            format!("use `{lower}` for minutes, or days such as `30d` for months"),
        ),
        _ if seconds(&lower).is_some() => ("units are lower-case", format!("use `{lower}`")),
        _ if unit.starts_with(['.', ',']) => (
            "fractions are not accepted",
            "use a smaller unit: `90m` or `1h30m` for one hour and a half".to_owned(),
        ),
        _ if unit.to_ascii_lowercase().starts_with("mo") || unit.starts_with(['y', 'Y']) => {
            ("months and years vary in length", "use days, such as `30d` or `365d`".to_owned())
        }
        _ if is_disordered(input) => {
            ("each unit must be smaller than the one before", "use an order such as `1d12h30m`".to_owned())
        }
        _ => return (None, None),
    };
    (Some(why), Some(hint))
}

/// Whether each component of `input` by itself is a span.
fn is_disordered(input: &str) -> bool {
    let mut rest = input;
    while !rest.is_empty() {
        let (digits, others) = split(rest, |c| !c.is_ascii_digit());
        let (unit, after) = split(others, |c| c.is_ascii_digit());
        if digits.is_empty() || !UNITS.iter().any(|(name, _)| *name == unit) {
            return false;
        }
        rest = after;
    }
    true
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_span_has_one_text() {
        for (input, seconds, text) in [
            ("90s", 90, "90s"),
            ("0s", 0, "0d"),
            ("60s", 60, "1m"),
            ("90m", 5400, "90m"),
            ("1h30m", 5400, "90m"),
            ("24h", 86_400, "1d"),
            ("1d12h", 129_600, "36h"),
            ("007d", 604_800, "7d"),
            ("2w", 1_209_600, "14d"),
            ("1w1d1h1m1s", 694_861, "694861s"),
        ] {
            let span: Span = input.parse().unwrap();
            assert_eq!((span.as_secs(), span.to_string().as_str()), (seconds, text), "{input}");
        }
    }

    #[test]
    fn whatever_is_too_long_to_count_is_the_longest() {
        for input in ["99999999999999999999w", "7102w", "4294967296s", "4294967295s1s", "4294967295s"] {
            assert_eq!(
                input.parse::<Span>().ok(),
                (input != "4294967295s1s").then_some(Span(u32::MAX)),
                "{input}"
            );
        }
    }

    #[test]
    fn refuses_what_could_be_misread_and_says_what_to_write() {
        const FORMS: &str = "use numbers with the units w, d, h, m or s: `90s`, `10m`, `1h30m`";
        let order = "use an order such as `1d12h30m`";
        for (input, why, hint) in [
            (
                "1M",
                ": `M` could mean minutes or months",
                "use `1m` for minutes, or days such as `30d` for months",
            ),
            ("7D", ": units are lower-case", "use `7d`"),
            ("1H30M", ": units are lower-case", "use `1h30m`"),
            ("1mo", ": months and years vary in length", "use days, such as `30d` or `365d`"),
            ("1y", ": months and years vary in length", "use days, such as `30d` or `365d`"),
            (
                "1.5h",
                ": fractions are not accepted",
                "use a smaller unit: `90m` or `1h30m` for one hour and a half",
            ),
            ("30m1h", ": each unit must be smaller than the one before", order),
            ("1h1h", ": each unit must be smaller than the one before", order),
            ("7", ": the unit is missing", FORMS),
            ("1h30", ": the unit is missing", FORMS),
            ("PT5M", ": ISO 8601 durations are not accepted", FORMS),
            ("p1d", ": ISO 8601 durations are not accepted", FORMS),
            ("", "", FORMS),
            ("d", "", FORMS),
            ("-7d", "", FORMS),
            ("+7d", "", FORMS),
            ("7 d", "", FORMS),
            ("1h 30m", "", FORMS),
            ("5min", "", FORMS),
            ("100ms", "", FORMS),
            ("7ｄ", "", FORMS),
            ("soon", "", FORMS),
            ("perhaps", "", FORMS),
        ] {
            let error = input.parse::<Span>().unwrap_err();
            assert_eq!(error.to_string(), format!("invalid time span {}{why}", quoted(input)));
            assert_eq!(error.what_next(), Some(hint), "{input}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(input in any::<String>(), spans in "([0-9]{0,24}[a-zA-Z.]{0,2}){0,4}") {
            let _ = input.parse::<Span>();
            let _ = spans.parse::<Span>();
        }

        #[test]
        fn its_text_reads_back(seconds in any::<u32>()) {
            prop_assert_eq!(Span(seconds).to_string().parse::<Span>().unwrap(), Span(seconds));
        }
    }
}
