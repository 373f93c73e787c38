//! The OpenID Connect provider of a cluster, as IAM names it.

use std::str::FromStr;

use super::account::AccountId;
use super::region::Region;
use crate::error::{Error, Result};
use crate::value::quoted;

/// A provider by the URL of its issuer, or by its ARN.
///
/// The name of a provider in ARNs and condition keys is the URL without its scheme (IAM user guide, "Create an OpenID
/// Connect (OIDC) identity provider in IAM"); it has neither a port nor a query, and of an EKS cluster no slash at its
/// end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OidcProvider {
    name: String,
    place: Option<(String, AccountId)>,
}

const FORM: &str = "use the URL that `aws eks describe-cluster --name CLUSTER --query cluster.identity.oidc.issuer --output text` \
     prints, or the ARN of the provider in IAM, `arn:aws:iam::123456789012:oidc-provider/…`";

impl OidcProvider {
    /// What the condition keys of its tokens begin with.
    pub(super) fn as_str(&self) -> &str {
        &self.name
    }

    /// The URL of the issuer, where the provider may not exist yet.
    pub(super) fn new_url(&self) -> Option<String> {
        self.place.is_none().then(|| format!("https://{}", self.name))
    }

    /// The ARN of the provider, which a role in `account` trusts.
    ///
    /// # Errors
    /// [`Kind::Input`](crate::error::Kind::Input) for one of another account or partition: a role trusts providers of
    /// its own account only.
    pub(super) fn arn(&self, account: &AccountId, region: &Region) -> Result<String> {
        let here = region.partition().id;
        match &self.place {
            Some((partition, other)) if partition != here || other != account => Err(Error::input(format!(
                "the OpenID Connect provider is in account {other} ({partition}), but the role in {account} ({here})"
            ))
            .hint(format!("use `--oidc-provider https://{}`, for a provider in the account of the role", self.name))),
            _ => Ok(format!("arn:{here}:iam::{account}:oidc-provider/{}", self.name)),
        }
    }
}

impl FromStr for OidcProvider {
    type Err = Error;

    fn from_str(input: &str) -> Result<Self> {
        let refuse = || Error::input(format!("{} is not an OpenID Connect issuer", quoted(input))).hint(FORM);
        let (place, name) = match input.splitn(6, ':').collect::<Vec<_>>()[..] {
            ["arn", partition, "iam", "", account, resource] => {
                let account: AccountId = account.parse().map_err(|_| refuse())?;
                let is_known = partition.starts_with("aws") && partition.bytes().all(is_of_partition);
                let name = resource.strip_prefix("oidc-provider/").filter(|_| is_known).ok_or_else(refuse)?;
                (Some((partition.to_owned(), account)), name)
            }
            _ => (None, input.strip_prefix("https://").unwrap_or(input)),
        };
        let name = name.strip_suffix('/').unwrap_or(name);
        let host = name.split('/').next().unwrap_or_default();
        let labels = |host: &str| {
            host.contains('.')
                && host.split('.').all(|label| {
                    !label.is_empty()
                        && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
                })
        };
        let segments = |path: &str| {
            path.split('/').skip(1).all(|segment| {
                !segment.is_empty()
                    && segment.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b))
            })
        };
        if labels(host) && segments(name) && name.len() <= 255 {
            return Ok(Self { name: name.to_owned(), place });
        }
        Err(refuse())
    }
}

fn is_of_partition(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte == b'-'
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NAME: &str = "oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE";

    #[test]
    fn a_url_with_or_without_its_scheme_and_an_arn_are_the_same_provider() {
        let (account, region) = ("123456789012".parse().unwrap(), "eu-west-1".parse().unwrap());
        let arn = format!("arn:aws:iam::123456789012:oidc-provider/{NAME}");
        for input in [NAME, &format!("https://{NAME}"), &format!("https://{NAME}/"), &arn] {
            let provider: OidcProvider = input.parse().unwrap();
            assert_eq!(
                (provider.as_str(), provider.arn(&account, &region).unwrap().as_str()),
                (NAME, arn.as_str())
            );
            assert_eq!(provider.new_url().is_none(), input.starts_with("arn:"), "{input}");
        }
        let provider: OidcProvider = arn.parse().unwrap();
        for (account, region) in [("210987654321", "eu-west-1"), ("123456789012", "cn-north-1")] {
            let error = provider.arn(&account.parse().unwrap(), &region.parse().unwrap()).unwrap_err();
            assert!(error.what_next().unwrap().contains(&format!("https://{NAME}")), "{error:?}");
        }
    }

    #[test]
    fn the_rest_is_refused_with_the_command_that_prints_the_issuer() {
        for bad in [
            "",
            "prod",
            "https://",
            "http://oidc.acme.com",
            "https://oidc.acme.com:8443",
            "https://oidc.acme.com/a?b",
            "https://oidc.acme.com//a",
            "https://oidc.acme.com/$(id)",
            "https://user@oidc.acme.com",
            "https://*.acme.com",
            "https://OIDC.acme.com",
            "arn:aws:iam::123456789012:role/wandb",
            "arn:aws:iam::1:oidc-provider/oidc.acme.com",
            "arn:x'y:iam::123456789012:oidc-provider/oidc.acme.com",
            "arn:aws:eks:eu-west-1:123456789012:cluster/prod",
        ] {
            let error = bad.parse::<OidcProvider>().unwrap_err();
            assert!(error.what_next().unwrap().contains("aws eks describe-cluster"), "{bad}: {error:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_accepted_is_safe_in_a_shell(input in "\\PC*|(https://)?[a-zA-Z0-9./:?'$-]{0,60}") {
            if let Ok(provider) = input.parse::<OidcProvider>() {
                let safe = |b: u8| b.is_ascii_alphanumeric() || b"-._~/".contains(&b);
                prop_assert!(provider.as_str().bytes().all(safe));
            }
        }
    }
}
