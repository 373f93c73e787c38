//! Whether the provider knows the client with its callback, without anyone signing in: with `prompt=none` the
//! provider returns an error to a callback that is registered, and shows its own page otherwise (OpenID Connect
//! Core 1.0, section 3.1.2.1; RFC 6749, section 4.1.2.1).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use super::discovery::Discovery;
use super::form::posted_to;
use super::{AuthMethod, Probe, SCOPES};
use crate::http::{Answer, Url};
use crate::text::clean;
use crate::verify::{Verdict, failed, inconclusive, passed};

/// The errors that only a registered client receives at its callback: nobody is signed in.
const EXPECTED: [&str; 4] =
    ["login_required", "interaction_required", "consent_required", "account_selection_required"];
/// The errors about the request itself.
const REJECTED: [&str; 4] =
    ["unauthorized_client", "unsupported_response_type", "invalid_request", "invalid_scope"];

impl Probe<'_> {
    pub(super) async fn registration(&self, discovery: &Discovery) -> Verdict {
        let registered = self.registered;
        let (Some(callback), Some(client_id)) = (registered.callback(), registered.client_id) else {
            let missing = if registered.origin.is_none() { "HOST" } else { "OIDC_CLIENT_ID" };
            return inconclusive(format!("{missing} is not set"));
        };
        let endpoint = discovery.authorization_endpoint.as_deref().and_then(|url| Url::parse(url).ok());
        let Some(mut url) = endpoint.filter(|url| url.scheme() == "https") else {
            return inconclusive("the discovery document names no https authorization endpoint");
        };
        let random = || format!("{:032x}", fastrand::u128(..));
        let (state, nonce, verifier) = (random(), random(), format!("{}{}", random(), random()));
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier));
        let flow: &[(&str, &str)] = match registered.method {
            AuthMethod::Implicit => &[("response_type", "id_token"), ("response_mode", "form_post")],
            AuthMethod::Pkce => &[
                ("response_type", "code"),
                ("code_challenge", &challenge),
                ("code_challenge_method", "S256"),
            ],
        };
        url.query_pairs_mut()
            .append_pair("client_id", client_id)
            .append_pair("redirect_uri", &callback)
            .append_pair("scope", &SCOPES.join(" "))
            .append_pair("state", &state)
            .append_pair("nonce", &nonce)
            .append_pair("prompt", "none")
            .extend_pairs(flow);
        match self.get(url.as_str(), "text/html, application/json;q=0.9").await {
            Ok(answer) => judge(&url, &callback, &answer),
            Err(Verdict::Failed { reason, .. }) => inconclusive(reason),
            Err(verdict) => verdict,
        }
    }
}

/// The verdict on `answer` to the request `url`.
fn judge(url: &Url, callback: &str, answer: &Answer) -> Verdict {
    let body = String::from_utf8_lossy(&answer.body);
    // With an error in it, a form to the callback may come with the status of the error.
    if let Some(form) = posted_to(callback, &body) {
        return returned(&form.fields);
    }
    match answer.status {
        300..400 => {
            let location = answer.header("location").and_then(|location| url.join(location).ok());
            let Some(location) = location else { return inconclusive("a redirect without an address") };
            match is_at(&location, callback) {
                true => returned(&pairs(&location)),
                false => inconclusive(format!(
                    "the provider redirects to {}, such as a login page, and not to the callback",
                    crate::http::redact(&location)
                )),
            }
        }
        200..300 => inconclusive("the provider shows a page of its own, such as a login page"),
        408 | 429 => inconclusive(format!("HTTP status {}", answer.status)),
        400..500 => failed(
            rejected(answer.status, &body),
            "register the client ID in OIDC_CLIENT_ID and the callback at the provider, as listed below",
        ),
        status => inconclusive(format!("HTTP status {status}")),
    }
}

/// Whether `location` is `callback` with any parameters.
fn is_at(location: &Url, callback: &str) -> bool {
    let mut bare = location.clone();
    bare.set_query(None);
    bare.set_fragment(None);
    Url::parse(callback).is_ok_and(|callback| callback == bare)
}

/// The parameters of an answer, in the query or, of the implicit flow, in the fragment.
fn pairs(location: &Url) -> Vec<(String, String)> {
    let fragment = url::form_urlencoded::parse(location.fragment().unwrap_or_default().as_bytes());
    location
        .query_pairs()
        .chain(fragment)
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect()
}

