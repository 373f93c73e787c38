//! The options for AWS.

use clap::Args;
use futures::future::BoxFuture;

use crate::error::{Error, Result};
use crate::inventory::Deployment;
use crate::name::DeploymentName;
use crate::option::parsed;
use crate::provider::{CloudOptions, Provider, Wanted};
use crate::providers::aws::bucket_name::BucketName;
use crate::providers::aws::deployment::Aws;
use crate::providers::aws::kms_key::KmsKeyArn;
use crate::providers::aws::queue_name::{QueueChoice, QueueName};
use crate::providers::aws::region::Region;
use crate::verify::{CheckSender, VerifyOptions};

/// All options for AWS.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "AWS options")]
pub(crate) struct AwsOptions {
    #[command(flatten)]
    pub names: AwsNames,
    /// Encrypt new objects with this KMS key
    #[arg(long, value_name = "ARN", value_parser = parsed::<KmsKeyArn>())]
    pub kms_key: Option<KmsKeyArn>,
    /// The role that `verify --as node` assumes.
    #[arg(skip)]
    pub assume_role: Option<String>,
}

/// All options, and whose credentials `verify --as node` uses.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "AWS options")]
pub(crate) struct AwsProof {
    #[command(flatten)]
    options: AwsOptions,
    /// With --as node: assume this role, the server's, instead of using the credentials of this environment
    #[arg(long, value_name = "ARN", requires = "verify_as")]
    assume_role: Option<String>,
}

/// The options that `teardown` accepts.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "AWS options")]
pub(crate) struct AwsNames {
    /// AWS region [default: from the AWS configuration, else us-east-1]
    #[arg(long, value_parser = parsed::<Region>())]
    pub region: Option<Region>,
    #[command(flatten)]
    pub parts: AwsParts,
}

/// The options that name the parts of one deployment.
#[derive(Args, Clone, Debug, Default)]
#[group(id = "parts")]
pub(crate) struct AwsParts {
    /// Name of the bucket [default: derived from deployment, account and region]
    #[arg(long, value_parser = parsed::<BucketName>())]
    pub bucket: Option<BucketName>,
    /// Name of the event queue, or `internal` for the server's own Redis queue, which W&B's
    /// Kubernetes operator always uses [default: wbstore- and the deployment's name]
    #[arg(long, value_parser = parsed::<QueueChoice>())]
    pub queue: Option<QueueChoice>,
    /// Also create a queue for the run events that the server publishes [default name: wbstore-, the
    /// deployment's name, -events]
    #[arg(long, value_name = "NAME", num_args = 0..=1, value_parser = parsed::<QueueName>())]
    pub notifications_queue: Option<Option<QueueName>>,
}

/// The options that `list` accepts.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "AWS options")]
pub(crate) struct AwsPlace {
    /// Region whose queues are listed; buckets are listed in all regions [default: from the AWS
    /// configuration, else us-east-1]
    #[arg(long, value_parser = parsed::<Region>())]
    region: Option<Region>,
}

impl From<AwsPlace> for AwsOptions {
    fn from(AwsPlace { region }: AwsPlace) -> Self {
        AwsNames { region, ..AwsNames::default() }.into()
    }
}

impl From<AwsProof> for AwsOptions {
    fn from(AwsProof { options, assume_role }: AwsProof) -> Self {
        Self { assume_role, ..options }
    }
}

impl From<AwsNames> for AwsOptions {
    fn from(names: AwsNames) -> Self {
        Self { names, ..Self::default() }
    }
}

impl AwsParts {
    /// The queue that receives the bucket's events; none with `--queue internal`.
    pub(crate) fn events_queue(&self, deployment: &DeploymentName) -> Option<QueueName> {
        self.queue.clone().unwrap_or_default().resolve(deployment, QueueName::default_for)
    }

