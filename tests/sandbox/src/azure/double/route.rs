//! Which operation a request is, and the permission that it needs.
//!
//! Paths are compared in lower case: "resource names, … resource group names … are case-insensitive"
//! <https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules>.
//! Permissions: <https://learn.microsoft.com/azure/role-based-access-control/permissions/storage>,
//! and its neighbours for the other providers.

use axum::http::Method;

/// An operation of the control plane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    ListSubscriptions,
    GetSubscription,
    ListGroups,
    GetGroup,
    PutGroup,
    ListPermissions,
    GetProvider,
    RegisterProvider,
    ListLocks,
    GetLock,
    PutLock,
    DeleteLock,
    CheckName,
    ListAccounts,
    ListAccountsOfGroup,
    GetAccount,
    PutAccount,
    PatchAccount,
    DeleteAccount,
    ListKeys,
    RegenerateKey,
    AccountSas,
    ServiceSas,
    GetManagementPolicy,
    GetBlobService,
    PutBlobService,
    ListContainers,
    GetContainer,
    PutContainer,
    PatchContainer,
    DeleteContainer,
    GetQueueService,
    ListQueues,
    GetQueue,
    PutQueue,
    PatchQueue,
    DeleteQueue,
    ListTables,
    ListShares,
    ListEventSubscriptions,
    ListRegionalEventSubscriptions,
    GetEventSubscription,
    PutEventSubscription,
    PatchEventSubscription,
    DeleteEventSubscription,
    ListTopics,
    ListTopicsOfGroup,
    GetTopic,
    DeleteTopic,
    Poll,
}

/// The operation and the action of RBAC that it is; `None` for what nobody has built.
pub(super) fn of(method: &Method, path: &[&str]) -> Option<(Operation, &'static str)> {
    let (scope, rest) = split(path);
    let verb = method.as_str();
    match rest {
        [] => directory(verb, scope),
        ["microsoft.storage", ..] => storage(verb, scope, &rest[1..]),
        ["microsoft.eventgrid", ..] => event_grid(verb, scope, &rest[1..]),
        ["microsoft.authorization", "locks", ..] => locks(verb, &rest[2..]),
        ["microsoft.authorization", "permissions"] if verb == "GET" => {
            Some((Operation::ListPermissions, "Microsoft.Authorization/permissions/read"))
        }
        _ => None,
    }
    .or_else(|| provider(verb, scope, rest))
}

/// What an operation is on, and the last provider in the path with all that follows it.
pub(super) fn split<'a, 'b>(path: &'a [&'b str]) -> (&'a [&'b str], &'a [&'b str]) {
    match path.iter().rposition(|part| part.eq_ignore_ascii_case("providers")) {
        Some(at) => (&path[..at], &path[at + 1..]),
        None => (path, &[]),
    }
}

fn directory(verb: &str, path: &[&str]) -> Option<(Operation, &'static str)> {
    use Operation::*;
    Some(match (verb, path) {
        ("GET", ["subscriptions"]) => (ListSubscriptions, "Microsoft.Resources/subscriptions/read"),
        ("GET", ["subscriptions", _]) => (GetSubscription, "Microsoft.Resources/subscriptions/read"),
        ("GET", ["subscriptions", _, "resourcegroups"]) => {
            (ListGroups, "Microsoft.Resources/subscriptions/resourceGroups/read")
        }
        ("GET" | "HEAD", ["subscriptions", _, "resourcegroups", _]) => {
            (GetGroup, "Microsoft.Resources/subscriptions/resourceGroups/read")
        }
        ("PUT", ["subscriptions", _, "resourcegroups", _]) => {
            (PutGroup, "Microsoft.Resources/subscriptions/resourceGroups/write")
        }
        _ => return None,
    })
}

fn provider(verb: &str, scope: &[&str], rest: &[&str]) -> Option<(Operation, &'static str)> {
    use Operation::*;
    let ["subscriptions", _] = scope else { return None };
    Some(match (verb, rest) {
        ("GET", [_]) => (GetProvider, "Microsoft.Resources/subscriptions/providers/read"),
        ("POST", ["microsoft.storage", "register"]) => {
            (RegisterProvider, "Microsoft.Storage/register/action")
        }
        ("POST", ["microsoft.eventgrid", "register"]) => {
            (RegisterProvider, "Microsoft.EventGrid/register/action")
        }
        ("POST", [_, "register"]) => (RegisterProvider, "*/register/action"),
        _ => return None,
    })
}

