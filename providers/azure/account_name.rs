//! Names of storage accounts.

use std::str::FromStr;

use sha2::{Digest, Sha256};

use super::resource_group::ResourceGroup;
use super::subscription_id::SubscriptionId;
use crate::error::{Error, Result};
use crate::name::DeploymentName;
use crate::value::{quoted, text_value};

/// The name of a storage account: 3 to 24 lowercase letters and digits, which no other account of
/// Azure has (Azure Storage documentation, "Storage account overview").
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccountName {
    text: String,
}

text_value!(AccountName);

impl AccountName {
    /// The most characters a name has.
    const MAX: usize = 24;

    /// The name of a deployment's account where none is given: `wbstore`, the beginning of the
    /// deployment's name, and 8 hex digits, without anything between them.
    ///
    /// The digits come from a hash of deployment, subscription and resource group. So every machine
    /// finds the same account without a state file, and the name is unlikely to be taken.
    pub fn default_for(
        deployment: &DeploymentName,
        subscription: &SubscriptionId,
        group: &ResourceGroup,
    ) -> Self {
        let digest = Sha256::digest(format!("{deployment}\n{subscription}\n{}", group.folded()));
        let hash: String = digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        let room = Self::MAX - "wbstore".len() - hash.len();
        let slug: String = deployment.as_str().chars().filter(|c| *c != '-').take(room).collect();
        Self { text: format!("wbstore{slug}{hash}") }
    }
}

impl FromStr for AccountName {
    type Err = Error;

    fn from_str(input: &str) -> Result<Self> {
        match fault(input) {
            None => Ok(Self { text: input.to_owned() }),
            Some((why, hint)) => {
                Err(Error::input(format!("account name {} {why}", quoted(input))).hint(hint))
            }
        }
    }
}

/// What is wrong with a name, and what to do about it. The most telling fault comes first.
fn fault(name: &str) -> Option<(String, String)> {
    const FORM: &str = "use 3 to 24 of a-z and 0-9, such as `acmewandb`";
    let plain = |why: String| Some((why, FORM.to_owned()));
    let length = name.chars().count();
    if let Some((_, rest)) = name.split_once("://") {
        let alone = rest.split(['.', '/', ':']).next().unwrap_or_default();
        let hint = match fault(alone) {
            None => format!("use the name alone: `{alone}`"),
            Some(_) => FORM.to_owned(),
        };
        return Some(("is a URL".to_owned(), hint));
    }
    if name.to_ascii_lowercase().starts_with("/subscriptions/") {
        return Some((
            "is the id of a resource".to_owned(),
            "use the name alone, which is its last part".to_owned(),
        ));
    }
    let plain_letter = |c: char| matches!(c, 'a'..='z' | '0'..='9');
    if let Some(bad) = name.chars().find(|c| !plain_letter(*c)) {
        let better: String =
            name.to_ascii_lowercase().chars().filter(|c| !matches!(c, '-' | '_' | '.' | ' ')).collect();
        let hint = if better.chars().all(plain_letter) && fault(&better).is_none() {
            format!("use letters and digits alone, such as `{better}`")
        } else {
            FORM.to_owned()
        };
        return Some((format!("contains {}", quoted(&bad.to_string())), hint));
    }
    if length < 3 {
        return plain(format!("has {length} characters; at least 3 are needed"));
    }
    if length > AccountName::MAX {
        return plain(format!("has {length} characters; at most {} are allowed", AccountName::MAX));
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn accepts_what_azure_accepts() {
        for good in ["abc", "acme1", "123", &"a".repeat(24)] {
            assert_eq!(good.parse::<AccountName>().unwrap().as_str(), good);
        }
    }

    #[test]
    fn each_rule_has_its_own_message() {
        for (bad, why, hint) in [
            ("", "has 0 characters; at least 3 are needed", "use 3 to 24"),
            ("ab", "has 2 characters; at least 3 are needed", "use 3 to 24"),
            (&"a".repeat(25), "has 25 characters; at most 24 are allowed", "use 3 to 24"),
            ("Acme", "contains `A`", "use letters and digits alone, such as `acme`"),
            ("acme-wandb", "contains `-`", "use letters and digits alone, such as `acmewandb`"),
            ("acme/wandb", "contains `/`", "use 3 to 24"),
            ("bücher", "contains `ü`", "use 3 to 24"),
            ("https://acme.blob.core.windows.net", "is a URL", "use the name alone: `acme`"),
            ("az://acme/wandb", "is a URL", "use the name alone: `acme`"),
            ("/subscriptions/0/x", "is the id of a resource", "use the name alone"),
        ] {
            let error = bad.parse::<AccountName>().unwrap_err();
            assert_eq!(error.to_string(), format!("account name {} {why}", quoted(bad)));
            assert!(error.what_next().unwrap().starts_with(hint), "{bad}: {:?}", error.what_next());
        }
    }

    fn default(deployment: &str, group: &str) -> AccountName {
        let subscription = "0b1f6471-1bf0-4dda-aec3-cb9272f09590".parse().unwrap();
        AccountName::default_for(&deployment.parse().unwrap(), &subscription, &group.parse().unwrap())
    }

    #[test]
    fn the_default_is_stable_and_differs_by_group() {
        // Written out, because a changed default would lose sight of everybody's account.
        assert_eq!(default("wandb-acme-com", "acme").as_str(), "wbstorewandbacme5798342f");
        assert_eq!(default("wandb-acme-com", "acme"), default("wandb-acme-com", "ACME"));
        assert_ne!(default("wandb-acme-com", "acme"), default("wandb-acme-com", "test"));
        assert_ne!(default("wandb-acme-com", "acme"), default("wandb-acme-org", "acme"));
    }

    proptest! {
        #[test]
        fn never_panics(input in any::<String>()) {
            let _ = input.parse::<AccountName>();
        }

        #[test]
        fn the_default_is_always_valid(name in "[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?") {
            let account = default(&name, "acme");
            prop_assert_eq!(account.as_str().parse::<AccountName>().unwrap(), account);
        }
    }
}
