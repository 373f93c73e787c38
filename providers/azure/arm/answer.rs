//! What Azure answered, whatever the status, and how its two kinds of error bodies are read.

use std::time::Duration;

use azure_core::Bytes;
use azure_core::http::RawResponse;
use azure_core::http::headers::{HeaderName, Headers};
use serde_json::Value;
use zeroize::Zeroize;

use super::Call;
use crate::error::Result;
use crate::http::Shareable;
use crate::providers::azure::failure::not_azure;
use crate::retry::asked;
use crate::text::{clean, xml_element};

/// A response, read completely.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body; `null` where it is no JSON.
    pub body: Value,
    text: String,
    headers: Headers,
}

/// The code and message of an error body, sanitized.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Said {
    /// The error code, such as `AuthorizationFailed`.
    pub code: String,
    /// The message, on one line.
    pub message: String,
}

impl Shareable for Answer {
    fn status(&self) -> u16 {
        self.status
    }
}

impl From<RawResponse> for Answer {
    fn from(raw: RawResponse) -> Self {
        let (status, headers, body) = raw.deconstruct();
        let bytes = Bytes::from(body);
        let answer = Self {
            status: u16::from(status),
            body: serde_json::from_slice(&bytes).unwrap_or_default(),
            text: String::from_utf8_lossy(&bytes).into_owned(),
            headers,
        };
        // Some answers hold keys. The buffer is ours alone, except in a test that keeps it.
        if let Ok(mut bytes) = bytes.try_into_mut() {
            bytes.as_mut().zeroize();
        }
        answer
    }
}

/// Overwrites the texts in `value`.
fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(values) => values.iter_mut().for_each(wipe),
        Value::Object(fields) => fields.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

impl Answer {
    /// A response for tests.
    #[cfg(test)]
    pub(crate) fn new(status: u16, headers: &[(&'static str, &'static str)], body: &str) -> Self {
        let mut all = Headers::new();
        for (name, value) in headers {
            all.insert(*name, *value);
        }
        RawResponse::from_bytes(status.into(), all, body.as_bytes().to_vec()).into()
    }

    /// Overwrites what was answered, where it holds secrets.
    pub(super) fn wipe(&mut self) {
        self.text.zeroize();
        wipe(&mut self.body);
    }

    /// The header `name`, in lower case.
    pub(crate) fn header(&self, name: &'static str) -> Option<&str> {
        self.headers.get_optional_str(&HeaderName::from_static(name))
    }

    /// The length of the body in bytes.
    pub(crate) fn length(&self) -> usize {
        self.text.len()
    }

    /// Whether the status is one of success.
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The wait that Azure requests.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        asked(|name| self.header(name))
    }

    /// Whether it comes from ARM or a resource provider: it is JSON, or empty with the id by which either
    /// knows a request (Azure REST API reference, "Common response headers"). A proxy, a portal or a cut
    /// connection may answer with success too.
    pub(super) fn is_arms(&self) -> bool {
        let known = ["x-ms-request-id", "x-ms-correlation-request-id"];
        match self.text.trim() {
            "" => known.into_iter().any(|name| self.header(name).is_some()),
            _ => !self.body.is_null() && !self.is_html(),
        }
    }

    /// # Errors
    /// For a success that does not [come from ARM](Self::is_arms), and so means nothing.
    pub(super) fn require_arm(&self, call: Call<'_>) -> Result<()> {
        if self.is_arms() { Ok(()) } else { Err(not_azure(self, call.action, call.target)) }
    }

    /// Whether something else than an API answered.
    pub(crate) fn is_html(&self) -> bool {
        self.header("content-type").is_some_and(|kind| kind.to_ascii_lowercase().contains("html"))
    }

    /// The error object: inside `error`, or the body itself.
    pub(crate) fn error(&self) -> &Value {
        if self.body["error"].is_object() { &self.body["error"] } else { &self.body }
    }

    /// The code and message of the error: ARM in JSON (Azure REST API reference, "Error response"), the data
    /// plane in XML or, to a HEAD, in a header (Storage Services REST API, "Status and error codes"). A
    /// general code is replaced by its inner code.
    pub(crate) fn said(&self) -> Said {
        let text = |value: &Value| clean(value.as_str().unwrap_or_default());
        let error = self.error();
        let mut said = Said { code: text(&error["code"]), message: text(&error["message"]) };
        if let Some(inner) = error["details"].as_array().and_then(|details| details.first())
            && ["", "BadRequest", "DeploymentFailed", "InvalidTemplateDeployment"]
                .contains(&said.code.as_str())
            && inner["code"].is_string()
        {
            said = Said { code: text(&inner["code"]), message: text(&inner["message"]) };
        }
        if said.code.is_empty() && self.text.contains("<Error>") {
            said = Said {
                code: xml_element(&self.text, "Code").unwrap_or_default(),
                message: xml_element(&self.text, "Message").unwrap_or_default(),
            };
        }
        if said.code.is_empty() {
            said.code = clean(self.header("x-ms-error-code").unwrap_or_default());
        }
        said
    }
}
