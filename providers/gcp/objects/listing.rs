//! Lists what a bucket holds, a page at a time.

use std::sync::Arc;

use google_cloud_storage::client::StorageControl;
use google_cloud_storage::model::Object;
use google_cloud_wkt::FieldMask;
use tokio::sync::mpsc::{Receiver, channel};

use super::retained::Hold;
use crate::error::{Error, Kind, Result};
use crate::mutations::Mutations;
use crate::providers::gcp::failure::{failure, is_not_found};
use crate::providers::gcp::session::{Api, mutate};
use crate::retry;

/// The most that a page holds (Cloud Storage RPC reference, "ListObjectsRequest").
pub const PAGE: i32 = 1000;
/// Pages that wait to be taken. It bounds the memory: an entry is little more than its name, which has
/// 1024 bytes at most.
const WAITING_PAGES: usize = 2;
/// What is read of an object. Without a mask the answer is ten times as long.
const FIELDS: [&str; 8] = [
    "name",
    "generation",
    "size",
    "create_time",
    "delete_time",
    "temporary_hold",
    "event_based_hold",
    "retention_expire_time",
];
const RETENTION: &str = "retention";

/// A bucket, and the client it is reached with.
#[derive(Clone, Debug)]
pub struct Bucket {
    /// The client.
    pub control: StorageControl,
    /// Its name.
    pub name: String,
    /// Its name in the API.
    pub full_name: String,
    mutations: Arc<Mutations>,
}

/// One page of a listing.
#[derive(Debug, Default)]
pub struct Page {
    /// What it lists.
    pub objects: Vec<Stored>,
    /// Where the next page begins; `None` after the last.
    pub next: Option<String>,
}

/// One generation of one object. Times are in seconds since the epoch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stored {
    /// Its name.
    pub name: String,
    /// Which one it is, of those with the same name.
    pub generation: i64,
    /// Its size in bytes.
    pub size: u64,
    /// Whether a later one, or a deletion, hides it.
    pub noncurrent: bool,
    /// When it was made.
    pub created: i64,
    /// What holds it, if anything does.
    pub hold: Option<Hold>,
    /// Until when it is to be kept, where it says so itself.
    pub kept_until: Option<i64>,
}

impl Bucket {
    /// The bucket `name`.
    ///
    /// # Errors
    /// When the client cannot be built.
    pub async fn new(api: &Api, name: &str) -> Result<Self> {
        let (control, mutations) = (api.control().await?.clone(), Arc::clone(&api.mutations));
        Ok(Self { control, mutations, name: name.to_owned(), full_name: api.bucket_name(name) })
    }

    /// See [`mutate`].
    ///
    /// # Errors
    /// Those of the call.
    pub async fn mutate<T>(
        &self,
        call: impl Future<Output = google_cloud_gax::Result<T>>,
    ) -> google_cloud_gax::Result<T> {
        mutate(&self.mutations, call).await
    }

    /// A page of all generations of all objects whose names begin with `prefix`; `None` when there is no
    /// such bucket.
    ///
    /// # Errors
    /// Those of the cloud, and [`Kind::Failed`] for a listing that goes round in a circle.
    pub async fn page(&self, prefix: &str, token: String) -> Result<Option<Page>> {
        let mask = FieldMask::default().set_paths(FIELDS.into_iter().chain([RETENTION]));
        let answer = self
            .control
            .list_objects()
            .set_parent(&self.full_name)
            .set_prefix(prefix)
            .set_versions(true)
            .set_read_mask(mask)
            .set_page_size(PAGE)
            .set_page_token(&token)
            .send()
            .await;
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) if is_not_found(&error) => return Ok(None),
            Err(error) => return Err(failure(&error, "storage.objects.list", &self.name)),
        };
        let next = Some(answer.next_page_token).filter(|next| !next.is_empty());
        if next.as_ref() == Some(&token) {
            return Err(Error::new(
                Kind::Failed,
                format!("list {}: the server offers the same page again", self.name),
            )
            .hint("this is a fault of the endpoint; check STORAGE_EMULATOR_HOST"));
        }
        Ok(Some(Page { objects: answer.objects.into_iter().map(Stored::from).collect(), next }))
    }

    /// Deletes one generation for good, as far as soft delete lets it. Gone is done.
    ///
    /// # Errors
    /// Those of the cloud.
    pub async fn delete(&self, object: &Stored) -> Result<(), google_cloud_storage::Error> {
        use google_cloud_gax::options::RequestOptionsBuilder;
        use google_cloud_gax::retry_policy::NeverRetry;
        let call = self.control.delete_object().set_bucket(&self.full_name).set_object(&object.name);
        // How fast to go, and when to come again, is decided for all deletions together.
        let call = call.set_generation(object.generation).with_retry_policy(NeverRetry);
        let answer = self.mutate(call.send()).await;
        answer.or_else(|error| if is_not_found(&error) { Ok(()) } else { Err(error) })
    }
}

