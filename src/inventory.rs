//! The deployments of an account, from the marks on its resources. A cloud lists the marked resources; what
//! belongs together, what is missing and when it expires follows from the marks.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Serialize, Serializer};

use crate::error::{Error, Kind, Result};
use crate::mark::{ADOPTED, Codec, DEPLOYMENT, EXPIRES, Entries, INTERNAL, Mark, QUEUE, ROLE, TEAM};
use crate::name::{DeploymentName, StorageName, TeamName};
use crate::value::quoted;

/// The [`ROLE`] of what `verify` creates for a moment, which is not part of a deployment.
pub(crate) const PROBE: &str = "probe";

/// The deployments of an account.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Inventory {
    /// What was searched, in words for people.
    pub scope: String,
    /// The deployments, by name.
    pub deployments: Vec<Deployment>,
    /// What could not be read, one sentence each.
    pub unread: Vec<String>,
}

/// One deployment, or one of its teams, as its marks describe it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Deployment {
    pub name: String,
    /// The team, of a bucket that is a team's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// The region of its bucket.
    pub region: String,
    /// When its first part was created: seconds since the epoch, where the cloud shows it.
    #[serde(serialize_with = "date")]
    pub created: Option<i64>,
    /// When it expires: seconds since the epoch; never without one.
    #[serde(serialize_with = "date")]
    pub expires: Option<i64>,
    /// The resources that carry its mark.
    pub parts: Vec<Part>,
    /// What it uses and does not own, by its marks or by where it is: a resource group, an account of others, the
    /// identity that may sign.
    pub refers_to: Vec<Part>,
    /// The resources that should exist, by what the others name, and do not.
    pub missing: Vec<Part>,
}

/// One resource of a deployment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Part {
    /// Its kind, such as `queue`.
    pub kind: String,
    /// Its name; empty where no mark names it.
    pub name: String,
}

impl Part {
    pub(crate) fn new(kind: &str, name: impl Into<String>) -> Self {
        Self { kind: kind.to_owned(), name: name.into() }
    }
}

impl Deployment {
    /// Its name, and that of the team.
    pub fn title(&self) -> String {
        self.team.as_ref().map_or_else(|| self.name.clone(), |team| format!("{}/{team}", self.name))
    }

    /// The storage that it is.
    ///
    /// # Errors
    /// When a mark names no possible one.
    pub(crate) fn storage(&self) -> Result<StorageName> {
        let team = self.team.as_deref().map(str::parse).transpose()?;
        Ok(StorageName { deployment: self.name.parse()?, team })
    }

    /// All that is known of it by name: what exists, what it uses, and what is missing.
    pub fn named(&self) -> impl Iterator<Item = &Part> {
        self.parts.iter().chain(&self.refers_to).chain(&self.missing)
    }

    /// The name of the part of this `kind`, where one is known. Of several the last is the one that the
    /// bucket's own mark gives.
    ///
    /// # Errors
    /// When it cannot be a name.
    pub(crate) fn part<T: FromStr<Err = Error>>(&self, kind: &str) -> Result<Option<T>> {
        let named = self.named().filter(|part| part.kind == kind && !part.name.is_empty());
        named.last().map(|part| part.name.parse()).transpose()
    }

    /// Whether there is a part of this `kind`, or should be.
    pub(crate) fn has(&self, kind: &str) -> bool {
        self.named().any(|part| part.kind == kind)
    }
}

/// Seconds since the epoch as RFC 3339.
fn date<S: Serializer>(seconds: &Option<i64>, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    let date = seconds.and_then(|seconds| Timestamp::from_second(seconds).ok());
    date.map(|date| date.to_string()).serialize(serializer)
}

/// A marked resource.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Marked {
    pub(crate) kind: &'static str,
    pub(crate) name: String,
    /// What keeps deployments of one name apart; empty for what belongs to those of every place.
    pub(crate) place: String,
    /// The region to show.
    pub(crate) region: String,
    /// Seconds since the epoch.
    pub(crate) created: Option<i64>,
    pub(crate) mark: Mark,
    pub(crate) refers_to: Vec<Part>,
}

impl Marked {
    /// A resource of `kind` with these entries, where they hold a mark. What names no possible deployment was
    /// written by others.
    pub(crate) fn new(kind: &'static str, name: &str, codec: &Codec, entries: &Entries) -> Option<Self> {
        let mark = codec.read(entries);
        mark.get(DEPLOYMENT)?.parse::<DeploymentName>().ok()?;
        mark.get(TEAM).map(str::parse::<TeamName>).transpose().ok()?;
        Some(Self { kind, name: name.to_owned(), mark, ..Self::default() })
    }

