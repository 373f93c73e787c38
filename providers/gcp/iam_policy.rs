//! An IAM policy that several parties write into: read, merged by role and member, written with its etag.
//!
//! Only bindings without a condition are written: one with a condition belongs to others, even for the same
//! role and member, and is kept. Unknown parts of a policy (audit configurations, future fields) are written
//! back unchanged.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::text::clean;

/// The version that shows conditions instead of leaving them out (IAM docs, "Specifying a policy
/// version when getting a policy").
pub(crate) const VERSION: i32 = 3;

/// The etag of a policy that was never set, the same on every kind of resource without initial roles (`gcloud
/// pubsub topics get-iam-policy` on a new topic prints it).
const UNSET: &str = "ACAB";

/// A policy (IAM REST reference, `Policy`).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Policy {
    #[serde(default)]
    bindings: Vec<Binding>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Binding {
    #[serde(default)]
    role: String,
    #[serde(default)]
    members: Vec<String>,
    /// Its condition among them.
    #[serde(flatten)]
    rest: Map<String, Value>,
}

impl Policy {
    /// The policy of what was created a moment ago.
    pub(crate) fn unset() -> Self {
        Self { bindings: vec![], rest: Map::from_iter([("etag".to_owned(), json!(UNSET))]) }
    }

    /// Drops the precondition, so that the policy replaces any other.
    pub(crate) fn forget_etag(&mut self) {
        self.rest.remove("etag");
    }

    /// Whether `member` has `role` without any condition.
    pub(crate) fn has(&self, role: &str, member: &str) -> bool {
        self.bindings.iter().any(|one| one.is_plain(role) && one.members.iter().any(|one| one == member))
    }

    /// Gives `roles` to `member`; returns whether that changed anything.
    pub(crate) fn add(&mut self, roles: &[&str], member: &str) -> bool {
        roles.iter().fold(false, |changed, role| self.add_one(role, member) | changed)
    }

    /// Takes `roles` from `member`; returns whether that changed anything.
    pub(crate) fn remove(&mut self, roles: &[&str], member: &str) -> bool {
        roles.iter().fold(false, |changed, role| self.remove_one(role, member) | changed)
    }

    fn add_one(&mut self, role: &str, member: &str) -> bool {
        if self.has(role, member) {
            return false;
        }
        let member = member.to_owned();
        match self.bindings.iter_mut().find(|binding| binding.is_plain(role)) {
            Some(binding) => binding.members.push(member),
            None => {
                self.bindings.push(Binding { role: role.to_owned(), members: vec![member], rest: Map::new() })
            }
        }
        true
    }

    fn remove_one(&mut self, role: &str, member: &str) -> bool {
        if !self.has(role, member) {
            return false;
        }
        for binding in self.bindings.iter_mut().filter(|binding| binding.is_plain(role)) {
            binding.members.retain(|one| one != member);
        }
        self.bindings.retain(|binding| !binding.is_plain(role) || !binding.members.is_empty());
        true
    }

    /// The bindings except `roles` of `members`, as text.
    pub(crate) fn others(&self, roles: &[&str], members: &[&str]) -> Vec<String> {
        let describe = |binding: &Binding| {
            let ours = roles.iter().any(|role| binding.is_plain(role));
            let convenience = |one: &str| CONVENIENCE.iter().any(|prefix| one.starts_with(prefix));
            let is_ours = |one: &String| ours && members.contains(&one.as_str());
            let members = binding.members.iter().filter(|one| !(convenience(one) || is_ours(one)));
            let members: Vec<_> = members.map(|one| clean(one)).collect();
            let condition = binding.rest.get("condition").map_or_else(String::new, |condition| {
                format!(" if `{}`", clean(condition["title"].as_str().unwrap_or_default()))
            });
            (!members.is_empty())
                .then(|| format!("{} for {}{condition}", clean(&binding.role), members.join(", ")))
        };
        self.bindings.iter().filter_map(describe).collect()
    }

    /// The public grants, as text.
    pub(crate) fn public(&self) -> Vec<String> {
        let everybody = |binding: &Binding| -> Vec<String> {
            let members = binding.members.iter().filter(|one| PUBLIC.contains(&one.as_str()));
            members.map(|member| format!("{member} has {}", clean(&binding.role))).collect()
        };
        self.bindings.iter().flat_map(everybody).collect()
    }
}

impl Binding {
    fn is_plain(&self, role: &str) -> bool {
        self.role == role && !self.rest.contains_key("condition")
    }
}

/// The members that mean everyone.
const PUBLIC: [&str; 2] = ["allUsers", "allAuthenticatedUsers"];

