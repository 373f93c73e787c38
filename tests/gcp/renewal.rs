//! When a lease ends, and what moves that.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::support::Site;

const LONG_AGO: &str = "1577836800";
const END: &str = "wbstore-expires";
const DAYS: SignedDuration = SignedDuration::from_hours(24);

/// Sets labels of bucket, topic and subscription.
async fn label(site: &Site, new: &[(&str, &str)]) {
    let add = |mut labels: Value| {
        for (key, value) in new {
            labels[*key] = json!(value);
        }
        json!({ "labels": labels })
    };
    site.patch_bucket(add(json!({}))).await;
    let topic = add(site.get(&site.topic()).await["labels"].take());
    site.ask("PATCH", &site.topic(), json!({ "topic": topic, "updateMask": "labels" })).await;
    let subscription = add(site.get(&site.subscription()).await["labels"].take());
    site.patch_subscription("labels", subscription).await;
}

/// The ends in the marks of bucket, topic and subscription.
async fn ends(site: &Site) -> Vec<String> {
    let parts = [site.bucket().await, site.get(&site.topic()).await, site.get(&site.subscription()).await];
    parts.iter().map(|part| part["labels"][END].as_str().unwrap_or("none").to_owned()).collect()
}

/// Checks that all of them are `span` from now, give or take what a run takes.
#[track_caller]
fn all_in(span: SignedDuration, ends: &[String]) {
    assert_eq!(ends.len(), 3, "{ends:?}");
    for end in ends {
        let end = Timestamp::from_second(end.parse().expect("seconds")).expect("a time");
        let ahead = end.duration_since(Timestamp::now());
        assert!((span - SignedDuration::from_mins(10)..=span).contains(&ahead), "{ends:?}");
    }
}

#[tokio::test]
async fn what_else_changes_in_a_mark_leaves_the_end_of_the_lease() {
    let site = Site::open().await;
    site.provision(&["--expires", "7d"]).await.ends(0);
    label(&site, &[(END, LONG_AGO)]).await;
    for lease in [&["--expires", "7d"][..], &[]] {
        // What differs is written together with the labels.
        site.patch_bucket(json!({ "labels": { "wbstore-queue": "internal" } })).await;
        site.patch_subscription("ackDeadlineSeconds", json!({ "ackDeadlineSeconds": 11 })).await;
        site.run("plan", &[&["--exit-code"], lease].concat()).await.ends(5);
        site.provision(lease).await.ends(0);
        assert_eq!(ends(&site).await, [LONG_AGO; 3]);
        site.run("plan", &[&["--exit-code"], lease].concat()).await.ends(0);
    }
}

#[tokio::test]
async fn an_unreadable_end_counts_from_now() {
    let site = Site::open().await;
    site.provision(&["--expires", "14d"]).await.ends(0);
    all_in(DAYS * 14, &ends(&site).await);
    label(&site, &[(END, "soon")]).await;
    site.provision(&["--expires", "2w"]).await.ends(0);
    all_in(DAYS * 14, &ends(&site).await);
}
