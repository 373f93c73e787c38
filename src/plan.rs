//! The plan: the pure difference of what is wanted and what was found.
//!
//! Nothing here touches a cloud, a clock or a terminal. A dry run is a plan that nobody applies.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde::Serialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::resource::{Address, Fields, Forbids, Found, Observation, Output, Owner, Removal};

/// The version of the plan's JSON form, raised when a reader would have to change.
pub const FORMAT: u32 = 1;

/// What a plan is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Goal {
    /// Everything is there, as described.
    Present {
        /// Whether resources without a mark may be taken over.
        adopt: bool,
    },
    /// Nothing of ours is there.
    Absent,
}

/// What is done to one resource. The symbol is the type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// It is not there and will be made.
    Create,
    /// It is ours and differs.
    Update,
    /// It has no mark; it gets ours, and is changed where it differs.
    Adopt,
    /// It is ours and will be removed.
    Delete,
    /// It was adopted: our mark is taken off and the rest stays.
    Release,
    /// It is not ours to delete and stays.
    Keep,
    /// It must not be touched, so nothing is.
    Refuse,
    /// It is as it should be.
    NoOp,
}

impl Action {
    /// The symbol that stands before the step wherever a plan is shown.
    pub fn symbol(self) -> char {
        match self {
            Self::Create => '+',
            Self::Update => '~',
            Self::Adopt => '>',
            Self::Delete => '-',
            Self::Release => '<',
            Self::Keep => '.',
            Self::Refuse => '!',
            Self::NoOp => ' ',
        }
    }

    /// Whether the engine has something to do.
    pub fn acts(self) -> bool {
        matches!(self, Self::Create | Self::Update | Self::Adopt | Self::Delete | Self::Release)
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
    /// Other people's entries in the same document, which stay as they are.
    pub kept: Vec<String>,
    /// Facts worth knowing.
    pub findings: Vec<String>,
}

impl Step {
    /// Whether the engine makes a call for it.
    pub fn acts(&self) -> bool {
        self.action.acts() && self.goes_with.is_none()
    }
}

/// How many steps there are of each action.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// To be made.
    pub create: usize,
    /// To be changed.
    pub update: usize,
    /// To be taken over.
    pub adopt: usize,
    /// To be removed.
    pub delete: usize,
    /// To be given back.
    pub release: usize,
    /// To be left, because they are not ours.
    pub keep: usize,
    /// Refused.
    pub refuse: usize,
    /// As they should be.
    pub unchanged: usize,
    /// Other people's entries that survive.
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
    /// Where it stands.
    pub scope: String,
    /// The steps; those with nothing to do are there too, as `no_op`.
    pub steps: Vec<Step>,
    /// The closing counts.
    pub counts: Counts,
    /// What the server will need.
    pub outputs: Vec<Output>,
    /// What a reviewer should know of the whole.
    pub notes: Vec<String>,
    /// A fingerprint of all that would be done; `provision --expect` takes it.
    pub digest: String,
}

impl Plan {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        !self.steps.iter().any(|step| step.action.acts())
    }

    /// The steps that must not be taken. Any of them stops the whole plan.
    pub fn refusals(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(|step| step.action == Action::Refuse)
    }

    /// The step at `address`.
    pub fn step(&self, address: &Address) -> Option<&Step> {
        self.steps.iter().find(|step| step.address == *address)
    }
}

/// What a plan is made for; everything about it that is not an observation.
#[derive(Clone, Debug)]
pub struct Subject {
    /// The deployment's name.
    pub deployment: String,
    /// Where it stands.
    pub scope: String,
    /// What the server will need.
    pub outputs: Vec<Output>,
    /// What a reviewer should know of the whole.
    pub notes: Vec<String>,
}

