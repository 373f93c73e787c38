//! When a lease ends, and what moves that.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::support::Site;

const LONG_AGO: &str = "2020-01-01T00:00:00Z";
const DAYS: SignedDuration = SignedDuration::from_hours(24);

/// What `do` does to the tags of bucket and queues.
fn with_tags(what: &str) -> String {
    format!(
        "
def change(tags):
    {what}
    return tags
tags = change({{tag['Key']: tag['Value'] for tag in s3.get_bucket_tagging(Bucket=bucket)['TagSet']}})
s3.put_bucket_tagging(Bucket=bucket, Tagging={{'TagSet': [{{'Key': k, 'Value': v}} for k, v in tags.items()]}})
for one in sqs.list_queues()['QueueUrls']:
    tags = change(sqs.list_queue_tags(QueueUrl=one)['Tags'])
    sqs.untag_queue(QueueUrl=one, TagKeys=['wbstore:expires'])
    sqs.tag_queue(QueueUrl=one, Tags=tags)
"
    )
}

/// The ends in the marks of bucket and queues.
async fn ends(site: &Site) -> Vec<String> {
    let tags = "[{tag['Key']: tag['Value'] for tag in s3.get_bucket_tagging(Bucket=bucket)['TagSet']}] + \
                [sqs.list_queue_tags(QueueUrl=one)['Tags'] for one in sqs.list_queues()['QueueUrls']]";
    let tags = site.boto(tags).await;
    let end = |tags: &Value| tags["wbstore:expires"].as_str().unwrap_or("none").to_owned();
    tags.as_array().expect("a list").iter().map(end).collect()
}

/// Checks that all of them are `span` from now, give or take what a run takes.
#[track_caller]
fn all_in(span: SignedDuration, ends: &[String]) {
    assert_eq!(ends.len(), 3, "{ends:?}");
    for end in ends {
        let end: Timestamp = end.parse().expect("RFC 3339");
        let ahead = end.duration_since(Timestamp::now());
        assert!((span - SignedDuration::from_mins(10)..=span).contains(&ahead), "{ends:?}");
    }
}

const QUEUES: &str = "--notifications-queue";

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn what_else_changes_in_a_mark_leaves_the_end_of_the_lease() {
    let site = Site::open().await;
    site.provision(&[QUEUES, "--expires", "7d"]).await.ends(0);
    site.boto(&with_tags(&format!(
        "tags.update({{'wbstore:expires': '{LONG_AGO}', 'wbstore:role': 'x', 'wbstore:queue': 'internal'}})"
    )))
    .await;
    for lease in [&["--expires", "7d"][..], &[]] {
        site.provision(&[&[QUEUES], lease].concat()).await.ends(0);
        assert_eq!(ends(&site).await, [LONG_AGO; 3]);
        site.run("plan", &[&[QUEUES, "--exit-code"], lease].concat()).await.ends(0);
        site.boto(&with_tags("tags.update({'wbstore:role': 'x', 'wbstore:queue': 'internal'})")).await;
    }
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_missing_and_an_unreadable_end_count_from_now() {
    let site = Site::open().await;
    site.provision(&[QUEUES, "--expires", "14d"]).await.ends(0);
    all_in(DAYS * 14, &ends(&site).await);
    for broken in ["tags.pop('wbstore:expires', None)", "tags['wbstore:expires'] = 'soon'"] {
        site.boto(&with_tags(broken)).await;
        site.provision(&[QUEUES, "--expires", "2w"]).await.ends(0);
        all_in(DAYS * 14, &ends(&site).await);
    }
}
