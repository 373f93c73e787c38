//! The parts of an account whose mark is in their metadata: the private blob containers of the server's files
//! and of undeliverable events, and the storage queue.
//!
//! They are created and deleted through ARM, where an administrator's locks apply; the data plane ignores
//! them (Z15).

use serde::Serialize;
use serde_json::{Value, json};

use crate::error::Result;
use crate::event::Progress;
use crate::mark::{self, Entries, Mark, Marking, entries};
use crate::providers::azure::account::Account;
use crate::providers::azure::arm::{Call, version};
use crate::providers::azure::failure::BEING_DELETED_WITHIN;
use crate::providers::azure::lock;
use crate::providers::azure::mark::{DEAD_LETTERS, METADATA};
use crate::providers::azure::session::Api;
use crate::resource::{Address, Deleted, Forbids, Resource, Seen};
use crate::text::clean;

/// A collection that ARM lists.
#[derive(Debug)]
pub(super) struct Collection {
    /// A member of it, as text.
    pub(super) word: &'static str,
    /// Its path within an account.
    pub(super) path: &'static str,
    pub(super) read: &'static str,
    write: &'static str,
    delete: &'static str,
}

pub(super) static CONTAINERS: Collection = Collection {
    word: CONTAINER,
    path: "blobServices/default/containers",
    read: "Microsoft.Storage/storageAccounts/blobServices/containers/read",
    write: "Microsoft.Storage/storageAccounts/blobServices/containers/write",
    delete: "Microsoft.Storage/storageAccounts/blobServices/containers/delete",
};
pub(super) static QUEUES: Collection = Collection {
    word: QUEUE,
    path: "queueServices/default/queues",
    read: "Microsoft.Storage/storageAccounts/queueServices/queues/read",
    write: "Microsoft.Storage/storageAccounts/queueServices/queues/write",
    delete: "Microsoft.Storage/storageAccounts/queueServices/queues/delete",
};

/// The kind of the container of the server's files.
pub(super) const CONTAINER: &str = "container";
/// The kind, and the role in its mark, of the container of events that cannot be delivered.
pub(super) const DEAD_LETTER: &str = "dead-letter";
/// The kind of the queue of the container's events.
pub(super) const QUEUE: &str = "queue";

/// A private container, or a queue.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Held {
    #[serde(skip)]
    name: String,
    #[serde(skip)]
    kind: &'static str,
    #[serde(skip)]
    collection: &'static Collection,
    /// The account it is in.
    #[serde(skip)]
    account: String,
    /// Of what exists: all its metadata, of which our mark is a part.
    #[serde(skip)]
    metadata: Entries,
    /// Of a container: its public access level; `None` is private.
    #[serde(skip_serializing_if = "Option::is_none")]
    public_access: Option<String>,
    mark: Marking,
}

impl Held {
    /// The container `name` of this kind.
    pub(super) fn container(kind: &'static str, name: &str, account: &str, mark: Marking) -> Self {
        let public_access = Some("None".to_owned());
        Self { kind, collection: &CONTAINERS, public_access, ..Self::queue(name, account, mark) }
    }

    pub(super) fn queue(name: &str, account: &str, mark: Marking) -> Self {
        Self {
            name: name.to_owned(),
            kind: QUEUE,
            collection: &QUEUES,
            account: account.to_owned(),
            metadata: Entries::new(),
            public_access: None,
            mark,
        }
    }

    /// The address of what is called `name`, of this kind.
    pub(super) fn at(kind: &'static str, name: &str) -> Address {
        Address::new("azure", kind, name)
    }

    fn id(&self, api: &Api) -> String {
        format!("{}/{}/{}", api.account_id(), self.collection.path, self.name)
    }

    /// The mark of the container `name`; empty where it does not exist.
    ///
    /// # Errors
    /// Those of the call.
    pub(super) async fn mark_of(api: &Api, name: &str) -> Result<Mark> {
        let at = Self::at(CONTAINER, name);
        let id = format!("{}/{}/{name}", api.account_id(), CONTAINERS.path);
        let container = api.arm.get(&id, call(CONTAINERS.read, &at)).await?.unwrap_or_default();
        Ok(METADATA.read(&entries(&container["properties"]["metadata"])))
    }

