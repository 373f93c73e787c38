//! Buckets of more than one page.

use std::process::Command;
use std::time::Duration;

use wbstore_sandbox::ran::{Ran, isolate};
use wbstore_sandbox::synthetic::{Asks, Protocol, Shape, Slowness, Stock, Synthetic};

use crate::support::{NAME, Site, finish};

const DELETE: [&str; 3] = ["--confirm", NAME, "--delete-objects"];

/// A deployment whose bucket holds `stock`.
struct Large {
    site: Site,
    bucket: Synthetic,
}

impl Large {
    async fn with(stock: Stock, slowness: Slowness) -> Self {
        let site = Site::provisioned().await;
        let bucket =
            Synthetic::start(Protocol::Gcs, &site.gcp.proxy().url(), &site.bucket, stock, slowness).await;
        Self { site, bucket: bucket.expect("a free port") }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.site.command("teardown", arguments);
        isolate(&mut command, self.bucket.env(self.site.gcp.env(), self.site.gcp.proxy()));
        command
    }

    async fn teardown(&self, arguments: &[&str]) -> (Ran, Asks) {
        self.bucket.forget();
        let ran = finish(self.command(arguments)).await;
        (ran, self.bucket.asks())
    }
}

fn stock(shape: Shape, keys: u64) -> Stock {
    Stock { shape, keys, versions: 1 }
}

#[tokio::test]
async fn what_was_counted_is_not_listed_again() {
    for shape in [Shape::Flat, Shape::Wandb] {
        let large = Large::with(stock(shape, 6000), Slowness::default()).await;
        let (ran, asks) = large.teardown(&DELETE).await;
        ran.ends(0);
        assert_eq!((large.bucket.left(), asks.of("delete")), (0, 6000), "{shape:?}: {asks:?}");
        assert!(asks.of("list") <= 26, "{shape:?}: {asks:?}");
    }
}

#[tokio::test]
async fn every_generation_is_deleted() {
    let stock = Stock { shape: Shape::Hot, keys: 1000, versions: 3 };
    let large = Large::with(stock, Slowness::default()).await;
    let (ran, asks) = large.teardown(&DELETE).await;
    ran.ends(0);
    assert_eq!((large.bucket.left(), asks.of("delete")), (0, 3000), "{asks:?}");
}

#[tokio::test]
async fn a_service_that_throttles_is_given_what_it_takes() {
    let slowness = Slowness { deletions: Some(100), ..Slowness::default() };
    let large = Large::with(stock(Shape::Flat, 400), slowness).await;
    let (ran, asks) = large.teardown(&DELETE).await;
    ran.ends(0);
    assert_eq!(large.bucket.left(), 0);
    assert!(asks.throttled > 0 && asks.of("delete") <= 800, "{asks:?}");
}

#[tokio::test]
async fn a_rate_of_the_user_is_not_exceeded() {
    let large = Large::with(stock(Shape::Random, 600), Slowness::default()).await;
    let (ran, asks) = large.teardown(&[&DELETE[..], &["--max-rate", "300"]].concat()).await;
    ran.ends(0);
    assert!(asks.deleting >= Duration::from_millis(1900), "{asks:?}");
}
