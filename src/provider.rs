//! What a cloud implements besides its resources: its options, the checks of `verify`, the list of
//! deployments, and the permissions.

use std::fmt::Debug;
use std::pin::pin;
use std::str::FromStr;

use clap::{Args, ValueEnum};
use futures::future::{self, BoxFuture, Either, join_all};
use jiff::Timestamp;
use tracing::Instrument as _;

use crate::ambient::Ambient;
use crate::doctor::Question;
use crate::empty::MaxRate;
use crate::error::{Error, Kind, Result};
use crate::http::Reads;
use crate::inventory::{Deployment, Inventory};
use crate::lease::Lease;
use crate::name::StorageName;
use crate::origins::Origins;
use crate::plan::Goal;
use crate::pods::Trust;
use crate::policy::{Audience, Policy};
use crate::resource::{AnyResource, Guard, Removal, Stack};
use crate::secret::{Disclosure, Withheld};
use crate::tag::{Tag, TagRule};
use crate::timings::{self, Phase};
use crate::verify::{CheckSender, VerifyOptions};
use crate::versioning::Versioning;

/// Does `read`, and what can be done of `ahead` meanwhile.
pub(crate) async fn while_reading<T>(read: impl Future<Output = T>, ahead: impl Future<Output = ()>) -> T {
    match future::select(pin!(read), pin!(ahead)).await {
        Either::Left((read, _)) => read,
        Either::Right(((), read)) => read.await,
    }
}

/// Begins the first look at `resources`, [while](while_reading) a provider still reads what their desired state depends
/// on: what is there does not depend on it, and is not read again by the look within `reads`.
pub(crate) async fn look_ahead(resources: &[Box<dyn AnyResource>], reads: &Reads) {
    let looks = resources.iter().filter(|resource| {
        // What a bucket holds is listed page by page, and is no answer to share.
        resource.unseen().observation().removal != Removal::Contents
    });
    let looks = looks.map(|resource| {
        let work = timings::work(&resource.address(), Phase::Plan, &[]);
        async { drop(resource.look().await) }.instrument(work)
    });
    reads.within(join_all(looks)).await;
}

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
    /// All, and what may act as the server, for `policy`.
    type Permit: Args + Debug + Into<Self>
    where
        Self: Sized;

    /// The cloud, as the command line calls it.
    fn cloud(&self) -> &'static str;

    /// What its chain of credentials reads.
    fn ambient(&self) -> &'static Ambient;

    /// What the cloud accepts as tags.
    fn tag_rule(&self) -> &'static TagRule;

    /// The resources that have marks there, in words for people.
    fn holdings(&self) -> &'static str;

    /// The options, with their values, by which `teardown` finds all of `storage` again. Values are
    /// checked, and quoted for a shell where they may contain spaces.
    fn names(&self, storage: &StorageName) -> Vec<(&'static str, String)>;

    /// Those of the names that were given, and are not derived; as [`names`](Self::names) has them.
    fn given_parts(&self, storage: &StorageName) -> Vec<(&'static str, String)>;

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

    /// How the server is given its identity, where `policy` prints that too.
    ///
    /// # Errors
    /// When the options contradict each other.
    fn trust(&self) -> Result<Option<Trust>> {
        Ok(None)
    }
    /// Checks the options against each other and against what is `wanted`, as far as no request is needed.
    ///
    /// # Errors
    /// [`Kind::Input`].
    fn check_input(&self, wanted: &Wanted) -> Result<()>;

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

    /// What `doctor` asks about the cloud, in the order in which it is shown; the [credentials](crate::doctor::CREDENTIALS)
    /// come first. Without `is_named`, `wanted` is no deployment of the user's.
    fn questions(&self, wanted: Wanted, is_named: bool) -> Vec<Question>;

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

/// The options of a cloud by the kind of storage that has a use for them, without `--`. The others are for both.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct TeamOptions {
    /// For the bucket of a team.
    pub only: &'static [&'static str],
    /// For the deployment itself.
    pub never: &'static [&'static str],
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

/// Refuses an option that a team's bucket has no use for.
///
/// # Errors
/// [`Kind::Input`], with its name.
pub(crate) fn refuse_with_team(options: &[(&str, bool)]) -> Result<()> {
    match options.iter().find(|(_, is_given)| *is_given) {
        Some((option, _)) => {
            Err(Error::input(format!("{option} has no effect with --team: a team's bucket has no queue"))
                .hint(format!("omit `{option}`")))
        }
        None => Ok(()),
    }
}

/// Refuses an option that only a team's bucket has a use for.
///
/// # Errors
/// [`Kind::Input`], with its name.
pub(crate) fn refuse_without_team(options: &[(&str, bool)]) -> Result<()> {
    match options.iter().find(|(_, is_given)| *is_given) {
        Some((option, _)) => Err(Error::input(format!("{option} has no effect without --team"))
            .hint(format!("add `--team NAME`, or omit `{option}`"))),
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
        team: None,
        region: region.to_owned(),
        created: None,
        expires: None,
        parts: parts.iter().map(|(kind, name)| crate::inventory::Part::new(kind, *name)).collect(),
        refers_to: vec![],
        missing: vec![],
    };
    let names = options.with_parts(&deployment).unwrap().names(&deployment.storage().unwrap());
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

    /// What is left to do with the outputs, one sentence each.
    fn next_steps(&self) -> Vec<String> {
        vec![]
    }

    /// The line of the server configuration whose value is a secret, if there is one. It is not among
    /// the stack's outputs, and is fetched only when the user asks for it.
    fn withheld(&self) -> Option<Withheld<'_>> {
        None
    }
}

/// The storage that the common options describe, of a deployment or of one of its teams; the rest is the
/// [`CloudOptions`].
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub name: StorageName,
    /// The addresses of the W&B server; teardown and list do without.
    pub origins: Option<Origins>,
    /// The tags that the user wants on what is created.
    pub tags: Vec<Tag>,
    pub versioning: Versioning,
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
    /// What the first look is for, where one follows at once: a provider may begin it while it connects.
    pub goal: Option<Goal>,
    /// The most deletions a second.
    pub max_rate: Option<MaxRate>,
    /// Whether addresses on other machines may be plain http.
    pub allows_http: bool,
    /// Notes for the reviewer on the request itself, one sentence each.
    pub remarks: Vec<String>,
}

impl Wanted {
    /// A storage of which only the name is given.
    pub(crate) fn named(name: impl Into<StorageName>) -> Self {
        Self {
            name: name.into(),
            origins: None,
            tags: vec![],
            versioning: Versioning::default(),
            lease: None,
            renew_from: None,
            only_expired: false,
            delete_objects: false,
            empty_by: EmptyBy::default(),
            goal: None,
            max_rate: None,
            allows_http: false,
            remarks: vec![],
        }
    }

    /// The addresses of the W&B server, which `verify` sends as a browser would.
    ///
    /// # Errors
    /// [`Kind::Input`] when there is none.
    pub(crate) fn origins(&self) -> Result<Origins> {
        self.origins.clone().ok_or_else(|| {
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
