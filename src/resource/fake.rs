//! A cloud in memory whose calls go as a test says, for what every cloud goes through.

use std::collections::{BTreeMap, VecDeque};
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use super::{
    Address, AnyResource, Bound, Deleted, Forbids, Obstacle, Output, Owner, Removal, Resource, Seen, Stack,
};
use crate::error::{Error, Kind, Result};
use crate::event::{Advance, Progress};
use crate::http::Reads;
use crate::mutations::Mutations;

/// How many versions one call deletes.
const BATCH: u32 = 1000;
/// How long that takes.
const BATCH_TAKES: Duration = Duration::from_secs(1);

/// What a call is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verb {
    Look,
    Write,
    Delete,
    Release,
}

/// How a call goes. A call without a turn of its own succeeds.
pub(crate) enum Turn {
    /// It succeeds.
    Works,
    /// Nothing leaves this machine.
    Unsent(Error),
    /// The cloud refuses it.
    Refused(Error),
    /// It is carried out, and its answer is lost.
    Lost(Error),
    /// The first of its two requests is carried out, the second is refused.
    Half(Error),
    /// It takes this long, and goes as the next turn says.
    Takes(Duration),
    /// It succeeds; the mark is left out.
    Unmarked,
    /// It succeeds; this many looks still show what was before it.
    Lags(usize),
    /// The cloud carries it out already, until then.
    Until(Timestamp),
    /// Somebody else is there first; then it goes as the next turn says.
    After(Box<dyn FnOnce(&mut World) + Send>),
}

/// What exists.
#[derive(Default)]
pub(crate) struct World {
    there: BTreeMap<Address, Thing>,
    /// The entries of others in the document that a resource of ours is an entry of.
    entries: BTreeMap<Address, Vec<String>>,
    obstacles: BTreeMap<Address, Obstacle>,
    stale: BTreeMap<Address, (usize, Option<Thing>)>,
    turns: BTreeMap<(Address, Verb), VecDeque<Turn>>,
    calls: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Thing {
    size: u32,
    owner: Owner,
    part_of: Option<Address>,
}

/// The address of the resource of `kind`.
pub(crate) fn at(kind: &'static str) -> Address {
    Address::new("test", kind, "acme")
}

impl World {
    /// Puts a `kind` of `size` there, or changes it.
    pub(crate) fn put(&mut self, kind: &'static str, size: u32, owner: Owner) {
        let part_of = self.there.get(&at(kind)).and_then(|thing| thing.part_of.clone());
        self.there.insert(at(kind), Thing { size, owner, part_of });
    }

    /// Takes `kind` away, with what is in it.
    pub(crate) fn take(&mut self, kind: &'static str) {
        self.remove(&at(kind));
    }

    /// Writes somebody else's entry into the document that `kind` is an entry of.
    pub(crate) fn enter(&mut self, kind: &'static str, entry: &str) {
        self.entries.entry(at(kind)).or_default().push(entry.to_owned());
    }

    /// Puts something in the way of a change of `kind`.
    pub(crate) fn forbid(&mut self, kind: &'static str, forbids: Forbids, message: &str) {
        let obstacle = Obstacle { forbids, message: message.to_owned(), hint: Some("clear it".to_owned()) };
        self.obstacles.insert(at(kind), obstacle);
    }

    /// Hides `kind` from the next `looks`.
    pub(crate) fn hide(&mut self, kind: &'static str, looks: usize) {
        self.stale.insert(at(kind), (looks, None));
    }

    fn remove(&mut self, address: &Address) {
        let inside = self.there.iter().filter(|(_, thing)| thing.part_of.as_ref() == Some(address));
        let inside: Vec<_> = inside.map(|(address, _)| address.clone()).collect();
        for address in inside {
            self.there.remove(&address);
            self.entries.remove(&address);
        }
        self.there.remove(address);
    }
}

/// The cloud: a world, and what has been asked of it.
#[derive(Default)]
pub(crate) struct Cloud {
    world: Mutex<World>,
    mutations: Arc<Mutations>,
}

impl Cloud {
    /// An empty one.
    pub(crate) fn new() -> Arc<Self> {
        Arc::default()
    }

