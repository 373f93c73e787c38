//! One test's own account, and the deployment that it is about.

use std::process::Command;

use serde_json::{Value, json};
use wbstore_sandbox::aws::{Aws, Ran};
use wbstore_sandbox::journal::Exchange;

use super::{boto, finish};

/// The server that is provisioned for, unless a test says otherwise.
pub const HOST: &str = "https://wandb.acme.com";
/// The name that follows from it.
pub const NAME: &str = "wandb-acme-com";
/// The event queue's name that follows from that.
pub const QUEUE: &str = "wbstore-wandb-acme-com";

/// An account of its own, with the names that a deployment for [`HOST`] gets there.
pub struct Site {
    pub aws: Aws,
    /// The bucket's default name. It holds a hash of the account, so no two tests have the same.
    pub bucket: String,
    region: String,
}

impl Site {
    /// A fresh account in us-east-1.
    pub async fn open() -> Self {
        Self::open_in("us-east-1").await
    }

    /// The same in another region.
    pub async fn open_in(region: &str) -> Self {
        let mut site = Self { aws: Aws::from_env().await, bucket: String::new(), region: region.to_owned() };
        let account = site.aws.account().to_owned();
        let offline = ["--offline", "--account-id", &account, "--region", region, "--format", "json"];
        let planned = site.run("plan", &offline).await.ends(0).json();
        let bucket = planned["outputs"][0]["value"].as_str().expect("the plan names the bucket");
        site.bucket = bucket.trim_start_matches("s3://").to_owned();
        site
    }

    pub fn account(&self) -> &str {
        self.aws.account()
    }

    /// `wbstore <command> aws --host … --region …`, and `arguments`.
    pub fn arguments<'a>(&'a self, command: &'a str, arguments: &[&'a str]) -> Vec<&'a str> {
        let mut all = vec![command, "aws"];
        if command != "list" && !arguments.contains(&"--host") && !arguments.contains(&"--expired") {
            all.extend(["--host", HOST]);
        }
        if !arguments.contains(&"--region") {
            all.extend(["--region", &self.region]);
        }
        all.extend(arguments);
        all
    }

    /// The same as a command that is not started yet.
    pub fn command(&self, command: &str, arguments: &[&str]) -> Command {
        let mut process = self.aws.wbstore();
        process.args(self.arguments(command, arguments));
        process
    }

    /// Runs it to its end.
    pub async fn run(&self, command: &str, arguments: &[&str]) -> Ran {
        self.run_with(&[], command, arguments).await
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

    /// `wbstore plan` as JSON, which must not fail; a plan that refuses is no failure here.
    pub async fn plan(&self, arguments: &[&str]) -> Value {
        let ran = self.run("plan", &[&["--format", "json"], arguments].concat()).await;
        assert!(matches!(ran.code, Some(0 | 3)), "{ran}");
        ran.json()
    }

    /// `wbstore teardown`, with the name given.
    pub async fn teardown(&self, arguments: &[&str]) -> Ran {
        self.run("teardown", &[&["--confirm", NAME], arguments].concat()).await
    }

    /// Runs it with other variables in its environment; an empty value takes one away.
    pub async fn run_with(&self, env: &[(&str, &str)], command: &str, arguments: &[&str]) -> Ran {
        let mut process = self.command(command, arguments);
        for (name, value) in env {
            if value.is_empty() {
                process.env_remove(name)
            } else {
                process.env(name, value)
            };
        }
        finish(process).await
    }

    /// Runs Python with boto3's clients (`s3`, `sqs`, …) and this site's names (`bucket`, `queue`,
    /// `account`) at hand; the value of the last expression.
    pub async fn boto(&self, code: &str) -> Value {
        self.boto_as(self.account(), code).await
    }

    /// The same as another account.
    pub async fn boto_as(&self, account: &str, code: &str) -> Value {
        let request = json!({
            "endpoint": self.aws.proxy().url(),
            "region": self.region,
            "account": account,
            "variables": {
                "bucket": self.bucket, "queue": QUEUE, "account": self.account(), "region": self.region,
            },
            "code": code,
        });
        boto::run(self.aws.boto3(), request).await
    }

    /// The requests since the journal was cleared that change something.
    pub fn mutations(&self) -> Vec<Exchange> {
        self.aws.proxy().journal().into_iter().filter(|exchange| exchange.mutating).collect()
    }

    /// Checks that nothing was sent that changes anything.
    #[track_caller]
    pub fn is_untouched(&self) {
        let sent: Vec<_> = self.mutations().into_iter().map(|exchange| exchange.operation).collect();
        assert!(sent.is_empty(), "{sent:?}");
    }
}