fn locks(verb: &str, rest: &[&str]) -> Option<(Operation, &'static str)> {
    use Operation::*;
    Some(match (verb, rest) {
        ("GET", []) => (ListLocks, "Microsoft.Authorization/locks/read"),
        ("GET", [_]) => (GetLock, "Microsoft.Authorization/locks/read"),
        ("PUT", [_]) => (PutLock, "Microsoft.Authorization/locks/write"),
        ("DELETE", [_]) => (DeleteLock, "Microsoft.Authorization/locks/delete"),
        _ => return None,
    })
}

fn storage(verb: &str, scope: &[&str], rest: &[&str]) -> Option<(Operation, &'static str)> {
    use Operation::*;
    let of_group = matches!(scope, ["subscriptions", _, "resourcegroups", _]);
    Some(match (verb, rest) {
        ("POST", ["checknameavailability"]) => (CheckName, "Microsoft.Storage/checknameavailability/read"),
        ("GET", ["locations", _, "asyncoperations", _]) => {
            (Poll, "Microsoft.Storage/locations/asyncoperations/read")
        }
        ("GET", ["storageaccounts"]) if of_group => {
            (ListAccountsOfGroup, "Microsoft.Storage/storageAccounts/read")
        }
        ("GET", ["storageaccounts"]) => (ListAccounts, "Microsoft.Storage/storageAccounts/read"),
        (_, ["storageaccounts", _, inside @ ..]) if of_group => return account(verb, inside),
        _ => return None,
    })
}

fn account(verb: &str, inside: &[&str]) -> Option<(Operation, &'static str)> {
    use Operation::*;
    Some(match (verb, inside) {
        ("GET", []) => (GetAccount, "Microsoft.Storage/storageAccounts/read"),
        ("PUT", []) => (PutAccount, "Microsoft.Storage/storageAccounts/write"),
        ("PATCH", []) => (PatchAccount, "Microsoft.Storage/storageAccounts/write"),
        ("DELETE", []) => (DeleteAccount, "Microsoft.Storage/storageAccounts/delete"),
        ("POST", ["listkeys"]) => (ListKeys, "Microsoft.Storage/storageAccounts/listkeys/action"),
        ("POST", ["regeneratekey"]) => {
            (RegenerateKey, "Microsoft.Storage/storageAccounts/regeneratekey/action")
        }
        ("POST", ["listaccountsas"]) => {
            (AccountSas, "Microsoft.Storage/storageAccounts/listAccountSas/action")
        }
        ("POST", ["listservicesas"]) => {
            (ServiceSas, "Microsoft.Storage/storageAccounts/listServiceSas/action")
        }
        ("GET", ["managementpolicies", "default"]) => {
            (GetManagementPolicy, "Microsoft.Storage/storageAccounts/managementPolicies/read")
        }
        (_, ["blobservices", "default", rest @ ..]) => return blobs(verb, rest),
        (_, ["queueservices", "default", rest @ ..]) => return queues(verb, rest),
        ("GET", ["tableservices", "default", "tables"]) => {
            (ListTables, "Microsoft.Storage/storageAccounts/tableServices/tables/read")
        }
        ("GET", ["fileservices", "default", "shares"]) => {
            (ListShares, "Microsoft.Storage/storageAccounts/fileServices/shares/read")
        }
        _ => return None,
    })
}

fn blobs(verb: &str, rest: &[&str]) -> Option<(Operation, &'static str)> {
    use Operation::*;
    const READ: &str = "Microsoft.Storage/storageAccounts/blobServices/containers/read";
    const WRITE: &str = "Microsoft.Storage/storageAccounts/blobServices/containers/write";
    Some(match (verb, rest) {
        ("GET", []) => (GetBlobService, "Microsoft.Storage/storageAccounts/blobServices/read"),
        ("PUT", []) => (PutBlobService, "Microsoft.Storage/storageAccounts/blobServices/write"),
        ("GET", ["containers"]) => (ListContainers, READ),
        ("GET", ["containers", _]) => (GetContainer, READ),
        ("PUT", ["containers", _]) => (PutContainer, WRITE),
        ("PATCH", ["containers", _]) => (PatchContainer, WRITE),
        ("DELETE", ["containers", _]) => {
            (DeleteContainer, "Microsoft.Storage/storageAccounts/blobServices/containers/delete")
        }
        _ => return None,
    })
}

