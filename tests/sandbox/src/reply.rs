//! Answers, and errors in each service's own wire format.

use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{Method, Response, StatusCode};

use crate::call::Call;
use crate::operation::Service;

/// A whole answer.
pub type Reply = Response<Bytes>;

/// An error as an AWS service reports it, before it is written down in that service's format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    /// HTTP status.
    pub status: u16,
    /// `NoSuchBucket`, `AWS.SimpleQueueService.QueueDeletedRecently`, …
    pub code: String,
    /// For people.
    pub message: String,
    /// Further elements of an S3 error: `ArgumentName`, `Region`, …
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

    /// Adds an element to the XML of an S3 error.
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
        let (kind, body) = match call.service {
            // A HEAD has nowhere to put the error: status and headers are all there is.
            _ if call.method == Method::HEAD => ("application/xml", String::new()),
            Service::S3 | Service::Other => ("application/xml", self.rest_xml(&call.resource())),
            Service::Sqs => ("application/x-amz-json-1.0", self.json()),
            Service::Sts => ("text/xml", self.query_xml()),
        };
        let mut reply = reply(status, kind, body);
        if call.service == Service::Sqs {
            // How a service that left the query protocol keeps its old error codes
            // (the `awsQueryCompatible` trait).
            set(&mut reply, "x-amzn-query-error", &format!("{};Sender", self.code));
        }
        set(&mut reply, "x-amzn-requestid", REQUEST_ID);
        set(&mut reply, "x-amz-request-id", REQUEST_ID);
        for (name, value) in &self.headers {
            set(&mut reply, name, value);
        }
        reply
    }

    fn rest_xml(&self, resource: &str) -> String {
        let fields: String =
            self.fields.iter().map(|(name, value)| format!("<{name}>{}</{name}>", escape(value))).collect();
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{}</Code><Message>{}</Message>\
             {fields}<Resource>/{}</Resource><RequestId>{REQUEST_ID}</RequestId></Error>",
            self.code,
            escape(&self.message),
            escape(resource),
        )
    }

    fn query_xml(&self) -> String {
        format!(
            "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error>\
             <Type>Sender</Type><Code>{}</Code><Message>{}</Message></Error>\
             <RequestId>{REQUEST_ID}</RequestId></ErrorResponse>",
            self.code,
            escape(&self.message),
        )
    }

    fn json(&self) -> String {
        // The JSON shape is named without the prefix the query protocol has.
        let shape = match self.code.as_str() {
            "AWS.SimpleQueueService.NonExistentQueue" => "QueueDoesNotExist",
            code => code.rsplit('.').next().unwrap_or(code),
        };
        serde_json::json!({"__type": format!("com.amazonaws.sqs#{shape}"), "message": self.message})
            .to_string()
    }
}

/// Recognisable in a log: no service of AWS made this answer.
const REQUEST_ID: &str = "WBSTORESANDBOX00";

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
