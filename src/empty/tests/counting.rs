use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::fake::{Cloud, Fake, objects, obstacles, seen};
use crate::empty::{Entry, Hold, Objects, What};
use crate::error::Kind;
use crate::provider::EmptyBy;
use crate::resource::{Resource, Seen};

const DAY: i64 = 24 * 60 * 60;

fn keys(number: usize) -> impl Iterator<Item = String> {
    (0..number).map(|number| format!("k{number:03}"))
}

fn fields<const FRONTS: usize>(seen: &Seen<Objects<Fake<FRONTS>>>) -> serde_json::Value {
    serde_json::to_value(seen.state().unwrap()).unwrap()
}

fn findings<const FRONTS: usize>(seen: &Seen<Objects<Fake<FRONTS>>>) -> &[String] {
    &seen.remarks().findings
}

#[tokio::test(start_paused = true)]
async fn an_empty_bucket_has_no_contents_and_costs_one_look() {
    let cloud = Arc::new(Cloud::default());
    assert!(seen::<4>(&cloud, false).await.state().is_none());
    assert_eq!(cloud.listed.load(Ordering::Relaxed), 2);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_wanted_and_what_is_found_shows_field_by_field() {
    let wanted = objects::<1>(false, EmptyBy::Calls);
    assert_eq!(serde_json::to_value(&wanted).unwrap(), serde_json::json!({}));
    let cloud = Arc::new(Cloud::with(keys(12)));
    cloud.upload(1);
    let seen = seen::<1>(&cloud, false).await;
    assert_eq!(fields(&seen), serde_json::json!({"objects": 12, "versions": 0, "uploads": 1, "bytes": 24}));
    let obstacle = &seen.remarks().obstacles[0];
    assert_eq!(obstacle.message, "it contains 12 objects and 1 unfinished upload (24 bytes)");
    assert!(obstacle.hint.as_ref().unwrap().contains("--delete-objects"));
}

#[tokio::test(start_paused = true)]
async fn an_upload_alone_is_not_nothing() {
    let cloud = Arc::new(Cloud::default());
    cloud.upload(1);
    assert_eq!(obstacles(&cloud, false).await, ["it contains 1 unfinished upload (0 bytes)"]);
    assert!(obstacles(&cloud, true).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn many_fronts_count_what_one_counts() {
    let names = (0..180).map(|number| format!("{}/{}/{number}", number % 3, number % 7));
    let cloud = Arc::new(Cloud::with(names));
    let seen = (seen::<1>(&cloud, true).await, seen::<4>(&cloud, true).await);
    assert_eq!(fields(&seen.0)["objects"], 180);
    assert_eq!(fields(&seen.1), fields(&seen.0));
    assert!(findings(&seen.1).is_empty());
}

#[tokio::test(start_paused = true)]
async fn counting_is_bounded_and_says_so() {
    for (number, bounded) in [(200, false), (201, true), (2000, true)] {
        let cloud = Arc::new(Cloud::with((0..number).map(|number| format!("k{number:05}"))));
        let seen = seen::<1>(&cloud, false).await;
        let told = findings(&seen).iter().any(|told| {
            told.contains("it contains at least 200 objects (400 bytes); counting stopped there")
        });
        assert_eq!(told, bounded, "{number}");
        assert_eq!(seen.remarks().obstacles[0].message.starts_with("it contains at least 200 "), bounded);
        // One page more shows that there is more; a few are read ahead.
        assert!(cloud.listed.load(Ordering::Relaxed) <= 40, "{:?}", cloud.listed);
    }
}

#[tokio::test(start_paused = true)]
async fn a_listing_in_a_circle_is_an_error() {
    let cloud = Arc::new(Cloud { circular: true, ..Cloud::with(keys(30)) });
    for error in [
        objects::<1>(true, EmptyBy::Calls).read(&cloud).await.err().unwrap(),
        objects::<4>(true, EmptyBy::Calls).read(&cloud).await.err().unwrap(),
    ] {
        assert_eq!(error.kind(), Kind::Failed);
        assert_eq!(error.to_string(), "list b: the server returned the same page again");
    }
}

#[tokio::test(start_paused = true)]
async fn holds_are_refused_with_the_first_names() {
    static TEMPORARY: Hold =
        Hold { words: "a temporary hold", hint: |bucket| format!("lift it in {bucket}") };
    let cloud = Cloud::with(keys(5));
    for entry in cloud.objects.lock().unwrap().values_mut() {
        entry.hold = Some(&TEMPORARY);
    }
    let told = obstacles(&Arc::new(cloud), true).await;
    let words = "under a temporary hold (such as `k000`, `k001`, `k002`), which wbstore never lifts";
    assert_eq!(told, [format!("5 objects are {words}")]);
    let one = Entry { key: "e\u{1b}[31m".to_owned(), hold: Some(&TEMPORARY), ..Entry::default() };
    let cloud = Cloud::default();
    cloud.objects.lock().unwrap().insert(one.key.clone(), one);
    let told = obstacles(&Arc::new(cloud), true).await;
    assert_eq!(told, [r"1 object is under a temporary hold (`e\u{1b}[31m`), which wbstore never lifts"]);
}

#[tokio::test(start_paused = true)]
async fn retentions_are_refused_until_their_end() {
    let with = |retention: Option<i64>, kept_until: Option<i64>| {
        let cloud = Cloud { retention, ..Cloud::with(keys(1)) };
        for entry in cloud.objects.lock().unwrap().values_mut() {
            (entry.created, entry.kept_until) = (1000, kept_until);
        }
        Arc::new(cloud)
    };
    let far = 50_000 * DAY;
    let told = obstacles(&with(Some(far), None), true).await;
    assert_eq!(told, ["1 object is retained until 2106-11-24 by a retention policy (`k000`)"]);
    assert!(obstacles(&with(Some(2 * DAY), None), true).await.is_empty(), "it is older than that");
    let told = obstacles(&with(None, Some(far)), true).await;
    assert_eq!(told, ["1 object is retained until 2106-11-24 (`k000`)"]);
    let told = obstacles(&with(None, Some(i64::MAX)), true).await;
    assert_eq!(told, ["1 object is retained until a date out of range (`k000`)"]);
}

#[tokio::test(start_paused = true)]
async fn kinds_are_counted_apart() {
    let cloud = Cloud::with(keys(3));
    cloud.objects.lock().unwrap().get_mut("k001").unwrap().what = What::Noncurrent;
    let told = obstacles(&Arc::new(cloud), false).await;
    assert_eq!(told, ["it contains 2 objects and 1 noncurrent version (6 bytes)"]);
}
