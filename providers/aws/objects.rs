//! S3's part of emptying a bucket.

use aws_sdk_s3::config::retry::RetryConfig;

use super::failure::AWS;
use super::lifecycle;
use super::session::Api;
use crate::empty::{
    Batches, Counted, Cursor, Entry, Expiration, Listing, Look, Outcome, Page, Store, Task, empty,
};
use crate::error::Result;
use crate::providers::s3_protocol::objects::{KINDS, S3Store};
use crate::providers::s3_protocol::retries;
use crate::resource::{Deleted, Forbids, Remarks};

/// The bucket `name`, which must belong to the account of `api`.
pub(super) fn store(api: &Api, name: &str) -> S3Store {
    S3Store {
        s3: api.s3.clone(),
        name: name.to_owned(),
        owner: Some(api.owner()),
        failures: &AWS,
        explained: |_, error| error,
        singly: None,
    }
}

impl Store for S3Store {
    type Api = Api;

    const CLOUD: &'static str = "aws";
    const KINDS: &'static [Counted] = KINDS;
    const LISTINGS: &'static [Listing] = &[Listing::Objects, Listing::Uploads];
    // Far below the 5,500 reads a second that S3 promises for one prefix (S3 user guide, "Best practices
    // design patterns: optimizing Amazon S3 performance"). Each page in memory is most of a megabyte.
    const FRONTS: usize = 32;
    const EXPIRATION: Option<Expiration> = Some(lifecycle::EXPIRATION);

    fn name(&self) -> &str {
        &self.name
    }

    async fn look(api: &Api, name: &str) -> Result<Option<(Self, Look)>> {
        let (store, start) = (store(api, name), Cursor::default());
        let (versions, uploads) = tokio::join!(
            store.versions("", &start, retries::config()),
            store.uploads(&start, retries::config())
        );
        let (Some(versions), Some(uploads)) = (versions?, uploads?) else { return Ok(None) };
        Ok(Some((store, Look { first: vec![versions, uploads], ..Look::default() })))
    }

    // S3 deletes no bucket that has objects, versions or markers (S3 API reference, `DeleteBucket`); of unfinished
    // uploads that is not said.
    async fn look_at_empty(api: &Api, name: &str) -> Result<Option<(Self, Look)>> {
        let store = store(api, name);
        let uploads = store.uploads(&Cursor::default(), retries::config()).await?;
        let look = uploads.map(|uploads| Look { first: vec![Page::default(), uploads], ..Look::default() });
        Ok(look.map(|look| (store, look)))
    }

    async fn protection(api: &Api, name: &str) -> Result<Remarks> {
        let store = store(api, name);
        let (mfa, lock) = tokio::try_join!(store.mfa_delete(), store.object_lock())?;
        let mut remarks = Remarks::default();
        match mfa {
            Some(false) => {}
            Some(true) => remarks.obstacle(
                Forbids::Delete,
                "MFA delete is on: only the account's root user can delete versions",
                "disable MFA delete as the root user, with its MFA device",
            ),
            None => remarks.finding("the endpoint does not report whether MFA delete is on"),
        }
        if let Some(lock) = lock {
            lock.forbid(&mut remarks);
        }
        Ok(remarks)
    }

    async fn page(&self, listing: Listing, prefix: &str, cursor: &Cursor) -> Result<Option<Page>> {
        // The page is retried where it is asked for; a retry inside the SDK would hide that the service throttles.
        let once = RetryConfig::disabled();
        match listing {
            Listing::Objects => self.versions(prefix, cursor, once).await,
            _ => self.uploads(cursor, once).await,
        }
    }

    async fn empty(api: &Api, name: &str, task: Task<'_>) -> Result<Deleted> {
        empty(&store(api, name), task).await
    }
}

impl Batches for S3Store {
    // The most keys of one DeleteObjects call.
    const BATCH: usize = 1000;
    // S3 promises 3,500 deletions a second for one prefix and recommends a gradual increase (S3 user guide, "Best
    // practices design patterns: optimizing Amazon S3 performance"). So many batches, twice as many and the rest
    // are 100,000 keys.
    const AT_FIRST: u16 = 18;
    const AT_ONCE: u16 = 48;
    const UNIT: &'static str = "versions";

    async fn delete(&self, batch: Vec<Entry>) -> Outcome {
        self.delete_entries(batch).await
    }
}
