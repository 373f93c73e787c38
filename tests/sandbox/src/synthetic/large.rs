//! A deployment with a large bucket, for tests.

use std::process::Command;

use super::{Asks, Protocol, Slowness, Stock, Synthetic};
use crate::cloud::{Cloud, PROVISION};
use crate::ran::{Ran, finish, isolate};

/// A deployment in a fresh account, whose bucket is a synthetic one.
#[derive(Debug)]
pub struct Large<C> {
    /// The account behind it.
    pub cloud: C,
    /// The bucket before it.
    pub bucket: Synthetic,
}

impl<C: Cloud> Large<C> {
    /// Provisions it.
    ///
    /// # Panics
    /// When that fails.
    pub async fn with(protocol: Protocol, stock: Stock, slowness: Slowness) -> Self {
        let cloud = C::fresh().await;
        cloud.run("provision", PROVISION).await.ends(0);
        Self::over(cloud, protocol, stock, slowness).await
    }

    /// The one that `cloud` has already.
    ///
    /// # Panics
    /// When there is no free port.
    pub async fn over(cloud: C, protocol: Protocol, stock: Stock, slowness: Slowness) -> Self {
        let bucket = Synthetic::over(&cloud, protocol, stock, slowness).await;
        Self { bucket: bucket.unwrap_or_else(|error| panic!("{error}")), cloud }
    }

    /// A teardown, not started yet.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.cloud.command("teardown", arguments);
        isolate(&mut command, self.bucket.env(self.cloud.env(), self.cloud.proxy()));
        command
    }

    /// Runs it to its end, and says what it asked for.
    pub async fn teardown(&self, arguments: &[&str]) -> (Ran, Asks) {
        self.bucket.forget();
        let ran = finish(self.command(arguments)).await;
        (ran, self.bucket.asks())
    }
}
