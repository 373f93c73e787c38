//! Turns an error of Google's clients into one of ours: what failed, on what, why, and what to do next.
//!
//! Cloud Storage answers over gRPC and JSON, Pub/Sub over JSON, and each says no in a form of its own.
//! All of them are first made a [`Refusal`], so that one table explains them.

mod explain;

use std::fmt::Display;
use std::time::Duration;

use google_cloud_gax::error::rpc::{Code, Status, StatusDetails};
use google_cloud_gax::error::{CredentialsError, Error as SdkError};
use serde_json::Value;

use crate::error::{Error, Kind};
use crate::http::Answer;
use crate::patience::asked;
use crate::text::clean;

pub use explain::domain_restricted;

/// What to do without credentials.
pub const LOG_IN: &str = "run `gcloud auth application-default login`, or name a key file in GOOGLE_APPLICATION_CREDENTIALS; \
                          `wbstore plan gcp --offline --account-id <project number>` needs none";

/// The project of gcloud's own OAuth client, which Google names where calls of user credentials have no
/// quota project to count on (Google Cloud docs, "Troubleshoot your ADC setup"). It is nobody's to set up.
const CLIENT_PROJECT: &str = "764086051850";

/// A Google API said no.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Refusal {
    /// The canonical code (google/rpc/code.proto); of a JSON error without one, what its status means.
    pub code: Code,
    /// The HTTP status; 0 over gRPC.
    pub http: u16,
    /// Why, as a word for programs: `google.rpc.ErrorInfo.reason`, or `errors[].reason` of the older
    /// JSON APIs.
    pub reason: String,
    /// Why, in words.
    pub message: String,
    /// The API that is concerned, such as `pubsub.googleapis.com`, where it is said.
    pub service: Option<String>,
    /// The id or number of the project that is concerned, where it is said.
    pub project: Option<String>,
    /// The permission that is missing, where it is said.
    pub permission: Option<String>,
    /// The constraint that is violated, where it is said apart from the words.
    pub constraint: Option<String>,
    /// How long the server asks us to wait.
    pub retry_after: Option<Duration>,
    /// Whether the answer is a web page, which no API sends.
    pub html: bool,
}

impl Refusal {
    /// What the server said, where `error` comes from a server at all.
    pub fn of(error: &SdkError) -> Option<Self> {
        let http = error.http_status_code().unwrap_or(0);
        let header = |name| error.http_headers()?.get(name)?.to_str().ok();
        let mut refusal = match (error.status(), error.http_payload()) {
            (Some(status), _) => Self::of_status(status),
            (None, Some(body)) => Self::of_body(http, body),
            // gRPC speaks of a lost connection without a status.
            (None, None) if http != 0 => Self::of_body(http, b""),
            (None, None) => return None,
        };
        refusal.http = http;
        refusal.html |= header("content-type").is_some_and(|kind| kind.contains("html"));
        refusal.retry_after = refusal.retry_after.or_else(|| asked(header));
        Some(refusal)
    }

    /// What an answer of a JSON API says; `None` for a success.
    pub fn of_answer(answer: &Answer) -> Option<Self> {
        if answer.is_success() {
            return None;
        }
        let mut refusal = Self::of_body(answer.status, &answer.body);
        refusal.html |= answer.header("content-type").is_some_and(|kind| kind.contains("html"));
        refusal.retry_after = refusal.retry_after.or(answer.retry_after());
        Some(refusal)
    }

