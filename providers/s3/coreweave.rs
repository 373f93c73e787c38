//! What CoreWeave has beyond the API of S3: principals, and rules for names (W&B's page "Bring your own
//! bucket (BYOB)"; CoreWeave's documentation, "Bucket policies").

use std::str::FromStr;

use super::bucket_name::BucketName;
use crate::error::{Error, Result};
use crate::value::{quoted, text_value};

/// The beginnings of names that CoreWeave reserves.
const RESERVED: [&str; 2] = ["cw-", "vip-"];

/// A principal of a bucket policy, such as `arn:aws:iam::wandb:static/wandb-integration`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CoreweavePrincipal {
    text: String,
}

text_value!(CoreweavePrincipal);

impl FromStr for CoreweavePrincipal {
    type Err = Error;

    fn from_str(input: &str) -> Result<Self> {
        let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.+=,@/".contains(&byte);
        let parts = input.strip_prefix("arn:aws:iam::").and_then(|rest| rest.split_once(':'));
        let is_principal = parts.is_some_and(|(organization, name)| {
            [organization, name].iter().all(|part| !part.is_empty() && part.bytes().all(letter))
        });
        if is_principal {
            return Ok(Self { text: input.to_owned() });
        }
        Err(Error::input(format!("{} is not a principal of CoreWeave", quoted(input)))
            .hint("use the form `arn:aws:iam::ORGANIZATION:NAME`, without wildcards"))
    }
}

/// What W&B calls the customer: an organization ID, or a customer namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WandbOrgId {
    text: String,
}

text_value!(WandbOrgId);

impl FromStr for WandbOrgId {
    type Err = Error;

    fn from_str(input: &str) -> Result<Self> {
        // The condition is a pattern: a wildcard in it would let other customers of W&B in.
        let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:=".contains(&byte);
        if !input.is_empty() && input.len() <= 256 && input.bytes().all(letter) {
            return Ok(Self { text: input.to_owned() });
        }
        Err(Error::input(format!("{} is not a customer namespace of W&B", quoted(input))).hint(
            "copy it from W&B: System Console, Authentication, Customer Namespace; for the Multi-tenant Cloud the \
             organization ID above `Invite team members`",
        ))
    }
}

/// Checks a name against those that CoreWeave reserves.
///
/// # Errors
/// [`Kind::Input`](crate::error::Kind::Input).
pub(crate) fn check_name(bucket: &BucketName) -> Result<()> {
    let reserved = RESERVED.iter().find(|start| bucket.as_str().starts_with(**start));
    match reserved {
        None => Ok(()),
        Some(start) => Err(Error::input(format!(
            "bucket name `{bucket}` begins with `{start}`, which CoreWeave reserves"
        ))
        .hint("choose another name with --bucket")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::reader::COREWEAVE;

    #[test]
    fn the_published_principals_are_principals_and_patterns_are_not() {
        for good in [COREWEAVE.dedicated, COREWEAVE.multi_tenant, "arn:aws:iam::acme42:ann"] {
            assert_eq!(good.parse::<CoreweavePrincipal>().unwrap().as_str(), good);
        }
        for bad in ["*", "arn:aws:iam::acme:*", "arn:aws:iam::acme:", "arn:aws:iam:::x", "arn:aws:iam::acme"]
        {
            assert!(bad.parse::<CoreweavePrincipal>().unwrap_err().what_next().is_some(), "{bad}");
        }
        for bad in ["", "*", "acme?", "a b"] {
            assert!(bad.parse::<WandbOrgId>().unwrap_err().what_next().is_some(), "{bad}");
        }
        assert!("acme-prod_1".parse::<WandbOrgId>().is_ok());
    }

    #[test]
    fn reserved_names_are_refused() {
        for (name, is_free) in [("cw-acme", false), ("vip-acme", false), ("acme-cw-", false), ("acme", true)]
        {
            let Ok(name) = name.parse::<BucketName>() else { continue };
            assert_eq!(check_name(&name).is_ok(), is_free, "{name}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(input in any::<String>(), text in "arn:aws:iam::[a-z:/*]{0,20}") {
            let _ = (input.parse::<CoreweavePrincipal>(), input.parse::<WandbOrgId>());
            let _ = text.parse::<CoreweavePrincipal>();
        }
    }
}
