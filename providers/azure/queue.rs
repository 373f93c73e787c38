//! A storage queue, made and deleted through ARM as the [container](super::container) is.

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
use crate::resource::{Address, Deleted, Resource, Seen};

const READ: &str = "Microsoft.Storage/storageAccounts/queueServices/queues/read";
const WRITE: &str = "Microsoft.Storage/storageAccounts/queueServices/queues/write";
const DELETE: &str = "Microsoft.Storage/storageAccounts/queueServices/queues/delete";

/// The queue that gets the container's events.
#[derive(Clone, Debug, Serialize)]
pub struct Queue {
    /// Its name.
    #[serde(skip)]
    pub name: String,
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
    /// Our metadata.
    pub mark: Mark,
}

impl Queue {
    /// The address of the queue `name`.
    pub fn at(name: &str) -> Address {
        Address::new("azure", "queue", name)
    }

    /// The ARM id of the queue `name`.
    pub fn id(api: &Api, name: &str) -> String {
        format!("{}/queueServices/default/queues/{name}", api.account_id())
    }
}

impl Resource for Queue {
    type Api = Api;

    fn address(&self) -> Address {
        Self::at(&self.name)
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
        let (queue, locks) = futures::join!(api.arm.look(&id, call(READ, &at)), lock::locks(api, &at));
        let (queue, (locks, _)) = (queue?, locks?);
        let mut found = match queue {
            None => Seen::absent(),
            Some(queue) => {
                let metadata = queue["properties"]["metadata"].clone();
                let observed = Form::Metadata.read(&metadata);
                let state =
                    Self { mark: mark::SPELLING.managed(&observed, &self.mark), metadata, ..self.clone() };
                let mut found = Seen::there(state, mark::owner(&observed, &self.deployment));
                if let Some(expiry) = &self.expiry {
                    expiry.check(&mut found, mark::SPELLING.end(&observed), None, Timestamp::now());
                }
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
        let mark = mark::to_write(&self.mark, &observed, seen.is_unmarked(), Timestamp::now());
        let body = json!({"properties": {"metadata": Form::Metadata.write(metadata, &mark)}});
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
