//! What a run starts from and what it is asked for.

use wbstore_sandbox::cloud::{Cloud, PROVISION, TEARDOWN};
use wbstore_sandbox::ran::Ran;

/// A state of the account and a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scenario {
    /// Nothing of the deployment is there.
    Create,
    /// Bucket and queue are there, made by others and full of their entries.
    Adopt,
    /// Everything is as it should be.
    NoOp,
    /// All of it is to go, two objects included.
    Teardown,
    /// What was adopted is to be given back.
    GiveBack,
}

impl Scenario {
    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Adopt => "adopt",
            Self::NoOp => "no-op",
            Self::Teardown => "teardown",
            Self::GiveBack => "give back",
        }
    }

    /// Whether it ends with the deployment there.
    pub fn provisions(self) -> bool {
        matches!(self, Self::Create | Self::Adopt | Self::NoOp)
    }

    /// One in how many requests is tried, unless the sweep is a full one, so that a test run stays short.
    /// Adopting sends what creating sends, and giving back what adopting and tearing down send.
    pub fn stride(self) -> usize {
        match self {
            Self::Create | Self::Teardown => 8,
            Self::NoOp | Self::Adopt | Self::GiveBack => 16,
        }
    }

    fn adopts(self) -> bool {
        matches!(self, Self::Adopt | Self::GiveBack)
    }

    /// Brings a fresh account into the state before the run.
    pub async fn prepare<C: Cloud>(self, cloud: &C) {
        cloud.neighbours().await;
        if self.adopts() {
            cloud.predecessor().await;
        }
        if matches!(self, Self::NoOp | Self::Teardown | Self::GiveBack) {
            let adopt: &[&str] = if self.adopts() { &["--adopt"] } else { &[] };
            let ran = cloud.run("provision", &[PROVISION, adopt].concat()).await;
            assert_eq!(ran.code, Some(0), "the ground for {} is not laid: {ran}", self.name());
        }
        if self == Self::Teardown {
            cloud.fill(2, 2).await;
        }
    }

    /// Runs the command, telling everything.
    pub async fn run<C: Cloud>(self, cloud: &C) -> Ran {
        let (verb, arguments) =
            if self.provisions() { ("provision", PROVISION) } else { ("teardown", TEARDOWN) };
        // What does not pass within half a minute is final.
        let mut arguments = [arguments, &["--verbose", "--wait", "30s"]].concat();
        if self == Self::Adopt {
            arguments.push("--adopt");
        }
        cloud.run(verb, &arguments).await
    }
}
