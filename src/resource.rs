//! The contract between a cloud and everything else.
//!
//! A [`Resource`] is described once, as a struct whose fields are the desired state. Plan, apply,
//! drift, verify and teardown all come from that description: [`Resource::read`] returns the same
//! struct as the cloud shows it, and the planner compares the two field by field.

mod bound;
#[cfg(test)]
pub(crate) mod fake;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::error::{Error, Result};
use crate::event::Progress;
use crate::expiry::Voucher;
use crate::http::Reads;
use crate::mark::{self, Marking};
use crate::mutations::Mutations;
use crate::value::quoted;

pub(crate) use crate::address::Address;
pub(crate) use bound::{AnyResource, Bound, Look};

/// Whose a found resource is. The default answer to doubt is to refuse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// It has this deployment's mark, and wbstore created it.
    Ours,
    /// It has this deployment's mark, but existed before wbstore. Teardown releases it instead of
    /// deleting it.
    Adopted,
    /// It has no mark (`None`), or the mark of the named storage.
    Other(Option<String>),
    /// It belongs to others; the deployment's resources are created inside it. It is never written,
    /// and teardown keeps it.
    Used,
    /// It has no mark, and already does what is desired: the entry, in words such as "the notification
    /// `abc`". It is used as it is, and `--adopt` replaces it. A second one would have the same effect twice,
    /// or be rejected.
    Sufficient(String),
    /// The read was denied; the text names the missing permission.
    Unknown(String),
}

/// The storage of a mark that an [`Owner::Other`] names, in words.
pub(crate) fn belongs_to(storage: &str) -> String {
    match storage.split_once('/') {
        Some((deployment, team)) => {
            format!("the team {} of the deployment {}", quoted(team), quoted(deployment))
        }
        None => format!("the deployment {}", quoted(storage)),
    }
}

/// What an [`Obstacle`] prevents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Forbids {
    /// Creating or updating the resource.
    Write,
    /// Its existence, even without differences: what exists would not work, or not last.
    Present,
    /// Deleting the resource.
    Delete,
}

/// A reason, seen while reading, why the cloud or its owner would reject a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Obstacle {
    /// What cannot be done.
    pub forbids: Forbids,
    /// Why, as a lowercase fragment without a period.
    pub message: String,
    /// What the reader can do about it.
    pub hint: Option<String>,
}

/// The remarks of a read besides state and owner.
#[derive(Clone, Debug, Default)]
pub(crate) struct Remarks {
    /// Entries of others in the same document, which are kept to the byte.
    pub kept: Vec<String>,
    /// Findings for the reviewer, one sentence each.
    pub findings: Vec<String>,
    /// What remains of it once it is deleted and how to restore it, which are findings too: said again at the
    /// end of a teardown.
    pub leaves: Vec<String>,
    /// The obstacles to a write or a delete.
    pub obstacles: Vec<Obstacle>,
    /// The data in it, in words such as `12 messages`, where there are any.
    pub holds: Option<String>,
}

impl Remarks {
    /// Adds a finding for the reviewer.
    pub(crate) fn finding(&mut self, fact: impl Into<String>) {
        self.findings.push(fact.into());
    }

    /// Adds what remains once it is deleted, and how to restore it.
    pub(crate) fn leave(&mut self, fact: impl Into<String>) {
        let fact = fact.into();
        self.findings.push(fact.clone());
        self.leaves.push(fact);
    }

    /// Adds what else was seen.
    pub(crate) fn extend(&mut self, more: Self) {
        let Self { kept, findings, leaves, obstacles, holds } = more;
        self.holds = self.holds.take().or(holds);
        self.kept.extend(kept);
        self.findings.extend(findings);
        self.leaves.extend(leaves);
        self.obstacles.extend(obstacles);
    }

    /// Adds a reason why `forbids` cannot be done.
    pub(crate) fn obstacle(&mut self, forbids: Forbids, message: impl Into<String>, hint: impl Into<String>) {
        self.obstacles.push(Obstacle { forbids, message: message.into(), hint: Some(hint.into()) });
    }
}

