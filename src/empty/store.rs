//! What a cloud adds to counting and emptying: pages of a listing, batches of deletions, and lifecycle
//! rules.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::Timestamp;

use crate::error::{Error, Kind, Result};
use crate::event::Progress;
use crate::provider::EmptyBy;
use crate::resource::{Deleted, Remarks};
use crate::retry;

use super::backlog::Backlog;
use super::pace::MaxRate;
use super::tally::Tally;

/// What an entry of a listing is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum What {
    /// What a plain GET returns.
    #[default]
    Current,
    /// What a later version, or a deletion, hides.
    Noncurrent,
    /// A marker that hides the versions below it.
    Marker,
    Snapshot,
    /// An upload that was started and neither completed nor aborted. Its parts cost storage.
    Upload,
    Folder,
}

/// A kind of entry that a store has, the field of a plan that counts it, and the word for one of them.
pub(crate) type Counted = (What, &'static str, &'static str);

/// A reason that keeps an object from being deleted until it is lifted.
#[derive(Debug)]
pub(crate) struct Hold {
    /// Such as `a temporary hold`.
    pub words: &'static str,
    /// How to lift it from an object of the named bucket.
    pub hint: fn(&str) -> String,
}

/// An entry that must be deleted before its bucket.
#[derive(Clone, Debug, Default)]
pub(crate) struct Entry {
    pub key: String,
    /// The version, generation or upload, where the store has such.
    pub id: Option<String>,
    pub what: What,
    /// In bytes.
    pub size: u64,
    /// In seconds since the epoch; needed where a [`Retention`] is counted from it.
    pub created: i64,
    pub hold: Option<&'static Hold>,
    /// The end of a retention of its own, in seconds since the epoch.
    pub kept_until: Option<i64>,
    /// How often deleting it has failed.
    pub tries: u32,
}

/// A listing of a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Listing {
    /// All versions of all objects.
    Objects,
    /// Unfinished uploads, which no listing of objects shows.
    Uploads,
    /// Folders with a policy of their own.
    ManagedFolders,
    /// Folders of a hierarchical namespace.
    Folders,
}

/// Where a page of a listing begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cursor {
    /// After this key, or [from it on](Store::FROM_INCLUDED), …
    pub key: Option<String>,
    /// … and at this place in it, or at the place which only the server can read.
    pub token: Option<String>,
}

/// One page of a listing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Page {
    /// In the order of their keys.
    pub entries: Vec<Entry>,
    /// Where the next page begins; `None` after the last.
    pub next: Option<Cursor>,
}

/// A policy that keeps every object of a bucket for a time.
#[derive(Debug)]
pub(crate) struct Retention {
    pub seconds: i64,
    /// Such as `a retention policy of 30 days`.
    pub words: String,
}

/// The result of reading a bucket.
#[derive(Debug, Default)]
pub(crate) struct Look {
    /// The first page of each listing, in the order of [`Store::LISTINGS`].
    pub first: Vec<Page>,
    /// Folders that are objects of their own; of the first page, since what matters is whether there are any.
    pub folders: u64,
    pub retention: Option<Retention>,
    /// What else matters of a bucket that is not empty.
    pub remarks: Remarks,
}

impl Look {
    /// Whether the bucket holds nothing. A page may be empty and yet have others behind it.
    pub(crate) fn is_empty(&self) -> bool {
        let is_empty = |page: &Page| page.entries.is_empty() && page.next.is_none();
        self.folders == 0 && self.first.iter().all(is_empty)
    }
}

/// How a cloud empties a bucket by itself.
#[derive(Debug)]
pub(crate) struct Expiration {
    /// Such as `S3`.
    pub service: &'static str,
    /// How long it takes at least, such as `two days`.
    pub least: &'static str,
    /// As in [`Deleted::Pending`].
    pub how: &'static str,
    /// When everything that exists now is deleted.
    pub until: fn(Timestamp) -> Timestamp,
    /// How many rules a bucket can have.
    pub rules_at_most: usize,
}

/// What is to be emptied, and how.
#[derive(Debug)]
pub(crate) struct Task<'a> {
    pub deployment: &'a str,
    pub by: EmptyBy,
    /// What was seen before.
    pub known: &'a Tally,
    /// What this process has counted for the plan, and not deleted yet.
    pub counted: Option<Backlog>,
    pub max_rate: Option<&'a MaxRate>,
    pub progress: &'a Progress,
}

/// A bucket or container whose contents can be listed. It is cloned into every task.
pub(crate) trait Store: Clone + Send + Sync + Sized + 'static {
    type Api: Send + Sync + 'static;

    /// The first part of the address.
    const CLOUD: &'static str;
    const KINDS: &'static [Counted];
    const LISTINGS: &'static [Listing] = &[Listing::Objects];
    /// Pages that are listed at once, at most. With more than one a store lists from any key on.
    const FRONTS: usize = 1;
    /// Whether a listing from a key on begins with that key, and not after it.
    const FROM_INCLUDED: bool = false;
    /// Counting stops about here: larger numbers do not change the decision of a reader.
    const COUNTED_AT_MOST: u64 = 100_000;
    /// How the cloud can empty a bucket by itself, if it can.
    const EXPIRATION: Option<Expiration> = None;

    fn name(&self) -> &str;

    /// The bucket `name` with its first pages and all else that a plan shows, in as few dependent calls as
    /// can be; `None` where there is none.
    fn look(api: &Self::Api, name: &str) -> impl Future<Output = Result<Option<(Self, Look)>>> + Send;

    /// As [`look`](Self::look), for the second look at a bucket that was empty: without the listings which the
    /// service repeats when it deletes the bucket, and rejects that.
    fn look_at_empty(
        api: &Self::Api,
        name: &str,
    ) -> impl Future<Output = Result<Option<(Self, Look)>>> + Send {
        Self::look(api, name)
    }

    /// What keeps the contents of the bucket `name` from being deleted, and does not matter where there are none.
    fn protection(api: &Self::Api, name: &str) -> impl Future<Output = Result<Remarks>> + Send {
        let _ = (api, name);
        async { Ok(Remarks::default()) }
    }

    /// The page at `cursor` of what begins with `prefix`. `None` where there is no such bucket. Use [`page`].
    fn page(
        &self,
        listing: Listing,
        prefix: &str,
        cursor: &Cursor,
    ) -> impl Future<Output = Result<Option<Page>>> + Send;

    /// Deletes everything in the bucket `name`; [`Deleted::WithParent`] where it goes with that.
    fn empty(api: &Self::Api, name: &str, task: Task<'_>) -> impl Future<Output = Result<Deleted>> + Send;
}

