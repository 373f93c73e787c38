//! Names for requests to the Resource Manager: `arm.containers.PUT`, `arm.storageAccounts.listKeys`.

use hyper::Method;

use super::{Head, Meaning, Service, decoded};

/// Types of resources as they are written; a path may be in any case.
const TYPES: &[&str] = &[
    "blobServices",
    "containers",
    "eventSubscriptions",
    "locations",
    "locks",
    "managementPolicies",
    "permissions",
    "providers",
    "queueServices",
    "queues",
    "resourceGroups",
    "roleAssignments",
    "storageAccounts",
    "subscriptions",
    "systemTopics",
    "tenants",
];

/// What is posted and changes nothing.
const ASKED: &[&str] =
    &["checkNameAvailability", "getFullUrl", "ListAccountSas", "listKeys", "ListServiceSas"];

/// `/subscriptions/{id}/resourceGroups/{name}/providers/{namespace}/{type}/{name}/…`
/// (<https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules>): types and
/// names in turn, and after `providers` first the namespace.
pub(super) fn understand(head: &Head<'_>) -> Meaning {
    let path = decoded(head.uri.path());
    let mut segments = path.split('/').filter(|segment| !segment.is_empty()).peekable();
    // The last type, the name that follows it, and the action that follows the name.
    let (mut kind, mut name, mut action) = ("", None, None);
    while let Some(segment) = segments.next() {
        let kept = std::mem::replace(&mut kind, segment);
        name = segments.next();
        if segment.eq_ignore_ascii_case("providers") && segments.peek().is_some() {
            let next = segments.next().unwrap_or_default();
            match (next, segments.next()) {
                ("register" | "unregister", _) => action = Some(next),
                (of_namespace, following) => (kind, name) = (of_namespace, following),
            }
        } else if name.is_none() && *head.method == Method::POST && !kept.is_empty() {
            (kind, action) = (kept, Some(segment));
        }
    }
    let known = |word: &str, all: &[&str]| {
        let spelled = all.iter().find(|known| known.eq_ignore_ascii_case(word)).copied();
        spelled.unwrap_or(word).to_owned()
    };
    let (kind, action) = (known(kind, TYPES), action.map(|action| known(action, ASKED)));
    let kind = known(&kind, ASKED);
    let asked = ASKED.contains(&action.as_deref().unwrap_or(&kind));
    let verb = match (action, head.method) {
        (Some(action), _) => action,
        (None, &Method::GET) if name.is_none() => "LIST".to_owned(),
        (None, method) => method.to_string(),
    };
    let mutating = !matches!(*head.method, Method::GET | Method::HEAD) && !asked;
    Meaning::new(Service::Arm, format!("arm.{kind}.{verb}"), path.to_lowercase(), mutating)
}