fn queues(verb: &str, rest: &[&str]) -> Option<(Operation, &'static str)> {
    use Operation::*;
    const READ: &str = "Microsoft.Storage/storageAccounts/queueServices/queues/read";
    const WRITE: &str = "Microsoft.Storage/storageAccounts/queueServices/queues/write";
    Some(match (verb, rest) {
        ("GET", []) => (GetQueueService, "Microsoft.Storage/storageAccounts/queueServices/read"),
        ("GET", ["queues"]) => (ListQueues, READ),
        ("GET", ["queues", _]) => (GetQueue, READ),
        ("PUT", ["queues", _]) => (PutQueue, WRITE),
        ("PATCH", ["queues", _]) => (PatchQueue, WRITE),
        ("DELETE", ["queues", _]) => {
            (DeleteQueue, "Microsoft.Storage/storageAccounts/queueServices/queues/delete")
        }
        _ => return None,
    })
}

fn event_grid(verb: &str, scope: &[&str], rest: &[&str]) -> Option<(Operation, &'static str)> {
    use Operation::*;
    const WRITE: &str = "Microsoft.EventGrid/eventSubscriptions/write";
    let of_group = matches!(scope, ["subscriptions", _, "resourcegroups", _]);
    Some(match (verb, rest) {
        ("GET", ["locations", _, "operationsstatus" | "operationresults", _]) => {
            (Poll, "Microsoft.EventGrid/locations/operationsStatus/read")
        }
        ("GET", ["locations", _, "eventsubscriptions"]) => {
            (ListRegionalEventSubscriptions, "Microsoft.EventGrid/eventSubscriptions/read")
        }
        ("GET", ["eventsubscriptions"]) => {
            (ListEventSubscriptions, "Microsoft.EventGrid/eventSubscriptions/read")
        }
        ("GET", ["eventsubscriptions", _]) => {
            (GetEventSubscription, "Microsoft.EventGrid/eventSubscriptions/read")
        }
        ("PUT", ["eventsubscriptions", _]) => (PutEventSubscription, WRITE),
        ("PATCH", ["eventsubscriptions", _]) => (PatchEventSubscription, WRITE),
        ("DELETE", ["eventsubscriptions", _]) => {
            (DeleteEventSubscription, "Microsoft.EventGrid/eventSubscriptions/delete")
        }
        ("GET", ["systemtopics"]) if of_group => (ListTopicsOfGroup, "Microsoft.EventGrid/systemTopics/read"),
        ("GET", ["systemtopics"]) => (ListTopics, "Microsoft.EventGrid/systemTopics/read"),
        ("GET", ["systemtopics", _]) if of_group => (GetTopic, "Microsoft.EventGrid/systemTopics/read"),
        ("DELETE", ["systemtopics", _]) if of_group => {
            (DeleteTopic, "Microsoft.EventGrid/systemTopics/delete")
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(method: Method, path: &str) -> Option<Operation> {
        let parts: Vec<_> = path.trim_matches('/').split('/').collect();
        of(&method, &parts).map(|(operation, _)| operation)
    }

    #[test]
    fn the_last_provider_decides() {
        let account = "/subscriptions/s/resourcegroups/g/providers/microsoft.storage/storageaccounts/a";
        assert_eq!(route(Method::PUT, account), Some(Operation::PutAccount));
        let events = format!("{account}/providers/microsoft.eventgrid/eventsubscriptions/e");
        assert_eq!(route(Method::PUT, &events), Some(Operation::PutEventSubscription));
        let locks = format!("{account}/providers/microsoft.authorization/locks");
        assert_eq!(route(Method::GET, &locks), Some(Operation::ListLocks));
        assert_eq!(route(Method::GET, "/subscriptions/s/providers/x.y"), Some(Operation::GetProvider));
        assert_eq!(
            route(Method::PUT, "/subscriptions/s/providers/microsoft.storage/storageaccounts/a"),
            None
        );
    }
}
