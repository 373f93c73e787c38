//! A store in memory that lists and folds as S3 does, and refuses what it is told to refuse.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::empty::*;
use crate::error::{Error, Kind, Result};
use crate::event::{Event, Events, Progress};
use crate::provider::{EmptyBy, Wanted};
use crate::resource::{self, Address, Deleted, Forbids, Resource, Seen};

/// How long a page takes.
pub(crate) const PAGE_TAKES: Duration = Duration::from_millis(50);

/// What the endpoint does, and what it was asked.
pub(crate) struct Cloud {
    /// Entries of one page.
    pub page: usize,
    pub objects: Mutex<BTreeMap<String, Entry>>,
    pub uploads: Mutex<Vec<Entry>>,
    pub rules: Mutex<Vec<(&'static str, u8)>>,
    pub retention: Option<i64>,
    /// The answer to a deletion of this key, so many times.
    pub trouble: Mutex<Vec<(String, usize, Kind)>>,
    /// Every listing names the page before as the next.
    pub circular: bool,
    /// A written rule is lost.
    pub forgets: bool,
    /// Pages take fewer milliseconds than this longer, each another time.
    pub uneven: u64,
    /// Pressed after so many deletions.
    pub cancel: Option<(usize, CancellationToken)>,
    pub listed: AtomicUsize,
    pub largest: AtomicUsize,
    pub calls: AtomicUsize,
    pub running: AtomicUsize,
    pub most: AtomicUsize,
}

impl Default for Cloud {
    fn default() -> Self {
        Self {
            page: 10,
            objects: Mutex::default(),
            uploads: Mutex::default(),
            rules: Mutex::default(),
            retention: None,
            trouble: Mutex::default(),
            circular: false,
            forgets: false,
            uneven: 1,
            cancel: None,
            listed: AtomicUsize::default(),
            largest: AtomicUsize::default(),
            calls: AtomicUsize::default(),
            running: AtomicUsize::default(),
            most: AtomicUsize::default(),
        }
    }
}

impl Cloud {
    pub(crate) fn with(keys: impl IntoIterator<Item = String>) -> Self {
        let entry = |key: String| (key.clone(), Entry { key, size: 2, ..Entry::default() });
        Self { objects: Mutex::new(keys.into_iter().map(entry).collect()), ..Self::default() }
    }

    pub(crate) fn upload(&self, number: usize) {
        let entry = |number| Entry { key: format!("u{number}"), what: What::Upload, ..Entry::default() };
        self.uploads.lock().unwrap().extend((0..number).map(entry));
    }

    pub(crate) fn left(&self) -> usize {
        self.objects.lock().unwrap().len() + self.uploads.lock().unwrap().len()
    }
}

/// The store, listed on this many fronts.
#[derive(Clone)]
pub(crate) struct Fake<const FRONTS: usize>(pub Arc<Cloud>);

impl<const FRONTS: usize> Store for Fake<FRONTS> {
    type Api = Arc<Cloud>;

    const CLOUD: &'static str = "fake";
    const KINDS: &'static [Counted] = &[
        (What::Current, "objects", "object"),
        (What::Noncurrent, "versions", "noncurrent version"),
        (What::Upload, "uploads", "unfinished upload"),
    ];
    const LISTINGS: &'static [Listing] = &[Listing::Objects, Listing::Uploads];
    const FRONTS: usize = FRONTS;
    const COUNTED_AT_MOST: u64 = 200;
    const EXPIRATION: Option<Expiration> = Some(Expiration {
        service: "Fake",
        least: "a day",
        how: "Fake deletes everything by itself",
        until: |_| Timestamp::UNIX_EPOCH,
        rules_at_most: 3,
    });

    fn name(&self) -> &str {
        "b"
    }

    async fn look(cloud: &Arc<Cloud>, _: &str) -> Result<Option<(Self, Look)>> {
        let store = Self(Arc::clone(cloud));
        let mut first = vec![];
        for listing in Self::LISTINGS {
            first.extend(store.page(*listing, "", &Cursor::default()).await?);
        }
        let words = "a retention policy".to_owned();
        let retention = cloud.retention.map(|seconds| Retention { seconds, words });
        Ok(Some((store, Look { first, retention, ..Look::default() })))
    }

    async fn page(&self, listing: Listing, prefix: &str, cursor: &Cursor) -> Result<Option<Page>> {
        let number = self.0.listed.fetch_add(1, Ordering::Relaxed) as u64;
        tokio::time::sleep(PAGE_TAKES + Duration::from_millis(number * 7 % self.0.uneven)).await;
        if listing == Listing::Uploads {
            let entries = self.0.uploads.lock().unwrap().clone();
            return Ok(Some(Page { entries, ..Page::default() }));
        }
        let mut page = Page::default();
        let after = cursor.key.clone().map_or(Bound::Unbounded, Bound::Excluded);
        for (key, entry) in self.0.objects.lock().unwrap().range((after, Bound::Unbounded)) {
            if !key.starts_with(prefix) {
                continue;
            }
            if page.entries.len() == self.0.page {
                page.next =
                    page.entries.last().map(|last| Cursor { key: Some(last.key.clone()), token: None });
                break;
            }
            page.entries.push(entry.clone());
        }
        if self.0.circular && page.next.is_some() {
            let other = cursor.key.as_deref() == Some("k001");
            page.next =
                Some(Cursor { key: Some(if other { "k000" } else { "k001" }.to_owned()), token: None });
        }
        Ok(Some(page))
    }

