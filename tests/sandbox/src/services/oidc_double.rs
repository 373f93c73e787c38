//! An OpenID Connect provider whose documents and answers are those of a test: for what oidc-provider does right.

use std::sync::{Arc, OnceLock};

use serde_json::{Value, json};

use super::authority::Identity;
use super::website::{Method, Page, Website};

/// What it answers in place of what is right.
#[derive(Clone, Default)]
pub struct OidcManners {
    /// In place of the discovery document.
    pub discovery: Option<Page>,
    /// What differs in the discovery document.
    pub fields: Vec<(&'static str, Value)>,
    /// In place of the keys.
    pub keys: Option<Page>,
    /// In place of a return to the callback.
    pub authorize: Option<Page>,
}

/// A discovery document of the issuer at `url` that lists all that the standard has
/// ([section 3](https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderMetadata)).
pub fn document(url: &str) -> Value {
    json!({
        "issuer": url,
        "authorization_endpoint": format!("{url}/authorize"),
        "token_endpoint": format!("{url}/token"),
        "jwks_uri": format!("{url}/keys"),
        "end_session_endpoint": format!("{url}/logout"),
        "response_types_supported": ["code", "id_token"],
        "response_modes_supported": ["query", "form_post"],
        "code_challenge_methods_supported": ["S256"],
        "scopes_supported": ["openid", "profile", "email"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "token_endpoint_auth_methods_supported": ["none"],
    })
}

/// The keys of such a provider.
pub fn keys() -> Page {
    Page::json(&json!({"keys": [{"kty": "RSA", "use": "sig", "kid": "1", "n": "AQAB", "e": "AQAB"}]}))
}

/// Starts one that returns to `callback`.
///
/// # Panics
/// When there is no free port.
pub async fn start(identity: &Identity, callback: &str, manners: OidcManners) -> Website {
    let url: Arc<OnceLock<String>> = Arc::default();
    let (own, callback) = (Arc::clone(&url), callback.to_owned());
    let website = Website::start(identity, move |_: &Method, path: &str| {
        let url = own.get().map(String::as_str).unwrap_or_default();
        match path.split('?').next().unwrap_or_default() {
            "/.well-known/openid-configuration" => manners.discovery.clone().unwrap_or_else(|| {
                let mut document = document(url);
                for (name, value) in &manners.fields {
                    document[*name] = value.clone();
                }
                Page::json(&document)
            }),
            "/keys" => manners.keys.clone().unwrap_or_else(keys),
            "/authorize" => manners
                .authorize
                .clone()
                .unwrap_or_else(|| Page::redirect(&format!("{callback}?error=login_required&state=x"))),
            _ => Page::new(404, "not found"),
        }
    })
    .await;
    let _ = url.set(website.url());
    website
}
