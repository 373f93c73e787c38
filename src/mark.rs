//! The mark: entries in tags, labels or metadata that name the deployment a resource belongs to, its lease and
//! the parts that belong with it. A [`Codec`] is the spelling of one cloud; the meaning is the same.
//!
//! A mark is set in the creating call, so that no resource of wbstore is ever without one.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::ablation::Safeguard;
use crate::error::{Error, Kind, Result};
use crate::expiry::{Expiry, Voucher};
use crate::lease::Lease;
use crate::name::{StorageName, TeamName};
use crate::provider::Wanted;
use crate::resource::{Address, Forbids, Owner, Seen, belongs_to};
use crate::text::word;
use crate::value::quoted;

/// Tags, labels or metadata as the cloud has them, those of others included.
pub(crate) type Entries = BTreeMap<String, String>;

/// The deployment's name.
pub(crate) const DEPLOYMENT: &str = "deployment";
/// The team's name, on what belongs to a team of the deployment.
pub(crate) const TEAM: &str = "team";
/// Present on what existed before wbstore marked it.
pub(crate) const ADOPTED: &str = "adopted";
/// The lease as it was asked for, such as `7d`.
pub(crate) const LEASE: &str = "lease";
/// When the lease ends.
pub(crate) const EXPIRES: &str = "expires";
/// What it is for, where a deployment may have several of a kind.
pub(crate) const ROLE: &str = "role";
/// On the bucket: the name of the queue or what kind of queue there is; [`INTERNAL`] for none.
pub(crate) const QUEUE: &str = "queue";
/// The value of [`QUEUE`] for the server's own Redis queue.
pub(crate) const INTERNAL: &str = "internal";
/// On the bucket: the origins of our CORS rule, where rules have no id.
pub(crate) const ORIGIN: &str = "origin";
/// On the bucket: the origins before that, so that a rule which was not replaced yet stays ours.
pub(crate) const FORMER_ORIGIN: &str = "former_origin";

/// Whether `field` of a plan is an entry of a mark that is of no use to a reviewer: all but the lease.
pub(crate) fn is_bookkeeping(field: &str) -> bool {
    let Some((entries, key)) = field.split_once('.') else { return false };
    let is_ours = entries == "mark" || key.starts_with("wbstore");
    is_ours && ![LEASE, EXPIRES].iter().any(|name| key.ends_with(name))
}

/// How a kind of resource spells a mark.
#[derive(Debug)]
pub(crate) struct Codec {
    /// What the cloud calls the entries, such as `tags`.
    pub(crate) entries: &'static str,
    /// The prefix of all keys.
    pub(crate) prefix: &'static str,
    /// The whole key of [`DEPLOYMENT`].
    pub(crate) deployment: &'static str,
    /// Between the words of a key.
    pub(crate) separator: char,
    /// Whether keys may come back in another case.
    pub(crate) any_case: bool,
    /// Whether times are written in seconds since the epoch, where values cannot hold RFC 3339.
    pub(crate) seconds: bool,
    /// Whether plans show the names of a mark without prefix, where a cloud has several spellings.
    pub(crate) names_shown: bool,
    /// The most entries that one resource can have.
    pub(crate) most: usize,
    pub(crate) tags: UserTags,
}

/// Whether what has a mark of this spelling also has the [tags](crate::tag) that the user wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UserTags {
    /// It has none.
    None,
    /// It has them, and plans show them among the entries of the mark.
    Among,
    /// It has them, and plans show them as a field beside the mark.
    Beside,
}

impl Codec {
    /// Entries such as `wbstore-deployment: acme`.
    pub(crate) const DASHED: Self = Self {
        entries: "labels",
        prefix: "wbstore-",
        deployment: "wbstore-deployment",
        separator: '-',
        any_case: false,
        seconds: false,
        names_shown: false,
        most: usize::MAX,
        tags: UserTags::None,
    };

    /// The key of `name`, one of the constants of a mark.
    pub(crate) fn key(&self, name: &str) -> String {
        if name == DEPLOYMENT {
            return self.deployment.to_owned();
        }
        format!("{}{}", self.prefix, name.replace('_', &self.separator.to_string()))
    }

    /// The name behind `key`, if it is one of a mark.
    fn name(&self, key: &str) -> Option<String> {
        let key = if self.any_case { key.to_lowercase() } else { key.to_owned() };
        if key == self.deployment {
            return Some(DEPLOYMENT.to_owned());
        }
        key.strip_prefix(self.prefix).map(|name| name.replace(self.separator, "_"))
    }

