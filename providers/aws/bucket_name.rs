//! Names of S3 buckets.

use super::account::AccountId;
use super::region::Region;
use crate::error::{Error, Result};
use crate::name::StorageName;
use crate::names::InUrl::Host;
use crate::names::Part::{End, Start, Within};
use crate::names::{Rule, checked_name, digits};

checked_name! {
    /// The name of a general purpose bucket that W&B can use.
    ///
    /// The rules are those of the S3 user guide, "General purpose bucket naming rules", and one of our
    /// own: no dots. W&B serves presigned virtual-host URLs, and the certificate for
    /// `*.s3.<region>.amazonaws.com` does not cover a name with a dot.
    BucketName,
    what: "bucket name",
    form: "3 to 63 of a-z, 0-9 and -, such as `acme-wandb`",
    letters: "a-z0-9-",
    first: "a-z0-9",
    last: "a-z0-9",
    length: 3..=63,
    refused: &[
        (Start("xn--"), "which S3 reserves", ""),
        (Start("sthree-"), "which S3 reserves", ""),
        (Start("amzn-s3-demo-"), "which S3 reserves", ""),
        (End("-s3alias"), "which S3 reserves for access point aliases", ""),
        (End("--ol-s3"), "which S3 reserves for Object Lambda access points", ""),
        (End("--x-s3"), "which S3 reserves for directory buckets", ""),
        (End("--table-s3"), "which S3 reserves for table buckets", ""),
        (End(".mrap"), "which S3 reserves for Multi-Region Access Points", ""),
        (Within("."), "and browsers reject the TLS certificate of its https://<bucket>.s3 URLs, which W&B uses", ""),
    ],
    urls: &[("s3", Host)],
    ..Rule::ANY
}

impl BucketName {
    /// The bucket where none is named: `wbstore-<deployment>-<8 hex digits>`, with the team after the deployment. The
    /// digits differ by account and region.
    pub(crate) fn default_for(storage: &StorageName, account: &AccountId, region: &Region) -> Self {
        let digits = digits(&storage.parts(&[account.as_str(), region.as_str()]));
        Self { text: format!("wbstore-{}-{digits}", storage.stem()) }
    }

    /// The same in the account's own namespace: `wbstore-<deployment>-<account>-<region>-an`. A team, and a deployment
    /// whose name leaves too little room, gets a part of the name and 8 hex digits.
    pub(crate) fn regional_for(storage: &StorageName, account: &AccountId, region: &Region) -> Self {
        let end = regional_end(account, region);
        let room = Self::RULE.length.end().saturating_sub(end.len());
        let mut start = format!("wbstore-{}", storage.stem());
        if start.len() > room || storage.team.is_some() {
            start.truncate(room.saturating_sub(9));
            let kept = start.trim_end_matches('-');
            start = format!("{kept}-{}", digits(&storage.parts(&[])));
        }
        Self { text: start + &end }
    }

    /// Whether it is in the namespace of an account and a region (S3 user guide, "Namespaces for general purpose
    /// buckets"), where buckets are created with a header.
    pub(crate) fn is_regional(&self) -> bool {
        self.text.ends_with("-an")
    }

    /// Checks that `account` can have the name in `region`.
    ///
    /// # Errors
    /// [`Kind::Input`](crate::error::Kind::Input) for the namespace of others.
    pub(crate) fn check_namespace(&self, account: &AccountId, region: &Region) -> Result<()> {
        let end = regional_end(account, region);
        if !self.is_regional() || self.text.ends_with(&end) {
            return Ok(());
        }
        Err(Error::input(format!(
            "bucket name `{self}` ends with `-an`, which S3 reserves for names that end with account and region"
        ))
        .hint(format!("let it end with `{end}`, or choose another name")))
    }
}