/// The result of reading one resource.
#[derive(Clone, Debug)]
pub(crate) enum Seen<R> {
    /// The cloud reports that it does not exist.
    Absent(Remarks),
    /// It exists.
    There {
        /// The observed state, normalised.
        state: R,
        /// Whose it is.
        owner: Owner,
        /// What else was seen.
        remarks: Remarks,
    },
}

impl<R> Seen<R> {
    /// The cloud reports that it does not exist.
    pub(crate) fn absent() -> Self {
        Self::Absent(Remarks::default())
    }

    /// It exists in this state.
    pub(crate) fn there(state: R, owner: Owner) -> Self {
        Self::There { state, owner, remarks: Remarks::default() }
    }

    /// The observed state of what exists.
    pub(crate) fn state(&self) -> Option<&R> {
        match self {
            Self::Absent(_) => None,
            Self::There { state, .. } => Some(state),
        }
    }

    /// The owner of what exists.
    pub(crate) fn owner(&self) -> Option<&Owner> {
        match self {
            Self::Absent(_) => None,
            Self::There { owner, .. } => Some(owner),
        }
    }

    /// Replaces the owner of what exists.
    pub(crate) fn set_owner(&mut self, new: Owner) {
        if let Self::There { owner, .. } = self {
            *owner = new;
        }
    }

    /// Whether it exists without any mark, so that writing it adopts it.
    pub(crate) fn is_unmarked(&self) -> bool {
        matches!(self.owner(), Some(Owner::Other(None) | Owner::Sufficient(_)))
    }

    /// What else was seen.
    pub(crate) fn remarks(&self) -> &Remarks {
        match self {
            Self::Absent(remarks) | Self::There { remarks, .. } => remarks,
        }
    }

    /// What else was seen, to be added to.
    pub(crate) fn remarks_mut(&mut self) -> &mut Remarks {
        match self {
            Self::Absent(remarks) | Self::There { remarks, .. } => remarks,
        }
    }

    /// Adds a finding for the reviewer.
    pub(crate) fn finding(&mut self, fact: impl Into<String>) {
        self.remarks_mut().finding(fact);
    }

    /// Adds a reason why `forbids` cannot be done.
    pub(crate) fn obstacle(&mut self, forbids: Forbids, message: impl Into<String>, hint: impl Into<String>) {
        self.remarks_mut().obstacle(forbids, message, hint);
    }

    /// The same with another form of the state.
    pub(crate) fn map<T>(self, form: impl FnOnce(R) -> T) -> Seen<T> {
        match self {
            Self::Absent(remarks) => Seen::Absent(remarks),
            Self::There { state, owner, remarks } => Seen::There { state: form(state), owner, remarks },
        }
    }
}

/// How teardown treats a resource inside another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Removal {
    /// It is deleted by a call of its own.
    Own,
    /// It is deleted with the resource it is [part of](Resource::part_of); where that one is kept, it is
    /// deleted by a call of its own.
    WithParent,
    /// Like that, but where its parent holds something it is deleted by a call of its own before that.
    BeforeParent,
    /// A setting: it is deleted with its parent, and where that one is kept it is left unchanged.
    Setting,
    /// What its parent holds: it is removed by calls of its own before the parent, and only when
    /// the parent is deleted. Whose it is follows from the parent.
    Contents,
}

/// The result of a deletion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deleted {
    /// It is gone.
    Gone,
    /// It needs no call of its own: it is deleted with the resource it is [part of](Resource::part_of).
    WithParent,
    /// The cloud removes it by itself until then, so that what waits for it has to wait for another run.
    Pending {
        /// How, as a fragment such as `S3 deletes everything by itself`.
        how: &'static str,
        /// When it should be complete.
        until: Timestamp,
    },
}

