//! What a Google API refuses, and what that means to the reader.
//!
//! Errors of the JSON APIs hold the canonical status and details, or the older list of reasons, or both
//! (cloud.google.com/apis/design/errors; Cloud Storage JSON API, "HTTP status and error codes").

mod explain;

use std::time::Duration;

use google_cloud_auth::errors::CredentialsError;
use serde_json::Value;

use crate::error::{Error, Kind};
use crate::explain::root_cause;
use crate::http::Answer;
use crate::text::clean;

pub(crate) use explain::domain_restricted;

/// What to do without credentials.
pub(crate) const LOG_IN: &str = "run `gcloud auth application-default login`, or name a key file in \
                                 GOOGLE_APPLICATION_CREDENTIALS; `wbstore plan gcp --offline --account-id \
                                 <project number>` requires no credentials";

/// The project of gcloud's own OAuth client, which Google names where calls of user credentials have no quota
/// project to count on (Google Cloud docs, "Troubleshoot your ADC setup"). Users cannot configure it.
const CLIENT_PROJECT: &str = "764086051850";

/// An error response of a Google API.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Refusal {
    /// The canonical code (google/rpc/code.proto), such as `NOT_FOUND`; of an error without one, what its
    /// HTTP status means.
    pub status: String,
    /// The HTTP status.
    pub http: u16,
    /// The machine-readable reason: `google.rpc.ErrorInfo.reason`, or `errors[].reason` of the older JSON
    /// APIs.
    pub reason: String,
    /// The message.
    pub message: String,
    /// The API, such as `pubsub.googleapis.com`, if the response names it.
    pub service: Option<String>,
    /// The ID or number of the project, if the response names it.
    pub project: Option<String>,
    /// The missing permission, if the response names it.
    pub permission: Option<String>,
    /// The violated constraint, if the response has it in a field of its own.
    pub constraint: Option<String>,
    /// The wait that the server requests.
    pub retry_after: Option<Duration>,
    /// Whether the response is a web page, which no API returns.
    pub html: bool,
}

impl Refusal {
    /// The error in a response of a JSON API; `None` for a success. A successful status with anything but JSON comes
    /// from something between this machine and Google, and nothing was done.
    pub(crate) fn of_answer(answer: &Answer) -> Option<Self> {
        if answer.is_success() {
            let is_page = answer.header("content-type").is_some_and(|kind| kind.contains("html"))
                || answer.body.trim_ascii_start().starts_with(b"<");
            return is_page.then(|| Self { html: true, http: answer.status, ..Self::default() });
        }
        let mut refusal = Self::of_body(answer.status, &answer.body);
        refusal.html |= answer.header("content-type").is_some_and(|kind| kind.contains("html"));
        refusal.retry_after = refusal.retry_after.or(answer.retry_after());
        Some(refusal)
    }

    fn of_body(http: u16, body: &[u8]) -> Self {
        let json = serde_json::from_slice::<Value>(body).unwrap_or_default();
        let error = &json["error"];
        let word = |value: &Value| value.as_str().map(clean).filter(|word| !word.is_empty());
        let mut refusal = Self {
            status: word(&error["status"]).unwrap_or_else(|| meaning(http).to_owned()),
            http,
            message: word(&error["message"]).unwrap_or_default(),
            html: body.trim_ascii_start().starts_with(b"<"),
            ..Self::default()
        };
        for detail in error["details"].as_array().into_iter().flatten() {
            let kind = detail["@type"].as_str().and_then(|kind| kind.rsplit('.').next());
            match kind.unwrap_or_default() {
                "ErrorInfo" => {
                    let metadata = &detail["metadata"];
                    refusal.reason = word(&detail["reason"]).unwrap_or_default();
                    refusal.service = word(&metadata["service"]);
                    refusal.permission = word(&metadata["permission"]);
                    refusal.project = word(&metadata["consumer"])
                        .and_then(|consumer| Some(consumer.strip_prefix("projects/")?.to_owned()))
                        .filter(|project| !project.is_empty() && project != CLIENT_PROJECT);
                }
                "PreconditionFailure" => {
                    let violations = detail["violations"].as_array().into_iter().flatten();
                    let words = violations.flat_map(|one| [word(&one["type"]), word(&one["subject"])]);
                    refusal.constraint = words.flatten().find(|text| text.contains("onstraints/"));
                }
                "RetryInfo" => {
                    let delay = detail["retryDelay"].as_str().and_then(|text| text.strip_suffix('s'));
                    let delay = delay.and_then(|seconds| seconds.parse().ok());
                    refusal.retry_after = delay.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
                }
                _ => {}
            }
        }
        if refusal.reason.is_empty() {
            refusal.reason = word(&error["errors"][0]["reason"]).unwrap_or_default();
        }
        refusal
    }

