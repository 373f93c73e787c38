//! Names for requests to the data plane, as its reference calls them: `blob.PutBlob`,
//! `queue.PeekMessages`. Accounts are the first part of the path, as in Azurite.

use hyper::Method;

use super::{Head, Meaning, Service, decoded};

/// <https://learn.microsoft.com/rest/api/storageservices/blob-service-rest-api>
pub(super) fn blob(head: &Head<'_>) -> Meaning {
    let resource = resource(head);
    let comp = head.parameter("comp");
    let container = resource.split_once('/');
    let method = head.method.as_str();
    let name = match (container, head.parameter("restype"), method, comp) {
        (_, _, "OPTIONS", _) => "Preflight",
        (_, Some("service"), "PUT", _) => "SetServiceProperties",
        (_, Some("service"), _, Some("stats")) => "GetServiceStats",
        (_, Some("service"), _, _) => "GetServiceProperties",
        (_, _, "POST", Some("batch")) => "Batch",
        (_, Some("container"), "GET", Some("list")) => "ListBlobs",
        (_, Some("container"), "PUT", None) => "CreateContainer",
        (_, Some("container"), "DELETE", _) => "DeleteContainer",
        (_, Some("container"), "PUT", Some(_)) => "SetContainerProperties",
        (_, Some("container"), _, _) => "GetContainerProperties",
        (None, _, "GET", Some("list")) => "ListContainers",
        (_, _, "PUT", Some("block")) => "PutBlock",
        (_, _, "PUT", Some("blocklist")) => "PutBlockList",
        (_, _, "PUT", Some("lease")) => "LeaseBlob",
        (_, _, "PUT", None) => "PutBlob",
        (_, _, "PUT", Some(_)) => "SetBlobProperties",
        (_, _, "DELETE", _) => "DeleteBlob",
        (_, _, "HEAD", _) => "GetBlobProperties",
        (_, _, "GET", _) => "GetBlob",
        _ => "Other",
    };
    let reads = matches!(name, "Preflight") || name.starts_with("Get") || name.starts_with("List");
    Meaning::new(Service::Blob, format!("blob.{name}"), resource, !reads)
}

/// <https://learn.microsoft.com/rest/api/storageservices/queue-service-rest-api>. Getting messages
/// counts as a change: it hides them from other consumers for a while.
pub(super) fn queue(head: &Head<'_>) -> Meaning {
    let resource = resource(head);
    let messages = resource.split('/').nth(1).is_some();
    let name = match (messages, head.method) {
        (_, &Method::OPTIONS) => "Preflight",
        (true, &Method::GET) if head.asks("peekonly") => "PeekMessages",
        (true, &Method::GET) => "GetMessages",
        (true, &Method::POST) => "PutMessage",
        (true, &Method::DELETE) => "DeleteMessage",
        (true, _) => "UpdateMessage",
        (false, _) if head.parameter("restype") == Some("service") => "GetServiceProperties",
        (false, &Method::GET) if head.parameter("comp") == Some("list") => "ListQueues",
        (false, &Method::GET | &Method::HEAD) => "GetQueueMetadata",
        (false, &Method::DELETE) => "DeleteQueue",
        (false, _) if head.asks("comp") => "SetQueueMetadata",
        (false, _) => "CreateQueue",
    };
    let reads = ["Preflight", "PeekMessages", "GetServiceProperties", "ListQueues", "GetQueueMetadata"];
    Meaning::new(Service::Queue, format!("queue.{name}"), resource, !reads.contains(&name))
}

/// The path behind the account.
fn resource(head: &Head<'_>) -> String {
    let path = head.uri.path().trim_start_matches('/');
    decoded(path.split_once('/').map_or("", |(_, rest)| rest))
}