/// One cloud object, or one entry of ours inside a shared document.
///
/// The struct is the desired state; its serialised fields are what plans show and compare.
pub(crate) trait Resource: Serialize + Clone + Send + Sync + Sized + 'static {
    /// The connected clients this resource is read and written with.
    type Api: Send + Sync + 'static;

    /// Fields the cloud cannot change in place: a difference is refused, never replaced.
    const FIXED: &'static [&'static str] = &[];

    /// How teardown treats it.
    const REMOVAL: Removal = Removal::Own;

    /// Fields that only wbstore uses, such as ids: a plan's text leaves them out of what is created. The entries of
    /// a mark need not be named.
    const BOOKKEEPING: &'static [&'static str] = &[];

    /// Fields that [`permission`](Self::permission) words, by their names or the beginning of them up to a dot.
    const WORDED: &'static [&'static str] = &[];

    /// Whether the engine reads it again after a change and compares: for documents that others
    /// write too, and for what an endpoint may silently leave out. What is written into a resource that the
    /// same run has just created is not: nobody else has written there yet.
    const READ_BACK: bool = false;

    /// Its address.
    fn address(&self) -> Address;

    /// What must exist first; by default what it lives in.
    fn needs(&self) -> Vec<Address> {
        self.part_of().into_iter().collect()
    }

    /// The resource in which this one lives, for those that are deleted with it.
    fn part_of(&self) -> Option<Address> {
        None
    }

    /// Its mark, where it has one.
    fn marking(&self) -> Option<&Marking> {
        None
    }

    /// What its [worded](Self::WORDED) fields allow or deny, in one line such as `allows a to send from b`; `None`
    /// where no words say it exactly.
    fn permission(&self) -> Option<String> {
        None
    }

    /// Whether the call that creates it fails where something of the name exists. Where it would change
    /// that instead, the engine looks once more before it creates anything.
    fn creation_is_exclusive(&self) -> bool {
        false
    }

    /// The entries of the stack of which one has to agree with the mark of what was seen as `self` before that
    /// may be deleted; `None` where its mark is enough. See [`expiry`](crate::expiry).
    fn vouchers(&self) -> Option<Vec<Voucher>> {
        self.marking()?.vouchers()
    }

    /// Under `teardown --expired`: the resource whose lease it is deleted under, where that is not its own.
    /// The engine looks at that one too before it deletes this one.
    fn lease_holder(&self) -> Option<Address> {
        self.marking()?.lease_holder()
    }

    /// What need not be deleted before it, although it needs it, and has no use without it. The engine looks at
    /// that too before it deletes this one: it may belong to others by then.
    fn detaches(&self) -> Vec<Address> {
        vec![]
    }

    /// How long a change may take to propagate before a "not yet" becomes a failure.
    fn patience(&self) -> Duration {
        Duration::from_secs(120)
    }

    /// Reads it without changing anything.
    ///
    /// # Errors
    /// Denied is an error, never absence.
    fn read(&self, api: &Self::Api) -> impl Future<Output = Result<Seen<Self>>> + Send;

    /// Reads back what one call created a moment ago. An endpoint that accepts the call has all of what it
    /// understood of it, so what it may have left out is enough, where that takes fewer requests.
    ///
    /// # Errors
    /// As [`Resource::read`].
    fn read_created(&self, api: &Self::Api) -> impl Future<Output = Result<Seen<Self>>> + Send {
        self.read(api)
    }

    /// Reads it for the second decision on what is [part of](Resource::part_of) it: as little as that depends on, in
    /// few requests one after the other, since what is read of the part beside it is older by the longest of them.
    ///
    /// # Errors
    /// As [`Resource::read`].
    fn read_as_parent(&self, api: &Self::Api) -> impl Future<Output = Result<Seen<Self>>> + Send {
        self.read(api)
    }

    /// Creates it, or updates what was `seen` to the desired state; adopts it where that
    /// [has no mark](Seen::is_unmarked). A document that others write into is read once more, merged
    /// and written with no other request between. Harmless to repeat.
    ///
    /// # Errors
    /// Those of the cloud. After one that passes the engine looks and decides again, and repeats the call
    /// only if it is still the planned one; what exists already although it was to be created is
    /// [`Error::exists`].
    fn write(
        &self,
        api: &Self::Api,
        seen: &Seen<Self>,
        progress: &Progress,
    ) -> impl Future<Output = Result<()>> + Send;

    /// Deletes only what wbstore created. `seen` is what exists. Success if it no longer exists.
    ///
    /// # Errors
    /// As [`Resource::write`].
    fn delete(
        &self,
        api: &Self::Api,
        seen: &Self,
        progress: &Progress,
    ) -> impl Future<Output = Result<Deleted>> + Send;

    /// Removes our mark from a resource that was adopted, and leaves everything else. `seen` is what
    /// exists.
    ///
    /// # Errors
    /// As [`Resource::write`].
    fn release(
        &self,
        api: &Self::Api,
        seen: &Self,
        progress: &Progress,
    ) -> impl Future<Output = Result<()>> + Send {
        let _ = (api, seen, progress);
        async { Ok(()) }
    }
}

