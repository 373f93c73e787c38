//! What a browser asks before it uploads: may a page of this origin do that here?
//!
//! Signed URLs, and so the browser, go to the XML API, which answers by the bucket's configuration. The
//! JSON API answers every origin, whatever the bucket says, and `storage.cloud.google.com` none (Cloud
//! Storage documentation, "Cross-origin resource sharing (CORS)", "Cloud Storage CORS support").

use std::time::Duration;

use tokio::time::Instant;

use super::{Report, Target, failed, passed};
use crate::error::{Error, Result};
use crate::http::{Answer, Client, Method, Request};
use crate::provider::Verdict;
use crate::providers::gcp::iam::PROBE_PREFIX;
use crate::providers::gcp::rest::segment;
use crate::providers::gcp::session::Api;

/// A configuration that was just written may take a moment to be used.
const SETTLES_WITHIN: Duration = Duration::from_secs(6);
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(2);
/// An origin that nobody can have: `.invalid` is reserved (RFC 2606).
const STRANGER: &str = "https://wbstore-probe.invalid";
/// What a browser names with an upload. Reading a range takes no permission (the Fetch standard,
/// "CORS-safelisted request-header").
const HEADER: &str = "content-type";

/// Asks for each method from the origin of `target`, and once from another. A refusal is told after a
/// second look only.
///
/// # Errors
/// When the endpoint cannot be reached.
pub async fn check(api: &Api, target: &Target, http: &Client, report: &Report) -> Result<()> {
    let (endpoint, bucket) = (api.storage_endpoint(), target.bucket.as_str());
    let key = format!("{PROBE_PREFIX}preflight");
    let xml = format!("{endpoint}/{bucket}/{key}");
    let origin = target.origin.to_string();
    let ask = |method: &'static str| {
        let (url, origin) = (&xml, origin.as_str());
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
    let read = format!("{endpoint}/storage/v1/b/{bucket}/o/{}?alt=media", segment(&key));
    let write =
        format!("{endpoint}/upload/storage/v1/b/{bucket}/o?uploadType=resumable&name={}", segment(&key));
    let json = |method, url| ask_for(http, url, &origin, method);
    let (get, put, head, other, json_get, json_put, json_head) = tokio::try_join!(
        ask("GET"),
        ask("PUT"),
        ask("HEAD"),
        ask_for(http, &xml, STRANGER, "PUT"),
        json("GET", &read),
        json("PUT", &write),
        json("HEAD", &read)
    )?;
    report.known("preflight GET", get);
    report.known("preflight PUT", put);
    report.known("preflight HEAD", head);
    report.known("preflight other origin", refused(&other));
    let answers = [("GET", &json_get), ("PUT", &json_put), ("HEAD", &json_head)];
    report.known("preflight JSON API", all_allowed(&answers, &origin));
    Ok(())
}

async fn ask_for(http: &Client, url: &str, origin: &str, method: &str) -> Result<Answer> {
    let request = Request::new(Method::OPTIONS, url)?
        .header("Origin", origin)
        .header("Access-Control-Request-Method", method)
        .header("Access-Control-Request-Headers", HEADER);
    http.send(&request).await
}

/// Whether a browser would go on (the Fetch standard, "CORS-preflight fetch"). The XML API answers 200
/// without any CORS header where nothing in the bucket's configuration fits.
fn allowed(answer: &Answer, origin: &str, method: &str) -> Verdict {
    const HINT: &str = "run `wbstore plan gcp` to see whether the CORS rule has changed";
    match refusal(answer, origin, method) {
        Some(why) => failed(why, HINT),
        None => passed(format!("allowed from {origin}")),
    }
}

fn refusal(answer: &Answer, origin: &str, method: &str) -> Option<String> {
    if !answer.is_success() {
        return Some(format!("a page of {origin} is refused (HTTP status {})", answer.status));
    }
    if !allows_origin(answer, origin) {
        return Some(format!("{origin} is not allowed to {method} with the header {HEADER}"));
    }
    let has =
        |name, member: &str| answer.list(name).any(|one| one == "*" || one.eq_ignore_ascii_case(member));
    if !has("access-control-allow-methods", method) {
        return Some(format!("{method} is not among the allowed methods"));
    }
    (!has("access-control-allow-headers", HEADER))
        .then(|| format!("the header {HEADER} is not among the allowed ones"))
}

/// What the JSON API says, which asks no bucket.
fn all_allowed(answers: &[(&str, &Answer)], origin: &str) -> Verdict {
    let refused = answers
        .iter()
        .find_map(|(method, answer)| refusal(answer, origin, method).map(|why| format!("{method}: {why}")));
    match refused {
        Some(why) => failed(
            why,
            "the JSON API answers every origin by itself, so that something between here and Google answers in its \
             place; check any proxy",
        ),
        None => passed("GET, PUT and HEAD allowed; it answers every origin, whatever the bucket says"),
    }
}

fn refused(answer: &Answer) -> Verdict {
    if answer.is_success() && allows_origin(answer, STRANGER) {
        return failed(
            "a page of any origin may upload with a signed URL",
            "a CORS entry of the bucket allows `*`; remove it if nobody needs it",
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
            ("access-control-allow-methods", "GET,PUT"),
            ("access-control-allow-headers", "ETag,Content-Type"),
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
        assert!(reason(allowed(&answer(200, &good()), ORIGIN, "HEAD")).contains("HEAD"));
        assert!(reason(allowed(&answer(200, &good()[..2]), ORIGIN, "PUT")).contains("content-type"));
        assert!(reason(allowed(&answer(403, &[]), ORIGIN, "PUT")).contains("403"));
    }

    #[test]
    fn a_success_without_cors_headers_is_a_refusal() {
        assert!(reason(allowed(&answer(200, &[]), ORIGIN, "PUT")).contains("not allowed"));
        assert!(matches!(refused(&answer(200, &[])), Verdict::Passed { .. }));
    }

    #[test]
    fn a_star_lets_strangers_in() {
        let star = answer(200, &[("access-control-allow-origin", "*")]);
        assert!(reason(refused(&star)).contains("any origin"));
    }

    #[test]
    fn the_json_api_is_right_when_it_refuses_nothing() {
        let (yes, no) = (answer(200, &good()), answer(502, &[]));
        assert!(matches!(all_allowed(&[("GET", &yes), ("PUT", &yes)], ORIGIN), Verdict::Passed { .. }));
        assert!(reason(all_allowed(&[("GET", &yes), ("PUT", &no)], ORIGIN)).starts_with("PUT: "));
    }
}