    async fn empty(cloud: &Arc<Cloud>, _: &str, task: Task<'_>) -> Result<Deleted> {
        empty(&Self(Arc::clone(cloud)), task).await
    }
}

impl<const FRONTS: usize> Batches for Fake<FRONTS> {
    const BATCH: usize = 7;
    const AT_FIRST: u16 = 2;
    const AT_ONCE: u16 = 4;
    const UNIT: &'static str = "objects";

    async fn delete(&self, batch: Vec<Entry>) -> Outcome {
        let cloud = &self.0;
        let running = cloud.running.fetch_add(1, Ordering::Relaxed) + 1;
        cloud.most.fetch_max(running, Ordering::Relaxed);
        cloud.largest.fetch_max(batch.len(), Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(100)).await;
        cloud.running.fetch_sub(1, Ordering::Relaxed);
        let calls = cloud.calls.fetch_add(1, Ordering::Relaxed) + 1;
        if let Some((after, cancel)) = &cloud.cancel
            && calls >= *after
        {
            cancel.cancel();
        }
        let mut outcome = Outcome::default();
        for entry in batch {
            let mut trouble = cloud.trouble.lock().unwrap();
            if let Some((_, times, kind)) = trouble.iter_mut().find(|(key, ..)| *key == entry.key)
                && *times > 0
            {
                *times -= 1;
                let error = Error::new(*kind, format!("delete {}", entry.key));
                outcome.left([entry], error);
                continue;
            }
            if entry.what == What::Upload {
                cloud.uploads.lock().unwrap().retain(|upload| upload.key != entry.key);
            } else {
                cloud.objects.lock().unwrap().remove(&entry.key);
            }
            outcome.gone += 1;
        }
        outcome
    }
}

impl<const FRONTS: usize> Lifecycle for Fake<FRONTS> {
    type Rule = (&'static str, u8);
    type Rest = ();

    fn ours(_: &str) -> Result<Vec<Self::Rule>> {
        Ok(vec![("ours", 1), ("markers", 1)])
    }

    fn is_same(one: &Self::Rule, other: &Self::Rule) -> bool {
        one.0 == other.0
    }

    async fn lifecycle(&self) -> Result<Option<(Vec<Self::Rule>, ())>> {
        Ok(Some((self.0.rules.lock().unwrap().clone(), ())))
    }

    async fn set_lifecycle(&self, rules: &[Self::Rule], (): ()) -> Result<()> {
        self.0.calls.fetch_add(1, Ordering::Relaxed);
        let kept = rules.len() - usize::from(self.0.forgets);
        *self.0.rules.lock().unwrap() = rules[..kept].to_vec();
        Ok(())
    }
}

/// The contents of `cloud`, which may be deleted.
pub(crate) fn objects<const FRONTS: usize>(delete: bool, by: EmptyBy) -> Objects<Fake<FRONTS>> {
    let wanted = Wanted::named("acme".parse::<crate::name::DeploymentName>().unwrap());
    Objects::new(
        Address::new("fake", "bucket", "b"),
        &Wanted { delete_objects: delete, empty_by: by, ..wanted },
    )
}

pub(crate) async fn seen<const FRONTS: usize>(
    cloud: &Arc<Cloud>,
    delete: bool,
) -> Seen<Objects<Fake<FRONTS>>> {
    objects(delete, EmptyBy::Calls).read(cloud).await.unwrap()
}

/// What stands in the way of deleting it.
pub(crate) async fn obstacles(cloud: &Arc<Cloud>, delete: bool) -> Vec<String> {
    let seen = seen::<1>(cloud, delete).await;
    let all = seen.remarks().obstacles.iter();
    all.filter(|obstacle| obstacle.forbids == Forbids::Delete)
        .map(|obstacle| obstacle.message.clone())
        .collect()
}

/// Looks and deletes; the result, and the progress that was reported.
pub(crate) async fn delete<const FRONTS: usize>(
    cloud: &Arc<Cloud>,
    by: EmptyBy,
) -> (Result<Deleted>, Vec<(u64, u64)>) {
    let (events, mut reported) = Events::channel();
    let objects = objects::<FRONTS>(true, by);
    let address = objects.address();
    let cancel = cloud.cancel.as_ref().map(|(_, cancel)| cancel.clone()).unwrap_or_default();
    let progress = Progress::new(address, events, cancel);
    let bound = resource::Bound::boxed(objects, &Arc::new(Arc::clone(cloud)));
    let result = bound.look().await.unwrap().delete(&progress).await;
    drop(progress);
    let mut counts = vec![];
    while let Some(event) = reported.recv().await {
        if let Event::Progress { done, total, .. } = event.event {
            counts.push((done, total));
        }
    }
    (result, counts)
}
