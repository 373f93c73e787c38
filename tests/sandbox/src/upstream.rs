//! The emulator behind a proxy, as an HTTP client sees it.

use std::io;
use std::sync::Arc;

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use crate::backend::Backend;
use crate::call::Call;
use crate::ministack;
use crate::moto::{self, Policies};
use crate::reply::Reply;

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

/// A connection pool to one emulator.
#[derive(Clone, Debug)]
pub struct Upstream {
    base: String,
    backend: Backend,
    policies: Arc<Policies>,
    client: Client<HttpConnector, Full<Bytes>>,
}

impl Upstream {
    /// Nothing is sent yet.
    pub fn new(base: &str, backend: Backend) -> Self {
        Self {
            base: base.trim_end_matches('/').to_owned(),
            backend,
            policies: Arc::default(),
            client: Client::builder(TokioExecutor::new()).build_http(),
        }
    }

    /// Which emulator it is.
    pub fn backend(&self) -> Backend {
        self.backend
    }

    /// Passes a call on and reads the whole answer.
    pub async fn forward(&self, call: &Call) -> io::Result<Reply> {
        match self.backend {
            Backend::Ministack => match ministack::instead(call) {
                Some(other) => Ok(ministack::policy_status(self.pass(&other).await?)),
                None => self.pass(call).await,
            },
            Backend::Moto => {
                let softer = moto::soften(call);
                let reply = self.pass(softer.as_ref().unwrap_or(call)).await?;
                Ok(moto::rename(call, self.policies.restore(call, reply)))
            }
        }
    }

    async fn pass(&self, call: &Call) -> io::Result<Reply> {
        let path = call.uri.path_and_query().map_or("/", |path| path.as_str());
        let mut headers = call.headers.clone();
        if let (Backend::Moto, Some(account)) = (self.backend, &call.account) {
            // moto knows accounts only by this header; ministack reads them off the access key.
            if let Ok(value) = HeaderValue::try_from(account) {
                headers.insert("x-moto-account-id", value);
            }
        }
        self.send(call.method.clone(), path, headers, call.body.clone()).await
    }

    /// Asks on the sandbox's own behalf, in the name of `account`. No emulator verifies signatures.
    pub async fn ask(
        &self,
        account: &str,
        region: &str,
        service: &str,
        request: (Method, &str),
        headers: &[(&str, &str)],
        body: String,
    ) -> io::Result<Reply> {
        let credential = format!(
            "AWS4-HMAC-SHA256 Credential={account}/20260101/{region}/{service}/aws4_request, \
             SignedHeaders=host, Signature=0"
        );
        let mut all = HeaderMap::new();
        for (name, value) in headers
            .iter()
            .copied()
            .chain([("authorization", credential.as_str()), ("x-moto-account-id", account)])
        {
            all.insert(
                HeaderName::try_from(name).map_err(io::Error::other)?,
                HeaderValue::try_from(value).map_err(io::Error::other)?,
            );
        }
        self.send(request.0, request.1, all, body.into()).await
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        mut headers: HeaderMap,
        body: Bytes,
    ) -> io::Result<Reply> {
        let uri = Uri::try_from(format!("{}{path}", self.base)).map_err(io::Error::other)?;
        let head = method == Method::HEAD;
        for name in HOP_BY_HOP {
            headers.remove(name);
        }
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        // `Host` stays the client's: emulators build queue URLs from it, which so lead back here.
        *request.headers_mut() = headers;
        let (mut parts, body) = self.client.request(request).await.map_err(io::Error::other)?.into_parts();
        let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
        for name in HOP_BY_HOP {
            // The answer to a HEAD has a length and no body to count.
            if !(head && *name == header::CONTENT_LENGTH) {
                parts.headers.remove(name);
            }
        }
        Ok(Reply::from_parts(parts, body))
    }
}
