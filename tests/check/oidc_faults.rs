//! `OIDC_*` where the provider's documents are wrong, on a double.

use serde_json::{Value, json};
use wbstore_sandbox::ran::Ran;
use wbstore_sandbox::services::authority::Authority;
use wbstore_sandbox::services::oidc_double::{self, OidcManners};
use wbstore_sandbox::services::website::{Method, Page};

use crate::support::{Checked, check};

const CALLBACK: &str = "https://wandb.acme.com/oidc/callback";

/// Checks a provider with these `manners`, and with `more` settings; one that is empty is not set.
async fn checked(manners: OidcManners, more: &[(&str, &str)]) -> Ran {
    let authority = Authority::new();
    let website = oidc_double::start(&authority.identity(&[]), CALLBACK, manners).await;
    let issuer = website.url();
    let mut settings = vec![
        ("HOST", "https://wandb.acme.com"),
        ("OIDC_ISSUER", issuer.as_str()),
        ("OIDC_CLIENT_ID", "wandb"),
        ("OIDC_AUTH_METHOD", "pkce"),
    ];
    for (name, value) in more {
        settings.retain(|(other, _)| other != name);
        settings.extend((!value.is_empty()).then_some((*name, *value)));
    }
    let ran = check(&settings, &authority, &["--only", "oidc"]).await;
    for (method, path) in website.asked() {
        assert_eq!(method, Method::GET, "{path}");
    }
    ran
}

#[tokio::test]
async fn a_provider_without_a_fault_passes() {
    let ran = checked(OidcManners::default(), &[]).await.ends(0);
    for name in [
        "discovery",
        "issuer",
        "endpoints",
        "method",
        "scopes",
        "algorithm",
        "logout",
        "keys",
        "registration",
    ] {
        ran.is(&format!("OIDC {name}"), "passed", &[]);
    }
    ran.is("OIDC client secret", "passed", &["public clients"]);
}

#[tokio::test]
async fn a_document_that_is_none_fails() {
    let large = format!("{{\"issuer\": \"{}\"}}", "x".repeat(10 << 20));
    for (page, words) in [
        (
            Page::new(200, "<!DOCTYPE html><title>Sign in</title>").header("content-type", "text/html"),
            "a web page",
        ),
        (Page::new(200, "[1, 2]"), "no JSON document"),
        (Page::new(200, large), "larger than"),
        (Page::new(404, "no"), "HTTP status 404"),
        (Page::redirect("https://login.acme.com/?token=secret"), "redirects to https://login.acme.com/"),
    ] {
        let ran = checked(OidcManners { discovery: Some(page), ..OidcManners::default() }, &[]).await.ends(6);
        ran.is("OIDC discovery", "failed", &[words]);
        assert!(!ran.has("OIDC registration") && !ran.stdout.contains("secret"), "{ran}");
    }
}

#[tokio::test]
async fn each_field_that_is_wrong_has_its_check() {
    let elsewhere = json!("https://evil.example; rm -rf");
    for (field, value, name, verdict, words) in [
        ("issuer", elsewhere, "OIDC issuer", "failed", "the provider's issuer is https://evil.example"),
        ("issuer", Value::Null, "OIDC issuer", "failed", "has no issuer"),
        ("jwks_uri", json!("http://localhost/keys"), "OIDC endpoints", "failed", "not an https URL"),
        ("token_endpoint", Value::Null, "OIDC endpoints", "failed", "has no token_endpoint"),
        (
            "authorization_endpoint",
            Value::Null,
            "OIDC registration",
            "inconclusive",
            "authorization endpoint",
        ),
        ("response_types_supported", json!(["id_token"]), "OIDC method", "failed", "`code`"),
        ("code_challenge_methods_supported", json!(["plain"]), "OIDC method", "failed", "S256"),
        ("code_challenge_methods_supported", Value::Null, "OIDC method", "inconclusive", "does not list"),
        ("scopes_supported", json!(["openid"]), "OIDC scopes", "failed", "profile, email"),
        ("scopes_supported", Value::Null, "OIDC scopes", "inconclusive", "does not list"),
        ("id_token_signing_alg_values_supported", json!(["ES256"]), "OIDC algorithm", "failed", "RS256"),
        ("end_session_endpoint", Value::Null, "OIDC logout", "warned", "no universal logout"),
        (
            "token_endpoint_auth_methods_supported",
            json!(["client_secret_post"]),
            "OIDC client secret",
            "warned",
            "GORILLA_OIDC_SECRET",
        ),
    ] {
        let ran = checked(OidcManners { fields: vec![(field, value)], ..OidcManners::default() }, &[]).await;
        ran.is(name, verdict, &[words]);
        let hint = ran.check(name)["hint"].as_str().unwrap_or_default().to_owned();
        assert!(!hint.contains("evil"), "text of others is no suggestion: {hint}");
    }
    let implicit = [("OIDC_AUTH_METHOD", "implicit")];
    for (field, value, verdict) in [
        ("response_modes_supported", json!(["query"]), "failed"),
        ("response_modes_supported", Value::Null, "inconclusive"),
        ("response_types_supported", json!(["code"]), "failed"),
    ] {
        let ran =
            checked(OidcManners { fields: vec![(field, value)], ..OidcManners::default() }, &implicit).await;
        ran.is("OIDC method", verdict, &["implicit"]);
    }
}

