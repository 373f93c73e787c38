//! The Event Grid subscription that sends events of new blobs to the queue.
//!
//! It is an extension of the account, so nothing is left behind when it is deleted: Event Grid itself creates
//! and deletes the system topic that it requires, and uses and keeps an existing one (Event Grid
//! documentation, "System topics in Azure Event Grid"; Z16).

mod shape;

use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use crate::error::{Kind, Result};
use crate::event::Progress;
use crate::mark::{Mark, Marking};
use crate::providers::azure::account::Account;
use crate::providers::azure::arm::{Call, version};
use crate::providers::azure::held::{self, Held};
use crate::providers::azure::lock;
use crate::providers::azure::mark::{LABELS, pairs, to_labels};
use crate::providers::azure::resource_provider::{self, ResourceProvider};
use crate::providers::azure::session::Api;
use crate::resource::{Address, Deleted, Owner, Remarks, Resource, Seen};
use crate::value::quoted;

pub(crate) use shape::Shape;

const READ: &str = "Microsoft.EventGrid/eventSubscriptions/read";
const WRITE: &str = "Microsoft.EventGrid/eventSubscriptions/write";
const DELETE: &str = "Microsoft.EventGrid/eventSubscriptions/delete";

/// How long Event Grid may take. Three to five minutes are usual (Z17).
const SETTLED_WITHIN: Duration = Duration::from_secs(900);

/// The state of an event subscription that works.
const SUCCEEDED: &str = "Succeeded";
/// The states of one that will never work.
const FAILED: &str = "Failed";
/// One that is being deleted, such as a failed one after wbstore has deleted it.
const DELETING: &str = "Deleting";

/// An event subscription of the account.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct EventSubscription {
    #[serde(skip)]
    pub name: String,
    /// The account whose events it sends.
    #[serde(skip)]
    pub account: String,
    /// The container whose events it sends.
    #[serde(skip)]
    pub container: String,
    /// Its filters and its destination.
    #[serde(flatten)]
    pub shape: Shape,
    /// Its provisioning state.
    pub state: String,
    /// Of an existing one: all its labels, including the mark.
    #[serde(skip)]
    pub labels: Value,
    pub mark: Marking,
}

impl EventSubscription {
    /// The address of the event subscription `name`.
    pub(crate) fn at(name: &str) -> Address {
        Address::new("azure", "event-subscription", name)
    }

    /// The event subscription `name` that is settled when it has `shape`.
    pub(crate) fn new(name: &str, account: &str, container: &str, shape: Shape, mark: Marking) -> Self {
        Self {
            name: name.to_owned(),
            account: account.to_owned(),
            container: container.to_owned(),
            shape,
            state: SUCCEEDED.to_owned(),
            labels: Value::Null,
            mark,
        }
    }

    fn all(api: &Api) -> String {
        format!("{}/providers/Microsoft.EventGrid/eventSubscriptions", api.account_id())
    }

    /// The ARM id of the event subscription `name`.
    pub(crate) fn id(api: &Api, name: &str) -> String {
        format!("{}/{name}", Self::all(api))
    }

    /// Those of others on the same account: their names, and a warning for one that sends to the same queue.
    async fn look_beside(&self, api: &Api, beside: &mut Remarks) -> Result<()> {
        let at = self.address();
        let all = match api.arm.list(&Self::all(api), call(READ, &at)).await {
            Err(error) if error.kind() == Kind::Denied => return Ok(()),
            all => all?,
        };
        for other in all.iter().filter(|other| other["name"] != self.name.as_str()) {
            let name = quoted(other["name"].as_str().unwrap_or_default());
            if self.shape.shares_queue(other) {
                beside.findings.push(format!(
                    "the event subscription {name}, which is not wbstore's, delivers to the same queue, so \
                     the server may receive an upload twice"
                ));
            }
            beside.kept.push(format!("event subscription {name}"));
        }
        Ok(())
    }
}

