//! What a cloud implements besides its resources: its options, the checks of `verify`, the list of
//! deployments, and the permissions.

use std::fmt::Debug;
use std::str::FromStr;

use clap::{Args, ValueEnum};
use futures::future::BoxFuture;
use jiff::Timestamp;

use crate::error::{Error, Kind, Result};
use crate::inventory::{Deployment, Inventory};
use crate::lease::Lease;
use crate::name::DeploymentName;
use crate::origin::Origin;
use crate::plan::Goal;
use crate::policy::{Audience, Policy};
use crate::resource::{Guard, Stack};
use crate::secret::{Disclosure, Withheld};
use crate::verify::{CheckSender, VerifyOptions};

/// A cloud's own options, which its provider is built from: a clap struct beside the cloud, in
/// `options.rs`. A command that accepts a part of them has that part's struct on its command line.
pub(crate) trait CloudOptions: Debug + Send + Sync {
    /// Where to look, for `list`.
    type Place: Args + Debug + Into<Self>
    where
        Self: Sized;
    /// Where a deployment is and what its parts are called, for `teardown`. What names a part of one
    /// deployment is in the group `parts`, which `--expired` excludes.
    type Names: Args + Debug + Into<Self>
    where
        Self: Sized;
    /// All, and who may have the secret among the outputs, for `provision`.
    type Delivery: Args + Debug + Into<Self>
    where
        Self: Sized;

    /// All, and whose credentials `verify --as node` uses.
    type Proof: Args + Debug + Into<Self>
    where
        Self: Sized;

    /// The cloud, as the command line calls it.
    fn cloud(&self) -> &'static str;

    /// The resources that have marks there, in words for people.
    fn holdings(&self) -> &'static str;

    /// The options, with their values, by which `teardown` finds all of `deployment` again. Values are
    /// checked, and quoted for a shell where they may contain spaces.
    fn names(&self, deployment: &DeploymentName) -> Vec<(&'static str, String)>;

    /// The options with the names that the marks of `deployment` give, and no others, so that nothing of it
    /// is left behind.
    ///
    /// # Errors
    /// When a mark contains an invalid name, which wbstore never wrote.
    fn with_parts(&self, deployment: &Deployment) -> Result<Box<dyn CloudOptions>>;

    /// What happens to the secret among the outputs.
    fn disclosure(&self) -> Disclosure {
        Disclosure::Withheld
    }

    /// Finds the credentials and settles what depends on them.
    ///
    /// # Errors
    /// When there are none, or the options do not fit them or each other.
    fn connect(&self, wanted: Wanted) -> BoxFuture<'_, Result<Box<dyn Provider>>>;

    /// Sends the calls of the W&B server with the server's credentials, and neither reads nor requires anything
    /// else. Each check is sent when it is complete.
    ///
    /// # Errors
    /// When there are no such credentials, or the options do not fit them.
    fn verify_as_node<'a>(
        &'a self,
        wanted: Wanted,
        options: &'a VerifyOptions,
        checks: CheckSender,
    ) -> BoxFuture<'a, Result<()>>;

    /// The deployment as it would be in `account`; no request is sent.
    ///
    /// # Errors
    /// When the cloud requires an `account` and there is none, when it is not one of the cloud's, or when
    /// the options contradict each other.
    fn offline<'a>(
        &'a self,
        wanted: Wanted,
        account: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Box<dyn Provider>>>;
}

/// Reads `--account-id`.
///
/// # Errors
/// [`Kind::Input`] for a value that is no account.
pub(crate) fn account_id<T: FromStr<Err = Error>>(text: &str) -> Result<T> {
    text.parse().map_err(|error: Error| error.context("--account-id"))
}

/// Reads `--account-id` where the cloud requires one; `command` prints it.
///
/// # Errors
/// [`Kind::Input`] when it is missing or no account.
pub(crate) fn required_account_id<T: FromStr<Err = Error>>(text: Option<&str>, command: &str) -> Result<T> {
    let missing = || Error::input("--offline requires --account-id").hint(format!("`{command}` prints it"));
    account_id(text.ok_or_else(missing)?)
}

/// Refuses an option that has no effect with `--queue internal`.
///
/// # Errors
/// [`Kind::Input`], with its name.
pub(crate) fn require_queue(options: &[(&str, bool)]) -> Result<()> {
    match options.iter().find(|(_, is_given)| *is_given) {
        Some((option, _)) => {
            Err(Error::input(format!("{option} has no effect with --queue internal, which creates no queue"))
                .hint("omit one of the two"))
        }
        None => Ok(()),
    }
}

