//! From what was typed to what is asked for.

use jiff::Timestamp;

use crate::cli::{AwsDescription, AwsNames, Lifetime, Target};
use crate::error::{Error, Result};
use crate::name::DeploymentName;
use crate::providers::Request;
use crate::providers::aws;
use crate::providers::aws::objects::EmptyBy;
use crate::providers::aws::queue_name::QueueName;
use crate::providers::aws::region::Region;

/// What is asked for by a command that needs the server's address.
pub fn describe(target: &Target, description: &AwsDescription, lifetime: &Lifetime) -> Result<Request> {
    if target.host.is_none() {
        return Err(Error::input("the address of the W&B server is missing")
            .hint("add --host https://wandb.acme.com"));
    }
    if let Some(lease) = &lifetime.expires {
        lease.require_ahead(Timestamp::now())?;
    }
    let AwsDescription { names, kms_key } = description;
    let request = named(target, names)?;
    Ok(Request::Aws(aws::Request { kms_key: kms_key.clone(), lease: lifetime.expires.clone(), ..request }))
}

/// What is asked for by its names alone.
pub fn named(target: &Target, names: &AwsNames) -> Result<aws::Request> {
    let Target { host, name, allow_http } = target;
    let mut remarks = vec![];
    if let Some(host) = host {
        remarks.extend(host.notes().iter().cloned());
        remarks.extend(host.require_secure(*allow_http)?);
    }
    let name = match (name, host) {
        (Some(name), _) => name.clone(),
        (None, Some(host)) => host.slug(),
        (None, None) => {
            return Err(Error::input("which deployment is meant?").hint("add --name, or --host"));
        }
    };
    let AwsNames { region, bucket, queue, notifications_queue } = names;
    let notifications_queue = notifications_queue
        .as_ref()
        .map(|given| given.clone().unwrap_or_else(|| QueueName::notifications_for(&name)));
    Ok(aws::Request {
        origin: host.clone(),
        region: region.clone(),
        bucket: bucket.clone(),
        queue: queue.clone().unwrap_or_default(),
        notifications_queue,
        remarks,
        ..anonymous(name, None)
    })
}

/// A request that says no more than a name and a region.
pub fn anonymous(name: DeploymentName, region: Option<Region>) -> aws::Request {
    aws::Request {
        name,
        origin: None,
        region,
        bucket: None,
        queue: Default::default(),
        notifications_queue: None,
        kms_key: None,
        lease: None,
        delete_objects: false,
        empty_by: EmptyBy::Calls,
        remarks: vec![],
    }
}
