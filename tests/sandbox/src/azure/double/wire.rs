//! A small HTTP client for requests of the double's own.

use std::io;

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::header::{self, HeaderName};
use hyper::{Method, Request, Response};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

/// Headers that belong to one connection and must not cross a proxy (RFC 9110, 7.6.1).
const HOP_BY_HOP: &[HeaderName] = &[
    header::CONNECTION,
    header::EXPECT,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// A connection pool.
#[derive(Clone, Debug)]
pub(in crate::azure) struct Wire(Client<HttpConnector, Full<Bytes>>);

impl Default for Wire {
    fn default() -> Self {
        // No connection is used again: Azurite closes those that were idle for five seconds, perhaps just
        // as the next request is sent.
        Self(Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build_http())
    }
}

impl Wire {
    /// Reads what is at `base` and `path`.
    pub(in crate::azure) async fn get(&self, base: &str, path: &str) -> io::Result<Response<Bytes>> {
        self.ask(Method::GET, base, path, &[], Bytes::new()).await
    }

    /// Sends a request made here and reads the whole answer.
    pub(in crate::azure) async fn ask(
        &self,
        method: Method,
        base: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> io::Result<Response<Bytes>> {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.pass(base, request.body(body.into()).map_err(io::Error::other)?).await
    }

    /// Passes a request on to `base`, `Host` and all, and reads the whole answer.
    pub(in crate::azure) async fn pass(
        &self,
        base: &str,
        request: Request<Bytes>,
    ) -> io::Result<Response<Bytes>> {
        let (mut parts, body) = request.into_parts();
        let target = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        parts.uri = format!("{base}{target}").parse().map_err(io::Error::other)?;
        for name in HOP_BY_HOP {
            parts.headers.remove(name);
        }
        let reply = self.0.request(Request::from_parts(parts, Full::new(body))).await;
        let (mut parts, body) = reply.map_err(io::Error::other)?.into_parts();
        let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
        for name in HOP_BY_HOP {
            parts.headers.remove(name);
        }
        Ok(Response::from_parts(parts, body))
    }
}