impl Resource for EventSubscription {
    type Api = Api;

    const READ_BACK: bool = true;

    fn address(&self) -> Address {
        Self::at(&self.name)
    }

    fn needs(&self) -> Vec<Address> {
        let mut needs = vec![
            ResourceProvider::at(resource_provider::EVENT_GRID),
            Account::at(&self.account),
            Held::at(held::CONTAINER, &self.container),
            Held::at(held::QUEUE, &self.shape.queue),
        ];
        needs.extend(self.shape.dead_letter.as_deref().map(|name| Held::at(held::DEAD_LETTER, name)));
        needs
    }

    fn part_of(&self) -> Option<Address> {
        Some(Account::at(&self.account))
    }

    fn marking(&self) -> Option<&Marking> {
        Some(&self.mark)
    }

    async fn read(&self, api: &Api) -> Result<Seen<Self>> {
        let (at, id) = (self.address(), Self::id(api, &self.name));
        let mut beside = Remarks::default();
        let (subscription, locks, others) = futures::join!(
            api.arm.get(&id, call(READ, &at)),
            lock::locks(api, &at),
            self.look_beside(api, &mut beside)
        );
        let (subscription, (locks, _)) = (subscription?, locks?);
        others?;
        let mut found = match subscription {
            None => Seen::absent(),
            Some(subscription) => {
                let properties = &subscription["properties"];
                let observed = pairs(&properties["labels"]);
                let state = Self {
                    shape: Shape::observed(properties, &self.shape),
                    state: shape::state(properties),
                    mark: self.mark.observed(&observed),
                    labels: properties["labels"].clone(),
                    ..self.clone()
                };
                self.mark.seen(&observed, None, state)
            }
        };
        let Remarks { kept, findings, obstacles } = beside;
        found.remarks_mut().kept = kept;
        found.remarks_mut().findings = findings;
        found.remarks_mut().obstacles.extend(obstacles);
        lock::forbid(locks, &id, lock::Removal::Deletes, &mut found);
        Ok(found)
    }

    async fn write(&self, api: &Api, seen: &Seen<Self>, _: &Progress) -> Result<()> {
        let (at, id) = (self.address(), Self::id(api, &self.name));
        let call = call(WRITE, &at);
        if let Seen::There { state, owner, .. } = seen {
            match state.state.as_str() {
                SUCCEEDED => {}
                // It remains failed; only a new one can work (Z17).
                FAILED | DELETING if *owner == Owner::Ours => {
                    api.arm.delete(&id, SETTLED_WITHIN, call).await?;
                }
                // What it comes to is read back.
                _ => return api.arm.settle(&id, SETTLED_WITHIN, call).await,
            }
        }
        let labels = seen.state().map_or(&Value::Null, |state| &state.labels);
        let mark = self.mark.to_write(&LABELS.read(&pairs(labels)), seen.is_unmarked());
        let body = self.shape.body(&api.account_id(), to_labels(labels, &mark));
        api.arm.put(&id, &body, SETTLED_WITHIN, call).await
    }

    async fn delete(&self, api: &Api, _: &Self, _: &Progress) -> Result<Deleted> {
        let at = self.address();
        api.arm.delete(&Self::id(api, &self.name), SETTLED_WITHIN, call(DELETE, &at)).await?;
        Ok(Deleted::Gone)
    }

    async fn release(&self, api: &Api, seen: &Self, _: &Progress) -> Result<()> {
        let (at, id) = (self.address(), Self::id(api, &self.name));
        let labels = to_labels(&seen.labels, &Mark::default());
        api.arm.patch(&id, &serde_json::json!({"labels": labels}), SETTLED_WITHIN, call(WRITE, &at)).await
    }
}

fn call<'a>(action: &'a str, target: &'a Address) -> Call<'a> {
    Call { action, target, version: version::EVENT_GRID }
}
