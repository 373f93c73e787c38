//! The commands.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use super::cloud::{Cloud, Delivered, Described, Named, Placed};
use super::parsed::parsed;
use super::shared::{Offline, Target, Verbosity};
use crate::lease::Lease;
use crate::output::Encoding;
use crate::plan::Digest;
use crate::policy::PolicyForm;
use crate::provider::EmptyBy;
use crate::span::Span;

/// Provision, prove and remove the bucket and event queue of a self-hosted W&B server
#[derive(Parser, Debug)]
#[command(
    name = "wbstore",
    version,
    arg_required_else_help = true,
    after_help = "Start with:\n  wbstore plan aws --host https://wandb.acme.com\n\n\
                  Exit codes: 0 done, 1 failed, 2 bad usage or input, 3 refused, 4 partly done (run again),\n\
                  5 changes pending (plan --exit-code), 6 verify found a fault, 130 interrupted."
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// How much is told.
    #[command(flatten)]
    pub verbosity: Verbosity,
}

/// What to do.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Show what provision would do, and change nothing
    Plan {
        /// On which cloud.
        #[command(subcommand)]
        cloud: Cloud<Plan, Described>,
    },
    /// Make or mend the bucket and its queue, and print what the server needs
    #[command(visible_alias = "apply")]
    Provision {
        /// On which cloud.
        #[command(subcommand)]
        cloud: Cloud<Provision, Delivered>,
    },
    /// Prove that an upload works and produces an event
    Verify {
        /// On which cloud.
        #[command(subcommand)]
        cloud: Cloud<Verify, Described>,
    },
    /// Remove what wbstore made, and nothing else
    #[command(visible_alias = "destroy")]
    Teardown {
        /// On which cloud.
        #[command(subcommand)]
        cloud: Cloud<Teardown, Named>,
    },
    /// Show the deployments of the account
    List {
        /// On which cloud.
        #[command(subcommand)]
        cloud: Cloud<List, Placed>,
    },
    /// Print the permissions that the server or the operator needs
    Policy {
        /// On which cloud.
        #[command(subcommand)]
        cloud: Cloud<Policy, Described>,
    },
    /// Print what the server needs, of a deployment that is there
    Config {
        /// On which cloud.
        #[command(subcommand)]
        cloud: Cloud<Config, Delivered>,
    },
    /// Print a completion script for a shell
    Completions(Completions),
    /// Print the manual page
    Man(Man),
}

impl Command {
    /// How it reports on stderr.
    pub fn format(&self) -> Format {
        match self {
            Self::Plan { cloud } if cloud.command().format == PlanFormat::Json => Format::Json,
            Self::Policy { cloud } if cloud.command().format == Some(PolicyForm::Json) => Format::Json,
            Self::Provision { cloud } => cloud.command().format,
            Self::Verify { cloud } => cloud.command().format,
            Self::Teardown { cloud } => cloud.command().format,
            Self::List { cloud } => cloud.command().format,
            Self::Config { cloud } => cloud.command().format,
            Self::Plan { .. } | Self::Policy { .. } | Self::Completions(_) | Self::Man(_) => Format::Human,
        }
    }
}

impl Format {
    /// What `arguments` ask for, where the command line as a whole cannot be read.
    pub fn of(arguments: impl IntoIterator<Item = OsString>) -> Self {
        let arguments: Vec<_> = arguments.into_iter().collect();
        let joined = arguments.iter().any(|one| one == "--format=json");
        let apart = arguments.windows(2).any(|pair| pair[0] == "--format" && pair[1] == "json");
        if joined || apart { Self::Json } else { Self::Human }
    }

    /// How the server's settings are written where nothing is said.
    pub fn encoding(self) -> Encoding {
        match self {
            Self::Human => Encoding::Env,
            Self::Json => Encoding::Json,
        }
    }
}

/// `plan`: what would be done.
#[derive(Args, Debug)]
pub struct Plan {
    /// Which deployment.
    #[command(flatten)]
    pub target: Target,
    /// How it comes about and ends.
    #[command(flatten)]
    pub lifetime: Lifetime,
    /// Whether the cloud is asked.
    #[command(flatten)]
    pub offline: Offline,
    /// How to show it
    #[arg(long, value_enum, default_value_t)]
    pub format: PlanFormat,
    /// Exit with 5 when changes are pending
    #[arg(long)]
    pub exit_code: bool,
}

/// How a deployment comes about and ends.
#[derive(Args, Clone, Debug, Default)]
pub struct Lifetime {
    /// Take over a bucket or queue that is there and carries no mark
    #[arg(long)]
    pub adopt: bool,
    /// When `teardown --expired` may remove it: 90m, 12h, 7d, 2w, a date, or never. A time span counts from
    /// when it is first set; repeating it changes nothing
    #[arg(long, value_name = "WHEN", value_parser = parsed::<Lease>())]
    pub expires: Option<Lease>,
    /// Count the lease from now: the time span of --expires or, without it, of the deployment
    #[arg(long)]
    pub renew: bool,
}

