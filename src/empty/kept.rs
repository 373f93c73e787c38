//! What keeps objects from being deleted: holds, retentions of their own, and the bucket's policy.
//!
//! wbstore neither lifts a hold nor shortens a retention.

use jiff::Timestamp;

use super::store::{Entry, Hold, Retention};
use crate::resource::{Forbids, Remarks};
use crate::value::quoted;

/// How many names of kept objects are shown.
const NAMED: usize = 3;

/// What is kept, by reason.
#[derive(Clone, Debug, Default)]
pub(super) struct Kept {
    held: Vec<(&'static Hold, Sample)>,
    dated: Sample,
    /// The latest end of a retention, in seconds since the epoch.
    until: i64,
}

/// Objects that are kept for one reason: their number and the first few names.
#[derive(Clone, Debug, Default)]
struct Sample {
    count: u64,
    first: Vec<String>,
}

impl Sample {
    fn add(&mut self, name: &str) {
        self.count += 1;
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

impl Kept {
    /// Notes what keeps `entry`, of a bucket with this policy, at `now`.
    pub(super) fn add(&mut self, entry: &Entry, policy: Option<&Retention>, now: i64) {
        if let Some(hold) = entry.hold {
            let at = self.held.iter().position(|(other, _)| other.words == hold.words).unwrap_or_else(|| {
                self.held.push((hold, Sample::default()));
                self.held.len() - 1
            });
            self.held[at].1.add(&entry.key);
        }
        // An object older than the policy does not show the date that follows from it.
        let policy = policy.map(|policy| entry.created.saturating_add(policy.seconds));
        if let Some(until) = entry.kept_until.max(policy).filter(|until| *until > now) {
            self.until = self.until.max(until);
            self.dated.add(&entry.key);
        }
    }

    /// Adds what keeps objects of `bucket` to its obstacles.
    pub(super) fn forbid(&self, bucket: &str, policy: Option<&Retention>, remarks: &mut Remarks) {
        for (hold, sample) in &self.held {
            let (subject, examples) = (sample.subject(), sample.examples());
            let message = format!("{subject} under {} {examples}, which wbstore never lifts", hold.words);
            remarks.obstacle(Forbids::Delete, message, (hold.hint)(bucket));
        }
        if self.dated.count > 0 {
            let by = policy.map(|policy| format!(" by {}", policy.words)).unwrap_or_default();
            let (subject, examples) = (self.dated.subject(), self.dated.examples());
            let message = format!("{subject} retained until {}{by} {examples}", date(self.until));
            remarks.obstacle(Forbids::Delete, message, "wait until then; wbstore never shortens a retention");
        }
    }
}

/// The day of `seconds` since the epoch, in UTC. The longest retention ends after the last date there is.
fn date(seconds: i64) -> String {
    Timestamp::from_second(seconds)
        .map_or_else(|_| "a date out of range".to_owned(), |time| time.strftime("%Y-%m-%d").to_string())
}
