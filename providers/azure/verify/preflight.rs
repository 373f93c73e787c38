//! What a browser asks before it uploads: may a page of this origin do that here?
//!
//! The CORS rules are the account's, for all of its containers, and a preflight takes no credentials
//! (Blob service REST API, "Preflight Blob Request").

use std::time::Duration;

use tokio::time::Instant;

use super::probe::Probes;
use super::settling::Settling;
use super::{Report, failed, passed};
use crate::error::{Error, Result};
use crate::http::{Answer, Method, Request};
use crate::origin::Origin;
use crate::provider::Verdict;

/// A CORS rule that was just written may take a moment to be used.
const SETTLES_WITHIN: Duration = Duration::from_secs(10);
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(2);
/// An origin that nobody can have: `.invalid` is reserved (RFC 2606).
const STRANGER: &str = "https://wbstore-probe.invalid";
/// What a browser sends with an upload or with a read of a part. Put Blob wants `x-ms-blob-type`.
const HEADERS: [&str; 3] = ["content-type", "range", "x-ms-blob-type"];

/// Asks for each method from `origin`, and once from another. A refusal is told after a second look
/// only.
///
/// # Errors
/// When the endpoint cannot be reached.
pub async fn check(probes: &Probes<'_>, origin: &Origin, report: &Report) -> Result<()> {
    let url = probes.url(".wbstore-probe/preflight");
    let (url, http, origin) = (url.as_str(), probes.settling(), origin.to_string());
    let ask = |method: &'static str| {
        let origin = origin.as_str();
        async move {
            let first = allowed(&ask_for(http, url, origin, method).await?, origin, method);
            if matches!(first, Verdict::Passed { .. }) {
                return Ok::<_, Error>(first);
            }
            report.begun(&format!("preflight {method}"), SETTLES_WITHIN);
            let until = Instant::now() + SETTLES_WITHIN;
            loop {
                tokio::time::sleep(ASK_AGAIN_AFTER).await;
                let verdict = allowed(&ask_for(http, url, origin, method).await?, origin, method);
                if matches!(verdict, Verdict::Passed { .. }) || Instant::now() >= until {
                    return Ok(verdict);
                }
            }
        }
    };
    let (get, put, head, other) =
        tokio::try_join!(ask("GET"), ask("PUT"), ask("HEAD"), ask_for(http, url, STRANGER, "PUT"))?;
    report.known("preflight GET", get);
    report.known("preflight PUT", put);
    report.known("preflight HEAD", head);
    report.known("preflight other origin", refused(&other));
    Ok(())
}

async fn ask_for(http: &Settling<'_>, url: &str, origin: &str, method: &str) -> Result<Answer> {
    let request = Request::new(Method::OPTIONS, url)?
        .header("Origin", origin)
        .header("Access-Control-Request-Method", method)
        .header("Access-Control-Request-Headers", HEADERS.join(","));
    http.send(&request, &[]).await
}

/// Whether a browser would go on (the Fetch standard, "CORS-preflight fetch").
fn allowed(answer: &Answer, origin: &str, method: &str) -> Verdict {
    const HINT: &str = "run `wbstore plan azure` to see whether the CORS rule has changed; a rule of somebody else \
                        that comes first may hide it";
    if !answer.is_success() {
        return failed(format!("a page of {origin} is refused (HTTP status {})", answer.status), HINT);
    }
    if !allows_origin(answer, origin) {
        return failed(format!("{origin} is not among the allowed origins"), HINT);
    }
    let has =
        |name, member: &str| answer.list(name).any(|one| one == "*" || one.eq_ignore_ascii_case(member));
    if !has("access-control-allow-methods", method) {
        return failed(format!("{method} is not among the allowed methods"), HINT);
    }
    if let Some(header) = HEADERS.iter().find(|header| !has("access-control-allow-headers", header)) {
        return failed(format!("the header {header} is not among the allowed ones"), HINT);
    }
    passed(format!("allowed from {origin}"))
}

fn refused(answer: &Answer) -> Verdict {
    if answer.is_success() && allows_origin(answer, STRANGER) {
        return failed(
            "a page of any origin may upload with a signed URL",
            "a CORS rule of the account allows `*`, for all of its containers; remove it if nobody needs it",
        );
    }
    passed("refused")
}

fn allows_origin(answer: &Answer, origin: &str) -> bool {
    answer.header("access-control-allow-origin").is_some_and(|allowed| allowed == "*" || allowed == origin)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORIGIN: &str = "https://wandb.acme.com";

    fn answer(status: u16, headers: &[(&'static str, &'static str)]) -> Answer {
        Answer::new(status, headers.iter().copied(), "")
    }

    fn good() -> Vec<(&'static str, &'static str)> {
        vec![
            ("access-control-allow-origin", ORIGIN),
            ("access-control-allow-methods", "GET, PUT"),
            ("access-control-allow-headers", "Content-Type,range,x-ms-blob-type"),
        ]
    }

    fn reason(verdict: Verdict) -> String {
        match verdict {
            Verdict::Failed { reason, .. } => reason,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_a_browser_needs_is_what_passes() {
        assert!(matches!(allowed(&answer(200, &good()), ORIGIN, "PUT"), Verdict::Passed { .. }));
        assert!(reason(allowed(&answer(403, &[]), ORIGIN, "PUT")).contains("403"));
        assert!(reason(allowed(&answer(200, &good()), ORIGIN, "HEAD")).contains("HEAD"));
        assert!(reason(allowed(&answer(200, &good()), "https://other.example", "PUT")).contains("origins"));
        assert!(reason(allowed(&answer(200, &good()[..2]), ORIGIN, "PUT")).contains("content-type"));
        let mut without_type = good();
        without_type[2].1 = "content-type,range";
        assert!(reason(allowed(&answer(200, &without_type), ORIGIN, "PUT")).contains("x-ms-blob-type"));
    }

    #[test]
    fn a_star_lets_strangers_in() {
        assert!(matches!(refused(&answer(403, &[])), Verdict::Passed { .. }));
        assert!(matches!(refused(&answer(200, &good())), Verdict::Passed { .. }));
        assert!(
            reason(refused(&answer(200, &[("access-control-allow-origin", "*")]))).contains("any origin")
        );
    }
}