impl From<Object> for Stored {
    fn from(object: Object) -> Self {
        let seconds = |time: &google_cloud_wkt::Timestamp| time.seconds();
        let own = object.retention.as_ref().and_then(|one| one.retain_until_time.as_ref()).map(seconds);
        let hold = match (object.temporary_hold, object.event_based_hold) {
            (true, _) => Some(Hold::Temporary),
            (false, Some(true)) => Some(Hold::EventBased),
            _ => None,
        };
        Self {
            kept_until: own.max(object.retention_expire_time.as_ref().map(seconds)),
            hold,
            created: object.create_time.as_ref().map(seconds).unwrap_or_default(),
            noncurrent: object.delete_time.is_some(),
            size: u64::try_from(object.size).unwrap_or_default(),
            generation: object.generation,
            name: object.name,
        }
    }
}

/// Everything in `bucket`, page by page in the order of the names. A bucket that is not there holds
/// nothing. Dropping the receiver stops the listing.
///
/// One listing gives several thousand entries a second, and Cloud Storage asks for no more than a
/// thousand deletions a second to begin with (Cloud Storage documentation, "Request rate and access
/// distribution guidelines"), so that a second listing at the same time would gain nothing.
pub fn walk(bucket: &Bucket) -> Receiver<Result<Vec<Stored>>> {
    let (pages, receiver) = channel(WAITING_PAGES);
    let bucket = bucket.clone();
    tokio::spawn(async move {
        let mut token = String::new();
        loop {
            let page = tokio::select! {
                // To give up here would be to begin anew with the whole bucket.
                page = retry::page(|| bucket.page("", token.clone())) => page,
                () = pages.closed() => return,
            };
            let Page { objects, next } = match page {
                Ok(page) => page.unwrap_or_default(),
                Err(error) => {
                    // The reader learns of it; when there is none any more, nobody needs to.
                    let _ = pages.send(Err(error)).await;
                    return;
                }
            };
            if !objects.is_empty() && pages.send(Ok(objects)).await.is_err() {
                return;
            }
            match next {
                Some(next) => token = next,
                None => return,
            }
        }
    });
    receiver
}

#[cfg(test)]
mod tests {
    use google_cloud_storage::model::object::Retention;
    use google_cloud_wkt::Timestamp;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::new(seconds, 0).unwrap()
    }

    #[test]
    fn an_object_is_kept_by_the_longest_of_its_retentions() {
        let object = Object::new()
            .set_name("a")
            .set_size(3)
            .set_retention(Retention::new().set_retain_until_time(at(20)))
            .set_retention_expire_time(at(10));
        let stored = Stored::from(object);
        assert_eq!((stored.kept_until, stored.hold, stored.size), (Some(20), None, 3));
        let held = Stored::from(Object::new().set_event_based_hold(true).set_delete_time(at(1)));
        assert_eq!((held.kept_until, held.hold, held.noncurrent), (None, Some(Hold::EventBased), true));
    }
}
