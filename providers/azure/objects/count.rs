//! How much a container holds.

use std::fmt;

use azure_storage_blob::BlobContainerClient;
use azure_storage_blob::models::{
    BlobContainerClientListBlobsOptions, BlobItem, ListBlobsIncludeItem, StorageErrorCode,
};
use futures::TryStreamExt;

use super::{Bytes, READ_BLOBS};
use crate::error::Result;
use crate::providers::azure::failure::failure;

/// Counting stops here, after about 50 calls: what a reader decides by does not change beyond it.
pub const COUNTED_AT_MOST: u64 = 250_000;

/// What was counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Blobs, as a plain listing shows them.
    pub objects: u64,
    /// Versions that later ones hide, or whose blob is deleted.
    pub versions: u64,
    /// Snapshots.
    pub snapshots: u64,
    /// The size of all of them.
    pub bytes: u64,
    /// Whether there is more than was counted.
    pub more: bool,
}

impl Tally {
    /// The number of things that go with the container.
    pub fn entries(&self) -> u64 {
        self.objects + self.versions + self.snapshots
    }

    fn add(&mut self, blob: &BlobItem) {
        if blob.snapshot.is_some() {
            self.snapshots += 1;
        } else if blob.version_id.is_some() && blob.is_current_version != Some(true) {
            self.versions += 1;
        } else {
            self.objects += 1;
        }
        let size = blob.properties.as_ref().and_then(|properties| properties.content_length);
        self.bytes += size.unwrap_or_default();
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.more {
            f.write_str("at least ")?;
        }
        let parts: Vec<String> =
            [(self.objects, "object"), (self.versions, "former version"), (self.snapshots, "snapshot")]
                .into_iter()
                .filter(|(count, _)| *count > 0)
                .map(|(count, what)| format!("{count} {what}{}", if count == 1 { "" } else { "s" }))
                .collect();
        match parts.split_last() {
            None => f.write_str("nothing")?,
            Some((only, [])) => f.write_str(only)?,
            Some((last, others)) => write!(f, "{} and {last}", others.join(", "))?,
        }
        write!(f, " ({})", Bytes(self.bytes))
    }
}

/// Counts what `container` holds; `None` where it is not there.
pub async fn count(client: &BlobContainerClient, container: &str) -> Result<Option<Tally>> {
    let all = vec![ListBlobsIncludeItem::Snapshots, ListBlobsIncludeItem::Versions];
    let listed = match list(client, Some(all)).await {
        // An account with a hierarchical namespace has no versions to list.
        Err(error) if code(&error).starts_with("FeatureNotYetSupported") => list(client, None).await,
        result => result,
    };
    match listed {
        Ok(tally) => Ok(Some(tally)),
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(failure(error, READ_BLOBS, format!("container {container}"))),
    }
}

async fn list(
    client: &BlobContainerClient,
    include: Option<Vec<ListBlobsIncludeItem>>,
) -> azure_core::Result<Tally> {
    let options = BlobContainerClientListBlobsOptions { include, ..Default::default() };
    let mut pages = client.list_blobs(Some(options))?.into_pages();
    let mut tally = Tally::default();
    while let Some(page) = pages.try_next().await? {
        if tally.entries() >= COUNTED_AT_MOST {
            tally.more = true;
            break;
        }
        page.into_model()?.blob_items.iter().for_each(|blob| tally.add(blob));
    }
    Ok(tally)
}

/// Whether the container, or the account that DNS knows no more, is not there. A container that is being
/// deleted has lost its blobs.
fn is_absent(error: &azure_core::Error) -> bool {
    [StorageErrorCode::ContainerNotFound, StorageErrorCode::ContainerBeingDeleted]
        .iter()
        .any(|absent| absent.as_ref() == code(error))
}

fn code(error: &azure_core::Error) -> &str {
    match error.kind() {
        azure_core::error::ErrorKind::HttpResponse { error_code: Some(code), .. } => code,
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tally_reads_as_a_sentence_does() {
        let tally = Tally { objects: 12, versions: 1, snapshots: 2, bytes: 3_400_000, more: false };
        assert_eq!(tally.to_string(), "12 objects, 1 former version and 2 snapshots (3.4 MB)");
        let tally = Tally { objects: COUNTED_AT_MOST, more: true, ..Tally::default() };
        assert_eq!(tally.to_string(), "at least 250000 objects (0 bytes)");
    }

    #[test]
    fn blobs_versions_and_snapshots_are_told_apart() {
        let mut tally = Tally::default();
        let version = |current| {
            let mut blob = BlobItem::default();
            (blob.version_id, blob.is_current_version) = (Some("1".to_owned()), current);
            blob
        };
        let mut snapshot = BlobItem::default();
        snapshot.snapshot = Some("1".to_owned());
        for blob in [BlobItem::default(), version(Some(true)), version(None), snapshot] {
            tally.add(&blob);
        }
        assert_eq!((tally.objects, tally.versions, tally.snapshots), (2, 1, 1));
    }
}
