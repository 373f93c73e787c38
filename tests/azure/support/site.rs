//! One test's own subscription, and the deployment that it is about.

use std::process::Command;

use wbstore_sandbox::azure::Azure;
use wbstore_sandbox::azure::double::AzureDouble;
use wbstore_sandbox::journal::Exchange;
use wbstore_sandbox::ran::Ran;
use wbstore_sandbox::snapshot::Snapshot;

use super::finish;

/// The server that is provisioned for, unless a test says otherwise.
pub const HOST: &str = "https://wandb.acme.com";
/// The name that follows from it.
pub const NAME: &str = "wandb-acme-com";
/// The container's and the event queue's name that follow from that.
pub const QUEUE: &str = "wbstore-wandb-acme-com";

/// A subscription of its own, with one resource group and an account name that no other test has.
pub struct Site {
    pub azure: Azure,
    place: Vec<String>,
    endpoints: Vec<String>,
}

impl Site {
    /// A fresh subscription.
    pub async fn open() -> Self {
        let azure = Azure::from_env().await;
        let (place, endpoints) = (azure.place(), azure.endpoints());
        Self { azure, place, endpoints }
    }

    /// The storage account of the deployment.
    pub fn account(&self) -> &str {
        self.azure.account()
    }

    pub fn double(&self) -> &AzureDouble {
        self.azure.double()
    }

    /// `wbstore <command> azure --host …`, where everything is, and `arguments`.
    pub fn arguments<'a>(&'a self, command: &'a str, arguments: &[&'a str]) -> Vec<&'a str> {
        let mut all = vec![command, "azure"];
        let listing = command == "list";
        if !listing && !arguments.contains(&"--host") && !arguments.contains(&"--expired") {
            all.extend(["--host", HOST]);
        }
        let endpoints = if listing { &[] } else { self.endpoints.as_slice() };
        for pair in self.place.chunks(2).chain(endpoints.chunks(2)) {
            if !arguments.contains(&pair[0].as_str()) {
                all.extend(pair.iter().map(String::as_str));
            }
        }
        all.extend(arguments);
        all
    }

    /// The same as a command that is not started yet.
    pub fn command(&self, command: &str, arguments: &[&str]) -> Command {
        let mut process = self.azure.wbstore();
        process.args(self.arguments(command, arguments));
        process
    }

    /// Runs it to its end.
    pub async fn run(&self, command: &str, arguments: &[&str]) -> Ran {
        finish(self.command(command, arguments)).await
    }

    /// One with the whole deployment in it.
    pub async fn open_provisioned() -> Self {
        let site = Self::open().await;
        site.provisioned().await;
        site
    }

    /// `wbstore provision`, without asking.
    pub async fn provision(&self, arguments: &[&str]) -> Ran {
        self.run("provision", &[&["--yes"], arguments].concat()).await
    }

    /// The same with the default arguments, which must succeed.
    pub async fn provisioned(&self) -> Ran {
        self.provision(&[]).await.ends(0)
    }

    /// `wbstore teardown`, with the name given.
    pub async fn teardown(&self, arguments: &[&str]) -> Ran {
        self.run("teardown", &[&["--confirm", NAME], arguments].concat()).await
    }

    /// All that is there, read without wbstore.
    pub async fn snapshot(&self) -> Snapshot {
        self.double().snapshot().await.expect("the double tells what is there")
    }

    /// The requests since the journal was cleared that change something.
    pub fn mutations(&self) -> Vec<Exchange> {
        self.azure.proxy().journal().into_iter().filter(|exchange| exchange.mutating).collect()
    }

    /// Checks that nothing was sent that changes anything.
    #[track_caller]
    pub fn is_untouched(&self) {
        let sent: Vec<_> = self.mutations().into_iter().map(|exchange| exchange.operation).collect();
        assert!(sent.is_empty(), "{sent:?}");
    }
}
