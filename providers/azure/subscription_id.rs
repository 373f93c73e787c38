//! The id of an Azure subscription.

use std::str::FromStr;

use crate::error::{Error, Result};
use crate::value::{quoted, text_value};

/// A GUID, in lower case (REST API, "Subscriptions - Get").
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SubscriptionId {
    text: String,
}

text_value!(SubscriptionId);

impl FromStr for SubscriptionId {
    type Err = Error;

    fn from_str(input: &str) -> Result<Self> {
        if is_guid(input) {
            return Ok(Self { text: input.to_ascii_lowercase() });
        }
        let error = Error::input(format!("{} is no subscription id", quoted(input)));
        let path = input.to_ascii_lowercase();
        let within = path.strip_prefix("/subscriptions/").and_then(|rest| rest.split('/').next());
        Err(match within.filter(|id| is_guid(id)) {
            Some(id) => error.hint(format!("use the id alone: `{id}`")),
            None => error.hint("use the id that `az account show --query id --output tsv` prints"),
        })
    }
}

/// Five groups of hexadecimal digits.
fn is_guid(text: &str) -> bool {
    let groups: Vec<_> = text.split('-').collect();
    let hex = |group: &str, length| group.len() == length && group.bytes().all(|b| b.is_ascii_hexdigit());
    groups.len() == 5 && groups.iter().zip([8, 4, 4, 4, 12]).all(|(group, length)| hex(group, length))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ID: &str = "0b1f6471-1bf0-4dda-aec3-cb9272f09590";

    #[test]
    fn is_a_guid_in_either_case() {
        for good in [ID, &ID.to_uppercase()] {
            assert_eq!(good.parse::<SubscriptionId>().unwrap().as_str(), ID);
        }
    }

    #[test]
    fn refuses_the_rest_and_says_what_to_do() {
        const COMMAND: &str = "use the id that `az account show --query id --output tsv` prints";
        for (bad, hint) in [
            ("", COMMAND),
            ("Acme Production", COMMAND),
            ("0b1f64711bf04ddaaec3cb9272f09590", COMMAND),
            ("{0b1f6471-1bf0-4dda-aec3-cb9272f09590}", COMMAND),
            ("gb1f6471-1bf0-4dda-aec3-cb9272f09590", COMMAND),
            (
                "/subscriptions/0b1f6471-1bf0-4dda-aec3-cb9272f09590/resourceGroups/x",
                "use the id alone: `0b1f6471-1bf0-4dda-aec3-cb9272f09590`",
            ),
        ] {
            let error = bad.parse::<SubscriptionId>().unwrap_err();
            assert_eq!(error.to_string(), format!("{} is no subscription id", quoted(bad)));
            assert_eq!(error.what_next(), Some(hint), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(input in any::<String>()) {
            let _ = input.parse::<SubscriptionId>();
        }
    }
}
