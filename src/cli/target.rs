//! Which deployment a command is for: options that several commands have, and what they come to.

use clap::Args;
use jiff::Timestamp;

use crate::error::{Error, Kind, Result};
use crate::lease::Lease;
use crate::name::DeploymentName;
use crate::option::{Given, given, parsed};
use crate::origin::Origin;
use crate::plan::Goal;
use crate::provider::Wanted;

#[derive(Args, Clone, Debug)]
pub(crate) struct Target {
    /// URL of the W&B server as browsers see it, such as `https://wandb.acme.com`
    #[arg(long, env = "WBSTORE_HOST", value_name = "URL", value_parser = given::<Origin>())]
    host: Option<Given<Origin>>,
    /// Name of the deployment; its resources are named and marked with it [default: derived from --host]
    #[arg(long, env = "WBSTORE_NAME", value_parser = given::<DeploymentName>())]
    name: Option<Given<DeploymentName>>,
    /// Allow an `http://` --host that is not this machine
    #[arg(long)]
    allow_http: bool,
}

/// How a deployment comes about and ends.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Lifetime {
    /// Adopt existing resources that have no wbstore mark
    #[arg(long)]
    adopt: bool,
    /// When `teardown --expired` deletes the deployment: 90m, 12h, 7d, 2w, a date, or never. A time span
    /// starts when it is first set; repeating it changes nothing
    #[arg(long, value_name = "WHEN", value_parser = parsed::<Lease>())]
    expires: Option<Lease>,
    /// Restart the lease from now, with the time span of --expires or else of the deployment
    #[arg(long)]
    renew: bool,
}

impl Lifetime {
    pub(crate) fn goal(&self) -> Goal {
        Goal::Present { adopt: self.adopt }
    }
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Offline {
    /// Send no requests, and use the account of --account-id
    #[arg(long)]
    pub(crate) offline: bool,
    /// AWS account id, GCP project number or Azure subscription id for --offline [default on Azure:
    /// --subscription]
    #[arg(long, value_name = "ID", requires = "offline")]
    pub(crate) account_id: Option<String>,
}

impl Target {
    /// The deployment, for a command that needs the server's address.
    pub(crate) fn served(&self, lifetime: &Lifetime) -> Result<Wanted> {
        if self.host.is_none() {
            return Err(Error::input("the address of the W&B server is missing")
                .hint("add `--host https://wandb.acme.com`"));
        }
        let Lifetime { adopt: _, expires: lease, renew } = lifetime.clone();
        let now = Timestamp::now();
        if let Some(lease) = &lease {
            lease.require_ahead(now)?;
            if renew {
                lease.require_span(Kind::Input)?;
            }
        }
        Ok(Wanted { lease, renew_from: renew.then_some(now), ..self.named()? })
    }

    /// The deployment, for a command that needs no more than its name.
    pub(crate) fn named(&self) -> Result<Wanted> {
        let Self { host, name, allow_http } = self;
        let mut remarks = vec![];
        if let Some(Given { value: host, .. }) = host {
            remarks.extend(host.notes().iter().cloned());
            remarks.extend(host.require_secure(*allow_http)?);
        }
        if let Some((name, slug)) = self.two_names() {
            remarks.push(format!(
                "WBSTORE_NAME names the deployment `{name}`; --host alone would name it `{slug}`"
            ));
        }
        let name = match (name, host) {
            (Some(name), _) => name.value.clone(),
            (None, Some(host)) => host.value.slug(),
            (None, None) => {
                return Err(
                    Error::input("the name of the deployment is missing").hint("add `--name` or `--host`")
                );
            }
        };
        Ok(Wanted { origin: host.as_ref().map(|host| host.value.clone()), remarks, ..Wanted::named(name) })
    }

    /// Uses `host` where none is given.
    ///
    /// # Errors
    /// [`Kind::Input`] when it is not an address of a server.
    pub(crate) fn host_or(&mut self, host: &str) -> Result<()> {
        if self.host.is_none() {
            self.host = Some(Given { value: host.parse()?, by_environment: true });
        }
        Ok(())
    }

    /// Refuses a target that the command line and the environment name differently.
    ///
    /// # Errors
    /// [`Kind::Input`], with both names.
    pub(crate) fn require_one_name(&self) -> Result<()> {
        match self.two_names() {
            None => Ok(()),
            Some((name, slug)) => Err(Error::input(format!(
                "--host names the deployment `{slug}`, and WBSTORE_NAME the deployment `{name}`"
            ))
            .hint(format!("add `--name {slug}` or `--name {name}`"))),
        }
    }

    /// The name from the environment, and that of the host on the command line, where they differ.
    fn two_names(&self) -> Option<(&DeploymentName, DeploymentName)> {
        let name = self.name.as_ref().filter(|name| name.by_environment)?;
        let host = self.host.as_ref().filter(|host| !host.by_environment)?;
        let slug = host.value.slug();
        (name.value != slug).then_some((&name.value, slug))
    }
}
