//! Converts an SDK error: what failed, on what, why, and what to do next.

use std::fmt::Display;
use std::time::Duration;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use aws_smithy_types::error::display::DisplayErrorContext;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use jiff::Timestamp;

use crate::error::{Error, Kind};
use crate::explain::{Explanations, Failed, Row, root_cause, unanswered, unread, unread_of, web_page};
use crate::http::FIRST_CONTACT_WITHIN;
use crate::retry::asked;
use crate::text::{clean, word};

/// How long two updates of one bucket may conflict in S3 (A19).
const CONFLICT_WITHIN: Duration = Duration::from_secs(300);

/// By how many seconds the time of a signature may be off (A30).
const ALLOWED_SKEW: i64 = 15 * 60;

pub(super) const LOG_IN: &str =
    "set AWS_PROFILE, run `aws sso login`, or export AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY";

const NOT_ACCEPTED: &str = "AWS rejected these credentials; check AWS_PROFILE, AWS_ACCESS_KEY_ID and the \
                            secret; a region that is not enabled for the account rejects all credentials";

const GRANT: &str = "grant {permission} to these credentials (`wbstore policy aws --for operator` prints all \
                     required permissions)";

/// The codes of S3 ("Error responses"), SQS and STS ("Common errors").
const AWS: Explanations = Explanations {
    cloud: "AWS",
    rows: &[
        Row::new(
            &["ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"],
            Kind::Credentials,
            "the credentials have expired; refresh them (for SSO: `aws sso login`) and run again",
        ),
        Row::new(
            &[
                "InvalidAccessKeyId",
                "InvalidClientTokenId",
                "UnrecognizedClientException",
                "InvalidToken",
                "SignatureDoesNotMatch",
                "InvalidSignatureException",
                "AuthFailure",
                "MissingAuthenticationToken",
                "IncompleteSignature",
            ],
            Kind::Credentials,
            NOT_ACCEPTED,
        ),
        Row::new(
            &["RequestTimeTooSkewed", "RequestInTheFuture"],
            Kind::Credentials,
            "the clock of this machine is off by more than 15 minutes; set it and run again",
        ),
        Row::new(
            &[
                "SlowDown",
                "Throttling",
                "ThrottlingException",
                "ThrottledException",
                "RequestThrottled",
                "RequestThrottledException",
                "RequestLimitExceeded",
                "TooManyRequestsException",
                "BandwidthLimitExceeded",
            ],
            Kind::Throttled,
            "",
        ),
        Row::new(
            &["OperationAborted", "ConditionalRequestConflict", "ConcurrentModification"],
            Kind::Conflict,
            "",
        )
        .within(CONFLICT_WITHIN),
        Row::new(
            &["PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"],
            Kind::Refused,
            "the bucket is in another region: add `--region {region}`, or choose another name with --bucket",
        ),
        Row::new(
            &["TooManyBuckets"],
            Kind::Refused,
            "the account has reached its bucket quota: delete a bucket, or request a higher quota with `aws \
             service-quotas request-service-quota-increase --service-code s3 --quota-code L-DC2B2D3D \
             --desired-value <number>`",
        ),
        Row::new(
            &[
                "TemporaryRedirect",
                "InternalError",
                "InternalFailure",
                "ServiceUnavailable",
                "RequestTimeout",
                "ServiceUnavailableException",
            ],
            Kind::Transient,
            "",
        ),
        Row::new(
            DENIED,
            Kind::Denied,
            "a service control policy of the organization denies {permission}; ask its administrator",
        )
        .saying("service control policy"),
        Row::new(
            DENIED,
            Kind::Denied,
            "a policy denies {permission} explicitly; see the message for which one, and ask its owner",
        )
        .saying("explicit deny"),
        Row::new(DENIED, Kind::Denied, GRANT),
        // The response to a HEAD has no body, and so no code.
        Row::new(&[""], Kind::Throttled, "").status(503),
        Row::new(&[""], Kind::Conflict, "").status(409),
        Row::new(
            &[""],
            Kind::Credentials,
            "expired credentials are the usual cause; refresh them and run again",
        )
        .status(400),
    ],
    credentials: NOT_ACCEPTED,
    grant: GRANT,
    endpoint: "AWS_ENDPOINT_URL",
};

const DENIED: &[&str] = &["AccessDenied", "AccessDeniedException", "AllAccessDisabled"];

