//! What a cloud offers besides its resources: the proof that it works, the deployments it holds,
//! and the permissions it takes.

use clap::ValueEnum;
use futures::future::BoxFuture;
use jiff::Timestamp;
use tokio::sync::mpsc::UnboundedSender;

use crate::error::{Error, Kind, Result};
use crate::inventory::Inventory;
use crate::lease::Lease;
use crate::name::DeploymentName;
use crate::origin::Origin;
use crate::plan::Goal;
use crate::policy::{Audience, Policy};
use crate::resource::{Guard, Stack};
use crate::secret::Withheld;
use crate::verify::{Checking, VerifyOptions};

/// A cloud with its credentials checked and one deployment named.
pub trait Provider: Send + Sync {
    /// The deployment, described for `goal`.
    ///
    /// # Errors
    /// When the description contradicts itself, before any request.
    fn stack(&self, goal: Goal) -> Result<Stack>;

    /// What must hold before anything is asked of the account, for a command that means no deployment.
    ///
    /// # Errors
    /// As [`Provider::stack`].
    fn guards(&self) -> Result<Vec<Guard>> {
        Ok(self.stack(Goal::Absent)?.guards)
    }

    /// Proves that an upload works and produces an event. Each check is sent as it is known.
    fn verify<'a>(
        &'a self,
        options: &'a VerifyOptions,
        checks: UnboundedSender<Checking>,
    ) -> BoxFuture<'a, Result<()>>;

    /// All deployments of the account that carry a wbstore mark.
    fn list(&self) -> BoxFuture<'_, Result<Inventory>>;

    /// The permissions that `audience` needs: for this deployment, or for all of them
    /// ([`Audience::ExpiryJob`]).
    ///
    /// # Errors
    /// When the description contradicts itself.
    fn policy(&self, audience: Audience) -> Result<Policy>;

    /// The line of what the server needs whose value is a secret, where there is one. It is not among
    /// the stack's outputs, and is fetched only when the user asks for it.
    fn withheld(&self) -> Option<Withheld<'_>> {
        None
    }
}

/// What every cloud is told of a deployment; the rest is the cloud's own.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Its name.
    pub name: DeploymentName,
    /// The address of the W&B server; teardown and list do without.
    pub origin: Option<Origin>,
    /// How long it is wanted.
    pub lease: Option<Lease>,
    /// With `--renew`: the time from which the lease is counted once more. Without a `lease` it is the one in
    /// the mark of the deployment.
    pub renew_from: Option<Timestamp>,
    /// Whether teardown may remove it only after its lease has ended.
    pub only_expired: bool,
    /// Whether teardown may delete objects.
    pub delete_objects: bool,
    /// Who empties the bucket then.
    pub empty_by: EmptyBy,
    /// What a reviewer should know of the request itself, one sentence each.
    pub remarks: Vec<String>,
}

impl Wanted {
    /// A deployment of which no more than the name is said.
    pub fn named(name: DeploymentName) -> Self {
        Self {
            name,
            origin: None,
            lease: None,
            renew_from: None,
            only_expired: false,
            delete_objects: false,
            empty_by: EmptyBy::default(),
            remarks: vec![],
        }
    }

    /// Whether the lease to renew has to be read from the mark of the deployment.
    pub fn renews_unnamed(&self) -> bool {
        self.renew_from.is_some() && self.lease.is_none()
    }

    /// Takes the lease that was `found` in the mark of the deployment as the one to renew.
    ///
    /// # Errors
    /// [`Kind::Refused`] where there is none, or one that cannot be renewed.
    pub fn renew(&mut self, found: Option<Lease>) -> Result<()> {
        let lease = found.ok_or_else(|| {
            Error::refused(format!("the deployment `{}` has no lease to renew", self.name))
                .hint("add --expires with a time span, such as `--expires 7d`")
        })?;
        lease.require_span(Kind::Refused)?;
        self.lease = Some(lease);
        Ok(())
    }
}

/// Who empties a bucket before it is deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum EmptyBy {
    /// wbstore, with calls, now
    #[default]
    Calls,
    /// The cloud, with lifecycle rules, over the next two days
    Lifecycle,
}
