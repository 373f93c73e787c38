//! What can be said of a deployment on Google Cloud.

use clap::Args;

use super::parsed::parsed;
use crate::providers::gcp::bucket_name::BucketName;
use crate::providers::gcp::kms_key::KmsKeyName;
use crate::providers::gcp::location::Location;
use crate::providers::gcp::project::ProjectId;
use crate::providers::gcp::pubsub_name::{QueueChoice, SubscriptionName, TopicName};
use crate::providers::gcp::service_account::ServiceAccount;
use crate::providers::gcp::soft_delete::SoftDelete;

/// Where it is.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Google Cloud options")]
pub struct GcpPlace {
    /// The id of the project
    #[arg(long, env = "GOOGLE_CLOUD_PROJECT", value_parser = parsed::<ProjectId>())]
    pub project: Option<ProjectId>,
}

/// What its parts are called, and where they are.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Google Cloud options")]
pub struct GcpNames {
    /// The project.
    #[command(flatten)]
    pub place: GcpPlace,
    /// Where the bucket is: a multi-region such as EU, a dual-region such as NAM4, or a region
    /// [default: US]
    #[arg(long, value_parser = parsed::<Location>())]
    pub location: Option<Location>,
    /// The bucket's name [default: from name, project and location]
    #[arg(long, value_parser = parsed::<BucketName>())]
    pub bucket: Option<BucketName>,
    /// `pubsub`, or `internal` for the server's own Redis queue, which W&B's Kubernetes operator
    /// always uses [default: pubsub]
    #[arg(long, value_parser = parsed::<QueueChoice>())]
    pub queue: Option<QueueChoice>,
    /// The topic that the bucket's events go to [default: wbstore- and the deployment's name]
    #[arg(long, value_parser = parsed::<TopicName>())]
    pub topic: Option<TopicName>,
    /// The subscription that the server reads [default: wbstore- and the deployment's name]
    #[arg(long, value_parser = parsed::<SubscriptionName>())]
    pub subscription: Option<SubscriptionName>,
    /// The service account the server runs as; it is given what it needs: the objects, the
    /// subscription, and to sign URLs as itself
    #[arg(long, value_name = "EMAIL", value_parser = parsed::<ServiceAccount>())]
    pub service_account: Option<ServiceAccount>,
}

/// Everything that can be said of it.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Google Cloud options")]
pub struct GcpDescription {
    /// Its names.
    #[command(flatten)]
    pub names: GcpNames,
    /// Tell the server of changed and deleted objects too, as W&B's guide has it, and not of new
    /// ones alone
    #[arg(long)]
    pub all_events: bool,
    /// Encrypt new objects with this Cloud KMS key
    #[arg(long, value_name = "NAME", value_parser = parsed::<KmsKeyName>())]
    pub kms_key: Option<KmsKeyName>,
    /// Keep deleted objects for 7d to 90d, or 0 for not at all [default: 7d; a bucket that is there
    /// keeps its own]
    #[arg(long, value_name = "TIME", value_parser = parsed::<SoftDelete>())]
    pub soft_delete: Option<SoftDelete>,
}
