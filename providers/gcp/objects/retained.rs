//! What keeps objects from being deleted: holds, retentions of their own, and the bucket's policy.
//!
//! wbstore neither lifts a hold nor shortens a retention: who set them meant it.

use jiff::Timestamp;

use super::Objects;
use super::count::Tally;
use super::listing::Stored;
use crate::providers::gcp::bucket::Described;
use crate::resource::{Forbids, Seen};
use crate::value::quoted;

/// How many names are given of those that are kept.
const NAMED: usize = 3;
const DAY: i64 = 24 * 60 * 60;

/// A hold, which keeps an object for as long as it lasts (Cloud Storage documentation, "Object holds").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// Until it is lifted.
    Temporary,
    /// Until it is lifted, when the bucket's retention begins.
    EventBased,
}

/// Those objects that are kept for one reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// How many there are.
    pub count: u64,
    /// The first few.
    first: Vec<String>,
    /// The latest date until which one of them is kept, in seconds since the epoch.
    pub until: i64,
}

/// What is kept, by reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Retained {
    /// Under a temporary hold.
    pub temporary: Kept,
    /// Under an event-based hold.
    pub event_based: Kept,
    /// Retained until a date.
    pub dated: Kept,
}

impl Kept {
    fn add(&mut self, name: &str, until: i64) {
        self.count += 1;
        self.until = self.until.max(until);
        if self.first.len() < NAMED && !self.first.iter().any(|one| one == name) {
            self.first.push(name.to_owned());
        }
    }

    /// `1 object is` or `2 objects are`.
    fn subject(&self) -> String {
        if self.count == 1 { "1 object is".to_owned() } else { format!("{} objects are", self.count) }
    }

    fn examples(&self) -> String {
        let names: Vec<String> = self.first.iter().map(|name| quoted(name)).collect();
        format!("({}{})", if self.count > 1 { "such as " } else { "" }, names.join(", "))
    }
}

impl Retained {
    /// Takes note of an `object` of the bucket that is `described`, as it is at `now`.
    pub fn add(&mut self, object: &Stored, described: &Described, now: i64) {
        match object.hold {
            Some(Hold::Temporary) => self.temporary.add(&object.name, 0),
            Some(Hold::EventBased) => self.event_based.add(&object.name, 0),
            None => {}
        }
        // An object of before the policy is not marked with the date that follows from it.
        let policy = policy_seconds(described).map(|seconds| object.created.saturating_add(seconds));
        if let Some(until) = object.kept_until.max(policy).filter(|until| *until > now) {
            self.dated.add(&object.name, until);
        }
    }
}

/// For how long the bucket's policy keeps every object, in seconds.
pub fn policy_seconds(described: &Described) -> Option<i64> {
    described.retention_seconds().filter(|seconds| *seconds > 0)
}

/// The bucket's policy in words: `a retention policy of 30 days, which is locked for good`.
pub fn policy_words(described: &Described) -> Option<String> {
    let seconds = policy_seconds(described)?;
    let length = if seconds % DAY == 0 { format!("{} days", seconds / DAY) } else { format!("{seconds} s") };
    let locked = described.is_retention_locked();
    Some(format!("a retention policy of {length}{}", if locked { ", which is locked for good" } else { "" }))
}

/// Tells of what keeps objects in `bucket` from being deleted.
pub fn tell(bucket: &str, described: &Described, tally: &Tally, found: &mut Seen<Objects>) {
    let Retained { temporary, event_based, dated } = &tally.retained;
    for (kept, kind, option) in [
        (temporary, "a temporary hold", "--no-temporary-hold"),
        (event_based, "an event-based hold", "--no-event-based-hold"),
    ] {
        if kept.count > 0 {
            found.obstacle(
                Forbids::Delete,
                format!("{} under {kind} {}, which wbstore never lifts", kept.subject(), kept.examples()),
                format!("lift it with `gcloud storage objects update gs://{bucket}/NAME {option}`"),
            );
        }
    }
    if dated.count > 0 {
        let by = policy_words(described).map(|words| format!(" by {words}")).unwrap_or_default();
        found.obstacle(
            Forbids::Delete,
            format!("{} retained until {}{by} {}", dated.subject(), date(dated.until), dated.examples()),
            "wait until then; wbstore never shortens a retention",
        );
    }
}

/// The day of `seconds` since the epoch, in UTC. One that is over after the longest retention there is
/// has no date.
pub fn date(seconds: i64) -> String {
    Timestamp::from_second(seconds).map_or_else(
        |_| "a day beyond all calendars".to_owned(),
        |time| time.strftime("%Y-%m-%d").to_string(),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::provider::EmptyBy;

    fn object(name: &str) -> Stored {
        Stored { name: name.to_owned(), created: 1000, ..Stored::default() }
    }

    fn with_policy(seconds: i64, locked: bool) -> Described {
        let policy = json!({ "retentionPeriod": seconds.to_string(), "isLocked": locked });
        Described::from(json!({ "retentionPolicy": policy }))
    }

    fn obstacles(described: &Described, objects: &[Stored], now: i64) -> Vec<String> {
        let mut tally = Tally::default();
        for object in objects {
            tally.retained.add(object, described, now);
        }
        let mut found = Seen::absent();
        assert!(Objects::new("acme", true, EmptyBy::Calls).delete_objects);
        tell("acme", described, &tally, &mut found);
        found.remarks().obstacles.iter().map(|obstacle| obstacle.message.clone()).collect()
    }

    #[test]
    fn holds_are_told_with_the_first_names() {
        let held = |name| Stored { hold: Some(Hold::Temporary), ..object(name) };
        let told =
            obstacles(&Described::default(), &[held("a"), held("a"), held("b"), held("c"), held("d")], 0);
        assert_eq!(
            told,
            ["5 objects are under a temporary hold (such as `a`, `b`, `c`), which wbstore never lifts"]
        );
        let held = Stored { hold: Some(Hold::EventBased), ..object("e\u{1b}[31m") };
        let told = obstacles(&Described::default(), &[held], 0);
        assert_eq!(
            told,
            [r"1 object is under an event-based hold (`e\u{1b}[31m`), which wbstore never lifts"]
        );
    }

    #[test]
    fn a_policy_keeps_what_is_younger_than_it() {
        let policy = with_policy(2 * DAY, true);
        let told = obstacles(&policy, &[object("a")], 1000);
        assert_eq!(
            told,
            [
                "1 object is retained until 1970-01-03 by a retention policy of 2 days, which is locked for good (`a`)"
            ]
        );
        assert!(obstacles(&policy, &[object("a")], 3 * DAY).is_empty());
    }

    #[test]
    fn an_object_may_be_kept_for_longer_than_the_policy_says() {
        let own = Stored { kept_until: Some(10 * DAY), ..object("a") };
        let told = obstacles(&Described::default(), &[own], 3 * DAY);
        assert_eq!(told, ["1 object is retained until 1970-01-11 (`a`)"]);
    }
}
