//! Azurite as the control plane uses it: the containers and queues are really there.

use std::io;

use axum::http::{HeaderMap, Method, Request, Response, header};
use hyper::body::Bytes;
use serde_json::{Map, Value};

use super::Service;
use super::answer::Refusal;
use super::wire::Wire;
use crate::azure::azurite::Place;

/// A version that Azurite knows.
const VERSION: &str = "2024-11-04";

/// The way to Azurite.
#[derive(Debug)]
pub(super) struct Plane {
    place: Place,
    wire: Wire,
}

/// What the data plane says of a container or queue.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) headers: HeaderMap,
}

impl Plane {
    pub(super) fn new(place: Place) -> Self {
        Self { place, wire: Wire::default() }
    }

    fn base(&self, service: Service) -> &str {
        match service {
            Service::Blob => &self.place.blob,
            Service::Queue => &self.place.queue,
        }
    }

    /// Passes a client's request on, signature and all.
    pub(super) async fn pass(
        &self,
        service: Service,
        request: Request<Bytes>,
    ) -> io::Result<Response<Bytes>> {
        self.wire.pass(self.base(service), request).await
    }

    /// The same for one that we have looked at ourselves.
    pub(super) async fn vouch(
        &self,
        service: Service,
        mut request: Request<Bytes>,
    ) -> io::Result<Response<Bytes>> {
        let pass = self.place.pass.parse().map_err(io::Error::other)?;
        request.headers_mut().insert(header::AUTHORIZATION, pass);
        self.pass(service, request).await
    }

    /// Asks on the double's own behalf.
    pub(super) async fn ask(
        &self,
        service: Service,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> io::Result<Response<Bytes>> {
        let mut all = vec![("authorization", self.place.pass.as_str()), ("x-ms-version", VERSION)];
        all.extend_from_slice(headers);
        self.wire.ask(method, self.base(service), path, &all, body).await
    }

    /// Makes an account known, with two keys in base64; false when the name is taken.
    pub(super) async fn open_account(&self, owner: &str, name: &str, keys: [&str; 2]) -> io::Result<bool> {
        let body = format!("{owner}\n{}\n{}", keys[0], keys[1]);
        self.account(Method::PUT, name, body).await
    }

    /// Takes an account away with all that is in it.
    pub(super) async fn close_account(&self, owner: &str, name: &str) -> io::Result<()> {
        for container in self.list(Service::Blob, name).await? {
            let path = format!("/{name}/{}?restype=container", container.0);
            self.ask(Service::Blob, Method::DELETE, &path, &[], "").await?;
        }
        for queue in self.list(Service::Queue, name).await? {
            self.ask(Service::Queue, Method::DELETE, &format!("/{name}/{}", queue.0), &[], "").await?;
        }
        self.account(Method::DELETE, name, owner.to_owned()).await.map(|_| ())
    }

    async fn account(&self, method: Method, name: &str, body: String) -> io::Result<bool> {
        let path = format!("/accounts/{name}");
        let reply = self.wire.ask(method, &self.place.control, &path, &[], body).await?;
        Ok(reply.status().is_success())
    }

    /// The container or queue at `path`; `None` when there is none.
    pub(super) async fn look(&self, service: Service, path: &str) -> Result<Option<Found>, Refusal> {
        let reply = self.ask(service, Method::GET, path, &[], "").await?;
        match reply.status().as_u16() {
            200 => Ok(Some(Found { headers: reply.headers().clone() })),
            404 => Ok(None),
            status => Err(Refusal::broken(format_args!("{status} for {path}"))),
        }
    }

    /// Names and metadata of all containers or queues of an account.
    pub(super) async fn list(
        &self,
        service: Service,
        account: &str,
    ) -> io::Result<Vec<(String, Map<String, Value>)>> {
        let path = format!("/{account}?comp=list&include=metadata");
        let reply = self.ask(service, Method::GET, &path, &[], "").await?;
        let text = String::from_utf8_lossy(reply.body());
        let document = roxmltree::Document::parse(&text).map_err(io::Error::other)?;
        let entries =
            document.descendants().filter(|node| ["Container", "Queue"].contains(&node.tag_name().name()));
        let child = |node: roxmltree::Node<'_, '_>, name: &str| -> Option<String> {
            let found = node.children().find(|child| child.tag_name().name() == name)?;
            Some(found.text().unwrap_or_default().to_owned())
        };
        Ok(entries
            .filter_map(|node| {
                let metadata = node.children().find(|child| child.tag_name().name() == "Metadata");
                let pairs =
                    metadata.into_iter().flat_map(|all| all.children().filter(|one| one.is_element()));
                let metadata = pairs
                    .map(|one| (one.tag_name().name().to_owned(), one.text().unwrap_or_default().into()))
                    .collect();
                Some((child(node, "Name")?, metadata))
            })
            .collect())
    }
}

impl Found {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// User-defined metadata.
    pub(super) fn metadata(&self) -> Map<String, Value> {
        let text = |value: &axum::http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        self.headers
            .iter()
            .filter_map(|(name, value)| {
                Some((name.as_str().strip_prefix("x-ms-meta-")?.to_owned(), text(value).into()))
            })
            .collect()
    }
}

/// Metadata of a request to ARM, as headers for the data plane. "Metadata names must adhere to the
/// naming rules for C# identifiers."
/// <https://learn.microsoft.com/rest/api/storageservices/setting-and-retrieving-properties-and-metadata-for-blob-resources>
pub(super) fn metadata_headers(metadata: &Value) -> Result<Vec<(String, String)>, Refusal> {
    let invalid = || {
        let message = "The metadata specified is invalid. It has characters that are not permitted.";
        Refusal::new(400, "InvalidMetadata", message)
    };
    let Some(pairs) = metadata.as_object() else { return Ok(vec![]) };
    pairs
        .iter()
        .map(|(name, value)| {
            let fits = name.chars().enumerate().all(|(at, letter)| {
                letter.is_ascii_alphabetic() || letter == '_' || at > 0 && letter.is_ascii_digit()
            });
            let value = value.as_str().filter(|value| fits && value.is_ascii()).ok_or_else(invalid)?;
            Ok((format!("x-ms-meta-{name}"), value.to_owned()))
        })
        .collect()
}

/// The same pairs, borrowed.
pub(super) fn borrowed(headers: &[(String, String)]) -> Vec<(&str, &str)> {
    headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}