    fn part(&self) -> Part {
        Part::new(self.kind, &self.name)
    }
}

/// A part that the mark of the bucket names.
pub(crate) struct Expected {
    pub(crate) kind: &'static str,
    /// The entry of the bucket's mark.
    pub(crate) by: &'static str,
    /// How it is called.
    pub(crate) called: Called,
}

/// How a part is called that should exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Called {
    /// As the mark of the bucket says.
    AsMarked,
    /// `wbstore-` and the deployment's name.
    Derived,
    /// The marks do not say it.
    Unknown,
}

/// What the deployments of a cloud consist of.
pub(crate) struct Layout {
    /// The kind whose mark speaks for all: the bucket.
    pub(crate) bucket: &'static str,
    pub(crate) parts: &'static [Expected],
}

/// What the listings of a cloud returned.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Looked {
    pub(crate) parts: Vec<Marked>,
    /// What could not be read, one sentence each.
    pub(crate) unread: Vec<String>,
    /// The kinds, by place, of which not all could be read, so that none counts as missing.
    unsure: BTreeSet<(String, &'static str)>,
}

impl Looked {
    pub(crate) fn add(&mut self, other: Self) {
        self.parts.extend(other.parts);
        self.unread.extend(other.unread);
        self.unsure.extend(other.unsure);
    }

