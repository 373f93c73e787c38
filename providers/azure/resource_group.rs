//! Names of resource groups.

use std::hash::{Hash, Hasher};
use std::str::FromStr;

use crate::error::{Error, Result};
use crate::value::{quoted, text_value};

/// The name of a resource group: 1 to 90 letters, digits and `_-.()`, not ending with a period
/// (Azure Resource Manager documentation, "Naming rules and restrictions for Azure resources").
/// Letters may be those of any script, so that the name has to be escaped in a path.
///
/// Two names that differ in case alone are the same.
#[derive(Clone, Debug, Eq)]
pub struct ResourceGroup {
    text: String,
}

text_value!(ResourceGroup);

impl ResourceGroup {
    /// The name in lower case, by which two are compared.
    pub fn folded(&self) -> String {
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
        const FORM: &str = "use 1 to 90 letters, digits and _-.(), not ending with a period; `az group list --query \
                            [].name` prints those of the subscription";
        let refuse = |why: String, hint: &str| {
            Err(Error::input(format!("resource group {} {why}", quoted(input))).hint(hint))
        };
        let path = input.to_ascii_lowercase();
        if path.starts_with("/subscriptions/") {
            return refuse("is the id of a resource".to_owned(), "use the name after `resourceGroups/`");
        }
        if let Some(bad) = input.chars().find(|c| !c.is_alphanumeric() && !"_-.()".contains(*c)) {
            return refuse(format!("contains {}", quoted(&bad.to_string())), FORM);
        }
        let length = input.chars().count();
        if !(1..=90).contains(&length) {
            return refuse(format!("has {length} characters; 1 to 90 are allowed"), FORM);
        }
        if input.ends_with('.') {
            return refuse("ends with a period".to_owned(), FORM);
        }
        Ok(Self { text: input.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn accepts_what_azure_accepts() {
        for good in ["a", "Acme_Prod-1.x(y)", "büro", &"g".repeat(90)] {
            assert_eq!(good.parse::<ResourceGroup>().unwrap().as_str(), good);
        }
        let group = |name: &str| name.parse::<ResourceGroup>().unwrap();
        assert_eq!(group("Acme"), group("aCME"));
    }

    #[test]
    fn refuses_the_rest_and_says_why() {
        for (bad, why) in [
            ("", "has 0 characters; 1 to 90 are allowed"),
            (&"g".repeat(91), "has 91 characters; 1 to 90 are allowed"),
            ("acme.", "ends with a period"),
            ("acme prod", "contains ` `"),
            ("acme/prod", "contains `/`"),
            ("/subscriptions/0/resourceGroups/acme", "is the id of a resource"),
        ] {
            let error = bad.parse::<ResourceGroup>().unwrap_err();
            assert_eq!(error.to_string(), format!("resource group {} {why}", quoted(bad)));
            assert!(error.what_next().is_some(), "{bad}: no hint");
        }
    }

    proptest! {
        #[test]
        fn never_panics(input in any::<String>()) {
            let _ = input.parse::<ResourceGroup>();
        }
    }
}
