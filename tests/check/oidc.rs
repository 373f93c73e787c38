//! `OIDC_*` on a real provider: npm's oidc-provider, which knows the client `wandb` and one callback.

use wbstore_sandbox::services::authority::Authority;
use wbstore_sandbox::services::oidc::OidcProvider;

use crate::support::{Checked, check};

const HOST: &str = "https://wandb.acme.com";
const CALLBACK: &str = "https://wandb.acme.com/oidc/callback";

async fn provider(authority: &Authority) -> OidcProvider {
    OidcProvider::start(&authority.identity(&[]), CALLBACK).await.unwrap_or_else(|error| panic!("{error}"))
}

#[tokio::test]
#[ignore = "needs oidc-provider from npm: cargo sandbox test"]
async fn a_registered_client_passes_in_both_flows() {
    let authority = Authority::new();
    let provider = provider(&authority).await;
    let issuer = provider.issuer();
    for method in ["pkce", "implicit"] {
        let settings = [
            ("HOST", HOST),
            ("OIDC_ISSUER", &issuer),
            ("OIDC_CLIENT_ID", "wandb"),
            ("OIDC_AUTH_METHOD", method),
        ];
        let ran = check(&settings, &authority, &["--only", "oidc"]).await.ends(0);
        ran.is("OIDC discovery", "passed", &["/.well-known/openid-configuration"])
            .is("OIDC issuer", "passed", &[])
            .is("OIDC clock", "passed", &[])
            .is("OIDC endpoints", "passed", &["authorization_endpoint, jwks_uri"])
            .is("OIDC method", "passed", &[method])
            .is("OIDC scopes", "passed", &["openid, profile, email"])
            .is("OIDC algorithm", "passed", &["RS256"])
            .is("OIDC logout", "passed", &[])
            .is("OIDC keys", "passed", &["1 for signatures"])
            .is("OIDC registration", "passed", &["login_required"]);
        let advice = ran.check("OIDC application, to enter at the identity provider");
        let entries: Vec<_> = advice["entries"].as_array().expect("a list").iter().collect();
        assert!(entries.contains(&&serde_json::json!(format!("callback URL: {CALLBACK}"))), "{advice}");
        assert!(entries.contains(&&serde_json::json!(format!("logout URL: {HOST}"))), "{advice}");
    }
}

#[tokio::test]
#[ignore = "needs oidc-provider from npm: cargo sandbox test"]
async fn a_client_or_callback_that_is_not_registered_fails() {
    let authority = Authority::new();
    let provider = provider(&authority).await;
    let issuer = provider.issuer();
    for (host, client, words) in
        [("https://other.acme.com", "wandb", "callback"), (HOST, "stranger", "client")]
    {
        for method in ["pkce", "implicit"] {
            let settings = [
                ("HOST", host),
                ("OIDC_ISSUER", &issuer),
                ("OIDC_CLIENT_ID", client),
                ("OIDC_AUTH_METHOD", method),
            ];
            let ran = check(&settings, &authority, &["--only", "oidc"]).await.ends(6);
            ran.is("OIDC registration", "failed", &[words, "HTTP status 400"]);
        }
    }
}

#[tokio::test]
#[ignore = "needs oidc-provider from npm: cargo sandbox test"]
async fn an_issuer_with_a_slash_too_many_fails_with_the_one_to_use() {
    let authority = Authority::new();
    let provider = provider(&authority).await;
    let issuer = format!("{}/", provider.issuer());
    let settings = [("HOST", HOST), ("OIDC_ISSUER", issuer.as_str()), ("OIDC_CLIENT_ID", "wandb")];
    let ran = check(&settings, &authority, &["--only", "oidc"]).await.ends(6);
    ran.is("OIDC issuer", "failed", &[&format!("set `OIDC_ISSUER={}`", provider.issuer())]);
}
