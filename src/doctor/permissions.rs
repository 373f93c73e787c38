//! Whether the operator may do what the policy of `policy --for operator` allows.

use crate::verify::{Verdict, failed, inconclusive, passed, warned};

/// The most permissions that one line names.
const NAMED: usize = 12;

/// One permission of the policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Permission {
    /// As the cloud calls it, such as `s3:PutBucketCORS`.
    pub(crate) name: String,
    /// What it is on.
    pub(crate) target: String,
    /// Whether only a teardown requires it, which an operator may do without.
    pub(crate) only_for_teardown: bool,
}

/// What a cloud answers about the permissions of the policy.
#[derive(Clone, Debug)]
pub(crate) struct Tested {
    /// How many were asked for.
    pub(crate) count: usize,
    pub(crate) missing: Vec<Permission>,
    /// Whether they are on the parts of the deployment `wbstore`, as none is named: a policy for another does not allow
    /// them.
    pub(crate) on_example: bool,
}

/// The verdict on what `cloud` answers.
pub(crate) fn judge(cloud: &str, tested: &Tested) -> Verdict {
    let Tested { count, missing, on_example } = tested;
    if missing.is_empty() {
        return passed(format!("all {count} of `wbstore policy {cloud} --for operator`"));
    }
    let what = format!("{} of {count} are missing: {}", missing.len(), listed(missing));
    if *on_example {
        return inconclusive(format!(
            "{what}; that is for a deployment called wbstore: add `--host` or `--name` to check yours"
        ));
    }
    if missing.iter().all(|permission| permission.only_for_teardown) {
        return warned(
            format!("teardown is not allowed: {what}"),
            "leave it so where wbstore must not delete anything; otherwise grant them",
        );
    }
    failed(
        what,
        format!("grant them; `wbstore policy {cloud} --for operator` prints all required permissions"),
    )
}

/// The permissions by what they are on.
fn listed(missing: &[Permission]) -> String {
    let shown = &missing[..missing.len().min(NAMED)];
    let on_each = shown.chunk_by(|one, next| one.target == next.target).map(|same| {
        let names: Vec<_> = same.iter().map(|permission| permission.name.as_str()).collect();
        format!("{} on {}", names.join(", "), same[0].target)
    });
    let on_each: Vec<_> = on_each.collect();
    let more = match missing.len() - shown.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{}{more}", on_each.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing(names: &[(&str, &str, bool)]) -> Vec<Permission> {
        let one = |(name, target, only_for_teardown): &(&str, &str, bool)| Permission {
            name: (*name).to_owned(),
            target: (*target).to_owned(),
            only_for_teardown: *only_for_teardown,
        };
        names.iter().map(one).collect()
    }

    fn judged(missing: Vec<Permission>, on_example: bool) -> Verdict {
        judge("aws", &Tested { count: 40, missing, on_example })
    }

    #[test]
    fn what_is_missing_is_named_by_what_it_is_on() {
        assert_eq!(judged(vec![], true), passed("all 40 of `wbstore policy aws --for operator`"));
        let some = missing(&[("a", "x", false), ("b", "x", true), ("c", "y", false)]);
        let Verdict::Failed { reason, hint } = judged(some.clone(), false) else { panic!("it fails") };
        assert_eq!(reason, "3 of 40 are missing: a, b on x; c on y");
        assert!(hint.is_some_and(|hint| hint.contains("`wbstore policy aws --for operator`")));
        assert!(
            matches!(judged(some, true), Verdict::Inconclusive { reason } if reason.contains("`--host`"))
        );
        let teardown = judged(missing(&[("b", "x", true)]), false);
        assert!(
            matches!(teardown, Verdict::Warned { reason, .. } if reason.starts_with("teardown is not allowed"))
        );
        let many = vec![missing(&[("a", "x", false)]).remove(0); 20];
        assert!(
            matches!(judged(many, false), Verdict::Failed { reason, .. } if reason.ends_with(" on x and 8 more"))
        );
    }
}
