//! Turns an SDK error into one of ours: what failed, on what, why, and what to do next.

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
use crate::retry::asked;
use crate::text::clean;

/// The longest that S3 lets two changes of one bucket stand in each other's way (A19).
const CONFLICT_WITHIN: Duration = Duration::from_secs(300);

/// By how many seconds the time of a signature may be off (A30).
const ALLOWED_SKEW: i64 = 15 * 60;

/// Explains why `action` (an IAM action such as `s3:PutBucketCORS`) failed on `target`.
pub fn failure<E>(error: SdkError<E, HttpResponse>, action: &str, target: impl Display) -> Error
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
            let answer = Answer {
                code: context.err().code().unwrap_or_default().to_owned(),
                message: clean(context.err().message().unwrap_or_default()),
                status: context.raw().status().as_u16(),
                region: header(context.raw(), "x-amz-bucket-region"),
                retry_after: asked(|name| context.raw().headers().get(name)),
                html: header(context.raw(), "content-type").is_some_and(|kind| kind.contains("html")),
            };
            answer.explain(&call, action)
        }
        _ => Error::new(Kind::Failed, call).because(DisplayErrorContext(error).to_string()),
    }
}

/// The error code that the service gave, without the `AWS.SimpleQueueService.` that SQS puts before
/// some of its codes and leaves out before others.
pub fn code<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> &str {
    let code = match error {
        SdkError::ServiceError(context) => context.err().code().unwrap_or_default(),
        _ => "",
    };
    code.rsplit(['.', '#']).next().unwrap_or_default()
}

/// What the service said, made harmless.
pub fn message<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> String {
    match error {
        SdkError::ServiceError(context) => clean(context.err().message().unwrap_or_default()),
        _ => String::new(),
    }
}

/// The arguments that an S3 error complains of, as name and value: S3 puts the cause of an
/// `InvalidArgument` there (A8), numbered (`ArgumentName1`) where there are several.
pub fn arguments<E>(error: &SdkError<E, HttpResponse>) -> Vec<(String, String)> {
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

/// The explanation of a refusal that comes from the clock of this machine. An answer to HEAD has no
/// body to say so, and only its date tells.
pub fn wrong_clock<E>(
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
        .hint("set the clock and run again; AWS refuses what was signed more than 15 minutes off"),
    )
}

/// The HTTP status of the answer; 0 when there was none.
pub fn status<E>(error: &SdkError<E, HttpResponse>) -> u16 {
    error.raw_response().map_or(0, |response| response.status().as_u16())
}

/// Whether the call was answered with success, in a form that the SDK cannot read. Endpoints that
/// imitate AWS do that for calls they do not know.
pub fn is_unreadable<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    status(error) == 200 && code(error).is_empty()
}

/// A header of the answer.
pub fn header(response: &HttpResponse, name: &str) -> Option<String> {
    response.headers().get(name).map(str::to_owned)
}

struct Answer {
    code: String,
    message: String,
    status: u16,
    region: Option<String>,
    retry_after: Option<Duration>,
    html: bool,
}

impl Answer {
    fn explain(self, call: &str, action: &str) -> Error {
        let code = self.code.rsplit(['.', '#']).next().unwrap_or_default();
        let said = match (code.is_empty(), self.message.is_empty()) {
            (false, false) => format!("{code}: {}", self.message),
            (false, true) => code.to_owned(),
            (true, _) => format!("HTTP status {}", self.status),
        };
        let error = |kind| Error::new(kind, format!("{call}: {said}"));
        let error = match code {
            "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" | "TokenRefreshRequired" => error(
                Kind::Credentials,
            )
            .hint("the credentials have expired; refresh them (for SSO: `aws sso login`) and run again"),
            "InvalidAccessKeyId"
            | "InvalidClientTokenId"
            | "UnrecognizedClientException"
            | "InvalidToken"
            | "SignatureDoesNotMatch"
            | "InvalidSignatureException"
            | "AuthFailure"
            | "MissingAuthenticationToken"
            | "IncompleteSignature" => error(Kind::Credentials).hint(
                "AWS does not accept these credentials; check AWS_PROFILE, AWS_ACCESS_KEY_ID and the secret",
            ),
            "RequestTimeTooSkewed" | "RequestInTheFuture" => error(Kind::Credentials)
                .hint("the clock of this machine is off by more than 15 minutes; set it and run again"),
            "SlowDown"
            | "Throttling"
            | "ThrottlingException"
            | "ThrottledException"
            | "RequestThrottled"
            | "RequestThrottledException"
            | "RequestLimitExceeded"
            | "TooManyRequestsException"
            | "BandwidthLimitExceeded" => error(Kind::Throttled),
            "OperationAborted" | "ConditionalRequestConflict" | "ConcurrentModification" => {
                error(Kind::Conflict).within(CONFLICT_WITHIN)
            }
            "PermanentRedirect" | "AuthorizationHeaderMalformed" | "IllegalLocationConstraintException"
                if self.region.is_some() =>
            {
                let region = self.region.as_deref().unwrap_or_default();
                Error::refused(format!("{call}: the bucket is in {region}"))
                    .hint(format!("pass --region {region}, or choose another bucket name"))
            }
            "TemporaryRedirect" => error(Kind::Transient),
            "InternalError"
            | "InternalFailure"
            | "ServiceUnavailable"
            | "RequestTimeout"
            | "ServiceUnavailableException" => error(Kind::Transient),
            code if code.contains("AccessDenied") || code == "AllAccessDisabled" => {
                denied(error(Kind::Denied), &self.message, action)
            }
            _ if self.html => Error::new(
                if self.status >= 500 { Kind::Transient } else { Kind::Failed },
                format!("{call}: the endpoint answered with a web page (HTTP status {})", self.status),
            )
            .hint(
                "something between here and AWS answers in its place; check AWS_ENDPOINT_URL and any proxy",
            ),
            // The answer to a HEAD has no body, and so no code.
            "" if self.status == 503 => error(Kind::Throttled),
            "" if self.status == 409 => error(Kind::Conflict),
            "" if self.status == 400 => error(Kind::Credentials)
                .hint("expired credentials are the usual cause; refresh them and run again"),
            _ if self.status == 429 => error(Kind::Throttled),
            // Neither passes (RFC 9110, sections 15.6.2 and 15.6.6).
            _ if matches!(self.status, 501 | 505) => error(Kind::Failed)
                .hint("the endpoint does not support this call; check AWS_ENDPOINT_URL and any proxy"),
            _ if self.status >= 500 => error(Kind::Transient),
            _ if self.status == 403 => denied(error(Kind::Denied), &self.message, action),
            _ => error(Kind::Failed),
        };
        match self.retry_after {
            Some(wait) => error.retry_after(wait),
            None => error,
        }
    }
}

