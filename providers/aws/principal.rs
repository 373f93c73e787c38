//! Principals of IAM, as policies of buckets and keys name them.

use std::str::FromStr;

use super::account::AccountId;
use super::region::Region;
use crate::error::{Error, Result};
use crate::value::{quoted, text_value};

/// The ARN of a role, a user or an account, `arn:<partition>:iam::<account>:role/<name>` (IAM user guide, "AWS JSON
/// policy elements: Principal").
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PrincipalArn {
    text: String,
    partition: String,
    account: AccountId,
}

text_value!(PrincipalArn);

const FORM: &str =
    "use the ARN of a role, a user or an account, such as `arn:aws:iam::123456789012:role/wandb`";

impl PrincipalArn {
    pub(crate) fn account(&self) -> &AccountId {
        &self.account
    }

    /// The name of the role, if it is one.
    pub(crate) fn role(&self) -> Option<&str> {
        self.text.split_once(":role/")?.1.rsplit('/').next()
    }

    /// Checks that a bucket in `region` can name it.
    ///
    /// # Errors
    /// [`Kind::Input`](crate::error::Kind::Input) for one of another partition.
    pub(crate) fn require_partition_of(&self, region: &Region) -> Result<()> {
        let here = region.partition().id;
        if self.partition == here {
            return Ok(());
        }
        Err(Error::input(format!(
            "{} is in the partition {}, but the bucket is in `{here}`",
            self.text,
            quoted(&self.partition)
        ))
        .hint("choose a reader of the bucket's partition, or another --region: no policy reaches beyond it"))
    }
}

impl FromStr for PrincipalArn {
    type Err = Error;

    fn from_str(input: &str) -> Result<Self> {
        let refuse = |why: &str, hint: &str| {
            Err(Error::input(format!("principal {} {why}", quoted(input))).hint(hint))
        };
        if input.contains('*') || input.contains('?') {
            return refuse("has a wildcard, which lets strangers in", FORM);
        }
        let fields: Vec<&str> = input.splitn(6, ':').collect();
        let ["arn", partition, service, "", account, resource] = fields[..] else {
            return refuse("is not the ARN of a principal", FORM);
        };
        let account: AccountId = account.parse().map_err(|error: Error| error.context("principal"))?;
        if let ("sts", Some(session)) = (service, resource.strip_prefix("assumed-role/")) {
            let role = session.split('/').next().unwrap_or_default();
            return refuse(
                "is a session of a role, which ends",
                &format!(
                    "use the role itself, `arn:{partition}:iam::{account}:role/{role}`; a role with a path has it before its name"
                ),
            );
        }
        let named = |kind| resource.strip_prefix(kind).is_some_and(is_name);
        if service != "iam" || !(resource == "root" || named("role/") || named("user/")) {
            return refuse("is not the ARN of a role, a user or an account", FORM);
        }
        Ok(Self { text: input.to_owned(), partition: partition.to_owned(), account })
    }
}

/// A name with its path (IAM user guide, "IAM and AWS STS quotas, name requirements, and character limits").
fn is_name(name: &str) -> bool {
    let letters = |segment: &str| {
        !segment.is_empty()
            && segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+=,.@_-".contains(&byte))
    };
    name.len() <= 512 + 64 && name.split('/').all(letters)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::reader::{AWS, Reader};

    #[test]
    fn a_role_a_user_and_an_account_are_principals() {
        for (arn, account) in [
            (AWS.dedicated, "830241207209"),
            (AWS.multi_tenant, "725579432336"),
            ("arn:aws-us-gov:iam::123456789012:role/a/path/wandb", "123456789012"),
            ("arn:aws:iam::123456789012:user/wandb", "123456789012"),
        ] {
            let principal: PrincipalArn = arn.parse().unwrap();
            assert_eq!((principal.as_str(), principal.account().as_str()), (arn, account));
        }
        let role = |arn: &str| arn.parse::<PrincipalArn>().unwrap().role().map(str::to_owned);
        assert_eq!(role("arn:aws:iam::123456789012:role/a/path/wandb").as_deref(), Some("wandb"));
        assert_eq!(role("arn:aws:iam::123456789012:user/role/wandb"), None);
        let china: PrincipalArn = "arn:aws-cn:iam::123456789012:root".parse().unwrap();
        assert!(china.require_partition_of(&"cn-north-1".parse().unwrap()).is_ok());
        let error = china.require_partition_of(&Region::us_east_1()).unwrap_err();
        assert!(error.to_string().contains("partition `aws-cn`"), "{error}");
    }

    #[test]
    fn what_is_no_principal_is_rejected_with_a_hint() {
        for (bad, why) in [
            ("*", "has a wildcard"),
            ("arn:aws:iam::123456789012:role/*", "has a wildcard"),
            ("123456789012", "is not the ARN of a principal"),
            ("arn:aws:iam::1:role/a", "AWS account ID `1`"),
            ("arn:aws:iam::123456789012:role/", "is not the ARN of a role"),
            ("arn:aws:iam::123456789012:group/a", "is not the ARN of a role"),
            ("arn:aws:s3:::acme", "AWS account ID"),
            ("arn:aws:sts::123456789012:assumed-role/wandb/i-1", "is a session of a role"),
        ] {
            let error = bad.parse::<PrincipalArn>().unwrap_err();
            assert!(error.chain().contains(why), "{bad}: {}", error.chain());
            assert!(error.what_next().is_some(), "{bad}: no hint");
        }
        let misspelled = "selfmanaged".parse::<Reader<PrincipalArn>>().unwrap_err();
        assert!(misspelled.what_next().unwrap().contains("`self-managed`"), "{misspelled:?}");
        assert_eq!("dedicated".parse::<Reader<PrincipalArn>>().unwrap(), Reader::Dedicated);
    }

    proptest! {
        #[test]
        fn never_panics(input in any::<String>(), field in "[a-z0-9:/*-]{0,40}") {
            let _ = input.parse::<PrincipalArn>();
            let _ = format!("arn:aws:iam::{field}").parse::<PrincipalArn>();
        }
    }
}
