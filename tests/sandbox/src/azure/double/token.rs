//! Where tokens come from: Entra's token endpoint, and that of managed identities.

use std::collections::BTreeMap;

use axum::http::{HeaderMap, Method};
use serde_json::{Value, json};

use super::Shared;
use super::answer::{Reply, json};
use super::claims::{LIFETIME, Principal};
use super::store::{guid, now};

/// Answers a request for a token; `None` when it is none.
pub(super) fn answer(
    shared: &Shared,
    method: &Method,
    path: &str,
    headers: &HeaderMap,
    query: &BTreeMap<String, String>,
    body: &[u8],
) -> Option<Reply> {
    let parts: Vec<_> = path.trim_matches('/').split('/').collect();
    match (method.as_str(), parts.as_slice()) {
        ("POST", [tenant, "oauth2", "v2.0", "token"]) => {
            let form = form_urlencoded::parse(body).into_owned().collect();
            Some(entra(shared, tenant, &form))
        }
        ("GET", ["msi", "token"]) => Some(managed(shared, headers, query)),
        _ => None,
    }
}

/// The client credentials grant, with a secret or with an assertion.
/// <https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow>
fn entra(shared: &Shared, tenant: &str, form: &BTreeMap<String, String>) -> Reply {
    let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    let issuer = &shared.world().issuer;
    if field("grant_type") != "client_credentials" {
        return refuse(400, "unsupported_grant_type", 70003, "The app requested an unsupported grant type.");
    }
    let Some(audience) = field("scope").strip_suffix("/.default") else {
        return refuse(400, "invalid_scope", 1002012, "The provided value for scope is not valid.");
    };
    if !issuer.principals.iter().any(|one| one.tenant.eq_ignore_ascii_case(tenant)) {
        let what = format!("Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID.");
        return refuse(400, "invalid_request", 90002, &what);
    }
    let client = field("client_id");
    let same = |one: &&Principal| one.tenant.eq_ignore_ascii_case(tenant) && one.client == client;
    let Some(principal) = issuer.principals.iter().find(same) else {
        let what =
            format!("Application with identifier '{client}' was not found in the directory '{tenant}'.");
        return refuse(400, "unauthorized_client", 700_016, &what);
    };
    let asserted = field("client_assertion_type") == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        && field("client_assertion").trim() == principal.secret;
    if field("client_secret") != principal.secret && !asserted {
        return refuse(401, "invalid_client", 7_000_215, "Invalid client secret provided.");
    }
    json(
        200,
        &json!({
            "token_type": "Bearer", "expires_in": LIFETIME, "ext_expires_in": LIFETIME,
            "access_token": issuer.token(principal, audience, LIFETIME),
        }),
    )
}

/// A managed identity, as App Service has it: `IDENTITY_ENDPOINT` names this, `IDENTITY_HEADER` the
/// secret. The client id, where one is given, must be that of a known principal.
/// <https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference>
fn managed(shared: &Shared, headers: &HeaderMap, query: &BTreeMap<String, String>) -> Reply {
    let issuer = &shared.world().issuer;
    let secret = headers.get("x-identity-header").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (Some(resource), Some(principal)) =
        (query.get("resource"), issuer.principals.iter().find(|one| one.secret == secret))
    else {
        return json(401, &json!({ "statusCode": 401, "message": "the header or the resource is wrong" }));
    };
    let ends = jiff::Timestamp::now().as_second() + LIFETIME;
    json(
        200,
        &json!({
            "access_token": issuer.token(principal, resource, LIFETIME), "token_type": "Bearer",
            "expires_on": ends.to_string(), "resource": resource, "client_id": principal.client,
        }),
    )
}

/// <https://learn.microsoft.com/entra/identity-platform/reference-error-codes>
fn refuse(status: u16, error: &str, number: u32, what: &str) -> Reply {
    let trace: Value = guid().into();
    let description = format!("AADSTS{number}: {what} Trace ID: {trace} Timestamp: {}", now());
    json(
        status,
        &json!({
            "error": error, "error_description": description, "error_codes": [number], "timestamp": now(),
            "trace_id": trace, "correlation_id": guid(),
        }),
    )
}
