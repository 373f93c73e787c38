//! What holds of an endpoint as a whole: its clock, its region, and where URLs have the bucket's name.

use std::time::Duration;

use jiff::Timestamp;

use super::StoreDoor;
use crate::error::Result;
use crate::http::{Answer, Method, Request};
use crate::providers::s3::addressing::Addressing;
use crate::providers::s3_protocol::objects::S3Store;
use crate::text::{word, xml_element};
use crate::verify::{Check, PROBE_PREFIX, Verdict, failed, inconclusive, passed, warned};

/// How far clocks may be apart without a word, in seconds.
const CLOSE: i64 = 60;
/// A signature that is older or younger than this is refused everywhere, in seconds (S3 API reference,
/// "RequestTimeTooSkewed").
const REFUSED: i64 = 15 * 60;
/// How long the other addressing may take: nobody depends on it.
const OTHER_WITHIN: Duration = Duration::from_secs(5);

/// The codes by which stores refuse the region of a signature.
const WRONG_REGION: [&str; 5] = [
    "AuthorizationHeaderMalformed",
    "AuthorizationQueryParametersError",
    "InvalidRegionName",
    "InvalidRegion",
    "PermanentRedirect",
];

pub(super) async fn check(site: &StoreDoor<'_>) -> Result<Vec<Check>> {
    let used = site.api.addressing;
    let answer = read(site, used).await?;
    let clock = clock(answer.header("date"), Timestamp::now());
    let region = region(site.api.region.as_str(), &answer);
    let other = match used {
        // A name below an address is none.
        _ if site.endpoint.is_address() || site.asked != Addressing::Auto => None,
        Addressing::Virtual => Some(Addressing::Path),
        _ => Some(Addressing::Virtual),
    };
    let other = match other {
        Some(other) => Some(outcome(tokio::time::timeout(OTHER_WITHIN, read(site, other)).await)),
        None => None,
    };
    let addressing = addressing(used, refusal(&answer), other);
    let named = [("clock", clock), ("region", region), ("addressing", addressing)];
    Ok(named.map(|(name, verdict)| Check { name: name.to_owned(), verdict }).into())
}

/// The answer to a read of an object that is not there, through a presigned URL.
async fn read(site: &StoreDoor<'_>, addressing: Addressing) -> Result<Answer> {
    let config = site.bucket.s3.config().to_builder().force_path_style(addressing.is_path());
    let bucket = S3Store { s3: aws_sdk_s3::Client::from_conf(config.build()), ..site.bucket.clone() };
    let signed = bucket.sign_read(&format!("{PROBE_PREFIX}absent")).await?;
    site.http.send(&Request::new(Method::GET, &signed.url)?).await
}

fn outcome(
    answer: std::result::Result<Result<Answer>, tokio::time::error::Elapsed>,
) -> std::result::Result<(), String> {
    match answer {
        Ok(Ok(answer)) => refusal(&answer).map_or(Ok(()), Err),
        // The hosts of buckets are seldom in the DNS.
        Ok(Err(error)) => Err(error.chain()),
        Err(_) => Err(format!("no answer within {} s", OTHER_WITHIN.as_secs())),
    }
}

/// Why the request did not arrive at the bucket: there, the object is not found.
fn refusal(answer: &Answer) -> Option<String> {
    let body = String::from_utf8_lossy(&answer.body);
    let code = xml_element(&body, "Code").unwrap_or_default();
    if answer.is_success() || code == "NoSuchKey" {
        return None;
    }
    let code =
        Some(code).filter(|code| !code.is_empty()).map(|code| format!(" ({code})")).unwrap_or_default();
    Some(format!("HTTP status {}{code}", answer.status))
}

fn clock(date: Option<&str>, now: Timestamp) -> Verdict {
    let Some(theirs) = date.and_then(|date| jiff::fmt::rfc2822::parse(date).ok()) else {
        return inconclusive("the store returned no date");
    };
    let ahead = now.as_second() - theirs.timestamp().as_second();
    let apart = ahead.abs();
    let which = if ahead > 0 { "ahead of" } else { "behind" };
    let reason = format!("the clock of this machine is {apart} s {which} that of the store");
    match apart {
        0..=CLOSE => passed(format!("within {} s of the store's", apart.max(1))),
        ..=REFUSED => warned(reason, "synchronize both clocks: a signature is accepted for 15 minutes only"),
        _ => failed(reason, "synchronize both clocks: a signature is accepted for 15 minutes only"),
    }
}

