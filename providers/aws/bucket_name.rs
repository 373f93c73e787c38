//! Names of S3 buckets.

use std::net::Ipv4Addr;
use std::str::FromStr;

use sha2::{Digest, Sha256};

use super::account::AccountId;
use super::region::Region;
use crate::error::{Error, Result};
use crate::name::DeploymentName;
use crate::value::{quoted, text_value};

/// The name of a general purpose bucket that W&B can use.
///
/// The rules are those of the S3 user guide, "General purpose bucket naming rules", and one of our
/// own: no dots. W&B hands out presigned virtual-host URLs, and the certificate for
/// `*.s3.<region>.amazonaws.com` does not cover a name with a dot.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BucketName {
    text: String,
}

text_value!(BucketName);

/// Beginnings that S3 keeps for itself.
const RESERVED_PREFIXES: [&str; 3] = ["xn--", "sthree-", "amzn-s3-demo-"];

/// Endings that S3 keeps for itself, and for what. `.mrap` (Multi-Region Access Points) is not
/// here because the dot is refused already.
const RESERVED_SUFFIXES: [(&str, &str); 5] = [
    ("-s3alias", "access point aliases"),
    ("--ol-s3", "Object Lambda access points"),
    ("--x-s3", "directory buckets"),
    ("--table-s3", "table buckets"),
    ("-an", "buckets in an account regional namespace"),
];

impl BucketName {
    /// The name of a deployment's bucket where none is given:
    /// `wbstore-<deployment>-<8 hex digits>`.
    ///
    /// The digits come from a hash of deployment, account and region. So every machine finds the
    /// same bucket without a state file, and the name is unlikely to be taken, although the same
    /// deployment name is in use in many accounts.
    pub fn default_for(deployment: &DeploymentName, account: &AccountId, region: &Region) -> Self {
        let digest = Sha256::digest(format!("{deployment}\n{account}\n{region}"));
        let hash: String = digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        Self { text: format!("wbstore-{deployment}-{hash}") }
    }
}

impl FromStr for BucketName {
    type Err = Error;

    fn from_str(input: &str) -> Result<Self> {
        // A URL is not repeated: W&B's own form of it, `s3://<key>:<secret>@…`, holds a secret.
        if input.contains("://") {
            return Err(
                Error::input("the bucket name is a URL").hint("use the name alone, such as `acme-wandb`")
            );
        }
        match fault(input) {
            None => Ok(Self { text: input.to_owned() }),
            Some((why, hint)) => Err(Error::input(format!("bucket name {} {why}", quoted(input))).hint(hint)),
        }
    }
}

