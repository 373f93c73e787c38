//! The identity providers that W&B's documentation names, and what differs among them.

use super::{AuthMethod, SCOPES};
use crate::origin::Origin;
use crate::settings::issuer::Issuer;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Provider {
    Auth0,
    Cognito,
    Entra,
    Google,
    Keycloak,
    Okta,
    Other,
}

impl Provider {
    /// The provider of `issuer`, by its host, and for a program that others host by its path.
    pub(super) fn of(issuer: &Issuer) -> Self {
        let host = issuer.host();
        let below = |domains: &[&str]| domains.iter().any(|domain| host.ends_with(domain));
        let microsoft = [
            "login.microsoftonline.com",
            "login.microsoftonline.us",
            "login.partner.microsoftonline.cn",
            "sts.windows.net",
        ];
        if host.starts_with("cognito-idp.") && below(&[".amazonaws.com", ".amazonaws.com.cn"]) {
            Self::Cognito
        } else if microsoft.contains(&host) {
            Self::Entra
        } else if below(&[".auth0.com"]) {
            Self::Auth0
        } else if below(&[".okta.com", ".oktapreview.com", ".okta-emea.com"]) {
            Self::Okta
        } else if host == "accounts.google.com" {
            Self::Google
        } else if issuer.as_str().contains("/realms/") {
            Self::Keycloak
        } else {
            Self::Other
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Auth0 => "Auth0",
            Self::Cognito => "Amazon Cognito",
            Self::Entra => "Microsoft Entra ID",
            Self::Google => "Google",
            Self::Keycloak => "Keycloak",
            Self::Okta => "Okta",
            Self::Other => "the identity provider",
        }
    }

    /// Where the issuer is to be found, with the trap of this provider.
    pub(super) fn issuer_hint(self) -> &'static str {
        match self {
            Self::Auth0 => "the issuer of Auth0 ends in a slash: `https://TENANT.auth0.com/`",
            Self::Cognito => {
                "the issuer of Cognito is `https://cognito-idp.REGION.amazonaws.com/USER_POOL_ID`, not the pool's domain"
            }
            Self::Entra => {
                "the issuer of Entra is `https://login.microsoftonline.com/TENANT_ID/v2.0`, with the tenant's ID instead of `common`"
            }
            Self::Google => "the issuer of Google is `https://accounts.google.com`",
            Self::Keycloak => {
                "the issuer of Keycloak is `https://HOST/realms/REALM`; its public address is the setting `hostname`"
            }
            Self::Okta => {
                "the issuer of Okta is `https://COMPANY.okta.com`, without `-admin`; that of an authorization server ends in `/oauth2/NAME`"
            }
            Self::Other => "set OIDC_ISSUER to the issuer in the provider's own settings",
        }
    }

    /// The type of application to choose. All are public clients, except where the provider requires a secret.
    fn application(self, method: AuthMethod) -> &'static str {
        match (self, method) {
            (Self::Cognito, _) => {
                "app client of the type Single-page application (a public client), grant: authorization code"
            }
            (Self::Entra, AuthMethod::Pkce) => "platform Web, with a client secret in GORILLA_OIDC_SECRET",
            (Self::Entra, AuthMethod::Implicit) => {
                "platform Web, with ID tokens enabled under implicit grant"
            }
            (Self::Okta, AuthMethod::Pkce) => {
                "OIDC, Single-Page Application, grant: authorization code with PKCE"
            }
            (Self::Okta, AuthMethod::Implicit) => {
                "OIDC, Single-Page Application, grant: implicit (hybrid) with ID token"
            }
            (Self::Auth0, AuthMethod::Pkce) => "Single Page Application, grant: authorization code",
            (Self::Auth0, AuthMethod::Implicit) => "Single Page Application, grant: implicit",
            (Self::Google, _) => {
                "OAuth client of the type Web application, with its secret in GORILLA_OIDC_SECRET"
            }
            (Self::Keycloak, AuthMethod::Pkce) => {
                "client without client authentication (public), standard flow, PKCE method S256"
            }
            (Self::Keycloak, AuthMethod::Implicit) => {
                "client without client authentication (public), implicit flow"
            }
            (Self::Other, AuthMethod::Pkce) => {
                "public client (single-page application), authorization code with PKCE"
            }
            (Self::Other, AuthMethod::Implicit) => {
                "public client (single-page application), implicit flow with form post"
            }
        }
    }

    /// What the documentation of W&B enters for this provider: Okta and Entra have another address of the logout
    /// than Cognito (docs.wandb.ai, "SSO").
    fn logout(self, origin: &Origin) -> String {
        match self {
            Self::Okta | Self::Entra => format!("{origin}/logout"),
            _ => origin.to_string(),
        }
    }

    /// What to enter at the provider.
    pub(super) fn entries(self, origin: &Origin, method: AuthMethod) -> Vec<String> {
        vec![
            format!("application type: {}", self.application(method)),
            format!("callback URL: {origin}/oidc/callback"),
            format!("logout URL: {}", self.logout(origin)),
            format!("scopes: {}", SCOPES.join(" ")),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Grammar;

    #[test]
    fn a_provider_is_known_by_its_issuer() {
        for (issuer, provider, logout) in [
            (
                "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_abc",
                Provider::Cognito,
                "https://w.example",
            ),
            ("https://login.microsoftonline.com/72f9/v2.0", Provider::Entra, "https://w.example/logout"),
            ("https://acme.okta.com", Provider::Okta, "https://w.example/logout"),
            ("https://acme.oktapreview.com/oauth2/default", Provider::Okta, "https://w.example/logout"),
            ("https://acme.eu.auth0.com/", Provider::Auth0, "https://w.example"),
            ("https://accounts.google.com", Provider::Google, "https://w.example"),
            ("https://sso.acme.com/realms/acme", Provider::Keycloak, "https://w.example"),
            ("https://okta.com.evil.example", Provider::Other, "https://w.example"),
            ("https://notokta.com", Provider::Other, "https://w.example"),
        ] {
            let found = Provider::of(&Issuer::parse(issuer).unwrap());
            assert_eq!(found, provider, "{issuer}");
            assert_eq!(found.logout(&"https://w.example".parse().unwrap()), logout, "{issuer}");
        }
    }
}
