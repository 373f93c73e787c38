//! The digest that identifies a reviewed plan.

use std::fmt::Write as _;
use std::str::FromStr;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{Change, Plan};
use crate::error::{Error, Result};
use crate::resource::{Address, Observation, Removal};
use crate::value::{quoted, text_value};

/// How many hex digits it has: 128 bits, so that collisions cannot be found by trial.
const DIGITS: usize = 32;

/// A fingerprint of what a plan would do: goal, deployment, scope, outputs, and each step's address,
/// action and changes.
///
/// Not covered is what can differ from day to day without a change of what is done: findings, entries
/// kept, reasons, hints, notes and counts; how much a container holds (whether it holds anything
/// decides the action); and the date on which a lease ends (its span is a field of its own).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digest {
    text: String,
}

text_value!(Digest);

impl Digest {
    /// The digest of several plans, in their order; that of one is its own.
    pub(crate) fn of_all(digests: &[&Self]) -> Option<Self> {
        match digests {
            [] => None,
            [one] => Some((*one).clone()),
            all => Some(Self::hashed(&json!(all.iter().map(|digest| digest.as_str()).collect::<Vec<_>>()))),
        }
    }

    pub(super) fn of(plan: &Plan, observations: &[Observation]) -> Self {
        let is_contents = |address: &Address| {
            let mut seen = observations.iter().filter(|seen| seen.address == *address);
            seen.any(|seen| seen.removal == Removal::Contents)
        };
        let steps: Vec<Value> = plan
            .steps
            .iter()
            .map(|step| {
                let changes = step.changes.iter().filter(|_| !is_contents(&step.address)).map(meaning);
                json!([step.address, step.action, changes.collect::<Vec<_>>()])
            })
            .collect();
        let Plan { goal, deployment, scope, outputs, .. } = plan;
        Self::hashed(&json!([goal, deployment, scope, outputs, steps]))
    }

    fn hashed(meaning: &Value) -> Self {
        let hash = Sha256::digest(meaning.to_string());
        let mut text = String::new();
        for byte in &hash[..DIGITS / 2] {
            let _ = write!(text, "{byte:02x}");
        }
        Self { text }
    }
}

fn meaning(change: &Change) -> Value {
    let Change { field, old, new } = change;
    if field.ends_with("expires") {
        return json!([field, old.is_some(), new.is_some()]);
    }
    json!([field, old, new])
}

impl FromStr for Digest {
    type Err = Error;

    fn from_str(input: &str) -> Result<Self> {
        let text = input.to_ascii_lowercase();
        if text.len() == DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Ok(Self { text });
        }
        Err(Error::input(format!("invalid digest {}: a digest has {DIGITS} hex digits", quoted(input)))
            .hint("copy it from the last line of the plan: `--expect <digest>`"))
    }
}