fn region(region: &str, answer: &Answer) -> Verdict {
    let body = String::from_utf8_lossy(&answer.body);
    let code = xml_element(&body, "Code").unwrap_or_default();
    if WRONG_REGION.contains(&code.as_str()) {
        let message = xml_element(&body, "Message").unwrap_or_default();
        let reason = format!("the store refuses requests signed for {region}: {code}: {message}");
        let expected =
            xml_element(&body, "Region").or_else(|| answer.header("x-amz-bucket-region").map(str::to_owned));
        let hint = match expected.as_deref().and_then(word) {
            Some(expected) => format!("add `--region {expected}`"),
            None if message.contains("auto") => "add `--region auto`".to_owned(),
            None => "add `--region` with the region that the store's documentation names".to_owned(),
        };
        return failed(reason, hint);
    }
    match refusal(answer) {
        None => passed(format!("requests signed for {region} are accepted")),
        Some(why) => inconclusive(format!("the bucket cannot be read: {why}")),
    }
}

/// The verdict on the addressing in `use`, which fails for a reason or none, beside the other one where it was tried.
fn addressing(
    used: Addressing,
    refused: Option<String>,
    other: Option<std::result::Result<(), String>>,
) -> Verdict {
    let [this, that, option] = match used {
        Addressing::Virtual => ["by host name", "by path", "--addressing path"],
        _ => ["by path", "by host name", "--addressing virtual"],
    };
    match (refused, other) {
        (None, None) => passed(format!("buckets are addressed {this}")),
        (None, Some(Ok(()))) => passed(format!("buckets are addressed {this}; {that} works too")),
        (None, Some(Err(why))) => {
            passed(format!("buckets are addressed {this}; {that} does not work: {why}"))
        }
        (Some(why), Some(Ok(()))) => {
            failed(format!("{this}: {why}; {that} works"), format!("add `{option}`"))
        }
        (Some(why), _) => failed(
            format!("{this}: {why}"),
            "check endpoint and bucket; `--addressing` chooses where URLs have the bucket's name",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(verdict: &Verdict) -> String {
        match verdict {
            Verdict::Passed { detail } => detail.clone(),
            Verdict::Failed { reason, hint } => {
                format!("failed: {reason} → {}", hint.as_deref().unwrap_or_default())
            }
            Verdict::Warned { reason, hint } => format!("warned: {reason} → {hint}"),
            Verdict::Inconclusive { reason } => format!("inconclusive: {reason}"),
        }
    }

    #[test]
    fn a_clock_is_judged_by_how_far_it_is_off() {
        let now: Timestamp = "2026-11-26T10:00:00Z".parse().unwrap();
        for (date, says) in [
            (Some("Thu, 26 Nov 2026 10:00:00 GMT"), "within 1 s"),
            (Some("Thu, 26 Nov 2026 09:59:01 GMT"), "within 59 s"),
            (Some("Thu, 26 Nov 2026 09:55:00 GMT"), "warned: the clock of this machine is 300 s ahead of"),
            (Some("Thu, 26 Nov 2026 10:20:00 GMT"), "failed: the clock of this machine is 1200 s behind"),
            (Some("yesterday"), "inconclusive"),
            (None, "inconclusive"),
        ] {
            let verdict = reason(&clock(date, now));
            assert!(verdict.contains(says), "{date:?}: {verdict}");
        }
    }

    #[test]
    fn the_region_to_use_is_named() {
        let error = |code: &str, more: &str| {
            let body = format!("<Error><Code>{code}</Code><Message>m</Message>{more}</Error>");
            Answer::new(400, [], &body)
        };
        for (answer, says) in [
            (error("NoSuchKey", ""), "signed for us-east-1 are accepted"),
            (error("AuthorizationHeaderMalformed", "<Region>garage</Region>"), "add `--region garage`"),
            (
                error("AuthorizationHeaderMalformed", "<Region>a`b</Region>"),
                "the store's documentation names",
            ),
            (error("InvalidRegionName", ""), "failed: the store refuses requests signed for us-east-1"),
            (
                error("NoSuchBucket", ""),
                "inconclusive: the bucket cannot be read: HTTP status 400 (NoSuchBucket)",
            ),
        ] {
            let verdict = reason(&region("us-east-1", &answer));
            assert!(verdict.contains(says), "{verdict}");
        }
        let r2 = Answer::new(
            400,
            [],
            "<Error><Code>InvalidRegionName</Code><Message>Must be one of: weur, auto</Message></Error>",
        );
        assert!(reason(&region("us-east-1", &r2)).contains("add `--region auto`"));
    }

    #[test]
    fn the_addressing_that_works_is_named() {
        let path = |refused: Option<&str>, other| {
            reason(&addressing(Addressing::Path, refused.map(str::to_owned), other))
        };
        assert_eq!(path(None, None), "buckets are addressed by path");
        assert!(path(None, Some(Ok(()))).ends_with("by host name works too"));
        assert!(path(None, Some(Err("no such name".to_owned()))).ends_with("does not work: no such name"));
        assert!(path(Some("HTTP status 403"), Some(Ok(()))).ends_with("add `--addressing virtual`"));
        assert!(path(Some("HTTP status 404"), None).starts_with("failed: by path: HTTP status 404"));
        let other = reason(&addressing(Addressing::Virtual, Some("x".to_owned()), Some(Ok(()))));
        assert!(other.ends_with("add `--addressing path`"), "{other}");
    }
}
