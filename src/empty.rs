//! The contents of a bucket: counted for the plan of a teardown, and deleted by it.
//!
//! A cloud adds a [`Store`]. One [walk] produces the entries, one [sweep] consumes them in batches. What the plan
//! has counted is kept as a [backlog], and deleted without being listed again: after the second decision, by the
//! same process.

mod backlog;
mod cut;
mod kept;
mod lifecycle;
mod pace;
mod store;
mod sweep;
mod tally;
#[cfg(test)]
pub(crate) mod tests;
mod walk;

use std::marker::PhantomData;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::try_join;
use jiff::Timestamp;
use serde::Serialize;

use self::backlog::Backlog;
pub(crate) use self::lifecycle::is_emptying;
pub(crate) use self::pace::MaxRate;
pub(crate) use self::store::{
    Batches, Counted, Cursor, Entry, Expiration, Hold, Lifecycle, Listing, Look, Outcome, Page, Retention,
    Store, Task, What, page,
};
pub(crate) use self::sweep::{filled, interrupted};
pub(crate) use self::tally::Tally;
use crate::error::{Error, Kind, Result};
use crate::event::Progress;
use crate::provider::{EmptyBy, Wanted};
use crate::resource::{Address, Deleted, Forbids, Owner, Remarks, Removal, Resource, Seen};

/// All that one bucket holds. It serialises as the fields that a plan shows of what was found.
#[derive(Clone, Serialize)]
#[serde(bound = "")]
pub(crate) struct Objects<S: Store> {
    #[serde(skip)]
    address: Address,
    #[serde(skip)]
    parent: Address,
    #[serde(skip)]
    deployment: String,
    #[serde(skip)]
    delete_objects: bool,
    #[serde(skip)]
    empty_by: EmptyBy,
    #[serde(skip)]
    max_rate: Option<MaxRate>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    found: Option<Tally>,
    /// The result of the first read, which counts; the reads after it only look.
    #[serde(skip)]
    counted: Arc<Mutex<Count>>,
    #[serde(skip)]
    store: PhantomData<S>,
}

/// Whether the bucket was counted, and what is left of that.
#[derive(Debug, Default)]
enum Count {
    #[default]
    Outstanding,
    /// There was nothing.
    Empty,
    Kept(Box<(Tally, Backlog)>),
    /// It was used once: from then on only a new look shows what there is.
    Used,
}

impl Count {
    /// Whether there was nothing; that is relied on once.
    fn take_empty(&mut self) -> bool {
        let is_empty = matches!(self, Self::Empty);
        if is_empty {
            *self = Self::Used;
        }
        is_empty
    }
}

impl<S: Store> Objects<S> {
    /// The contents of the bucket at `parent`, which belongs to the storage `wanted`. Unless the user said
    /// that they may be deleted, a bucket that holds something is not torn down.
    pub(crate) fn new(parent: Address, wanted: &Wanted) -> Self {
        Self {
            address: Address::new(S::CLOUD, "objects", parent.name()),
            parent,
            deployment: wanted.name.to_string(),
            delete_objects: wanted.delete_objects,
            empty_by: wanted.empty_by,
            max_rate: wanted.max_rate.clone(),
            found: None,
            counted: Arc::default(),
            store: PhantomData,
        }
    }

    fn count(&self) -> MutexGuard<'_, Count> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at the bucket. The first look counts. Later ones decide again, for which only matters whether there is
    /// something, and what keeps it.
    async fn look(&self, api: &S::Api) -> Result<Option<(S, Look, Tally)>> {
        let name = self.address.name();
        let is_first = matches!(*self.count(), Count::Outstanding);
        let was_empty = self.count().take_empty();
        // As few dependent calls as can be: the protection of what there was is read at the same time.
        let (looked, protection) = if is_first {
            (S::look(api, name).await?, None)
        } else if was_empty {
            (S::look_at_empty(api, name).await?, None)
        } else {
            let (looked, protection) = try_join!(S::look(api, name), S::protection(api, name))?;
            (looked, Some(protection))
        };
        let Some((store, mut look)) = looked else { return Ok(None) };
        if look.is_empty() {
            if is_first {
                *self.count() = Count::Empty;
            }
            return Ok(Some((store, look, Tally::new(S::KINDS))));
        }
        let protection = async {
            match protection {
                Some(protection) => Ok(protection),
                None => S::protection(api, name).await,
            }
        };
        let now = Timestamp::now().as_second();
        let tally = async {
            if !is_first {
                return Ok(tally::glance::<S>(&mut look, now));
            }
            let (tally, backlog) = tally::count(&store, &mut look, now).await?;
            *self.count() = Count::Kept(Box::new((tally.clone(), backlog)));
            Ok(tally)
        };
        let (tally, protection) = try_join!(tally, protection)?;
        look.remarks.extend(protection);
        Ok(Some((store, look, tally)))
    }
}

