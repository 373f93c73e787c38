//! How Google Cloud says no.

use std::fmt::Write;

use googleapis_tonic_google_storage_v2::google::rpc::ErrorInfo;
use serde_json::{Value, json};
use tonic::Code;

/// An error answer, which can be given over gRPC, JSON and XML.
///
/// <https://cloud.google.com/apis/design/errors> has the codes and what they are over HTTP,
/// <https://cloud.google.com/storage/docs/json_api/v1/status-codes> those of Cloud Storage.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    pub(super) code: Code,
    pub(super) http: u16,
    /// The machine's word in `errors[].reason`.
    pub(super) reason: &'static str,
    pub(super) message: String,
    pub(super) info: Option<Box<ErrorInfo>>,
}

pub(super) type Answer<T> = Result<T, Refusal>;

impl Refusal {
    fn new(code: Code, http: u16, reason: &'static str, message: impl Into<String>) -> Self {
        Self { code, http, reason, message: message.into(), info: None }
    }

    /// 400: the request can never be right.
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(Code::InvalidArgument, 400, "invalid", message)
    }

    /// 401: nobody asks.
    pub(super) fn unknown_caller(message: impl Into<String>) -> Self {
        Self::new(Code::Unauthenticated, 401, "authError", message)
    }

    /// 403.
    pub(super) fn denied(message: impl Into<String>) -> Self {
        Self::new(Code::PermissionDenied, 403, "forbidden", message)
    }

    /// 404.
    pub(super) fn missing(message: impl Into<String>) -> Self {
        Self::new(Code::NotFound, 404, "notFound", message)
    }

    /// 409: the name is taken.
    pub(super) fn taken(message: impl Into<String>) -> Self {
        Self::new(Code::AlreadyExists, 409, "conflict", message)
    }

    /// 409: something stands in the way.
    pub(super) fn in_the_way(message: impl Into<String>) -> Self {
        Self::new(Code::FailedPrecondition, 409, "conflict", message)
    }

    /// 409: somebody else was faster.
    pub(super) fn raced(message: impl Into<String>) -> Self {
        Self::new(Code::Aborted, 409, "aborted", message)
    }

    /// 412 of Cloud Storage.
    pub(super) fn precondition(message: impl Into<String>) -> Self {
        Self::new(Code::FailedPrecondition, 412, "conditionNotMet", message)
    }

    /// 400 of everything else, which has no 412.
    pub(super) fn failed_precondition(message: impl Into<String>) -> Self {
        Self::new(Code::FailedPrecondition, 400, "failedPrecondition", message)
    }

    /// 501: not part of this double.
    pub(super) fn unknown_call(what: &str) -> Self {
        let message = format!("the sandbox's double of Google Cloud does not know {what}");
        Self::new(Code::Unimplemented, 501, "notImplemented", message)
    }

    /// Another word for the same.
    #[must_use]
    pub(super) fn reason(mut self, reason: &'static str) -> Self {
        self.reason = reason;
        self
    }

    /// Adds what libraries read instead of the message.
    #[must_use]
    pub(super) fn info(mut self, reason: &str, domain: &str, metadata: &[(&str, String)]) -> Self {
        let metadata = metadata.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
        let info = ErrorInfo { reason: reason.to_owned(), domain: domain.to_owned(), metadata };
        self.info = Some(Box::new(info));
        self
    }

    /// The body of a JSON answer.
    pub(super) fn json(&self) -> Value {
        let mut error = json!({
            "code": self.http,
            "message": self.message,
            "errors": [{"message": self.message, "domain": "global", "reason": self.reason}],
            "status": self.status(),
        });
        if let Some(info) = &self.info {
            error["details"] = json!([{
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": info.reason, "domain": info.domain, "metadata": info.metadata,
            }]);
        }
        json!({ "error": error })
    }

    /// The body of an XML answer:
    /// <https://cloud.google.com/storage/docs/xml-api/reference-status>.
    pub(super) fn xml(&self) -> String {
        let code = match (self.http, self.reason) {
            (_, "ExpiredToken" | "SignatureDoesNotMatch" | "MissingSecurityHeader") => self.reason,
            (400, _) => "InvalidArgument",
            (401, _) => "AuthenticationRequired",
            (403, "retentionPolicyNotMet") => "ObjectUnderActiveHold",
            (403, _) => "AccessDenied",
            (404, _) if self.message.contains("bucket") => "NoSuchBucket",
            (404, _) => "NoSuchKey",
            (412, _) => "PreconditionFailed",
            _ => "InternalError",
        };
        let mut details = String::new();
        for c in self.message.chars() {
            // Writing into a string cannot fail.
            let _ = match c {
                '<' => details.write_str("&lt;"),
                '&' => details.write_str("&amp;"),
                c => details.write_char(c),
            };
        }
        format!(
            "<?xml version='1.0' encoding='UTF-8'?><Error><Code>{code}</Code>\
             <Message>{}</Message><Details>{details}</Details></Error>",
            self.reason
        )
    }

    fn status(&self) -> &'static str {
        match self.code {
            Code::InvalidArgument => "INVALID_ARGUMENT",
            Code::Unauthenticated => "UNAUTHENTICATED",
            Code::PermissionDenied => "PERMISSION_DENIED",
            Code::NotFound => "NOT_FOUND",
            Code::AlreadyExists => "ALREADY_EXISTS",
            Code::Aborted => "ABORTED",
            Code::FailedPrecondition => "FAILED_PRECONDITION",
            Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
            Code::Unavailable => "UNAVAILABLE",
            Code::Unimplemented => "UNIMPLEMENTED",
            _ => "UNKNOWN",
        }
    }
}
