//! IAM policies: <https://cloud.google.com/iam/docs/reference/rest/v1/Policy>.

mod wire;

use std::hash::{DefaultHasher, Hash, Hasher};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value, json};

use super::refusal::{Answer, Refusal};
use super::roles;

/// The version that policies with conditions have.
const CONDITIONAL: i64 = 3;

/// The etag of a policy that nobody has set yet, `ACAB` in base64.
const UNSET: &[u8] = &[0x00, 0x20, 0x01];

/// Who may do what to one resource.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Policy {
    pub(super) bindings: Vec<Binding>,
    /// As it was set; nothing here reads it.
    pub(super) audit: Vec<Value>,
    /// How often it was set.
    serial: u64,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Binding {
    pub(super) role: String,
    pub(super) members: Vec<String>,
    pub(super) condition: Option<Value>,
}

/// A policy that somebody wants to set.
#[derive(Clone, Debug, Default)]
pub(super) struct Wanted {
    pub(super) policy: Policy,
    pub(super) version: i64,
    /// Nothing when any will do.
    pub(super) etag: Option<Vec<u8>>,
    /// Whether the audit configuration is meant as well.
    pub(super) with_audit: bool,
}

impl Policy {
    pub(super) fn of(bindings: Vec<Binding>) -> Self {
        Self { bindings, ..Self::default() }
    }

    /// Whether it grants a permission to a member. Conditions are not evaluated: they grant nothing.
    pub(super) fn lets(&self, custom: &roles::Custom, member: &str, permission: &str) -> bool {
        self.bindings.iter().any(|binding| {
            binding.condition.is_none()
                && binding.members.iter().any(|one| one == member)
                && (roles::permissions(&binding.role).is_some_and(|some| some.contains(&permission))
                    || custom.get(&binding.role).is_some_and(|some| some.contains(permission)))
        })
    }

    /// A different one for every policy that was ever set.
    pub(super) fn etag(&self) -> Vec<u8> {
        // A bucket's begins with bindings, and with an etag like any.
        if self.serial == 0 && self.bindings.is_empty() {
            return UNSET.to_vec();
        }
        let mut etag = vec![7];
        etag.extend(self.serial.to_be_bytes());
        etag
    }

    /// Somebody else sets the same again, and the etag moves on.
    pub(super) fn touch(&mut self) {
        self.serial += 1;
    }

    /// What a reader sees who asked for `version`. One who does not know of conditions sees none,
    /// and other roles: <https://cloud.google.com/iam/docs/policies#versions>.
    #[must_use]
    pub(super) fn seen(&self, version: i64) -> Self {
        let mut seen = self.clone();
        if version < CONDITIONAL {
            for binding in &mut seen.bindings {
                if let Some(condition) = binding.condition.take() {
                    let mut hasher = DefaultHasher::new();
                    condition.to_string().hash(&mut hasher);
                    binding.role = format!("{}_withcond_{:020x}", binding.role, hasher.finish());
                }
            }
        }
        seen
    }

    fn conditional(&self) -> bool {
        self.bindings.iter().any(|binding| binding.condition.is_some())
    }

    fn version(&self) -> i64 {
        if self.conditional() { CONDITIONAL } else { 1 }
    }

    /// Replaces it as `setIamPolicy` does. `conflict` says what a lost race looks like.
    pub(super) fn replace(&mut self, wanted: Wanted, conflict: fn(&str) -> Refusal) -> Answer<()> {
        if wanted.etag.is_some_and(|etag| etag != self.etag()) {
            return Err(conflict(
                "There were concurrent policy changes. Please retry the whole read-modify-write with \
                 exponential backoff.",
            ));
        }
        if (wanted.policy.conditional() || self.conditional()) && wanted.version < CONDITIONAL {
            return Err(Refusal::invalid(
                "Specified policy version (1) cannot be less than the existing policy version (3). For more \
                 information, please refer to https://cloud.google.com/iam/docs/policies#versions.",
            ));
        }
        self.bindings = merged(wanted.policy.bindings);
        if wanted.with_audit {
            self.audit = wanted.policy.audit;
        }
        self.serial += 1;
        Ok(())
    }

    /// The JSON form.
    pub(super) fn json(&self) -> Value {
        let mut json = self.content();
        json["etag"] = BASE64_STANDARD.encode(self.etag()).into();
        json["version"] = self.version().into();
        json
    }

    /// The same without what changes by being set.
    pub(super) fn content(&self) -> Value {
        let mut json = Map::new();
        if !self.bindings.is_empty() {
            json.insert("bindings".to_owned(), self.bindings.iter().map(Binding::json).collect());
        }
        if !self.audit.is_empty() {
            json.insert("auditConfigs".to_owned(), self.audit.clone().into());
        }
        json.into()
    }
}

impl Binding {
    pub(super) fn new(role: &str, members: &[&str]) -> Self {
        let members = members.iter().map(|member| (*member).to_owned()).collect();
        Self { role: role.to_owned(), members, condition: None }
    }

    fn json(&self) -> Value {
        let mut json = json!({"role": self.role, "members": self.members});
        if let Some(condition) = &self.condition {
            json["condition"] = condition.clone();
        }
        json
    }
}

/// As the cloud stores them: one binding for each role and condition, no empty one, no member twice.
fn merged(bindings: Vec<Binding>) -> Vec<Binding> {
    let mut merged: Vec<Binding> = vec![];
    for binding in bindings {
        let same = merged.iter_mut().find(|b| b.role == binding.role && b.condition == binding.condition);
        let target = match same {
            Some(target) => target,
            None => {
                merged.push(Binding { members: vec![], ..binding.clone() });
                let Some(last) = merged.last_mut() else { continue };
                last
            }
        };
        for member in binding.members {
            if !target.members.contains(&member) {
                target.members.push(member);
            }
        }
    }
    merged.retain(|binding| !binding.members.is_empty());
    merged
}
