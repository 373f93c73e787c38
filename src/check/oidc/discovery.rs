//! The discovery document (OpenID Connect Discovery 1.0, section 3), against how W&B signs users in. A list that
//! is absent decides nothing unless its default does: Cognito and Entra leave some out.

use serde::Deserialize;

use super::provider::Provider;
use super::{AuthMethod, Registered, SCOPES};
use crate::http::Url;
use crate::text::clean;
use crate::verify::{Verdict, failed, inconclusive, passed, warned};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Discovery {
    pub(super) issuer: Option<String>,
    pub(super) authorization_endpoint: Option<String>,
    token_endpoint: Option<String>,
    pub(super) jwks_uri: Option<String>,
    end_session_endpoint: Option<String>,
    response_types_supported: Option<Vec<String>>,
    response_modes_supported: Option<Vec<String>>,
    code_challenge_methods_supported: Option<Vec<String>>,
    scopes_supported: Option<Vec<String>>,
    id_token_signing_alg_values_supported: Option<Vec<String>>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
}

impl Discovery {
    /// The checks of the document itself.
    pub(super) fn verdicts(
        &self,
        registered: &Registered<'_>,
        provider: Provider,
    ) -> Vec<(&'static str, Verdict)> {
        let mut verdicts = vec![
            ("endpoints", self.endpoints(registered.method)),
            ("method", self.method(registered.method, provider)),
            ("scopes", self.scopes()),
            ("algorithm", self.algorithm()),
            ("logout", self.logout()),
        ];
        verdicts.extend(self.client(registered).map(|verdict| ("client secret", verdict)));
        verdicts
    }

    fn endpoints(&self, method: AuthMethod) -> Verdict {
        let mut required =
            vec![("authorization_endpoint", &self.authorization_endpoint), ("jwks_uri", &self.jwks_uri)];
        if method == AuthMethod::Pkce {
            required.push(("token_endpoint", &self.token_endpoint));
        }
        let hint = "check that OIDC_ISSUER is an OpenID Connect issuer, with the provider's administrator";
        for (name, url) in &required {
            let Some(url) = url else { return failed(format!("the discovery document has no {name}"), hint) };
            if !Url::parse(url).is_ok_and(|url| url.scheme() == "https" && url.has_host()) {
                return failed(format!("{name} is {}, not an https URL", clean(url)), hint);
            }
        }
        passed(required.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", "))
    }

    fn method(&self, method: AuthMethod, provider: Provider) -> Verdict {
        let types = lists(self.response_types_supported.as_deref());
        match method {
            AuthMethod::Pkce => {
                if types("code") == Some(false) {
                    return failed(
                        "pkce: the provider offers no response type `code`",
                        "set `OIDC_AUTH_METHOD=implicit`",
                    );
                }
                match lists(self.code_challenge_methods_supported.as_deref())("S256") {
                    Some(true) => passed("pkce: `code` with S256"),
                    Some(false) => failed(
                        "pkce: the provider offers no code challenge S256",
                        "enable PKCE with S256 at the provider, or set `OIDC_AUTH_METHOD=implicit`",
                    ),
                    None => inconclusive("pkce: the provider does not list its code challenge methods"),
                }
            }
            AuthMethod::Implicit if provider == Provider::Cognito => failed(
                "implicit: Cognito offers no form_post, which W&B requires",
                "set `OIDC_AUTH_METHOD=pkce`",
            ),
            AuthMethod::Implicit => {
                if types("id_token") == Some(false) {
                    return failed(
                        "implicit: the provider offers no response type `id_token`",
                        "set `OIDC_AUTH_METHOD=pkce`, or enable the implicit grant with ID tokens at the provider",
                    );
                }
                match lists(self.response_modes_supported.as_deref())("form_post") {
                    Some(true) => passed("implicit: `id_token` with form_post"),
                    Some(false) => failed(
                        "implicit: the provider offers no response mode form_post",
                        "set `OIDC_AUTH_METHOD=pkce`",
                    ),
                    None => inconclusive("implicit: the provider does not list its response modes"),
                }
            }
        }
    }

    fn scopes(&self) -> Verdict {
        let Some(offered) = &self.scopes_supported else {
            return inconclusive("the provider does not list its scopes");
        };
        let missing: Vec<_> =
            SCOPES.into_iter().filter(|scope| !offered.iter().any(|one| one == scope)).collect();
        match missing.is_empty() {
            true => passed(SCOPES.join(", ")),
            false => failed(
                format!("the provider offers no scope {}", missing.join(", ")),
                format!("allow the scopes {} at the provider", SCOPES.join(", ")),
            ),
        }
    }

    fn algorithm(&self) -> Verdict {
        match lists(self.id_token_signing_alg_values_supported.as_deref())("RS256") {
            Some(true) => passed("ID tokens are signed with RS256"),
            Some(false) => {
                failed("the provider does not sign ID tokens with RS256", "enable RS256 at the provider")
            }
            None => inconclusive("the provider does not list its signing algorithms"),
        }
    }

    fn logout(&self) -> Verdict {
        match &self.end_session_endpoint {
            Some(_) => passed("the provider offers universal logout"),
            None => warned(
                "no universal logout: the discovery document has no end_session_endpoint",
                "signing out of W&B leaves the session at the provider; end it there",
            ),
        }
    }

    /// A client with PKCE sends no secret unless it has one.
    fn client(&self, registered: &Registered<'_>) -> Option<Verdict> {
        if registered.method != AuthMethod::Pkce || registered.has_secret {
            return None;
        }
        // The default of the list is client_secret_basic alone (section 3).
        let public =
            self.token_endpoint_auth_methods_supported.iter().flatten().any(|method| method == "none");
        Some(match public {
            true => passed("none required: the provider offers public clients"),
            false => warned(
                "the provider does not list public clients: a client secret may be required",
                "register a public client (single-page application), or set GORILLA_OIDC_SECRET",
            ),
        })
    }
}

