//! How long a deployment is meant to live: `provision --expires`.

use std::str::FromStr;

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::error::{Error, Result};
use crate::value::{quoted, text_value};

const FORMS: &str = "use a duration such as `7d`, `12h`, `90m` or `2w`, a date such as `2027-03-01`, a timestamp such \
                     as `2027-03-01T18:00:00Z`, or `never`";

/// The longest lease. Longer than a year is no test environment: leave the lease out instead.
const LONGEST: SignedDuration = SignedDuration::from_hours(366 * 24);

/// The shortest lease; anything below is a slip of the finger.
const SHORTEST: SignedDuration = SignedDuration::from_mins(1);

/// Until when a deployment is wanted: for a time, until a date, or for ever.
///
/// A lease is written into the mark on every resource as it was asked for, `7d` as `7d`, so that a
/// second run with the same arguments finds nothing to change; the end that follows from it is for
/// the mark to keep beside it. One meaning has one text: `24h` is kept as `1d`, a date as the
/// timestamp of its beginning in UTC.
///
/// The text holds letters, digits, `:`, `-` and `+` only, which tag values take in every cloud
/// (AWS: Tag Editor user guide, "Tag naming limits and requirements").
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Lease {
    text: String,
    term: Term,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Term {
    For(SignedDuration),
    Until(Timestamp),
    Never,
}

text_value!(Lease);

impl Lease {
    /// A lease that does not end.
    pub fn never() -> Self {
        Self { text: "never".to_owned(), term: Term::Never }
    }

    /// When it ends, for a deployment that was made at `start`; `None` when it never does.
    pub fn ends_at(&self, start: Timestamp) -> Option<Timestamp> {
        match self.term {
            // A lease is at most 366 days, so only a start at the end of year 9999 saturates.
            Term::For(time) => Some(start.checked_add(time).unwrap_or(Timestamp::MAX)),
            Term::Until(end) => Some(end),
            Term::Never => None,
        }
    }

    /// Checks that a lease just asked for ends after `now`, and within 366 days. A lease read from
    /// a mark is not checked: it may well be over.
    ///
    /// # Errors
    /// [`Kind::Input`](crate::error::Kind::Input) when the date has passed or is too far away.
    pub fn require_ahead(&self, now: Timestamp) -> Result<()> {
        let Term::Until(end) = self.term else { return Ok(()) };
        if end <= now {
            return Err(Error::input(format!("the expiry {end} has passed")).hint(FORMS));
        }
        if end.duration_since(now) > LONGEST {
            return Err(Error::input(format!("the expiry {end} is more than 366 days away"))
                .hint("leave `--expires` out for a deployment that stays"));
        }
        Ok(())
    }

    fn lasting(time: SignedDuration) -> Self {
        let minutes = time.as_mins();
        let text = match minutes {
            m if m % (24 * 60) == 0 => format!("{}d", m / (24 * 60)),
            m if m % 60 == 0 => format!("{}h", m / 60),
            m => format!("{m}m"),
        };
        Self { text, term: Term::For(time) }
    }

    fn until(end: Timestamp) -> Result<Self> {
        // Whole seconds: what comes after the point means nothing here and reads badly in a tag.
        let end = Timestamp::from_second(end.as_second()).map_err(|source| {
            Error::input("the expiry is out of range").because(source.to_string()).hint(FORMS)
        })?;
        Ok(Self { text: end.to_string(), term: Term::Until(end) })
    }
}

impl FromStr for Lease {
    type Err = Error;

    fn from_str(input: &str) -> Result<Self> {
        if input.eq_ignore_ascii_case("never") {
            return Ok(Self::never());
        }
        if let Some(time) = duration(input) {
            return match time {
                Some(time) if time < SHORTEST => {
                    Err(Error::input(format!("the lease {} is shorter than a minute", quoted(input)))
                        .hint(FORMS))
                }
                Some(time) if time <= LONGEST => Ok(Self::lasting(time)),
                _ => Err(Error::input(format!("the lease {} is longer than 366 days", quoted(input)))
                    .hint("leave `--expires` out for a deployment that stays")),
            };
        }
        if let Some(end) = instant(input) {
            return Self::until(end);
        }
        Err(Error::input(format!("{} is no expiry", quoted(input))).hint(FORMS))
    }
}

/// Digits and one unit. The outer `None` says that it is no duration, the inner that it is one
/// beyond all measure.
fn duration(input: &str) -> Option<Option<SignedDuration>> {
    let unit = input.chars().next_back()?;
    let minutes_each = match unit.to_ascii_lowercase() {
        'm' => 1,
        'h' => 60,
        'd' => 24 * 60,
        'w' => 7 * 24 * 60,
        _ => return None,
    };
    let digits = &input[..input.len() - unit.len_utf8()];
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let minutes = digits.parse::<i64>().ok().and_then(|count| count.checked_mul(minutes_each));
    Some(minutes.and_then(SignedDuration::try_from_mins))
}

/// A date, meaning its beginning in UTC, or an RFC 3339 timestamp. Jiff reads more than that
/// (time zone annotations, other calendars' spellings); the first character class keeps it out.
fn instant(input: &str) -> Option<Timestamp> {
    let plain =
        |b: u8| b.is_ascii_digit() || matches!(b, b'-' | b'+' | b':' | b'.' | b'T' | b't' | b'Z' | b'z');
    if !input.starts_with(|c: char| c.is_ascii_digit()) || !input.bytes().all(plain) {
        return None;
    }
    if input.len() == "2027-03-01".len() {
        let date: Date = input.parse().ok()?;
        return TimeZone::UTC.to_timestamp(date.to_datetime(Time::midnight())).ok();
    }
    input.parse().ok()
}

#[cfg(test)]
mod tests;
