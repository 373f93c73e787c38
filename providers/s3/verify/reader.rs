//! What lets the reader of a team's bucket in, read back.

use serde_json::Value;

use crate::error::{Kind, Result};
use crate::providers::s3::bucket::StoreBucket;
use crate::providers::s3::coreweave::CoreweavePrincipal;
use crate::providers::s3::knowledge::{Known, POLICY, ask};
use crate::providers::s3::session::Api;
use crate::providers::s3_protocol::policy_document::PolicyDocument;
use crate::reader::{Reader, permitted};
use crate::verify::{Check, Verdict, failed, inconclusive, passed};

/// Who may use the bucket of a team.
#[derive(Clone, Debug)]
pub(crate) struct TeamReader {
    /// The command that proves its access, of a server.
    pub node: String,
    pub reader: Reader<CoreweavePrincipal>,
    /// On CoreWeave the statement that lets the reader in; other stores give access by keys.
    pub statement: Option<Value>,
}

impl TeamReader {
    /// The checks of `bucket`.
    ///
    /// # Errors
    /// Those that prevent all checks.
    pub(super) async fn checks(&self, api: &Api, bucket: &str) -> Result<Vec<Check>> {
        let Some(statement) = &self.statement else {
            return Ok(vec![self.reader.unproved("the server's key", &self.node)]);
        };
        let principal = statement["Principal"]["CW"].as_str().unwrap_or_default();
        // No server has this principal: W&B itself assumes it for all of them.
        let unproved = Reader::<CoreweavePrincipal>::Dedicated.unproved(principal, "");
        Ok(vec![permitted(of_policy(api, bucket, statement, principal).await?), unproved])
    }
}

async fn of_policy(api: &Api, bucket: &str, statement: &Value, principal: &str) -> Result<Verdict> {
    let call = |root| api.s3.get_bucket_policy().bucket(bucket).customize().interceptor(root).send();
    let policy = match ask(&POLICY, StoreBucket::at(bucket), call).await {
        Ok(Known::Set(answer)) => answer.policy,
        Ok(Known::Unset | Known::NoBucket) => None,
        Ok(Known::Unknown(why)) => return Ok(inconclusive(why)),
        Err(error) if error.kind() == Kind::Denied => return Ok(inconclusive(error.chain())),
        Err(error) => return Err(error),
    };
    let document = PolicyDocument::parse_or_new(policy.as_deref())?;
    Ok(match document.equivalent(statement) {
        Some(_) => passed(format!("the bucket policy allows {principal} what W&B lists")),
        None => failed(
            format!("the bucket policy does not allow {principal} what W&B lists"),
            "`wbstore plan s3` shows the difference; `wbstore provision s3` sets the statement",
        ),
    })
}
