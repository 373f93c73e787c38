//! The identity that uses a team's container: a managed identity, federated with the server's service accounts in
//! Kubernetes.

use std::str::FromStr;

use super::account_name::AccountName;
use super::container_name::ContainerName;
use crate::error::{Error, Result};
use crate::names::is_guid;
use crate::settings::url_parts::encoded;
use crate::value::{quoted, text_value};

/// The id of something in Microsoft Entra, a GUID in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EntraId {
    text: String,
}

text_value!(EntraId);

impl FromStr for EntraId {
    type Err = Error;

    fn from_str(input: &str) -> Result<Self> {
        let text = input.to_ascii_lowercase();
        if is_guid(&text) {
            return Ok(Self { text });
        }
        Err(Error::input(format!("{} is not an ID of Microsoft Entra", quoted(input))).hint(
            "use the GUID that `az identity show --query clientId --output tsv` prints of an identity, and \
             `az account show --query tenantId --output tsv` of the tenant",
        ))
    }
}

/// The OpenID Connect issuer of the cluster or instance, as federated credentials compare it: to the letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OidcIssuer {
    text: String,
}

text_value!(OidcIssuer);

impl FromStr for OidcIssuer {
    type Err = Error;

    fn from_str(input: &str) -> Result<Self> {
        let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/:".contains(&byte);
        let host = input.strip_prefix("https://").filter(|rest| !rest.trim_matches('/').is_empty());
        if host.is_some() && input.bytes().all(letter) {
            let host = host.and_then(|rest| rest.split(['/', ':']).next()).unwrap_or_default();
            let of_azure = [".azure.com", ".azure.us", ".azure.cn"].iter().any(|end| host.ends_with(end));
            // Those of AKS end with a slash; those of others are as they are.
            let text = if of_azure { format!("{}/", input.trim_end_matches('/')) } else { input.to_owned() };
            return Ok(Self { text });
        }
        Err(Error::input(format!("{} is not an OpenID Connect issuer", quoted(input))).hint(
            "use the https:// URL that `az aks show --query oidcIssuerProfile.issuerUrl --output tsv` prints, or that W&B \
             names for your instance",
        ))
    }
}

/// Who uses the container of a team.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TeamIdentity {
    Managed {
        client: EntraId,
        tenant: EntraId,
    },
    /// Whoever has the account's key, which is in the address.
    Key,
}

/// The address of a team's container, with a key where one is needed.
pub(crate) fn team_address(account: &AccountName, container: &ContainerName, key: Option<&str>) -> String {
    // Three asterisks and a word stand for a key that is not shown.
    let key = key.map(|key| if matches!(key, "***" | "KEY") { key.to_owned() } else { encoded(key) });
    let key = key.map(|key| format!(":{key}@")).unwrap_or_default();
    format!("az://{key}{account}/{container}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_is_a_guid_and_an_issuer_a_url() {
        let id: EntraId = "0B1F6471-1bf0-4dda-aec3-cb9272f09590".parse().unwrap();
        assert_eq!(id.as_str(), "0b1f6471-1bf0-4dda-aec3-cb9272f09590");
        assert!("wandb".parse::<EntraId>().unwrap_err().what_next().is_some());
        let aks = "https://westeurope.oic.prod-aks.azure.com/a/b";
        for (given, issuer) in [
            (aks, &*format!("{aks}/")),
            (&*format!("{aks}/"), &*format!("{aks}/")),
            ("https://oidc.acme.com/a", "https://oidc.acme.com/a"),
            ("https://oidc.acme.com/a/", "https://oidc.acme.com/a/"),
            ("https://evilazure.com/a", "https://evilazure.com/a"),
        ] {
            assert_eq!(given.parse::<OidcIssuer>().unwrap().as_str(), issuer);
        }
        for bad in ["", "https://", "http://oidc.acme.com", "https://a b", "https://a'b", "https://a?b"] {
            assert!(bad.parse::<OidcIssuer>().unwrap_err().what_next().is_some(), "{bad}");
        }
    }

    #[test]
    fn a_key_in_an_address_is_encoded() {
        let (account, container) = ("acme".parse().unwrap(), "files".parse().unwrap());
        assert_eq!(team_address(&account, &container, None), "az://acme/files");
        assert_eq!(team_address(&account, &container, Some("a+b/c=")), "az://:a%2Bb%2Fc%3D@acme/files");
        assert_eq!(team_address(&account, &container, Some("***")), "az://:***@acme/files");
    }
}
