//! Google's emulator, behind this double.

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue, TE};
use hyper::{Method, Request, Response, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use tonic::Code;

use super::super::refusal::{Answer, Refusal};
use super::super::server::Body;

/// Connections to one emulator, which several doubles may share: each has a project of its own.
#[derive(Clone, Debug)]
pub(in super::super) struct Emulator {
    url: String,
    rest: Client<HttpConnector, Full<Bytes>>,
    rpc: Client<HttpConnector, Body>,
}

impl Emulator {
    /// Nothing is sent yet.
    pub(in super::super) fn new(url: &str) -> Self {
        Self {
            url: url.trim_end_matches('/').to_owned(),
            rest: Client::builder(TokioExecutor::new()).build_http(),
            rpc: Client::builder(TokioExecutor::new()).http2_only(true).build_http(),
        }
    }

    /// Asks over REST; what it refuses is refused in its words.
    pub(super) async fn ask(&self, method: Method, path: &str, body: &Value) -> Answer<Value> {
        let mut request = Request::new(Full::new(if method == Method::GET || method == Method::DELETE {
            Bytes::new()
        } else {
            body.to_string().into()
        }));
        *request.method_mut() = method;
        *request.uri_mut() = self.uri(path)?;
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let response = self.rest.request(request).await.map_err(|error| unreachable(&error))?;
        let status = response.status().as_u16();
        let bytes = response.into_body().collect().await.map_err(|error| unreachable(&error))?.to_bytes();
        let value: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        if status < 300 {
            return Ok(value);
        }
        let message = value["error"]["message"].as_str().unwrap_or_default();
        Err(match status {
            400 => Refusal::invalid(message),
            404 => Refusal::missing(message),
            409 => Refusal::taken(message),
            _ => Refusal { code: Code::Unknown, http: status, ..Refusal::invalid(message) },
        })
    }

    /// Opens a stream.
    pub(super) async fn stream(&self, path: &str, body: Body) -> Answer<Response<Incoming>> {
        let mut request = Request::new(body);
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.uri(path)?;
        let headers = request.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
        headers.insert(TE, HeaderValue::from_static("trailers"));
        self.rpc.request(request).await.map_err(|error| unreachable(&error))
    }

    fn uri(&self, path: &str) -> Answer<Uri> {
        Uri::try_from(format!("{}{path}", self.url)).map_err(|error| unreachable(&error))
    }
}

fn unreachable(error: &dyn std::error::Error) -> Refusal {
    let message = format!("the sandbox cannot reach the Pub/Sub emulator: {error}");
    Refusal { code: Code::Unavailable, http: 502, ..Refusal::invalid(message) }
}
