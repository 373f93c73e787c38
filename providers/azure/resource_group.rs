//! Names of resource groups.

use std::hash::{Hash, Hasher};
use std::str::FromStr;

use crate::error::{Error, Result};
use crate::names::Rule;
use crate::value::text_value;

/// The name of a resource group. Letters may be those of any script, so that the name has to be escaped
/// in a path. Two names that differ in case alone are the same.
#[derive(Clone, Debug, Eq)]
pub(crate) struct ResourceGroup {
    text: String,
}

text_value!(ResourceGroup);

/// Azure Resource Manager documentation, "Naming rules and restrictions for Azure resources".
const RULE: Rule = Rule {
    what: "resource group",
    form: "1 to 90 letters, digits and _-.(), not ending with a period; `az group list --query [].name` prints \
           those of the subscription",
    letters: "a-zA-Z0-9\u{80}-\u{10ffff}_.()-",
    first: "a-zA-Z0-9\u{80}-\u{10ffff}_.()-",
    last: "a-zA-Z0-9\u{80}-\u{10ffff}_()-",
    length: 1..=90,
    collection: "resourceGroups",
    ..Rule::ANY
};

impl ResourceGroup {
    /// The name in lower case, by which two are compared.
    pub(crate) fn folded(&self) -> String {
        self.text.to_lowercase()
    }
}

impl PartialEq for ResourceGroup {
    fn eq(&self, other: &Self) -> bool {
        self.folded() == other.folded()
    }
}

impl Hash for ResourceGroup {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.folded().hash(state);
    }
}

impl FromStr for ResourceGroup {
    type Err = Error;

    fn from_str(input: &str) -> Result<Self> {
        RULE.check(input)?;
        Ok(Self { text: input.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::laws::obeys;

    #[test]
    fn a_resource_group_is_what_azure_accepts() {
        obeys(
            &RULE,
            &["a", "Acme_Prod-1.x(y)", "büro", "192.168.5.4", &"g".repeat(90)],
            &[
                ("", "the resource group is empty", "use 1 to 90"),
                (&"g".repeat(91), "has 91 characters; 1 to 90 are allowed", "use 1 to 90"),
                ("acme.", "resource group `acme.` ends with `.`", "use `acme`"),
                ("acme prod", "contains ` ` at position 5", "use `acme-prod`"),
                ("acme/prod", "contains `/` at position 5", "use 1 to 90"),
                ("/subscriptions/0/resourceGroups/acme", "is a resource ID", "use `acme`"),
            ],
        );
        let group = |name: &str| name.parse::<ResourceGroup>().unwrap();
        assert_eq!(group("Acme"), group("aCME"));
    }
}
