//! The cloud that a command is for: after the command, before its options.

use std::fmt::Debug;

use clap::{Args, Subcommand};

#[cfg(feature = "aws")]
use super::aws::{AwsDescription, AwsNames, AwsPlace};
use crate::provider::Wanted;
use crate::providers::Request;
use crate::secret::Disclosure;

/// The cloud, with what the command `C` takes and what can be said of a deployment there.
#[derive(Subcommand, Debug)]
pub enum Cloud<C: Args, D: Detail> {
    /// Amazon S3 and SQS
    #[cfg(feature = "aws")]
    Aws(On<C, D::Aws>),
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
    /// The command by itself, and what the options of the cloud say, whichever it is.
    pub fn split(self) -> (C, Box<dyn Describe>) {
        match self {
            #[cfg(feature = "aws")]
            Self::Aws(On { command, described }) => (command, Box::new(described)),
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
}

impl Detail for Named {
    #[cfg(feature = "aws")]
    type Aws = AwsNames;
}

impl Detail for Described {
    #[cfg(feature = "aws")]
    type Aws = AwsDescription;
}

impl Detail for Delivered {
    #[cfg(feature = "aws")]
    type Aws = AwsDescription;
}