/// What Cloud Storage itself puts into the policy of each new bucket (Cloud Storage docs, "IAM roles",
/// convenience values).
const CONVENIENCE: [&str; 3] = ["projectOwner:", "projectEditor:", "projectViewer:"];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::outside;

    const ROLE: &str = "roles/pubsub.publisher";
    const AGENT: &str = "serviceAccount:service-1@gs-project-accounts.iam.gserviceaccount.com";

    fn theirs() -> Policy {
        serde_json::from_value(json!({
            "version": 3,
            "etag": "BwXhqDVXTRw=",
            "bindings": [
                {"role": ROLE, "members": ["user:ann@acme.com"]},
                {"role": ROLE, "members": [AGENT],
                 "condition": {"title": "till spring", "expression": "request.time < timestamp('2027-03-01T00:00:00Z')"}},
                {"role": "roles/storage.objectViewer", "members": ["allUsers", "projectViewer:acme"],
                 "of_tomorrow": 1},
            ],
            "auditConfigs": [{"service": "allServices", "auditLogConfigs": [{"logType": "DATA_READ"}]}],
        }))
        .unwrap()
    }

    #[test]
    fn what_others_wrote_survives_giving_and_taking() {
        let mut policy = theirs();
        assert!(!policy.has(ROLE, AGENT), "a condition is not for us to rely on");
        assert!(policy.add(&[ROLE], AGENT));
        assert!(policy.has(ROLE, AGENT));
        assert!(!policy.add(&[ROLE], AGENT), "once is enough");
        assert_eq!(policy.bindings.len(), 3);
        assert!(policy.remove(&[ROLE], AGENT));
        assert!(!policy.remove(&[ROLE], AGENT));
        assert_eq!(policy, theirs());
        let written = serde_json::to_value(&policy).unwrap();
        assert_eq!(written["auditConfigs"][0]["service"], "allServices");
        assert_eq!(written["bindings"][2]["of_tomorrow"], 1);
    }

    #[test]
    fn an_empty_binding_goes_and_an_empty_policy_is_filled() {
        let mut policy = Policy::unset();
        assert!(policy.add(&[ROLE], AGENT));
        assert_eq!(
            serde_json::to_value(&policy).unwrap(),
            json!({"etag": "ACAB", "bindings": [{"role": ROLE, "members": [AGENT]}]})
        );
        assert!(policy.remove(&[ROLE], AGENT));
        assert!(policy.bindings.is_empty());
    }

    #[test]
    fn others_and_the_public_are_told() {
        let policy = theirs();
        assert_eq!(
            policy.others(&[ROLE], &[AGENT]),
            [
                "roles/pubsub.publisher for user:ann@acme.com".to_owned(),
                format!("roles/pubsub.publisher for {AGENT} if `till spring`"),
                "roles/storage.objectViewer for allUsers".to_owned(),
            ]
        );
        assert_eq!(policy.public(), ["allUsers has roles/storage.objectViewer"]);
    }

    proptest! {
        #[test]
        fn ours_is_there_once_and_others_stay(
            any in outside::json(&["bindings", "role", "members", "condition", "title", "etag", ROLE, AGENT]),
            roles in prop::collection::vec(prop::sample::select(&[ROLE, "roles/x", ""][..]), 0..4),
            member in outside::text(), condition: bool,
        ) {
            let binding = |role: &&str| match condition {
                true => json!({"role": role, "members": [member, AGENT], "condition": any}),
                false => json!({"role": role, "members": [member], "ofTomorrow": any}),
            };
            let before = json!({"version": 3, "bindings": roles.iter().map(binding).collect::<Vec<_>>(), "rest": any});
            let mut policy: Policy = serde_json::from_value(before.clone()).unwrap();
            let _ = (policy.others(&[ROLE], &[AGENT]), policy.public());
            if !policy.has(ROLE, AGENT) {
                prop_assert!(policy.add(&[ROLE], AGENT));
                prop_assert!(!policy.add(&[ROLE], AGENT));
                prop_assert!(policy.remove(&[ROLE], AGENT));
                prop_assert!(!policy.remove(&[ROLE], AGENT));
                prop_assert_eq!(serde_json::to_value(&policy).unwrap(), before);
            }
            if let Ok(mut policy) = serde_json::from_value::<Policy>(any) {
                let _ = (policy.others(&[ROLE], &[AGENT]), policy.public());
                policy.add(&[ROLE], AGENT);
                prop_assert!(policy.has(ROLE, AGENT));
            }
        }
    }
}
