//! The KMS key that encrypts a bucket.

use std::str::FromStr;

use super::account::AccountId;
use super::region::Region;
use crate::error::{Error, Result};
use crate::names::is_guid;
use crate::value::{quoted, text_value};

/// The ARN of a key, `arn:<partition>:kms:<region>:<account>:key/<id>` (KMS developer guide, "Key
/// identifiers").
///
/// Only the key's own ARN is accepted. An alias can be pointed at another key, after which the policies that
/// name the first one are wrong; and an id alone leaves account and region to chance.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct KmsKeyArn {
    text: String,
    region: Region,
    account: AccountId,
}

text_value!(KmsKeyArn);

const FORM: &str = "use the key's ARN, such as `arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab`";

impl KmsKeyArn {
    /// Checks that a bucket in `region` can use the key: S3 accepts keys of the bucket's own region only (S3
    /// user guide, "Using server-side encryption with AWS KMS keys").
    ///
    /// # Errors
    /// [`Kind::Input`](crate::error::Kind::Input) when it cannot.
    pub(crate) fn require_region(&self, region: &Region) -> Result<()> {
        if &self.region == region {
            return Ok(());
        }
        Err(Error::input(format!("the KMS key is in {}, but the bucket is in {region}", self.region))
            .hint(format!("use a key in {region}; S3 requires a key of the bucket's region")))
    }
}

impl FromStr for KmsKeyArn {
    type Err = Error;

    fn from_str(input: &str) -> Result<Self> {
        let refuse =
            |why: &str, hint: &str| Err(Error::input(format!("KMS key {} {why}", quoted(input))).hint(hint));
        let alias = input.rsplit(':').next().filter(|last| last.starts_with("alias/"));
        if let Some(alias) = alias {
            return if alias.starts_with("alias/aws/") {
                refuse(
                    "belongs to AWS, and its key policy cannot allow S3 and the W&B server to use it",
                    "use the ARN of a customer managed key, or omit `--kms-key` for the default encryption",
                )
            } else {
                refuse(
                    "is an alias, which can be pointed at another key without a change to the policies",
                    "use the ARN that `aws kms describe-key --key-id <alias> --query KeyMetadata.Arn` prints",
                )
            };
        }
        let fields: Vec<&str> = input.splitn(6, ':').collect();
        let ["arn", partition, "kms", region, account, resource] = fields[..] else {
            return refuse("is not the ARN of a key", FORM);
        };
        let Some(id) = resource.strip_prefix("key/").filter(|id| is_key_id(id)) else {
            return refuse("is not the ARN of a key", FORM);
        };
        let region: Region = region.parse().map_err(|error: Error| error.context("KMS key"))?;
        let account: AccountId = account.parse().map_err(|error: Error| error.context("KMS key"))?;
        let expected = region.partition().id;
        if partition != expected {
            return refuse(
                &format!("is in partition {}, but its region in `{expected}`", quoted(partition)),
                &format!("use `arn:{expected}:kms:{region}:{account}:key/{id}`"),
            );
        }
        Ok(Self { text: input.to_owned(), region, account })
    }
}

/// A UUID, or `mrk-` and 32 hex digits for a multi-Region key.
fn is_key_id(id: &str) -> bool {
    let hex = |text: &str, length| text.len() == length && text.bytes().all(|b| b.is_ascii_hexdigit());
    if let Some(digits) = id.strip_prefix("mrk-") {
        return hex(digits, 32);
    }
    is_guid(id)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ID: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";

    #[test]
    fn takes_the_arn_of_a_key() {
        let single = format!("arn:aws:kms:us-east-1:123456789012:key/{ID}");
        let multi = "arn:aws-cn:kms:cn-north-1:123456789012:key/mrk-1234abcd12ab34cd56ef1234567890ab";
        for good in [single.as_str(), multi] {
            assert_eq!(good.parse::<KmsKeyArn>().unwrap().as_str(), good);
        }
        let key: KmsKeyArn = single.parse().unwrap();
        assert!(key.require_region(&Region::us_east_1()).is_ok());
        let error = key.require_region(&"eu-west-1".parse().unwrap()).unwrap_err();
        assert_eq!(error.to_string(), "the KMS key is in us-east-1, but the bucket is in eu-west-1");
    }

    #[test]
    fn refuses_the_rest_and_says_why() {
        for (bad, message) in [
            ("", "KMS key `` is not the ARN of a key".to_owned()),
            (ID, format!("KMS key `{ID}` is not the ARN of a key")),
            (
                "alias/aws/s3",
                "KMS key `alias/aws/s3` belongs to AWS, and its key policy cannot allow S3 and the W&B server to \
                 use it"
                    .to_owned(),
            ),
            (
                "arn:aws:kms:us-east-1:123456789012:alias/acme",
                "KMS key `arn:aws:kms:us-east-1:123456789012:alias/acme` is an alias, which can be pointed \
                 at another key without a change to the policies"
                    .to_owned(),
            ),
            (
                "arn:aws:kms:us-east-1:123456789012:key/nope",
                "KMS key `arn:aws:kms:us-east-1:123456789012:key/nope` is not the ARN of a key".to_owned(),
            ),
            (
                &format!("arn:aws:kms:nowhere:123456789012:key/{ID}"),
                "KMS key: `nowhere` is not an AWS region".to_owned(),
            ),
            (
                &format!("arn:aws:kms:us-east-1:1234:key/{ID}"),
                "KMS key: AWS account ID `1234` has 4 characters; 12 are required".to_owned(),
            ),
            (
                &format!("arn:aws:kms:cn-north-1:123456789012:key/{ID}"),
                format!(
                    "KMS key {} is in partition `aws`, but its region in `aws-cn`",
                    quoted(&format!("arn:aws:kms:cn-north-1:123456789012:key/{ID}"))
                ),
            ),
        ] {
            let error = bad.parse::<KmsKeyArn>().unwrap_err();
            assert_eq!(error.to_string(), message);
            assert!(error.what_next().is_some(), "{bad}: no hint");
        }
    }

    proptest! {
        #[test]
        fn never_panics(input in any::<String>(), field in "[a-z0-9:/-]{0,40}") {
            let _ = input.parse::<KmsKeyArn>();
            let _ = format!("arn:aws:kms:{field}").parse::<KmsKeyArn>();
        }
    }
}
