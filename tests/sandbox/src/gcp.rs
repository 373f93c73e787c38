//! One test's private view of Google Cloud.

mod cloud;
pub mod double;
mod others;
mod person;
pub mod pubsub_emulator;

use std::process::Command;

use double::{Control, GcpDouble, Options};

use crate::dialect::Dialect;
use crate::gap::Gap;
use crate::proxy::Proxy;
use crate::ran::{Ran, finish};
use crate::strict::Strict;
use crate::{Error, ran};

/// Names the interpreter that has Google's Python client.
pub const PYTHON: &str = "WBSTORE_SANDBOX_GOOGLE_PYTHON";

/// What a test cannot see on the doubles of Google Cloud.
pub const CANNOT_SHOW: &[Gap] = &[
    Gap::new("propagation of IAM: a grant is seen at once, unless a test slows it"),
    Gap::new(
        "the credentials of a user, of a workload or of a machine: there are keys of service accounts only",
    ),
    Gap::new("lifecycle rules, and the end of soft deletion: nothing ages"),
];

/// A project of its own on a double of its own, behind a proxy.
#[derive(Debug)]
pub struct Gcp {
    double: GcpDouble,
    proxy: Proxy,
    env: Vec<(String, String)>,
}

impl Gcp {
    /// A fresh project. Its Pub/Sub is the emulator that the environment names, or else a double as
    /// everything is, so that there is one always.
    ///
    /// # Panics
    ///
    /// When the machine has no port or no folder left for it.
    pub async fn from_env() -> Self {
        let options = Options { emulator: std::env::var(pubsub_emulator::URL).ok(), ..Options::default() };
        Self::with(options).await.unwrap_or_else(|error| panic!("{error}"))
    }

    /// A project of one's own choosing.
    pub async fn with(options: Options) -> Result<Self, Error> {
        let unable = |error: std::io::Error| Error::new(format!("cannot start a double: {error}"));
        let double = GcpDouble::start(options).await.map_err(unable)?;
        let proxy = Proxy::start(&double.url(), Dialect::Gcp, Strict::off()).await.map_err(unable)?;
        let env = double.env(&double.operator(), &proxy.url()).map_err(unable)?;
        Ok(Self { double, proxy, env })
    }

    /// The project's id.
    pub fn project(&self) -> String {
        self.double.project()
    }

    /// The double itself.
    pub fn double(&self) -> &GcpDouble {
        &self.double
    }

    /// What can be done to the double beside asking it.
    pub fn control(&self) -> Control<'_> {
        self.double.control()
    }

    /// The proxy that all of the project's requests pass.
    pub fn proxy(&self) -> &Proxy {
        &self.proxy
    }

    /// What a client of Google Cloud needs in its environment to work in this project.
    pub fn env(&self) -> Vec<(String, String)> {
        self.env.clone()
    }

    /// The same as another service account, which exists from then on.
    ///
    /// # Panics
    ///
    /// When its key cannot be written down.
    pub fn env_as(&self, email: &str) -> Vec<(String, String)> {
        self.double.env(email, &self.proxy.url()).unwrap_or_else(|error| panic!("{email}: {error}"))
    }

    /// The built `wbstore` with this project's environment and none of the caller's variables that tell
    /// of a cloud.
    ///
    /// # Panics
    ///
    /// When `wbstore` is not built.
    pub fn wbstore(&self) -> Command {
        ran::wbstore(self.env())
    }

    /// Runs `wbstore` to its end.
    pub async fn run(&self, arguments: &[&str]) -> Ran {
        let mut command = self.wbstore();
        command.args(arguments);
        finish(command).await
    }
}