/// Compares what is wanted with what was found.
pub fn plan(goal: Goal, subject: Subject, observations: &[Observation]) -> Plan {
    let mut steps: Vec<Step> = observations.iter().map(|seen| decide(goal, seen)).collect();
    if goal == Goal::Absent {
        settle_children(observations, &mut steps);
    }
    connect(goal, observations, &mut steps);
    let steps = in_order(steps);
    let Subject { deployment, scope, outputs, notes } = subject;
    let counts = count(&steps);
    let mut plan = Plan {
        format: FORMAT,
        goal,
        deployment,
        scope,
        steps,
        counts,
        outputs,
        notes,
        digest: String::new(),
    };
    plan.digest = digest(&plan);
    plan
}

fn decide(goal: Goal, seen: &Observation) -> Step {
    let mut step = Step {
        address: seen.address.clone(),
        action: Action::NoOp,
        waits_for: vec![],
        goes_with: None,
        changes: vec![],
        reason: None,
        hint: None,
        kept: vec![],
        findings: vec![],
    };
    let found = match &seen.found {
        Ok(found) => found,
        Err(error) => {
            step.action = Action::Refuse;
            step.reason = Some(error.chain());
            step.hint = error.what_next().map(str::to_owned);
            return step;
        }
    };
    step.kept.clone_from(&found.kept);
    step.findings.clone_from(&found.findings);
    match goal {
        Goal::Present { adopt } => want_present(adopt, seen, found, &mut step),
        Goal::Absent => want_absent(seen, found, &mut step),
    }
    step
}

fn want_present(adopt: bool, seen: &Observation, found: &Found<Fields>, step: &mut Step) {
    let Some(state) = &found.state else {
        step.action = Action::Create;
        step.changes = differences(&Fields::new(), &seen.desired);
        block(found, Forbids::Write, step);
        return;
    };
    step.changes = differences(state, &seen.desired);
    step.action = match &found.owner {
        Owner::Ours | Owner::Adopted if step.changes.is_empty() => Action::NoOp,
        Owner::Ours | Owner::Adopted => Action::Update,
        Owner::Other(None) if adopt => Action::Adopt,
        Owner::Other(None) => {
            refuse(
                step,
                "it exists and carries no wbstore mark",
                "pass --adopt to take it over, or choose another name",
            );
            return;
        }
        Owner::Other(Some(other)) => {
            refuse(
                step,
                format!("it belongs to the deployment `{other}`"),
                "choose another name, or give that deployment's --name",
            );
            return;
        }
        Owner::Unknown(why) => {
            refuse(
                step,
                format!("its owner cannot be told: {why}"),
                "grant the permission that is missing, then run again",
            );
            return;
        }
    };
    if let Some(change) = step.changes.iter().find(|change| seen.fixed.contains(&change.field.as_str())) {
        let (field, old) = (change.field.clone(), change.old.clone().unwrap_or_default());
        refuse(
            step,
            format!("its {field} is {old} and cannot be changed in place"),
            format!("ask for the {field} it has, or choose another name"),
        );
        return;
    }
    if step.action.acts() {
        block(found, Forbids::Write, step);
    }
}

fn want_absent(seen: &Observation, found: &Found<Fields>, step: &mut Step) {
    let Some(state) = &found.state else { return };
    if seen.removal == Removal::Contents {
        // Of what is only a setting the address says enough; of data a reader wants to know how much.
        step.changes = differences(state, &seen.desired);
    }
    match &found.owner {
        Owner::Ours => {
            step.action = Action::Delete;
            if seen.removal == Removal::Own {
                lose_kept(step);
            }
            block(found, Forbids::Delete, step);
        }
        Owner::Adopted => step.action = Action::Release,
        Owner::Other(other) => {
            step.action = Action::Keep;
            step.reason = Some(match other {
                Some(other) => format!("it belongs to the deployment `{other}`"),
                None => "it carries no wbstore mark".to_owned(),
            });
        }
        Owner::Unknown(why) => {
            refuse(
                step,
                format!("its owner cannot be told: {why}"),
                "grant the permission that is missing, then run again",
            );
        }
    }
}

/// What others wrote into something of ours ends with it, and the reader is told.
fn lose_kept(step: &mut Step) {
    let lost = std::mem::take(&mut step.kept);
    step.findings.extend(lost.into_iter().map(|entry| format!("ends with it: {entry}")));
}

