//! Azure: the Resource Manager, the data plane of blobs and queues, and the token endpoint.
//!
//! The door of the proxy tells them apart where the path does not: [`BLOB`], [`QUEUE`].

mod arm;
mod data;
mod errors;

use super::{Head, Meaning, Service, decoded};

pub(super) use errors::{spell, too_skewed, write};

/// The door before the Resource Manager and the token endpoint.
pub const ARM: &str = "arm";
/// The door before the blobs.
pub const BLOB: &str = "blob";
/// The door before the queues.
pub const QUEUE: &str = "queue";

pub(super) fn understand(head: &Head<'_>) -> Meaning {
    match head.door {
        BLOB => data::blob(head),
        QUEUE => data::queue(head),
        _ if head.uri.path().contains("/oauth2/") => {
            Meaning::new(Service::Token, "token.POST".to_owned(), String::new(), false)
        }
        _ => arm::understand(head),
    }
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderMap;

    use crate::call::Call;
    use crate::dialect::Dialect;

    #[test]
    fn requests_are_named_by_the_kind_of_what_they_are_about() {
        let account = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/a";
        let scope = "/subscriptions/s";
        for (door, method, path, name, mutating) in [
            ("arm", "GET", account.to_owned(), "arm.storageAccounts.GET", false),
            ("arm", "PUT", account.to_uppercase(), "arm.storageAccounts.PUT", true),
            ("arm", "POST", format!("{account}/listKeys"), "arm.storageAccounts.listKeys", false),
            ("arm", "GET", format!("{account}/blobServices/default"), "arm.blobServices.GET", false),
            (
                "arm",
                "PUT",
                format!("{account}/blobServices/default/containers/c"),
                "arm.containers.PUT",
                true,
            ),
            ("arm", "DELETE", format!("{account}/queueServices/default/queues/q"), "arm.queues.DELETE", true),
            (
                "arm",
                "PUT",
                format!("{account}/providers/Microsoft.EventGrid/eventSubscriptions/e"),
                "arm.eventSubscriptions.PUT",
                true,
            ),
            (
                "arm",
                "GET",
                format!("{account}/providers/Microsoft.EventGrid/eventSubscriptions"),
                "arm.eventSubscriptions.LIST",
                false,
            ),
            (
                "arm",
                "GET",
                format!("{account}/providers/Microsoft.Authorization/locks"),
                "arm.locks.LIST",
                false,
            ),
            ("arm", "GET", format!("{scope}/providers/Microsoft.EventGrid"), "arm.providers.GET", false),
            (
                "arm",
                "POST",
                format!("{scope}/providers/Microsoft.EventGrid/register"),
                "arm.providers.register",
                true,
            ),
            (
                "arm",
                "POST",
                format!("{scope}/providers/Microsoft.Storage/checkNameAvailability"),
                "arm.checkNameAvailability.POST",
                false,
            ),
            ("arm", "GET", format!("{scope}/resourcegroups/rg"), "arm.resourceGroups.GET", false),
            ("arm", "GET", scope.to_owned(), "arm.subscriptions.GET", false),
            ("arm", "POST", "/tenant/oauth2/v2.0/token".to_owned(), "token.POST", false),
            ("blob", "PUT", "/a/c/x/y".to_owned(), "blob.PutBlob", true),
            ("blob", "GET", "/a/c?restype=container&comp=list".to_owned(), "blob.ListBlobs", false),
            ("blob", "OPTIONS", "/a/c/x".to_owned(), "blob.Preflight", false),
            ("queue", "GET", "/a/q/messages?peekonly=true".to_owned(), "queue.PeekMessages", false),
            ("queue", "GET", "/a/q/messages".to_owned(), "queue.GetMessages", true),
        ] {
            let uri = path.parse().expect("a path");
            let method = method.parse().expect("a method");
            let call = Call::new(Dialect::Azure, door, method, uri, HeaderMap::new(), "".into());
            assert_eq!((call.operation.as_str(), call.mutates()), (name, mutating), "{path}");
        }
    }
}
