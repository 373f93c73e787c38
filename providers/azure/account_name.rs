//! Names of storage accounts.

use super::resource_group::ResourceGroup;
use super::subscription_id::SubscriptionId;
use crate::name::StorageName;
use crate::names::InUrl::Host;
use crate::names::{Rule, checked_name, digits};

checked_name! {
    /// The name of a storage account, which no other account of Azure has (Azure Storage documentation,
    /// "Storage account overview").
    AccountName,
    what: "account name",
    form: "3 to 24 of a-z and 0-9, such as `acmewandb`",
    letters: "a-z0-9",
    first: "a-z0-9",
    last: "a-z0-9",
    length: 3..=AccountName::MAX,
    urls: &[("https", Host), ("az", Host)],
    collection: "storageAccounts",
    ..Rule::ANY
}

impl AccountName {
    const MAX: usize = 24;

    /// The account where none is named: `wbstore`, the beginning of the deployment's and the team's name, and 8 hex
    /// digits, without anything between them. The digits differ by subscription and resource group.
    pub(crate) fn default_for(
        storage: &StorageName,
        subscription: &SubscriptionId,
        group: &ResourceGroup,
    ) -> Self {
        let digits = digits(&storage.parts(&[subscription.as_str(), &group.folded()]));
        let room = Self::MAX - "wbstore".len() - digits.len();
        let slug: String = storage.stem().chars().filter(|c| *c != '-').take(room).collect();
        Self { text: format!("wbstore{slug}{digits}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::tests::storage;
    use crate::names::laws::{defaults_are_valid, obeys};

    #[test]
    fn an_account_name_is_what_azure_accepts() {
        obeys(
            &AccountName::RULE,
            &["abc", "acme1", "123", &"a".repeat(24)],
            &[
                ("", "the account name is empty", "use 3 to 24"),
                ("ab", "has 2 characters; 3 to 24 are allowed", "use 3 to 24"),
                (&"a".repeat(25), "has 25 characters; 3 to 24 are allowed", "use 3 to 24"),
                ("Acme", "has uppercase letters", "use `acme`"),
                ("acme-wandb", "contains `-` at position 5", "use `acmewandb`"),
                ("acme/wandb", "contains `/` at position 5", "use 3 to 24"),
                ("bücher", "contains `ü` at position 2", "use 3 to 24"),
                ("https://acme.blob.core.windows.net", "the account name is a URL", "use `acme`"),
                ("az://acme/wandb", "is a URL", "use `acme`"),
                ("/subscriptions/0/x", "is a resource ID", "use 3 to 24"),
                ("/subscriptions/0/Microsoft.Storage/storageAccounts/acme", "is a resource ID", "use `acme`"),
            ],
        );
    }

    fn default(storage: &StorageName, group: &str) -> AccountName {
        let subscription = "0b1f6471-1bf0-4dda-aec3-cb9272f09590".parse().unwrap();
        AccountName::default_for(storage, &subscription, &group.parse().unwrap())
    }

    #[test]
    fn the_default_is_stable_and_differs_by_group() {
        let [com, org] = ["wandb-acme-com", "wandb-acme-org"].map(|name| storage(name, None));
        // Written out, because a changed default would no longer find existing accounts.
        assert_eq!(default(&com, "acme").as_str(), "wbstorewandbacme5798342f");
        assert_eq!(default(&com, "acme"), default(&com, "ACME"));
        assert_ne!(default(&com, "acme"), default(&com, "test"));
        assert_ne!(default(&com, "acme"), default(&org, "acme"));
        assert_ne!(default(&com, "acme"), default(&storage("wandb-acme-com", Some("a")), "acme"));
        defaults_are_valid(|storage| default(storage, "acme"));
    }
}
