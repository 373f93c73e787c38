//! Cloud Storage's part of emptying a bucket: its listings, deletions and lifecycle rules.

mod folders;
mod lifecycle;
mod listing;

use serde_json::Value;

use super::failure::Refusal;
use super::rest::{Rest, segment};
use super::session::Api;
use crate::empty::{
    Batches, Counted, Cursor, Entry, Expiration, Listing, Look, Outcome, Page, Retention, Store, Tally, Task,
    What, empty,
};
use crate::error::{Error, Kind, Result};
use crate::event::Progress;
use crate::http::Method;
use crate::resource::Deleted;
use crate::text::clean;

pub(super) use self::lifecycle::is_emptying;

const DAY: i64 = 24 * 60 * 60;

/// A bucket, and the API it is reached with; cheap to clone into a task.
#[derive(Clone, Debug)]
pub(super) struct GcsStore {
    rest: Rest,
    name: String,
}

impl GcsStore {
    async fn open(api: &Api, name: &str) -> Result<Self> {
        Ok(Self { rest: api.storage_json().await?.clone(), name: name.to_owned() })
    }

    /// The path of what is in the bucket, such as `/o`.
    fn path(&self, part: &str) -> String {
        format!("/storage/v1/b/{}{part}", segment(&self.name))
    }

    /// The response to a GET of `part`, which a look requests once; `None` if it does not exist.
    async fn get(&self, part: &str, permission: &str) -> Result<Option<Value>> {
        self.rest.find(&self.path(part), permission, &self.name).await
    }

    /// Deletes `name` of a `collection`, such as `o`; a missing one counts as deleted. A folder that others have filled
    /// meanwhile is left: the look at the bucket shows it.
    async fn remove(&self, collection: &str, name: &str, query: &str, permission: &str) -> Result<()> {
        let path = self.path(&format!("/{collection}/{}{query}", segment(name)));
        match self.rest.write(Method::DELETE, &path, None).await? {
            Err(refusal) if !refusal.is_not_found() && !refusal.is_not_empty() => {
                let error = refusal.explain(permission, format!("{}/{}", self.name, clean(name)));
                Err(if is_retained(&refusal) { retained(&error) } else { error })
            }
            _ => Ok(()),
        }
    }

    /// Deletes one generation permanently, unless soft delete keeps it.
    async fn delete_one(&self, entry: &Entry) -> Result<()> {
        let query = entry.id.as_ref().map(|id| format!("?generation={id}")).unwrap_or_default();
        self.remove("o", &entry.key, &query, "storage.objects.delete").await
    }
}

impl Store for GcsStore {
    type Api = Api;

    const CLOUD: &'static str = "gcp";
    const KINDS: &'static [Counted] = &[
        (What::Current, "objects", "object"),
        (What::Noncurrent, "noncurrent", "noncurrent object"),
        (What::Folder, "folders", "folder"),
    ];
    // Cloud Storage asks for no more than five thousand reads a second to begin with (Cloud Storage
    // documentation, "Request rate and access distribution guidelines").
    const FRONTS: usize = 32;
    // `startOffset` includes the name itself (Cloud Storage JSON API, "Objects: list").
    const FROM_INCLUDED: bool = true;
    const EXPIRATION: Option<Expiration> = Some(lifecycle::EXPIRATION);

    fn name(&self) -> &str {
        &self.name
    }

    async fn look(api: &Api, name: &str) -> Result<Option<(Self, Look)>> {
        let (store, start) = (Self::open(api, name).await?, Cursor::default());
        // All at once, so that an empty bucket costs no more time than a single call.
        let (described, first, managed) = tokio::join!(
            store.get("?fields=retentionPolicy,hierarchicalNamespace", "storage.buckets.get"),
            store.objects("", &start),
            store.folders(Listing::ManagedFolders, &start)
        );
        let (Some(described), Some(first)) = (described?, first?) else { return Ok(None) };
        let mut look = Look { first: vec![first], ..Look::default() };
        match managed {
            Ok(managed) => look.folders += folders::number(managed),
            Err(error) if error.kind() == Kind::Credentials => return Err(error),
            // The service rejects the deletion of a bucket that still has some, so an unknown state is safe.
            Err(error) => {
                look.remarks.finding(format!("cannot check for managed folders: {}", error.chain()))
            }
        }
        if described["hierarchicalNamespace"]["enabled"] == true {
            look.folders += folders::number(store.folders(Listing::Folders, &start).await?);
        }
        look.retention = retention(&described["retentionPolicy"]);
        Ok(Some((store, look)))
    }

    async fn page(&self, listing: Listing, prefix: &str, cursor: &Cursor) -> Result<Option<Page>> {
        match listing {
            Listing::Objects => self.objects(prefix, cursor).await,
            _ => self.folders(listing, cursor).await,
        }
    }

    async fn empty(api: &Api, name: &str, task: Task<'_>) -> Result<Deleted> {
        let Self { rest, name } = Self::open(api, name).await?;
        empty(&Self { rest: rest.for_many_at_once()?, name }, task).await
    }
}

