//! The contents of a bucket: counted for the plan of a teardown, and deleted by it.
//!
//! A cloud adds a [`Store`]. One [walk] produces the entries, one [sweep] consumes them in batches.

mod kept;
mod lifecycle;
mod pace;
mod store;
mod sweep;
mod tally;
#[cfg(test)]
mod tests;
mod walk;

use std::marker::PhantomData;

use jiff::Timestamp;
use serde::Serialize;

pub(crate) use self::lifecycle::is_emptying;
pub(crate) use self::store::{
    Batches, Counted, Cursor, Entry, Expiration, Hold, Lifecycle, Listing, Look, Outcome, Page, Retention,
    Store, Task, What, page,
};
pub(crate) use self::sweep::interrupted;
pub(crate) use self::tally::Tally;
use crate::error::{Error, Kind, Result};
use crate::event::Progress;
use crate::name::DeploymentName;
use crate::provider::EmptyBy;
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
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    found: Option<Tally>,
    #[serde(skip)]
    store: PhantomData<S>,
}

impl<S: Store> Objects<S> {
    /// The contents of the bucket at `parent`, which belongs to `deployment`. Unless the user said that they
    /// may be deleted (`delete_objects`), a bucket that holds something is not torn down.
    pub(crate) fn new(
        parent: Address,
        deployment: &DeploymentName,
        delete_objects: bool,
        empty_by: EmptyBy,
    ) -> Self {
        Self {
            address: Address::new(S::CLOUD, "objects", parent.name()),
            parent,
            deployment: deployment.to_string(),
            delete_objects,
            empty_by,
            found: None,
            store: PhantomData,
        }
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
        let Some((store, mut look)) = S::look(api, self.address.name()).await? else {
            return Ok(Seen::absent());
        };
        let tally = tally::count(&store, &mut look, Timestamp::now().as_second()).await?;
        if tally.entries() == 0 {
            // What is uploaded before the deletion remains in the same way.
            let leaves = look.remarks.leaves;
            return Ok(Seen::Absent(Remarks { findings: leaves.clone(), leaves, ..Remarks::default() }));
        }
        let mut remarks = look.remarks;
        if tally.more {
            remarks.finding(format!("counting stopped at {} entries; there are more", S::COUNTED_AT_MOST));
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
        let Some(known) = &seen.found else { return Ok(Deleted::Gone) };
        let task = Task { deployment: &self.deployment, by: self.empty_by, known, progress };
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
    sweep::empty(store, task.known, task.progress).await?;
    Ok(Deleted::Gone)
}
