//! One test's private view of the emulated AWS.

mod cloud;
mod documents;
mod others;
mod person;

use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::backend::Backend;
use crate::emulator::Emulator;
use crate::iam;
use crate::proxy::Proxy;
use crate::strict::Strict;
use crate::venv::Requirements;
use crate::{Error, paths, ran};

pub use crate::ran::{Ran, finish};

/// Names the running emulator to the tests.
pub const URL: &str = "WBSTORE_SANDBOX_AWS";
/// Names its kind.
pub const BACKEND: &str = "WBSTORE_SANDBOX_AWS_BACKEND";
/// Names the interpreter that has boto3.
pub const PYTHON: &str = "WBSTORE_SANDBOX_PYTHON";

/// ministack checks the signatures of presigned URLs, with this as the secret of every root.
const SECRET: &str = "test";

const ANYTHING: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;

const REGION: &str = "us-east-1";

/// An account of its own on a shared emulator, behind a proxy of its own.
#[derive(Debug)]
pub struct Aws {
    account: String,
    backend: Backend,
    proxy: Proxy,
}

impl Aws {
    /// A fresh account on the emulator that the environment names.
    ///
    /// # Panics
    ///
    /// When the environment names no emulator, or one that cannot be used.
    pub async fn from_env() -> Self {
        let url = paths::emulator(URL);
        let backend = std::env::var(BACKEND).map_or(Backend::Ministack, |name| {
            name.parse().unwrap_or_else(|error| panic!("{BACKEND}: {error}"))
        });
        let aws = Self::on(&url, backend, &fresh_account()).await;
        aws.unwrap_or_else(|error| panic!("{URL}={url}: {error}"))
    }

    /// A given account on a given emulator.
    pub async fn on(url: &str, backend: Backend, account: &str) -> Result<Self, Error> {
        Self::with(url, backend, account, Strict::default()).await
    }

    /// The same with rules of one's own.
    pub async fn with(url: &str, backend: Backend, account: &str, strict: Strict) -> Result<Self, Error> {
        let proxy = Proxy::start(url, backend, strict)
            .await
            .map_err(|error| Error::new(format!("cannot start a proxy: {error}")))?;
        Ok(Self { account: account.to_owned(), backend, proxy })
    }

    /// A given account on an emulator of this process.
    pub async fn before(emulator: &Emulator, account: &str) -> Result<Self, Error> {
        Self::on(emulator.url(), emulator.backend(), account).await
    }

    /// The 12-digit account id; also the access key.
    pub fn account(&self) -> &str {
        &self.account
    }

    /// The region of [`env`](Self::env).
    pub fn region(&self) -> &str {
        REGION
    }

    /// The proxy all of this account's requests pass.
    pub fn proxy(&self) -> &Proxy {
        &self.proxy
    }

    /// Which emulator is behind it.
    pub fn backend(&self) -> Backend {
        self.backend
    }

    /// What an AWS client needs in its environment to work in this account.
    pub fn env(&self) -> Vec<(String, String)> {
        self.env_as(&self.account)
    }

    /// The same in another account, through the same proxy: a stranger.
    pub fn env_as(&self, account: &str) -> Vec<(String, String)> {
        self.env_with(account, SECRET)
    }

    /// The same as a user of this account who may do what an IAM policy says and nothing else. The proxy sees to
    /// it, as ministack has names of actions of its own (`sqs:DeleteMessageBatch`).
    pub async fn env_of_user(&self, policy: &str) -> Result<Vec<(String, String)>, Error> {
        let key = iam::user(self.proxy.upstream(), &self.account, ANYTHING).await?;
        self.proxy.introduce(&key.id, &self.account);
        self.proxy.restrict(&key.id, policy);
        Ok(self.env_with(&key.id, &key.secret))
    }

    fn env_with(&self, key: &str, secret: &str) -> Vec<(String, String)> {
        [
            ("AWS_ENDPOINT_URL", self.proxy.url().as_str()),
            ("AWS_ACCESS_KEY_ID", key),
            ("AWS_SECRET_ACCESS_KEY", secret),
            ("AWS_REGION", REGION),
            // botocore reads only this name.
            ("AWS_DEFAULT_REGION", REGION),
            ("AWS_EC2_METADATA_DISABLED", "true"),
            // Nothing of the developer's own set-up may leak into a test.
            ("AWS_CONFIG_FILE", "/dev/null"),
            ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
    }

    /// The built `wbstore` with this account's environment and none of the caller's variables that tell
    /// of a cloud.
    ///
    /// # Panics
    ///
    /// When `wbstore` is not built.
    pub fn wbstore(&self) -> Command {
        ran::wbstore(self.env())
    }

    /// A Python interpreter that has boto3, in this account's environment.
    ///
    /// # Panics
    ///
    /// When there is none and it cannot be made.
    pub fn boto3(&self) -> Command {
        let python = match std::env::var_os(PYTHON) {
            Some(path) => PathBuf::from(path),
            None => Requirements::BOTO3.python().unwrap_or_else(|error| panic!("{error}")),
        };
        let mut command = Command::new(python);
        ran::isolate(&mut command, self.env());
        command
    }

    /// Runs `wbstore` to its end.
    pub async fn run(&self, arguments: &[&str]) -> Ran {
        let mut command = self.wbstore();
        command.args(arguments);
        finish(command).await
    }

    /// Runs a Python script that may use boto3 (and `json`, which every script needs).
    pub async fn python(&self, script: &str) -> Ran {
        let mut command = self.boto3();
        command.args(["-c", &format!("import boto3, json\n{script}")]);
        finish(command).await
    }
}

/// Twelve digits that no other test has: the tests of one run share the emulator, and run in
/// several processes.
fn fresh_account() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.subsec_nanos());
    let process = u64::from(std::process::id()) % 10_000;
    let clock = u64::from(now) / 1_000 % 10_000;
    let next = NEXT.fetch_add(1, Ordering::Relaxed) % 1_000;
    format!("{:012}", 100_000_000_000 + process * 10_000_000 + clock * 1_000 + next)
}