/// `provision`: make it so.
#[derive(Args, Debug)]
pub struct Provision {
    /// Which deployment.
    #[command(flatten)]
    pub target: Target,
    /// How it comes about and ends.
    #[command(flatten)]
    pub lifetime: Lifetime,
    /// Show the plan and stop, like `plan`
    #[arg(long, conflicts_with_all = ["yes", "expect"])]
    pub dry_run: bool,
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
    /// Go on only if the plan has this digest, as `plan` printed it
    #[arg(long, value_name = "DIGEST", value_parser = parsed::<Digest>())]
    pub expect: Option<Digest>,
    /// Format of the server's settings [default: env; json with `--format json`]
    #[arg(long, value_enum)]
    pub output: Option<Encoding>,
    /// Format of plan, progress, notes and errors on stderr
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// The longest wait for the cloud to catch up, per step [default: what each step needs]
    #[arg(long, value_name = "TIME", value_parser = parsed::<Span>())]
    pub wait: Option<Span>,
}

/// `verify`: prove that it works.
#[derive(Args, Debug)]
pub struct Verify {
    /// Which deployment.
    #[command(flatten)]
    pub target: Target,
    /// How long an event may take to arrive; a new notification may need minutes to begin
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = parsed::<Span>())]
    pub within: Span,
    /// How to show it
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// `teardown`: remove it.
#[derive(Args, Debug)]
#[command(group = ArgGroup::new("which").required(true).multiple(true).args(["host", "name", "expired"]))]
pub struct Teardown {
    /// Which deployment.
    #[command(flatten)]
    pub target: Target,
    /// Remove every deployment of the account whose --expires has passed
    #[arg(long, conflicts_with_all = ["host", "name"])]
    pub expired: bool,
    /// With --expired: only deployments with such a name, `*` for any letters and `?` for one
    #[arg(long, value_name = "PATTERN", requires = "expired")]
    pub only: Option<String>,
    /// Delete the objects too, all versions of them; without it a bucket that is not empty is refused
    #[arg(long)]
    pub delete_objects: bool,
    /// Who empties the bucket
    #[arg(long, value_enum, default_value_t, requires = "delete_objects")]
    pub empty_by: EmptyBy,
    /// The deployment's name (`expired` with --expired), in place of typing it
    #[arg(long, value_name = "NAME")]
    pub confirm: Option<String>,
    /// Go on only if the plan has this digest, as `--dry-run` printed it
    #[arg(long, value_name = "DIGEST", conflicts_with = "expired", value_parser = parsed::<Digest>())]
    pub expect: Option<Digest>,
    /// Show the plan and stop
    #[arg(long, conflicts_with = "confirm")]
    pub dry_run: bool,
    /// Format of plan, progress, notes and errors on stderr
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// The longest wait for the cloud to catch up, per step [default: what each step needs]
    #[arg(long, value_name = "TIME", value_parser = parsed::<Span>())]
    pub wait: Option<Span>,
}

/// `list`: what is there.
#[derive(Args, Debug)]
pub struct List {
    /// How to show it
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// `policy`: the permissions.
#[derive(Args, Debug)]
pub struct Policy {
    /// Which deployment.
    #[command(flatten)]
    pub target: Target,
    /// Whether the cloud is asked.
    #[command(flatten)]
    pub offline: Offline,
    /// Whose permissions
    #[arg(long = "for", value_enum, value_name = "WHO")]
    pub audience: PolicyFor,
    /// Only what `teardown --expired` requires, for all deployments; with --for operator
    #[arg(long, conflicts_with_all = ["host", "name"])]
    pub expired: bool,
    /// How to write them [default: as the cloud's own tool reads them from a file]
    #[arg(long, value_enum)]
    pub format: Option<PolicyForm>,
}

/// `config`: what the server needs, once more.
#[derive(Args, Debug)]
pub struct Config {
    /// Which deployment.
    #[command(flatten)]
    pub target: Target,
    /// Format of the server's settings [default: env; json with `--format json`]
    #[arg(long, value_enum)]
    pub output: Option<Encoding>,
    /// Format of notes and errors on stderr
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// `completions`: for a shell.
#[derive(Args, Debug)]
pub struct Completions {
    /// The shell
    pub shell: Shell,
}

/// `man`: the manual.
#[derive(Args, Debug)]
pub struct Man {
    /// Write a page for every command into this directory
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

/// How a plan is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum PlanFormat {
    /// Text for people
    #[default]
    Human,
    /// The versioned document of docs/plan.schema.json
    Json,
    /// A pull-request comment with a graph of the steps
    Markdown,
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

/// Whose permissions `policy` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PolicyFor {
    /// The machine the W&B server runs on
    Node,
    /// Whoever runs wbstore
    Operator,
}
