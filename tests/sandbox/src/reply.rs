//! Answers, and errors before they are put into a service's own wire format.

use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};

use crate::call::Call;

/// A whole answer.
pub type Reply = Response<Bytes>;

/// What follows the body, when something does: an extension of a [`Reply`].
#[derive(Clone, Debug)]
pub struct Trailers(pub HeaderMap);

/// An error as a service reports it, before it is written down in that service's format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    /// HTTP status.
    pub status: u16,
    /// `NoSuchBucket`, `PERMISSION_DENIED`, `ContainerBeingDeleted`, …
    pub code: String,
    /// For people.
    pub message: String,
    /// Further elements: `ArgumentName` of S3, `reason` of Google's JSON, …
    pub fields: Vec<(String, String)>,
    /// Further headers: `retry-after`, `x-amz-bucket-region`, …
    pub headers: Vec<(String, String)>,
}

impl ApiError {
    /// An error without further fields.
    pub fn new(status: u16, code: &str, message: &str) -> Self {
        Self {
            status,
            code: code.to_owned(),
            message: message.to_owned(),
            fields: Vec::new(),
            headers: Vec::new(),
        }
    }

    /// Adds an element.
    #[must_use]
    pub fn field(mut self, name: &str, value: impl Into<String>) -> Self {
        self.fields.push((name.to_owned(), value.into()));
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Writes it down for the caller of `call`.
    pub fn reply(&self, call: &Call) -> Reply {
        self.reply_as(self.status, call)
    }

    /// The same under another status; S3 may say 200 and mean an error.
    pub fn reply_as(&self, status: u16, call: &Call) -> Reply {
        let mut reply = call.dialect.write(self, status, call);
        for (name, value) in &self.headers {
            set(&mut reply, name, value);
        }
        reply
    }
}

/// An answer with a body.
pub fn reply(status: u16, content_type: &'static str, body: impl Into<Bytes>) -> Reply {
    let mut reply = Response::new(body.into());
    *reply.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    reply
}

/// Sets a header, unless name or value cannot be one.
pub fn set(reply: &mut Reply, name: &str, value: &str) {
    if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
        reply.headers_mut().insert(name, value);
    }
}

/// Text as XML content.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
