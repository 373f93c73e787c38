//! The id of an AWS account.

use std::str::FromStr;

use crate::error::{Error, Result};
use crate::value::{quoted, text_value};

/// Twelve digits, leading zeros included (AWS Account Management reference, "View AWS account
/// identifiers").
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccountId {
    text: String,
}

text_value!(AccountId);

impl FromStr for AccountId {
    type Err = Error;

    fn from_str(input: &str) -> Result<Self> {
        if input.len() == 12 && input.bytes().all(|b| b.is_ascii_digit()) {
            return Ok(Self { text: input.to_owned() });
        }
        let error = Error::input(format!("{} is no AWS account id", quoted(input)));
        // The console shows account ids in groups, `1234-5678-9012`; that is what people paste.
        let digits = input.replace('-', "");
        Err(if digits.len() < input.len() && digits.parse::<Self>().is_ok() {
            error.hint(format!("use `{digits}`"))
        } else {
            error.hint("use the 12 digits that `aws sts get-caller-identity` prints")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_twelve_digits() {
        for good in ["123456789012", "000000000001"] {
            assert_eq!(good.parse::<AccountId>().unwrap().as_str(), good);
        }
        for bad in ["", "-", "12345678901", "1234567890123", "12345678901a", "１２３４５６７８９０１２"]
        {
            let error = bad.parse::<AccountId>().unwrap_err();
            assert_eq!(error.to_string(), format!("`{bad}` is no AWS account id"));
        }
        let grouped = "1234-5678-9012".parse::<AccountId>().unwrap_err();
        assert_eq!(grouped.what_next(), Some("use `123456789012`"));
    }
}