/// Whether a list has a word; `None` where there is no list.
fn lists(list: Option<&[String]>) -> impl Fn(&str) -> Option<bool> + '_ {
    move |word| list.map(|list| list.iter().any(|one| one == word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn discovery(json: &serde_json::Value) -> Discovery {
        serde_json::from_value(json.clone()).unwrap()
    }

    fn word(verdict: &Verdict) -> String {
        serde_json::to_value(verdict).unwrap()["verdict"].as_str().unwrap().to_owned()
    }

    #[test]
    fn each_method_requires_what_it_uses() {
        use AuthMethod::{Implicit, Pkce};
        for (json, method, provider, expected) in [
            (
                serde_json::json!({"response_types_supported": ["code"], "code_challenge_methods_supported": ["S256"]}),
                Pkce,
                Provider::Other,
                "passed",
            ),
            (
                serde_json::json!({"response_types_supported": ["code"], "code_challenge_methods_supported": ["plain"]}),
                Pkce,
                Provider::Other,
                "failed",
            ),
            (
                serde_json::json!({"response_types_supported": ["code", "token"]}),
                Pkce,
                Provider::Cognito,
                "inconclusive",
            ),
            (serde_json::json!({"response_types_supported": ["id_token"]}), Pkce, Provider::Other, "failed"),
            (
                serde_json::json!({"response_types_supported": ["id_token"], "response_modes_supported": ["form_post"]}),
                Implicit,
                Provider::Entra,
                "passed",
            ),
            (
                serde_json::json!({"response_types_supported": ["id_token"], "response_modes_supported": ["query"]}),
                Implicit,
                Provider::Other,
                "failed",
            ),
            (
                serde_json::json!({"response_types_supported": ["code"], "response_modes_supported": ["form_post"]}),
                Implicit,
                Provider::Other,
                "failed",
            ),
            (
                serde_json::json!({"response_types_supported": ["id_token"]}),
                Implicit,
                Provider::Okta,
                "inconclusive",
            ),
            (
                serde_json::json!({"response_types_supported": ["code", "token"]}),
                Implicit,
                Provider::Cognito,
                "failed",
            ),
        ] {
            assert_eq!(
                word(&discovery(&json).method(method, provider)),
                expected,
                "{json} {method:?} {provider:?}"
            );
        }
    }

    #[test]
    fn an_absent_list_decides_nothing_and_one_without_a_word_does() {
        let none = discovery(&serde_json::json!({}));
        let short = discovery(&serde_json::json!({
            "scopes_supported": ["openid"], "id_token_signing_alg_values_supported": ["ES256"],
        }));
        assert_eq!([word(&none.scopes()), word(&none.algorithm())], ["inconclusive", "inconclusive"]);
        assert_eq!([word(&short.scopes()), word(&short.algorithm())], ["failed", "failed"]);
        assert_eq!([word(&none.endpoints(AuthMethod::Implicit)), word(&none.logout())], ["failed", "warned"]);
    }

    #[test]
    fn endpoints_are_https() {
        let mut json = serde_json::json!({
            "authorization_endpoint": "https://idp.example/authorize", "jwks_uri": "https://idp.example/keys",
        });
        assert_eq!(word(&discovery(&json).endpoints(AuthMethod::Implicit)), "passed");
        assert_eq!(word(&discovery(&json).endpoints(AuthMethod::Pkce)), "failed");
        json["jwks_uri"] = "http://idp.example/keys".into();
        assert_eq!(word(&discovery(&json).endpoints(AuthMethod::Implicit)), "failed");
    }
}
