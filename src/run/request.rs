//! From what was typed to what is asked for.

#[cfg(feature = "aws")]
mod aws;
#[cfg(feature = "azure")]
mod azure;
#[cfg(feature = "gcp")]
mod gcp;

use jiff::Timestamp;

use crate::cli::{Lifetime, Target};
use crate::error::{Error, Result};
use crate::provider::Wanted;

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
