//! The lease in the marks of all clouds. Where it is written and how differs, what it means does not.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::lease::Lease;
use crate::provider::Wanted;

/// The entries of a mark.
pub type Entries = BTreeMap<String, String>;

/// How a cloud spells a lease and its end.
pub struct Spelling {
    /// The key of the lease as it was asked for.
    pub lease: &'static str,
    /// The key of the time at which it ends.
    pub end: &'static str,
    /// Writes a time.
    pub write: fn(Timestamp) -> String,
    /// Reads a time that [`write`](Self::write) wrote.
    pub read: fn(&str) -> Option<Timestamp>,
}

impl Spelling {
    /// Adds what is `wanted` to a desired mark: the lease, and its end where it is renewed. Otherwise the
    /// end is no part of what is desired, since it would differ at every look.
    pub fn add(&self, wanted: &Wanted, desired: &mut Entries) {
        let Some(lease) = &wanted.lease else { return };
        let date = lease.date().map(self.write);
        desired.insert(self.lease.to_owned(), date.unwrap_or_else(|| lease.to_string()));
        if let Some(end) = wanted.renew_from.and_then(|now| lease.ends_at(now)) {
            desired.insert(self.end.to_owned(), self.time(end));
        }
    }

    /// The lease in `mark`.
    pub fn lease(&self, mark: &Entries) -> Option<Lease> {
        let text = mark.get(self.lease)?;
        match (self.read)(text) {
            Some(date) => Lease::until(date).ok(),
            None => text.parse().ok(),
        }
    }

    /// When the lease in `mark` ends, where that can be read.
    pub fn end(&self, mark: &Entries) -> Option<Timestamp> {
        (self.read)(mark.get(self.end)?)
    }

    /// Whether the lease in `mark` does not end, so that an end written earlier has to go.
    pub fn is_endless(&self, mark: &Entries) -> bool {
        mark.get(self.lease).is_some_and(|text| *text == Lease::never().to_string())
    }

    /// The part of `observed` that `desired` speaks of. A lease without its end counts as missing, so that
    /// it is set again; one that ends later than a renewal asks for is as good.
    pub fn managed(&self, observed: &Entries, desired: &Entries) -> Entries {
        let mut managed = observed.clone();
        managed.retain(|key, _| desired.contains_key(key));
        let end = self.end(observed);
        if end.is_none() && !self.is_endless(observed) {
            managed.remove(self.lease);
        }
        if let Some(renewed) = desired.get(self.end)
            && observed.get(self.lease) == desired.get(self.lease)
            && end >= self.end(desired)
        {
            managed.insert(self.end.to_owned(), renewed.clone());
        }
        managed
    }

    /// `desired` as it is written over `observed`: with the end of its lease. A lease that stays the same
    /// keeps the end that it has; another one ends counted from `now`.
    pub fn with_end(&self, desired: &Entries, observed: &Entries, now: Timestamp) -> Entries {
        let mut mark = desired.clone();
        if !mark.contains_key(self.end)
            && let Some(end) = self.lease(desired).and_then(|lease| lease.ends_at(now))
        {
            let stays = observed.get(self.lease) == desired.get(self.lease);
            let kept = self.end(observed).filter(|_| stays);
            mark.insert(self.end.to_owned(), self.time(kept.unwrap_or(end)));
        }
        mark
    }

    /// In whole seconds: fractions say nothing here.
    fn time(&self, time: Timestamp) -> String {
        (self.write)(Timestamp::from_second(time.as_second()).unwrap_or(time))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATES: Spelling = Spelling {
        lease: "lease",
        end: "end",
        write: |time| time.to_string(),
        read: |text| text.parse().ok(),
    };
    const SECONDS: Spelling = Spelling {
        write: |time| time.as_second().to_string(),
        read: |text| Timestamp::from_second(text.parse().ok()?).ok(),
        ..DATES
    };

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn desired(spelling: &Spelling, lease: &str, renew_from: Option<i64>) -> Entries {
        let lease = Some(lease.parse().unwrap());
        let named = Wanted::named("acme".parse().unwrap());
        let mut mark = Entries::new();
        spelling.add(&Wanted { lease, renew_from: renew_from.map(at), ..named }, &mut mark);
        mark
    }

    fn mark(lease: &str, end: &str) -> Entries {
        [("lease", lease), ("end", end)].map(|(key, value)| (key.to_owned(), value.to_owned())).into()
    }

    #[test]
    fn a_span_ends_counted_from_its_first_writing() {
        let asked = desired(&DATES, "7d", None);
        let first = DATES.with_end(&asked, &Entries::new(), at(0));
        assert_eq!(first, mark("7d", "1970-01-08T00:00:00Z"));
        assert_eq!(DATES.managed(&first, &asked), asked);
        assert_eq!(DATES.with_end(&asked, &first, at(1000)), first, "the end stays");
        let longer = desired(&DATES, "14d", None);
        assert_ne!(DATES.managed(&first, &longer), longer);
        assert_eq!(DATES.with_end(&longer, &first, at(86_400)), mark("14d", "1970-01-16T00:00:00Z"));
    }

    #[test]
    fn a_lease_whose_end_is_missing_or_cannot_be_read_is_set_again() {
        let asked = desired(&SECONDS, "7d", None);
        for broken in [asked.clone(), mark("7d", "soon")] {
            assert!(SECONDS.managed(&broken, &asked).is_empty());
            assert_eq!(SECONDS.with_end(&asked, &broken, at(5)), mark("7d", "604805"));
        }
    }

    #[test]
    fn a_renewal_is_a_change_until_it_is_written() {
        let renewed = desired(&SECONDS, "7d", Some(1000));
        assert_eq!(renewed, mark("7d", "605800"));
        assert_eq!(SECONDS.managed(&mark("7d", "604800"), &renewed), mark("7d", "604800"));
        assert_eq!(SECONDS.with_end(&renewed, &mark("7d", "604800"), at(2000)), renewed, "as it was shown");
        for done in [&renewed, &mark("7d", "605900")] {
            assert_eq!(SECONDS.managed(done, &renewed), renewed, "a later end is as good");
        }
        assert_eq!(SECONDS.managed(&mark("14d", "605900"), &renewed), mark("14d", "605900"));
    }

    #[test]
    fn dates_and_leases_without_end_are_as_they_are_asked_for() {
        for (spelling, lease, end) in
            [(&DATES, "2027-03-01T00:00:00Z", "2027-03-01T00:00:00Z"), (&SECONDS, "1803859200", "1803859200")]
        {
            let asked = desired(spelling, "2027-03-01", None);
            assert_eq!(asked, mark(lease, end).into_iter().filter(|(key, _)| key == "lease").collect());
            assert_eq!(spelling.with_end(&asked, &Entries::new(), at(0)), mark(lease, end));
            assert_eq!(spelling.lease(&asked), Some("2027-03-01".parse().unwrap()));
        }
        let endless = desired(&DATES, "never", None);
        assert!(DATES.is_endless(&endless));
        assert_eq!(DATES.with_end(&endless, &mark("7d", "1970-01-08T00:00:00Z"), at(0)), endless);
        assert_eq!(DATES.managed(&endless, &endless), endless);
    }
}
