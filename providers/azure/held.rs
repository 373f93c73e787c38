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
use crate::providers::azure::cors::WasThere;
use crate::providers::azure::failure::BEING_DELETED_WITHIN;
use crate::providers::azure::lifecycle;
use crate::providers::azure::lock;
use crate::providers::azure::mark::{DEAD_LETTERS, METADATA};
use crate::providers::azure::session::Api;
use crate::providers::azure::spelling::{flag, same};
use crate::resource::{Address, Deleted, Forbids, Removal, Resource, Seen};
use crate::text::{clean, counted};

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

/// The most metadata of a container or queue, in bytes of names and values (Blob service REST API, "Setting and
/// retrieving properties and metadata").
const MOST_METADATA: usize = 8 * 1024;

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
    /// Of the container of the server's files: what its mark records about the CORS rule.
    #[serde(skip)]
    was_there: WasThere,
    /// Whether it is the container of the server's files, and to be there: what deletes files or keeps them is
    /// of interest.
    #[serde(skip)]
    keeps_files: bool,
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
            was_there: WasThere::default(),
            keeps_files: false,
            mark,
        }
    }

    /// The same of the server's files, with what its mark records about the CORS rule.
    pub(super) fn of_files(self, was_there: WasThere, removing: bool) -> Self {
        Self { was_there, keeps_files: !removing, ..self }
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

    /// Removes the entry `name` of the mark of the container `container`.
    ///
    /// # Errors
    /// Those of the calls.
    pub(super) async fn without(api: &Api, container: &str, name: &str) -> Result<()> {
        let at = Self::at(CONTAINER, container);
        let id = format!("{}/{}/{container}", api.account_id(), CONTAINERS.path);
        let found = api.arm.get(&id, call(CONTAINERS.read, &at)).await?.unwrap_or_default();
        let metadata = entries(&found["properties"]["metadata"]);
        let mut mark = METADATA.read(&metadata);
        if mark.get(name).is_none() {
            return Ok(());
        }
        mark.remove(name);
        let body = json!({"properties": {"metadata": METADATA.replace(&metadata, &mark)}});
        api.arm.patch(&id, &body, BEING_DELETED_WITHIN, call(CONTAINERS.write, &at)).await
    }

    /// What keeps a container; a queue has nothing of it.
    fn look_at_holds(&self, properties: &Value, found: &mut Seen<Self>) {
        let set = |name: &str| flag(&properties[name]) == Some(true);
        if self.keeps_files {
            let kept =
                [("hasLegalHold", "a legal hold"), ("hasImmutabilityPolicy", "an immutability policy")];
            for (_, what) in kept.iter().filter(|(name, _)| set(name)) {
                found.finding(format!(
                    "{what} keeps its blobs: the server can neither delete nor replace files"
                ));
            }
        }
        if set("hasLegalHold") {
            found.obstacle(
                Forbids::Delete,
                "a legal hold keeps it",
                "ask its owner to lift it: `az storage container legal-hold clear`",
            );
        }
        let versions = &properties["immutableStorageWithVersioning"]["enabled"];
        if set("hasImmutabilityPolicy") || flag(versions) == Some(true) {
            found.obstacle(
                Forbids::Delete,
                "an immutability policy keeps it",
                "wait until the policy's retention period has ended, or remove the policy if it is not \
                 locked: `az storage container immutability-policy delete`",
            );
        }
        if properties["leaseState"].as_str().is_some_and(|state| state.eq_ignore_ascii_case("leased")) {
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

    const REMOVAL: Removal = Removal::WithParent;

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
        let (held, locks, rules) = futures::join!(
            api.arm.look(&id, call(self.collection.read, &at)),
            lock::locks(api, &at),
            async { if self.keeps_files { lifecycle::findings(api, &self.name).await } else { Ok(vec![]) } }
        );
        let (held, (locks, _), rules) = (held?, locks?, rules?);
        let mut found = match held.filter(|held| held["properties"]["deleted"] != json!(true)) {
            None => Seen::absent(),
            Some(held) => {
                let properties = &held["properties"];
                let metadata = entries(&properties["metadata"]);
                let public = same(clean(properties["publicAccess"].as_str().unwrap_or("None")), "None");
                let state = Self {
                    public_access: self.public_access.as_ref().map(|_| public),
                    mark: self.mark.observed(&metadata),
                    metadata: metadata.clone(),
                    ..self.clone()
                };
                let mut found = self.mark.seen(&metadata, None, state);
                self.look_at_holds(properties, &mut found);
                found.remarks_mut().holds = messages(properties);
                let after = self.mark.updated(&metadata, found.is_unmarked());
                let size: usize = after.iter().map(|(name, value)| name.len() + value.len()).sum();
                if size > MOST_METADATA {
                    found.obstacle(
                        Forbids::Write,
                        format!(
                            "with the wbstore mark it would have {size} bytes of metadata; Azure allows {MOST_METADATA}"
                        ),
                        "remove metadata that are not needed",
                    );
                }
                let queue = |is: &str, word: &str| (format!("the queue {is}"), format!("add --queue {word}"));
                self.mark.keep_parts(&metadata, mark::QUEUE, queue, &mut found);
                let dead =
                    |is: &str, _: &str| (format!("the container {is}"), "add --dead-letter".to_owned());
                self.mark.keep_parts(&metadata, DEAD_LETTERS, dead, &mut found);
                found
            }
        };
        found.remarks_mut().findings.extend(rules);
        lock::forbid(locks, &id, lock::Removal::Deletes, &mut found);
        Ok(found)
    }

    async fn write(&self, api: &Api, seen: &Seen<Self>, _: &Progress) -> Result<()> {
        let (at, id) = (self.address(), self.id(api));
        let call = call(self.collection.write, &at);
        let mut metadata = match seen.state() {
            Some(state) => self.mark.to_update(&state.metadata, seen.is_unmarked())?,
            None => self.mark.to_create(),
        };
        let before = seen.state().map(|state| &state.metadata).unwrap_or(&self.metadata);
        self.was_there.record(before, &mut metadata);
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

/// How many messages a queue holds, at most: "not lower than the actual number" (Storage resource provider REST API,
/// "Queue - Get", `approximateMessageCount`).
fn messages(properties: &Value) -> Option<String> {
    let count = properties["approximateMessageCount"].as_u64().filter(|count| *count > 0)?;
    Some(format!("about {}", counted(&[(count, "message")])))
}

fn call<'a>(action: &'a str, target: &'a Address) -> Call<'a> {
    Call { action, target, version: version::STORAGE }
}
