//! What lets the reader of a team's bucket in, read back.

use crate::error::{Kind, Result};
use crate::providers::gcp::bucket::Described;
use crate::providers::gcp::iam_policy::Policy;
use crate::providers::gcp::service_account::ServiceAccount;
use crate::reader::{Reader, permitted};
use crate::verify::{Check, failed, inconclusive, passed};

/// Who may use the bucket of a team, and as what.
#[derive(Clone, Debug)]
pub(crate) struct TeamReader {
    /// The command that proves its access, of a server.
    pub node: String,
    pub reader: Reader<ServiceAccount>,
    pub account: ServiceAccount,
    pub roles: &'static [&'static str],
}

impl TeamReader {
    /// The checks of a bucket with this policy.
    pub(super) fn checks(&self, described: &Described, policy: &Result<Option<Policy>>) -> Vec<Check> {
        let unproved = self.reader.unproved(self.account.as_str(), &self.node);
        vec![self.permissions(policy), soft_delete(described), unproved]
    }

    fn permissions(&self, policy: &Result<Option<Policy>>) -> Check {
        let account = &self.account;
        let policy = match policy {
            Ok(policy) => policy.as_ref(),
            Err(error) if error.kind() == Kind::Denied => return permitted(inconclusive(error.chain())),
            Err(error) => return permitted(failed(error.chain(), "run `wbstore verify gcp` again")),
        };
        let member = format!("serviceAccount:{account}");
        let missing = self.roles.iter().find(|role| !policy.is_some_and(|policy| policy.has(role, &member)));
        permitted(match missing {
            Some(role) => failed(
                format!("{account} has not the role {role} on the bucket"),
                "`wbstore plan gcp` shows the difference; `wbstore provision gcp` grants it",
            ),
            None => passed(format!("{account} has {} on the bucket", self.roles.join(" and "))),
        })
    }
}

/// The only error that W&B's page lists for Google Cloud.
fn soft_delete(described: &Described) -> Check {
    let verdict = match described.soft_delete_seconds() {
        0 => failed(
            "soft delete is off, for which W&B's dialog shows \"Bucket does not have soft deletion enabled\"",
            "`wbstore provision gcp` turns it on",
        ),
        seconds => passed(format!("on, for {} days", seconds / (24 * 60 * 60))),
    };
    Check { name: "soft delete".to_owned(), verdict }
}
