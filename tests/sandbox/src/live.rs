//! The laws on a real account: everything through the built `wbstore`, with the credentials and the endpoints of
//! whoever runs it. Nothing here knows an emulator, so nothing is injected and nothing is read behind
//! wbstore's back; what takes that is for `tests/conformance` and `tests/faults`.

mod laws;
mod report;

use std::collections::BTreeMap;
use std::process::{Command, Stdio};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::demo::{self, Event};
use crate::ran::{Ran, finish};
use crate::{Error, paths};

pub use report::{Law, Outcome, Report};

/// One account, as its user reaches it.
#[derive(Clone, Debug)]
pub struct Account {
    cloud: &'static str,
    /// Options that say where: those that a command does not have are left out there.
    place: Vec<String>,
    /// The long options of each command.
    known: BTreeMap<&'static str, String>,
}

const VERBS: [&str; 6] = ["plan", "provision", "verify", "config", "teardown", "list"];

impl Account {
    /// The account of the current credentials on `cloud`; `place` is what every command needs besides.
    pub async fn new(cloud: &'static str, place: &[String]) -> Result<Self, Error> {
        let mut known = BTreeMap::new();
        for verb in VERBS {
            let mut help = Command::new(paths::wbstore()?);
            help.args([verb, cloud, "--help"]);
            known.insert(verb, finish(help).await.stdout);
        }
        let account = Self { cloud, place: place.to_owned(), known };
        let unknown = place.iter().find(|word| word.starts_with("--") && !account.has("provision", word));
        match unknown {
            Some(option) => Err(Error::new(format!("`wbstore provision {cloud}` has no option {option}"))),
            None => Ok(account),
        }
    }

    /// The cloud, as wbstore calls it.
    pub fn cloud(&self) -> &'static str {
        self.cloud
    }

    fn has(&self, verb: &str, option: &str) -> bool {
        let name = option.split('=').next().unwrap_or(option);
        let help = self.known.get(verb).map(String::as_str).unwrap_or_default();
        help.split(|letter: char| letter != '-' && !letter.is_alphanumeric()).any(|word| word == name)
    }

    /// The options of the place that `verb` has, with their values.
    fn place(&self, verb: &str) -> Vec<String> {
        let mut kept = false;
        let keep = |word: &&String| {
            if word.starts_with("--") {
                kept = self.has(verb, word);
            }
            kept
        };
        self.place.iter().filter(keep).cloned().collect()
    }

    /// `wbstore <verb> <cloud>` with `more`, not started yet.
    fn command(&self, verb: &str, more: &[&str]) -> Result<Command, Error> {
        let mut command = Command::new(paths::wbstore()?);
        command.args([verb, self.cloud]).args(more).args(self.place(verb)).stdin(Stdio::null());
        Ok(command)
    }

    /// Runs it to its end.
    async fn run(&self, verb: &str, more: &[&str]) -> Result<Ran, Error> {
        Ok(finish(self.command(verb, more)?).await)
    }
}

/// A deployment of its own, with a name that nobody else has.
#[derive(Clone, Debug)]
pub struct Deployment<'a> {
    account: &'a Account,
    name: String,
    host: String,
}

impl<'a> Deployment<'a> {
    /// One that does not exist yet.
    pub fn new(account: &'a Account) -> Self {
        Self::named(account, &format!("live-{:08x}", fastrand::u32(..)))
    }

