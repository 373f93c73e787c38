//! From what was typed to what is asked for.

#[cfg(feature = "aws")]
mod aws;
#[cfg(feature = "azure")]
mod azure;
#[cfg(feature = "gcp")]
mod gcp;

use jiff::Timestamp;

use crate::cli::{Given, Lifetime, Target};
use crate::error::{Error, Kind, Result};
use crate::name::DeploymentName;
use crate::provider::Wanted;

/// What every cloud is told, for a command that needs the server's address.
pub fn served(target: &Target, lifetime: &Lifetime) -> Result<Wanted> {
    if target.host.is_none() {
        return Err(no_host());
    }
    let Lifetime { adopt: _, expires: lease, renew } = lifetime.clone();
    let now = Timestamp::now();
    if let Some(lease) = &lease {
        lease.require_ahead(now)?;
        if renew {
            lease.require_span(Kind::Input)?;
        }
    }
    Ok(Wanted { lease, renew_from: renew.then_some(now), ..identified(target)? })
}

/// The error of a command that needs the server's address and got none.
pub fn no_host() -> Error {
    Error::input("the address of the W&B server is missing").hint("add --host https://wandb.acme.com")
}

/// What every cloud is told, for a command that does with a name.
pub fn named(target: &Target) -> Result<Wanted> {
    let mut target = target.clone();
    // With a name on the command line, a host in the environment may well be that of another deployment.
    if target.name.as_ref().is_some_and(|name| !name.by_environment) {
        target.host = target.host.filter(|host| !host.by_environment);
    }
    identified(&target)
}

fn identified(target: &Target) -> Result<Wanted> {
    let Target { host, name, allow_http } = target;
    let mut remarks = vec![];
    if let Some(Given { value: host, .. }) = host {
        remarks.extend(host.notes().iter().cloned());
        remarks.extend(host.require_secure(*allow_http)?);
    }
    if let Some((name, slug)) = doubtful(target) {
        remarks
            .push(format!("WBSTORE_NAME names the deployment `{name}`; --host alone would name it `{slug}`"));
    }
    let name = match (name, host) {
        (Some(name), _) => name.value.clone(),
        (None, Some(host)) => host.value.slug(),
        (None, None) => {
            return Err(Error::input("which deployment is meant?").hint("add --name, or --host"));
        }
    };
    Ok(Wanted { origin: host.as_ref().map(|host| host.value.clone()), remarks, ..Wanted::named(name) })
}

/// Refuses a target that the command line and the environment name differently.
///
/// # Errors
/// [`Kind::Input`](crate::error::Kind::Input), with both names.
pub fn require_one_name(target: &Target) -> Result<()> {
    match doubtful(target) {
        None => Ok(()),
        Some((name, slug)) => Err(Error::input(format!(
            "--host names the deployment `{slug}`, and WBSTORE_NAME the deployment `{name}`"
        ))
        .hint(format!("add `--name {slug}` or `--name {name}`"))),
    }
}

/// The name from the environment, and that of the host on the command line, where they differ.
fn doubtful(target: &Target) -> Option<(&DeploymentName, DeploymentName)> {
    let name = target.name.as_ref().filter(|name| name.by_environment)?;
    let host = target.host.as_ref().filter(|host| !host.by_environment)?;
    let slug = host.value.slug();
    (name.value != slug).then_some((&name.value, slug))
}

/// What every cloud is told by a command that means no deployment in particular.
pub fn anybody() -> Result<Wanted> {
    Ok(Wanted::named("wbstore".parse()?))
}
