//! The traps of the providers that W&B's documentation names, by their own host names, which a proxy leads to a
//! double.

use serde_json::{Value, json};
use wbstore_sandbox::ran::{Ran, finish};
use wbstore_sandbox::services::authority::Authority;
use wbstore_sandbox::services::oidc_double::{document, keys};
use wbstore_sandbox::services::settings::SettingsFile;
use wbstore_sandbox::services::tunnel;
use wbstore_sandbox::services::website::{Method, Page, Website};

use crate::support::Checked;

const CALLBACK: &str = "https://wandb.acme.com/oidc/callback";

/// Checks `issuer` as the provider at `host` with this document and answer to the registration.
async fn checked(host: &'static str, issuer: &str, method: &str, document: Value, authorize: Page) -> Ran {
    let authority = Authority::new();
    let website = Website::start(&authority.identity(&[host]), move |_: &Method, path: &str| {
        let path = path.split('?').next().unwrap_or_default();
        if path.ends_with("/.well-known/openid-configuration") {
            Page::json(&document)
        } else if path.ends_with("/keys") {
            keys()
        } else {
            authorize.clone()
        }
    })
    .await;
    let proxy = tunnel::to(website.port()).await;
    let settings = SettingsFile::of(&[
        ("HOST", "https://wandb.acme.com"),
        ("OIDC_ISSUER", issuer),
        ("OIDC_CLIENT_ID", "wandb"),
        ("OIDC_AUTH_METHOD", method),
    ]);
    let file = authority.file().display().to_string();
    let arguments = ["--format", "json", "--ca", &file, "--only", "oidc"];
    finish(settings.command(&arguments, &[("HTTPS_PROXY", &proxy), ("NO_PROXY", "")])).await
}

fn callback() -> Page {
    Page::redirect(&format!("{CALLBACK}?error=login_required"))
}

/// The entries at the provider called `name`.
fn entries(ran: &Ran, name: &str) -> String {
    ran.check(&format!("OIDC application, to enter at {name}"))["entries"].to_string()
}

#[tokio::test]
async fn cognito_requires_pkce_and_shows_its_login_page() {
    let host = "cognito-idp.us-east-1.amazonaws.com";
    let issuer = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_uiIFNdacd";
    // Its document has no response modes and no code challenge methods.
    let mut discovery = document(issuer);
    for absent in ["response_modes_supported", "code_challenge_methods_supported"] {
        discovery.as_object_mut().expect("an object").remove(absent);
    }
    discovery["response_types_supported"] = json!(["code", "token"]);
    let login = Page::redirect("https://acme.auth.us-east-1.amazoncognito.com/login?client_id=wandb");
    let ran = checked(host, issuer, "pkce", discovery.clone(), login.clone()).await.ends(0);
    ran.is("OIDC method", "inconclusive", &["code challenge"]).is(
        "OIDC registration",
        "inconclusive",
        &["login page"],
    );
    let entries = entries(&ran, "Amazon Cognito");
    assert!(
        entries.contains("\"logout URL: https://wandb.acme.com\"") && entries.contains("Single-page"),
        "{entries}"
    );
    let ran = checked(host, issuer, "implicit", discovery, login).await.ends(6);
    ran.is("OIDC method", "failed", &["OIDC_AUTH_METHOD=pkce"]);
}

#[tokio::test]
async fn entra_has_an_issuer_of_the_tenant() {
    let host = "login.microsoftonline.com";
    let issuer = "https://login.microsoftonline.com/common/v2.0";
    let mut discovery = document(issuer);
    discovery["issuer"] = json!("https://login.microsoftonline.com/{tenantid}/v2.0");
    let ran = checked(host, issuer, "implicit", discovery, callback()).await.ends(6);
    ran.is("OIDC issuer", "failed", &["TENANT_ID/v2.0", "instead of `common`"]);
    // Version 1 of the endpoint.
    let issuer = "https://login.microsoftonline.com/72f988bf";
    let mut discovery = document(issuer);
    discovery["issuer"] = json!("https://sts.windows.net/72f988bf/");
    let ran = checked(host, issuer, "implicit", discovery, callback()).await.ends(6);
    ran.is("OIDC issuer", "failed", &["/v2.0"]);
    let issuer = "https://login.microsoftonline.com/72f988bf/v2.0";
    let mut discovery = document(issuer);
    discovery.as_object_mut().expect("an object").remove("code_challenge_methods_supported");
    discovery["token_endpoint_auth_methods_supported"] = json!(["client_secret_post", "private_key_jwt"]);
    let ran = checked(host, issuer, "pkce", discovery, callback()).await.ends(0);
    ran.is("OIDC method", "inconclusive", &[]).is("OIDC client secret", "warned", &["GORILLA_OIDC_SECRET"]);
    let entries = entries(&ran, "Microsoft Entra ID");
    assert!(
        entries.contains("https://wandb.acme.com/logout") && entries.contains("platform Web"),
        "{entries}"
    );
}

#[tokio::test]
async fn auth0_has_a_slash_at_the_end() {
    let host = "acme.eu.auth0.com";
    let discovery = document("https://acme.eu.auth0.com/");
    let ran = checked(host, "https://acme.eu.auth0.com", "pkce", discovery.clone(), callback()).await.ends(6);
    ran.is("OIDC issuer", "failed", &["set `OIDC_ISSUER=https://acme.eu.auth0.com/`"]);
    let ran = checked(host, "https://acme.eu.auth0.com/", "pkce", discovery, callback()).await;
    ran.is("OIDC issuer", "passed", &[]).is("OIDC registration", "passed", &[]);
}

#[tokio::test]
async fn okta_has_another_logout_and_no_admin_host() {
    let host = "acme-admin.okta.com";
    let discovery = document("https://acme.okta.com");
    let ran = checked(host, "https://acme-admin.okta.com", "pkce", discovery, callback()).await.ends(6);
    ran.is("OIDC issuer", "failed", &["without `-admin`"]);
    let discovery = document("https://acme.okta.com");
    let ran =
        checked("acme.okta.com", "https://acme.okta.com", "implicit", discovery, callback()).await.ends(0);
    ran.is("OIDC issuer", "passed", &[]);
    let entries = entries(&ran, "Okta");
    assert!(
        entries.contains("https://wandb.acme.com/logout") && entries.contains("implicit (hybrid)"),
        "{entries}"
    );
}
