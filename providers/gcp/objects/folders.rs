//! Folders that are more than a part of a name: managed ones, which carry a policy of their own, and
//! those of a hierarchical namespace. A bucket that has any is not empty.

use super::GcsStore;
use super::listing::{page, page_token};
use crate::empty::{self, Cursor, Entry, Listing, Page, What, interrupted};
use crate::error::Result;
use crate::event::Progress;
use crate::providers::gcp::failure::Refusal;
use crate::providers::gcp::rest::read;

/// The collection of a listing, and what its permissions begin with.
fn collection(listing: Listing) -> (&'static str, &'static str) {
    match listing {
        Listing::ManagedFolders => ("managedFolders", "storage.managedFolders"),
        _ => ("folders", "storage.folders"),
    }
}

pub(super) fn number(page: Option<Page>) -> u64 {
    page.map_or(0, |page| u64::try_from(page.entries.len()).unwrap_or(u64::MAX))
}

impl GcsStore {
    pub(super) async fn folders(&self, listing: Listing, cursor: &Cursor) -> Result<Option<Page>> {
        let (folders, permission) = collection(listing);
        let path = self.path(&format!("/{folders}?maxResults=1000{}", page_token(cursor)));
        let answer = self.rest.once_a_look(&path).await?;
        if Refusal::of_answer(&answer).is_some_and(|refusal| has_none(&refusal)) {
            return Ok(None);
        }
        let answer = read(&answer, &format!("{permission}.list"), &self.name)?;
        let entry = |item: &serde_json::Value| Entry {
            key: item["name"].as_str().unwrap_or_default().to_owned(),
            what: What::Folder,
            ..Entry::default()
        };
        Ok(Some(page(&answer, None, entry)))
    }

    /// Removes all folders, the deepest first. Their objects are gone already.
    pub(super) async fn remove_folders(&self, progress: &Progress) -> Result<()> {
        for listing in [Listing::ManagedFolders, Listing::Folders] {
            let (folders, permission) = collection(listing);
            let mut open = Open::default();
            let mut cursor = Some(Cursor::default());
            while let Some(at) = cursor.take() {
                let page = empty::page(self, listing, "", &at).await?.unwrap_or_default();
                let end = page.next.is_none().then_some(None);
                cursor = page.next;
                for name in page.entries.into_iter().map(|folder| Some(folder.key)).chain(end) {
                    for closed in open.next(name.as_deref()) {
                        if progress.is_cancelled() {
                            return Err(interrupted(&self.name, "among its folders"));
                        }
                        self.remove(folders, &closed, "", &format!("{permission}.delete")).await?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// The folders from the root to the one that was listed last. A listing gives a folder before all that
/// is in it, and nothing else between (Cloud Storage JSON API, "Folders: list"), so that one is
/// known to be done as soon as the next is not in it. The memory is that of the depth.
#[derive(Debug, Default)]
struct Open(Vec<String>);

impl Open {
    /// The folders that are done, the deepest first, now that `name` comes; all of them at the end.
    fn next(&mut self, name: Option<&str>) -> Vec<String> {
        let mut done = vec![];
        while self.0.last().is_some_and(|last| name.is_none_or(|name| !name.starts_with(last.as_str()))) {
            done.extend(self.0.pop());
        }
        self.0.extend(name.map(str::to_owned));
        done
    }
}

/// Whether the bucket cannot have folders of this kind, or the endpoint does not support them.
fn has_none(refusal: &Refusal) -> bool {
    refusal.is_not_found()
        || matches!(
            refusal.status.as_str(),
            "UNIMPLEMENTED" | "INVALID_ARGUMENT" | "FAILED_PRECONDITION" | "ABORTED"
        )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn order(names: &[&str]) -> Vec<String> {
        let mut open = Open::default();
        names.iter().map(|name| Some(*name)).chain([None]).flat_map(|name| open.next(name)).collect()
    }

    #[test]
    fn what_is_inside_goes_first() {
        assert_eq!(
            order(&["a-b/", "a/", "a/b/", "a/b/c/", "a/d/", "e/"]),
            ["a-b/", "a/b/c/", "a/b/", "a/d/", "a/", "e/"]
        );
        assert!(order(&[]).is_empty());
    }

    proptest! {
        #[test]
        fn every_folder_goes_once_and_after_all_that_is_in_it(
            names in proptest::collection::btree_set("([a-c-]{1,2}/){1,4}", 0..20),
        ) {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let order = order(&names);
            prop_assert_eq!(order.len(), names.len());
            for (at, one) in order.iter().enumerate() {
                prop_assert!(!order[at + 1..].iter().any(|later| later.starts_with(one.as_str())));
            }
        }
    }
}
