//! The command line: `wbstore <command> <cloud> <options>`. A command's own options are beside its flow, in
//! `src/commands/`; a cloud's own options are beside the cloud, in `providers/<cloud>/options.rs`.

mod cloud;
mod environment;
mod target;

use std::ffi::OsString;

use clap::{Args, Parser, Subcommand, ValueEnum};

#[cfg(feature = "check")]
use crate::commands::check::CheckArgs;
use crate::commands::completions::CompletionsArgs;
use crate::commands::config::ConfigCommand;
use crate::commands::list::ListArgs;
use crate::commands::man::ManArgs;
use crate::commands::plan::{PlanArgs, PlanFormat};
use crate::commands::policy::PolicyArgs;
use crate::commands::provision::ProvisionArgs;
use crate::commands::teardown::TeardownArgs;
use crate::commands::verify::VerifyArgs;
use crate::output::Encoding;
use crate::policy::PolicyForm;
use crate::timings::TimingsFile;

pub(crate) use cloud::{Cloud, Delivered, Described, Named, Placed, Proved};
pub(crate) use target::{Lifetime, Offline, Target};

/// Provision, verify and tear down the bucket and event queue of a self-hosted W&B server
#[derive(Parser, Debug)]
#[command(
    name = "wbstore",
    version,
    arg_required_else_help = true,
    after_help = "Start with:\n  wbstore plan aws --host https://wandb.acme.com\n\n\
                  Exit codes: 0 done, 1 failed, 2 bad usage or input, 3 refused, 4 partly done (run again),\n\
                  5 changes pending (plan --exit-code), 6 verify or check failed, 130 interrupted."
)]
pub struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    verbosity: Verbosity,
}

impl Cli {
    /// Whether each request is logged to stderr.
    pub fn verbose(&self) -> bool {
        self.verbosity.verbose
    }

    /// Where the times of its requests go.
    pub fn timings(&self) -> &[TimingsFile] {
        &self.verbosity.timings
    }

    /// How the command reports on stderr.
    pub fn format(&self) -> Format {
        match &self.command {
            Command::Plan { cloud } if cloud.command().format == PlanFormat::Json => Format::Json,
            Command::Policy { cloud } if cloud.command().format == Some(PolicyForm::Json) => Format::Json,
            Command::Provision { cloud } => cloud.command().format,
            Command::Verify { cloud } => cloud.command().format,
            #[cfg(feature = "check")]
            Command::Check(args) => args.format,
            Command::Teardown { cloud } => cloud.command().format,
            Command::List { cloud } => cloud.command().format,
            Command::Config(config) => config.format(),
            Command::Plan { .. } | Command::Policy { .. } | Command::Completions(_) | Command::Man(_) => {
                Format::Human
            }
        }
    }
}

/// The command, with its options and those of a cloud.
#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Show what provision would do, without changing anything
    Plan {
        #[command(subcommand)]
        cloud: Cloud<PlanArgs, Described>,
    },
    /// Create or update the bucket and its queue, and print the server configuration
    #[command(visible_alias = "apply")]
    Provision {
        #[command(subcommand)]
        cloud: Cloud<ProvisionArgs, Delivered>,
    },
    /// Check with a real upload that files are stored and events arrive
    Verify {
        #[command(subcommand)]
        cloud: Cloud<VerifyArgs, Proved>,
    },
    /// Check that the server's settings work: host, license, Redis, MySQL, single sign-on, Slack, bucket
    #[cfg(feature = "check")]
    Check(CheckArgs),
    /// Delete what wbstore created, and nothing else
    #[command(visible_alias = "destroy")]
    Teardown {
        #[command(subcommand)]
        cloud: Cloud<TeardownArgs, Named>,
    },
    /// List the deployments of the account
    List {
        #[command(subcommand)]
        cloud: Cloud<ListArgs, Placed>,
    },
    /// Print the permissions that the server or the operator requires
    Policy {
        #[command(subcommand)]
        cloud: Cloud<PolicyArgs, Described>,
    },
    /// Print the server configuration: an existing deployment's storage, and the settings
    Config(ConfigCommand),
    /// Print a completion script for a shell
    Completions(CompletionsArgs),
    /// Print the manual page
    Man(ManArgs),
}

#[derive(Args, Clone, Debug)]
struct Verbosity {
    /// Log each request to stderr (operation, status, duration; never headers or bodies)
    #[arg(short, long, global = true, display_order = 100)]
    verbose: bool,
    /// Write when each request was sent and what it waited for, as a page (.html) or as data (.json); repeatable
    #[arg(long, global = true, value_name = "FILE", display_order = 101)]
    timings: Vec<TimingsFile>,
}

/// How a command reports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Text for people
    #[default]
    Human,
    /// JSON, one object per line
    Json,
}

impl Format {
    /// What `arguments` ask for, where the command line as a whole cannot be read.
    pub fn of(arguments: impl IntoIterator<Item = OsString>) -> Self {
        let arguments: Vec<_> = arguments.into_iter().collect();
        let joined = arguments.iter().any(|one| one == "--format=json");
        let apart = arguments.windows(2).any(|pair| pair[0] == "--format" && pair[1] == "json");
        if joined || apart { Self::Json } else { Self::Human }
    }

    /// The default encoding of the server configuration.
    pub(crate) fn encoding(self) -> Encoding {
        match self {
            Self::Human => Encoding::Env,
            Self::Json => Encoding::Json,
        }
    }
}