/// Explains why `action` (an IAM action such as `s3:PutBucketCORS`) failed on `target`.
pub(crate) fn failure<E>(error: SdkError<E, HttpResponse>, action: &str, target: impl Display) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    if matches!(code(&error), "RequestTimeTooSkewed" | "RequestInTheFuture")
        && let Some(wrong) = wrong_clock(&error, action, &target)
    {
        return wrong;
    }
    let call = format!("{action} on {target}");
    match &error {
        SdkError::ConstructionFailure(_) | SdkError::DispatchFailure(_) | SdkError::TimeoutError(_) => {
            unsent(&error, &call)
        }
        SdkError::ResponseError(context) => garbled(context.raw(), &call, &error),
        // A success that is no answer: cut off, an error inside a 200 (A6), or of another call.
        SdkError::ServiceError(context)
            if context.raw().status().is_success() && context.err().code().is_none() =>
        {
            garbled(context.raw(), &call, &error)
        }
        SdkError::ServiceError(context) => {
            let region = header(context.raw(), "x-amz-bucket-region");
            let failed = Failed {
                permission: action,
                target: target.to_string(),
                code: code(&error),
                message: &clean(context.err().message().unwrap_or_default()),
                status: context.raw().status().as_u16(),
                html: is_html(context.raw()),
                retry_after: asked(|name| context.raw().headers().get(name)),
            };
            failed.explain(&AWS, |hole| {
                region.as_deref().filter(|_| hole == "region").and_then(word).map(str::to_owned)
            })
        }
        _ => Error::new(Kind::Failed, call).because(clean(&DisplayErrorContext(error).to_string())),
    }
}

/// The error code that the service gave, without the `AWS.SimpleQueueService.` that SQS puts before
/// some of its codes and leaves out before others.
pub(crate) fn code<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> &str {
    let code = match error {
        SdkError::ServiceError(context) => context.err().code().unwrap_or_default(),
        _ => "",
    };
    code.rsplit(['.', '#']).next().unwrap_or_default()
}

/// The message of the service, sanitized.
pub(crate) fn message<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> String {
    match error {
        SdkError::ServiceError(context) => clean(context.err().message().unwrap_or_default()),
        _ => String::new(),
    }
}

/// The arguments that an S3 error complains of, as name and value: S3 puts the cause of an
/// `InvalidArgument` there (A8), numbered (`ArgumentName1`) where there are several.
pub(crate) fn arguments<E>(error: &SdkError<E, HttpResponse>) -> Vec<(String, String)> {
    let body = error.raw_response().and_then(|response| response.body().bytes()).unwrap_or_default();
    let text = String::from_utf8_lossy(body);
    let names = elements(&text, "<ArgumentName");
    names.into_iter().zip(elements(&text, "<ArgumentValue")).collect()
}

/// The texts of the elements whose tag starts with `tag`. The answer is small and flat.
fn elements(text: &str, tag: &str) -> Vec<String> {
    let rests = text.split(tag).skip(1);
    rests.filter_map(|rest| Some(clean(rest.split_once('>')?.1.split_once("</")?.0))).collect()
}

/// The explanation of an error that this machine's clock causes. A response to HEAD has no body, so only its
/// date shows it.
pub(crate) fn wrong_clock<E>(
    error: &SdkError<E, HttpResponse>,
    action: &str,
    target: impl Display,
) -> Option<Error> {
    let date = header(error.raw_response()?, "date")?;
    let theirs = DateTime::from_str(&date, Format::HttpDate).ok()?.secs();
    let ahead = Timestamp::now().as_second() - theirs;
    if ahead.abs() <= ALLOWED_SKEW {
        return None;
    }
    let way = if ahead > 0 { "ahead of" } else { "behind" };
    let minutes = ahead.abs() / 60;
    Some(
        Error::new(
            Kind::Credentials,
            format!("{action} on {target}: the clock of this machine is {minutes} minutes {way} that of AWS"),
        )
        .hint("set the clock and run again; AWS rejects requests whose time is off by more than 15 minutes"),
    )
}

/// The HTTP status of the response; 0 without one.
pub(crate) fn status<E>(error: &SdkError<E, HttpResponse>) -> u16 {
    error.raw_response().map_or(0, |response| response.status().as_u16())
}

/// Whether the call was answered with success, in a form that the SDK cannot read. Endpoints that
/// imitate AWS do that for calls they do not know.
pub(crate) fn is_unreadable<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    status(error) == 200 && code(error).is_empty()
}

/// Whether the endpoint does not have the call, as those that imitate AWS.
pub(crate) fn is_unsupported<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    matches!(status(error), 405 | 501) || code(error) == "NotImplemented" || is_unreadable(error)
}

