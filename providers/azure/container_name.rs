//! Names of blob containers.

use std::str::FromStr;

use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::name::DeploymentName;
use crate::value::{quoted, text_value};

/// The name of a blob container: 3 to 63 lowercase letters, digits and single hyphens, beginning and
/// ending with a letter or digit (Blob service REST API, "Naming and referencing containers, blobs,
/// and metadata").
///
/// The containers that Azure gives a meaning, `$root`, `$web` and the like, are refused.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ContainerName {
    text: String,
}

text_value!(ContainerName);

impl ContainerName {
    /// The container where none is named: `wbstore-<deployment>`.
    pub fn default_for(deployment: &DeploymentName) -> Self {
        Self { text: default_name(deployment) }
    }

    /// The container of the events that could not be delivered: `wbstore-<deployment>-dead`.
    pub fn dead_letters_for(deployment: &DeploymentName) -> Self {
        Self { text: format!("{}-dead", default_name(deployment)) }
    }
}

impl FromStr for ContainerName {
    type Err = Error;

    fn from_str(input: &str) -> Result<Self> {
        let special = input.starts_with('$').then(|| {
            let why = "is one of those that Azure gives a meaning of its own".to_owned();
            (why, "use a container of the server's own, such as `acme-wandb`".to_owned())
        });
        match special.or_else(|| fault(input)) {
            None => Ok(Self { text: input.to_owned() }),
            Some((why, hint)) => {
                Err(Error::input(format!("container name {} {why}", quoted(input))).hint(hint))
            }
        }
    }
}

/// `wbstore-<deployment>`, and where two hyphens in a row had to become one, 8 hex digits that tell
/// the two names apart.
pub(super) fn default_name(deployment: &DeploymentName) -> String {
    let parts: Vec<_> = deployment.as_str().split('-').filter(|part| !part.is_empty()).collect();
    let single = parts.join("-");
    if single == deployment.as_str() {
        return format!("wbstore-{single}");
    }
    let digest = Sha256::digest(deployment.as_str());
    let hash: String = digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    format!("wbstore-{single}-{hash}")
}

/// What is wrong with the name of a container or queue, and what to do about it.
pub(super) fn fault(name: &str) -> Option<(String, String)> {
    const FORM: &str = "use 3 to 63 of a-z, 0-9 and single hyphens, such as `acme-wandb`";
    let plain = |why: String| Some((why, FORM.to_owned()));
    let length = name.chars().count();
    if let Some((_, rest)) = name.split_once("://") {
        let last = rest.split('/').rfind(|part| !part.is_empty()).unwrap_or_default();
        let hint = match fault(last) {
            None => format!("use the name alone: `{last}`"),
            Some(_) => FORM.to_owned(),
        };
        return Some(("is a URL".to_owned(), hint));
    }
    if name.bytes().any(|b| b.is_ascii_uppercase()) {
        let lower = name.to_ascii_lowercase();
        let hint = if fault(&lower).is_none() { format!("use `{lower}`") } else { FORM.to_owned() };
        return Some(("has upper case letters".to_owned(), hint));
    }
    if let Some(bad) = name.chars().find(|c| !matches!(c, 'a'..='z' | '0'..='9' | '-')) {
        return plain(format!("contains {}", quoted(&bad.to_string())));
    }
    if !(3..=63).contains(&length) {
        return plain(format!("has {length} characters; 3 to 63 are allowed"));
    }
    if name.starts_with('-') || name.ends_with('-') {
        return plain("begins or ends with a hyphen".to_owned());
    }
    if name.contains("--") {
        return plain("has two hyphens in a row".to_owned());
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn accepts_what_azure_accepts() {
        for good in ["abc", "a-b-c", "123", &"a".repeat(63)] {
            assert_eq!(good.parse::<ContainerName>().unwrap().as_str(), good);
        }
    }

    #[test]
    fn each_rule_has_its_own_message() {
        for (bad, why, hint) in [
            ("", "has 0 characters; 3 to 63 are allowed", "use 3 to 63"),
            ("ab", "has 2 characters; 3 to 63 are allowed", "use 3 to 63"),
            (&"a".repeat(64), "has 64 characters; 3 to 63 are allowed", "use 3 to 63"),
            ("Acme", "has upper case letters", "use `acme`"),
            ("acme_wandb", "contains `_`", "use 3 to 63"),
            ("acme.wandb", "contains `.`", "use 3 to 63"),
            ("-acme", "begins or ends with a hyphen", "use 3 to 63"),
            ("acme-", "begins or ends with a hyphen", "use 3 to 63"),
            ("acme--wandb", "has two hyphens in a row", "use 3 to 63"),
            ("$root", "is one of those that Azure gives a meaning of its own", "use a container"),
            ("$web", "is one of those that Azure gives a meaning of its own", "use a container"),
            ("az://acme/wandb", "is a URL", "use the name alone: `wandb`"),
            ("https://acme.blob.core.windows.net/wandb/", "is a URL", "use the name alone: `wandb`"),
        ] {
            let error = bad.parse::<ContainerName>().unwrap_err();
            assert_eq!(error.to_string(), format!("container name {} {why}", quoted(bad)));
            assert!(error.what_next().unwrap().starts_with(hint), "{bad}: {:?}", error.what_next());
        }
    }

    #[test]
    fn defaults_differ_as_the_deployments_do() {
        let name = |deployment: &str| ContainerName::default_for(&deployment.parse().unwrap());
        assert_eq!(name("wandb-acme-com").as_str(), "wbstore-wandb-acme-com");
        assert!(name("a--b").as_str().starts_with("wbstore-a-b-"));
        assert_ne!(name("a--b"), name("a---b"));
        assert_ne!(name("a--b"), name("a-b"));
    }

    proptest! {
        #[test]
        fn never_panics(input in any::<String>()) {
            let _ = input.parse::<ContainerName>();
        }

        #[test]
        fn the_defaults_are_always_valid(name in "[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?") {
            let name: DeploymentName = name.parse().unwrap();
            for container in [ContainerName::default_for(&name), ContainerName::dead_letters_for(&name)] {
                prop_assert_eq!(container.as_str().parse::<ContainerName>().unwrap(), container);
            }
        }
    }
}