    /// The mark in `entries`.
    pub(crate) fn read(&self, entries: &Entries) -> Mark {
        let ours = entries.iter().filter_map(|(key, value)| {
            let name = self.name(key)?;
            let time = (self.seconds && is_time(&name)).then(|| value.parse().ok());
            let time = time.flatten().and_then(|seconds| Timestamp::from_second(seconds).ok());
            Some((name, time.map_or_else(|| value.clone(), |time| time.to_string())))
        });
        Mark(ours.collect())
    }

    /// `mark` as entries.
    pub(crate) fn write(&self, mark: &Mark) -> Entries {
        let spelled = mark.0.iter().map(|(name, value)| {
            let time = (self.seconds && is_time(name)).then(|| value.parse::<Timestamp>().ok());
            let seconds = time.flatten().map(|time| time.as_second().to_string());
            (self.key(name), seconds.unwrap_or_else(|| value.clone()))
        });
        spelled.collect()
    }

    /// The entry of `entries` for `key`, in the case that it has there.
    fn entry<'a>(&self, entries: &'a Entries, key: &str) -> Option<(&'a String, &'a String)> {
        let is_same = |other: &str| self.any_case && other.to_lowercase() == key.to_lowercase();
        entries.get_key_value(key).or_else(|| entries.iter().find(|(other, _)| is_same(other)))
    }

    /// `observed` without the entries of a mark.
    pub(crate) fn others(&self, observed: &Entries) -> Entries {
        let others = observed.iter().filter(|(key, _)| self.name(key).is_none());
        others.map(|(key, value)| (key.clone(), value.clone())).collect()
    }

    /// `observed` with `mark` in place of the existing one.
    pub(crate) fn replace(&self, observed: &Entries, mark: &Mark) -> Entries {
        let mut all = self.others(observed);
        all.extend(self.write(mark));
        all
    }
}

/// The entries of a JSON object.
pub(crate) fn entries(object: &Value) -> Entries {
    let entries = object.as_object().into_iter().flatten();
    entries.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
}

/// Whether the value of `name` may be a time.
fn is_time(name: &str) -> bool {
    matches!(name, LEASE | EXPIRES)
}

/// The content of a mark, by the constants above; times are in RFC 3339.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mark(BTreeMap<String, String>);