    fn named(account: &'a Account, host: &str) -> Self {
        // No browser ever resolves it (RFC 2606). The name is the one that follows from the host.
        Self { account, name: format!("{host}-invalid"), host: format!("https://{host}.invalid") }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    fn target(&self) -> [&str; 4] {
        ["--host", &self.host, "--name", &self.name]
    }

    async fn run(&self, verb: &str, more: &[&str]) -> Result<Ran, Error> {
        self.account.run(verb, &[&self.target(), more].concat()).await
    }

    async fn plan(&self) -> Result<Value, Error> {
        let ran = self.run("plan", &["--format", "json"]).await?;
        serde_json::from_str(&ran.stdout)
            .map_err(|error| Error::new(format!("the plan is no JSON ({error}): {ran}")))
    }

    /// What a provision would make, one address a line, and where.
    pub async fn shown(&self) -> Result<(String, Vec<String>), Error> {
        let plan = self.plan().await?;
        let steps = plan["steps"].as_array().into_iter().flatten();
        let addresses = steps.filter_map(|step| step["address"].as_str().map(str::to_owned)).collect();
        Ok((plan["scope"].as_str().unwrap_or_default().to_owned(), addresses))
    }

    /// Whether `list` shows it.
    async fn is_listed(&self) -> Result<bool, Error> {
        let ran = self.account.run("list", &["--format", "json"]).await?;
        let listed: Value = serde_json::from_str(&ran.stdout)
            .map_err(|error| Error::new(format!("the list is no JSON ({error}): {ran}")))?;
        let mut all = listed["deployments"].as_array().into_iter().flatten();
        Ok(all.any(|one| one["name"] == self.name.as_str()))
    }

    /// Deletes it with whatever is in it, and succeeds if it is gone.
    pub async fn end(&self) -> Result<(), Error> {
        let ran = self.run("teardown", &["--confirm", &self.name, "--delete-objects"]).await?;
        match ran.code {
            Some(0) => Ok(()),
            _ => Err(Error::new(format!("the teardown of {} failed: {ran}", self.name))),
        }
    }

    /// Starts a provision, and sends `signal` after its `after`-th line that has `event`: its exit code, and
    /// whether there was such a line.
    async fn broken_off(
        &self,
        event: &str,
        after: usize,
        signal: &str,
    ) -> Result<(Option<i32>, bool), Error> {
        let unable = |error: std::io::Error| Error::new(format!("cannot run wbstore: {error}"));
        let more = [&self.target()[..], &["--yes", "--format", "json"]].concat();
        let mut command = tokio::process::Command::from(self.account.command("provision", &more)?);
        command.stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().map_err(unable)?;
        let Some(stderr) = child.stderr.take() else { return Err(Error::new("wbstore has no stderr")) };
        let mut lines = BufReader::new(stderr).lines();
        let (mut seen, mut sent) = (0, false);
        while let Some(line) = lines.next_line().await.map_err(unable)? {
            let is_one = serde_json::from_str::<Value>(&line).is_ok_and(|line| line["event"] == event);
            seen += usize::from(is_one);
            if let (false, true, Some(id)) = (sent, seen >= after, child.id()) {
                let status = Command::new("kill").args([signal, &id.to_string()]).status();
                sent = status.map_err(unable)?.success();
            }
        }
        Ok((child.wait().await.map_err(unable)?.code(), sent))
    }
}

/// The commands of the demonstration, on `deployment`.
pub async fn demo(deployment: &Deployment<'_>, sink: &mut dyn FnMut(Event)) -> Result<(), Error> {
    let Deployment { account, name, host } = deployment;
    let steps = demo::steps(account.cloud, host, name, &|verb| account.place(verb));
    demo::run_steps(steps, sink, &|args| {
        let mut command = Command::new(paths::wbstore()?);
        command.args(args).stdin(Stdio::null());
        Ok(command)
    })
    .await
}

/// Runs every law, and tells `sink` of each as it is known. `deployments` gets each deployment before it is
/// made, so that the caller can end it whatever happens.
pub async fn laws(account: &Account, deployments: &mut Vec<String>, sink: &mut dyn FnMut(&Law)) -> Vec<Law> {
    laws::run(account, deployments, sink).await
}

/// Ends what is left of a deployment by its name alone.
pub async fn end(account: &Account, name: &str) -> Result<(), Error> {
    Deployment::named(account, name.strip_suffix("-invalid").unwrap_or(name)).end().await
}
