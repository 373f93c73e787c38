//! What a bucket holds, as far as the store lists it: versions and unfinished uploads, or objects alone.

use aws_sdk_s3::config::retry::RetryConfig;

use super::knowledge::{Known, OBJECT_LOCK, UPLOADS, VERSIONS, ask};
use super::mark::OBJECT;
use super::session::Api;
use crate::empty::{Batches, Counted, Cursor, Entry, Listing, Look, Outcome, Page, Store, Task, by_calls};
use crate::error::{Kind, Result};
use crate::providers::s3_protocol::objects::{KINDS, ObjectLock, S3Store};
use crate::providers::s3_protocol::retries;
use crate::resource::Deleted;

/// What a store lists besides objects.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Listings {
    versions: bool,
    uploads: bool,
}

/// The contents of one bucket.
#[derive(Clone)]
pub(crate) struct Contents {
    bucket: S3Store,
    listings: Listings,
}

impl Contents {
    /// The contents of the bucket `name`; `None` where there is no such bucket.
    ///
    /// # Errors
    /// Those of the reads.
    pub(crate) async fn of(api: &Api, name: &str) -> Result<Option<Self>> {
        let bucket = api.store(name);
        if let Some(listings) = api.listings.get() {
            return Ok(Some(Self { bucket, listings: *listings }));
        }
        let versions = ask(&VERSIONS, name, |root| {
            api.s3.list_object_versions().bucket(name).max_keys(1).customize().interceptor(root).send()
        });
        let uploads = ask(&UPLOADS, name, |root| {
            api.s3.list_multipart_uploads().bucket(name).max_uploads(1).customize().interceptor(root).send()
        });
        let (versions, uploads) = futures::join!(versions, uploads);
        let listings = match (versions?, uploads?) {
            (Known::NoBucket, _) | (_, Known::NoBucket) => return Ok(None),
            (versions, uploads) => Listings {
                versions: matches!(versions, Known::Set(_)),
                uploads: matches!(uploads, Known::Set(_)),
            },
        };
        let listings = *api.listings.get_or_init(|| async { listings }).await;
        Ok(Some(Self { bucket, listings }))
    }

    async fn objects(&self, prefix: &str, cursor: &Cursor, retries: RetryConfig) -> Result<Option<Page>> {
        let page = match self.listings.versions {
            true => self.bucket.versions(prefix, cursor, retries).await?,
            false => self.bucket.current(prefix, cursor, retries).await?,
        };
        // The mark goes with the bucket.
        let entries = |page: Page| page.entries.into_iter().filter(|entry| entry.key != OBJECT).collect();
        Ok(page.map(|page| Page { next: page.next.clone(), entries: entries(page) }))
    }

    async fn unfinished(&self, cursor: &Cursor, retries: RetryConfig) -> Result<Option<Page>> {
        if !self.listings.uploads {
            return Ok(Some(Page::default()));
        }
        self.bucket.uploads(cursor, retries).await
    }

    /// The Object Lock of the bucket, where the store has it and it is on.
    async fn object_lock(&self, api: &Api) -> Result<Option<ObjectLock>> {
        let name = &self.bucket.name;
        let call =
            |root| api.s3.get_object_lock_configuration().bucket(name).customize().interceptor(root).send();
        match ask(&OBJECT_LOCK, name, call).await {
            Ok(Known::Set(found)) => Ok(found.object_lock_configuration.and_then(ObjectLock::of)),
            // The store itself keeps what is locked.
            Err(error) if error.kind() == Kind::Denied => Ok(None),
            other => other.map(|_| None),
        }
    }

    /// Deletes every version of `key`.
    ///
    /// # Errors
    /// Those of the calls.
    pub(crate) async fn delete_key(&self, key: &str) -> Result<()> {
        let mut entries = vec![];
        let mut next = self.listings.versions.then(Cursor::default);
        while let Some(cursor) = next.take() {
            let Some(page) = self.bucket.versions(key, &cursor, retries::config()).await? else {
                return Ok(());
            };
            entries.extend(page.entries.into_iter().filter(|entry| entry.key == key));
            next = page.next;
        }
        if !self.listings.versions {
            entries.push(Entry { key: key.to_owned(), ..Entry::default() });
        }
        for entry in entries {
            self.bucket.delete_one(&entry).await?;
        }
        Ok(())
    }
}

impl Store for Contents {
    type Api = Api;

    const CLOUD: &'static str = "s3";
    const KINDS: &'static [Counted] = KINDS;
    const LISTINGS: &'static [Listing] = &[Listing::Objects, Listing::Uploads];
    // Only Amazon promises that a listing may begin at any key.
    const FRONTS: usize = 1;

    fn name(&self) -> &str {
        &self.bucket.name
    }

    async fn look(api: &Api, name: &str) -> Result<Option<(Self, Look)>> {
        let Some(contents) = Self::of(api, name).await? else { return Ok(None) };
        let start = Cursor::default();
        let (objects, uploads, lock) = futures::join!(
            contents.objects("", &start, retries::config()),
            contents.unfinished(&start, retries::config()),
            contents.object_lock(api)
        );
        let (Some(objects), Some(uploads)) = (objects?, uploads?) else { return Ok(None) };
        let mut look = Look { first: vec![objects, uploads], ..Look::default() };
        if !contents.listings.versions {
            look.remarks
                .finding("the store lists no versions, so only current objects are counted and deleted");
        }
        if let Some(lock) = lock? {
            lock.forbid(&mut look.remarks);
        }
        Ok(Some((contents, look)))
    }

    async fn page(&self, listing: Listing, prefix: &str, cursor: &Cursor) -> Result<Option<Page>> {
        // The page is retried where it is asked for; a retry inside the SDK would hide that the service throttles.
        let once = RetryConfig::disabled();
        match listing {
            Listing::Objects => self.objects(prefix, cursor, once).await,
            _ => self.unfinished(cursor, once).await,
        }
    }

    async fn empty(api: &Api, name: &str, task: Task<'_>) -> Result<Deleted> {
        match Self::of(api, name).await? {
            Some(contents) => by_calls(&contents, task).await,
            None => Ok(Deleted::Gone),
        }
    }
}

impl Batches for Contents {
    // The most keys of one DeleteObjects call.
    const BATCH: usize = 1000;
    // A store is often one machine.
    const AT_FIRST: u16 = 2;
    const AT_ONCE: u16 = 12;
    const UNIT: &'static str = "objects";

    async fn delete(&self, batch: Vec<Entry>) -> Outcome {
        self.bucket.delete_entries(batch).await
    }
}