/// The verdict on what came to the callback.
fn returned(fields: &[(String, String)]) -> Verdict {
    let field = |name: &str| fields.iter().find(|(one, _)| one == name).map(|(_, value)| value.as_str());
    match field("error") {
        Some(error) if EXPECTED.contains(&error) => passed(format!(
            "the provider knows the client and its callback ({error}, as nobody is signed in)"
        )),
        Some(error) => {
            let description =
                field("error_description").map(|text| format!(": {}", clean(text))).unwrap_or_default();
            let reason = format!("the provider rejects the request: {}{description}", clean(error));
            match REJECTED.contains(&error) {
                true => failed(
                    reason,
                    "allow the flow of OIDC_AUTH_METHOD and the scopes for this client at the provider",
                ),
                false => inconclusive(reason),
            }
        }
        None if field("code").or(field("id_token")).is_some() => {
            passed("the provider knows the client and its callback")
        }
        None => inconclusive("the provider returns to the callback without an error and without a result"),
    }
}

/// Why the provider refused, with the culprit where the provider names it.
fn rejected(status: u16, body: &str) -> String {
    #[derive(Default, serde::Deserialize)]
    #[serde(default)]
    struct Refusal {
        error: Option<String>,
        error_description: Option<String>,
    }
    let refusal: Refusal = serde_json::from_str(body).unwrap_or_default();
    let said: Vec<_> =
        [refusal.error, refusal.error_description].into_iter().flatten().map(|text| clean(&text)).collect();
    let text = if said.is_empty() { body.to_lowercase() } else { said.join(" ").to_lowercase() };
    let names = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let callback = names(&["redirect_uri", "redirect uri", "callback url", "callback_url", "reply url"]);
    let client =
        names(&["invalid_client", "client is invalid", "unknown client", "client not found", "client_id"]);
    let culprit = match (client, callback) {
        (true, false) => "the client is not registered",
        (false, true) => "the callback is not registered for the client",
        _ => "the client or its callback is not registered",
    };
    match said.is_empty() {
        true => format!("{culprit} (HTTP status {status})"),
        false => format!("{culprit} (HTTP status {status}: {})", said.join(": ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALLBACK: &str = "https://wandb.acme.com/oidc/callback";

    fn verdict(status: u16, location: Option<&'static str>, body: &str) -> String {
        let url = Url::parse("https://idp.example/authorize?client_id=a").unwrap();
        let answer = Answer::new(status, location.map(|location| ("location", location)), body);
        let verdict = judge(&url, CALLBACK, &answer);
        serde_json::to_value(&verdict).unwrap()["verdict"].as_str().unwrap().to_owned()
    }

    #[test]
    fn only_an_answer_at_the_callback_or_a_refusal_decides() {
        for (status, location, expected) in [
            (303, Some("https://wandb.acme.com/oidc/callback?error=login_required&state=x"), "passed"),
            (302, Some("https://wandb.acme.com/oidc/callback#error=interaction_required"), "passed"),
            (302, Some("https://wandb.acme.com/oidc/callback?error=unauthorized_client"), "failed"),
            (302, Some("https://wandb.acme.com/oidc/callback?error=server_error"), "inconclusive"),
            (302, Some("https://wandb.acme.com/oidc/callback"), "inconclusive"),
            (
                302,
                Some("https://wandb.acme.com.evil.example/oidc/callback?error=login_required"),
                "inconclusive",
            ),
            (302, Some("/login?error=login_required"), "inconclusive"),
            (302, None, "inconclusive"),
            (400, None, "failed"),
            (429, None, "inconclusive"),
            (503, None, "inconclusive"),
            (200, None, "inconclusive"),
        ] {
            assert_eq!(verdict(status, location, "<html>Sign in</html>"), expected, "{status} {location:?}");
        }
        let form =
            format!(r#"<form action="{CALLBACK}"><input name="error" value="consent_required"></form>"#);
        assert_eq!(verdict(200, None, &form), "passed");
        assert_eq!(verdict(200, None, &form.replace("consent_required", "invalid_scope")), "failed");
    }

    #[test]
    fn the_culprit_is_named_where_the_provider_names_it() {
        for (body, expected) in [
            (
                r#"{"error": "invalid_client", "error_description": "client is invalid"}"#,
                "the client is not registered",
            ),
            (
                "<pre>redirect_uri did not match any of the client's registered values</pre>",
                "the callback is not registered",
            ),
            ("<h1>Oops</h1>", "the client or its callback is not registered"),
        ] {
            assert!(rejected(400, body).starts_with(expected), "{body}");
        }
    }
}
