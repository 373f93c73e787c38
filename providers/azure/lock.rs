//! Management locks: what an administrator has forbidden to change or delete (Azure Resource Manager
//! documentation, "Lock your resources to protect your infrastructure"; Z15).

use serde_json::Value;

use crate::error::{Kind, Result};
use crate::providers::azure::arm::{Call, version};
use crate::providers::azure::session::Api;
use crate::resource::{Address, Forbids, Seen};
use crate::text::{clean, word};
use crate::value::quoted;

const ACTION: &str = "Microsoft.Authorization/locks/read";
/// The part between the id of a scope and the name of a lock on it, in lower case.
const SUFFIX: &str = "/providers/microsoft.authorization/locks/";

/// What a lock forbids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    /// Deleting.
    CanNotDelete,
    /// Deleting and changing, and actions such as `listKeys`.
    ReadOnly,
}

/// A lock, on its scope and all below.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lock {
    pub name: String,
    /// What it forbids.
    pub level: Level,
    scope: String,
}

impl Lock {
    fn read(value: &Value) -> Option<Self> {
        let id = value["id"].as_str()?;
        let scope = id[..id.to_ascii_lowercase().find(SUFFIX)?].to_owned();
        let level = match value["properties"]["level"].as_str()?.to_ascii_lowercase().as_str() {
            "cannotdelete" => Level::CanNotDelete,
            "readonly" => Level::ReadOnly,
            _ => return None,
        };
        Some(Self { name: clean(value["name"].as_str().unwrap_or(id)), level, scope })
    }

    /// Whether it lies on the resource `id` or on what that is in.
    pub(crate) fn is_over(&self, id: &str) -> bool {
        is_within(id, &self.scope)
    }

    /// Whether it lies on something in the resource `id`, which cannot be deleted for it.
    pub(crate) fn is_under(&self, id: &str) -> bool {
        is_within(&self.scope, id)
    }
}

/// Whether `id` is `scope` or below it. IDs differ in case from one response to the next.
fn is_within(id: &str, scope: &str) -> bool {
    let (id, scope) = (id.to_lowercase(), scope.to_lowercase());
    id.strip_prefix(&scope).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// How a resource is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Removal {
    /// It is deleted.
    Deletes,
    /// A resource that is kept is written without it.
    Writes,
}

/// The locks on our account and on what that is in, and those scopes whose locks may not be read. They
/// are read once a run.
///
/// # Errors
/// When the locks of account and group may not be read.
pub(crate) async fn locks<'a>(api: &'a Api, at: &Address) -> Result<&'a (Vec<Lock>, Vec<String>)> {
    api.locks.get_or_try_init(|| list(api, at)).await
}

/// The finding for a scope whose locks cannot be read.
pub(crate) fn unread(scope: &str) -> String {
    format!(
        "cannot read the locks of {scope} ({ACTION} is denied): a lock would only show when a change fails"
    )
}

/// Adds what `locks` forbid to do with the resource `id` to `found`.
pub(crate) fn forbid<R>(locks: &[Lock], id: &str, removal: Removal, found: &mut Seen<R>) {
    for lock in locks {
        let (over, under) = (lock.is_over(id), lock.is_under(id));
        let message = format!("the lock {} on {} forbids it", quoted(&lock.name), clean(&lock.scope));
        let lock_id = format!("{}/providers/Microsoft.Authorization/locks/{}", lock.scope, lock.name);
        let hint =
            format!("ask its owner to lift it: `az lock delete --ids {}`", word(&lock_id).unwrap_or("ID"));
        if over && lock.level == Level::ReadOnly {
            found.obstacle(Forbids::Write, message.clone(), hint.clone());
        }
        let deletes = removal == Removal::Deletes && (over || under);
        if deletes || (over && lock.level == Level::ReadOnly) {
            found.obstacle(Forbids::Delete, message, hint);
        }
    }
}

/// The lock, in words, by which ARM rejects each POST on the resource `id`: `listKeys`, `listServiceSas` and
/// `listAccountSas` among them (B49).
pub(crate) fn read_only(locks: &[Lock], id: &str) -> Option<String> {
    let lock = locks.iter().find(|lock| lock.level == Level::ReadOnly && lock.is_over(id))?;
    Some(format!("the ReadOnly lock {} on {}", quoted(&lock.name), clean(&lock.scope)))
}

/// The locks at the three scopes above our resources, and those scopes whose locks may not be read.
async fn list(api: &Api, at: &Address) -> Result<(Vec<Lock>, Vec<String>)> {
    let call = Call { action: ACTION, target: at, version: version::LOCKS };
    let of = |scope: String| async move {
        api.arm.list(&format!("{scope}/providers/Microsoft.Authorization/locks"), call).await
    };
    let (account, group, subscription) =
        futures::join!(of(api.account_id()), of(api.group_id()), of(api.subscription_id()));
    let mut unread = vec![];
    let subscription = match subscription {
        // Whoever may work in one resource group only sees the others' locks nowhere.
        Err(error) if error.kind() == Kind::Denied => {
            unread.push("the subscription".to_owned());
            vec![]
        }
        locks => locks?,
    };
    let mut locks: Vec<Lock> = vec![];
    for lock in [account?, group?, subscription].iter().flatten().filter_map(Lock::read) {
        if !locks.contains(&lock) {
            locks.push(lock);
        }
    }
    Ok((locks, unread))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const ACCOUNT: &str =
        "/subscriptions/S/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/acme";

    fn lock(scope: &str, level: &str) -> Lock {
        let id = format!("{scope}/providers/Microsoft.Authorization/locks/keep");
        Lock::read(&json!({"id": id, "name": "keep", "properties": {"level": level}})).unwrap()
    }

    fn forbidden_to(removal: Removal, lock: Lock, id: &str) -> Vec<Forbids> {
        let mut found = Seen::<()>::absent();
        forbid(&[lock], id, removal, &mut found);
        found.remarks().obstacles.iter().map(|obstacle| obstacle.forbids).collect()
    }

    fn forbidden(lock: Lock, id: &str) -> Vec<Forbids> {
        forbidden_to(Removal::Deletes, lock, id)
    }

    #[test]
    fn an_entry_may_be_taken_out_of_what_cannot_be_deleted() {
        let service = format!("{ACCOUNT}/blobServices/default");
        let of = |level| forbidden_to(Removal::Writes, lock(ACCOUNT, level), &service);
        assert_eq!(of("CanNotDelete"), []);
        assert_eq!(of("ReadOnly"), [Forbids::Write, Forbids::Delete]);
    }

    #[test]
    fn a_lock_reaches_what_is_below_it() {
        let container = format!("{ACCOUNT}/blobServices/default/containers/wandb");
        for scope in ["/subscriptions/s", "/subscriptions/S/resourceGroups/RG", ACCOUNT] {
            assert_eq!(forbidden(lock(scope, "CanNotDelete"), &container), [Forbids::Delete]);
            assert_eq!(forbidden(lock(scope, "ReadOnly"), &container), [Forbids::Write, Forbids::Delete]);
        }
    }

    #[test]
    fn a_lock_beside_it_or_of_a_like_name_does_not() {
        for scope in ["/subscriptions/s/resourceGroups/rg2", "/subscriptions/s/resourceGroups/r"] {
            assert_eq!(forbidden(lock(scope, "ReadOnly"), ACCOUNT), []);
        }
    }

    #[test]
    fn a_lock_inside_keeps_only_from_deleting() {
        let container = format!("{ACCOUNT}/blobServices/default/containers/wandb");
        assert_eq!(forbidden(lock(&container, "ReadOnly"), ACCOUNT), [Forbids::Delete]);
    }
}
