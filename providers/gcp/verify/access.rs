//! Whether the bucket is shut: public access prevention, and nobody in its policy who is everybody.

use super::{failed, inconclusive, passed};
use crate::error::{Error, Kind, Result};
use crate::provider::Verdict;
use crate::providers::gcp::bucket::Described;
use crate::providers::gcp::iam_policy::Policy;

/// The setting that refuses every grant to everybody (Cloud Storage documentation, "Public access
/// prevention").
const ENFORCED: &str = "enforced";

/// Checks that the bucket of that name, as it is `described` and with its `policy`, is open to nobody who
/// is not named.
///
/// # Errors
/// Those of the policy's call that are not about the policy, such as expired credentials.
pub fn check(bucket: &str, described: &Described, policy: Result<Option<Policy>>) -> Result<Verdict> {
    let enforced = described.public_access_prevention() == ENFORCED;
    let policy = match policy {
        Ok(policy) => policy.unwrap_or_default(),
        Err(error) if error.kind() == Kind::Denied => return Ok(untold(enforced, &error)),
        Err(error) => return Err(error),
    };
    let public = policy.public();
    Ok(match public.first() {
        // Prevention overrules such a grant; without it the door is open.
        Some(_) if !enforced => failed(
            format!("everybody has access: {}", public.join("; ")),
            format!(
                "remove it with `gcloud storage buckets remove-iam-policy-binding gs://{bucket} \
                 --member MEMBER --role ROLE`, then run `wbstore provision gcp` again"
            ),
        ),
        Some(_) => failed(
            format!(
                "its policy names everybody, which only public access prevention holds back: {}",
                public.join("; ")
            ),
            format!("remove it with `gcloud storage buckets remove-iam-policy-binding gs://{bucket}`"),
        ),
        None if !enforced => failed(
            "public access prevention is not enforced, so that a single grant could open it",
            "run `wbstore provision gcp` again; it enforces it",
        ),
        None => passed("no grant is for everybody, and public access prevention is enforced"),
    })
}

fn untold(enforced: bool, error: &Error) -> Verdict {
    if enforced {
        passed("public access prevention is enforced; its policy may not be read")
    } else {
        inconclusive(error.chain())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn with(prevention: &str) -> Described {
        Described::from(json!({ "iamConfiguration": { "publicAccessPrevention": prevention } }))
    }

    fn everybody() -> Policy {
        let mut policy = Policy::unset();
        policy.add("roles/storage.objectViewer", "allUsers");
        policy
    }

    fn told(described: &Described, policy: Result<Option<Policy>>) -> Verdict {
        check("acme", described, policy).unwrap()
    }

    #[test]
    fn shut_is_what_names_nobody_and_prevents_everybody() {
        assert!(matches!(told(&with("enforced"), Ok(Some(Policy::default()))), Verdict::Passed { .. }));
        assert!(matches!(told(&with("inherited"), Ok(Some(Policy::default()))), Verdict::Failed { .. }));
        let Verdict::Failed { reason, .. } = told(&with("enforced"), Ok(Some(everybody()))) else { panic!() };
        assert!(reason.contains("allUsers has roles/storage.objectViewer"), "{reason}");
        let Verdict::Failed { reason, .. } = told(&with(""), Ok(Some(everybody()))) else { panic!() };
        assert!(reason.starts_with("everybody has access"), "{reason}");
    }

    #[test]
    fn a_policy_that_may_not_be_read_leaves_it_to_the_prevention() {
        let denied = || Err(Error::new(Kind::Denied, "no"));
        assert!(matches!(told(&with("enforced"), denied()), Verdict::Passed { .. }));
        assert!(matches!(told(&with(""), denied()), Verdict::Inconclusive { .. }));
        assert!(check("acme", &with(""), Err(Error::new(Kind::Credentials, "no"))).is_err());
    }
}