#[tokio::test]
async fn keys_that_sign_nothing_fail() {
    for (page, words) in [
        (Page::json(&json!({"keys": []})), "0 keys"),
        (Page::json(&json!({"keys": [{"kty": "oct"}]})), "none of them signs"),
        (Page::json(&json!({"other": 1})), "no JSON document"),
        (Page::json(&json!({"keys": [{"kty": "RSA", "kid": "a"}, {"kty": "RSA", "kid": "a"}]})), "the id a"),
        (Page::new(500, ""), "HTTP status 500"),
    ] {
        let ran = checked(OidcManners { keys: Some(page), ..OidcManners::default() }, &[]).await.ends(6);
        ran.is("OIDC keys", "failed", &[words]);
    }
}

#[tokio::test]
async fn only_an_answer_at_the_callback_or_a_refusal_decides() {
    let form = format!(
        "<form method=\"post\" action=\"{CALLBACK}\"><input type=\"hidden\" name=\"error\" value=\"login_required\"></form>"
    );
    for (page, verdict, words) in [
        (Page::new(200, form), "passed", "login_required"),
        (Page::new(200, "<form action=\"/login\"><input name=\"username\">"), "inconclusive", "a login page"),
        (Page::redirect("/login?next=%2Fauthorize"), "inconclusive", "such as a login page"),
        (
            Page::redirect("https://other.acme.com/oidc/callback?error=login_required"),
            "inconclusive",
            "not to the callback",
        ),
        (
            Page::redirect(&format!(
                "{CALLBACK}?error=unauthorized_client&error_description=No%20such%20client"
            )),
            "failed",
            "No such client",
        ),
        (Page::redirect(&format!("{CALLBACK}?error=invalid_scope")), "failed", "invalid_scope"),
        (
            Page::new(
                400,
                "{\"error\": \"invalid_request\", \"error_description\": \"redirect_uri did not match\"}",
            ),
            "failed",
            "the callback is not registered",
        ),
        (Page::new(400, "Oops"), "failed", "the client or its callback is not registered"),
        (Page::new(503, "busy"), "inconclusive", "503"),
    ] {
        let ran = checked(OidcManners { authorize: Some(page), ..OidcManners::default() }, &[]).await;
        ran.is("OIDC registration", verdict, &[words]);
    }
}

#[tokio::test]
async fn what_is_not_set_is_said() {
    let ran = checked(OidcManners::default(), &[("OIDC_CLIENT_ID", "")]).await.ends(6);
    ran.is("OIDC client", "failed", &["OIDC_CLIENT_ID is not set"]);
    let ran = checked(OidcManners::default(), &[("OIDC_ISSUER", "")]).await.ends(6);
    ran.is("OIDC issuer", "failed", &["OIDC_ISSUER is not set"]);
    let ran = checked(OidcManners::default(), &[("HOST", "")]).await.ends(0);
    ran.is("OIDC registration", "inconclusive", &["HOST is not set"]);
    let secret = [("GORILLA_OIDC_SECRET", "canary-of-the-secret")];
    let ran = checked(OidcManners::default(), &secret).await.ends(0);
    assert!(!ran.has("OIDC client secret") && !format!("{ran}").contains("canary"), "{ran}");
}

#[tokio::test]
async fn a_clock_that_is_wrong_is_warned_about() {
    let page = |date: &str| {
        let page = Page::json(&json!({"issuer": "x"}));
        Some(page.header("date", date))
    };
    let ran = checked(
        OidcManners { discovery: page("Thu, 01 Jan 2015 00:00:00 GMT"), ..OidcManners::default() },
        &[],
    )
    .await;
    ran.is("OIDC clock", "warned", &["minutes apart", "timedatectl"]);
    let ran = checked(OidcManners { discovery: page("yesterday"), ..OidcManners::default() }, &[]).await;
    ran.is("OIDC clock", "inconclusive", &["no date"]);
}
