//! The queues of one region that carry a mark.

use std::collections::BTreeSet;

use aws_sdk_sqs::config::{Config, Region};
use aws_sdk_sqs::types::QueueAttributeName;
use futures::StreamExt;

use super::{AT_ONCE, Marked, Seen, unread};
use crate::error::{Kind, Result};
use crate::providers::aws::failure::{code, failure};
use crate::providers::aws::mark::{self, Tags};
use crate::providers::aws::queue::is_gone;
use crate::providers::aws::session::Api;

/// The size of a page. Without one, SQS gives a thousand queues and does not say that there are more
/// (SQS API reference, "ListQueues").
const PAGE: i32 = 1000;

/// All marked queues of `region`. A list shows a queue for minutes after its deletion; the call for
/// its tags tells.
pub async fn list(api: &Api, region: &str) -> Result<Seen> {
    let urls = match urls(api, region).await {
        Ok(urls) => urls,
        Err(error) if error.kind() == Kind::Credentials => return Err(error),
        Err(error) => {
            return Ok(Seen {
                unread: vec![format!("the queues of {region} cannot be listed: {}", error.chain())],
                unsure: BTreeSet::from([region.to_owned()]),
                ..Seen::default()
            });
        }
    };
    let mut looks = futures::stream::iter(urls)
        .map(|url| async move { (look(api, region, &url).await, url) })
        .buffer_unordered(AT_ONCE);
    let mut seen = Seen::default();
    while let Some((found, url)) = looks.next().await {
        match found {
            Ok(part) => seen.parts.extend(part),
            Err(error) => {
                seen.unread.push(unread(&format!("queue {}", name(&url)), error)?);
                seen.unsure.insert(region.to_owned());
            }
        }
    }
    seen.unread.sort();
    Ok(seen)
}

fn there(region: &str) -> aws_sdk_sqs::config::Builder {
    Config::builder().region(Region::new(region.to_owned()))
}

async fn urls(api: &Api, region: &str) -> Result<Vec<String>> {
    let mut urls = vec![];
    let mut token = None;
    loop {
        let page = api
            .sqs
            .list_queues()
            .max_results(PAGE)
            .set_next_token(token.clone())
            .customize()
            .config_override(there(region))
            .send()
            .await
            .map_err(|error| failure(error, "sqs:ListQueues", region))?;
        urls.extend(page.queue_urls.unwrap_or_default());
        // A token that comes twice would have us read the same page for ever.
        match page.next_token.filter(|next| Some(next) != token.as_ref()) {
            Some(next) => token = Some(next),
            None => return Ok(urls),
        }
    }
}

/// The queue at `url` when it carries a mark.
async fn look(api: &Api, region: &str, url: &str) -> Result<Option<Marked>> {
    let answer =
        api.sqs.list_queue_tags().queue_url(url).customize().config_override(there(region)).send().await;
    let tags: Tags = match answer {
        Ok(answer) => answer.tags.unwrap_or_default().into_iter().collect(),
        Err(error) if is_gone(code(&error)) => return Ok(None),
        Err(error) => return Err(failure(error, "sqs:ListQueueTags", name(url))),
    };
    if !tags.contains_key(mark::DEPLOYMENT) {
        return Ok(None);
    }
    let kind = match tags.get(mark::ROLE).map(String::as_str) {
        Some("notifications") => "notifications-queue",
        _ => "queue",
    };
    let created = created(api, region, url).await;
    Ok(Some(Marked { kind, name: name(url).to_owned(), region: region.to_owned(), created, tags }))
}

/// When the queue was made. The bucket tells that too, so that a refusal here is no loss.
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