fn denied(error: Error, message: &str, action: &str) -> Error {
    if message.contains("explicit deny") {
        error.hint(format!(
            "a policy denies {action} explicitly; see the message for which one, and ask its owner"
        ))
    } else {
        error.hint(format!(
            "grant {action} to these credentials (`wbstore policy aws --for operator` prints all that is needed)"
        ))
    }
}

fn unsent<E>(error: &SdkError<E, HttpResponse>, call: &str) -> Error
where
    E: std::error::Error + Send + Sync + 'static,
{
    let cause = DisplayErrorContext(error).to_string();
    let words = cause.to_lowercase();
    if matches!(error, SdkError::TimeoutError(_)) || words.contains("timed out") || words.contains("timeout")
    {
        return Error::new(Kind::Transient, format!("{call}: no answer in time")).hint(
            "the endpoint is slow or out of reach; check the network, any proxy, and AWS_ENDPOINT_URL",
        );
    }
    if words.contains("credential") {
        return Error::new(Kind::Credentials, format!("{call}: no usable AWS credentials were found")).hint(
            "set AWS_PROFILE, run `aws sso login`, or export AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        );
    }
    let reason = root_cause(error);
    Error::new(Kind::Transient, format!("{call}: cannot reach the endpoint: {}", clean(&reason)))
        .hint("check the network, any proxy, the region's spelling, and AWS_ENDPOINT_URL")
}

fn garbled<E>(response: &HttpResponse, call: &str, error: &SdkError<E, HttpResponse>) -> Error
where
    E: std::error::Error + Send + Sync + 'static,
{
    let status = response.status().as_u16();
    let kind = header(response, "content-type").unwrap_or_else(|| "no content type".to_owned());
    if kind.contains("html") {
        return Error::new(
            Kind::Failed,
            format!("{call}: the endpoint answered with a web page (HTTP status {status})"),
        )
        .hint("something between here and AWS answers in its place; check AWS_ENDPOINT_URL and any proxy");
    }
    // The call may pass when repeated.
    Error::new(Kind::Transient, format!("{call}: the answer cannot be read (HTTP status {status}, {kind})"))
        .because(clean(&root_cause(error)))
}

/// The innermost cause, which names the thing itself: a refused connection, a missing profile.
pub fn root_cause(error: &dyn std::error::Error) -> String {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    last.to_string()
}

/// Explains why a write into a bucket failed. S3 may not see a bucket for a moment after it was made
/// (A19), so a missing one passes.
pub fn missing_bucket<E>(error: SdkError<E, HttpResponse>, action: &str, target: impl Display) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    if code(&error) == "NoSuchBucket" {
        return Error::new(Kind::NotYet, format!("{action} on {target}: S3 does not see the bucket yet"));
    }
    failure(error, action, target)
}

#[cfg(test)]
mod tests {
    use super::{Answer, elements};
    use crate::error::Kind;

    #[test]
    fn running_again_is_advised_only_where_it_can_help() {
        let explained = |status, code: &str| {
            let (code, message) = (code.to_owned(), String::new());
            let answer = Answer { code, message, status, region: None, retry_after: None, html: false };
            answer.explain("s3:PutBucketCORS on x", "s3:PutBucketCORS")
        };
        for (status, code, again) in [
            (500, "InternalError", true),
            (502, "", true),
            (501, "NotImplemented", false),
            (400, "MalformedXML", false),
        ] {
            let error = explained(status, code);
            assert_eq!(error.kind() == Kind::Transient, again, "{status}");
            assert_eq!(error.what_next().is_some_and(|hint| hint.contains("run again")), again, "{status}");
        }
    }

    #[test]
    fn arguments_are_found_with_and_without_a_number() {
        let one = "<Error><ArgumentName>arn:q</ArgumentName><ArgumentValue>gone</ArgumentValue></Error>";
        assert_eq!(elements(one, "<ArgumentName"), ["arn:q"]);
        let two = "<ArgumentValue1>a</ArgumentValue1><ArgumentName2>n</ArgumentName2><ArgumentValue2>b</ArgumentValue2>";
        assert_eq!(elements(two, "<ArgumentValue"), ["a", "b"]);
        assert_eq!(elements("<ArgumentValue", "<ArgumentValue"), Vec::<String>::new());
    }
}
