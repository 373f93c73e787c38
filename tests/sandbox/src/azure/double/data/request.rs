//! A request to the data plane, taken apart.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, Uri};
use http_body_util::BodyExt;
use hyper::body::Bytes;
use percent_encoding::percent_decode_str;

use super::rules::Fault;
use crate::azure::double::Service;

/// One request.
#[derive(Clone, Debug)]
pub(in crate::azure::double) struct Ask {
    pub(in crate::azure::double) service: Service,
    pub(in crate::azure::double) method: Method,
    pub(in crate::azure::double) headers: HeaderMap,
    pub(in crate::azure::double) query: BTreeMap<String, String>,
    pub(in crate::azure::double) body: Bytes,
    pub(in crate::azure::double) account: String,
    /// Container or queue; empty for the service itself.
    pub(in crate::azure::double) parent: String,
    /// Blob, or what follows a queue's name.
    pub(in crate::azure::double) child: String,
    uri: Uri,
}

impl Ask {
    pub(super) async fn read(service: Service, request: Request<Body>) -> Result<Self, Fault> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await.map_err(Fault::broken)?.to_bytes();
        let path = percent_decode_str(parts.uri.path()).decode_utf8_lossy().into_owned();
        let mut names = path.trim_start_matches('/').splitn(3, '/').map(str::to_owned);
        let mut next = || names.next().unwrap_or_default();
        let (account, parent, child) = (next(), next(), next());
        let query = form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes());
        Ok(Self {
            service,
            method: parts.method,
            headers: parts.headers,
            query: query.into_owned().collect(),
            body,
            account,
            parent,
            child,
            uri: parts.uri,
        })
    }

    /// The request again, to be passed on.
    pub(super) fn request(&self) -> Request<Bytes> {
        let mut request = Request::new(self.body.clone());
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = self.headers.clone();
        request
    }

    /// The path as it was sent.
    pub(in crate::azure::double) fn path(&self) -> &str {
        self.uri.path()
    }

    pub(in crate::azure::double) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// A query parameter.
    pub(in crate::azure::double) fn query(&self, name: &str) -> &str {
        self.query.get(name).map(String::as_str).unwrap_or_default()
    }

    /// Whether it is about a container itself.
    pub(super) fn is_container(&self) -> bool {
        self.service == Service::Blob && self.query("restype") == "container" && self.query("comp").is_empty()
    }

    /// Whether it is about a queue itself.
    pub(super) fn is_queue(&self) -> bool {
        self.service == Service::Queue
            && self.child.is_empty()
            && !self.parent.is_empty()
            && self.query("comp").is_empty()
    }

    /// Under which name its container or queue rests after deletion.
    pub(super) fn resting_name(&self) -> String {
        let tail = if self.service == Service::Blob { "?restype=container" } else { "" };
        format!("/{}/{}{tail}", self.account, self.parent)
    }

    /// The data action of RBAC that it is.
    /// <https://learn.microsoft.com/azure/role-based-access-control/permissions/storage>
    pub(super) fn action(&self) -> &'static str {
        let inside = !self.child.is_empty();
        match (self.service, inside, self.method.as_str()) {
            (Service::Blob, true, "GET" | "HEAD") => {
                "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read"
            }
            (Service::Blob, true, "DELETE") => {
                "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/delete"
            }
            (Service::Blob, true, _) => {
                "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/write"
            }
            (Service::Blob, false, "GET") if self.query("comp") == "list" => {
                "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read"
            }
            (Service::Blob, false, "GET" | "HEAD") => {
                "Microsoft.Storage/storageAccounts/blobServices/containers/read"
            }
            (Service::Blob, false, "POST") if self.query("comp") == "userdelegationkey" => {
                "Microsoft.Storage/storageAccounts/blobServices/generateUserDelegationKey/action"
            }
            (Service::Blob, false, _) => "Microsoft.Storage/storageAccounts/blobServices/containers/write",
            // Receiving and deleting are one: "process".
            (Service::Queue, true, "GET") if self.query("peekonly").is_empty() => {
                "Microsoft.Storage/storageAccounts/queueServices/queues/messages/process/action"
            }
            (Service::Queue, true, "GET") => {
                "Microsoft.Storage/storageAccounts/queueServices/queues/messages/read"
            }
            (Service::Queue, true, "DELETE") => {
                "Microsoft.Storage/storageAccounts/queueServices/queues/messages/process/action"
            }
            (Service::Queue, true, _) => {
                "Microsoft.Storage/storageAccounts/queueServices/queues/messages/add/action"
            }
            (Service::Queue, false, "GET" | "HEAD") => {
                "Microsoft.Storage/storageAccounts/queueServices/queues/read"
            }
            (Service::Queue, false, _) => "Microsoft.Storage/storageAccounts/queueServices/queues/write",
        }
    }
}