    fn of_status(status: &Status) -> Self {
        let mut refusal = Self { code: status.code, message: clean(&status.message), ..Self::default() };
        for detail in &status.details {
            match detail {
                StatusDetails::ErrorInfo(info) => {
                    refusal.reason = clean(&info.reason);
                    refusal.service = info.metadata.get("service").map(|text| clean(text));
                    refusal.project = info.metadata.get("consumer").and_then(|text| {
                        let project = text.strip_prefix("projects/")?;
                        Some(clean(project)).filter(|text| !text.is_empty() && text != CLIENT_PROJECT)
                    });
                    refusal.permission = info.metadata.get("permission").map(|text| clean(text));
                }
                StatusDetails::PreconditionFailure(failure) => {
                    let kinds = failure.violations.iter().flat_map(|one| [&one.r#type, &one.subject]);
                    refusal.constraint =
                        kinds.map(|text| clean(text)).find(|text| text.contains("onstraints/"));
                }
                StatusDetails::RetryInfo(info) => {
                    refusal.retry_after =
                        info.retry_delay.as_ref().and_then(|delay| Duration::try_from(*delay).ok());
                }
                _ => {}
            }
        }
        refusal
    }

    /// Errors of JSON APIs hold either the canonical status and details, or the older list of reasons
    /// (cloud.google.com/apis/design/errors; Cloud Storage JSON API, "HTTP status and error codes").
    fn of_body(http: u16, body: &[u8]) -> Self {
        let json = serde_json::from_slice::<Value>(body).unwrap_or_default();
        let error = &json["error"];
        let word = |value: &Value| value.as_str().map(clean);
        let mut refusal = serde_json::from_value::<Vec<StatusDetails>>(error["details"].clone())
            .map(|details| Self::of_status(&Status::default().set_details(details)))
            .unwrap_or_default();
        let code = error["status"].as_str().and_then(|text| Code::try_from(text).ok());
        refusal.code = code.unwrap_or_else(|| meaning(http));
        refusal.http = http;
        refusal.message = word(&error["message"]).unwrap_or_default();
        if refusal.reason.is_empty() {
            refusal.reason = word(&error["errors"][0]["reason"]).unwrap_or_default();
        }
        refusal.html = body.trim_ascii_start().starts_with(b"<");
        refusal
    }

    /// The same, of a call in `project`, where the server does not name one.
    #[must_use]
    pub fn within(mut self, project: &str) -> Self {
        self.project.get_or_insert_with(|| project.to_owned());
        self
    }

    /// Whether the server did nothing: it understood the call and would not carry it out, and did not fail
    /// on the way.
    pub fn changed_nothing(&self) -> bool {
        !self.html
            && !matches!(
                self.code,
                Code::Ok
                    | Code::Unknown
                    | Code::Internal
                    | Code::Unavailable
                    | Code::DeadlineExceeded
                    | Code::Cancelled
                    | Code::DataLoss
            )
    }

    /// Whether what was asked for is not there.
    pub fn is_not_found(&self) -> bool {
        self.code == Code::NotFound && !self.html
    }

    /// Whether it is there already.
    pub fn is_taken(&self) -> bool {
        self.code == Code::AlreadyExists || (self.http == 409 && self.reason == "conflict")
    }

    /// Cloud Storage gives one code for a metageneration that no longer fits and for a bucket that is
    /// not empty; only the words tell.
    fn speaks_of_a_precondition(&self) -> bool {
        let words = self.message.to_lowercase();
        ["metageneration", "pre-condition", "precondition"].iter().any(|word| words.contains(word))
    }

    /// Whether what was read before has changed meanwhile: an etag or a metageneration that no longer
    /// fits.
    pub fn is_stale(&self) -> bool {
        if self.is_taken() || self.constraint().is_some() {
            return false;
        }
        self.code == Code::Aborted
            || matches!(self.http, 409 | 412)
            || (self.code == Code::FailedPrecondition && self.speaks_of_a_precondition())
    }
}

/// The canonical code of an HTTP status (google/rpc/code.proto).
fn meaning(http: u16) -> Code {
    match http {
        400 => Code::InvalidArgument,
        401 => Code::Unauthenticated,
        403 => Code::PermissionDenied,
        404 => Code::NotFound,
        409 => Code::Aborted,
        412 => Code::FailedPrecondition,
        429 => Code::ResourceExhausted,
        500 => Code::Internal,
        501 => Code::Unimplemented,
        503 => Code::Unavailable,
        504 => Code::DeadlineExceeded,
        _ => Code::Unknown,
    }
}

/// Explains why a call that takes `permission` (such as `storage.buckets.create`) failed on `target`.
pub fn failure(error: &SdkError, permission: &str, target: impl Display) -> Error {
    let call = format!("{permission} on {target}");
    match Refusal::of(error) {
        Some(refusal) => refusal.explain(permission, target),
        None if error.is_authentication() => credentials(error).context(call),
        None if error.is_timeout() => Error::new(Kind::Transient, format!("{call}: no answer in time"))
            .hint("the endpoint is slow or out of reach; check the network and any proxy"),
        None if error.is_deserialization() => {
            Error::new(Kind::Transient, format!("{call}: the answer cannot be read"))
                .because(clean(&root_cause(error)))
        }
        None if error.is_serialization() || error.is_binding() => {
            Error::new(Kind::Failed, format!("{call}: the call cannot be written"))
                .because(clean(&root_cause(error)))
        }
        None => Error::new(
            Kind::Transient,
            format!("{call}: cannot reach the endpoint: {}", clean(&root_cause(error))),
        )
        .hint("check the network, any proxy, and the endpoint variables, if any is set"),
    }
}

/// Whether `error` says that what was asked for is not there.
pub fn is_not_found(error: &SdkError) -> bool {
    Refusal::of(error).is_some_and(|refusal| refusal.is_not_found())
}

/// Explains why no token could be had.
pub fn credentials(error: &(dyn std::error::Error + 'static)) -> Error {
    let causes = || std::iter::successors(Some(error), |error| error.source());
    // Where nothing is configured the library asks the metadata server of a virtual machine last, and
    // what it says is only that this is none.
    if causes().any(|error| error.to_string().contains("not configured local credentials")) {
        return Error::new(Kind::Credentials, "no Google credentials were found").hint(LOG_IN);
    }
    let passes = causes()
        .find_map(|error| error.downcast_ref::<CredentialsError>())
        .is_some_and(CredentialsError::is_transient);
    let error = Error::new(
        if passes { Kind::Transient } else { Kind::Credentials },
        "no token could be had for the Google credentials",
    )
    .because(clean(&root_cause(error)));
    if passes {
        error.hint(format!("check the network and any proxy; if no credentials are set up here, {LOG_IN}"))
    } else {
        error.hint(LOG_IN)
    }
}

/// The innermost cause, which names the thing itself: a refused connection, a missing file.
pub fn root_cause(error: &(dyn std::error::Error + 'static)) -> String {
    std::iter::successors(Some(error), |error| error.source())
        .last()
        .map(ToString::to_string)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests;
