//! The queues of one region that carry a mark.

use aws_sdk_sqs::config::{Config, Region};
use aws_sdk_sqs::types::QueueAttributeName;
use futures::StreamExt;

use super::AT_ONCE;
use crate::error::Result;
use crate::inventory::{Looked, Marked};
use crate::mark::{Entries, ROLE};
use crate::pages::Pages;
use crate::providers::aws::failure::{code, failure};
use crate::providers::aws::mark::TAGS;
use crate::providers::aws::queue::is_gone;
use crate::providers::aws::session::Api;

/// The size of a page. Without one, SQS returns a thousand queues and does not report that there are more
/// (SQS API reference, "ListQueues").
const PAGE: i32 = 1000;

pub(super) const NOTIFICATIONS: &str = "notifications-queue";
const KINDS: [&str; 2] = ["queue", NOTIFICATIONS];

/// All marked queues of `region`. A list shows a queue for minutes after its deletion; the call for its tags
/// fails then.
pub(super) async fn list(api: &Api, region: &str) -> Result<Looked> {
    let mut looked = Looked::default();
    let urls = match urls(api, region).await {
        Ok(urls) => urls,
        Err(error) => {
            looked.unlisted(&KINDS, region, &format!("the queues of {region}"), error)?;
            return Ok(looked);
        }
    };
    let mut looks = futures::stream::iter(urls)
        .map(|url| async move { (look(api, region, &url).await, url) })
        .buffer_unordered(AT_ONCE);
    while let Some((found, url)) = looks.next().await {
        match found {
            Ok(part) => looked.parts.extend(part),
            Err(error) => looked.unreadable(&KINDS, region, &format!("queue {}", name(&url)), error)?,
        }
    }
    Ok(looked)
}

fn there(region: &str) -> aws_sdk_sqs::config::Builder {
    Config::builder().region(Region::new(region.to_owned()))
}

async fn urls(api: &Api, region: &str) -> Result<Vec<String>> {
    const ACTION: &str = "sqs:ListQueues";
    let (mut urls, mut pages, mut token): (Vec<String>, _, _) = (vec![], Pages::default(), None);
    loop {
        let page = api
            .sqs
            .list_queues()
            .max_results(PAGE)
            .set_next_token(token)
            .customize()
            .config_override(there(region))
            .send()
            .await
            .map_err(|error| failure(error, ACTION, region))?;
        let known = urls.len();
        urls.extend(page.queue_urls.unwrap_or_default());
        let Some(next) = page.next_token.filter(|next| !next.is_empty()) else { return Ok(urls) };
        let bytes = urls[known..].iter().map(|url| size_of::<String>() + url.len()).sum();
        pages.turn(&next, bytes, ACTION, region)?;
        token = Some(next);
    }
}

/// The queue at `url` when it carries a mark.
async fn look(api: &Api, region: &str, url: &str) -> Result<Option<Marked>> {
    let answer =
        api.sqs.list_queue_tags().queue_url(url).customize().config_override(there(region)).send().await;
    let tags: Entries = match answer {
        Ok(answer) => answer.tags.unwrap_or_default().into_iter().collect(),
        Err(error) if is_gone(code(&error)) => return Ok(None),
        Err(error) => return Err(failure(error, "sqs:ListQueueTags", name(url))),
    };
    let Some(part) = Marked::new("queue", name(url), &TAGS, &tags) else { return Ok(None) };
    let kind = if part.mark.get(ROLE) == Some("notifications") { NOTIFICATIONS } else { part.kind };
    let created = created(api, region, url).await;
    Ok(Some(Marked { kind, place: region.to_owned(), region: region.to_owned(), created, ..part }))
}

/// When the queue was created. The bucket shows that too, so a denied read is harmless.
async fn created(api: &Api, region: &str, url: &str) -> Option<i64> {
    let answer = api
        .sqs
        .get_queue_attributes()
        .queue_url(url)
        .attribute_names(QueueAttributeName::CreatedTimestamp)
        .customize()
        .config_override(there(region))
        .send()
        .await;
    answer.ok()?.attributes?.get(&QueueAttributeName::CreatedTimestamp)?.parse().ok()
}

/// The last part of a queue's URL.
fn name(url: &str) -> &str {
    url.rsplit('/').next().unwrap_or(url)
}
