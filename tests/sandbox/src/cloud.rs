//! What the laws and the sweeps need to know of a cloud. A new cloud joins them by implementing this.

use std::process::Command;

use crate::Error;
use crate::fault::{Armed, Failure};
use crate::proxy::Proxy;
use crate::ran::{Ran, finish};
use crate::snapshot::Snapshot;

/// Set for the tests by `cargo sandbox test --all`: the sweeps try everything, where they otherwise take
/// samples.
pub const IN_FULL: &str = "WBSTORE_SANDBOX_IN_FULL";

/// Whether [`IN_FULL`] is set.
pub fn in_full() -> bool {
    std::env::var_os(IN_FULL).is_some()
}

/// The deployment that everything is done to.
pub const HOST: &str = "https://wandb.acme.com";
/// Its name, which follows from the host.
pub const NAME: &str = "wandb-acme-com";

/// The variables that stand for `options`, each of which has a value.
pub fn variables(options: &[String]) -> Vec<(String, String)> {
    let variable = |option: &str| option.to_uppercase().replace("--", "WBSTORE_").replace('-', "_");
    options.chunks_exact(2).map(|pair| (variable(&pair[0]), pair[1].clone())).collect()
}

/// An account of its own on an emulated cloud.
pub trait Cloud: Send + Sync + Sized + 'static {
    /// The cloud's name on the command line.
    const CLOUD: &'static str;

    /// The documents that several parties write into: what others wrote must come through adoption
    /// and teardown to the byte. Told by the last part of the path in a [`Snapshot`].
    const SHARED: &'static [&'static str];

    /// The parts of the deployment, as they begin the paths in a [`Snapshot`].
    const PARTS: &'static [&'static str];

    /// The documents in which the parts have the tags that the user wants, and the call that sets them first.
    const TAGGED: &'static [(&'static str, &'static str)];

    /// Commands and reads that they can do without: such a read only adds a word to what is shown, or there
    /// is another way to the same answer.
    const ADVICE: &'static [(&'static str, &'static str)] = &[];

    /// Who may use the bucket of a team, as it is typed.
    const READER: &'static [&'static str];

    /// One in how many requests the sweeps look at, of those they would otherwise: a cloud whose changes
    /// take their time gets fewer, so that a test run stays short.
    const SPARSE: usize = 1;

    /// Commands with their arguments and a read that each sends: `list` first, then one for each of the
    /// cloud's services and ways to call them.
    const LOOKS: &'static [(&'static str, &'static [&'static str], &'static str)];

    /// What has to run for it beside this process.
    type Ground: Send + Sync;

    /// Starts all that has to run, with nothing in it.
    fn ground() -> impl Future<Output = Result<Self::Ground, Error>> + Send;

    /// An account there; the same number is the same account.
    fn at(ground: &Self::Ground, number: u64) -> impl Future<Output = Result<Self, Error>> + Send;

    /// A fresh account on the emulator that the environment names.
    fn fresh() -> impl Future<Output = Self> + Send;

    /// What `--account-id` names.
    fn account_id(&self) -> String;

    /// The ways in which an answer can ask for a wait of so many seconds.
    fn pleas(seconds: u64) -> Vec<Failure> {
        vec![Failure::TooManyRequests(seconds)]
    }

    /// What a client needs in its environment to work in this account.
    fn env(&self) -> Vec<(String, String)>;

    /// The proxy all requests pass.
    fn proxy(&self) -> &Proxy;

    /// `wbstore` in this account's environment.
    fn wbstore(&self) -> Command;

    /// The same with secrets in the environment that a search finds, where there are none yet.
    fn wbstore_with_secrets(&self) -> Command {
        self.wbstore()
    }

    /// The secrets, none of which may be seen again.
    fn secrets(&self) -> Vec<String>;

    /// The arguments with which a command finds the account, where the environment does not say.
    fn place(&self, _verb: &str) -> Vec<String> {
        vec![]
    }

    /// The arguments that name what the deployment consists of.
    fn names(&self) -> Vec<String>;

    /// Everything in the account, read around the proxy and without the tool's SDK. Two accounts
    /// with the same things in them have equal snapshots.
    fn snapshot(&self) -> impl Future<Output = Snapshot> + Send;

    /// Makes things of others beside the deployment, whose names begin as those of its parts do.
    fn neighbours(&self) -> impl Future<Output = ()> + Send;

    /// Makes the parts of the deployment by other hands, without a mark, with others' entries in
    /// every shared document.
    fn predecessor(&self) -> impl Future<Output = ()> + Send;

    /// Puts objects into the bucket, each in `versions` versions.
    fn fill(&self, objects: usize, versions: usize) -> impl Future<Output = ()> + Send;

    /// Makes one object in fifty fail to be deleted, and throttles one request in twenty.
    fn resist(&self) -> Vec<Armed>;

    /// The most requests that a teardown may take while it [resists](Self::resist), with so many versions
    /// of objects in the bucket.
    fn emptying_takes(versions: usize) -> usize;

    /// Uploads an object and waits until the queue tells of it; says how many messages did.
    fn announce(&self) -> impl Future<Output = usize> + Send;

    /// How many notifications of ours the bucket has.
    fn notifications(snapshot: &Snapshot) -> usize;

    /// `wbstore <verb> <cloud>` on the deployment, with `more` arguments, not started yet.
    fn command(&self, verb: &str, more: &[&str]) -> Command {
        // Signatures of a probe are checked, which takes the account's own credentials.
        let is_proved = more.iter().any(|option| ["--versioning", "--artifact-gc"].contains(option));
        let sends_probe = verb == "verify" || is_proved;
        let mut command = if sends_probe { self.wbstore() } else { self.wbstore_with_secrets() };
        command
            .args([verb, Self::CLOUD, "--host", HOST])
            .args(self.place(verb))
            .args(self.names())
            .args(more);
        command
    }

    /// Runs it to its end.
    fn run(&self, verb: &str, more: &[&str]) -> impl Future<Output = Ran> + Send {
        finish(self.command(verb, more))
    }

    /// `wbstore <verb> <cloud>` on whatever `more` says, not started yet.
    fn command_on(&self, verb: &str, more: &[&str]) -> Command {
        let mut command = self.wbstore_with_secrets();
        command.args([verb, Self::CLOUD]).args(self.place(verb)).args(more);
        command
    }

    /// Runs it to its end.
    fn run_on(&self, verb: &str, more: &[&str]) -> impl Future<Output = Ran> + Send {
        finish(self.command_on(verb, more))
    }
}

/// The arguments with which a provision needs nobody.
pub const PROVISION: &[&str] = &["--yes"];
/// The arguments with which a teardown needs nobody.
pub const TEARDOWN: &[&str] = &["--confirm", NAME, "--delete-objects"];
