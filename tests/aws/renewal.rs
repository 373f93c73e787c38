//! When a lease ends, and what moves that.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::support::{Ends, Site};

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

async fn age(site: &Site) {
    site.boto(&with_tags(&format!("tags['wbstore:expires'] = '{LONG_AGO}'"))).await;
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
        assert!((span - SignedDuration::from_mins(2)..=span).contains(&ahead), "{ends:?}");
    }
}

/// The changes of the ends in a plan, by resource.
fn changed_ends(plan: &Value) -> Vec<&Value> {
    let steps = plan["steps"].as_array().expect("a list");
    let changes = steps.iter().flat_map(|step| step["changes"].as_array().expect("a list"));
    changes.filter(|change| change["field"] == "tags.wbstore:expires").collect()
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
async fn another_lease_and_a_missing_end_count_from_now() {
    let site = Site::open().await;
    site.provision(&[QUEUES, "--expires", "7d", "--renew"]).await.ends(0);
    all_in(DAYS * 7, &ends(&site).await);
    site.provision(&[QUEUES, "--expires", "14d"]).await.ends(0);
    all_in(DAYS * 14, &ends(&site).await);
    for broken in ["tags.pop('wbstore:expires', None)", "tags['wbstore:expires'] = 'soon'"] {
        site.boto(&with_tags(broken)).await;
        site.provision(&[QUEUES, "--expires", "2w"]).await.ends(0);
        all_in(DAYS * 14, &ends(&site).await);
    }
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_renewal_is_reviewed_and_moves_all_ends_by_the_span_of_the_lease() {
    let site = Site::open().await;
    site.provision(&[QUEUES, "--expires", "7d"]).await.ends(0);
    for (renew, days) in
        [(&["--renew"][..], 7), (&["--renew", "--expires", "7d"], 7), (&["--renew", "--expires", "3d"], 3)]
    {
        age(&site).await;
        let renew = [&[QUEUES], renew].concat();
        let plan = site.plan(&renew).await;
        assert_eq!(plan["counts"]["update"], 3, "{plan:#}");
        let changes = changed_ends(&plan);
        assert_eq!(changes.len(), 3, "{plan:#}");
        assert!(changes.iter().all(|change| change["old"] == LONG_AGO), "{plan:#}");
        let new: Vec<_> = changes.iter().map(|change| change["new"].as_str().unwrap().to_owned()).collect();
        all_in(DAYS * days, &new);
        assert_eq!(ends(&site).await, [LONG_AGO; 3], "a plan changes nothing");

        // The reviewer's plan is that of a moment ago, and ends a little earlier.
        tokio::time::sleep(Duration::from_millis(1100)).await;
        let digest = plan["digest"].as_str().expect("a digest");
        let ran = site.provision(&[&renew[..], &["--expect", digest]].concat()).await.ends(0);
        ran.tells(&["wbstore:expires"]);
        all_in(DAYS * days, &ends(&site).await);
        let ends = ends(&site).await;
        assert!(ends.iter().all(|end| *end == ends[0]), "{ends:?}");
        site.run("plan", &[QUEUES, "--exit-code"]).await.ends(0);
    }
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_lease_that_ends_later_than_it_would_after_a_renewal_is_left() {
    let site = Site::open().await;
    site.provision(&[QUEUES, "--expires", "7d"]).await.ends(0);
    let later = "2999-01-01T00:00:00Z";
    site.boto(&with_tags(&format!("tags['wbstore:expires'] = '{later}'"))).await;
    site.aws.proxy().clear_journal();
    site.provision(&[QUEUES, "--renew"]).await.ends(0);
    site.is_untouched();
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn what_has_no_span_is_not_renewed() {
    let site = Site::open().await;
    site.provision(&["--renew"]).await.ends(3).tells(&["no lease to renew", "hint: add --expires"]);
    let date = (Timestamp::now() + DAYS * 30).to_string();
    for (expires, said) in [
        (&[][..], "no lease to renew"),
        (&["--expires", "never"], "never ends"),
        (&["--expires", &date], "ends on a date"),
    ] {
        site.provision(expires).await.ends(0);
        site.aws.proxy().clear_journal();
        for command in ["plan", "provision"] {
            site.run(command, &["--renew"]).await.ends(3).tells(&[said, "hint:"]);
        }
        site.is_untouched();
    }
}
