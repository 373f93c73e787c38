//! The command line: clap types only, one struct a command.

mod aws;
mod commands;
mod shared;

pub use aws::{AwsDescription, AwsNames, AwsPlace};
pub use commands::{
    Cli, Cloud, Command, Completions, Config, Lifetime, List, Man, Plan, PlanFormat, Policy, PolicyFor,
    Provision, Report, Teardown, Verify,
};
pub use shared::{Length, Offline, Parsed, Target, Verbosity};
