//! What can be said of a deployment on Azure.

use std::path::PathBuf;

use clap::Args;

use super::parsed::parsed;
use crate::endpoint::Endpoint;
use crate::providers::azure::account_name::AccountName;
use crate::providers::azure::container_name::ContainerName;
use crate::providers::azure::location::Location;
use crate::providers::azure::message_ttl::MessageTtl;
use crate::providers::azure::queue_name::QueueChoice;
use crate::providers::azure::resource_group::ResourceGroup;
use crate::providers::azure::subscription_id::SubscriptionId;

/// Where it is.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Azure options")]
pub struct AzurePlace {
    /// The id of the subscription
    #[arg(long, env = "AZURE_SUBSCRIPTION_ID", value_name = "ID", value_parser = parsed::<SubscriptionId>())]
    pub subscription: Option<SubscriptionId>,
    /// The resource group of the storage account
    #[arg(long, value_name = "NAME", value_parser = parsed::<ResourceGroup>())]
    pub resource_group: Option<ResourceGroup>,
    /// What answers in place of Azure Resource Manager: https, or http on this machine
    #[arg(long, value_name = "URL", value_parser = parsed::<Endpoint>())]
    pub arm_endpoint: Option<Endpoint>,
}

/// What its parts are called, and where they are.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Azure options")]
pub struct AzureNames {
    /// Subscription and resource group.
    #[command(flatten)]
    pub place: AzurePlace,
    /// The storage account, which is used if it is there and made if not [default: from name,
    /// subscription and resource group]
    #[arg(long, value_parser = parsed::<AccountName>())]
    pub account: Option<AccountName>,
    /// The container's name [default: wbstore- and the deployment's name]
    #[arg(long, value_parser = parsed::<ContainerName>())]
    pub container: Option<ContainerName>,
    /// The event queue's name, or `internal` for the server's own Redis queue, which W&B's
    /// Kubernetes operator always uses [default: wbstore- and the deployment's name]
    #[arg(long, value_parser = parsed::<QueueChoice>())]
    pub queue: Option<QueueChoice>,
    /// Keep events that cannot be delivered in a container of their own
    #[arg(long)]
    pub dead_letter: bool,
    /// What answers in place of the account's blob service, such as http://127.0.0.1:10000/ACCOUNT
    #[arg(long, value_name = "URL", value_parser = parsed::<Endpoint>())]
    pub blob_endpoint: Option<Endpoint>,
    /// What answers in place of the account's queue service, such as http://127.0.0.1:10001/ACCOUNT
    #[arg(long, value_name = "URL", value_parser = parsed::<Endpoint>())]
    pub queue_endpoint: Option<Endpoint>,
}

/// Everything that can be said of it.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Azure options")]
pub struct AzureDescription {
    /// Its names.
    #[command(flatten)]
    pub names: AzureNames,
    /// Where an account is made [default: the resource group's location]
    #[arg(long, value_parser = parsed::<Location>())]
    pub location: Option<Location>,
    /// How long an event waits in the queue: 90m, 12h, 7d, or never [default: 7d]
    #[arg(long, value_name = "TIME", value_parser = parsed::<MessageTtl>())]
    pub message_ttl: Option<MessageTtl>,
    /// Register Microsoft.Storage and Microsoft.EventGrid with the subscription where they are not
    #[arg(long)]
    pub register_provider: bool,
}

/// Everything that can be said of it, and what is to become of the account's key.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Azure options")]
pub struct AzureDelivery {
    /// Everything that can be said of it.
    #[command(flatten)]
    pub description: AzureDescription,
    /// Show AZURE_STORAGE_KEY, the account's key, with the rest [default: a comment that says how to
    /// fetch it]
    #[arg(long, conflicts_with = "secret_file")]
    pub reveal: bool,
    /// Write the key, and nothing else, to this new file that only you can read
    #[arg(long, value_name = "PATH")]
    pub secret_file: Option<PathBuf>,
}
