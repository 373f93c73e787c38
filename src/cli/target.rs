//! Which deployment a command is for: options that several commands have, and what they come to.

use clap::{Args, ValueHint};
use jiff::Timestamp;

use super::completion::{deployments, teams};
use crate::console::OutPath;
use crate::error::{Error, Kind, Result};
use crate::lease::Lease;
use crate::name::{DeploymentName, StorageName, TeamName};
use crate::option::{Given, given, offers, parsed};
use crate::origin::Origin;
use crate::origins::Origins;
use crate::plan::Goal;
use crate::provider::Wanted;
use crate::tag::Tag;

#[derive(Args, Clone, Debug)]
pub(crate) struct Target {
    /// URL of the W&B server as browsers see it, such as `https://wandb.acme.com`; repeat it for a server with several,
    /// of which the first is HOST
    #[arg(long, env = "WBSTORE_HOST", value_name = "URL", value_parser = given::<Origin>())]
    host: Vec<Given<Origin>>,
    /// Name of the deployment; its resources are named and marked with it [default: derived from the first --host]
    #[arg(long, env = "WBSTORE_NAME", value_parser = given::<DeploymentName>(), add = deployments())]
    name: Option<Given<DeploymentName>>,
    /// Name of a team of the deployment: the command is for the team's own bucket
    #[arg(long, env = "WBSTORE_TEAM", value_parser = parsed::<TeamName>(), add = teams())]
    team: Option<TeamName>,
    /// Allow an `http://` --host or --endpoint that is not this machine
    #[arg(long)]
    allow_http: bool,
}

/// How a deployment comes about and ends.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Lifetime {
    /// Adopt existing resources that have no wbstore mark
    #[arg(long)]
    adopt: bool,
    /// Tag for what is created, such as `team=ml`: a tag on AWS, S3 and Azure, a label on Google Cloud; repeatable
    #[arg(long, env = "WBSTORE_TAG", value_name = "KEY=VALUE", value_parser = parsed::<Tag>())]
    tag: Vec<Tag>,
    /// When `teardown --expired` deletes the deployment: 90m, 12h, 7d, 2w, a date, or never. A time span
    /// starts when it is first set; repeating it changes nothing
    #[arg(long, value_name = "WHEN", value_parser = parsed::<Lease>(), add = offers("12h 7d 30d never"))]
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

/// Where the result goes.
#[derive(Args, Clone, Debug)]
pub(crate) struct Out {
    /// Write the result to FILE instead of stdout, complete or not at all; only you can read it if it has a secret in
    /// it. `-` is stdout
    #[arg(long = "out", value_name = "FILE", value_parser = parsed::<OutPath>(), value_hint = ValueHint::FilePath)]
    pub(crate) path: Option<OutPath>,
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
        if self.origins().is_none() {
            return Err(Error::input("the address of the W&B server is missing")
                .hint("add `--host https://wandb.acme.com`"));
        }
        let Lifetime { adopt: _, tag: tags, expires: lease, renew } = lifetime.clone();
        let now = Timestamp::now();
        if let Some(lease) = &lease {
            lease.require_ahead(now)?;
            if renew {
                lease.require_span(Kind::Input)?;
            }
        }
        Ok(Wanted { tags, lease, renew_from: renew.then_some(now), ..self.named()? })
    }

    /// The deployment, for a command that needs no more than its name.
    pub(crate) fn named(&self) -> Result<Wanted> {
        let Self { host: _, name, team, allow_http } = self;
        let origins = self.origins();
        let mut remarks = vec![];
        for origin in origins.iter().flat_map(Origins::iter) {
            remarks.extend(origin.notes().iter().cloned());
            remarks.extend(origin.require_secure(*allow_http)?);
        }
        if let Some((name, slug)) = self.two_names() {
            remarks.push(format!(
                "WBSTORE_NAME names the deployment `{name}`; --host alone would name it `{slug}`"
            ));
        }
        let deployment = match (name, &origins) {
            (Some(name), _) => name.value.clone(),
            (None, Some(origins)) => origins.first().slug(),
            (None, None) => {
                return Err(
                    Error::input("the name of the deployment is missing").hint("add `--name` or `--host`")
                );
            }
        };
        let name = StorageName { deployment, team: team.clone() };
        Ok(Wanted { origins, allows_http: *allow_http, remarks, ..Wanted::named(name) })
    }

    /// Whether a deployment is named.
    pub(crate) fn is_named(&self) -> bool {
        !self.host.is_empty() || self.name.is_some()
    }

    /// The deployment, or the one called `other` where none is named.
    pub(crate) fn named_or(&self, other: DeploymentName) -> Result<Wanted> {
        if self.is_named() {
            return self.named();
        }
        Self { name: Some(Given { value: other, by_environment: false }), ..self.clone() }.named()
    }

    /// The name that is given.
    pub(crate) fn name(&self) -> Option<&DeploymentName> {
        self.name.as_ref().map(|name| &name.value)
    }

    /// Uses `host` where none is given.
    ///
    /// # Errors
    /// [`Kind::Input`] when it is not an address of a server.
    pub(crate) fn host_or(&mut self, host: &str) -> Result<()> {
        if self.origins().is_none() {
            self.host = vec![Given { value: host.parse()?, by_environment: true }];
        }
        Ok(())
    }

    fn origins(&self) -> Option<Origins> {
        Origins::of(self.host.iter().map(|host| host.value.clone()))
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
        let is_typed = self.host.iter().any(|host| !host.by_environment);
        let slug = self.origins().filter(|_| is_typed)?.first().slug();
        (name.value != slug).then_some((&name.value, slug))
    }
}