fn refuse(step: &mut Step, reason: impl Into<String>, hint: impl Into<String>) {
    step.action = Action::Refuse;
    step.reason = Some(reason.into());
    step.hint = Some(hint.into());
}

fn block(found: &Found<Fields>, forbids: Forbids, step: &mut Step) {
    let mut against = found.obstacles.iter().filter(|obstacle| obstacle.forbids == forbids).peekable();
    if let Some(first) = against.peek() {
        step.action = Action::Refuse;
        step.hint.clone_from(&first.hint);
        step.reason = Some(against.map(|obstacle| obstacle.message.as_str()).collect::<Vec<_>>().join("; "));
    }
}

/// What lives inside a resource that is deleted goes with it; a setting of one that stays, stays.
fn settle_children(observations: &[Observation], steps: &mut [Step]) {
    let actions: BTreeMap<_, _> = steps.iter().map(|step| (step.address.clone(), step.action)).collect();
    for (seen, step) in observations.iter().zip(steps) {
        let contents = seen.removal == Removal::Contents && step.action == Action::Refuse;
        let Some(parent) = seen.part_of.as_ref().filter(|_| contents || step.action == Action::Delete) else {
            continue;
        };
        match (actions.get(parent), seen.removal) {
            (_, Removal::Own) | (Some(Action::Delete), Removal::Contents) => {}
            (Some(Action::Delete), _) => {
                step.goes_with = Some(parent.clone());
                lose_kept(step);
            }
            (_, Removal::WithParent) => {}
            (_, Removal::Setting | Removal::Contents) => {
                step.action = Action::Keep;
                step.reason = Some(format!("it belongs to {parent}, which stays"));
                step.hint = None;
            }
        }
    }
}

/// Makes waits of needs: a resource is made after what it needs, and removed before it.
fn connect(goal: Goal, observations: &[Observation], steps: &mut [Step]) {
    let acting: BTreeSet<_> =
        steps.iter().filter(|step| step.acts()).map(|step| step.address.clone()).collect();
    for (seen, step) in observations.iter().zip(&mut *steps) {
        if !acting.contains(&step.address) {
            continue;
        }
        let waits = match goal {
            Goal::Present { .. } => seen.needs.iter().filter(|need| acting.contains(need)).cloned().collect(),
            Goal::Absent => observations
                .iter()
                .filter(|other| other.needs.contains(&seen.address) && acting.contains(&other.address))
                .map(|other| other.address.clone())
                .collect(),
        };
        step.waits_for = waits;
    }
}

/// A step comes after all that it waits for; otherwise the order of the stack stays.
fn in_order(mut steps: Vec<Step>) -> Vec<Step> {
    let mut placed = BTreeSet::new();
    let mut ordered = Vec::with_capacity(steps.len());
    while !steps.is_empty() {
        let ready = steps.iter().position(|step| step.waits_for.iter().all(|wait| placed.contains(wait)));
        // A cycle would be a fault in a stack; its steps are then listed as they stand.
        let step = steps.remove(ready.unwrap_or(0));
        placed.insert(step.address.clone());
        ordered.push(step);
    }
    ordered
}

fn differences(old: &Fields, new: &Fields) -> Vec<Change> {
    let names: BTreeSet<_> = old.keys().chain(new.keys()).collect();
    names
        .into_iter()
        .filter(|name| old.get(*name) != new.get(*name))
        .map(|name| Change { field: name.clone(), old: old.get(name).cloned(), new: new.get(name).cloned() })
        .collect()
}

fn count(steps: &[Step]) -> Counts {
    let mut counts = Counts::default();
    for step in steps {
        counts.entries_kept += step.kept.len();
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

fn digest(plan: &Plan) -> String {
    let Plan { format, goal, deployment, scope, steps, counts: _, outputs, notes: _, digest: _ } = plan;
    let meaning = serde_json::json!([format, goal, deployment, scope, steps, outputs]);
    let mut text = String::new();
    for byte in &Sha256::digest(meaning.to_string().as_bytes())[..8] {
        let _ = write!(text, "{byte:02x}");
    }
    text
}
