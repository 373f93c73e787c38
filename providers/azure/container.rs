//! A private blob container: that of the server's files, or that of events which cannot be delivered.
//!
//! It is made and deleted through ARM, where an administrator's locks hold; the data plane knows none
//! (Z15).

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use crate::error::Result;
use crate::event::Progress;
use crate::expiry::{Expiry, Voucher};
use crate::name::DeploymentName;
use crate::providers::azure::account::Account;
use crate::providers::azure::arm::{Call, version};
use crate::providers::azure::failure::BEING_DELETED_WITHIN;
use crate::providers::azure::lock;
use crate::providers::azure::mark::{self, Form, Mark};
use crate::providers::azure::session::Api;
use crate::resource::{Address, Deleted, Forbids, Resource, Seen};
use crate::text::clean;

const READ: &str = "Microsoft.Storage/storageAccounts/blobServices/containers/read";
const WRITE: &str = "Microsoft.Storage/storageAccounts/blobServices/containers/write";
const DELETE: &str = "Microsoft.Storage/storageAccounts/blobServices/containers/delete";

/// A container that nobody can read without a key or a token.
#[derive(Clone, Debug, Serialize)]
pub struct Container {
    /// Its name.
    #[serde(skip)]
    pub name: String,
    /// What it is for: [`Container::FILES`] or [`Container::DEAD_LETTERS`].
    #[serde(skip)]
    pub kind: &'static str,
    /// The account it is in.
    #[serde(skip)]
    pub account: String,
    /// The deployment it belongs to.
    #[serde(skip)]
    pub deployment: DeploymentName,
    /// Under `teardown --expired`: what else has to hold.
    #[serde(skip)]
    pub expiry: Option<Expiry>,
    /// Of what is there: all its metadata, of which our mark is a part.
    #[serde(skip)]
    pub metadata: Value,
    /// Who may read it without a key: `None` is nobody.
    pub public_access: String,
    /// Our metadata.
    pub mark: Mark,
}

impl Container {
    /// The kind of the container of the server's files.
    pub const FILES: &'static str = "container";
    /// The kind of the container of events that cannot be delivered.
    pub const DEAD_LETTERS: &'static str = "dead-letter";

    /// The address of the container `name` of the server's files.
    pub fn at(name: &str) -> Address {
        Address::new("azure", Self::FILES, name)
    }

    /// The address of the container `name` of events that cannot be delivered.
    pub fn dead_letters_at(name: &str) -> Address {
        Address::new("azure", Self::DEAD_LETTERS, name)
    }

    /// The ARM id of the container `name`.
    pub fn id(api: &Api, name: &str) -> String {
        format!("{}/blobServices/default/containers/{name}", api.account_id())
    }

    /// The container `name` as ARM has it.
    ///
    /// # Errors
    /// Those of the call.
    pub async fn get(api: &Api, name: &str) -> Result<Option<Value>> {
        let at = Self::at(name);
        api.arm.get(&Self::id(api, name), call(READ, &at)).await
    }

    fn look_at_holds(container: &Value, found: &mut Seen<Self>) {
        let properties = &container["properties"];
        let set = |name: &str| properties[name].as_bool() == Some(true);
        if set("hasLegalHold") {
            found.obstacle(
                Forbids::Delete,
                "a legal hold keeps it",
                "ask whoever set it to lift it: `az storage container legal-hold clear`",
            );
        }
        let versions = &properties["immutableStorageWithVersioning"]["enabled"];
        if set("hasImmutabilityPolicy") || versions.as_bool() == Some(true) {
            found.obstacle(
                Forbids::Delete,
                "an immutability policy keeps it",
                "it can be deleted when the policy's time has passed, or when the policy, if it is not locked, is \
                 removed: `az storage container immutability-policy delete`",
            );
        }
        if properties["leaseState"] == "Leased" || properties["leaseState"] == "leased" {
            found.obstacle(
                Forbids::Delete,
                "somebody holds a lease on it",
                "stop what holds it, or end it with `az storage container lease break`",
            );
        }
    }