impl<S: Store> Resource for Objects<S> {
    type Api = S::Api;

    const REMOVAL: Removal = Removal::Contents;

    fn address(&self) -> Address {
        self.address.clone()
    }

    fn part_of(&self) -> Option<Address> {
        Some(self.parent.clone())
    }

    async fn read(&self, api: &S::Api) -> Result<Seen<Self>> {
        let Some((store, look, tally)) = self.look(api).await? else { return Ok(Seen::absent()) };
        if tally.entries() == 0 {
            // What is uploaded before the deletion remains in the same way.
            let leaves = look.remarks.leaves;
            return Ok(Seen::Absent(Remarks { findings: leaves.clone(), leaves, ..Remarks::default() }));
        }
        let mut remarks = look.remarks;
        remarks.holds = Some(tally.to_string());
        if tally.more {
            remarks.finding(format!("it contains {tally}; counting stopped there"));
        }
        if !self.delete_objects {
            remarks.obstacle(
                Forbids::Delete,
                format!("it contains {tally}"),
                "add `--delete-objects` to delete them, or empty it first",
            );
        }
        tally.kept.forbid(store.name(), look.retention.as_ref(), &mut remarks);
        if self.empty_by == EmptyBy::Lifecycle
            && let Some(Expiration { service, least, .. }) = S::EXPIRATION
        {
            remarks.finding(format!(
                "{service} will delete everything by lifecycle rules, which takes {least} or more; storage classes \
                 with a minimum duration are billed for all of it"
            ));
        }
        let state = Self { found: Some(tally), ..self.clone() };
        Ok(Seen::There { state, owner: Owner::Ours, remarks })
    }

    async fn write(&self, _: &S::Api, _: &Seen<Self>, _: &Progress) -> Result<()> {
        Err(Error::new(Kind::Failed, "write objects: a deployment has no objects of its own to write"))
    }

    async fn delete(&self, api: &S::Api, seen: &Self, progress: &Progress) -> Result<Deleted> {
        if !self.delete_objects {
            return Err(Error::refused(format!("empty {}: deletion was not requested", self.address.name()))
                .hint("add `--delete-objects`"));
        }
        let Some(found) = &seen.found else { return Ok(Deleted::Gone) };
        let (known, counted) = match std::mem::replace(&mut *self.count(), Count::Used) {
            Count::Kept(kept) => (kept.0, Some(kept.1)),
            Count::Outstanding | Count::Empty | Count::Used => (found.clone(), None),
        };
        let by = self.empty_by;
        let max_rate = self.max_rate.as_ref();
        let task = Task { deployment: &self.deployment, by, known: &known, counted, max_rate, progress };
        S::empty(api, self.address.name(), task).await
    }
}

/// Empties `store` as `task` asks: by calls, or by lifecycle rules where it [has](Store::EXPIRATION) them.
///
/// # Errors
/// Those of the cloud; [`Kind::Interrupted`] after Ctrl-C.
pub(crate) async fn empty<S: Batches + Lifecycle>(store: &S, task: Task<'_>) -> Result<Deleted> {
    if let (EmptyBy::Lifecycle, Some(by)) = (task.by, &S::EXPIRATION) {
        return lifecycle::expire(store, by, task.deployment).await;
    }
    by_calls(store, task).await
}

/// Empties `store` by calls.
///
/// # Errors
/// As [`empty`].
pub(crate) async fn by_calls<S: Batches>(store: &S, task: Task<'_>) -> Result<Deleted> {
    sweep::empty(store, task).await?;
    Ok(Deleted::Gone)
}
