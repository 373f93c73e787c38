//! Buckets of more than one page.

use std::time::{Duration, Instant};

use wbstore_sandbox::aws::Aws;
use wbstore_sandbox::cloud::NAME;
use wbstore_sandbox::synthetic::{Large, Protocol, Shape, Slowness, Stock};

use crate::support::Running;

const DELETE: [&str; 3] = ["--confirm", NAME, "--delete-objects"];

/// A deployment whose bucket holds `stock`.
async fn large(stock: Stock, slowness: Slowness) -> Large<Aws> {
    Large::with(Protocol::S3, stock, slowness).await
}

fn stock(shape: Shape, keys: u64) -> Stock {
    Stock { shape, keys, versions: 1 }
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn what_was_counted_is_not_listed_again() {
    for (shape, versions) in [(Shape::Flat, 1), (Shape::Random, 1), (Shape::Hot, 1), (Shape::Wandb, 4)] {
        let stock = Stock { shape, keys: 20_000 / versions, versions };
        let large = large(stock, Slowness::default()).await;
        let (ran, asks) = large.teardown(&DELETE).await;
        let stopped = ran.ends(0).stderr.contains("counting stopped there");
        assert_eq!((large.bucket.left(), asks.of("delete")), (0, 20), "{shape:?}: {asks:?}");
        // One listing shows that nothing is left, and another decides on the bucket again. On a busy machine the
        // count may not be over in its time.
        assert!(stopped || asks.listed_later <= 2, "{shape:?}: {asks:?}");
    }
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_count_is_bounded_and_says_so() {
    let large = large(stock(Shape::Wandb, 400_000), Slowness::default()).await;
    let (ran, asks) = large.teardown(&["--dry-run", "--delete-objects"]).await;
    ran.ends(0).tells(&["it contains at least", "counting stopped there"]);
    assert!(asks.of("list") <= 220, "{asks:?}");
    let (ran, _) = large.teardown(&["--dry-run"]).await;
    ran.ends(3).tells(&["it contains at least", "--delete-objects"]);
    assert_eq!(large.bucket.left(), 400_000);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn what_a_count_has_not_reached_is_deleted_too() {
    let large = large(stock(Shape::Wandb, 150_000), Slowness::default()).await;
    let (ran, asks) = large.teardown(&DELETE).await;
    ran.ends(0);
    assert_eq!(large.bucket.left(), 0);
    // As many guesses as pages may cost, in both listings.
    assert!(asks.of("list") <= 270 && asks.of("delete") == 150, "{asks:?}");
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_service_that_throttles_is_given_what_it_takes() {
    let slowness = Slowness { deletions: Some(3500), ..Slowness::default() };
    let large = large(stock(Shape::Flat, 14_000), slowness).await;
    let (ran, asks) = large.teardown(&DELETE).await;
    ran.ends(0);
    assert_eq!(large.bucket.left(), 0);
    // On a busy machine the client is no faster than the service: what it saves up for a second, and then the limit.
    let is_limited = asks.throttled > 0 || asks.deleting >= Duration::from_secs(3);
    assert!(is_limited && asks.of("delete") <= 14 + 60, "{asks:?}");
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_rate_of_the_user_is_not_exceeded() {
    let large = large(stock(Shape::Random, 3000), Slowness::default()).await;
    let (ran, asks) = large.teardown(&[&DELETE[..], &["--max-rate", "1000"]].concat()).await;
    ran.ends(0);
    assert!(asks.deleting >= Duration::from_millis(1900), "{asks:?}");
    let (ran, _) = large.teardown(&["--delete-objects", "--max-rate", "0"]).await;
    ran.ends(2).tells(&["--max-rate"]);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn an_interrupt_does_not_wait_for_slow_deletions_and_another_run_continues() {
    let slowness = Slowness { deletion: Duration::from_secs(90), ..Slowness::default() };
    let large = large(stock(Shape::Flat, 20_000), slowness).await;
    let mut running = Running::start(large.command(&DELETE));
    large.bucket.deletes(1).await;
    let pressed = Instant::now();
    running.interrupt();
    running.says("running steps finish").await;
    running.ended().await.ends(130).tells(&["hint:", "run the same"]);
    assert!(pressed.elapsed() < Duration::from_secs(45), "{:?}", pressed.elapsed());
    let Large { cloud, bucket } = large;
    let left = bucket.left();
    assert!(left > 0, "the calls under way have done their part");
    drop(bucket);
    let rest = Large::over(cloud, Protocol::S3, stock(Shape::Flat, left), Slowness::default()).await;
    rest.teardown(&DELETE).await.0.ends(0);
    assert_eq!(rest.bucket.left(), 0);
}
