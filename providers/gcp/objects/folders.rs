//! Folders that are more than a part of a name: managed ones, which carry a policy of their own, and
//! those of a hierarchical namespace. A bucket that has any is not empty.

use google_cloud_gax::options::RequestOptionsBuilder;
use google_cloud_gax::paginator::ItemPaginator;
use google_cloud_storage::Error as SdkError;

use super::listing::Bucket;
use crate::error::{Error, Kind, Result};
use crate::event::Progress;
use crate::providers::gcp::failure::{Refusal, failure, is_not_found};

/// The number of managed folders of `bucket`, of the first page alone: what matters is whether there
/// are any.
///
/// # Errors
/// Those of the cloud, denied included.
pub async fn any_managed(bucket: &Bucket) -> Result<u64> {
    let answer = bucket.control.list_managed_folders().set_parent(&bucket.full_name).send().await;
    match answer {
        Ok(answer) => Ok(as_u64(answer.managed_folders.len())),
        Err(error) if has_none(&error) => Ok(0),
        Err(error) => Err(failure(&error, "storage.managedFolders.list", &bucket.name)),
    }
}

/// The number of folders of `bucket`, which has a hierarchical namespace, of the first page alone.
///
/// # Errors
/// Those of the cloud, denied included.
pub async fn plain(bucket: &Bucket) -> Result<u64> {
    let answer = bucket.control.list_folders().set_parent(&bucket.full_name).send().await;
    match answer {
        Ok(answer) => Ok(as_u64(answer.folders.len())),
        Err(error) if has_none(&error) => Ok(0),
        Err(error) => Err(failure(&error, "storage.folders.list", &bucket.name)),
    }
}

/// Removes all folders of `bucket`, the deepest first. Their objects are gone already.
///
/// # Errors
/// Those of the cloud; [`Kind::Interrupted`] after Ctrl-C.
pub async fn remove(bucket: &Bucket, progress: &Progress) -> Result<()> {
    let mut managed = bucket.control.list_managed_folders().set_parent(&bucket.full_name).by_item();
    let mut open = Open::default();
    loop {
        let name = match managed.next().await {
            Some(Ok(folder)) => Some(folder.name),
            Some(Err(error)) if has_none(&error) => None,
            Some(Err(error)) => return Err(failure(&error, "storage.managedFolders.list", &bucket.name)),
            None => None,
        };
        for closed in open.next(name.as_deref()) {
            stop_if_cancelled(bucket, progress)?;
            let answer = bucket
                .mutate(
                    bucket.control.delete_managed_folder().set_name(&closed).with_idempotency(false).send(),
                )
                .await;
            done(answer, "storage.managedFolders.delete", &closed)?;
        }
        if name.is_none() {
            break;
        }
    }
    let mut plain = bucket.control.list_folders().set_parent(&bucket.full_name).by_item();
    loop {
        let name = match plain.next().await {
            Some(Ok(folder)) => Some(folder.name),
            // A bucket with a flat namespace has none.
            Some(Err(error)) if has_none(&error) => None,
            Some(Err(error)) => return Err(failure(&error, "storage.folders.list", &bucket.name)),
            None => None,
        };
        for closed in open.next(name.as_deref()) {
            stop_if_cancelled(bucket, progress)?;
            let answer = bucket
                .mutate(bucket.control.delete_folder().set_name(&closed).with_idempotency(false).send())
                .await;
            done(answer, "storage.folders.delete", &closed)?;
        }
        if name.is_none() {
            return Ok(());
        }
    }
}

/// The folders from the root to the one that was listed last. A listing gives a folder before all that
/// is in it, and nothing else between (Cloud Storage control reference, "ListFolders"), so that one is
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

/// Whether `error` says that the bucket cannot have folders of this kind, or the endpoint does not know
/// them.
fn has_none(error: &SdkError) -> bool {
    Refusal::of(error).is_some_and(|refusal| {
        refusal.is_not_found()
            || matches!(refusal.status.as_str(), "UNIMPLEMENTED" | "INVALID_ARGUMENT" | "FAILED_PRECONDITION")
    })
}

fn done(answer: std::result::Result<(), SdkError>, permission: &str, folder: &str) -> Result<()> {
    match answer {
        Err(error) if !is_not_found(&error) => Err(failure(&error, permission, folder)),
        _ => Ok(()),
    }
}

fn stop_if_cancelled(bucket: &Bucket, progress: &Progress) -> Result<()> {
    if !progress.is_cancelled() {
        return Ok(());
    }
    Err(Error::new(Kind::Interrupted, format!("empty {}: interrupted among its folders", bucket.name))
        .hint("run again to go on"))
}

fn as_u64(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
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
