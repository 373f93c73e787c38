//! When a lease ends, and what moves that.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::support::{Ends, NAME, Site};

const LONG_AGO: &str = "2020-01-01T00:00:00Z";
const DAYS: SignedDuration = SignedDuration::from_hours(24);

async fn age(site: &Site) {
    site.double().set_lease_end(site.account(), NAME, LONG_AGO).await.expect("it is ours");
}

/// The ends in the marks of account, container, queue and event subscription.
async fn ends(site: &Site) -> Vec<String> {
    let snapshot = site.snapshot().await;
    let documents = snapshot.paths().filter_map(|path| snapshot.get(path));
    // A date follows the key as `":"` in tags and metadata, and as `:` in labels.
    let end = |text: &str| {
        let (_, rest) = text.split_once("expires")?;
        Some(rest.trim_start_matches(['"', ':']).split('"').next()?.to_owned())
    };
    documents.filter_map(end).collect()
}

/// Checks that all of them are `span` from now, give or take what a run takes.
#[track_caller]
fn all_in(span: SignedDuration, ends: &[String]) {
    assert_eq!(ends.len(), 4, "{ends:?}");
    for end in ends {
        let end: Timestamp = end.parse().expect("RFC 3339");
        let ahead = end.duration_since(Timestamp::now());
        assert!((span - SignedDuration::from_mins(2)..=span).contains(&ahead), "{ends:?}");
    }
}

async fn plan(site: &Site, arguments: &[&str]) -> Value {
    site.run("plan", &[&["--format", "json"], arguments].concat()).await.ends(0).json()
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn what_else_changes_in_a_mark_leaves_the_end_of_the_lease() {
    let site = Site::open().await;
    site.provision(&["--expires", "7d"]).await.ends(0);
    age(&site).await;
    for (lease, host) in [(&["--expires", "7d"][..], "https://one.example"), (&[], "https://two.example")] {
        // The mark of the container remembers the host, and the subscription is written whole.
        let name = ["--name", crate::support::NAME, "--host", host, "--message-ttl"];
        let ttl = if lease.is_empty() { "2d" } else { "3d" };
        let changed = [&name[..], &[ttl], lease].concat();
        assert_eq!(plan(&site, &changed).await["counts"]["update"], 3);
        site.provision(&changed).await.ends(0);
        assert_eq!(ends(&site).await, [LONG_AGO; 4]);
        site.run("plan", &[&["--exit-code"], &changed[..]].concat()).await.ends(0);
    }
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn another_lease_and_an_unreadable_end_count_from_now() {
    let site = Site::open().await;
    site.provision(&["--expires", "7d", "--renew"]).await.ends(0);
    all_in(DAYS * 7, &ends(&site).await);
    site.provision(&["--expires", "14d"]).await.ends(0);
    all_in(DAYS * 14, &ends(&site).await);
    site.double().set_lease_end(site.account(), NAME, "soon").await.unwrap();
    site.provision(&["--expires", "2w"]).await.ends(0);
    all_in(DAYS * 14, &ends(&site).await);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_renewal_is_reviewed_and_moves_all_ends_by_the_span_of_the_lease() {
    let site = Site::open().await;
    site.provision(&["--expires", "7d"]).await.ends(0);
    for (renew, days) in [(&["--renew"][..], 7), (&["--renew", "--expires", "3d"], 3)] {
        age(&site).await;
        let reviewed = plan(&site, renew).await;
        let steps = reviewed["steps"].as_array().expect("a list");
        let changes = steps.iter().flat_map(|step| step["changes"].as_array().expect("a list"));
        let changes: Vec<_> = changes.filter(|change| change["field"] == "mark.expires").collect();
        assert!(changes.iter().all(|change| change["old"] == LONG_AGO), "{reviewed:#}");
        let new: Vec<_> = changes.iter().map(|change| change["new"].as_str().unwrap().to_owned()).collect();
        all_in(DAYS * days, &new);
        assert_eq!(ends(&site).await, [LONG_AGO; 4], "a plan changes nothing");

        // The reviewer's plan is that of a moment ago, and ends a little earlier.
        tokio::time::sleep(Duration::from_millis(1100)).await;
        let digest = reviewed["digest"].as_str().expect("a digest");
        site.provision(&[renew, &["--expect", digest]].concat()).await.ends(0).tells(&["mark.expires"]);
        let ends = ends(&site).await;
        all_in(DAYS * days, &ends);
        assert!(ends.iter().all(|end| *end == ends[0]), "{ends:?}");
        site.run("plan", &["--exit-code"]).await.ends(0);
    }
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
        site.azure.proxy().clear_journal();
        for command in ["plan", "provision"] {
            site.run(command, &["--renew"]).await.ends(3).tells(&[said, "hint:"]);
        }
        site.is_untouched();
    }
}