/// A header of the response.
pub(crate) fn header(response: &HttpResponse, name: &str) -> Option<String> {
    response.headers().get(name).map(str::to_owned)
}

fn unsent<E>(error: &SdkError<E, HttpResponse>, call: &str) -> Error
where
    E: std::error::Error + Send + Sync + 'static,
{
    let failed = explain_unsent(error, call);
    // The connector gives up on hosts that have never answered.
    match error {
        SdkError::DispatchFailure(failure) if failure.is_other() => failed.within(FIRST_CONTACT_WITHIN),
        _ => failed,
    }
}

fn explain_unsent<E>(error: &SdkError<E, HttpResponse>, call: &str) -> Error
where
    E: std::error::Error + Send + Sync + 'static,
{
    if let Some(why) = unread_of(error) {
        return unread(&AWS, call, why);
    }
    let whole = DisplayErrorContext(error).to_string().to_lowercase();
    if matches!(error, SdkError::TimeoutError(_)) {
        return unanswered(&AWS, call, "timed out");
    }
    if whole.contains("credential") && !whole.contains("timed out") && !whole.contains("timeout") {
        return Error::new(Kind::Credentials, format!("{call}: no usable AWS credentials were found"))
            .hint(LOG_IN);
    }
    let cause = root_cause(error);
    let error = unanswered(&AWS, call, &cause);
    let distrusted = ["certificate", "unknownissuer"].iter().any(|word| cause.to_lowercase().contains(word));
    if !distrusted {
        return error;
    }
    // What users of the AWS CLI have set (B11).
    match std::env::var("AWS_CA_BUNDLE").ok().filter(|path| !path.is_empty()) {
        Some(_) => error.hint(
            "wbstore does not read AWS_CA_BUNDLE: run again with `SSL_CERT_FILE=\"$AWS_CA_BUNDLE\"`; the file replaces \
             the certificates of this machine",
        ),
        None => error.hint(
            "the certificate of the endpoint is not trusted here; where a proxy inspects TLS, add its CA to the \
             certificates of this machine, or set SSL_CERT_FILE to a file that has it (also for `ca_bundle` of a \
             profile, which wbstore does not read)",
        ),
    }
}

fn garbled<E>(response: &HttpResponse, call: &str, error: &SdkError<E, HttpResponse>) -> Error
where
    E: std::error::Error + Send + Sync + 'static,
{
    let status = response.status().as_u16();
    if is_html(response) {
        return web_page(&AWS, call, status);
    }
    let kind = header(response, "content-type").unwrap_or_else(|| "no content type".to_owned());
    // The call may pass when repeated.
    Error::new(Kind::Transient, format!("{call}: the response cannot be read (HTTP status {status}, {kind})"))
        .because(clean(&root_cause(error)))
}

fn is_html(response: &HttpResponse) -> bool {
    header(response, "content-type").is_some_and(|kind| kind.contains("html"))
}

/// Explains why a write into a bucket failed. A bucket may be invisible to S3 for a moment after it was
/// created (A19), so a missing one passes.
pub(crate) fn missing_bucket<E>(error: SdkError<E, HttpResponse>, action: &str, target: impl Display) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    if code(&error) == "NoSuchBucket" {
        return Error::new(
            Kind::NotYet,
            format!("{action} on {target}: the bucket is not visible to S3 yet"),
        );
    }
    failure(error, action, target)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::elements;
    use crate::outside;

    #[test]
    fn arguments_are_found_with_and_without_a_number() {
        let one = "<Error><ArgumentName>arn:q</ArgumentName><ArgumentValue>gone</ArgumentValue></Error>";
        assert_eq!(elements(one, "<ArgumentName"), ["arn:q"]);
        let two = "<ArgumentValue1>a</ArgumentValue1><ArgumentName2>n</ArgumentName2><ArgumentValue2>b</ArgumentValue2>";
        assert_eq!(elements(two, "<ArgumentValue"), ["a", "b"]);
        assert_eq!(elements("<ArgumentValue", "<ArgumentValue"), Vec::<String>::new());
    }

    proptest! {
        #[test]
        fn any_body_has_arguments_or_none(
            before in outside::text(), inside in outside::text(), after in outside::text(), number in 0_u8..3,
        ) {
            let text = format!("{before}<ArgumentName{number}>{inside}</ArgumentName{number}>{after}");
            for text in [text, before, inside] {
                for found in elements(&text, "<ArgumentName") {
                    prop_assert!(!found.contains(char::is_control) && !found.contains('`'), "{found:?}");
                }
            }
        }
    }
}
