//! The command line: clap types only, one struct a command.

#[cfg(feature = "aws")]
mod aws;
mod cloud;
mod commands;
mod shared;

#[cfg(feature = "aws")]
pub use aws::{AwsDescription, AwsNames, AwsPlace};
pub use cloud::{Cloud, Delivered, Describe, Described, Detail, Named, On, Placed};
pub use commands::{
    Cli, Command, Completions, Config, Lifetime, List, Man, Plan, PlanFormat, Policy, PolicyFor, Provision,
    Report, Teardown, Verify,
};
pub use shared::{Length, Offline, Parsed, Target, Verbosity};
