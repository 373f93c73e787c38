//! The command line: clap types only, one struct a command.

#[cfg(feature = "aws")]
mod aws;
#[cfg(feature = "azure")]
mod azure;
mod cloud;
mod commands;
mod environment;
#[cfg(feature = "gcp")]
mod gcp;
mod parsed;
mod shared;

#[cfg(feature = "aws")]
pub use aws::{AwsDescription, AwsNames, AwsPlace};
#[cfg(feature = "azure")]
pub use azure::{AzureDelivery, AzureDescription, AzureNames, AzurePlace};
pub use cloud::{Cloud, Delivered, Describe, Described, Detail, Named, On, Placed};
pub use commands::{
    Cli, Command, Completions, Config, Format, Lifetime, List, Man, Plan, PlanFormat, Policy, PolicyFor,
    Provision, Teardown, Verify,
};
#[cfg(feature = "gcp")]
pub use gcp::{GcpDescription, GcpNames, GcpPlace};
pub use parsed::{Given, Parsed, ParsedGiven};
pub use shared::{Offline, Target, Verbosity};
