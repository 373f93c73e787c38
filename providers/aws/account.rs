//! The id of an AWS account.

use crate::names::{Rule, checked_name};

checked_name! {
    /// Twelve digits, leading zeros included (AWS Account Management reference, "View AWS account
    /// identifiers"). The console shows them in groups, `1234-5678-9012`.
    AccountId,
    what: "AWS account ID",
    form: "the 12 digits that `aws sts get-caller-identity` prints",
    letters: "0-9",
    first: "0-9",
    last: "0-9",
    length: 12..=12,
    ..Rule::ANY
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::laws::obeys;

    #[test]
    fn an_account_is_twelve_digits() {
        obeys(
            &AccountId::RULE,
            &["123456789012", "000000000001"],
            &[
                ("", "the AWS account ID is empty", "use the 12 digits"),
                ("12345678901", "has 11 characters; 12 are required", "use the 12 digits"),
                ("12345678901a", "AWS account ID `12345678901a` contains `a` at position 12", "use the 12"),
                ("１２３４５６７８９０１２", "contains `１` at position 1", "use the 12 digits"),
                ("1234-5678-9012", "contains `-` at position 5", "use `123456789012`"),
            ],
        );
    }
}