impl Mark {
    /// The mark of what belongs to the storage `wanted`: its name, its lease, and the end of that where it is
    /// renewed. Otherwise the end is not part of what is desired, since it would differ at every look.
    pub(crate) fn desired(wanted: &Wanted) -> Self {
        let mut mark = Self::default();
        mark.set(DEPLOYMENT, wanted.name.deployment.as_str());
        if let Some(team) = &wanted.name.team {
            mark.set(TEAM, team.as_str());
        }
        if let Some(lease) = &wanted.lease {
            mark.set(LEASE, lease.to_string());
            if let Some(end) = wanted.renew_from.and_then(|now| lease.ends_at(now)) {
                mark.set(EXPIRES, time(end));
            }
        }
        mark
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub(crate) fn set(&mut self, name: &str, value: impl Into<String>) {
        self.0.insert(name.to_owned(), value.into());
    }

    pub(crate) fn remove(&mut self, name: &str) {
        self.0.remove(name);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn lease(&self) -> Option<Lease> {
        self.get(LEASE)?.parse().ok()
    }

    /// When the lease ends, where that can be read.
    pub(crate) fn end(&self) -> Option<Timestamp> {
        self.get(EXPIRES).filter(|_| !self.is_endless())?.parse().ok()
    }

    /// Whether the lease does not end, so that an end written earlier must be removed.
    fn is_endless(&self) -> bool {
        self.get(LEASE).is_some_and(|text| *text == Lease::never().to_string())
    }

    /// The lease, where the mark is that of `storage`.
    pub(crate) fn lease_of(&self, storage: &StorageName) -> Option<Lease> {
        matches!(self.owner(storage), Owner::Ours | Owner::Adopted).then(|| self.lease())?
    }

    /// The storage that it names, as [`StorageName`] is displayed.
    pub(crate) fn storage(&self) -> Option<String> {
        let deployment = self.get(DEPLOYMENT)?;
        Some(self.get(TEAM).map_or_else(|| deployment.to_owned(), |team| format!("{deployment}/{team}")))
    }

    /// Whose the marked resource is, from the view of `storage`.
    pub(crate) fn owner(&self, storage: &StorageName) -> Owner {
        let is_named = self.get(DEPLOYMENT) == Some(storage.deployment.as_str());
        let is_of_team = self.get(TEAM) == storage.team.as_ref().map(TeamName::as_str);
        match self.storage() {
            None => Owner::Other(None),
            Some(other) if !(is_named && is_of_team) => Owner::Other(Some(other)),
            Some(_) if self.get(ADOPTED).is_some() => Owner::Adopted,
            Some(_) => Owner::Ours,
        }
    }

    /// The part of what was observed that `desired` covers. A lease without its end counts as missing, so that
    /// it is set again; one that ends later than a renewal asks for is as good.
    fn managed(&self, desired: &Self) -> Self {
        let mut managed = self.clone();
        managed.0.retain(|name, _| desired.0.contains_key(name));
        let end = self.end();
        if end.is_none() && !self.is_endless() {
            managed.remove(LEASE);
        }
        if let Some(renewed) = desired.get(EXPIRES)
            && self.get(LEASE) == desired.get(LEASE)
            && end >= desired.end()
        {
            managed.set(EXPIRES, renewed);
        }
        managed
    }

    /// The mark to write where `desired` is wanted and this one was observed: what is observed and not managed
    /// stays. A lease that stays the same keeps the end that it has; another one ends counted from `now`.
    fn changed(&self, desired: &Self, adopting: bool, now: Timestamp) -> Self {
        let mut mark = self.clone();
        if desired.is_endless() {
            mark.remove(EXPIRES);
        }
        mark.0.extend(desired.0.clone());
        if desired.get(EXPIRES).is_none()
            && let Some(end) = desired.lease().and_then(|lease| lease.ends_at(now))
        {
            let kept = self.end().filter(|_| self.get(LEASE) == desired.get(LEASE));
            mark.set(EXPIRES, time(kept.unwrap_or(end)));
        }
        if let Some(former) = self.get(ORIGIN).filter(|former| mark.get(ORIGIN) != Some(former)) {
            mark.set(FORMER_ORIGIN, former);
        }
        if adopting {
            mark.set(ADOPTED, "true");
        }
        mark
    }
}

/// In whole seconds.
fn time(time: Timestamp) -> String {
    Timestamp::from_second(time.as_second()).unwrap_or(time).to_string()
}

/// The mark that a resource should have, or the managed part of the one that it has.
#[derive(Clone, Debug)]
pub(crate) struct Marking {
    codec: &'static Codec,
    storage: StorageName,
    /// Under `teardown --expired`: what else has to hold.
    expiry: Option<Expiry>,
    mark: Mark,
    /// The tags that the user wants, or the values that they have. One that is no longer wanted stays: whether others
    /// have come to depend on it cannot be known.
    tags: Entries,
}

impl PartialEq for Marking {
    fn eq(&self, other: &Self) -> bool {
        self.mark == other.mark && self.tags == other.tags
    }
}

impl Serialize for Marking {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut entries = match self.codec.names_shown {
            true => self.mark.0.clone(),
            false => self.codec.write(&self.mark),
        };
        if self.codec.tags == UserTags::Among {
            entries.extend(self.tags.clone());
        }
        entries.serialize(serializer)
    }
}

impl Marking {
    /// The mark of what belongs to the storage `wanted`.
    pub(crate) fn of(wanted: &Wanted, codec: &'static Codec) -> Self {
        let tags = wanted.tags.iter().filter(|_| codec.tags != UserTags::None);
        let tags = tags.map(|tag| (tag.key.clone(), tag.value.clone())).collect();
        Self { codec, storage: wanted.name.clone(), expiry: None, mark: Mark::desired(wanted), tags }
    }

    /// The same with one entry more.
    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.mark.set(name, value);
        self
    }

    /// The same, to be removed under `expiry`.
    pub(crate) fn expiring(self, expiry: Option<Expiry>) -> Self {
        Self { expiry, ..self }
    }

    pub(crate) fn storage(&self) -> &StorageName {
        &self.storage
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.mark.get(name)
    }

    /// The tags that the user wants, or the values that they have.
    pub(crate) fn tags(&self) -> &Entries {
        &self.tags
    }

    /// See [`Resource::vouchers`](crate::resource::Resource::vouchers).
    pub(crate) fn vouchers(&self) -> Option<Vec<Voucher>> {
        self.expiry.as_ref()?.vouchers()
    }

    /// See [`Resource::lease_holder`](crate::resource::Resource::lease_holder).
    pub(crate) fn lease_holder(&self) -> Option<Address> {
        self.expiry.as_ref()?.holder.clone()
    }

