//! When a lease ends, and what moves that.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::support::{NAME, Site};

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
        assert!((span - SignedDuration::from_mins(10)..=span).contains(&ahead), "{ends:?}");
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
async fn an_unreadable_end_counts_from_now() {
    let site = Site::open().await;
    site.provision(&["--expires", "14d"]).await.ends(0);
    all_in(DAYS * 14, &ends(&site).await);
    site.double().set_lease_end(site.account(), NAME, "soon").await.unwrap();
    site.provision(&["--expires", "2w"]).await.ends(0);
    all_in(DAYS * 14, &ends(&site).await);
}
