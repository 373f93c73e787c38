//! The id of an Azure subscription.

use std::str::FromStr;

use crate::error::{Error, Result};
use crate::names::is_guid;
use crate::value::{quoted, text_value};

/// A GUID, in lower case (REST API, "Subscriptions - Get").
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct SubscriptionId {
    text: String,
}

text_value!(SubscriptionId);

impl FromStr for SubscriptionId {
    type Err = Error;

    fn from_str(input: &str) -> Result<Self> {
        let text = input.to_ascii_lowercase();
        if is_guid(&text) {
            return Ok(Self { text });
        }
        let within = text.strip_prefix("/subscriptions/").and_then(|rest| rest.split('/').next());
        let error = Error::input(format!("{} is not a subscription ID", quoted(input)));
        Err(error.hint(match within.filter(|id| is_guid(id)) {
            Some(id) => format!("use `{id}`"),
            None => "use the ID that `az account show --query id --output tsv` prints".to_owned(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subscription_is_a_guid_in_either_case() {
        const ID: &str = "0b1f6471-1bf0-4dda-aec3-cb9272f09590";
        for good in [ID, &ID.to_uppercase()] {
            assert_eq!(good.parse::<SubscriptionId>().unwrap().as_str(), ID);
        }
        let path = format!("/subscriptions/{ID}/resourceGroups/x");
        for (bad, hint) in [
            ("", "use the ID that `az account show"),
            ("Acme Production", "use the ID that `az account show"),
            ("0b1f64711bf04ddaaec3cb9272f09590", "use the ID that `az account show"),
            ("{0b1f6471-1bf0-4dda-aec3-cb9272f09590}", "use the ID that `az account show"),
            ("gb1f6471-1bf0-4dda-aec3-cb9272f09590", "use the ID that `az account show"),
            (&path, "use `0b1f6471-1bf0-4dda-aec3-cb9272f09590`"),
        ] {
            let error = bad.parse::<SubscriptionId>().unwrap_err();
            assert_eq!(error.to_string(), format!("{} is not a subscription ID", quoted(bad)));
            assert!(error.what_next().unwrap().starts_with(hint), "{bad}: {error:?}");
        }
    }
}