/// The fields of a resource, nested objects flattened to dotted names.
pub(crate) type Fields = std::collections::BTreeMap<String, Value>;

/// How the text of a plan shows the fields of a resource. Its JSON form and its digest have all fields as they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wording {
    /// See [`Resource::BOOKKEEPING`].
    pub bookkeeping: &'static [&'static str],
    /// See [`Resource::WORDED`].
    pub worded: &'static [&'static str],
    /// The [permission](Resource::permission) that was seen.
    pub old: Option<String>,
    /// The permission that is desired.
    pub new: Option<String>,
}

impl Wording {
    /// Whether `field` is part of the permission.
    pub(crate) fn covers(&self, field: &str) -> bool {
        let is_below = |name: &&str| {
            field.strip_prefix(*name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        self.worded.iter().any(is_below)
    }

    /// Whether only wbstore uses `field`.
    pub(crate) fn is_bookkeeping(&self, field: &str) -> bool {
        self.bookkeeping.contains(&field) || mark::is_bookkeeping(field)
    }
}

/// One resource as the planner sees it: no cloud, no types, only what is wanted and what was found.
#[derive(Clone, Debug)]
pub(crate) struct Observation {
    /// Where it stands.
    pub address: Address,
    /// What must exist first.
    pub needs: Vec<Address>,
    /// The resource it lives in.
    pub part_of: Option<Address>,
    /// See [`Resource::detaches`].
    pub detaches: Vec<Address>,
    /// How teardown treats it.
    pub removal: Removal,
    /// The fields that cannot be changed in place.
    pub fixed: &'static [&'static str],
    /// The desired fields.
    pub desired: Fields,
    /// How the text of a plan shows the fields.
    pub wording: Wording,
    /// See [`Resource::vouchers`].
    pub vouchers: Option<Vec<Voucher>>,
    /// What the look showed, or why it was refused.
    pub seen: std::result::Result<Seen<Fields>, Arc<Error>>,
}

/// One line of the server configuration, such as `BUCKET=s3://acme-wandb`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Output {
    /// The name of the environment variable.
    pub name: &'static str,
    /// Its value.
    pub value: String,
}

/// All that a provider supplies for one deployment.
pub(crate) struct Stack {
    /// The deployment's name.
    pub deployment: String,
    /// Where it stands, in words for people, such as `account 123456789012, us-east-1`, and with the
    /// [endpoints](crate::http::elsewhere) that are not the vendor's.
    pub scope: String,
    /// The resources; those that others need come first.
    pub resources: Vec<Box<dyn AnyResource>>,
    /// The server configuration, known before anything is created.
    pub outputs: Vec<Output>,
    /// Where this stack differs from the published guide, and what else a reviewer should know.
    pub notes: Vec<String>,
    /// Assumptions in place of reads that were not sent, one sentence each.
    pub assumptions: Vec<String>,
    /// What must hold besides, looked at together with the resources so that it costs no time of
    /// its own.
    pub guards: Vec<Guard>,
    /// What the clients of the resources have sent that changes something.
    pub mutations: Arc<Mutations>,
    /// What has been read for the first look, where the provider began it while it connected.
    pub reads: Reads,
}

/// Something that must hold before anything is planned, such as whose the credentials are.
pub(crate) type Guard = Box<dyn Fn() -> BoxFuture<'static, Result<()>> + Send + Sync>;
