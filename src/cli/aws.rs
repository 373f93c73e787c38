//! What can be said of a deployment on AWS.

use clap::Args;

use super::parsed::parsed;
use crate::providers::aws::bucket_name::BucketName;
use crate::providers::aws::kms_key::KmsKeyArn;
use crate::providers::aws::queue_name::{QueueChoice, QueueName};
use crate::providers::aws::region::Region;

/// What its parts are called, and where they are.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "AWS options")]
pub struct AwsNames {
    /// The region [default: the AWS configuration's, else us-east-1]
    #[arg(long, value_parser = parsed::<Region>())]
    pub region: Option<Region>,
    /// The bucket's name [default: from name, account and region]
    #[arg(long, value_parser = parsed::<BucketName>())]
    pub bucket: Option<BucketName>,
    /// The event queue's name, or `internal` for the server's own Redis queue, which W&B's
    /// Kubernetes operator always uses [default: wbstore- and the deployment's name]
    #[arg(long, value_parser = parsed::<QueueChoice>())]
    pub queue: Option<QueueChoice>,
    /// Also the queue on which the server publishes run events [default name: wbstore-, the
    /// deployment's name, -events]
    #[arg(long, value_name = "NAME", num_args = 0..=1, value_parser = parsed::<QueueName>())]
    pub notifications_queue: Option<Option<QueueName>>,
}

/// Where it is.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "AWS options")]
pub struct AwsPlace {
    /// The region whose queues are looked at; buckets are looked at in all
    /// [default: the AWS configuration's, else us-east-1]
    #[arg(long, value_parser = parsed::<Region>())]
    pub region: Option<Region>,
}

/// Everything that can be said of it.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "AWS options")]
pub struct AwsDescription {
    /// Its names.
    #[command(flatten)]
    pub names: AwsNames,
    /// Encrypt new objects with this KMS key
    #[arg(long, value_name = "ARN", value_parser = parsed::<KmsKeyArn>())]
    pub kms_key: Option<KmsKeyArn>,
}