    /// What exists, to be looked at and changed.
    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says how the next calls of `verb` on `kind` go.
    pub(crate) fn script(&self, kind: &'static str, verb: Verb, turns: impl IntoIterator<Item = Turn>) {
        self.world().turns.entry((at(kind), verb)).or_default().extend(turns);
    }

    /// The calls since the last time, such as `write bucket`.
    pub(crate) fn calls(&self) -> Vec<String> {
        std::mem::take(&mut self.world().calls)
    }

    /// The size and the owner of `kind`, where it exists.
    pub(crate) fn found(&self, kind: &'static str) -> Option<(u32, Owner)> {
        self.world().there.get(&at(kind)).map(|thing| (thing.size, thing.owner.clone()))
    }

    /// The entries of others in the document that `kind` is an entry of.
    pub(crate) fn entries(&self, kind: &'static str) -> Vec<String> {
        self.world().entries.get(&at(kind)).cloned().unwrap_or_default()
    }

    /// The stack of `resources`, each of which was made for this cloud.
    pub(crate) fn stack(&self, resources: impl IntoIterator<Item = Box<dyn AnyResource>>) -> Stack {
        Stack {
            deployment: "acme".to_owned(),
            scope: "a test".to_owned(),
            resources: resources.into_iter().collect(),
            outputs: vec![Output { name: "BUCKET", value: "test://acme".to_owned() }],
            notes: vec![],
            assumptions: vec![],
            guards: vec![],
            mutations: Arc::clone(&self.mutations),
            reads: Reads::default(),
        }
    }

    /// Makes the call of `verb` on what is at `address`; `change` is what it does to the world, unless the
    /// cloud refuses that.
    async fn call<T>(
        &self,
        address: &Address,
        verb: Verb,
        change: impl Fn(&mut World, Done) -> Result<T>,
    ) -> Result<T> {
        self.world().calls.push(format!("{verb:?} {}", address.kind()).to_lowercase());
        let mutates = verb != Verb::Look;
        loop {
            let turn = self.world().turns.get_mut(&(address.clone(), verb)).and_then(VecDeque::pop_front);
            let before = self.world().there.get(address).cloned();
            let sent = || {
                if mutates {
                    self.mutations.sent()
                }
            };
            let done = match turn {
                Some(Turn::Unsent(error)) => return Err(error),
                Some(Turn::After(act)) => {
                    act(&mut self.world());
                    continue;
                }
                Some(Turn::Takes(time)) => {
                    tokio::time::sleep(time).await;
                    continue;
                }
                Some(Turn::Refused(error)) => {
                    sent();
                    self.mutations.refused();
                    return Err(error);
                }
                Some(Turn::Lost(error)) => {
                    sent();
                    change(&mut self.world(), Done::Whole)?;
                    return Err(error);
                }
                Some(Turn::Half(error)) => {
                    sent();
                    change(&mut self.world(), Done::Half)?;
                    sent();
                    self.mutations.refused();
                    return Err(error);
                }
                Some(Turn::Lags(looks)) => {
                    self.world().stale.insert(address.clone(), (looks, before));
                    Done::Whole
                }
                Some(Turn::Unmarked) => Done::Half,
                Some(Turn::Until(until)) => {
                    return change(&mut self.world(), Done::Until(until));
                }
                Some(Turn::Works) | None => Done::Whole,
            };
            sent();
            let result = change(&mut self.world(), done);
            if mutates && result.is_err() {
                self.mutations.refused();
            }
            return result;
        }
    }
}

#[derive(Clone, Copy)]
enum Done {
    Whole,
    /// All but the mark.
    Half,
    Until(Timestamp),
}

/// What a kind of resource has fixed.
pub(crate) trait Role: Clone + Send + Sync + 'static {
    const REMOVAL: Removal;
    const READ_BACK: bool;
}

