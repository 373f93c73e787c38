//! `OIDC_*`: whether the identity provider can sign users of the server in. Only `GET` requests are sent, without
//! a user and without a secret.

mod discovery;
mod form;
mod keys;
mod provider;
mod registration;

use jiff::{SignedDuration, Timestamp, fmt::rfc2822};

use super::{Lines, Run};
use crate::error::Error;
use crate::http::{Answer, Method, Request, Url};
use crate::origin::Origin;
use crate::settings::issuer::Issuer;
use crate::text::clean;
use crate::verify::{Verdict, failed, inconclusive, passed, warned};
use discovery::Discovery;
use provider::Provider;

/// The skew of two clocks from which ID tokens are rejected as not valid yet, or as expired.
const SKEW: SignedDuration = SignedDuration::from_mins(5);
/// What W&B requests of the provider (docs.wandb.ai, "SSO").
const SCOPES: [&str; 3] = ["openid", "profile", "email"];

const UNREACHED: &str = "check the address and the network between here and there";
const UNKNOWN_AUTHORITY: &str = "add `--ca FILE` with the certificate of the provider's authority, which the server \
                                 requires too (in the chart `global.customCACerts`)";

/// How the server signs users in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AuthMethod {
    /// The default: implicit flow with form post.
    Implicit,
    /// Authorization code with PKCE.
    Pkce,
}

/// What the settings have of the provider.
pub(super) struct Registered<'a> {
    pub(super) issuer: &'a Issuer,
    pub(super) client_id: Option<&'a str>,
    pub(super) method: AuthMethod,
    pub(super) has_secret: bool,
    /// The server, whose callback the provider has to know.
    pub(super) origin: Option<&'a Origin>,
}

impl Registered<'_> {
    fn callback(&self) -> Option<String> {
        self.origin.map(|origin| format!("{origin}/oidc/callback"))
    }
}

/// Why a document was not read.
struct Unread(Verdict);

/// Checks the provider that the settings name.
pub(super) async fn check(registered: &Registered<'_>, run: &Run<'_>, lines: &Lines) {
    let provider = Provider::of(registered.issuer);
    let probe = Probe { registered, provider, run, lines };
    if registered.client_id.is_none() {
        let hint = "set OIDC_CLIENT_ID to the client ID that the provider shows for the application";
        lines.add(
            "client",
            failed("OIDC_CLIENT_ID is not set, and no OIDC setting has an effect without it", hint),
        );
    }
    if let Some(discovery) = probe.discover().await {
        for (name, verdict) in discovery.verdicts(registered, provider) {
            lines.add(name, verdict);
        }
        lines.add("keys", probe.keys(&discovery).await);
        lines.add("registration", probe.registration(&discovery).await);
    }
    if let Some(origin) = registered.origin {
        let title = format!("OIDC application, to enter at {}", provider.name());
        lines.advise(title, provider.entries(origin, registered.method));
    }
}

struct Probe<'a> {
    registered: &'a Registered<'a>,
    provider: Provider,
    run: &'a Run<'a>,
    lines: &'a Lines,
}

impl Probe<'_> {
    async fn discover(&self) -> Option<Discovery> {
        let Registered { issuer, .. } = self.registered;
        let (answer, discovery) = match self.document::<Discovery>(&issuer.discovery()).await {
            Ok(read) => read,
            Err(Unread(verdict)) => {
                self.lines.add("discovery", verdict);
                return None;
            }
        };
        self.lines.add("discovery", passed(issuer.discovery()));
        self.lines.add("issuer", self.issuer(discovery.issuer.as_deref()));
        self.lines.add("clock", clock(&answer, Timestamp::now()));
        Some(discovery)
    }

    /// The issuers have to be the same byte for byte (OpenID Connect Discovery 1.0, section 4.3): the server
    /// compares the one of each ID token with `OIDC_ISSUER`.
    fn issuer(&self, found: Option<&str>) -> Verdict {
        let Registered { issuer, .. } = self.registered;
        let Some(found) = found else {
            return failed("the discovery document has no issuer", self.provider.issuer_hint());
        };
        if found == issuer.as_str() {
            return passed("the same as in the discovery document");
        }
        let reason = format!("the provider's issuer is {}, not {}", clean(found), issuer.as_str());
        // Another host's text is no suggestion.
        let host = Url::parse(found).ok().and_then(|url| url.host_str().map(str::to_owned));
        let usable = crate::text::word(found).filter(|_| host.as_deref() == Some(issuer.host()));
        match usable {
            Some(found) => failed(reason, format!("set `OIDC_ISSUER={found}`")),
            None => failed(reason, self.provider.issuer_hint()),
        }
    }

    /// The JSON document at `url`.
    async fn document<T: serde::de::DeserializeOwned>(&self, url: &str) -> Result<(Answer, T), Unread> {
        let hint = self.provider.issuer_hint();
        let answer = self.get(url, "application/json").await.map_err(Unread)?;
        if let Some(target) = answer.header("location").filter(|_| (300..400).contains(&answer.status)) {
            let target = Url::parse(url).ok().and_then(|url| url.join(target).ok());
            let target = target.map(|target| crate::http::redact(&target)).unwrap_or_default();
            return Err(Unread(failed(
                format!("{url} redirects to {target}, which the server may not follow"),
                hint,
            )));
        }
        if answer.status != 200 {
            return Err(Unread(failed(format!("{url}: HTTP status {}", answer.status), hint)));
        }
        match serde_json::from_slice(&answer.body) {
            Ok(document) => Ok((answer, document)),
            Err(_) => {
                let is_html = answer.body.trim_ascii_start().starts_with(b"<");
                let what = if is_html { "a web page" } else { "no JSON document of the expected form" };
                Err(Unread(failed(format!("{url} returns {what}"), hint)))
            }
        }
    }

    /// The answer to a `GET`, whose redirects are not followed.
    async fn get(&self, url: &str, accept: &str) -> Result<Answer, Verdict> {
        let fault = |error: &Error| {
            let reason = error.chain();
            // As rustls names it; its text is all that is left of the failure.
            let hint = match reason.contains("UnknownIssuer") {
                true => UNKNOWN_AUTHORITY,
                false => error.what_next().unwrap_or(UNREACHED),
            };
            failed(reason, hint)
        };
        let request = Request::new(Method::GET, url).map_err(|error| fault(&error))?;
        let request = request.header("accept", accept).repeatable(false);
        let sent = self.run.deadline.wait(request.to_string(), self.run.client.send(&request)).await;
        match sent {
            Ok(answer) => answer.map_err(|error| fault(&error)),
            Err(overdue) => Err(failed(overdue.to_string(), UNREACHED)),
        }
    }
}

fn clock(answer: &Answer, now: Timestamp) -> Verdict {
    let date = answer.header("date").and_then(|date| rfc2822::parse(date).ok());
    let Some(date) = date else { return inconclusive("the provider sends no date") };
    let skew = date.timestamp().duration_since(now);
    if skew.abs() <= SKEW {
        return passed(format!("{} s apart from the provider's", skew.as_secs().abs()));
    }
    warned(
        format!("{} minutes apart from the provider's: ID tokens may be rejected", skew.as_mins().abs()),
        "synchronize the clock (`timedatectl set-ntp true`), here and where the server runs",
    )
}
