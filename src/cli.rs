//! The command line: `wbstore <command> <cloud> <options>`. A command's own options are beside its flow, in
//! `src/commands/`; a cloud's own options are beside the cloud, in `providers/<cloud>/options.rs`.

mod cloud;
mod completion;
mod documented;
mod environment;
mod example;
mod file;
mod mistake;
mod options;
mod preset;
mod selection;
mod target;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};

#[cfg(feature = "check")]
use crate::commands::check::CheckArgs;
use crate::commands::completions::CompletionsArgs;
use crate::commands::config::ConfigArgs;
use crate::commands::doctor::{DoctorCommand, DoctorFormat};
use crate::commands::list::ListArgs;
use crate::commands::man::ManArgs;
use crate::commands::plan::{PlanArgs, PlanFormat};
use crate::commands::policy::PolicyArgs;
use crate::commands::provision::ProvisionArgs;
use crate::commands::teardown::TeardownArgs;
use crate::commands::verify::VerifyArgs;
use crate::console::{OutPath, Volume};
use crate::name::StorageName;
use crate::output::Encoding;
use crate::policy::PolicyForm;
use crate::timings::TimingsFile;

pub(crate) use cloud::{Cloud, Delivered, Described, Named, Permitted, Placed, Proved, all_clouds};
pub(crate) use documented::Detail;
pub(crate) use selection::{Selected, Selection};
pub(crate) use target::{Lifetime, Offline, Out, Target};

/// Provision, verify and tear down the bucket and event queue of a self-hosted W&B server
#[derive(Parser, Debug)]
#[command(
    name = "wbstore",
    version,
    arg_required_else_help = true,
    after_help = documented::after_help()
)]
pub struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    global: Global,
    /// What [`read`](Cli::read) has to say about variables and the file.
    #[arg(skip)]
    pub(crate) notes: Vec<String>,
}

impl Cli {
    /// How much goes to stderr.
    pub fn volume(&self) -> Volume {
        match &self.global {
            Global { verbose: true, .. } => Volume::Verbose,
            Global { quiet: true, .. } => Volume::Quiet,
            _ => Volume::Normal,
        }
    }

    /// Where the result goes.
    pub fn out(&self) -> &OutPath {
        let out = match &self.command {
            Command::Plan(plan) => &plan.command().out,
            Command::Provision(provision) => &provision.command().out,
            Command::Verify(verify) => &verify.command().out,
            #[cfg(feature = "check")]
            Command::Check(args) => &args.out,
            Command::List { cloud } => &cloud.command().out,
            Command::Policy { cloud } => &cloud.command().out,
            Command::Doctor(doctor) => doctor.out(),
            Command::Config(config) => config.command().out(),
            Command::Teardown { .. } | Command::Completions(_) | Command::Man(_) => return &OutPath::Stdout,
        };
        out.path.as_ref().unwrap_or(&OutPath::Stdout)
    }

    /// Where the times of its requests go.
    pub fn timings(&self) -> &[TimingsFile] {
        &self.global.timings
    }

    /// How the command reports on stderr.
    pub fn format(&self) -> Format {
        match &self.command {
            Command::Plan(plan) if plan.command().format == PlanFormat::Json => Format::Json,
            Command::Policy { cloud } if cloud.command().format == Some(PolicyForm::Json) => Format::Json,
            Command::Provision(provision) => provision.command().format,
            Command::Verify(verify) => verify.command().format,
            #[cfg(feature = "check")]
            Command::Check(args) => args.format,
            Command::Teardown { cloud } => cloud.command().format,
            Command::List { cloud } => cloud.command().format,
            Command::Config(config) => config.command().format(),
            Command::Doctor(doctor) if doctor.format() == DoctorFormat::Json => Format::Json,
            Command::Doctor(_)
            | Command::Plan(_)
            | Command::Policy { .. }
            | Command::Completions(_)
            | Command::Man(_) => Format::Human,
        }
    }
}

/// The command, with its options and those of a cloud.
#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Show what provision would do, without changing anything
    Plan(Selection<PlanArgs, Described>),
    /// Create or update the bucket and its queue, and print the server configuration
    #[command(visible_alias = "apply")]
    Provision(Selection<ProvisionArgs, Delivered>),
    /// Check with a real upload that files are stored and events arrive
    Verify(Selection<VerifyArgs, Proved>),
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
        cloud: Cloud<PolicyArgs, Permitted>,
    },
    /// Print the server configuration: an existing deployment's storage, and the settings
    Config(Selection<ConfigArgs, Described>),
    /// Report credentials, endpoint, region, proxy, clock and permissions, without a secret
    Doctor(DoctorCommand),
    /// Print a completion script for a shell
    Completions(CompletionsArgs),
    /// Print a manual page, or write all of them
    Man(ManArgs),
}

impl Command {
    /// The pattern of `--only`, by which deployments of the file are selected.
    fn only(&self) -> Option<&str> {
        match self {
            Self::Plan(plan) => plan.only(),
            Self::Provision(provision) => provision.only(),
            Self::Verify(verify) => verify.only(),
            Self::Config(config) => config.only(),
            _ => None,
        }
    }

    /// Adds a deployment of the file: that of the same command on its cloud.
    fn add(&mut self, line: Self, storage: &StorageName) {
        match (self, line) {
            (Self::Plan(all), Self::Plan(one)) => all.add(one, storage),
            (Self::Provision(all), Self::Provision(one)) => all.add(one, storage),
            (Self::Verify(all), Self::Verify(one)) => all.add(one, storage),
            (Self::Config(all), Self::Config(one)) => all.add(one, storage),
            _ => {}
        }
    }
}

#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Global options")]
struct Global {
    /// Log each request to stderr (operation, status, duration; never headers or bodies),
    /// and show every field of a plan
    #[arg(short, long, global = true, display_order = 100)]
    verbose: bool,
    /// Write only results, errors, refusals and warnings
    #[arg(short, long, global = true, display_order = 100)]
    quiet: bool,
    /// Write when each request was sent and what it waited for, as a page (.html) or as data (.json); repeatable
    #[arg(long, global = true, value_name = "FILE", display_order = 101, value_hint = ValueHint::FilePath)]
    timings: Vec<TimingsFile>,
    /// Read deployments and defaults of options from this file [default: wbstore.toml, if there is one]
    #[arg(long, global = true, value_name = "PATH", display_order = 102, value_hint = ValueHint::FilePath)]
    file: Option<PathBuf>,
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