    /// The queue for the run events that the server publishes; none without `--notifications-queue`.
    pub(crate) fn run_events_queue(&self, deployment: &DeploymentName) -> Option<QueueName> {
        let default = || QueueName::notifications_for(deployment);
        self.notifications_queue.as_ref().map(|given| given.clone().unwrap_or_else(default))
    }
}

impl AwsOptions {
    /// Checks what depends on the region, and the names against each other.
    ///
    /// # Errors
    /// [`Kind::Input`](crate::error::Kind::Input), before the first request.
    pub(super) fn check(&self, deployment: &DeploymentName, region: &Region) -> Result<()> {
        if let Some(key) = &self.kms_key {
            key.require_region(region)?;
        }
        let queue = self.names.parts.events_queue(deployment);
        if queue.is_some() && queue == self.names.parts.run_events_queue(deployment) {
            return Err(Error::input("--queue and --notifications-queue name the same queue")
                .hint("use two names: the server would treat its own messages as uploads"));
        }
        Ok(())
    }
}

impl CloudOptions for AwsOptions {
    type Place = AwsPlace;
    type Names = AwsNames;
    type Delivery = Self;
    type Proof = AwsProof;

    fn cloud(&self) -> &'static str {
        "aws"
    }

    fn holdings(&self) -> &'static str {
        "buckets and queues"
    }

    fn names(&self, deployment: &DeploymentName) -> Vec<(&'static str, String)> {
        let AwsNames { region, parts } = &self.names;
        let queue = parts.events_queue(deployment).map(|queue| queue.to_string());
        let mut names = vec![];
        names.extend(region.iter().map(|region| ("--region", region.to_string())));
        names.extend(parts.bucket.iter().map(|bucket| ("--bucket", bucket.to_string())));
        names.push(("--queue", queue.unwrap_or_else(|| "internal".to_owned())));
        let run_events = parts.run_events_queue(deployment);
        names.extend(run_events.map(|queue| ("--notifications-queue", queue.to_string())));
        names
    }

    fn with_parts(&self, deployment: &Deployment) -> Result<Box<dyn CloudOptions>> {
        let parts = AwsParts {
            bucket: deployment.part("bucket")?,
            queue: Some(deployment.part("queue")?.map_or(QueueChoice::Internal, QueueChoice::Named)),
            notifications_queue: deployment.part("notifications-queue")?.map(Some),
        };
        let names = AwsNames { region: Some(deployment.region.parse()?), parts };
        Ok(Box::new(Self { names, ..self.clone() }))
    }

    fn connect(&self, wanted: Wanted) -> BoxFuture<'_, Result<Box<dyn Provider>>> {
        Box::pin(Aws::connect(self.clone(), wanted))
    }

    fn verify_as_node<'a>(
        &'a self,
        _wanted: Wanted,
        _options: &'a VerifyOptions,
        _checks: CheckSender,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async { Err(Error::input("--as node does not work on this cloud yet")) })
    }

    fn offline<'a>(
        &'a self,
        wanted: Wanted,
        account: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Box<dyn Provider>>> {
        Box::pin(Aws::offline(self.clone(), wanted, account))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::found_by;

    #[test]
    fn only_what_the_marks_give_is_torn_down() {
        let names = |options: &AwsOptions, parts: &[(&str, &str)]| found_by(options, "eu-west-1", parts);
        let other: AwsOptions = AwsNames {
            region: Some("us-east-1".parse().unwrap()),
            parts: AwsParts { bucket: Some("other".parse().unwrap()), ..AwsParts::default() },
        }
        .into();
        let all = [("bucket", "b-1"), ("queue", "q-1"), ("notifications-queue", "q-2"), ("queue", "q-3")];
        assert_eq!(
            names(&other, &all),
            ["--region eu-west-1", "--bucket b-1", "--queue q-3", "--notifications-queue q-2"]
        );
        assert_eq!(names(&other, &[("queue", "")]), ["--region eu-west-1", "--queue internal"]);
    }
}
