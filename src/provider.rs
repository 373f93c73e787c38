//! What a cloud offers besides its resources: the proof that it works, the deployments it holds,
//! and the permissions it takes.

use std::time::Duration;

use futures::future::BoxFuture;
use serde::Serialize;
use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;

use crate::error::Result;
use crate::plan::Goal;
use crate::resource::Stack;

/// A cloud with its credentials checked and one deployment named.
pub trait Provider: Send + Sync {
    /// The deployment, described for `goal`.
    ///
    /// # Errors
    /// When the description contradicts itself, before any request.
    fn stack(&self, goal: Goal) -> Result<Stack>;

    /// Proves that an upload works and produces an event. Each check is sent as it is known.
    fn verify<'a>(
        &'a self,
        options: &'a VerifyOptions,
        checks: UnboundedSender<Checking>,
    ) -> BoxFuture<'a, Result<()>>;

    /// All deployments of the account that carry a wbstore mark.
    fn list(&self) -> BoxFuture<'_, Result<Inventory>>;

    /// The permissions that `audience` needs for this deployment.
    ///
    /// # Errors
    /// When the description contradicts itself.
    fn policy(&self, audience: Audience) -> Result<Policy>;
}

/// How long `verify` waits.
#[derive(Clone, Debug)]
pub struct VerifyOptions {
    /// How long an event may take to arrive.
    pub event_within: Duration,
    /// Asks it to stop early, and to tidy up all the same.
    pub cancel: CancellationToken,
}

/// What came of one check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    /// It works; the text gives what was seen.
    Passed {
        /// What was seen.
        detail: String,
    },
    /// It does not work.
    Failed {
        /// Why, as a lowercase fragment.
        reason: String,
        /// What to do next.
        #[serde(skip_serializing_if = "Option::is_none")]
        hint: Option<String>,
    },
    /// It could not be told.
    Inconclusive {
        /// Why, as a lowercase fragment.
        reason: String,
    },
}

/// One line of `verify`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What is checked, such as `preflight PUT`.
    pub name: String,
    /// What came of it.
    #[serde(flatten)]
    pub verdict: Verdict,
}

/// A message from `verify` on its way.
#[derive(Clone, Debug)]
pub enum Checking {
    /// A check has begun that may take longer than a second.
    Begun {
        /// What is checked.
        name: String,
        /// At most this long.
        within: Duration,
    },
    /// A check is known.
    Known(Check),
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

/// One deployment, as its marks tell of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Deployment {
    /// Its name.
    pub name: String,
    /// The region of its bucket.
    pub region: String,
    /// When its first part was made: seconds since the epoch, where the cloud tells.
    pub created: Option<i64>,
    /// When it may be removed: seconds since the epoch; never without one.
    pub expires: Option<i64>,
    /// The resources that are there, as `kind` and `name`.
    pub parts: Vec<(String, String)>,
    /// The kinds that should be there and are not.
    pub missing: Vec<String>,
}

/// Whose permissions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// The machine the W&B server runs on.
    Node,
    /// The person or job that runs wbstore.
    Operator,
}

/// A policy document in the cloud's own form.
#[derive(Clone, Debug, Serialize)]
pub struct Policy {
    /// The document, ready to be pasted.
    pub document: serde_json::Value,
    /// How it differs from the published guide, one sentence each.
    pub notes: Vec<String>,
}
