//! The account the W&B server runs as.

use std::str::FromStr;

use crate::error::{Error, Result};
use crate::value::{quoted, text_value};

/// The e-mail address of a service account: `<name>@<project>.iam.gserviceaccount.com`, or that of a
/// default one of Compute Engine or App Engine (IAM documentation, "Types of service accounts").
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ServiceAccount {
    text: String,
}

text_value!(ServiceAccount);

/// The suffix after the project in the address of a user-created service account.
const USER_MANAGED: &str = ".iam.gserviceaccount.com";

/// The domains of the accounts that come with Compute Engine and App Engine.
const DEFAULTS: [&str; 2] = ["developer.gserviceaccount.com", "appspot.gserviceaccount.com"];

/// What the project's place holds in the address of a service agent, which is Google's own account.
/// All begin so (IAM documentation, "Service agents").
const AGENTS: [&str; 2] = ["gcp-sa-", "gs-project-accounts"];

impl ServiceAccount {}

impl FromStr for ServiceAccount {
    type Err = Error;

    fn from_str(input: &str) -> Result<Self> {
        const FORM: &str = "use its e-mail address, such as `wandb@acme-prod.iam.gserviceaccount.com`; \
                            `gcloud iam service-accounts list` prints those of the project";
        let refuse = |why: &str, hint: &str| Err(Error::input(format!("{} {why}", quoted(input))).hint(hint));
        if let Some(address) = input.strip_prefix("serviceAccount:") {
            return refuse("is a member of an IAM binding", &format!("use {}", quoted(address)));
        }
        let Some((name, domain)) = input.split_once('@') else {
            let pods =
                format!("{FORM}; those in Kubernetes are named with `policy --kubernetes-service-account`");
            return refuse("is not the address of a service account", &pods);
        };
        let fits = |text: &str| {
            let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'.');
            !text.is_empty()
                && text.bytes().all(inner)
                && !text.starts_with(['-', '.'])
                && !text.ends_with(['-', '.'])
        };
        if !fits(name) || name.len() > 63 || !fits(domain) || domain.len() > 190 {
            return refuse("is not the address of a service account", FORM);
        }
        if AGENTS.iter().any(|agent| domain.starts_with(agent)) {
            return refuse("is a service agent of Google; a server cannot run as it", FORM);
        }
        if DEFAULTS.contains(&domain) || domain.strip_suffix(USER_MANAGED).is_some_and(fits) {
            return Ok(Self { text: input.to_owned() });
        }
        refuse("is not the address of a service account", FORM)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn takes_accounts_that_a_server_can_run_as() {
        for good in [
            "wandb@acme-prod.iam.gserviceaccount.com",
            "wandb@prod.acme.com.iam.gserviceaccount.com",
            "123456789012-compute@developer.gserviceaccount.com",
            "acme-prod@appspot.gserviceaccount.com",
        ] {
            assert_eq!(good.parse::<ServiceAccount>().unwrap().as_str(), good);
        }
    }

    #[test]
    fn refuses_the_rest_and_says_why() {
        let none = "is not the address of a service account";
        for (bad, why) in [
            ("", none),
            ("wandb", none),
            ("jo@acme.com", none),
            ("@acme-prod.iam.gserviceaccount.com", none),
            ("wandb@.iam.gserviceaccount.com", none),
            ("a@b@acme-prod.iam.gserviceaccount.com", none),
            ("Wandb@acme-prod.iam.gserviceaccount.com", none),
            ("serviceAccount:wandb@acme-prod.iam.gserviceaccount.com", "is a member of an IAM binding"),
            (
                "service-1234@gs-project-accounts.iam.gserviceaccount.com",
                "is a service agent of Google; a server cannot run as it",
            ),
        ] {
            let error = bad.parse::<ServiceAccount>().unwrap_err();
            assert_eq!(error.to_string(), format!("{} {why}", quoted(bad)));
            assert!(error.what_next().is_some(), "{bad}: no hint");
        }
    }

    proptest! {
        #[test]
        fn never_panics(input in any::<String>()) {
            let _ = input.parse::<ServiceAccount>();
        }
    }
}
