//! A request, read whole.

use std::borrow::Cow;

use hyper::Method;
use hyper::body::Bytes;
use hyper::header::{self, HeaderMap};
use hyper::http::request::Parts;
use hyper::http::uri::Authority;
use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::refusal::{Answer, Refusal};

/// What a client sent.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) method: Method,
    /// As it was sent, still encoded.
    pub(super) path: String,
    /// As it was sent, in its order, decoded.
    pub(super) query: Vec<(String, String)>,
    pub(super) headers: HeaderMap,
    /// The name and port the client talks to, as well as can be told.
    pub(super) host: String,
    pub(super) body: Bytes,
}

impl Asked {
    /// `here` is where it arrived.
    pub(super) fn new(parts: Parts, body: Bytes, here: &str) -> Self {
        let query = parts.uri.query().unwrap_or_default();
        let host = host(&parts).filter(|host| host.contains(':')).unwrap_or(here).to_owned();
        Self {
            method: parts.method,
            path: parts.uri.path().to_owned(),
            query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
            headers: parts.headers,
            host,
            body,
        }
    }

    /// A header that is text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        text(&self.headers, name)
    }

    /// A query parameter.
    pub(super) fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// A query parameter that is a number.
    pub(super) fn number(&self, name: &str) -> Answer<Option<i64>> {
        let number = self.query(name).map(str::parse).transpose();
        number.map_err(|_| Refusal::invalid(format!("Invalid value for parameter {name}")))
    }

    /// The path's parts, decoded, without the first slash.
    pub(super) fn parts(&self) -> Vec<Cow<'_, str>> {
        let decoded = |part| percent_decode_str(part).decode_utf8_lossy();
        self.path.trim_start_matches('/').split('/').map(decoded).collect()
    }

    /// The body as JSON; an empty one says nothing.
    pub(super) fn json(&self) -> Answer<Value> {
        if self.body.is_empty() {
            return Ok(Value::Object(serde_json::Map::new()));
        }
        serde_json::from_slice(&self.body).map_err(|_| Refusal::invalid("Parse Error").reason("parseError"))
    }
}

/// A proxy before us knows best. HTTP/2 has the host in the address, and Google's Rust clients leave
/// the port out of it.
fn host(parts: &Parts) -> Option<&str> {
    text(&parts.headers, "x-forwarded-host")
        .or(parts.uri.authority().map(Authority::as_str))
        .or(text(&parts.headers, header::HOST.as_str()))
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}