    /// What keeps a container; a queue has nothing of it.
    fn look_at_holds(properties: &Value, found: &mut Seen<Self>) {
        let set = |name: &str| properties[name].as_bool() == Some(true);
        if set("hasLegalHold") {
            found.obstacle(
                Forbids::Delete,
                "a legal hold keeps it",
                "ask its owner to lift it: `az storage container legal-hold clear`",
            );
        }
        let versions = &properties["immutableStorageWithVersioning"]["enabled"];
        if set("hasImmutabilityPolicy") || versions.as_bool() == Some(true) {
            found.obstacle(
                Forbids::Delete,
                "an immutability policy keeps it",
                "wait until the policy's retention period has ended, or remove the policy if it is not \
                 locked: `az storage container immutability-policy delete`",
            );
        }
        if properties["leaseState"] == "Leased" || properties["leaseState"] == "leased" {
            found.obstacle(
                Forbids::Delete,
                "it has an active lease",
                "stop the program that holds the lease, or end it with `az storage container lease break`",
            );
        }
    }
}

impl Resource for Held {
    type Api = Api;

    fn address(&self) -> Address {
        Self::at(self.kind, &self.name)
    }

    fn needs(&self) -> Vec<Address> {
        vec![Account::at(&self.account)]
    }

    fn part_of(&self) -> Option<Address> {
        Some(Account::at(&self.account))
    }

    fn marking(&self) -> Option<&Marking> {
        Some(&self.mark)
    }

    async fn read(&self, api: &Api) -> Result<Seen<Self>> {
        let (at, id) = (self.address(), self.id(api));
        let (held, locks) =
            futures::join!(api.arm.look(&id, call(self.collection.read, &at)), lock::locks(api, &at));
        let (held, (locks, _)) = (held?, locks?);
        let mut found = match held.filter(|held| held["properties"]["deleted"] != json!(true)) {
            None => Seen::absent(),
            Some(held) => {
                let properties = &held["properties"];
                let metadata = entries(&properties["metadata"]);
                let public = properties["publicAccess"].as_str().unwrap_or("None");
                let state = Self {
                    public_access: self.public_access.as_ref().map(|_| clean(public)),
                    mark: self.mark.observed(&metadata),
                    metadata: metadata.clone(),
                    ..self.clone()
                };
                let mut found = self.mark.seen(&metadata, None, state);
                Self::look_at_holds(properties, &mut found);
                let queue = |is: &str| (format!("the queue `{is}`"), format!("add --queue {is}"));
                self.mark.keep_parts(&metadata, mark::QUEUE, queue, &mut found);
                let dead = |is: &str| (format!("the container `{is}`"), "add --dead-letter".to_owned());
                self.mark.keep_parts(&metadata, DEAD_LETTERS, dead, &mut found);
                found
            }
        };
        lock::forbid(locks, &id, lock::Removal::Deletes, &mut found);
        Ok(found)
    }

    async fn write(&self, api: &Api, seen: &Seen<Self>, _: &Progress) -> Result<()> {
        let (at, id) = (self.address(), self.id(api));
        let call = call(self.collection.write, &at);
        let metadata = match seen.state() {
            Some(state) => self.mark.to_update(&state.metadata, seen.is_unmarked()),
            None => self.mark.to_create(),
        };
        let mut body = json!({"properties": {"metadata": metadata}});
        if let Some(access) = &self.public_access {
            body["properties"]["publicAccess"] = json!(access);
        }
        match seen.state() {
            Some(_) => api.arm.patch(&id, &body, BEING_DELETED_WITHIN, call).await,
            None => api.arm.put(&id, &body, BEING_DELETED_WITHIN, call).await,
        }
    }

    async fn delete(&self, api: &Api, _: &Self, _: &Progress) -> Result<Deleted> {
        let at = self.address();
        api.arm.remove(&self.id(api), BEING_DELETED_WITHIN, call(self.collection.delete, &at)).await?;
        Ok(Deleted::Gone)
    }

    async fn release(&self, api: &Api, seen: &Self, _: &Progress) -> Result<()> {
        let (at, id) = (self.address(), self.id(api));
        let body = json!({"properties": {"metadata": self.mark.to_release(&seen.metadata)}});
        api.arm.patch(&id, &body, BEING_DELETED_WITHIN, call(self.collection.write, &at)).await
    }
}

fn call<'a>(action: &'a str, target: &'a Address) -> Call<'a> {
    Call { action, target, version: version::STORAGE }
}