    fn look_at_names(&self, mark: &Mark, found: &mut Seen<Self>) {
        for (key, flag, what) in
            [(mark::QUEUE, "--queue", "queue"), (mark::DEAD_LETTER, "--dead-letter", "container")]
        {
            let (Some(is), wanted) = (mark.get(key), self.mark.get(key)) else { continue };
            if wanted == Some(is) || is == "internal" {
                continue;
            }
            let is = clean(is);
            found.finding(format!("its mark names the {what} `{is}`, which stays; `wbstore list` shows it"));
            found.obstacle(
                Forbids::Delete,
                format!("its mark names the {what} `{is}`, which this command would leave behind"),
                if key == mark::QUEUE { format!("add {flag} {is}") } else { format!("add {flag}") },
            );
        }
    }
}

impl Resource for Container {
    type Api = Api;

    fn address(&self) -> Address {
        Address::new("azure", self.kind, &self.name)
    }

    fn needs(&self) -> Vec<Address> {
        vec![Account::at(&self.account)]
    }

    fn part_of(&self) -> Option<Address> {
        Some(Account::at(&self.account))
    }

    fn vouchers(&self) -> Option<Vec<Voucher>> {
        self.expiry.as_ref()?.vouchers()
    }

    fn lease_holder(&self) -> Option<Address> {
        self.expiry.as_ref()?.holder.clone()
    }

    async fn read(&self, api: &Api) -> Result<Seen<Self>> {
        let (at, id) = (self.address(), Self::id(api, &self.name));
        let (container, locks) = futures::join!(api.arm.look(&id, call(READ, &at)), lock::locks(api, &at));
        let (container, (locks, _)) = (container?, locks?);
        let mut found = match container.filter(|container| container["properties"]["deleted"] != json!(true))
        {
            None => Seen::absent(),
            Some(container) => {
                let properties = &container["properties"];
                let observed = Form::Metadata.read(&properties["metadata"]);
                let public = properties["publicAccess"].as_str().unwrap_or("None");
                let state = Self {
                    public_access: clean(public),
                    mark: mark::SPELLING.managed(&observed, &self.mark),
                    metadata: properties["metadata"].clone(),
                    ..self.clone()
                };
                let mut found = Seen::there(state, mark::owner(&observed, &self.deployment));
                if let Some(expiry) = &self.expiry {
                    expiry.check(&mut found, mark::SPELLING.end(&observed), None, Timestamp::now());
                }
                Self::look_at_holds(&container, &mut found);
                self.look_at_names(&observed, &mut found);
                found
            }
        };
        lock::forbid(locks, &id, lock::Removal::Deletes, &mut found);
        Ok(found)
    }

    async fn write(&self, api: &Api, seen: &Seen<Self>, _: &Progress) -> Result<()> {
        let (at, id) = (self.address(), Self::id(api, &self.name));
        let call = call(WRITE, &at);
        let metadata = seen.state().map_or(&Value::Null, |state| &state.metadata);
        let observed = Form::Metadata.read(metadata);
        let mut mark = mark::to_write(&self.mark, &observed, seen.is_unmarked(), Timestamp::now());
        mark::keep_former_origin(&mut mark, &observed);
        let metadata = Form::Metadata.write(metadata, &mark);
        let body = json!({"properties": {"publicAccess": self.public_access, "metadata": metadata}});
        match seen.state() {
            Some(_) => api.arm.patch(&id, &body, BEING_DELETED_WITHIN, call).await,
            None => api.arm.put(&id, &body, BEING_DELETED_WITHIN, call).await,
        }
    }

    async fn delete(&self, api: &Api, _: &Self, _: &Progress) -> Result<Deleted> {
        let at = self.address();
        api.arm.remove(&Self::id(api, &self.name), BEING_DELETED_WITHIN, call(DELETE, &at)).await?;
        Ok(Deleted::Gone)
    }

    async fn release(&self, api: &Api, seen: &Self, _: &Progress) -> Result<()> {
        let (at, id) = (self.address(), Self::id(api, &self.name));
        let metadata = Form::Metadata.write(&seen.metadata, &Mark::new());
        let body = json!({"properties": {"metadata": metadata}});
        api.arm.patch(&id, &body, BEING_DELETED_WITHIN, call(WRITE, &at)).await
    }
}

fn call<'a>(action: &'a str, target: &'a Address) -> Call<'a> {
    Call { action, target, version: version::STORAGE }
}
