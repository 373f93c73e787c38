//! When a lease ends, and what moves that.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use wbstore_sandbox::cloud::{Cloud, NAME, PROVISION};
use wbstore_sandbox::person::Person;

use crate::support::{assert_untouched, changes, listed, plan, provision, settled};

const DAYS: SignedDuration = SignedDuration::from_hours(24);

/// The ends in the marks of all parts.
async fn ends<C: Cloud>(cloud: &C) -> Vec<String> {
    let snapshot = cloud.snapshot().await;
    let documents = snapshot.paths().filter_map(|path| snapshot.get(path));
    // A date follows the key as `":"` in JSON, as `="` in XML's tags, and as `:` in labels.
    let end = |text: &str| {
        let (_, rest) = text.split_once("expires")?;
        Some(rest.trim_start_matches(['"', ':', '=']).split('"').next()?.to_owned())
    };
    documents.filter_map(end).collect()
}

/// An end as a mark has it: RFC 3339, or seconds where no colon may be written.
fn time(end: &str) -> Timestamp {
    match end.parse() {
        Ok(seconds) => Timestamp::from_second(seconds).expect("a time"),
        Err(_) => end.parse().expect("RFC 3339"),
    }
}

/// Checks that all of them are the same time and `span` from now, give or take what a run takes.
#[track_caller]
fn all_in(span: SignedDuration, ends: &[String]) {
    assert!(!ends.is_empty());
    for end in ends {
        let ahead = time(end).duration_since(Timestamp::now());
        assert!((span - SignedDuration::from_mins(10)..=span).contains(&ahead), "{ends:?}");
    }
}

/// Lets a lease end long ago; the ends in the marks then.
async fn age<C: Person>(cloud: &C) -> Vec<String> {
    let long_ago = Timestamp::from_second(1_577_836_800).expect("a time");
    cloud.set_lease_end(NAME, long_ago).await.expect("it has a lease");
    let aged = ends(cloud).await;
    assert!(aged.iter().all(|end| time(end) == long_ago), "{aged:?}");
    aged
}

pub async fn another_lease_counts_from_now<C: Cloud>() {
    let cloud = C::fresh().await;
    provision(&cloud, &["--expires", "7d", "--renew"]).await;
    let first = ends(&cloud).await;
    all_in(DAYS * 7, &first);
    provision(&cloud, &["--expires", "14d"]).await;
    let second = ends(&cloud).await;
    assert_eq!(first.len(), second.len());
    all_in(DAYS * 14, &second);
}

pub async fn a_renewal_is_reviewed_and_moves_all_ends_by_the_span_of_the_lease<C: Person>() {
    let cloud = C::fresh().await;
    provision(&cloud, &["--expires", "7d"]).await;
    for (renew, days) in
        [(&["--renew"][..], 7), (&["--renew", "--expires", "7d"], 7), (&["--renew", "--expires", "3d"], 3)]
    {
        let aged = age(&cloud).await;
        let reviewed = plan(&cloud, renew).await;
        let is_end = |field: &str| field.ends_with("expires");
        let changes = changes(&reviewed);
        let changes: Vec<_> =
            changes.iter().filter(|change| change["field"].as_str().is_some_and(is_end)).collect();
        assert_eq!(changes.len(), aged.len(), "{reviewed:#}");
        assert!(changes.iter().all(|change| change["old"] == aged[0].as_str()), "{reviewed:#}");
        let new: Vec<_> =
            changes.iter().map(|change| change["new"].as_str().expect("text").to_owned()).collect();
        all_in(DAYS * days, &new);
        assert_eq!(ends(&cloud).await, aged, "a plan changes nothing");

        // The reviewer's plan is that of a moment ago, and ends a little earlier.
        tokio::time::sleep(Duration::from_millis(1100)).await;
        let digest = reviewed["digest"].as_str().expect("a digest");
        let ran = provision(&cloud, &[renew, &["--expect", digest]].concat()).await;
        ran.tells(&[changes[0]["field"].as_str().expect("a name")]);
        let ends = ends(&cloud).await;
        all_in(DAYS * days, &ends);
        assert!(ends.iter().all(|end| *end == ends[0]), "{ends:?}");
        settled(&cloud, &[]).await;
    }
}

pub async fn a_lease_that_ends_later_than_it_would_after_a_renewal_is_left<C: Person>() {
    let cloud = C::fresh().await;
    provision(&cloud, &["--expires", "7d"]).await;
    let later = "2999-01-01T00:00:00Z".parse().expect("RFC 3339");
    cloud.set_lease_end(NAME, later).await.expect("it has a lease");
    cloud.proxy().clear_journal();
    provision(&cloud, &["--renew"]).await;
    assert_untouched(&cloud);
}

pub async fn what_has_no_span_is_not_renewed<C: Cloud>() {
    let cloud = C::fresh().await;
    let ran = cloud.run("provision", &[PROVISION, &["--renew"]].concat()).await.ends(3);
    ran.tells(&["no lease to renew", "hint: add `--expires`"]);
    let date = (Timestamp::now() + DAYS * 30).to_string();
    for (expires, said) in [
        (&[][..], "no lease to renew"),
        (&["--expires", "never"], "never ends"),
        (&["--expires", &date], "ends on a date"),
    ] {
        provision(&cloud, expires).await;
        cloud.proxy().clear_journal();
        for command in ["plan", "provision"] {
            cloud.run(command, &["--renew"]).await.ends(3).tells(&[said, "hint:"]);
        }
        assert_untouched(&cloud);
    }
}

/// On every cloud, as each has its own way to write an end into a mark.
pub async fn an_expiry_is_written_into_the_mark_and_is_no_drift_later<C: Cloud>() {
    let cloud = C::fresh().await;
    provision(&cloud, &["--expires", "7d"]).await;
    all_in(DAYS * 7, &ends(&cloud).await);
    let only = listed(&cloud).await["deployments"][0].clone();
    let date = |field: &str| only[field].as_str().expect("text").parse::<Timestamp>().expect("RFC 3339");
    assert!(date("created") <= Timestamp::now(), "{only:#}");
    let written: Vec<_> = ends(&cloud).await.iter().map(|end| time(end).as_second()).collect();
    assert!(written.contains(&date("expires").as_second()), "{written:?}: {only:#}");
    settled(&cloud, &["--expires", "7d"]).await;
    settled(&cloud, &[]).await;
    cloud.run("plan", &["--expires", "14d", "--exit-code"]).await.ends(5);
}

pub async fn a_lease_may_be_changed_to_none<C: Cloud>() {
    let cloud = C::fresh().await;
    provision(&cloud, &["--expires", "7d"]).await;
    provision(&cloud, &["--expires", "never"]).await;
    let listed = listed(&cloud).await;
    assert!(listed["deployments"][0]["expires"].is_null(), "{listed:#}");
}