    /// Notes that not all of `kinds` in `place` were read, for this reason.
    pub(crate) fn unsure(&mut self, kinds: &[&'static str], place: &str, reason: String) {
        self.unread.push(reason);
        self.unsure.extend(kinds.iter().map(|kind| (place.to_owned(), *kind)));
    }

    /// Notes that `what` cannot be listed.
    ///
    /// # Errors
    /// `error`, where nothing of the rest can be read either: without credentials.
    pub(crate) fn unlisted(
        &mut self,
        kinds: &[&'static str],
        place: &str,
        what: &str,
        error: Error,
    ) -> Result<()> {
        self.passed_over(kinds, place, format!("{what} cannot be listed"), error)
    }

    /// Notes that the mark of `what` cannot be read.
    ///
    /// # Errors
    /// As [`unlisted`](Self::unlisted).
    pub(crate) fn unreadable(
        &mut self,
        kinds: &[&'static str],
        place: &str,
        what: &str,
        error: Error,
    ) -> Result<()> {
        let failed = format!("{what} could belong to a deployment, but its mark cannot be read");
        self.passed_over(kinds, place, failed, error)
    }

    fn passed_over(
        &mut self,
        kinds: &[&'static str],
        place: &str,
        failed: String,
        error: Error,
    ) -> Result<()> {
        if error.kind() == Kind::Credentials {
            return Err(error);
        }
        self.unsure(kinds, place, format!("{failed}: {}", error.chain()));
        Ok(())
    }

    fn is_unsure(&self, kind: &str, place: &str) -> bool {
        self.unsure.iter().any(|(at, unsure)| *unsure == kind && (at.is_empty() || at == place))
    }
}

impl Inventory {
    /// The deployments whose lease has ended at `now`, in seconds since the epoch.
    pub fn expired(&self, now: i64) -> impl Iterator<Item = &Deployment> {
        self.deployments.iter().filter(move |deployment| deployment.expires.is_some_and(|end| end <= now))
    }

    /// The deployments among what was found: what carries the same names in the same place.
    pub(crate) fn of(scope: String, mut looked: Looked, layout: &Layout) -> Self {
        let mut names: BTreeMap<(String, Option<String>), Vec<Marked>> = BTreeMap::new();
        for part in std::mem::take(&mut looked.parts) {
            if part.mark.get(ROLE) != Some(PROBE)
                && let Some(name) = part.mark.get(DEPLOYMENT)
            {
                let team = part.mark.get(TEAM).map(str::to_owned);
                names.entry((name.to_owned(), team)).or_default().push(part);
            }
        }
        let (mut deployments, mut unread) = (vec![], std::mem::take(&mut looked.unread));
        for ((name, team), parts) in names {
            let mut places: BTreeSet<&str> = parts.iter().map(|part| part.place.as_str()).collect();
            if places.len() > 1 {
                places.remove("");
            }
            for place in places {
                let here = parts.iter().filter(|part| part.place.is_empty() || part.place == place);
                let group =
                    Group { name: &name, team: team.as_deref(), place, parts: here.collect(), layout };
                deployments.push(group.deployment(&looked, &mut unread));
            }
        }
        let order = |one: &Deployment| (one.name.clone(), one.team.clone(), one.region.clone());
        deployments.sort_by_cached_key(order);
        unread.sort();
        unread.dedup();
        Self { scope, deployments, unread }
    }
}

/// The marked resources of one deployment.
struct Group<'a> {
    name: &'a str,
    team: Option<&'a str>,
    place: &'a str,
    parts: Vec<&'a Marked>,
    layout: &'a Layout,
}

impl Group<'_> {
    fn deployment(mut self, looked: &Looked, unread: &mut Vec<String>) -> Deployment {
        // Of several of a kind, the one that the bucket names comes last, or else the one with the derived name.
        let named: BTreeSet<String> = self
            .buckets()
            .flat_map(|bucket| self.layout.parts.iter().filter_map(|part| bucket.mark.get(part.by)))
            .map(str::to_owned)
            .collect();
        let derived = self.derived();
        self.parts.sort_by_cached_key(|part| {
            (part.kind, named.contains(&part.name), part.name == derived, part.name.clone())
        });
        let region = self.parts.iter().map(|part| part.region.as_str()).find(|region| !region.is_empty());
        Deployment {
            name: self.name.to_owned(),
            team: self.team.map(str::to_owned),
            region: region.unwrap_or_default().to_owned(),
            created: self.created(),
            expires: self.expires(looked, unread),
            parts: self.parts.iter().map(|part| part.part()).collect(),
            refers_to: self.refers_to(),
            missing: self.missing(looked),
        }
    }

    fn buckets(&self) -> impl Iterator<Item = &Marked> {
        self.parts.iter().copied().filter(|part| part.kind == self.layout.bucket)
    }

    fn derived(&self) -> String {
        format!("wbstore-{}", self.name)
    }

    /// When the first part was created. What was adopted may be years older than the deployment, and counts only
    /// when there is nothing else.
    fn created(&self) -> Option<i64> {
        let dates =
            self.parts.iter().filter_map(|part| Some((part.mark.get(ADOPTED).is_some(), part.created?)));
        dates.min().map(|(_, date)| date)
    }

    /// When the lease ends: by the mark of the bucket, and without one by the last of the other parts. The lease of
    /// a deployment may have been extended while a part could not be written.
    fn expires(&self, looked: &Looked, unread: &mut Vec<String>) -> Option<i64> {
        let has_bucket = self.buckets().next().is_some();
        if !has_bucket && looked.is_unsure(self.layout.bucket, self.place) {
            // Its bucket may be one that could not be read, with another lease.
            return None;
        }
        let mut last = None;
        for part in self.parts.iter().filter(|part| !has_bucket || part.kind == self.layout.bucket) {
            // A part with an endless lease keeps the whole.
            let text = part.mark.get(EXPIRES)?;
            let Some(end) = part.mark.end() else {
                if text.parse::<Timestamp>().is_err() {
                    let Marked { kind, name, .. } = part;
                    unread.push(format!(
                        "the end of the lease of {kind} {name} is not a date: {}",
                        quoted(text)
                    ));
                }
                return None;
            };
            last = last.max(Some(end.as_second()));
        }
        last
    }

    /// What the parts refer to, but for what is a part itself.
    fn refers_to(&self) -> Vec<Part> {
        let mut all: Vec<Part> = vec![];
        for one in self.parts.iter().flat_map(|part| &part.refers_to) {
            if !all.contains(one) && !self.parts.iter().any(|part| part.part() == *one) {
                all.push(one.clone());
            }
        }
        all
    }

    /// What should exist, by what the marks name or by what exists beside it, and does not.
    fn missing(&self, looked: &Looked) -> Vec<Part> {
        let exists = |kind: &str, name: &str| {
            self.parts.iter().any(|part| part.kind == kind && (name.is_empty() || part.name == name))
        };
        let mut missing = vec![];
        let bucket = self.buckets().next();
        if bucket.is_none() {
            missing.push(Part::new(self.layout.bucket, ""));
        }
        for Expected { kind, by, called } in self.layout.parts {
            let marked = bucket.and_then(|bucket| bucket.mark.get(by));
            let expected = match marked {
                Some(value) => value != INTERNAL,
                // A part of the events shows that the others should exist.
                None => {
                    let mut events = self.layout.parts.iter().filter(|part| part.by == QUEUE);
                    *by == QUEUE && events.any(|part| exists(part.kind, ""))
                }
            };
            if !expected {
                continue;
            }
            let name = match called {
                Called::AsMarked => marked.unwrap_or_default().to_owned(),
                Called::Derived => self.derived(),
                Called::Unknown => String::new(),
            };
            if !exists(kind, &name) {
                missing.push(Part::new(kind, name));
            }
        }
        missing.retain(|part| !looked.is_unsure(&part.kind, self.place));
        missing
    }
}

#[cfg(test)]
mod tests;
