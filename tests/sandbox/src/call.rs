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
    /// Access key of the signature; on the emulators also the account. `None` is anonymous.
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
        let target = header(&headers, "x-amz-target")
            .unwrap_or_default()
            .to_owned();
        let form = pairs(if target.is_empty() { &body } else { b"" });
        let action = form
            .iter()
            .find(|(name, _)| name == "Action")
            .map(|(_, value)| value.clone());
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
        let queue = (service == Service::Sqs)
            .then(|| queue_name(&body, &form))
            .flatten();
        Self {
            operation: format!("{}:{name}", service.prefix()),
            account: scope.as_ref().map(|scope| scope.access_key.clone()),
            region: scope.map_or_else(|| "us-east-1".to_owned(), |scope| scope.region),
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

    /// The body as text; empty when it is not UTF-8.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap_or_default()
    }

    /// The body as JSON; null when it is not.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// What a SigV4 signature says about its maker:
/// `Credential=<access key>/<date>/<region>/<service>/aws4_request`.
struct Scope {
    access_key: String,
    region: String,
    service: String,
}

impl Scope {
    fn of(headers: &HeaderMap, query: &[(String, String)]) -> Option<Self> {
        let signed = headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok());
        let credential = signed
            .and_then(|value| value.split_once("Credential="))
            .and_then(|(_, rest)| rest.split(',').next())
            .or_else(|| {
                // A presigned URL carries the same text in its query.
                let (_, value) = query.iter().find(|(name, _)| name == "X-Amz-Credential")?;
                Some(value.as_str())
            })?;
        let mut parts = credential.split('/');
        let access_key = parts.next()?.to_owned();
        let region = parts.nth(1)?.to_owned();
        Some(Self {
            access_key,
            region,
            service: parts.next()?.to_owned(),
        })
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn pairs(encoded: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(encoded).into_owned().collect()
}

fn path_style(path: &str) -> (Option<String>, Option<String>) {
    let decode = |text: &str| {
        percent_encoding::percent_decode_str(text)
            .decode_utf8_lossy()
            .into_owned()
    };
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
            .or_else(|| {
                form.iter()
                    .find(|(given, _)| given == name)
                    .map(|(_, value)| value.clone())
            })
    };
    field("QueueName").or_else(|| field("QueueUrl")?.rsplit('/').next().map(str::to_owned))
}