pub(super) fn regional_end(account: &AccountId, region: &Region) -> String {
    format!("-{account}-{region}-an")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::tests::storage;
    use crate::names::laws::{defaults_are_valid, obeys};

    #[test]
    fn a_bucket_name_is_what_s3_and_wandb_accept() {
        obeys(
            &BucketName::RULE,
            &["abc", "acme-wandb", "a--b", "0-0", "1234", "wan", "my-s3", &"a".repeat(63)],
            &[
                ("", "the bucket name is empty", "use 3 to 63"),
                ("ab", "has 2 characters; 3 to 63 are allowed", "use 3 to 63"),
                (&"a".repeat(64), "has 64 characters; 3 to 63 are allowed", "use 3 to 63"),
                ("Acme", "bucket name `Acme` has uppercase letters", "use `acme`"),
                ("ACME_WANDB", "has uppercase letters", "use `acme-wandb`"),
                ("acme wandb", "contains ` ` at position 5", "use `acme-wandb`"),
                ("acme/wandb", "contains `/` at position 5", "use 3 to 63"),
                ("bücher", "contains `ü` at position 2", "use 3 to 63"),
                ("arn:aws:s3:::acme", "is an ARN", "use `acme`"),
                ("-acme", "begins with `-`", "use `acme`"),
                ("acme-", "ends with `-`", "use `acme`"),
                ("192.168.5.4", "is formatted as an IP address", "use "),
                ("wandb.acme.com", "contains `.`, and browsers reject", "use `wandb-acme-com`"),
                ("xn--acme", "begins with `xn--`, which S3 reserves", "use 3 to 63"),
                ("sthree-acme", "begins with `sthree-`, which S3 reserves", "use 3 to 63"),
                ("amzn-s3-demo-acme", "begins with `amzn-s3-demo-`, which S3 reserves", "use 3 to 63"),
                ("acme-s3alias", "ends with `-s3alias`, which S3 reserves for access", "use 3"),
                ("acme--ol-s3", "ends with `--ol-s3`, which S3 reserves for Object Lambda", "use 3"),
                ("acme--x-s3", "ends with `--x-s3`, which S3 reserves for directory buckets", "use 3"),
                ("acme--table-s3", "ends with `--table-s3`, which S3 reserves for table", "use 3"),
                ("acme.mrap", "ends with `.mrap`", "use `acme-mrap`"),
                ("s3://AKIA:secret@example.com/acme", "the bucket name is a URL", "use 3 to 63"),
                ("s3://acme/path", "the bucket name is a URL", "use `acme`"),
            ],
        );
    }

    #[test]
    fn the_default_is_stable_and_differs_by_account_and_region() {
        let name = |account: &str, region: &str| {
            let storage = storage("wandb-acme-com", None);
            BucketName::default_for(&storage, &account.parse().unwrap(), &region.parse().unwrap())
        };
        let first = name("123456789012", "us-east-1");
        // Written out, because a changed default would no longer find existing buckets.
        assert_eq!(first.as_str(), "wbstore-wandb-acme-com-9f403423");
        assert_ne!(first, name("123456789013", "us-east-1"));
        assert_ne!(first, name("123456789012", "us-east-2"));
        defaults_are_valid(|storage| {
            BucketName::default_for(storage, &"123456789012".parse().unwrap(), &Region::us_east_1())
        });
    }

    #[test]
    fn a_team_has_a_bucket_of_its_own() {
        let (account, region): (AccountId, _) = ("123456789012".parse().unwrap(), Region::us_east_1());
        let names = |deployment, team| {
            let storage = storage(deployment, team);
            let regional = BucketName::regional_for(&storage, &account, &region);
            [BucketName::default_for(&storage, &account, &region), regional].map(|name| name.to_string())
        };
        // Written out, because a changed default would no longer find existing buckets.
        assert_eq!(
            names("acme", Some("vision")),
            ["wbstore-acme-vision-620448a0", "wbstore-acme-vision-0c0a5a1f-123456789012-us-east-1-an"]
        );
        let alike = [names("acme", Some("a-b")), names("acme-a", Some("b")), names("acme-a-b", None)];
        let distinct: std::collections::BTreeSet<_> = alike.iter().flatten().collect();
        assert_eq!(distinct.len(), 6, "{alike:?}");
    }

    #[test]
    fn a_regional_name_is_that_of_account_and_region() {
        let (account, region): (AccountId, _) = ("123456789012".parse().unwrap(), Region::us_east_1());
        let name = |deployment: &str| {
            BucketName::regional_for(&storage(deployment, None), &account, &region).to_string()
        };
        assert_eq!(name("acme"), "wbstore-acme-123456789012-us-east-1-an");
        assert_eq!(name(&"a".repeat(40)).len(), 63);
        let check = |name: &str| name.parse::<BucketName>().unwrap().check_namespace(&account, &region);
        assert!(check("runs-123456789012-us-east-1-an").is_ok() && check("runs").is_ok());
        for other in ["runs-an", "runs-123456789013-us-east-1-an", "runs-123456789012-us-east-2-an"] {
            assert!(check(other).unwrap_err().what_next().unwrap().contains("`-123456789012-us-east-1-an`"));
        }
        defaults_are_valid(|storage| BucketName::regional_for(storage, &account, &region));
    }
}