    /// The same, of a call in `project`, where the server does not name one.
    #[must_use]
    pub(crate) fn within(mut self, project: &str) -> Self {
        self.project.get_or_insert_with(|| project.to_owned());
        self
    }

    /// Whether the resource does not exist.
    pub(crate) fn is_not_found(&self) -> bool {
        self.status == "NOT_FOUND" && !self.html
    }

    /// Whether a bucket or a folder still holds something, which only the message says.
    pub(crate) fn is_not_empty(&self) -> bool {
        self.message.contains("not empty")
    }

    /// Whether the resource already exists. Cloud Storage has one reason for that and for a concurrent
    /// update; only the message distinguishes them.
    pub(crate) fn is_taken(&self) -> bool {
        let conflict = self.http == 409 && self.reason == "conflict";
        self.status == "ALREADY_EXISTS" || (conflict && !self.message.contains("concurrent"))
    }

    /// Whether what was read before has changed meanwhile: an etag or a metageneration that no longer
    /// fits.
    pub(crate) fn is_stale(&self) -> bool {
        let stale = self.status == "ABORTED" || matches!(self.http, 409 | 412);
        stale && !self.is_taken() && self.constraint().is_none()
    }

    /// Whether a policy was not written because it has changed since it was read, in any of the spellings for
    /// that: JSON 409 and 412, ABORTED, and FAILED_PRECONDITION with 400 (B24).
    pub(crate) fn is_lost_race(&self) -> bool {
        let lost = matches!(self.status.as_str(), "ABORTED" | "FAILED_PRECONDITION")
            || matches!(self.reason.as_str(), "aborted" | "conditionNotMet" | "failedPrecondition");
        (lost || matches!(self.http, 409 | 412)) && self.constraint().is_none()
    }
}

/// The canonical code of an HTTP status (google/rpc/code.proto).
fn meaning(http: u16) -> &'static str {
    match http {
        400 => "INVALID_ARGUMENT",
        401 => "UNAUTHENTICATED",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        409 => "ABORTED",
        412 => "FAILED_PRECONDITION",
        429 => "RESOURCE_EXHAUSTED",
        500 => "INTERNAL",
        501 => "UNIMPLEMENTED",
        503 => "UNAVAILABLE",
        504 => "DEADLINE_EXCEEDED",
        _ => "UNKNOWN",
    }
}

/// Explains why there is no token.
pub(crate) fn credentials(error: &(dyn std::error::Error + 'static)) -> Error {
    let causes = || std::iter::successors(Some(error), |error| error.source());
    // If nothing is configured, the library tries the metadata server of a virtual machine last, and its
    // error only means that this machine is none.
    if causes().any(|error| error.to_string().contains("not configured local credentials")) {
        return Error::new(Kind::Credentials, "no Google credentials were found").hint(LOG_IN);
    }
    let passes = causes()
        .find_map(|error| error.downcast_ref::<CredentialsError>())
        .is_some_and(CredentialsError::is_transient);
    let error = Error::new(
        if passes { Kind::Transient } else { Kind::Credentials },
        "failed to get a token with the Google credentials",
    )
    .because(clean(&root_cause(error)));
    if passes {
        error.hint(format!("check the network and any proxy; if no credentials are configured, {LOG_IN}"))
    } else {
        error.hint(LOG_IN)
    }
}

#[cfg(test)]
mod tests;
