//! Management locks.
//!
//! <https://learn.microsoft.com/azure/azure-resource-manager/management/lock-resources>,
//! <https://learn.microsoft.com/rest/api/resources/management-locks>

use super::Shared;
use super::answer::{Outcome, Refusal, empty, json, ok};
use super::arm::Call;
use super::listing;
use super::route::Operation;
use super::store::{Level, Lock};

/// Refuses what a lock forbids. "When you apply a lock at a parent scope, all resources within that
/// scope inherit the same lock"; a parent cannot be deleted while a child is locked.
pub(super) fn free(shared: &Shared, call: &Call, operation: Operation) -> Result<(), Refusal> {
    let about_locks = matches!(operation, Operation::PutLock | Operation::DeleteLock);
    let harmless = matches!(
        operation,
        // Neither is on a resource that could be locked.
        Operation::CheckName | Operation::RegisterProvider
    );
    if call.method == "GET" || call.method == "HEAD" || about_locks || harmless {
        return Ok(());
    }
    let deletes = call.method == "DELETE";
    let world = shared.world();
    let scopes: Vec<_> = world
        .locks
        .iter()
        .filter(|lock| lock.level == Level::ReadOnly || deletes)
        .filter(|lock| within(&call.path, &lock.scope) || deletes && within(&lock.scope, &call.path))
        .map(|lock| format!("'{}'", lock.scope))
        .collect();
    if scopes.is_empty() {
        return Ok(());
    }
    let message = format!(
        "The scope '{}' cannot perform {} operation because following scope(s) are locked: {}. Please remove \
         the lock and try again.",
        call.path,
        if deletes { "delete" } else { "write" },
        scopes.join(",")
    );
    Err(Refusal::new(409, "ScopeLocked", message))
}

/// `GET {scope}/providers/Microsoft.Authorization/locks`: those on the scope "or any level below".
pub(super) fn list(shared: &Shared, call: &Call) -> Outcome {
    let locks = shared.world().locks.clone();
    let inside = locks.iter().filter(|lock| within(&lock.scope, call.scope()));
    listing::page(shared, call, inside.map(Lock::document).collect())
}

/// `GET {scope}/providers/Microsoft.Authorization/locks/{name}`
pub(super) fn get(shared: &Shared, call: &Call) -> Outcome {
    let world = shared.world();
    let lock = world.locks.iter().find(|lock| lock.id().eq_ignore_ascii_case(&call.path));
    lock.map_or_else(
        || {
            let message = format!("The lock '{}' could not be found.", call.name());
            Err(Refusal::new(404, "LockNotFound", message))
        },
        |lock| ok(&lock.document()),
    )
}

/// `PUT {scope}/providers/Microsoft.Authorization/locks/{name}`
pub(super) fn put(shared: &Shared, call: &Call) -> Outcome {
    let level = match call.body["properties"]["level"].as_str() {
        Some("CanNotDelete") => Level::CanNotDelete,
        Some("ReadOnly") => Level::ReadOnly,
        _ => return Err(Refusal::invalid("level")),
    };
    let lock = Lock { scope: call.scope().to_owned(), name: call.name().to_owned(), level };
    let document = lock.document();
    let mut world = shared.world();
    let before = world.locks.len();
    world.locks.retain(|other| !other.id().eq_ignore_ascii_case(&call.path));
    let status = if world.locks.len() < before { 200 } else { 201 };
    world.locks.push(lock);
    Ok(json(status, &document))
}

/// `DELETE {scope}/providers/Microsoft.Authorization/locks/{name}`
pub(super) fn delete(shared: &Shared, call: &Call) -> Outcome {
    let mut world = shared.world();
    let before = world.locks.len();
    world.locks.retain(|lock| !lock.id().eq_ignore_ascii_case(&call.path));
    Ok(empty(if world.locks.len() < before { 200 } else { 204 }))
}

fn within(path: &str, scope: &str) -> bool {
    let (path, scope) = (path.to_ascii_lowercase(), scope.to_ascii_lowercase());
    path.strip_prefix(scope.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