/// Stands by itself, and is not read back.
#[derive(Clone)]
pub(crate) struct Plain;
/// Stands by itself, and is read back.
#[derive(Clone)]
pub(crate) struct ReadBack;
/// An entry in a document of its parent.
#[derive(Clone)]
pub(crate) struct Entry;
/// The same, which goes by a call of its own.
#[derive(Clone)]
pub(crate) struct EarlyEntry;
/// What its parent holds.
#[derive(Clone)]
pub(crate) struct Contents;

impl Role for Plain {
    const REMOVAL: Removal = Removal::Own;
    const READ_BACK: bool = false;
}

impl Role for ReadBack {
    const REMOVAL: Removal = Removal::Own;
    const READ_BACK: bool = true;
}

impl Role for Entry {
    const REMOVAL: Removal = Removal::WithParent;
    const READ_BACK: bool = true;
}

impl Role for EarlyEntry {
    const REMOVAL: Removal = Removal::BeforeParent;
    const READ_BACK: bool = true;
}

impl Role for Contents {
    const REMOVAL: Removal = Removal::Contents;
    const READ_BACK: bool = false;
}

/// A resource of size 1, with the mark of this deployment.
#[derive(Clone, Serialize)]
#[serde(bound = "")]
pub(crate) struct Part<R: Role> {
    #[serde(skip)]
    kind: &'static str,
    #[serde(skip)]
    needs: Vec<&'static str>,
    #[serde(skip)]
    part_of: Option<&'static str>,
    #[serde(skip)]
    lease_holder: Option<&'static str>,
    #[serde(skip)]
    detaches: Option<&'static str>,
    #[serde(skip)]
    exclusive: bool,
    #[serde(skip)]
    patience: Duration,
    #[serde(skip)]
    role: PhantomData<R>,
    size: u32,
    mark: Option<String>,
}

impl<R: Role> Part<R> {
    /// The resource of `kind`, which is created by a call that fails where it exists.
    pub(crate) fn new(kind: &'static str) -> Self {
        Self {
            kind,
            needs: vec![],
            part_of: None,
            lease_holder: None,
            detaches: None,
            exclusive: true,
            patience: Duration::from_secs(120),
            role: PhantomData,
            size: 1,
            mark: Some("acme".to_owned()),
        }
    }

