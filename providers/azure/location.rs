//! Where a storage account is.

use std::str::FromStr;

use crate::error::{Error, Result};
use crate::listed::Listed;
use crate::value::{quoted, text_value};

/// The name of a region as ARM has it: `westeurope`, which the portal shows as `West Europe`. Whether it
/// exists shows when the account, the first thing that is created, is rejected.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Location {
    text: String,
}

text_value!(Location);

/// What `az account list-locations` prints of physical regions, of the public cloud and of those for
/// the government of the United States and for China.
pub(super) const LOCATIONS: Listed = Listed {
    what: "Azure location",
    names: "australiacentral australiacentral2 australiaeast australiasoutheast austriaeast brazilsouth \
            brazilsoutheast canadacentral canadaeast centralindia centralus chilecentral chinaeast chinaeast2 \
            chinaeast3 chinanorth chinanorth2 chinanorth3 eastasia eastus eastus2 francecentral francesouth \
            germanynorth germanywestcentral indonesiacentral israelcentral italynorth japaneast japanwest \
            jioindiacentral jioindiawest koreacentral koreasouth malaysiawest mexicocentral newzealandnorth \
            northcentralus northeurope norwayeast norwaywest polandcentral qatarcentral southafricanorth \
            southafricawest southcentralus southeastasia southindia spaincentral swedencentral swedensouth \
            switzerlandnorth switzerlandwest uaecentral uaenorth uksouth ukwest usgovarizona usgovtexas \
            usgovvirginia westcentralus westeurope westindia westus westus2 westus3",
    see: "`az account list-locations --query [].name` for the locations, such as `westeurope`",
};

impl FromStr for Location {
    type Err = Error;

    fn from_str(input: &str) -> Result<Self> {
        let text = input.replace(' ', "").to_ascii_lowercase();
        let word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        if (3..=32).contains(&text.len())
            && text.bytes().all(word)
            && !text.starts_with(|c: char| c.is_ascii_digit())
        {
            return Ok(Self { text });
        }
        Err(Error::input(format!("{} is not an Azure location", quoted(input))).hint(LOCATIONS.hint(&text)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_portals_words_and_arms_are_one_name() {
        for (given, kept) in [
            ("westeurope", "westeurope"),
            ("West Europe", "westeurope"),
            ("East US 2", "eastus2"),
            ("denmarkeast", "denmarkeast"),
            ("westeurpoe", "westeurpoe"),
        ] {
            assert_eq!(given.parse::<Location>().unwrap().as_str(), kept);
        }
        for name in LOCATIONS.names.split_whitespace() {
            assert_eq!(name.parse::<Location>().unwrap().as_str(), name);
        }
    }

    #[test]
    fn malformed_locations_are_rejected_with_a_suggestion() {
        const SEE: &str = "see `az account list-locations";
        for (bad, hint) in [
            ("", SEE),
            ("x", SEE),
            ("west-europe", "did you mean `westeurope`?"),
            ("eu-central-1", SEE),
            ("westeurope\n", "did you mean `westeurope`?"),
            ("../westeurope", "did you mean `westeurope`?"),
            ("1west", SEE),
        ] {
            let error = bad.parse::<Location>().unwrap_err();
            assert_eq!(error.to_string(), format!("{} is not an Azure location", quoted(bad)));
            assert!(error.what_next().unwrap().starts_with(hint), "{bad:?}: {error:?}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(input in any::<String>()) {
            let _ = input.parse::<Location>();
        }
    }
}
