//! From what was typed to what is asked for.

use jiff::Timestamp;

use crate::cli::{AwsDescription, AwsNames, AwsPlace, Lifetime, Target};
use crate::error::{Error, Result};
use crate::provider::Wanted;
use crate::providers::{Request, aws};

/// What a cloud's own options say, joined with what every cloud is told.
pub trait Describe: Clone {
    /// The request for `wanted`.
    fn request(&self, wanted: Wanted) -> Request;
}

impl Describe for AwsPlace {
    fn request(&self, wanted: Wanted) -> Request {
        Request::Aws(aws::Request { region: self.region.clone(), ..aws::Request::new(wanted) })
    }
}

impl Describe for AwsNames {
    fn request(&self, wanted: Wanted) -> Request {
        Request::Aws(self.named(wanted))
    }
}

impl Describe for AwsDescription {
    fn request(&self, wanted: Wanted) -> Request {
        Request::Aws(aws::Request { kms_key: self.kms_key.clone(), ..self.names.named(wanted) })
    }
}

impl AwsNames {
    fn named(&self, wanted: Wanted) -> aws::Request {
        let Self { region, bucket, queue, notifications_queue } = self;
        aws::Request {
            region: region.clone(),
            bucket: bucket.clone(),
            queue: queue.clone().unwrap_or_default(),
            notifications_queue: notifications_queue.clone(),
            ..aws::Request::new(wanted)
        }
    }
}

/// What every cloud is told, for a command that needs the server's address.
pub fn served(target: &Target, lifetime: &Lifetime) -> Result<Wanted> {
    if target.host.is_none() {
        return Err(Error::input("the address of the W&B server is missing")
            .hint("add --host https://wandb.acme.com"));
    }
    if let Some(lease) = &lifetime.expires {
        lease.require_ahead(Timestamp::now())?;
    }
    Ok(Wanted { lease: lifetime.expires.clone(), ..named(target)? })
}

/// What every cloud is told, for a command that does with a name.
pub fn named(target: &Target) -> Result<Wanted> {
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
    Ok(Wanted { origin: host.clone(), remarks, ..Wanted::named(name) })
}

/// What every cloud is told by a command that means no deployment in particular.
pub fn anybody() -> Result<Wanted> {
    Ok(Wanted::named("wbstore".parse()?))
}
