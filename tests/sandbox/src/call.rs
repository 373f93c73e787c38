//! One request, read whole and understood.

use http_body_util::BodyExt;
use hyper::body::{Body, Bytes};
use hyper::header::HeaderMap;
use hyper::{Method, Request, Uri, Version};

use crate::dialect::{Dialect, Head, Service, is_checksum};

/// A request on its way to the cloud, with what it means there.
#[derive(Clone, Debug)]
pub struct Call {
    /// HTTP method.
    pub method: Method,
    /// Path and query as they were sent.
    pub uri: Uri,
    /// Of HTTP; gRPC is always 2.
    pub version: Version,
    /// Headers as they were sent.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
    /// Whose language it is in.
    pub dialect: Dialect,
    /// The door of the proxy it came through.
    pub door: &'static str,
    /// The service it is meant for.
    pub service: Service,
    /// `s3:PutBucketCors`, `storage.CreateBucket`, `arm.containers.PUT`, …
    pub operation: String,
    /// Decoded query parameters.
    pub query: Vec<(String, String)>,
    /// The bucket, of a path-style S3 request.
    pub bucket: Option<String>,
    /// The key of an S3 object, decoded.
    pub key: Option<String>,
    /// The SQS queue's name.
    pub queue: Option<String>,
    /// Access key of an AWS signature; `None` is anonymous, or no AWS.
    pub access_key: Option<String>,
    /// The account, when the access key is one: twelve digits are an account's root on ministack.
    pub account: Option<String>,
    /// Region of an AWS signature, or us-east-1.
    pub region: String,
    resource: String,
    mutating: bool,
}

impl Call {
    /// Reads a request to its end.
    pub async fn read<B: Body>(
        dialect: Dialect,
        door: &'static str,
        request: Request<B>,
    ) -> Result<Self, B::Error> {
        let (head, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        let mut call = Self::new(dialect, door, head.method, head.uri, head.headers, body);
        call.version = head.version;
        Ok(call)
    }

    /// Understands a request that was already read.
    pub fn new(
        dialect: Dialect,
        door: &'static str,
        method: Method,
        uri: Uri,
        headers: HeaderMap,
        body: Bytes,
    ) -> Self {
        let query: Vec<(String, String)> =
            form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
        let head = Head { method: &method, uri: &uri, headers: &headers, body: &body, query: &query, door };
        let meaning = dialect.understand(&head);
        Self {
            service: meaning.service,
            operation: meaning.operation,
            resource: meaning.resource,
            mutating: meaning.mutating,
            bucket: meaning.aws.bucket,
            key: meaning.aws.key,
            queue: meaning.aws.queue,
            access_key: meaning.aws.access_key,
            account: meaning.aws.account,
            region: meaning.aws.region.unwrap_or_else(|| "us-east-1".to_owned()),
            version: Version::HTTP_11,
            method,
            uri,
            headers,
            body,
            dialect,
            door,
            query,
        }
    }

    /// The same request with another body; the checksums, which were of the old one, are left out.
    #[must_use]
    pub fn with_body(&self, body: impl Into<Bytes>) -> Self {
        let mut call = Self { body: body.into(), ..self.clone() };
        for name in self.headers.keys().filter(|name| is_checksum(name.as_str())) {
            call.headers.remove(name);
        }
        call
    }

    /// Whether it changes anything.
    pub fn mutates(&self) -> bool {
        self.mutating
    }

    /// What it is about: `bucket`, `bucket/key`, a queue's name, the path of a resource, or nothing.
    pub fn resource(&self) -> &str {
        &self.resource
    }

    /// Whether this is the named operation.
    pub fn is(&self, operation: &str) -> bool {
        self.operation == operation
    }

    /// A header's text, when there is one.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// A query parameter, when it is given.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    /// When it was signed, in seconds of the epoch.
    pub fn signed_at(&self) -> Option<i64> {
        if let Some(text) = self.header("x-ms-date") {
            return jiff::fmt::rfc2822::parse(text).ok().map(|moment| moment.timestamp().as_second());
        }
        let text = self.header("x-amz-date").or_else(|| self.parameter("X-Amz-Date"))?;
        let moment = jiff::fmt::strtime::parse("%Y%m%dT%H%M%SZ", text).ok()?.to_datetime().ok()?;
        Some(jiff::tz::TimeZone::UTC.to_timestamp(moment).ok()?.as_second())
    }

    /// The body as text; empty when it is not UTF-8.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap_or_default()
    }

    /// The body as JSON; null when it is not.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}
