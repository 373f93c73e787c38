//! What a browser is told: <https://cloud.google.com/storage/docs/cross-origin>.

use googleapis_tonic_google_storage_v2::google::storage::v2::bucket::Cors;
use hyper::{Method, Response};

use super::super::asked::Asked;
use super::super::server::{self, Body};
use super::super::state::State;

/// Answers `OPTIONS` on the XML endpoint by the bucket's rules. A preflight that no rule allows is
/// answered all the same, without the headers that would allow it.
pub(super) fn preflight(state: &State, asked: &Asked, bucket: &str) -> Response<Body> {
    let reply = server::empty(200);
    let method = asked.header("access-control-request-method").unwrap_or_default();
    let Some((rule, origin)) = rule(state, asked, bucket, method) else { return reply };
    // The headers of a rule serve for both directions: a preflight that asks for another fails.
    let wanted = asked.header("access-control-request-headers").unwrap_or_default();
    let listed =
        |name: &str| rule.response_header.iter().any(|one| one == "*" || one.eq_ignore_ascii_case(name));
    if !wanted.split(',').map(str::trim).filter(|name| !name.is_empty()).all(listed) {
        return reply;
    }
    let headers = rule.response_header.join(", ");
    server::with(
        reply,
        &[
            ("access-control-allow-origin", &origin),
            ("access-control-max-age", &rule.max_age_seconds.to_string()),
            ("access-control-allow-methods", &rule.method.join(", ")),
            ("access-control-allow-headers", &headers),
            ("vary", "Origin"),
        ],
    )
}

/// Adds to an answer what the bucket's rules let a page of another origin see of it.
pub(super) fn expose(state: &State, asked: &Asked, bucket: &str, reply: Response<Body>) -> Response<Body> {
    let Some((rule, origin)) = rule(state, asked, bucket, asked.method.as_str()) else { return reply };
    server::with(
        reply,
        &[
            ("access-control-allow-origin", &origin),
            ("access-control-expose-headers", &rule.response_header.join(", ")),
            ("vary", "Origin"),
        ],
    )
}

/// The first rule that fits origin and method.
fn rule<'a>(state: &'a State, asked: &Asked, bucket: &str, method: &str) -> Option<(&'a Cors, String)> {
    let origin = asked.header("origin")?;
    let rules = &state.buckets.get(bucket)?.meta.cors;
    let rule = rules.iter().find(|rule| {
        rule.origin.iter().any(|one| one == "*" || one == origin)
            && rule.method.iter().any(|one| one == "*" || one == method)
    })?;
    let any = rule.origin.iter().any(|one| one == "*");
    Some((rule, if any { "*".to_owned() } else { origin.to_owned() }))
}

/// The JSON endpoint allows every origin, whatever the buckets' rules are: they are for the XML
/// endpoint only (the same page, "Cloud Storage CORS support").
pub(super) fn json_preflight(asked: &Asked) -> Response<Body> {
    let origin = asked.header("origin").unwrap_or("*");
    let method = asked.header("access-control-request-method").unwrap_or(Method::GET.as_str());
    let headers = asked.header("access-control-request-headers").unwrap_or_default();
    server::with(
        server::empty(200),
        &[
            ("access-control-allow-origin", origin),
            ("access-control-allow-methods", method),
            ("access-control-allow-headers", headers),
            ("access-control-max-age", "3600"),
            ("vary", "Origin"),
        ],
    )
}
