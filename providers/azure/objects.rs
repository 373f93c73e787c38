//! Blob Storage's part of emptying a container: its listing. Azure deletes the blobs with their container, in
//! the same call, so there are neither batches of deletions nor lifecycle rules.

mod soft_delete;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use azure_core::error::ErrorKind;
use azure_storage_blob::BlobContainerClient;
use azure_storage_blob::models::{
    BlobContainerClientListBlobsOptions, BlobItem, ListBlobsIncludeItem, ListBlobsResponse, StorageErrorCode,
};
use futures::TryStreamExt;
use jiff::Timestamp;

use self::soft_delete::SoftDelete;
use super::failure::failure;
use super::sas::{LIST_SERVICE_SAS, Sas, Scope};
use super::session::Api;
use crate::empty::{Counted, Cursor, Entry, Listing, Look, Page, Store, Task, What, page};
use crate::error::{Error, Kind, Result};
use crate::resource::Deleted;

/// To list blobs.
const PERMISSIONS: &str = "l";
/// The action that listing needs without a signature.
const READ_BLOBS: &str = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read";

/// A container and how its blobs are listed; cheap to clone into a task.
#[derive(Clone)]
pub(super) struct BlobStore {
    client: Arc<BlobContainerClient>,
    name: String,
    /// Whether the account has a hierarchical namespace, and so no versions to list.
    hierarchical: Arc<AtomicBool>,
}

impl BlobStore {
    /// Reads the first page with a signature of ARM's; with our own token where ARM may not sign, or the
    /// account accepts no signatures.
    async fn open(api: &Api, name: &str) -> Result<Option<(Self, Page)>> {
        let unsigned = match Self::open_signed(api, name).await {
            Err(error) if matches!(error.kind(), Kind::Denied | Kind::Refused) => error,
            result => return result,
        };
        Self::with(api, name, None).await.map_err(|error| match error.kind() {
            Kind::Denied | Kind::Credentials => Error::new(
                Kind::Denied,
                format!("cannot count the blobs of container {name}: {}", unsigned.chain()),
            )
            .because(error)
            .hint(format!(
                "grant {LIST_SERVICE_SAS} to these credentials, or {READ_BLOBS} with the role Storage Blob Data Reader"
            )),
            _ => error,
        })
    }

    async fn open_signed(api: &Api, name: &str) -> Result<Option<(Self, Page)>> {
        let (sas, endpoints) =
            tokio::join!(Sas::find(api, Scope::Container(name, PERMISSIONS)), api.endpoints());
        endpoints?;
        match sas? {
            Some(sas) => Self::with(api, name, Some(sas.query())).await,
            None => Ok(None),
        }
    }

    async fn with(api: &Api, name: &str, sas: Option<&str>) -> Result<Option<(Self, Page)>> {
        let client = Arc::new(api.blobs(sas).await?.blob_container_client(name));
        let store = Self { client, name: name.to_owned(), hierarchical: Arc::default() };
        let first = page(&store, Listing::Objects, "", &Cursor::default()).await?;
        Ok(first.map(|first| (store, first)))
    }

    async fn list(&self, cursor: &Cursor) -> azure_core::Result<Option<ListBlobsResponse>> {
        let all = || vec![ListBlobsIncludeItem::Snapshots, ListBlobsIncludeItem::Versions];
        let include = (!self.hierarchical.load(Ordering::Relaxed)).then(all);
        let marker = cursor.token.clone();
        let options = BlobContainerClientListBlobsOptions { include, marker, ..Default::default() };
        let page = self.client.list_blobs(Some(options))?.into_pages().try_next().await?;
        let Some(page) = page else { return Ok(None) };
        let text: &[u8] = page.body().as_ref();
        if text.windows(ENTRY.len()).filter(|part| *part == ENTRY).count() > MOST_ENTRIES {
            let why = format!("a page of more than {MOST_ENTRIES} blobs");
            return Err(azure_core::Error::with_message(ErrorKind::DataConversion, why));
        }
        page.into_model().map(Some)
    }
}