impl Batches for GcsStore {
    const BATCH: usize = 1;
    // Each takes about 50 ms, which gives the 1000 per second that Cloud Storage recommends to begin with
    // (Cloud Storage documentation, "Request rate and access distribution guidelines"). It scales with the load.
    const AT_FIRST: u16 = 32;
    // Each is a connection, and a process may have 256 of them on macOS.
    const AT_ONCE: u16 = 200;
    const UNIT: &'static str = "objects";

    async fn delete(&self, batch: Vec<Entry>) -> Outcome {
        let mut outcome = Outcome::default();
        for entry in batch {
            match self.delete_one(&entry).await {
                Ok(()) => outcome.gone += 1,
                Err(error) => outcome.left([entry], error),
            }
        }
        outcome
    }

    async fn finish(&self, known: &Tally, progress: &Progress) -> Result<()> {
        if known.of(What::Folder) > 0 { self.remove_folders(progress).await } else { Ok(()) }
    }
}

/// The bucket's policy, which keeps every object.
fn retention(policy: &Value) -> Option<Retention> {
    let seconds = policy["retentionPeriod"].as_str()?.parse().ok().filter(|seconds| *seconds > 0)?;
    let length = if seconds % DAY == 0 { format!("{} days", seconds / DAY) } else { format!("{seconds} s") };
    let locked = if policy["isLocked"] == true { ", which is locked permanently" } else { "" };
    Some(Retention { seconds, words: format!("a retention policy of {length}{locked}") })
}

/// Whether the refusal is that of a hold or a retention, which comes as one of permission (Cloud Storage
/// JSON API, "403: retentionPolicyNotMet").
fn is_retained(refusal: &Refusal) -> bool {
    let words = refusal.message.to_lowercase();
    refusal.reason == "retentionPolicyNotMet"
        || ["retention", "temporary hold", "event-based hold"].iter().any(|word| words.contains(word))
}

fn retained(error: &Error) -> Error {
    Error::refused(error.to_string())
        .hint("wait until the retention ends, or lift the hold; wbstore never bypasses either")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_retention_differs_from_a_missing_permission() {
        let refusal = |message: &str| Refusal { message: message.to_owned(), ..Refusal::default() };
        assert!(is_retained(&refusal("Object 'b/o' is subject to bucket's retention policy")));
        assert!(is_retained(&refusal("Object 'b/o' is under active Temporary hold and cannot be deleted")));
        assert!(!is_retained(&refusal("does not have storage.objects.delete access")));
        assert!(is_retained(&Refusal { reason: "retentionPolicyNotMet".to_owned(), ..Refusal::default() }));
    }

    #[test]
    fn a_policy_is_read_in_days() {
        let of = |policy: Value| retention(&policy).map(|policy| (policy.seconds, policy.words));
        let locked = json!({"retentionPeriod": "172800", "isLocked": true});
        let words = "a retention policy of 2 days, which is locked permanently".to_owned();
        assert_eq!(of(locked), Some((172_800, words)));
        assert_eq!(of(json!({"retentionPeriod": "90"})), Some((90, "a retention policy of 90 s".to_owned())));
        assert_eq!(of(json!({"retentionPeriod": "0"})), None);
        assert_eq!(of(Value::Null), None);
    }
}