    /// The same after `needs`.
    pub(crate) fn needs(self, needs: &[&'static str]) -> Self {
        Self { needs: needs.to_vec(), ..self }
    }

    /// The same as a part of `parent`, which it needs too.
    pub(crate) fn within(self, parent: &'static str) -> Self {
        let needs = std::iter::once(parent).chain(self.needs).collect();
        Self { needs, part_of: Some(parent), exclusive: false, ..self }
    }

    /// The same, created by a call that changes what exists.
    pub(crate) fn inclusive(self) -> Self {
        Self { exclusive: false, ..self }
    }

    /// The same under the lease of `holder`.
    pub(crate) fn under_lease_of(self, holder: &'static str) -> Self {
        Self { lease_holder: Some(holder), ..self }
    }

    /// The same, which `part` has no use without.
    pub(crate) fn detaching(self, part: &'static str) -> Self {
        Self { detaches: Some(part), ..self }
    }

    /// The same with another patience.
    pub(crate) fn patient(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// The resource in `cloud`.
    pub(crate) fn on(self, cloud: &Arc<Cloud>) -> Box<dyn AnyResource> {
        Bound::boxed(self, cloud)
    }

    fn thing(&self, owner: Owner) -> Thing {
        Thing { size: self.size, owner, part_of: self.part_of.map(at) }
    }

    async fn empty(&self, cloud: &Cloud, versions: u32, progress: &Progress) -> Result<Deleted> {
        let mut left = versions;
        while left > 0 {
            if progress.is_cancelled() {
                return Err(Error::new(Kind::Interrupted, format!("empty {}: interrupted", self.address())));
            }
            tokio::time::sleep(BATCH_TAKES).await;
            left = left.saturating_sub(BATCH);
            cloud
                .call(&self.address(), Verb::Delete, |world, _| {
                    match (left, world.there.get_mut(&self.address())) {
                        (0, _) => world.remove(&self.address()),
                        (left, Some(thing)) => thing.size = left,
                        (_, None) => {}
                    }
                    Ok(())
                })
                .await?;
            let (done, total) = (u64::from(versions - left), u64::from(versions));
            progress.advance(Advance { done, total, unit: "versions", ..Advance::default() });
        }
        Ok(Deleted::Gone)
    }
}

impl<R: Role> Resource for Part<R> {
    type Api = Cloud;

    const REMOVAL: Removal = R::REMOVAL;
    const READ_BACK: bool = R::READ_BACK;

    fn address(&self) -> Address {
        at(self.kind)
    }

    fn needs(&self) -> Vec<Address> {
        self.needs.iter().map(|kind| at(kind)).collect()
    }

    fn part_of(&self) -> Option<Address> {
        self.part_of.map(at)
    }

    fn creation_is_exclusive(&self) -> bool {
        self.exclusive
    }

    fn lease_holder(&self) -> Option<Address> {
        self.lease_holder.map(at)
    }

    fn detaches(&self) -> Vec<Address> {
        self.detaches.map(at).into_iter().collect()
    }

    fn patience(&self) -> Duration {
        self.patience
    }

    async fn read(&self, cloud: &Cloud) -> Result<Seen<Self>> {
        let address = self.address();
        cloud
            .call(&address, Verb::Look, |world, _| {
                let thing = match world.stale.get_mut(&address) {
                    Some((looks, before)) if *looks > 0 => {
                        *looks -= 1;
                        before.clone()
                    }
                    _ => world.there.get(&address).cloned(),
                };
                let mut seen = match thing {
                    None => Seen::absent(),
                    Some(Thing { size, owner, .. }) => {
                        let mark = match &owner {
                            Owner::Ours | Owner::Adopted => Some("acme".to_owned()),
                            Owner::Other(mark) => mark.clone(),
                            Owner::Used | Owner::Sufficient(_) | Owner::Unknown(_) => None,
                        };
                        Seen::there(Self { size, mark, ..self.clone() }, owner)
                    }
                };
                let remarks = seen.remarks_mut();
                remarks.kept.extend(world.entries.get(&address).into_iter().flatten().cloned());
                remarks.obstacles.extend(world.obstacles.get(&address).cloned());
                Ok(seen)
            })
            .await
    }

    async fn write(&self, cloud: &Cloud, seen: &Seen<Self>, progress: &Progress) -> Result<()> {
        let address = self.address();
        let owner = match seen.owner() {
            None => Owner::Ours,
            Some(Owner::Other(None)) => Owner::Adopted,
            Some(owner) => owner.clone(),
        };
        cloud
            .call(&address, Verb::Write, |world, done| {
                if self.exclusive && seen.state().is_none() && world.there.contains_key(&address) {
                    return Err(Error::exists(&address));
                }
                let unmarked = seen.owner().cloned().unwrap_or(Owner::Other(None));
                let owner = if matches!(done, Done::Half) { unmarked } else { owner.clone() };
                world.there.insert(address.clone(), self.thing(owner));
                if progress.parent_is_new() {
                    // The document was not read, so it holds this entry and no other.
                    world.entries.remove(&address);
                }
                Ok(())
            })
            .await
    }

    async fn delete(&self, cloud: &Cloud, seen: &Self, progress: &Progress) -> Result<Deleted> {
        if R::REMOVAL == Removal::Contents {
            return self.empty(cloud, seen.size, progress).await;
        }
        cloud
            .call(&self.address(), Verb::Delete, |world, done| {
                if let Done::Until(until) = done {
                    return Ok(Deleted::Pending { how: "it goes by itself", until });
                }
                world.remove(&self.address());
                Ok(Deleted::Gone)
            })
            .await
    }

    async fn release(&self, cloud: &Cloud, _: &Self, _: &Progress) -> Result<()> {
        cloud
            .call(&self.address(), Verb::Release, |world, _| {
                if let Some(thing) = world.there.get_mut(&self.address()) {
                    thing.owner = Owner::Other(None);
                }
                Ok(())
            })
            .await
    }
}
