//! The buckets of the account that carry a mark, in all regions.

use aws_sdk_s3::config::{Config, Region};
use aws_sdk_s3::error::SdkError;
use futures::StreamExt;

use super::{AT_ONCE, LAYOUT};
use crate::error::Result;
use crate::inventory::{Looked, Marked};
use crate::mark::Entries;
use crate::pages::Pages;
use crate::providers::aws::failure::{code, failure, header};
use crate::providers::aws::mark::TAGS;
use crate::providers::aws::session::Api;

/// The size of a page. With one, S3 returns the region of each bucket (S3 API reference, "ListBuckets").
const PAGE: i32 = 1000;

/// A bucket as the list shows it.
struct Listed {
    name: String,
    region: Option<String>,
    created: Option<i64>,
}

/// All marked buckets.
pub(super) async fn list(api: &Api) -> Result<Looked> {
    let mut looks = futures::stream::iter(listed(api).await?)
        .map(|listed| async move { (tags(api, &listed).await, listed) })
        .buffer_unordered(AT_ONCE);
    let mut looked = Looked::default();
    while let Some((tags, Listed { name, created, .. })) = looks.next().await {
        match tags {
            Ok(Some((region, tags))) => {
                let part = Marked::new(LAYOUT.bucket, &name, &TAGS, &tags);
                looked.parts.extend(part.map(|part| Marked {
                    place: region.clone(),
                    region,
                    created,
                    ..part
                }));
            }
            Ok(None) => {}
            // It may be any deployment's.
            Err(error) => looked.unreadable(&[LAYOUT.bucket], "", &format!("bucket {name}"), error)?,
        }
    }
    Ok(looked)
}

async fn listed(api: &Api) -> Result<Vec<Listed>> {
    const ACTION: &str = "s3:ListAllMyBuckets";
    let account = format!("account {}", api.account);
    let (mut listed, mut pages, mut token) = (vec![], Pages::default(), None);
    loop {
        let page = api.s3.list_buckets().max_buckets(PAGE).set_continuation_token(token).send().await;
        let page = page.map_err(|error| failure(error, ACTION, &account))?;
        let known = listed.len();
        listed.extend(page.buckets.unwrap_or_default().into_iter().map(|bucket| Listed {
            name: bucket.name.unwrap_or_default(),
            region: bucket.bucket_region,
            created: bucket.creation_date.map(|date| date.secs()),
        }));
        let Some(next) = page.continuation_token.filter(|next| !next.is_empty()) else { return Ok(listed) };
        let bytes = listed[known..].iter().map(|bucket| size_of::<Listed>() + bucket.name.len()).sum();
        pages.turn(&next, bytes, ACTION, &account)?;
        token = Some(next);
    }
}

/// The region and tags of a bucket; `None` if it no longer exists, because the list may show it for a while.
async fn tags(api: &Api, listed: &Listed) -> Result<Option<(String, Entries)>> {
    let mut region = listed.region.clone().unwrap_or_else(|| api.region.to_string());
    let mut moved = false;
    loop {
        let answer = api
            .s3
            .get_bucket_tagging()
            .bucket(&listed.name)
            .expected_bucket_owner(api.owner())
            .customize()
            .config_override(Config::builder().region(Region::new(region.clone())))
            .send()
            .await;
        let error = match answer {
            Ok(answer) => {
                let tags = answer.tag_set.into_iter().map(|tag| (tag.key, tag.value)).collect();
                return Ok(Some((region, tags)));
            }
            Err(error) => error,
        };
        match code(&error) {
            "NoSuchTagSet" => return Ok(Some((region, Entries::new()))),
            "NoSuchBucket" => return Ok(None),
            _ => {}
        }
        // A list that names no region, or not the right one: the refusal does, and is followed once.
        match told_region(&error).filter(|told| *told != region && !moved) {
            Some(told) => (region, moved) = (told, true),
            None => return Err(failure(error, "s3:GetBucketTagging", &listed.name)),
        }
    }
}

fn told_region<E>(error: &SdkError<E>) -> Option<String> {
    error.raw_response().and_then(|response| header(response, "x-amz-bucket-region"))
}
