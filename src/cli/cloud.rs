//! The cloud, which follows the command, and which of its options the command accepts.

use std::fmt::Debug;

use clap::{Args, Subcommand};

use crate::provider::CloudOptions;
#[cfg(feature = "aws")]
use crate::providers::aws::options::AwsOptions;
#[cfg(feature = "azure")]
use crate::providers::azure::options::AzureOptions;
#[cfg(feature = "gcp")]
use crate::providers::gcp::options::GcpOptions;

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
        }
    }
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