/// A store whose entries are deleted by calls.
pub(crate) trait Batches: Store {
    /// Entries that one call deletes.
    const BATCH: usize;
    /// Unfinished uploads in one batch. Each is a call of its own, and an interrupt waits for the whole batch.
    const UPLOADS: usize = 8;
    /// Calls under way at once, to begin with …
    const AT_FIRST: u16;
    /// … and at most, while the service keeps up.
    const AT_ONCE: u16;
    /// What progress counts, such as `objects`.
    const UNIT: &'static str;

    /// Deletes at most [`BATCH`](Self::BATCH) entries. One that no longer exists counts as deleted. It must
    /// not retry: pace and waits are decided for all batches together.
    fn delete(&self, batch: Vec<Entry>) -> impl Future<Output = Outcome> + Send;

    /// Deletes what no listing shows, once that is empty.
    ///
    /// # Errors
    /// Those of the cloud; [`Kind::Interrupted`] after Ctrl-C.
    fn finish(&self, known: &Tally, progress: &Progress) -> impl Future<Output = Result<()>> + Send {
        let _ = (known, progress);
        async { Ok(()) }
    }
}

/// The outcome of one batch.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub gone: u64,
    /// Those to try again.
    pub again: Vec<Entry>,
    /// Whether the service throttled, and for how long if the response contains it.
    pub slow_down: Option<Option<Duration>>,
    /// Why the last of those to try again failed.
    pub passing: Option<Error>,
    /// A failure that does not pass.
    pub failed: Option<Error>,
}

impl Outcome {
    /// `entries` are still there, because of `error`.
    pub(crate) fn left(&mut self, entries: impl IntoIterator<Item = Entry>, error: Error) {
        if !error.passes() {
            self.failed = Some(error);
            return;
        }
        self.again.extend(entries.into_iter().map(|entry| Entry { tries: entry.tries + 1, ..entry }));
        if error.kind() == Kind::Throttled || error.server_wait().is_some() {
            self.slow_down = Some(error.server_wait().max(self.slow_down.flatten()));
        }
        self.passing = Some(error);
    }
}

/// All lifecycle rules, and what a write needs besides them.
type Rules<L> = (Vec<<L as Lifecycle>::Rule>, <L as Lifecycle>::Rest);

/// A store with lifecycle rules.
pub(crate) trait Lifecycle: Store {
    type Rule: Clone + PartialEq + Send + Sync;
    /// What a write needs besides the rules, as it was read.
    type Rest: Send;

    /// The rules that empty a bucket of `deployment`.
    ///
    /// # Errors
    /// When they cannot be written down.
    fn ours(deployment: &str) -> Result<Vec<Self::Rule>>;

    /// Whether one rule replaces the other: by their ids, where rules have any.
    fn is_same(one: &Self::Rule, other: &Self::Rule) -> bool;

    /// The rules as they are; `None` where there is no such bucket.
    fn lifecycle(&self) -> impl Future<Output = Result<Option<Rules<Self>>>> + Send;

    /// Writes all rules, where nothing has changed them since they were read.
    fn set_lifecycle(
        &self,
        rules: &[Self::Rule],
        rest: Self::Rest,
    ) -> impl Future<Output = Result<()>> + Send;
}

/// One page. It is retried while its failure passes: giving up would start the whole bucket again.
///
/// # Errors
/// Those of the cloud, and [`Kind::Failed`] when the server points back to the same page, or nowhere.
pub(crate) async fn page<S: Store>(
    store: &S,
    listing: Listing,
    prefix: &str,
    cursor: &Cursor,
) -> Result<Option<Page>> {
    watched_page(store, listing, prefix, cursor).await.0
}

/// As [`page`], and whether the service throttled meanwhile.
pub(super) async fn watched_page<S: Store>(
    store: &S,
    listing: Listing,
    prefix: &str,
    cursor: &Cursor,
) -> (Result<Option<Page>>, bool) {
    let throttled = AtomicBool::new(false);
    let page = retry::page(|| async {
        let page = store.page(listing, prefix, cursor).await;
        let is_throttled = matches!(&page, Err(error) if error.kind() == Kind::Throttled);
        throttled.fetch_or(is_throttled, Ordering::Relaxed);
        page
    });
    let page = page.await.and_then(|page| match page.as_ref().and_then(|page| page.next.as_ref()) {
        Some(next) if next == cursor || *next == Cursor::default() => Err(circular(store.name())),
        _ => Ok(page),
    });
    (page, throttled.into_inner())
}

/// A listing that would be read for ever.
pub(super) fn circular(name: &str) -> Error {
    Error::new(Kind::Failed, format!("list {name}: the server returned the same page again"))
        .hint("this is a fault of the endpoint; check the endpoint variables, if any is set")
}
