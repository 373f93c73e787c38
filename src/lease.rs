//! The lifetime of a deployment: `provision --expires`.

use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;

use crate::error::{Error, Kind, Result};
use crate::span::Span;
use crate::value::{quoted, text_value};

const FORMS: &str = "use a time span such as `7d`, `12h` or `1h30m`, a date such as `2027-03-01`, a timestamp such as \
                     `2027-03-01T18:00:00Z`, or `never`";

const STAYS: &str = "omit `--expires` for a deployment that never expires";

/// The longest lease. A deployment for more than a year needs none.
const LONGEST: Span = Span::from_days(366);

/// The shortest lease; anything below is a typing error.
const SHORTEST: Span = Span::from_secs(60);

/// Until when a deployment is wanted: for a time, until a date, or for ever.
///
/// A lease is written into the mark on every resource as it was asked for, `7d` as `7d`, so that a
/// second run with the same arguments finds nothing to change; the end that follows from it is for
/// the mark to keep beside it. One meaning has one text: `24h` is kept as `1d`, a date as the
/// timestamp of its beginning in UTC.
///
/// The text holds letters, digits, `:`, `-` and `+` only, which tag values allow in every cloud
/// (AWS: Tag Editor user guide, "Tag naming limits and requirements").
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Lease {
    text: String,
    term: Term,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Term {
    For(Span),
    Until(Timestamp),
    Never,
}

text_value!(Lease);

impl Lease {
    /// A lease that does not end.
    pub(crate) fn never() -> Self {
        Self { text: "never".to_owned(), term: Term::Never }
    }

    /// When it ends, for a deployment that was created at `start`; `None` when it never does.
    pub(crate) fn ends_at(&self, start: Timestamp) -> Option<Timestamp> {
        match self.term {
            // A lease is at most 366 days, so only a start at the end of year 9999 saturates.
            Term::For(span) => Some(start.checked_add(span.as_duration()).unwrap_or(Timestamp::MAX)),
            Term::Until(end) => Some(end),
            Term::Never => None,
        }
    }

    /// Refuses a lease that `--renew` cannot extend.
    ///
    /// # Errors
    /// An error of `kind` for a date, and for a lease that does not end.
    pub(crate) fn require_span(&self, kind: Kind) -> Result<()> {
        let (ends, hint) = match self.term {
            Term::For(_) => return Ok(()),
            Term::Until(end) => (format!("ends on a date, {end}"), "set a later date with `--expires`"),
            Term::Never => ("never ends".to_owned(), "omit `--renew`"),
        };
        Err(Error::new(kind, format!("--renew extends time spans only, and the lease {ends}")).hint(hint))
    }

    /// Checks that a lease just asked for ends after `now`, and within 366 days. A lease read from
    /// a mark is not checked: it may well be over.
    ///
    /// # Errors
    /// [`Kind::Input`] when the date has passed or is too far away.
    pub(crate) fn require_ahead(&self, now: Timestamp) -> Result<()> {
        let Term::Until(end) = self.term else { return Ok(()) };
        if end <= now {
            return Err(Error::input(format!("the expiry {end} has passed")).hint(FORMS));
        }
        let longest = now.checked_add(LONGEST.as_duration()).unwrap_or(Timestamp::MAX);
        if end > longest {
            return Err(Error::input(format!("the expiry {end} is more than 366 days away")).hint(STAYS));
        }
        Ok(())
    }

    fn lasting(span: Span) -> Self {
        Self { text: span.to_string(), term: Term::For(span) }
    }

    /// A lease that lasts until the date `end`.
    ///
    /// # Errors
    /// [`Kind::Input`] for a date out of range.
    pub(crate) fn until(end: Timestamp) -> Result<Self> {
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
        if let Some(end) = instant(input) {
            return Self::until(end);
        }
        let wrong = |why: &str| Error::input(format!("invalid expiry {}: {why}", quoted(input)));
        match Span::read(input, "expiry", FORMS)? {
            span if span < SHORTEST => Err(wrong("shorter than a minute").hint(FORMS)),
            span if span > LONGEST => Err(wrong("longer than 366 days").hint(STAYS)),
            span => Ok(Self::lasting(span)),
        }
    }
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
