//! Buckets of more than one page.

use std::time::Duration;

use wbstore_sandbox::cloud::NAME;
use wbstore_sandbox::gcp::Gcp;
use wbstore_sandbox::synthetic::{Large, Protocol, Shape, Slowness, Stock};

const DELETE: [&str; 3] = ["--confirm", NAME, "--delete-objects"];

/// A deployment whose bucket holds `stock`.
async fn large(stock: Stock, slowness: Slowness) -> Large<Gcp> {
    Large::with(Protocol::Gcs, stock, slowness).await
}

fn stock(shape: Shape, keys: u64) -> Stock {
    Stock { shape, keys, versions: 1 }
}

#[tokio::test]
async fn what_was_counted_is_not_listed_again() {
    for shape in [Shape::Flat, Shape::Wandb] {
        let large = large(stock(shape, 6000), Slowness::default()).await;
        let (ran, asks) = large.teardown(&DELETE).await;
        let stopped = ran.ends(0).stderr.contains("counting stopped there");
        assert_eq!((large.bucket.left(), asks.of("delete")), (0, 6000), "{shape:?}: {asks:?}");
        assert!(stopped || asks.listed_later <= 2, "{shape:?}: {asks:?}");
    }
}

#[tokio::test]
async fn every_generation_is_deleted() {
    let stock = Stock { shape: Shape::Hot, keys: 1000, versions: 3 };
    let large = large(stock, Slowness::default()).await;
    let (ran, asks) = large.teardown(&DELETE).await;
    ran.ends(0);
    assert_eq!((large.bucket.left(), asks.of("delete")), (0, 3000), "{asks:?}");
}

#[tokio::test]
async fn a_service_that_throttles_is_given_what_it_takes() {
    let slowness = Slowness { deletions: Some(100), ..Slowness::default() };
    let large = large(stock(Shape::Flat, 400), slowness).await;
    let (ran, asks) = large.teardown(&DELETE).await;
    ran.ends(0);
    assert_eq!(large.bucket.left(), 0);
    assert!(asks.throttled > 0 && asks.of("delete") <= 800, "{asks:?}");
}

#[tokio::test]
async fn a_rate_of_the_user_is_not_exceeded() {
    let large = large(stock(Shape::Random, 600), Slowness::default()).await;
    let (ran, asks) = large.teardown(&[&DELETE[..], &["--max-rate", "300"]].concat()).await;
    ran.ends(0);
    assert!(asks.deleting >= Duration::from_millis(1900), "{asks:?}");
}
