//! The name of the role that the server has.

use super::account::AccountId;
use super::region::Region;
use crate::name::DeploymentName;
use crate::names::{Rule, checked_name, digits};

checked_name! {
    /// The name of a role, without a path (IAM user guide, "IAM and AWS STS quotas, name requirements, and character
    /// limits").
    RoleName,
    what: "role name",
    form: "1 to 64 letters, digits and +=,.@_-, such as `wandb`",
    letters: "a-zA-Z0-9+=,.@_-",
    first: "a-zA-Z0-9+=,.@_-",
    last: "a-zA-Z0-9+=,.@_-",
    length: 1..=64,
    collection: "role",
    ..Rule::ANY
}

impl RoleName {
    /// The role of the server of `deployment`: another in every region, as names of roles are unique in an account.
    pub(crate) fn default_for(deployment: &DeploymentName, account: &AccountId, region: &Region) -> Self {
        let hash = digits(&[deployment.as_str(), account.as_str(), region.as_str()]);
        Self { text: format!("wbstore-node-{deployment}-{hash}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::laws::{defaults_are_valid, obeys};

    #[test]
    fn a_role_has_a_name_that_iam_accepts() {
        obeys(
            &RoleName::RULE,
            &["wandb", "Team_A+b=c,d.e@f-g", &"r".repeat(64)],
            &[
                ("", "the role name is empty", "use 1 to 64"),
                ("a/b", "contains `/` at position 2", "use 1 to 64"),
                ("a'b", "contains `'` at position 2", "use 1 to 64"),
                ("arn:aws:iam::123456789012:role/path/wandb", "is an ARN", "use `wandb`"),
                (&"r".repeat(65), "has 65 characters", "use 1 to 64"),
            ],
        );
    }

    #[test]
    fn every_deployment_has_a_valid_role() {
        let account = "123456789012".parse().unwrap();
        defaults_are_valid(|storage| {
            RoleName::default_for(&storage.deployment, &account, &"us-east-1".parse().unwrap())
        });
    }
}
