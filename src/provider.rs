//! What a cloud offers besides its resources: its options, the proof that it works, the deployments it
//! holds, and the permissions it requires.

use std::fmt::Debug;
use std::str::FromStr;

use clap::{Args, ValueEnum};
use futures::future::BoxFuture;
use jiff::Timestamp;
use serde::{Serialize, Serializer};
use tokio::sync::mpsc::UnboundedSender;

use crate::error::{Error, Kind, Result};
use crate::lease::Lease;
use crate::name::DeploymentName;
use crate::origin::Origin;
use crate::plan::Goal;
use crate::resource::{Guard, Stack};
use crate::secret::{Disclosure, Withheld};
use crate::verify::{Checking, VerifyOptions};

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
    /// All, and who may have the secret among the outputs, for `provision` and `config`.
    type Delivery: Args + Debug + Into<Self>
    where
        Self: Sized;

    /// The cloud, as the command line calls it.
    fn cloud(&self) -> &'static str;

    /// What carries the marks there, in words for people.
    fn holdings(&self) -> &'static str;

    /// The options, with their values, by which `teardown` finds all of `deployment` again. Values are
    /// checked, and quoted for a shell where they may contain spaces.
    fn names(&self, deployment: &DeploymentName) -> Vec<(&'static str, String)>;

    /// The options with the names that the marks of `deployment` give, and no others, so that nothing of it
    /// is left behind.
    ///
    /// # Errors
    /// When a mark holds a name that cannot be, which we never wrote.
    fn with_parts(&self, deployment: &Deployment) -> Result<Box<dyn CloudOptions>>;

    /// What is to become of the secret among the outputs.
    fn disclosure(&self) -> Disclosure {
        Disclosure::Withheld
    }

    /// Finds the credentials and settles what depends on them.
    ///
    /// # Errors
    /// When there are none, or the options do not fit them or each other.
    fn connect(&self, wanted: Wanted) -> BoxFuture<'_, Result<Box<dyn Provider>>>;

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
#[cfg(any(feature = "aws", feature = "gcp"))]
pub(crate) fn required_account_id<T: FromStr<Err = Error>>(text: Option<&str>, command: &str) -> Result<T> {
    let missing = || Error::input("--offline requires --account-id").hint(format!("`{command}` prints it"));
    account_id(text.ok_or_else(missing)?)
}

/// Refuses an option that `--queue internal` leaves without meaning, where it is given.
///
/// # Errors
/// [`Kind::Input`], with its name.
#[cfg(any(feature = "azure", feature = "gcp"))]
pub(crate) fn require_queue(options: &[(&str, bool)]) -> Result<()> {
    match options.iter().find(|(_, is_given)| *is_given) {
        Some((option, _)) => {
            Err(Error::input(format!("{option} has no meaning with --queue internal, which makes no queue"))
                .hint("leave one of the two out"))
        }
        None => Ok(()),
    }
}

/// What a reviewer should know of the queue, which is a `kind` of the cloud's, or the server's own where
/// there is none.
pub(crate) fn queue_note(kind: Option<&str>) -> String {
    match kind {
        Some(kind) => format!(
            "W&B's Kubernetes operator reads uploads from its own Redis queue (internal://); {kind} is for servers \
             that are given BUCKET_QUEUE themselves. `--queue internal` makes none"
        ),
        None => "BUCKET_QUEUE=internal:// is the server's own Redis queue; no events are set up".to_owned(),
    }
}

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

/// What the options that all clouds have come to; the rest is the [`CloudOptions`].
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

    /// The address of the W&B server, which `verify` sends as a browser would.
    ///
    /// # Errors
    /// [`Kind::Input`] when it is missing.
    pub fn origin(&self) -> Result<Origin> {
        self.origin.clone().ok_or_else(|| {
            Error::input("verify needs the server's address").hint("add --host https://wandb.acme.com")
        })
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

/// The deployments of an account.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Inventory {
    /// Where was looked, in words for people.
    pub scope: String,
    /// The deployments, by name.
    pub deployments: Vec<Deployment>,
    /// What could not be looked at, one sentence each.
    pub unread: Vec<String>,
}

impl Inventory {
    /// The deployments whose lease has ended at `now`, in seconds since the epoch.
    pub fn expired(&self, now: i64) -> impl Iterator<Item = &Deployment> {
        self.deployments.iter().filter(move |deployment| deployment.expires.is_some_and(|end| end <= now))
    }
}

/// One deployment, as its marks tell of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Deployment {
    /// Its name.
    pub name: String,
    /// The region of its bucket.
    pub region: String,
    /// When its first part was made: seconds since the epoch, where the cloud tells.
    #[serde(serialize_with = "date")]
    pub created: Option<i64>,
    /// When it may be removed: seconds since the epoch; never without one.
    #[serde(serialize_with = "date")]
    pub expires: Option<i64>,
    /// The resources that carry its mark.
    pub parts: Vec<Part>,
    /// What it uses and does not own, by its marks or by where it is: a resource group, an account of
    /// others, the identity that may sign.
    pub refers_to: Vec<Part>,
    /// The resources that should be there, by what the others say, and are not.
    pub missing: Vec<Part>,
}

impl Deployment {
    /// All that is known of it by name: what is there, what it uses, and what is missing.
    pub fn named(&self) -> impl Iterator<Item = &Part> {
        self.parts.iter().chain(&self.refers_to).chain(&self.missing)
    }

    /// The name of the part of this `kind`, where one is known. Of several the last is the one that the
    /// bucket's own mark gives.
    ///
    /// # Errors
    /// When it cannot be a name.
    pub(crate) fn part<T: FromStr<Err = Error>>(&self, kind: &str) -> Result<Option<T>> {
        let named = self.named().filter(|part| part.kind == kind && !part.name.is_empty());
        named.last().map(|part| part.name.parse()).transpose()
    }

    /// Whether there is a part of this `kind`, or should be.
    #[cfg(any(feature = "azure", feature = "gcp"))]
    pub(crate) fn has(&self, kind: &str) -> bool {
        self.named().any(|part| part.kind == kind)
    }
}

/// Seconds since the epoch as RFC 3339.
fn date<S: Serializer>(seconds: &Option<i64>, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    let date = seconds.and_then(|seconds| Timestamp::from_second(seconds).ok());
    date.map(|date| date.to_string()).serialize(serializer)
}

/// One resource of a deployment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Part {
    /// Its kind, such as `queue`.
    pub kind: String,
    /// Its name; empty where nothing tells it.
    pub name: String,
}

/// Whose permissions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// The machine the W&B server runs on.
    Node,
    /// The person or job that runs wbstore.
    Operator,
    /// The scheduled job that runs `teardown --expired`, for every deployment there is.
    ExpiryJob,
}

/// How a policy is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PolicyForm {
    /// The document as JSON
    Json,
    /// The document as YAML
    Yaml,
    /// Commands of the cloud's own tool that put it into force
    Commands,
}

/// A policy document in the cloud's own form.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The document, ready to be pasted.
    pub document: serde_json::Value,
    /// The form in which the cloud's own tool reads it.
    pub form: PolicyForm,
    /// The commands that put it into force, in their order, a line each. A line that begins with `#`
    /// is a comment; a word in capitals is for the reader to fill in.
    pub commands: Vec<String>,
    /// How it differs from the published guide, and what was assumed, one sentence each.
    pub notes: Vec<String>,
}