    /// The mark of something new.
    pub(crate) fn to_create(&self) -> Entries {
        if !Safeguard::MarkInCreatingCall.holds() {
            return Entries::default();
        }
        self.with_tags(self.codec.write(&self.to_write(&Mark::default(), false)))
    }

    /// `entries` with the tags that the user wants.
    pub(crate) fn with_tags(&self, mut entries: Entries) -> Entries {
        for (key, value) in &self.tags {
            // A cloud to which case means nothing has one of each, in the case in which it was first written.
            let key = self.codec.entry(&entries, key).map_or(key, |(there, _)| there).clone();
            entries.insert(key, value.clone());
        }
        entries
    }

    /// The mark to write over `observed`.
    pub(crate) fn to_write(&self, observed: &Mark, adopting: bool) -> Mark {
        observed.changed(&self.mark, adopting, Timestamp::now())
    }

    /// `observed`, as it is read right before a write, with the mark to write in place of the existing one.
    ///
    /// # Errors
    /// As [`Marking::require_untaken`].
    pub(crate) fn to_update(&self, observed: &Entries, adopting: bool) -> Result<Entries> {
        self.require_untaken(observed)?;
        Ok(self.updated(observed, adopting))
    }

    /// The same, to find out how large it is.
    pub(crate) fn updated(&self, observed: &Entries, adopting: bool) -> Entries {
        self.with_tags(self.codec.replace(observed, &self.to_write(&self.codec.read(observed), adopting)))
    }

    /// Checks that nobody else has marked it since the decision, from what is read right before a write.
    ///
    /// # Errors
    /// [`Kind::Outdated`], upon which the step is decided again.
    pub(crate) fn require_untaken(&self, observed: &Entries) -> Result<()> {
        match self.codec.read(observed).owner(&self.storage) {
            Owner::Other(Some(other)) => {
                Err(Error::new(Kind::Outdated, format!("it now belongs to {}", belongs_to(&other))))
            }
            _ => Ok(()),
        }
    }

    /// `observed` without the mark; as it is where another deployment has marked it since the decision.
    pub(crate) fn to_release(&self, observed: &Entries) -> Entries {
        match self.codec.read(observed).owner(&self.storage) {
            Owner::Other(Some(_)) => observed.clone(),
            _ => self.codec.others(observed),
        }
    }

    /// The managed part of `observed`, and the values there of the tags that the user wants.
    pub(crate) fn observed(&self, observed: &Entries) -> Self {
        let tags = self.tags.keys().filter_map(|key| {
            let (_, value) = self.codec.entry(observed, key)?;
            Some((key.clone(), value.clone()))
        });
        Self { mark: self.codec.read(observed).managed(&self.mark), tags: tags.collect(), ..self.clone() }
    }

    /// What a look showed that found these entries on a resource in `state`: whose it is, whether its lease
    /// allows its deletion, and whether our mark fits. `created` is `None` where the cloud's date cannot be
    /// trusted.
    pub(crate) fn seen<R>(&self, observed: &Entries, created: Option<Timestamp>, state: R) -> Seen<R> {
        let mark = self.codec.read(observed);
        let mut seen = Seen::there(state, mark.owner(&self.storage));
        if let Some(expiry) = &self.expiry {
            expiry.check(&mut seen, mark.end(), created, Timestamp::now());
        }
        let Codec { entries, most, .. } = self.codec;
        let all = self.updated(observed, seen.is_unmarked()).len();
        if all > *most {
            seen.obstacle(
                Forbids::Write,
                format!("with the wbstore mark it would have {all} {entries}; the cloud allows {most}"),
                format!("remove {} of its {entries} that are not needed", all - most),
            );
        }
        seen
    }

    /// Keeps a resource whose `observed` mark names, by the entry `name`, a part that is not in the request:
    /// deleting it would leave that part behind. `part` returns, of its name in quotes and as a
    /// word of a command, what the part is called and how to request it.
    pub(crate) fn keep_parts<R>(
        &self,
        observed: &Entries,
        name: &str,
        part: impl FnOnce(&str, &str) -> (String, String),
        seen: &mut Seen<R>,
    ) {
        let observed = self.codec.read(observed);
        let Some(is) = observed.get(name).filter(|is| *is != INTERNAL && self.get(name) != Some(is)) else {
            return;
        };
        let (part, hint) = part(&quoted(is), word(is).unwrap_or("NAME"));
        seen.finding(format!("its mark names {part}, which is kept; `wbstore list` shows it"));
        let message = format!("its mark names {part}, which this command would leave behind");
        seen.obstacle(Forbids::Delete, message, hint);
    }
}

#[cfg(test)]
pub(crate) mod tests;
