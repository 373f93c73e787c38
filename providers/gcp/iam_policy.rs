//! An IAM policy that several parties write into: read, merged by role and member, written with its etag.
//!
//! Only bindings without a condition are ours to write: one with a condition is somebody's own wish,
//! even for the same role and member, and stays as it is. What this code does not know of a policy
//! (audit configurations, fields of tomorrow) goes back as it came.

use google_cloud_iam_v1::model::{Binding, Policy};

use crate::text::clean;

/// The version that shows conditions instead of leaving them out (IAM docs, "Specifying a policy
/// version when getting a policy").
pub const VERSION: i32 = 3;

/// The members that stand for everybody.
const PUBLIC: [&str; 2] = ["allUsers", "allAuthenticatedUsers"];

/// What Cloud Storage itself puts into the policy of each new bucket (Cloud Storage docs, "IAM roles",
/// convenience values).
const CONVENIENCE: [&str; 3] = ["projectOwner:", "projectEditor:", "projectViewer:"];

/// Whether `member` has `role` without any condition.
pub fn has(policy: &Policy, role: &str, member: &str) -> bool {
    policy
        .bindings
        .iter()
        .any(|binding| is_plain(binding, role) && binding.members.iter().any(|one| one == member))
}

/// Gives `role` to `member`; tells whether that changed anything.
pub fn add(policy: &mut Policy, role: &str, member: &str) -> bool {
    if has(policy, role, member) {
        return false;
    }
    match policy.bindings.iter_mut().find(|binding| is_plain(binding, role)) {
        Some(binding) => binding.members.push(member.to_owned()),
        None => policy.bindings.push(Binding::new().set_role(role).set_members([member])),
    }
    true
}

/// Takes `role` from `member`; tells whether that changed anything.
pub fn remove(policy: &mut Policy, role: &str, member: &str) -> bool {
    if !has(policy, role, member) {
        return false;
    }
    for binding in policy.bindings.iter_mut().filter(|binding| is_plain(binding, role)) {
        binding.members.retain(|one| one != member);
    }
    policy.bindings.retain(|binding| !binding.members.is_empty());
    true
}

/// The bindings but for ours, in words.
pub fn others(policy: &Policy, role: &str, member: &str) -> Vec<String> {
    let describe = |binding: &Binding| {
        let ours = is_plain(binding, role);
        let members: Vec<_> = binding
            .members
            .iter()
            .filter(|one| !(ours && *one == member))
            .filter(|one| !CONVENIENCE.iter().any(|prefix| one.starts_with(prefix)))
            .map(|one| clean(one))
            .collect();
        let condition =
            binding.condition.as_ref().map(|condition| format!(" if `{}`", clean(&condition.title)));
        (!members.is_empty()).then(|| {
            format!("{} for {}{}", clean(&binding.role), members.join(", "), condition.unwrap_or_default())
        })
    };
    policy.bindings.iter().filter_map(describe).collect()
}

/// What is open to everybody, in words.
pub fn public(policy: &Policy) -> Vec<String> {
    let everybody = |binding: &Binding| -> Vec<String> {
        let members = binding.members.iter().filter(|one| PUBLIC.contains(&one.as_str()));
        members.map(|member| format!("{member} has {}", clean(&binding.role))).collect()
    };
    policy.bindings.iter().flat_map(everybody).collect()
}

fn is_plain(binding: &Binding, role: &str) -> bool {
    binding.role == role && binding.condition.is_none()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const ROLE: &str = "roles/pubsub.publisher";
    const AGENT: &str = "serviceAccount:service-1@gs-project-accounts.iam.gserviceaccount.com";

    fn policy(value: Value) -> Policy {
        serde_json::from_value(value).unwrap()
    }

    fn theirs() -> Value {
        json!({
            "version": 3,
            "etag": "BwXhqDVXTRw=",
            "bindings": [
                {"role": ROLE, "members": ["user:ann@acme.com"]},
                {"role": ROLE, "members": [AGENT],
                 "condition": {"title": "till spring", "expression": "request.time < timestamp('2027-03-01T00:00:00Z')"}},
                {"role": "roles/storage.objectViewer", "members": ["allUsers", "projectViewer:acme"]},
            ],
            "auditConfigs": [{"service": "allServices", "auditLogConfigs": [{"logType": "DATA_READ"}]}],
        })
    }

    #[test]
    fn what_others_wrote_survives_giving_and_taking() {
        let before = policy(theirs());
        let mut policy = before.clone();
        assert!(!has(&policy, ROLE, AGENT), "a condition is not for us to rely on");
        assert!(add(&mut policy, ROLE, AGENT));
        assert!(has(&policy, ROLE, AGENT));
        assert!(!add(&mut policy, ROLE, AGENT), "once is enough");
        assert_eq!(policy.bindings.len(), 3);
        assert!(remove(&mut policy, ROLE, AGENT));
        assert!(!remove(&mut policy, ROLE, AGENT));
        assert_eq!(serde_json::to_value(&policy).unwrap(), serde_json::to_value(&before).unwrap());
        assert_eq!(policy.audit_configs.len(), 1);
    }

    #[test]
    fn an_empty_binding_goes_and_an_empty_policy_is_filled() {
        let mut policy = Policy::new();
        assert!(add(&mut policy, ROLE, AGENT));
        assert_eq!(policy.bindings[0].members, [AGENT]);
        assert!(remove(&mut policy, ROLE, AGENT));
        assert!(policy.bindings.is_empty());
    }

    #[test]
    fn others_and_the_public_are_told() {
        let policy = policy(theirs());
        assert_eq!(
            others(&policy, ROLE, AGENT),
            [
                "roles/pubsub.publisher for user:ann@acme.com".to_owned(),
                format!("roles/pubsub.publisher for {AGENT} if `till spring`"),
                "roles/storage.objectViewer for allUsers".to_owned(),
            ]
        );
        assert_eq!(public(&policy), ["allUsers has roles/storage.objectViewer"]);
    }
}
