//! A storage queue, made and deleted through ARM as the [container](super::container) is.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use crate::error::{Error, Result};
use crate::event::Reporter;
use crate::name::DeploymentName;
use crate::providers::azure::account::Account;
use crate::providers::azure::arm::{Call, version};
use crate::providers::azure::failure::BEING_DELETED_WITHIN;
use crate::providers::azure::lock;
use crate::providers::azure::mark::{self, Form, Mark};
use crate::providers::azure::session::Api;
use crate::resource::{Address, Forbids, Found, Owner, Prior, Resource};

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
    /// Whether teardown may remove it only after its lease has ended.
    #[serde(skip)]
    pub only_expired: bool,
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

    async fn read(&self, api: &Api) -> Result<Found<Self>> {
        let (at, id) = (self.address(), Self::id(api, &self.name));
        let (queue, locks) = futures::join!(api.arm.look(&id, call(READ, &at)), lock::locks(api, &at));
        let (queue, (locks, _)) = (queue?, locks?);
        let mut found = match queue {
            None => Found::absent(),
            Some(queue) => {
                let observed = Form::Metadata.read(&queue["properties"]["metadata"]);
                let state = Self { mark: mark::managed(&observed, &self.mark), ..self.clone() };
                let mut found = Found::present(state, mark::owner(&observed, &self.deployment));
                if self.only_expired && !mark::has_expired(&observed, Timestamp::now()) {
                    found.obstacle(
                        Forbids::Delete,
                        "its lease has not ended",
                        "run the same command again later",
                    );
                }
                found
            }
        };
        lock::forbid(locks, &id, lock::Removal::Deletes, &mut found);
        Ok(found)
    }

    async fn write(&self, api: &Api, from: Prior<'_, Self>) -> Result<()> {
        let (at, id) = (self.address(), Self::id(api, &self.name));
        let call = call(WRITE, &at);
        let there = match from {
            Prior::New => None,
            _ => api.arm.get(&id, call).await?,
        };
        let metadata = there.as_ref().map_or(&Value::Null, |queue| &queue["properties"]["metadata"]);
        let observed = Form::Metadata.read(metadata);
        let new = matches!(from, Prior::Absent | Prior::New);
        if new
            && there.is_some()
            && !matches!(mark::owner(&observed, &self.deployment), Owner::Ours | Owner::Adopted)
        {
            return Err(Error::refused(format!("a queue {} without our mark appeared meanwhile", self.name))
                .hint("run again to see it in the plan"));
        }
        let adopting = matches!(from, Prior::Unmarked(_));
        let mark = mark::to_write(&self.mark, &observed, adopting, Timestamp::now());
        let body = json!({"properties": {"metadata": Form::Metadata.write(metadata, &mark)}});
        match there {
            Some(_) => api.arm.patch(&id, &body, BEING_DELETED_WITHIN, call).await,
            None => api.arm.put(&id, &body, BEING_DELETED_WITHIN, call).await,
        }
    }

    async fn delete(&self, api: &Api, _: &Reporter) -> Result<()> {
        let at = self.address();
        api.arm.remove(&Self::id(api, &self.name), BEING_DELETED_WITHIN, call(DELETE, &at)).await
    }

    async fn release(&self, api: &Api) -> Result<()> {
        let (at, id) = (self.address(), Self::id(api, &self.name));
        let call = call(WRITE, &at);
        let Some(queue) = api.arm.get(&id, call).await? else { return Ok(()) };
        let metadata = Form::Metadata.write(&queue["properties"]["metadata"], &Mark::new());
        let body = json!({"properties": {"metadata": metadata}});
        api.arm.patch(&id, &body, BEING_DELETED_WITHIN, call).await
    }
}

fn call<'a>(action: &'a str, target: &'a Address) -> Call<'a> {
    Call { action, target, version: version::STORAGE }
}
