//! Converts an SDK error by the table of a cloud: what failed, on what, why, and what to do next.

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use aws_smithy_types::error::display::DisplayErrorContext;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use jiff::Timestamp;
use std::fmt::Display;

use crate::error::{Error, Kind};
use crate::explain::{Explanations, Failed, root_cause, unanswered, unread, unread_of, web_page};
use crate::http::FIRST_CONTACT_WITHIN;
use crate::retry::asked;
use crate::text::{clean, word, xml_element};

/// By how many seconds the time of a signature may be off (A30).
const ALLOWED_SKEW: i64 = 15 * 60;

/// What to do where no credentials were found.
pub(crate) const LOG_IN: &str =
    "set AWS_PROFILE, run `aws sso login`, or export AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY";

/// Error codes that every implementation of the protocol has (S3 API reference, "Error responses"); with those that
/// SQS and STS use for the same.
pub(crate) mod codes {
    pub(crate) const EXPIRED: &[&str] =
        &["ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"];

    pub(crate) const UNACCEPTED: &[&str] = &[
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "UnrecognizedClientException",
        "InvalidToken",
        "SignatureDoesNotMatch",
        "InvalidSignatureException",
        "AuthFailure",
        "MissingAuthenticationToken",
        "IncompleteSignature",
    ];

    pub(crate) const SKEWED: &[&str] = &["RequestTimeTooSkewed", "RequestInTheFuture"];

    pub(crate) const THROTTLED: &[&str] = &[
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestThrottled",
        "RequestThrottledException",
        "RequestLimitExceeded",
        "TooManyRequestsException",
        "BandwidthLimitExceeded",
    ];

    pub(crate) const CONFLICTING: &[&str] =
        &["OperationAborted", "ConditionalRequestConflict", "ConcurrentModification"];

    pub(crate) const ELSEWHERE: &[&str] =
        &["PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"];

    pub(crate) const TRANSIENT: &[&str] = &[
        "TemporaryRedirect",
        "InternalError",
        "InternalFailure",
        "ServiceUnavailable",
        "RequestTimeout",
        "ServiceUnavailableException",
    ];

    /// Besides the statuses 405 and 501.
    pub(crate) const DECLINED: &[&str] = &[
        "NotImplemented",
        "XNotImplemented",
        "MethodNotAllowed",
        "NotSupported",
        "UnsupportedOperation",
        "UnsupportedArgument",
        "MalformedXML",
        "InvalidRequest",
        "InvalidArgument",
        "InvalidURI",
        "InvalidDigest",
        "BadDigest",
        "MissingContentMD5",
        "MissingRequestBodyError",
    ];

    pub(crate) const DENIED: &[&str] = &["AccessDenied", "AccessDeniedException", "AllAccessDisabled"];
}
/// Explains by the table of a cloud why `action` (an IAM action such as `s3:PutBucketCORS`) failed on `target`.
pub(crate) fn failure_by<E>(
    by: &Explanations,
    error: SdkError<E, HttpResponse>,
    action: &str,
    target: impl Display,
) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    if codes::SKEWED.contains(&code(&error))
        && let Some(wrong) = wrong_clock_by(by, &error, action, &target)
    {
        return wrong;
    }
    let call = format!("{action} on {target}");
    match &error {
        SdkError::ConstructionFailure(_) | SdkError::DispatchFailure(_) | SdkError::TimeoutError(_) => {
            unsent(by, &error, &call)
        }
        SdkError::ResponseError(context) => garbled(by, context.raw(), &call, &error),
        // A success that is no answer: cut off, an error inside a 200 (A6), or of another call.
        SdkError::ServiceError(context)
            if context.raw().status().is_success() && context.err().code().is_none() =>
        {
            garbled(by, context.raw(), &call, &error)
        }
        SdkError::ServiceError(context) => {
            let region = header(context.raw(), "x-amz-bucket-region").or_else(|| region_in(context.raw()));
            let failed = Failed {
                permission: action,
                target: target.to_string(),
                code: code(&error),
                message: &clean(context.err().message().unwrap_or_default()),
                status: context.raw().status().as_u16(),
                html: is_html(context.raw()),
                retry_after: asked(|name| context.raw().headers().get(name)),
            };
            failed.explain(by, |hole| {
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

/// The explanation of an error that this machine's clock causes. A response to HEAD has no body, so only its
/// date shows it.
pub(crate) fn wrong_clock_by<E>(
    by: &Explanations,
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
    let (minutes, cloud) = (ahead.abs() / 60, by.cloud);
    Some(
        Error::new(
            Kind::Credentials,
            format!(
                "{action} on {target}: the clock of this machine is {minutes} minutes {way} that of {cloud}"
            ),
        )
        .hint(format!(
            "set the clock and run again; {cloud} rejects requests whose time is off by more than 15 minutes"
        )),
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

/// Whether the endpoint declined the call as one that it does not have, or not in this form.
pub(crate) fn is_declined<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    matches!(status(error), 405 | 501) || (status(error) < 500 && codes::DECLINED.contains(&code(error)))
}

/// A header of the response.
pub(crate) fn header(response: &HttpResponse, name: &str) -> Option<String> {
    response.headers().get(name).map(str::to_owned)
}

fn unsent<E>(by: &Explanations, error: &SdkError<E, HttpResponse>, call: &str) -> Error
where
    E: std::error::Error + Send + Sync + 'static,
{
    let failed = explain_unsent(by, error, call);
    // The connector gives up on hosts that have never answered.
    match error {
        SdkError::DispatchFailure(failure) if failure.is_other() => failed.within(FIRST_CONTACT_WITHIN),
        _ => failed,
    }
}

fn explain_unsent<E>(by: &Explanations, error: &SdkError<E, HttpResponse>, call: &str) -> Error
where
    E: std::error::Error + Send + Sync + 'static,
{
    if let Some(why) = unread_of(error) {
        return unread(by, call, why);
    }
    let whole = DisplayErrorContext(error).to_string().to_lowercase();
    if matches!(error, SdkError::TimeoutError(_)) {
        return unanswered(by, call, "timed out");
    }
    if whole.contains("credential") && !whole.contains("timed out") && !whole.contains("timeout") {
        return Error::new(Kind::Credentials, format!("{call}: no usable AWS credentials were found"))
            .hint(LOG_IN);
    }
    let cause = root_cause(error);
    let error = unanswered(by, call, &cause);
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

fn garbled<E>(
    by: &Explanations,
    response: &HttpResponse,
    call: &str,
    error: &SdkError<E, HttpResponse>,
) -> Error
where
    E: std::error::Error + Send + Sync + 'static,
{
    let status = response.status().as_u16();
    if is_html(response) {
        return web_page(by, call, status);
    }
    let kind = header(response, "content-type").unwrap_or_else(|| "no content type".to_owned());
    // The call may pass when repeated.
    Error::new(Kind::Transient, format!("{call}: the response cannot be read (HTTP status {status}, {kind})"))
        .because(clean(&root_cause(error)))
}

fn is_html(response: &HttpResponse) -> bool {
    header(response, "content-type").is_some_and(|kind| kind.contains("html"))
}

/// The region that an error names in its body (S3 API reference, "Error responses").
fn region_in(response: &HttpResponse) -> Option<String> {
    xml_element(std::str::from_utf8(response.body().bytes()?).ok()?, "Region")
}
