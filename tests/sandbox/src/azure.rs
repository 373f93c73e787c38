//! One test's private view of Azure.
//!
//! [`azurite`] is Microsoft's emulator of the data plane. Nothing that can be installed does the
//! control plane; [`double`] is ours, in front of Azurite.

pub mod azurite;
mod cloud;
pub mod double;
mod others;
mod person;

use std::process::Command;

use double::{AzureDouble, Options, Principal};

use crate::cloud::variables;
use crate::dialect::Dialect;
use crate::dialect::azure::{ARM, BLOB, QUEUE};
use crate::gap::Gap;
use crate::proxy::Proxy;
use crate::ran::{Ran, finish};
use crate::strict::Strict;
use crate::{Error, paths, ran};

/// Names the running Azurite to the tests.
pub const URL: &str = "WBSTORE_SANDBOX_AZURE";
/// Names the interpreter that has Microsoft's clients.
pub const PYTHON: &str = "WBSTORE_SANDBOX_AZURE_PYTHON";

/// What a test cannot see on the double of Azure and on Azurite.
pub const CANNOT_SHOW: &[Gap] = &[
    Gap::new("propagation: a new account's names are known at once, and a role is had at once"),
    Gap::new("Azure Policy: nothing is refused by it or changed"),
    Gap::new("a firewall or a private endpoint before the data plane"),
];

/// A subscription of its own on a double of its own, before an Azurite that others share, and behind
/// a proxy.
#[derive(Debug)]
pub struct Azure {
    double: AzureDouble,
    proxy: Proxy,
    account: String,
}

impl Azure {
    /// A fresh subscription before the Azurite that the environment names.
    ///
    /// # Panics
    ///
    /// When the environment names no Azurite, or one that cannot be used.
    pub async fn from_env() -> Self {
        let azurite = paths::emulator(URL);
        let account = format!("acme{:016x}", fastrand::u64(..));
        let azure = Self::with(&azurite, brisk(), &account).await;
        azure.unwrap_or_else(|error| panic!("{URL}={azurite}: {error}"))
    }

    /// A subscription of one's own choosing, in which the storage account of the deployment is to be
    /// `account`. Its name is global among all that share the Azurite.
    pub async fn with(azurite: &str, options: Options, account: &str) -> Result<Self, Error> {
        let unable = |error: std::io::Error| Error::new(format!("cannot start a double: {error}"));
        let double = AzureDouble::start(azurite, options).await.map_err(unable)?;
        let (arm, blob, queue) = (double.arm_url(), double.blob_url(), double.queue_url());
        let doors = [(ARM, arm.as_str()), (BLOB, &blob), (QUEUE, &queue)];
        let proxy = Proxy::with_doors(&doors, Dialect::Azure, Strict::off()).await.map_err(unable)?;
        Ok(Self { double, proxy, account: account.to_owned() })
    }

    /// The storage account of the deployment, which nobody has made yet.
    pub fn account(&self) -> &str {
        &self.account
    }

    /// The double itself.
    pub fn double(&self) -> &AzureDouble {
        &self.double
    }

    /// The proxy that all requests pass.
    pub fn proxy(&self) -> &Proxy {
        &self.proxy
    }

    /// What a client of Azure needs in its environment to work in this subscription.
    pub fn env(&self) -> Vec<(String, String)> {
        self.env_as(&self.double.principal())
    }

    /// The same as another principal.
    pub fn env_as(&self, principal: &Principal) -> Vec<(String, String)> {
        let mut env = self.double.env(principal);
        for (name, value) in &mut env {
            if name == "AZURE_AUTHORITY_HOST" {
                *value = self.proxy.url_of(ARM);
            }
        }
        env.push(("AZURE_SUBSCRIPTION_ID".to_owned(), self.double.subscription()));
        env
    }

    /// The arguments with which every command of `wbstore` finds the resource group.
    pub fn place(&self) -> Vec<String> {
        let group = self.double.group().to_owned();
        spread([("--resource-group", group), ("--arm-endpoint", self.proxy.url_of(ARM))])
    }

    /// The arguments with which a command finds the storage account as well.
    pub fn endpoints(&self) -> Vec<String> {
        spread([
            ("--account", self.account.clone()),
            ("--blob-endpoint", format!("{}/{}", self.proxy.url_of(BLOB), self.account)),
            ("--queue-endpoint", format!("{}/{}", self.proxy.url_of(QUEUE), self.account)),
        ])
    }

    /// The variables that stand for [`Azure::endpoints`] and the place, so that a command need not name them.
    pub fn options_env(&self) -> Vec<(String, String)> {
        variables(&[self.place(), self.endpoints()].concat())
    }

    /// The built `wbstore` with this subscription's environment and none of the caller's variables that
    /// tell of a cloud.
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

/// Long operations that end when they are first asked about: a test that waits for them says so itself.
fn brisk() -> Options {
    Options { polls: 1, ..Options::default() }
}

fn spread<const N: usize>(options: [(&str, String); N]) -> Vec<String> {
    options.into_iter().flat_map(|(option, value)| [option.to_owned(), value]).collect()
}
