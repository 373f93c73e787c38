//! The plan: the pure difference between desired and observed state.
//!
//! Nothing here touches a cloud, a clock or a terminal. A dry run is a plan that nobody applies.

mod again;
mod decide;
mod digest;
mod order;

#[cfg(test)]
mod tests;

use serde::{Serialize, Serializer};
use serde_json::Value;

pub(crate) use crate::action::Action;
use crate::resource::{Address, Observation, Output, Wording};
pub(crate) use again::{Again, again};
pub(crate) use digest::Digest;

/// The version of the plan's JSON form, raised when a reader would have to change.
pub(crate) const FORMAT: u32 = 1;

/// What a plan is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    /// Everything exists, as described.
    Present {
        /// Whether resources without a mark are adopted.
        adopt: bool,
    },
    /// Nothing of wbstore exists.
    Absent,
}

impl Serialize for Goal {
    /// Serialized as a word; the steps show what is adopted.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(match self {
            Self::Present { .. } => "present",
            Self::Absent => "absent",
        })
    }
}

/// One field, before and after.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// The field's dotted name.
    pub field: String,
    /// Its value now; absent when it is not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old: Option<Value>,
    /// Its value afterwards; absent when it will not be set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new: Option<Value>,
}

/// One address, one action, and why.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Step {
    /// Which resource.
    pub address: Address,
    /// What is done to it.
    pub action: Action,
    /// The steps that must succeed before this one starts.
    pub waits_for: Vec<Address>,
    /// The resource whose deletion removes this one too, so that it needs no call of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub goes_with: Option<Address>,
    /// Field by field, what changes.
    pub changes: Vec<Change>,
    /// Why it is refused or kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What the reader can do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Entries of others in the same document, which are kept unchanged.
    pub kept: Vec<String>,
    /// Facts for the reviewer.
    pub findings: Vec<String>,
    /// Entries of others that are deleted with it, which are among the findings too.
    #[serde(skip)]
    pub ends: Vec<String>,
    /// What remains of it after its deletion, which is among the findings too.
    #[serde(skip)]
    pub leaves: Vec<String>,
    /// The data in it that are deleted with it, in words.
    #[serde(skip)]
    pub holds: Option<String>,
    /// How text shows the changes.
    #[serde(skip)]
    pub wording: Wording,
}

impl Step {
    /// Whether the engine sends a call for it.
    pub fn acts(&self) -> bool {
        self.action.acts() && self.goes_with.is_none()
    }
}

/// How many steps there are of each action.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// To be created.
    pub create: usize,
    /// To be updated.
    pub update: usize,
    /// To be adopted.
    pub adopt: usize,
    /// To be deleted.
    pub delete: usize,
    /// To be released.
    pub release: usize,
    /// To be kept, because they do not belong to the deployment.
    pub keep: usize,
    /// Refused.
    pub refuse: usize,
    /// Without a difference.
    pub unchanged: usize,
    /// Entries of others that are kept.
    pub entries_kept: usize,
}

/// What will be done, in an order in which it can be done.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Plan {
    /// The version of this form.
    pub format: u32,
    /// What it is for.
    pub goal: Goal,
    /// The deployment's name.
    pub deployment: String,
    /// The account and place, in words.
    pub scope: String,
    /// The steps; those with nothing to do are included as `no_op`.
    pub steps: Vec<Step>,
    /// The closing counts.
    pub counts: Counts,
    /// The server configuration.
    pub outputs: Vec<Output>,
    /// Notes for the reviewer on the whole plan.
    pub notes: Vec<String>,
    /// How to allow that data are deleted too, where consent covers the rest alone.
    #[serde(skip)]
    pub spares: Option<Spares>,
    /// The value for `--expect`; absent from a plan that rests on [assumptions](Subject::assumptions).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
}

impl Plan {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        !self.steps.iter().any(|step| step.action.acts())
    }

    /// The refused steps. Any of them stops the whole plan.
    pub fn refusals(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(|step| step.action == Action::Refuse)
    }

    /// Whether a step is refused, which stops the whole plan.
    pub fn is_refused(&self) -> bool {
        self.refusals().next().is_some()
    }

    /// Whether it deletes data: objects, or messages of a queue.
    pub fn deletes_data(&self) -> bool {
        self.steps.iter().any(|step| step.action == Action::Delete && step.holds.is_some())
    }

    /// The step at `address`.
    pub fn step(&self, address: &Address) -> Option<&Step> {
        self.steps.iter().find(|step| step.address == *address)
    }
}

