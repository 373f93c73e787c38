use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::fake::{Cloud, delete};
use crate::error::Kind;
use crate::provider::EmptyBy;
use crate::resource::Deleted;

fn keys(number: usize) -> impl Iterator<Item = String> {
    (0..number).map(|number| format!("{}/k{number:04}", number % 5))
}

fn trouble(key: &str, times: usize, kind: Kind) -> Mutex<Vec<(String, usize, Kind)>> {
    Mutex::new(vec![(key.to_owned(), times, kind)])
}

#[tokio::test(start_paused = true)]
async fn everything_goes_in_full_batches_several_at_once() {
    let cloud = Arc::new(Cloud::with(keys(700)));
    cloud.upload(9);
    let (result, counts) = delete::<4>(&cloud, EmptyBy::Calls).await;
    assert_eq!((result.unwrap(), cloud.left()), (Deleted::Gone, 0));
    // The uploads are batches of their own, and the batch before them need not be full.
    assert!((102..=104).contains(&cloud.calls.load(Ordering::Relaxed)), "{:?}", cloud.calls);
    assert_eq!((cloud.largest.load(Ordering::Relaxed), cloud.most.load(Ordering::Relaxed)), (8, 4));
    assert_eq!(counts.last(), Some(&(709, 709)));
    assert!(counts.is_sorted_by_key(|(done, _)| *done) && counts.len() > 3, "{counts:?}");
}

#[tokio::test(start_paused = true)]
async fn what_fails_for_a_while_is_tried_again_and_the_rest_does_not_wait() {
    for kind in [Kind::Transient, Kind::Throttled] {
        let cloud = Arc::new(Cloud { trouble: trouble("2/k0017", 5, kind), ..Cloud::with(keys(70)) });
        delete::<1>(&cloud, EmptyBy::Calls).await.0.unwrap();
        assert_eq!(cloud.left(), 0);
        assert_eq!(cloud.calls.load(Ordering::Relaxed), 10 + 5);
    }
}

#[tokio::test(start_paused = true)]
async fn what_fails_for_ever_is_given_up_after_about_a_minute() {
    let begun = Instant::now();
    let forever = trouble("2/k0017", usize::MAX, Kind::Transient);
    let cloud = Arc::new(Cloud { trouble: forever, ..Cloud::with(keys(70)) });
    let error = delete::<1>(&cloud, EmptyBy::Calls).await.0.unwrap_err();
    assert_eq!((error.kind(), cloud.left()), (Kind::Transient, 1));
    assert!(begun.elapsed().as_secs() < 120, "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_refusal_stops_and_lets_what_is_under_way_end() {
    let denied = trouble("0/k0000", usize::MAX, Kind::Denied);
    let cloud = Arc::new(Cloud { trouble: denied, ..Cloud::with(keys(700)) });
    let error = delete::<1>(&cloud, EmptyBy::Calls).await.0.unwrap_err();
    assert_eq!((error.kind(), error.to_string()), (Kind::Denied, "delete 0/k0000".to_owned()));
    assert!(cloud.left() > 600 && cloud.running.load(Ordering::Relaxed) == 0, "{}", cloud.left());
}

#[tokio::test(start_paused = true)]
async fn an_interrupt_stops_between_batches_and_says_how_far_it_came() {
    let cancel = Some((20, CancellationToken::new()));
    let cloud = Arc::new(Cloud { cancel, ..Cloud::with(keys(700)) });
    let (result, counts) = delete::<4>(&cloud, EmptyBy::Calls).await;
    let error = result.unwrap_err();
    let gone = 700 - cloud.left();
    assert_eq!(error.kind(), Kind::Interrupted);
    assert_eq!(error.to_string(), format!("empty b: interrupted after {gone} deletions"));
    assert!((140..=175).contains(&gone), "{gone}");
    assert_eq!(counts.last().unwrap().0, gone as u64);
}