/// What is wrong with a name, and what to do about it. The most telling fault comes first: an
/// address is not "dotted", and an ARN not "too long".
fn fault(name: &str) -> Option<(String, String)> {
    const FORM: &str = "use 3 to 63 of a-z, 0-9 and -, such as `acme-wandb`";
    let plain = |why: String| Some((why, FORM.to_owned()));
    let length = name.chars().count();
    if name.starts_with("arn:") {
        return Some(("is an ARN".to_owned(), "use the name alone, which is its last part".to_owned()));
    }
    if name.parse::<Ipv4Addr>().is_ok() {
        return plain("is formatted as an IP address".to_owned());
    }
    if name.bytes().any(|b| b.is_ascii_uppercase()) {
        let lower = name.to_ascii_lowercase();
        let hint = if fault(&lower).is_none() { format!("use `{lower}`") } else { FORM.to_owned() };
        return Some(("has upper case letters".to_owned(), hint));
    }
    if name.contains('.') {
        let dashed = name.replace('.', "-");
        let hint = if fault(&dashed).is_none() {
            format!("use hyphens instead, such as `{dashed}`")
        } else {
            FORM.to_owned()
        };
        let why = "has a dot, and browsers refuse the certificate for its https://<bucket>.s3 URLs, which W&B hands out";
        return Some((why.to_owned(), hint));
    }
    if let Some(bad) = name.chars().find(|c| !matches!(c, 'a'..='z' | '0'..='9' | '-')) {
        return plain(format!("contains {}", quoted(&bad.to_string())));
    }
    if length < 3 {
        return plain(format!("has {length} characters; at least 3 are needed"));
    }
    if length > 63 {
        return plain(format!("has {length} characters; at most 63 are allowed"));
    }
    if name.starts_with('-') || name.ends_with('-') {
        return plain("begins or ends with a hyphen".to_owned());
    }
    if let Some(prefix) = RESERVED_PREFIXES.into_iter().find(|prefix| name.starts_with(prefix)) {
        return plain(format!("begins with `{prefix}`, which S3 reserves"));
    }
    let (suffix, owner) = RESERVED_SUFFIXES.into_iter().find(|(suffix, _)| name.ends_with(suffix))?;
    plain(format!("ends with `{suffix}`, which S3 reserves for {owner}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn accepts_what_s3_accepts() {
        for good in ["abc", "acme-wandb", "a--b", "0-0", "1234", "wan", "my-s3", &"a".repeat(63)] {
            assert_eq!(good.parse::<BucketName>().unwrap().as_str(), good);
        }
    }

    #[test]
    fn each_rule_has_its_own_message() {
        for (bad, why, hint) in [
            ("", "has 0 characters; at least 3 are needed", "use 3 to 63"),
            ("ab", "has 2 characters; at least 3 are needed", "use 3 to 63"),
            (&"a".repeat(64), "has 64 characters; at most 63 are allowed", "use 3 to 63"),
            ("Acme", "has upper case letters", "use `acme`"),
            ("ACME_WANDB", "has upper case letters", "use 3 to 63"),
            ("acme_wandb", "contains `_`", "use 3 to 63"),
            ("acme wandb", "contains ` `", "use 3 to 63"),
            ("acme/wandb", "contains `/`", "use 3 to 63"),
            ("bücher", "contains `ü`", "use 3 to 63"),
            ("arn:aws:s3:::acme", "is an ARN", "use the name alone, which is its last part"),
            ("-acme", "begins or ends with a hyphen", "use 3 to 63"),
            ("acme-", "begins or ends with a hyphen", "use 3 to 63"),
            ("192.168.5.4", "is formatted as an IP address", "use 3 to 63"),
            (
                "wandb.acme.com",
                "has a dot, and browsers refuse the certificate for its https://<bucket>.s3 URLs, which W&B hands out",
                "use hyphens instead, such as `wandb-acme-com`",
            ),
            ("xn--acme", "begins with `xn--`, which S3 reserves", "use 3 to 63"),
            ("sthree-acme", "begins with `sthree-`, which S3 reserves", "use 3 to 63"),
            ("amzn-s3-demo-acme", "begins with `amzn-s3-demo-`, which S3 reserves", "use 3 to 63"),
            ("acme-s3alias", "ends with `-s3alias`, which S3 reserves for access point aliases", "use 3"),
            (
                "acme--ol-s3",
                "ends with `--ol-s3`, which S3 reserves for Object Lambda access points",
                "use 3",
            ),
            ("acme--x-s3", "ends with `--x-s3`, which S3 reserves for directory buckets", "use 3"),
            ("acme--table-s3", "ends with `--table-s3`, which S3 reserves for table buckets", "use 3"),
            (
                "acme-123456789012-us-east-1-an",
                "ends with `-an`, which S3 reserves for buckets in an account regional namespace",
                "use 3",
            ),
        ] {
            let error = bad.parse::<BucketName>().unwrap_err();
            assert_eq!(error.to_string(), format!("bucket name {} {why}", quoted(bad)));
            assert!(error.what_next().unwrap().starts_with(hint), "{bad}: {:?}", error.what_next());
        }
        let url = "s3://AKIA:secret@example.com/acme".parse::<BucketName>().unwrap_err();
        assert_eq!(url.to_string(), "the bucket name is a URL");
        assert!("acme.mrap".parse::<BucketName>().is_err());
    }

    #[test]
    fn the_default_is_stable_and_differs_by_account_and_region() {
        let name = |account: &str, region: &str| {
            let deployment: DeploymentName = "wandb-acme-com".parse().unwrap();
            BucketName::default_for(&deployment, &account.parse().unwrap(), &region.parse().unwrap())
        };
        let first = name("123456789012", "us-east-1");
        // Written out, because a changed default would lose sight of everybody's bucket.
        assert_eq!(first.as_str(), "wbstore-wandb-acme-com-9f403423");
        assert_ne!(first, name("123456789013", "us-east-1"));
        assert_ne!(first, name("123456789012", "us-east-2"));
    }

    proptest! {
        #[test]
        fn never_panics(input in any::<String>()) {
            let _ = input.parse::<BucketName>();
        }

        #[test]
        fn the_default_is_always_valid(name in "[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?", account in "[0-9]{12}") {
            let (name, account) = (name.parse().unwrap(), account.parse().unwrap());
            let bucket = BucketName::default_for(&name, &account, &Region::us_east_1());
            prop_assert_eq!(bucket.as_str().parse::<BucketName>().unwrap(), bucket);
        }
    }
}
