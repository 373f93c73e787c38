//! The name of a deployment: one W&B server's storage.

use std::str::FromStr;

use crate::error::{Error, Result};
use crate::value::{quoted, text_value};

/// Names one deployment. It is part of resource names, tags and statement ids in every cloud, so
/// it keeps to what all of them take: 1 to 40 of `a-z`, `0-9` and `-`, beginning and ending with
/// a letter or digit.
///
/// Two hyphens in a row are allowed: the slug of an international host has them (`xn--…`).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DeploymentName {
    text: String,
}

text_value!(DeploymentName);

impl DeploymentName {
    /// The most characters a name has. `wbstore-<name>-<8 hex digits>` must fit into the 63
    /// characters of a bucket name.
    pub const MAX: usize = 40;

    /// A name of two parts that are known to be in order: `kept` begins with a letter or digit,
    /// `hash` is hexadecimal, and together they are short enough.
    pub(crate) fn from_parts(kept: &str, hash: &str) -> Self {
        let text = if kept.is_empty() { hash.to_owned() } else { format!("{kept}-{hash}") };
        Self { text }
    }
}

impl FromStr for DeploymentName {
    type Err = Error;

    fn from_str(input: &str) -> Result<Self> {
        let refuse = |why: String| {
            let error = Error::input(format!("deployment name {} {why}", quoted(input)));
            error.hint("use 1 to 40 of a-z, 0-9 and -, such as `acme-prod`")
        };
        let length = input.chars().count();
        if input.is_empty() {
            return Err(Error::input("the deployment name is empty").hint("name it, such as `acme-prod`"));
        }
        if input.bytes().any(|b| b.is_ascii_uppercase()) {
            let lower = input.to_ascii_lowercase();
            let error = Error::input(format!("deployment name {} has upper case letters", quoted(input)));
            return Err(error.hint(match Self::from_str(&lower) {
                Ok(name) => format!("use `{name}`"),
                Err(_) => "use 1 to 40 of a-z, 0-9 and -, such as `acme-prod`".to_owned(),
            }));
        }
        if let Some(bad) = input.chars().find(|c| !matches!(c, 'a'..='z' | '0'..='9' | '-')) {
            return Err(refuse(format!("contains {}", quoted(&bad.to_string()))));
        }
        if length > Self::MAX {
            return Err(refuse(format!("has {length} characters; at most {} are allowed", Self::MAX)));
        }
        if input.starts_with('-') || input.ends_with('-') {
            return Err(refuse("begins or ends with a hyphen".to_owned()));
        }
        Ok(Self { text: input.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn accepts_what_every_cloud_accepts() {
        for good in ["a", "7", "acme-prod", "xn--bcher-kva-example", &"a".repeat(40)] {
            assert_eq!(good.parse::<DeploymentName>().unwrap().as_str(), good);
        }
    }

    #[test]
    fn refuses_the_rest_and_says_why() {
        let long = "a".repeat(41);
        for (bad, message) in [
            ("", "the deployment name is empty".to_owned()),
            ("Acme", "deployment name `Acme` has upper case letters".to_owned()),
            ("a_b", "deployment name `a_b` contains `_`".to_owned()),
            ("a b", "deployment name `a b` contains ` `".to_owned()),
            ("büro", "deployment name `büro` contains `ü`".to_owned()),
            ("-a", "deployment name `-a` begins or ends with a hyphen".to_owned()),
            ("a-", "deployment name `a-` begins or ends with a hyphen".to_owned()),
            (&long, format!("deployment name {} has 41 characters; at most 40 are allowed", quoted(&long))),
        ] {
            let error = bad.parse::<DeploymentName>().unwrap_err();
            assert_eq!(error.to_string(), message);
            assert!(error.what_next().is_some(), "{bad}: no hint");
        }
        let hint = "Acme".parse::<DeploymentName>().unwrap_err();
        assert_eq!(hint.what_next(), Some("use `acme`"));
    }

    proptest! {
        #[test]
        fn never_panics_and_keeps_what_it_accepts(input in any::<String>()) {
            if let Ok(name) = input.parse::<DeploymentName>() {
                prop_assert_eq!(name.as_str(), input);
            }
        }
    }
}
