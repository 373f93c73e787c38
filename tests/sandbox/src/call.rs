//! One request, read whole and understood.

use http_body_util::BodyExt;
use hyper::body::{Bytes, Incoming};
use hyper::header::{AUTHORIZATION, HeaderMap};
use hyper::{Method, Request, Uri};

use crate::operation::{self, Service};

/// A request on its way to the cloud, with what it means there.
#[derive(Clone, Debug)]
pub struct Call {
    /// HTTP method.
    pub method: Method,
    /// Path and query as they were sent.
    pub uri: Uri,
    /// Headers as they were sent.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
    /// The service it is signed for.
    pub service: Service,
    /// `s3:PutBucketCors`, `sqs:CreateQueue`, …
    pub operation: String,
    /// Decoded query parameters.
    pub query: Vec<(String, String)>,
    /// The bucket, of a path-style S3 request.
    pub bucket: Option<String>,
    /// The object key, decoded.
    pub key: Option<String>,
    /// The SQS queue's name.
    pub queue: Option<String>,
    /// Access key of the signature; `None` is anonymous.
    pub access_key: Option<String>,
    /// The account, when the access key is one: twelve digits are an account's root on ministack.
    pub account: Option<String>,
    /// Region of the signature, or us-east-1.
    pub region: String,
}

impl Call {
    /// Reads a request to its end.
    pub async fn read(request: Request<Incoming>) -> Result<Self, hyper::Error> {
        let (head, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        Ok(Self::new(head.method, head.uri, head.headers, body))
    }

    /// Understands a request that was already read.
    pub fn new(method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Self {
        let query = pairs(uri.query().unwrap_or_default().as_bytes());
        let scope = Scope::of(&headers, &query);
        let target = header(&headers, "x-amz-target").unwrap_or_default().to_owned();
        let form = pairs(if target.is_empty() { &body } else { b"" });
        let action = form.iter().find(|(name, _)| name == "Action").map(|(_, value)| value.clone());
        let service = match (&scope, target.split_once('.')) {
            (Some(scope), _) => Service::from_name(&scope.service),
            (None, Some((service, _))) => Service::from_name(service),
            (None, None) => Service::S3,
        };
        let (bucket, key) = match service {
            Service::S3 => path_style(uri.path()),
            _ => (None, None),
        };
        let name = match service {
            Service::S3 => operation::s3(&method, bucket.is_some(), key.is_some(), &query),
            _ => target
                .rsplit('.')
                .next()
                .filter(|name| !name.is_empty())
                .map(str::to_owned)
                .or(action)
                .unwrap_or_else(|| method.to_string()),
        };
        let queue = (service == Service::Sqs).then(|| queue_name(&body, &form)).flatten();
        let (access_key, region) = scope.map(|scope| (scope.access_key, scope.region)).unzip();
        Self {
            operation: format!("{}:{name}", service.prefix()),
            account: access_key.clone().filter(|key| is_account(key)),
            access_key,
            region: region.unwrap_or_else(|| "us-east-1".to_owned()),
            method,
            uri,
            headers,
            body,
            service,
            query,
            bucket,
            key,
            queue,
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
        let name = self.operation.split_once(':').map_or("", |(_, name)| name);
        operation::mutates(self.service, name)
    }

    /// What it is about: `bucket`, `bucket/key`, a queue's name, or nothing.
    pub fn resource(&self) -> String {
        match (&self.bucket, &self.key, &self.queue) {
            (Some(bucket), Some(key), _) => format!("{bucket}/{key}"),
            (Some(name), None, _) | (None, _, Some(name)) => name.clone(),
            _ => String::new(),
        }
    }

    /// Whether this is the named operation.
    pub fn is(&self, operation: &str) -> bool {
        self.operation == operation
    }

    /// A header's text, when there is one.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }

    /// A query parameter, when it is given.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    /// When it was signed, in seconds of the epoch.
    pub fn signed_at(&self) -> Option<i64> {
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

/// What a signature says about its maker.
struct Scope {
    access_key: String,
    region: String,
    service: String,
}

impl Scope {
    fn of(headers: &HeaderMap, query: &[(String, String)]) -> Option<Self> {
        let asked =
            |name: &str| query.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str());
        let signed = headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split_once("Credential="))
            .and_then(|(_, rest)| rest.split(',').next());
        // A presigned URL carries the same text in its query.
        if let Some(credential) = signed.or_else(|| asked("X-Amz-Credential")) {
            return Self::parse(credential);
        }
        // The scheme before it, which boto3 still uses to presign for an endpoint it does not know.
        asked("AWSAccessKeyId").map(|key| Self {
            access_key: key.to_owned(),
            region: "us-east-1".to_owned(),
            service: "s3".to_owned(),
        })
    }

    /// `<access key>/<date>/<region>/<service>/aws4_request`
    fn parse(credential: &str) -> Option<Self> {
        let mut parts = credential.split('/').map(str::to_owned);
        let access_key = parts.next()?;
        let region = parts.nth(1)?;
        Some(Self { access_key, region, service: parts.next()? })
    }
}

/// Whether a header carries a checksum of the body.
pub fn is_checksum(header: &str) -> bool {
    header == "content-md5" || header.starts_with("x-amz-checksum-")
}

fn is_account(key: &str) -> bool {
    key.len() == 12 && key.bytes().all(|byte| byte.is_ascii_digit())
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn pairs(encoded: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(encoded).into_owned().collect()
}

fn path_style(path: &str) -> (Option<String>, Option<String>) {
    let decode = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
    let path = path.trim_start_matches('/');
    let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
    let given = |text: &str| (!text.is_empty()).then(|| decode(text));
    (given(bucket), given(key))
}

fn queue_name(body: &[u8], form: &[(String, String)]) -> Option<String> {
    let json: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let field = |name: &str| {
        json.get(name)
            .and_then(|value| value.as_str())
            .map(str::to_owned)
            .or_else(|| form.iter().find(|(given, _)| given == name).map(|(_, value)| value.clone()))
    };
    field("QueueName").or_else(|| field("QueueUrl")?.rsplit('/').next().map(str::to_owned))
}
