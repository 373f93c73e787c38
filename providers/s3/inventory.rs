//! The buckets of a store that carry a mark.

use futures::StreamExt;

use super::failure::failure;
use super::mark::{self, MARKS};
use super::session::Api;
use crate::error::Result;
use crate::inventory::{Inventory, Layout, Looked, Marked};
use crate::pages::Pages;

/// Marks are read from this many buckets at once.
const AT_ONCE: usize = 8;

const ACTION: &str = "s3:ListAllMyBuckets";

const LAYOUT: Layout = Layout { bucket: "bucket", parts: &[] };

/// All deployments of the store that the key can list.
///
/// # Errors
/// When the buckets cannot be listed at all. What else cannot be read is in [`Inventory::unread`].
pub(crate) async fn list(api: &Api) -> Result<Inventory> {
    let mut looks = futures::stream::iter(buckets(api).await?)
        .map(|(name, created)| async move { (mark::read(api, &name).await, name, created) })
        .buffer_unordered(AT_ONCE);
    let mut looked = Looked::default();
    while let Some((marks, name, created)) = looks.next().await {
        let marks = match marks {
            Ok(Some(marks)) => marks,
            Ok(None) => continue,
            Err(error) => {
                looked.unreadable(&[LAYOUT.bucket], "", &format!("bucket {name}"), error)?;
                continue;
            }
        };
        if let Some(error) = marks.denied {
            looked.unreadable(&[LAYOUT.bucket], "", &format!("bucket {name}"), error)?;
            continue;
        }
        let part = Marked::new(LAYOUT.bucket, &name, &MARKS, &marks.entries);
        looked.parts.extend(part.map(|part| Marked { region: api.region.to_string(), created, ..part }));
    }
    Ok(Inventory::of(format!("buckets of {}", api.endpoint), looked, &LAYOUT))
}

/// The names of all buckets, and when they were created: seconds since the epoch.
///
/// # Errors
/// Those of the calls.
pub(super) async fn buckets(api: &Api) -> Result<Vec<(String, Option<i64>)>> {
    let (mut buckets, mut pages, mut token) = (vec![], Pages::default(), None);
    loop {
        let page = api.s3.list_buckets().set_continuation_token(token).send().await;
        let page = page.map_err(|error| failure(error, ACTION, &api.endpoint))?;
        let before = buckets.len();
        buckets.extend(
            page.buckets
                .unwrap_or_default()
                .into_iter()
                .filter_map(|bucket| Some((bucket.name?, bucket.creation_date.map(|date| date.secs())))),
        );
        let Some(next) = page.continuation_token.filter(|next| !next.is_empty()) else { return Ok(buckets) };
        pages.turn(
            &next,
            (buckets.len() - before) * size_of::<(String, Option<i64>)>(),
            ACTION,
            &api.endpoint,
        )?;
        token = Some(next);
    }
}
