//! What a browser asks before it uploads: may a page of this origin do that here?

use std::time::Duration;

use aws_sdk_s3::presigning::PresigningConfig;
use tokio::time::Instant;

use super::{Report, Target, failed, passed};
use crate::error::{Error, Kind, Result};
use crate::http::{Answer, Client, Method, Request};
use crate::provider::Verdict;
use crate::providers::aws::session::Api;

/// How long a presigned URL of ours is good.
pub const SIGNED_FOR: Duration = Duration::from_secs(600);
/// A CORS document that was just written may take a moment to be used.
const SETTLES_WITHIN: Duration = Duration::from_secs(6);
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(2);
/// An origin that nobody can have: `.invalid` is reserved (RFC 2606).
const STRANGER: &str = "https://wbstore-probe.invalid";
/// What a browser sends with an upload or with a read of a part.
const HEADERS: [&str; 2] = ["content-type", "range"];

/// Asks for each method from the origin of `target`, and once from another. A refusal is told after a
/// second look only.
///
/// # Errors
/// When the endpoint cannot be reached.
pub async fn check(api: &Api, target: &Target, http: &Client, report: &Report) -> Result<()> {
    let url = address(api, target.bucket.as_str(), ".wbstore-probe/preflight").await?;
    let origin = target.origin.to_string();
    let ask = |method: &'static str| {
        let (url, origin) = (&url, origin.as_str());
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
        tokio::try_join!(ask("GET"), ask("PUT"), ask("HEAD"), ask_for(http, &url, STRANGER, "PUT"))?;
    report.known("preflight GET", get);
    report.known("preflight PUT", put);
    report.known("preflight HEAD", head);
    report.known("preflight other origin", refused(&other));
    Ok(())
}

/// The address of `key` as the server's presigned URLs have it, with its signature.
async fn address(api: &Api, bucket: &str, key: &str) -> Result<String> {
    let unsigned = |error: Box<dyn std::error::Error + Send + Sync>| {
        Error::new(Kind::Failed, format!("presign a URL of {bucket}")).because(error)
    };
    let lasting = PresigningConfig::expires_in(SIGNED_FOR).map_err(|error| unsigned(error.into()))?;
    let signed = api.s3.get_object().bucket(bucket).key(key).presigned(lasting).await;
    Ok(signed.map_err(|error| unsigned(error.into()))?.uri().to_owned())
}

async fn ask_for(http: &Client, url: &str, origin: &str, method: &str) -> Result<Answer> {
    let request = Request::new(Method::OPTIONS, url)?
        .header("Origin", origin)
        .header("Access-Control-Request-Method", method)
        .header("Access-Control-Request-Headers", HEADERS.join(","));
    http.send(&request).await
}

/// Whether a browser would go on (the Fetch standard, "CORS-preflight fetch").
fn allowed(answer: &Answer, origin: &str, method: &str) -> Verdict {
    const HINT: &str = "run `wbstore plan aws` to see whether the CORS rule has changed; a rule of somebody else that \
                        comes first may hide it";
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
            "a page of any origin may upload with a presigned URL",
            "a CORS rule of the bucket allows `*`; remove it if nobody needs it",
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
            ("access-control-allow-headers", "Content-Type, Range"),
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
