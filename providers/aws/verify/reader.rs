//! What lets the reader of a team's bucket in, read back: the policy of the bucket and that of its key.

use crate::error::{Kind, Result};
use crate::name::StorageName;
use crate::providers::aws::account::AccountId;
use crate::providers::aws::bucket::S3Bucket;
use crate::providers::aws::bucket_statement::bucket_policy;
use crate::providers::aws::encryption;
use crate::providers::aws::failure::failure;
use crate::providers::aws::principal::PrincipalArn;
use crate::providers::aws::session::Api;
use crate::providers::s3_protocol::policy_document::PolicyDocument;
use crate::reader::{KMS_ACTIONS, Reader, S3_ACTIONS, permitted};
use crate::verify::{Check, Verdict, failed, inconclusive, passed, warned};

/// Who may use the bucket of a team.
#[derive(Clone, Debug)]
pub(crate) struct TeamReader {
    pub storage: StorageName,
    pub reader: Reader<PrincipalArn>,
    pub principal: PrincipalArn,
    /// The command that proves its access, of a server.
    pub node: String,
}

impl TeamReader {
    /// The checks of `bucket` and its key.
    ///
    /// # Errors
    /// Those that prevent all checks.
    pub(super) async fn checks(&self, api: &Api, bucket: &str) -> Result<Vec<Check>> {
        let (policy, key) = futures::join!(self.of_bucket(api, bucket), self.of_key(api, bucket));
        let key = key?.map(|verdict| Check { name: "key policy".to_owned(), verdict });
        let unproved = self.reader.unproved(self.principal.as_str(), &self.node);
        Ok([permitted(policy?)].into_iter().chain(key).chain([unproved]).collect())
    }

    /// Whether the policy of `bucket` allows all that W&B's page lists.
    async fn of_bucket(&self, api: &Api, bucket: &str) -> Result<Verdict> {
        let document = match bucket_policy(api, bucket, &S3Bucket::at(bucket)).await {
            Ok(document) => document,
            Err(error) if error.kind() == Kind::Denied => return Ok(inconclusive(error.chain())),
            Err(error) => return Err(error),
        };
        let arn = format!("arn:{}:s3:::{bucket}", api.region.partition().id);
        let principal = self.principal.as_str();
        let (of_objects, of_bucket): (Vec<&str>, Vec<&str>) =
            S3_ACTIONS.iter().partition(|action| action.contains("Object") || action.contains("Abort"));
        let lacking = document.not_allowed(principal, &of_bucket, &arn);
        let objects = document.not_allowed(principal, &of_objects, &format!("{arn}/*"));
        if let Some(action) = lacking.into_iter().chain(objects).next() {
            return Ok(failed(
                format!("the bucket policy does not allow {principal} {action}"),
                "`wbstore plan aws` shows the difference; `wbstore provision aws` sets the statement",
            ));
        }
        let denials = document.denials(&self.storage.entry_id(), &S3_ACTIONS, principal);
        Ok(match denials.into_iter().next() {
            Some(denial) => warned(denial, "check that the statement does not apply to the reader"),
            None => passed(format!("the bucket policy allows {principal} what W&B lists")),
        })
    }

    /// Whether the policy of the key that encrypts `bucket` allows it too; `None` without such a key.
    async fn of_key(&self, api: &Api, bucket: &str) -> Result<Option<Verdict>> {
        let Some(key) = encryption::key_of(api, bucket).await? else { return Ok(None) };
        let answer = api.kms.get_key_policy().key_id(&key).policy_name("default").send().await;
        let policy = match answer {
            Ok(answer) => answer.policy,
            Err(error) => {
                let error = failure(error, "kms:GetKeyPolicy", &key);
                return Ok(Some(inconclusive(error.chain())));
            }
        };
        Ok(Some(match PolicyDocument::parse_or_new(policy.as_deref()) {
            Ok(policy) => self.judge(&policy, &key),
            Err(error) => inconclusive(error.chain()),
        }))
    }

    /// Whether `policy` lets the reader use `key`.
    fn judge(&self, policy: &PolicyDocument, key: &str) -> Verdict {
        let principal = self.principal.as_str();
        let Some(missing) = policy.not_allowed(principal, &KMS_ACTIONS, key).into_iter().next() else {
            return passed(format!("the policy of {key} allows {principal} what W&B lists"));
        };
        if let Some(account) = account_of(key).filter(|account| account == self.principal.account())
            && policy.not_allowed(account.as_str(), &KMS_ACTIONS, key).is_empty()
        {
            return passed(format!(
                "the policy of {key} leaves it to the IAM policies of the account {account}, of which {principal} is one"
            ));
        }
        warned(
            format!("the policy of {key} does not allow {principal} {missing} without a condition"),
            "`wbstore policy aws --for team-key` with the same arguments prints the statements to add",
        )
    }
}

fn account_of(key: &str) -> Option<AccountId> {
    key.split(':').nth(4)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const KEY: &str = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab";

    fn judged(principal: &str, statements: Value) -> Verdict {
        let reader = TeamReader {
            storage: "acme".parse::<crate::name::DeploymentName>().unwrap().into(),
            reader: Reader::SelfManaged,
            principal: principal.parse().unwrap(),
            node: String::new(),
        };
        let policy = json!({ "Version": "2012-10-17", "Statement": statements }).to_string();
        reader.judge(&policy.parse().unwrap(), KEY)
    }

    #[test]
    fn the_policy_of_a_key_is_read_as_iam_reads_it() {
        let allow = |principal: &str, actions: Value| json!({ "Effect": "Allow", "Principal": { "AWS": principal }, "Action": actions, "Resource": "*" });
        let (own, theirs) = ("arn:aws:iam::123456789012:role/wandb", "arn:aws:iam::830241207209:root");
        let root = allow("arn:aws:iam::123456789012:root", json!("kms:*"));
        let listed = json!(KMS_ACTIONS);
        let is_passed = |verdict: Verdict| matches!(verdict, Verdict::Passed { .. });
        assert!(is_passed(judged(theirs, json!([allow("830241207209", listed.clone())]))));
        assert!(is_passed(judged(theirs, json!([allow(theirs, json!(["KMS:*"]))]))));
        assert!(is_passed(judged(own, json!([root.clone()]))), "IAM policies of the account decide");
        // Another account cannot be let in by the account of the key.
        assert!(!is_passed(judged(theirs, json!([root]))));
        let few = allow(theirs, json!(["kms:Decrypt", "kms:Describe*"]));
        let Verdict::Warned { reason, .. } = judged(theirs, json!([few])) else { panic!("no warning") };
        assert!(reason.contains("does not allow arn:aws:iam::830241207209:root kms:Encrypt"), "{reason}");
        let mut narrow = allow(theirs, listed.clone());
        narrow["Condition"] = json!({ "StringEquals": { "kms:ViaService": "ec2.us-east-1.amazonaws.com" } });
        assert!(!is_passed(judged(theirs, json!([narrow]))));
        let mut elsewhere = allow(theirs, listed);
        elsewhere["Resource"] = json!(KEY.replace("us-east-1", "us-east-2"));
        assert!(!is_passed(judged(theirs, json!([elsewhere]))));
    }
}
