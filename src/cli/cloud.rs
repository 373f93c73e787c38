//! The cloud, which follows the command, and which of its options the command accepts.

use std::fmt::Debug;

use clap::{Arg, Args, Command, Subcommand};

use crate::provider::{CloudOptions, TeamOptions};
#[cfg(feature = "aws")]
use crate::providers::aws::options::AwsOptions;
#[cfg(feature = "azure")]
use crate::providers::azure::options::AzureOptions;
#[cfg(feature = "gcp")]
use crate::providers::gcp::options::GcpOptions;
#[cfg(feature = "s3")]
use crate::providers::s3::options::S3Options;

/// The cloud, with the options `C` that a command has on every cloud, and the part `P` of the cloud's own
/// options that the command accepts.
#[derive(Subcommand, Debug)]
pub(crate) enum Cloud<C: Args, P: Accepts> {
    /// Amazon S3 and SQS
    #[cfg(feature = "aws")]
    Aws(On<C, P::Of<AwsOptions>>),
    /// Google Cloud Storage and Pub/Sub
    #[cfg(feature = "gcp")]
    Gcp(On<C, P::Of<GcpOptions>>),
    /// Azure Blob Storage, Storage Queues and Event Grid
    #[cfg(feature = "azure")]
    Azure(On<C, P::Of<AzureOptions>>),
    /// Any S3-compatible store, such as Ceph, MinIO, CoreWeave or Cloudflare R2
    #[cfg(feature = "s3")]
    S3(On<C, P::Of<S3Options>>),
}

/// A command on one cloud.
#[derive(Args, Debug)]
pub(crate) struct On<C: Args, O: Args> {
    #[command(flatten)]
    command: C,
    #[command(flatten)]
    options: O,
}

impl<C: Args, P: Accepts> Cloud<C, P> {
    /// The command's own options.
    pub(crate) fn command(&self) -> &C {
        match self {
            #[cfg(feature = "aws")]
            Self::Aws(on) => &on.command,
            #[cfg(feature = "gcp")]
            Self::Gcp(on) => &on.command,
            #[cfg(feature = "azure")]
            Self::Azure(on) => &on.command,
            #[cfg(feature = "s3")]
            Self::S3(on) => &on.command,
        }
    }

    /// The command's own options, and those of the cloud.
    pub(crate) fn split(self) -> (C, Box<dyn CloudOptions>) {
        match self {
            #[cfg(feature = "aws")]
            Self::Aws(On { command, options }) => (command, Box::<AwsOptions>::new(options.into())),
            #[cfg(feature = "gcp")]
            Self::Gcp(On { command, options }) => (command, Box::<GcpOptions>::new(options.into())),
            #[cfg(feature = "azure")]
            Self::Azure(On { command, options }) => (command, Box::<AzureOptions>::new(options.into())),
            #[cfg(feature = "s3")]
            Self::S3(On { command, options }) => (command, Box::<S3Options>::new(options.into())),
        }
    }
}

/// Each cloud of this build, without options.
pub(crate) fn all_clouds() -> Vec<Box<dyn CloudOptions>> {
    vec![
        #[cfg(feature = "aws")]
        Box::<AwsOptions>::default(),
        #[cfg(feature = "gcp")]
        Box::<GcpOptions>::default(),
        #[cfg(feature = "azure")]
        Box::<AzureOptions>::default(),
        #[cfg(feature = "s3")]
        Box::<S3Options>::default(),
    ]
}

/// The options of `cloud` that only a deployment, or only a team, has a use for.
fn team_options(cloud: &str) -> TeamOptions {
    match cloud {
        #[cfg(feature = "aws")]
        "aws" => AwsOptions::TEAM_OPTIONS,
        #[cfg(feature = "gcp")]
        "gcp" => GcpOptions::TEAM_OPTIONS,
        #[cfg(feature = "azure")]
        "azure" => AzureOptions::TEAM_OPTIONS,
        #[cfg(feature = "s3")]
        "s3" => S3Options::TEAM_OPTIONS,
        _ => TeamOptions::default(),
    }
}

/// Whether the option `long` of `cloud` has a use for a team, or for a deployment.
pub(super) fn is_meant_for(is_team: bool, cloud: &str, long: &str) -> bool {
    let TeamOptions { only, never } = team_options(cloud);
    !if is_team { never } else { only }.contains(&long)
}

/// Whether `arg` names a part of one deployment.
pub(super) fn names_part(command: &Command, arg: &Arg) -> bool {
    let mut parts = command.get_groups().filter(|group| group.get_id() == "parts");
    arg.get_id() == "account" || parts.any(|group| group.get_args().any(|part| part == arg.get_id()))
}

/// The part of a cloud's options that a command accepts.
pub(crate) trait Accepts: Debug {
    type Of<O: CloudOptions + Args>: Args + Debug + Into<O>;
}

/// Where to look.
#[derive(Debug)]
pub(crate) enum Placed {}

impl Accepts for Placed {
    type Of<O: CloudOptions + Args> = O::Place;
}

/// Where the deployment is, and what its parts are called.
#[derive(Debug)]
pub(crate) enum Named {}

impl Accepts for Named {
    type Of<O: CloudOptions + Args> = O::Names;
}

/// All that describes the deployment.
#[derive(Debug)]
pub(crate) enum Described {}

impl Accepts for Described {
    type Of<O: CloudOptions + Args> = O;
}

/// All that describes the deployment, and who may have its secret.
#[derive(Debug)]
pub(crate) enum Delivered {}

impl Accepts for Delivered {
    type Of<O: CloudOptions + Args> = O::Delivery;
}

/// All that describes the deployment, and whose credentials it is verified with.
#[derive(Debug)]
pub(crate) enum Proved {}

impl Accepts for Proved {
    type Of<O: CloudOptions + Args> = O::Proof;
}

/// All that describes the deployment, and what may act as its server.
#[derive(Debug)]
pub(crate) enum Permitted {}

impl Accepts for Permitted {
    type Of<O: CloudOptions + Args> = O::Permit;
}
