//! The cloud that a command is for: after the command, before its options.

use std::fmt::Debug;

use clap::{Args, Subcommand};

#[cfg(feature = "aws")]
use super::aws::{AwsDescription, AwsNames, AwsPlace};
#[cfg(feature = "azure")]
use super::azure::{AzureDelivery, AzureDescription, AzureNames, AzurePlace};
#[cfg(feature = "gcp")]
use super::gcp::{GcpDescription, GcpNames, GcpPlace};
use crate::provider::Wanted;
use crate::providers::Request;
use crate::secret::Disclosure;

/// The cloud, with what the command `C` takes and what can be said of a deployment there.
#[derive(Subcommand, Debug)]
pub enum Cloud<C: Args, D: Detail> {
    /// Amazon S3 and SQS
    #[cfg(feature = "aws")]
    Aws(On<C, D::Aws>),
    /// Google Cloud Storage and Pub/Sub
    #[cfg(feature = "gcp")]
    Gcp(On<C, D::Gcp>),
    /// Azure Blob Storage, Storage Queues and Event Grid
    #[cfg(feature = "azure")]
    Azure(On<C, D::Azure>),
}

/// A command on one cloud.
#[derive(Args, Debug)]
pub struct On<C: Args, D: Args> {
    /// What every cloud's form of the command takes.
    #[command(flatten)]
    pub command: C,
    /// What the cloud's own options say.
    #[command(flatten)]
    pub described: D,
}

impl<C: Args, D: Detail> Cloud<C, D> {
    /// The command by itself.
    pub fn command(&self) -> &C {
        match self {
            #[cfg(feature = "aws")]
            Self::Aws(On { command, .. }) => command,
            #[cfg(feature = "gcp")]
            Self::Gcp(On { command, .. }) => command,
            #[cfg(feature = "azure")]
            Self::Azure(On { command, .. }) => command,
        }
    }

    /// The command by itself, and what the options of the cloud say, whichever it is.
    pub fn split(self) -> (C, Box<dyn Describe>) {
        match self {
            #[cfg(feature = "aws")]
            Self::Aws(On { command, described }) => (command, Box::new(described)),
            #[cfg(feature = "gcp")]
            Self::Gcp(On { command, described }) => (command, Box::new(described)),
            #[cfg(feature = "azure")]
            Self::Azure(On { command, described }) => (command, Box::new(described)),
        }
    }
}

/// What a cloud's own options say, joined with what every cloud is told.
pub trait Describe: Send + Sync {
    /// The request for `wanted`.
    fn request(&self, wanted: Wanted) -> Request;

    /// What is to become of the secret among the outputs.
    fn disclosure(&self) -> Disclosure {
        Disclosure::Withheld
    }
}

/// How much a command wants to know of a deployment: the options of each cloud.
pub trait Detail: Debug {
    /// On AWS.
    #[cfg(feature = "aws")]
    type Aws: Args + Describe + Debug + 'static;
    /// On Google Cloud.
    #[cfg(feature = "gcp")]
    type Gcp: Args + Describe + Debug + 'static;
    /// On Azure.
    #[cfg(feature = "azure")]
    type Azure: Args + Describe + Debug + 'static;
}

/// Where to look.
#[derive(Debug)]
pub enum Placed {}

/// What its parts are called, and where they are.
#[derive(Debug)]
pub enum Named {}

/// Everything that can be said of it.
#[derive(Debug)]
pub enum Described {}

/// Everything, and what is to become of its secret.
#[derive(Debug)]
pub enum Delivered {}

impl Detail for Placed {
    #[cfg(feature = "aws")]
    type Aws = AwsPlace;
    #[cfg(feature = "gcp")]
    type Gcp = GcpPlace;
    #[cfg(feature = "azure")]
    type Azure = AzurePlace;
}

impl Detail for Named {
    #[cfg(feature = "aws")]
    type Aws = AwsNames;
    #[cfg(feature = "gcp")]
    type Gcp = GcpNames;
    #[cfg(feature = "azure")]
    type Azure = AzureNames;
}

impl Detail for Described {
    #[cfg(feature = "aws")]
    type Aws = AwsDescription;
    #[cfg(feature = "gcp")]
    type Gcp = GcpDescription;
    #[cfg(feature = "azure")]
    type Azure = AzureDescription;
}

impl Detail for Delivered {
    #[cfg(feature = "aws")]
    type Aws = AwsDescription;
    #[cfg(feature = "gcp")]
    type Gcp = GcpDescription;
    #[cfg(feature = "azure")]
    type Azure = AzureDelivery;
}
