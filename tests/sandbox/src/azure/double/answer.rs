//! What ARM answers, and how it refuses.

use axum::http::{Response, StatusCode, header};
use hyper::body::Bytes;
use serde_json::{Value, json};

/// A whole answer.
pub(super) type Reply = Response<Bytes>;

/// An answer or a refusal.
pub(super) type Outcome = Result<Reply, Refusal>;

/// An error as ARM reports it.
/// <https://github.com/microsoft/api-guidelines/blob/vNext/azure/Guidelines.md#handling-errors>
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    status: u16,
    code: String,
    message: String,
    headers: Vec<(&'static str, String)>,
}

impl Refusal {
    pub(super) fn new(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self { status, code: code.to_owned(), message: message.into(), headers: vec![] }
    }

    pub(super) fn status(&self) -> u16 {
        self.status
    }

    pub(super) fn code(&self) -> &str {
        &self.code
    }

    pub(super) fn message(&self) -> &str {
        &self.message
    }

    pub(super) fn retry_after(&self) -> Option<String> {
        self.headers.iter().find(|(name, _)| *name == "retry-after").map(|(_, value)| value.clone())
    }

    pub(super) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// A value that the service does not take.
    pub(super) fn invalid(what: &str) -> Self {
        let message = format!("Values for request parameters are invalid: {what}.");
        Self::new(400, "InvalidValuesForRequestParameters", message)
    }

    /// No such resource in its group.
    pub(super) fn not_found(kind: &str, name: &str, group: &str) -> Self {
        let message = format!(
            "The Resource '{kind}/{name}' under resource group '{group}' was not found. \
             For more details please go to https://aka.ms/ARMResourceNotFoundFix"
        );
        Self::new(404, "ResourceNotFound", message)
    }

    /// The data plane cannot be reached, or says what nobody expects.
    pub(super) fn broken(what: impl std::fmt::Display) -> Self {
        Self::new(500, "InternalServerError", format!("the sandbox and Azurite do not agree: {what}"))
    }

    pub(super) fn reply(&self) -> Reply {
        let mut reply =
            json(self.status, &json!({ "error": { "code": self.code, "message": self.message } }));
        for (name, value) in &self.headers {
            set(&mut reply, name, value);
        }
        // <https://learn.microsoft.com/azure/azure-resource-manager/management/common-deployment-errors>
        set(&mut reply, "x-ms-failure-cause", "gateway");
        reply
    }
}

impl From<std::io::Error> for Refusal {
    fn from(error: std::io::Error) -> Self {
        Self::broken(error)
    }
}

/// A document.
pub(super) fn json(status: u16, document: &Value) -> Reply {
    let mut reply = Response::new(Bytes::from(document.to_string()));
    *reply.status_mut() = code(status);
    set(&mut reply, header::CONTENT_TYPE.as_str(), "application/json; charset=utf-8");
    reply
}

/// A document and 200.
pub(super) fn ok(document: &Value) -> Outcome {
    Ok(json(200, document))
}

/// A status alone.
pub(super) fn empty(status: u16) -> Reply {
    let mut reply = Response::new(Bytes::new());
    *reply.status_mut() = code(status);
    reply
}

/// Sets a header; a value that cannot be one is left out.
pub(super) fn set(reply: &mut Reply, name: &'static str, value: &str) {
    if let Ok(value) = value.parse() {
        reply.headers_mut().insert(name, value);
    }
}

fn code(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