/// The consent to a teardown that covers no data, and the command that covers them too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spares {
    /// The command without its confirmation.
    pub command: String,
    /// The option that confirms it, such as `--confirm acme`.
    pub confirmation: String,
}

/// The plans of several deployments, which are reviewed as one.
#[derive(Debug, Serialize)]
pub struct PlanSet<'p> {
    /// The version of this form.
    pub format: u32,
    /// The plans, in the order of the deployments' names.
    pub plans: Vec<&'p Plan>,
    /// The deployments that could not be planned.
    pub failed: Vec<Unplanned>,
    /// The value for `--expect`; absent where a plan is, or has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
}

/// A deployment that could not be planned.
#[derive(Clone, Debug, Serialize)]
pub struct Unplanned {
    /// Its name.
    pub deployment: String,
    /// Why.
    pub error: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The exit code that follows from it.
    pub exit_code: u8,
}

impl<'p> PlanSet<'p> {
    /// That of `plans`, and of what could not be planned.
    pub(crate) fn new(plans: Vec<&'p Plan>, failed: Vec<Unplanned>) -> Self {
        let digests: Option<Vec<&Digest>> = plans.iter().map(|plan| plan.digest.as_ref()).collect();
        let digest = digests.filter(|_| failed.is_empty()).and_then(|digests| Digest::of_all(&digests));
        Self { format: FORMAT, plans, failed, digest }
    }
}

/// The subject of a plan: everything about it that is not an observation.
#[derive(Clone, Debug)]
pub(crate) struct Subject {
    /// The deployment's name.
    pub deployment: String,
    /// The account and place, in words.
    pub scope: String,
    /// The server configuration.
    pub outputs: Vec<Output>,
    /// Notes for the reviewer on the whole plan.
    pub notes: Vec<String>,
    /// Assumptions in place of reads that were not sent, one sentence each.
    pub assumptions: Vec<String>,
    /// See [`Plan::spares`].
    pub spares: Option<Spares>,
}

/// Compares desired and observed state.
pub(crate) fn plan(goal: Goal, subject: Subject, observations: &[Observation]) -> Plan {
    let mut steps = decided(goal, subject.spares.as_ref(), observations);
    if goal == Goal::Absent {
        order::require_vouchers(observations, &mut steps);
    }
    order::connect(goal, observations, &mut steps);
    let steps = order::in_order(steps);
    let Subject { deployment, scope, outputs, mut notes, assumptions, spares } = subject;
    let is_certain = assumptions.is_empty();
    notes.extend(assumptions);
    let counts = count(goal, &steps);
    let mut plan =
        Plan { format: FORMAT, goal, deployment, scope, steps, counts, outputs, notes, spares, digest: None };
    plan.digest = is_certain.then(|| Digest::of(&plan, observations));
    plan
}

/// The step of each observation, in their order.
fn decided(goal: Goal, spares: Option<&Spares>, observations: &[Observation]) -> Vec<Step> {
    let mut steps: Vec<Step> = observations.iter().map(|seen| decide::step(goal, seen)).collect();
    if goal == Goal::Absent {
        order::settle_children(observations, &mut steps);
    }
    if let Some(spares) = spares {
        decide::spare(spares, observations, &mut steps);
    }
    steps
}

fn count(goal: Goal, steps: &[Step]) -> Counts {
    let mut counts = Counts::default();
    for step in steps {
        counts.entries_kept += step.kept.len();
        if goal == Goal::Absent && step.action == Action::NoOp {
            // A resource that does not exist is not worth a line.
            continue;
        }
        *match step.action {
            Action::Create => &mut counts.create,
            Action::Update => &mut counts.update,
            Action::Adopt => &mut counts.adopt,
            Action::Delete => &mut counts.delete,
            Action::Release => &mut counts.release,
            Action::Keep => &mut counts.keep,
            Action::Refuse => &mut counts.refuse,
            Action::NoOp => &mut counts.unchanged,
        } += 1;
    }
    counts
}
