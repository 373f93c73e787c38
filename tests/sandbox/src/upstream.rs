//! The emulator behind a proxy, as an HTTP client sees it.

use std::io;
use std::sync::Arc;

use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, Response, Uri, Version};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use crate::backend::Backend;
use crate::call::Call;
use crate::dialect::Dialect;
use crate::ministack;
use crate::moto::{self, Policies};
use crate::reply::{Reply, Trailers};

/// Headers that belong to one connection and must not cross a proxy (RFC 9110, 7.6.1). The length
/// is left out as well: the body is sent whole, and hyper counts it.
const HOP_BY_HOP: &[HeaderName] = &[
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::EXPECT,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

type Body = BoxBody<Bytes, hyper::Error>;

/// A connection pool to one emulator.
#[derive(Clone, Debug)]
pub struct Upstream {
    base: String,
    dialect: Dialect,
    policies: Arc<Policies>,
    http1: Client<HttpConnector, Body>,
    http2: Client<HttpConnector, Body>,
}

/// What an account's root signs with, which no emulator verifies.
pub(crate) fn unsigned(account: &str, region: &str, service: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential={account}/20260101/{region}/{service}/aws4_request, SignedHeaders=host, \
         Signature=0"
    )
}

impl Upstream {
    /// Nothing is sent yet.
    pub fn new(base: &str, dialect: impl Into<Dialect>) -> Self {
        Self {
            base: base.trim_end_matches('/').to_owned(),
            dialect: dialect.into(),
            policies: Arc::default(),
            http1: Client::builder(TokioExecutor::new()).build_http(),
            http2: Client::builder(TokioExecutor::new()).http2_only(true).build_http(),
        }
    }

    /// Whose language it speaks.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Passes a call on and reads the whole answer.
    pub async fn forward(&self, call: &Call) -> io::Result<Reply> {
        match self.dialect {
            Dialect::Aws(Backend::Ministack) => match ministack::instead(call) {
                Some(other) if call.is("s3:GetBucketPolicyStatus") => {
                    Ok(ministack::policy_status(self.pass(&other).await?))
                }
                Some(other) => self.pass(&other).await,
                None => self.pass(call).await,
            },
            Dialect::Aws(Backend::Moto) => {
                let softer = moto::soften(call);
                let reply = self.pass(softer.as_ref().unwrap_or(call)).await?;
                Ok(moto::rename(call, self.policies.restore(call, reply)))
            }
            Dialect::S3 | Dialect::Gcp | Dialect::Azure => self.pass(call).await,
        }
    }

    async fn pass(&self, call: &Call) -> io::Result<Reply> {
        let mut headers = call.headers.clone();
        match (self.dialect, &call.account) {
            // moto knows accounts only by this header; ministack reads them off the access key.
            (Dialect::Aws(Backend::Moto), Some(account)) => {
                if let Ok(value) = HeaderValue::try_from(account) {
                    headers.insert("x-moto-account-id", value);
                }
            }
            // The proxy stands for the TLS endpoint, and policies may ask for one.
            (Dialect::Aws(Backend::Ministack), _) => {
                headers.insert("x-forwarded-proto", HeaderValue::from_static("https"));
            }
            _ => {}
        }
        let path = call.uri.path_and_query().map_or("/", |path| path.as_str());
        self.send(call.version, call.method.clone(), path, headers, call.body.clone()).await
    }

    /// Passes a request on as it comes, and its answer.
    pub(crate) async fn stream(&self, request: Request<Incoming>) -> io::Result<Response<Incoming>> {
        let (mut head, body) = request.into_parts();
        head.uri = self.uri(head.uri.path_and_query().map_or("/", |path| path.as_str()))?;
        let client = if head.version == Version::HTTP_2 { &self.http2 } else { &self.http1 };
        client.request(Request::from_parts(head, body.boxed())).await.map_err(io::Error::other)
    }

    /// Asks an AWS emulator on the sandbox's own behalf, in the name of `account`. No emulator
    /// verifies signatures.
    pub async fn ask(
        &self,
        account: &str,
        region: &str,
        service: &str,
        request: (Method, &str),
        headers: &[(&str, &str)],
        body: String,
    ) -> io::Result<Reply> {
        let credential = unsigned(account, region, service);
        let ours = [("authorization", credential.as_str()), ("x-moto-account-id", account)];
        self.request(request, &[headers, &ours].concat(), body).await
    }

    /// Sends a request on the sandbox's own behalf.
    pub async fn request(
        &self,
        (method, path): (Method, &str),
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> io::Result<Reply> {
        let mut all = HeaderMap::new();
        for (name, value) in headers {
            all.insert(
                HeaderName::try_from(*name).map_err(io::Error::other)?,
                HeaderValue::try_from(*value).map_err(io::Error::other)?,
            );
        }
        self.send(Version::HTTP_11, method, path, all, body.into()).await
    }

    fn uri(&self, path: &str) -> io::Result<Uri> {
        Uri::try_from(format!("{}{path}", self.base)).map_err(io::Error::other)
    }

    /// Sends a request with the client's own headers, and reads the whole answer.
    pub(crate) async fn send(
        &self,
        version: Version,
        method: Method,
        path: &str,
        mut headers: HeaderMap,
        body: Bytes,
    ) -> io::Result<Reply> {
        let head = method == Method::HEAD;
        let grpc = version == Version::HTTP_2;
        let is_empty = body.is_empty() && headers.contains_key(header::CONTENT_LENGTH);
        for name in HOP_BY_HOP {
            // HTTP/2 has one such header, and gRPC asks for it.
            if !(grpc && *name == header::TE) {
                headers.remove(name);
            }
        }
        if is_empty {
            // hyper does not count what is not there; Google's front end asks for it, and others have it signed.
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        let mut request = Request::new(Full::new(body).map_err(|never| match never {}).boxed());
        *request.method_mut() = method;
        *request.uri_mut() = self.uri(path)?;
        *request.version_mut() = version;
        // `Host` stays the client's: emulators build URLs from it, which so lead back here.
        *request.headers_mut() = headers;
        let client = if grpc { &self.http2 } else { &self.http1 };
        let (mut parts, body) = client.request(request).await.map_err(io::Error::other)?.into_parts();
        let body = body.collect().await.map_err(io::Error::other)?;
        if let Some(trailers) = body.trailers() {
            parts.extensions.insert(Trailers(trailers.clone()));
        }
        for name in HOP_BY_HOP {
            // The answer to a HEAD has a length and no body to count.
            if !(head && *name == header::CONTENT_LENGTH) {
                parts.headers.remove(name);
            }
        }
        Ok(Reply::from_parts(parts, body.to_bytes()))
    }
}