/// How a page begins a blob, and the most that Azure puts in one (Storage Services REST API, "List Blobs").
const ENTRY: &[u8] = b"<Blob>";
const MOST_ENTRIES: usize = 5000;

impl Store for BlobStore {
    type Api = Api;

    const CLOUD: &'static str = "azure";
    const KINDS: &'static [Counted] = &[
        (What::Current, "objects", "object"),
        (What::Noncurrent, "versions", "former version"),
        (What::Snapshot, "snapshots", "snapshot"),
    ];

    fn name(&self) -> &str {
        &self.name
    }

    async fn look(api: &Api, name: &str) -> Result<Option<(Self, Look)>> {
        // Both at once, so that an empty container costs no more time than its listing.
        let (opened, soft_delete) = tokio::join!(Self::open(api, name), SoftDelete::find(api, name));
        let Some((store, first)) = opened? else { return Ok(None) };
        let mut look = Look { first: vec![first], ..Look::default() };
        // An empty container needs no more than its listing.
        match soft_delete {
            Ok(soft_delete) => {
                if let Some(fact) = soft_delete.finding(&api.account, name, Timestamp::now()) {
                    look.remarks.leave(fact);
                }
            }
            Err(error) if !look.is_empty() => return Err(error),
            Err(_) => {}
        }
        Ok(Some((store, look)))
    }

    async fn page(&self, _: Listing, _: &str, cursor: &Cursor) -> Result<Option<Page>> {
        let listed = match self.list(cursor).await {
            Err(error) if code(&error).starts_with("FeatureNotYetSupported") => {
                self.hierarchical.store(true, Ordering::Relaxed);
                self.list(cursor).await
            }
            result => result,
        };
        match listed {
            Ok(answer) => Ok(answer.map(read)),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(failure(error, READ_BLOBS, format!("container {}", self.name))),
        }
    }

    async fn empty(_: &Api, _: &str, _: Task<'_>) -> Result<Deleted> {
        Ok(Deleted::WithParent)
    }
}

fn read(answer: ListBlobsResponse) -> Page {
    let token = answer.next_marker.filter(|marker| !marker.is_empty());
    Page {
        entries: answer.blob_items.iter().map(entry).collect(),
        next: token.map(|token| Cursor { key: None, token: Some(token) }),
    }
}

fn entry(blob: &BlobItem) -> Entry {
    let is_former = blob.version_id.is_some() && blob.is_current_version != Some(true);
    let what = match blob.snapshot {
        Some(_) => What::Snapshot,
        None if is_former => What::Noncurrent,
        None => What::Current,
    };
    let size = blob.properties.as_ref().and_then(|properties| properties.content_length);
    // Only their number and size count: no blob is deleted by its name.
    Entry { what, size: size.unwrap_or_default(), ..Entry::default() }
}

/// Whether the container or the account (whose name no longer resolves) does not exist. A container that is
/// being deleted has no blobs.
fn is_absent(error: &azure_core::Error) -> bool {
    [StorageErrorCode::ContainerNotFound, StorageErrorCode::ContainerBeingDeleted]
        .iter()
        .any(|absent| absent.as_ref() == code(error))
}

fn code(error: &azure_core::Error) -> &str {
    match error.kind() {
        ErrorKind::HttpResponse { error_code: Some(code), .. } => code,
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blobs_versions_and_snapshots_differ() {
        let version = |current| {
            let mut blob = BlobItem::default();
            (blob.version_id, blob.is_current_version) = (Some("1".to_owned()), current);
            blob
        };
        let mut snapshot = BlobItem::default();
        snapshot.snapshot = Some("1".to_owned());
        let kinds = [BlobItem::default(), version(Some(true)), version(None), snapshot];
        let kinds = kinds.map(|blob| entry(&blob).what);
        assert_eq!(kinds, [What::Current, What::Current, What::Noncurrent, What::Snapshot]);
    }
}