/// The note for reviewers about the queue, which is a `kind` of the cloud's, or the server's own where
/// there is none.
pub(crate) fn queue_note(kind: Option<&str>) -> String {
    match kind {
        Some(kind) => format!(
            "W&B's Kubernetes operator reads uploads from its own Redis queue (internal://); {kind} is for servers \
             that are configured with BUCKET_QUEUE. `--queue internal` creates none"
        ),
        None => "BUCKET_QUEUE=internal:// is the server's own Redis queue; no events are set up".to_owned(),
    }
}

/// The options, as they are typed, by which `teardown` finds a deployment in `region` again whose marks name
/// these `parts`, each a kind and a name.
#[cfg(test)]
pub(crate) fn found_by(options: &dyn CloudOptions, region: &str, parts: &[(&str, &str)]) -> Vec<String> {
    let deployment = Deployment {
        name: "acme".to_owned(),
        region: region.to_owned(),
        created: None,
        expires: None,
        parts: parts.iter().map(|(kind, name)| crate::inventory::Part::new(kind, *name)).collect(),
        refers_to: vec![],
        missing: vec![],
    };
    let names = options.with_parts(&deployment).unwrap().names(&"acme".parse().unwrap());
    names.iter().map(|(option, value)| format!("{option} {value}")).collect()
}

/// A cloud with its credentials checked and one deployment named.
pub(crate) trait Provider: Send + Sync {
    /// The deployment, described for `goal`.
    ///
    /// # Errors
    /// When the description contradicts itself, before any request.
    fn stack(&self, goal: Goal) -> Result<Stack>;

    /// What must hold before the first request to the account, for a command without a deployment.
    ///
    /// # Errors
    /// As [`Provider::stack`].
    fn guards(&self) -> Result<Vec<Guard>> {
        Ok(self.stack(Goal::Absent)?.guards)
    }

    /// Checks that an upload works and produces an event. Each check is sent when it is complete.
    fn verify<'a>(&'a self, options: &'a VerifyOptions, checks: CheckSender) -> BoxFuture<'a, Result<()>>;

    /// All deployments of the account that have a wbstore mark.
    fn list(&self) -> BoxFuture<'_, Result<Inventory>>;

    /// The permissions that `audience` needs: for this deployment, or for all of them
    /// ([`Audience::ExpiryJob`]).
    ///
    /// # Errors
    /// When the description contradicts itself.
    fn policy(&self, audience: Audience) -> Result<Policy>;

    /// The line of the server configuration whose value is a secret, if there is one. It is not among
    /// the stack's outputs, and is fetched only when the user asks for it.
    fn withheld(&self) -> Option<Withheld<'_>> {
        None
    }
}

/// The deployment that the common options describe; the rest is the [`CloudOptions`].
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub name: DeploymentName,
    /// The address of the W&B server; teardown and list do without.
    pub origin: Option<Origin>,
    /// How long it is wanted.
    pub lease: Option<Lease>,
    /// With `--renew`: the time from which the lease is counted once more. Without a `lease` it is the one in
    /// the mark of the deployment.
    pub renew_from: Option<Timestamp>,
    /// Whether teardown may delete it only after its lease has ended.
    pub only_expired: bool,
    /// Whether teardown may delete objects.
    pub delete_objects: bool,
    /// How the bucket is emptied then.
    pub empty_by: EmptyBy,
    /// Notes for the reviewer on the request itself, one sentence each.
    pub remarks: Vec<String>,
}

impl Wanted {
    /// A deployment of which only the name is given.
    pub(crate) fn named(name: DeploymentName) -> Self {
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

    /// The address of the W&B server, which `verify` sends as a browser would.
    ///
    /// # Errors
    /// [`Kind::Input`] when it is missing.
    pub(crate) fn origin(&self) -> Result<Origin> {
        self.origin.clone().ok_or_else(|| {
            Error::input("verify requires the server's address").hint("add `--host https://wandb.acme.com`")
        })
    }

    /// Whether the lease to renew has to be read from the mark of the deployment.
    pub(crate) fn renews_unnamed(&self) -> bool {
        self.renew_from.is_some() && self.lease.is_none()
    }

    /// Takes the lease that was `found` in the mark of the deployment as the one to renew.
    ///
    /// # Errors
    /// [`Kind::Refused`] where there is none, or one that cannot be renewed.
    pub(crate) fn renew(&mut self, found: Option<Lease>) -> Result<()> {
        let lease = found.ok_or_else(|| {
            Error::refused(format!("the deployment `{}` has no lease to renew", self.name))
                .hint("add `--expires` with a time span, such as `--expires 7d`")
        })?;
        lease.require_span(Kind::Refused)?;
        self.lease = Some(lease);
        Ok(())
    }
}

/// How a bucket is emptied before it is deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum EmptyBy {
    /// wbstore deletes the objects now
    #[default]
    Calls,
    /// The cloud deletes them by lifecycle rules, over the next two days
    Lifecycle,
}
