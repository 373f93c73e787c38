//! Where a storage account is.

use std::str::FromStr;

use crate::error::{Error, Result};
use crate::value::{quoted, text_value};

/// The name of a region as ARM has it: `westeurope`, which the portal shows as `West Europe`.
///
/// A name that is not in the table is a `Location` too, unless it looks like a slip of the finger:
/// Azure opens regions more often than people update their tools, and the account, which is the first
/// thing that is made, is refused where the region is not there.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Location {
    text: String,
}

text_value!(Location);

/// What `az account list-locations` prints of physical regions, of the public cloud and of those for
/// the government of the United States and for China.
const KNOWN: [&str; 65] = [
    "australiacentral",
    "australiacentral2",
    "australiaeast",
    "australiasoutheast",
    "austriaeast",
    "brazilsouth",
    "brazilsoutheast",
    "canadacentral",
    "canadaeast",
    "centralindia",
    "centralus",
    "chilecentral",
    "chinaeast",
    "chinaeast2",
    "chinaeast3",
    "chinanorth",
    "chinanorth2",
    "chinanorth3",
    "eastasia",
    "eastus",
    "eastus2",
    "francecentral",
    "francesouth",
    "germanynorth",
    "germanywestcentral",
    "indonesiacentral",
    "israelcentral",
    "italynorth",
    "japaneast",
    "japanwest",
    "jioindiacentral",
    "jioindiawest",
    "koreacentral",
    "koreasouth",
    "malaysiawest",
    "mexicocentral",
    "newzealandnorth",
    "northcentralus",
    "northeurope",
    "norwayeast",
    "norwaywest",
    "polandcentral",
    "qatarcentral",
    "southafricanorth",
    "southafricawest",
    "southcentralus",
    "southeastasia",
    "southindia",
    "spaincentral",
    "swedencentral",
    "swedensouth",
    "switzerlandnorth",
    "switzerlandwest",
    "uaecentral",
    "uaenorth",
    "uksouth",
    "ukwest",
    "usgovarizona",
    "usgovtexas",
    "usgovvirginia",
    "westcentralus",
    "westeurope",
    "westindia",
    "westus",
    "westus2",
];

impl FromStr for Location {
    type Err = Error;

    fn from_str(input: &str) -> Result<Self> {
        const FORM: &str =
            "use a name such as `westeurope`; `az account list-locations --query [].name` prints them";
        let text = input.replace(' ', "").to_ascii_lowercase();
        let error = || Error::input(format!("{} is no Azure location", quoted(input)));
        let word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        if !(3..=32).contains(&text.len())
            || !text.bytes().all(word)
            || text.starts_with(|c: char| c.is_ascii_digit())
        {
            return Err(error().hint(match nearest(&text) {
                Some(name) => format!("did you mean `{name}`?"),
                None => FORM.to_owned(),
            }));
        }
        match nearest(&text) {
            Some(name) if name != text && stem(name) != stem(&text) => {
                Err(error().hint(format!("did you mean `{name}`?")))
            }
            _ => Ok(Self { text }),
        }
    }
}

/// A name without the number at its end: a new `westus4` is no slip.
fn stem(name: &str) -> &str {
    name.trim_end_matches(|c: char| c.is_ascii_digit())
}

/// The known location nearest to `input`, unless they have little in common.
fn nearest(input: &str) -> Option<&'static str> {
    const ALIKE: f64 = 0.8;
    // No location is longer than 32 characters; the comparison takes time in proportion to both.
    if input.len() > 32 {
        return None;
    }
    let input = input.replace(['-', '_'], "");
    KNOWN
        .into_iter()
        .map(|name| (strsim::normalized_damerau_levenshtein(&input, name), name))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        // The first of equals, so that the answer does not depend on the order of evaluation.
        .reduce(|best, next| if next.0 > best.0 { next } else { best })
        .map(|(_, name)| name)
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
            ("westus4", "westus4"),
            ("denmarkeast", "denmarkeast"),
        ] {
            assert_eq!(given.parse::<Location>().unwrap().as_str(), kept);
        }
        for name in KNOWN {
            assert_eq!(name.parse::<Location>().unwrap().as_str(), name);
        }
    }

    #[test]
    fn what_is_none_is_refused_with_a_suggestion() {
        for (bad, hint) in [
            ("", "use a name such as `westeurope`"),
            ("x", "use a name such as `westeurope`"),
            ("west-europe", "did you mean `westeurope`?"),
            ("westeurpoe", "did you mean `westeurope`?"),
            ("eu-central-1", "use a name such as `westeurope`"),
            ("westeurope\n", "did you mean `westeurope`?"),
            ("../westeurope", "use a name such as `westeurope`"),
            ("1west", "use a name such as `westeurope`"),
        ] {
            let error = bad.parse::<Location>().unwrap_err();
            assert_eq!(error.to_string(), format!("{} is no Azure location", quoted(bad)));
            assert!(error.what_next().unwrap().starts_with(hint), "{bad:?}: {:?}", error.what_next());
        }
    }

    proptest! {
        #[test]
        fn never_panics(input in any::<String>()) {
            let _ = input.parse::<Location>();
        }
    }
}
