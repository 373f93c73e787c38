//! The Event Grid subscription that sends events of new blobs to the queue.
//!
//! It is an extension of the account, so nothing is left behind when it is deleted: Event Grid itself creates
//! and deletes the system topic that it requires, and uses and keeps an existing one (Event Grid
//! documentation, "System topics in Azure Event Grid"; Z16). It is deleted before the account, since one that
//! outlives its account cannot be deleted any more (<https://github.com/Azure/azure-cli/issues/12796>).

mod shape;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use crate::error::{Error, Kind, Result};
use crate::event::Progress;
use crate::mark::{Entries, Mark, Marking};
use crate::providers::azure::account::Account;
use crate::providers::azure::arm::{Call, version};
use crate::providers::azure::held::{self, Held};
use crate::providers::azure::lock;
use crate::providers::azure::mark::{LABELS, pairs, to_labels};
use crate::providers::azure::resource_provider::{self, ResourceProvider};
use crate::providers::azure::session::Api;
use crate::resource::{Address, Deleted, Forbids, Owner, Remarks, Resource, Seen};
use crate::text::word;
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
/// The states by which wbstore decides, as it spells them.
const STATES: [&str; 3] = [SUCCEEDED, FAILED, DELETING];
/// In place of a state: it is to replace one of others, which is still there.
const REPLACING: &str = "Replacing";
/// In place of a state: there is none of wbstore's.
const NONE: &str = "None";

/// The most event subscriptions of one topic (Event Grid documentation, "Quotas and limits").
const MOST: usize = 500;

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
    /// Of an existing one: all its properties.
    #[serde(skip)]
    properties: Value,
    /// Under `--adopt`: the name of the one of others that this one replaces.
    #[serde(skip)]
    replaces: Arc<Mutex<Option<String>>>,
    pub mark: Marking,
}

/// Those of others on the same account.
#[derive(Default)]
struct Beside {
    /// The name of one that sends the same events to the same queue, and what it does.
    same: Option<(String, Value)>,
    remarks: Remarks,
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
            properties: Value::Null,
            replaces: Arc::default(),
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

    /// Those of others on the same account.
    async fn look_beside(&self, api: &Api) -> Result<Beside> {
        let at = self.address();
        let mut beside = Beside::default();
        let all = match api.arm.list(&Self::all(api), call(READ, &at)).await {
            Err(error) if error.kind() == Kind::Denied => {
                beside.remarks.finding(format!(
                    "cannot check whether another event subscription sends to the same queue: {READ} on the account \
                     is denied"
                ));
                return Ok(beside);
            }
            all => all?,
        };
        let name_of = |other: &Value| other["name"].as_str().unwrap_or_default().to_owned();
        let (ours, others): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|other| name_of(other).eq_ignore_ascii_case(&self.name));
        if ours.is_empty() && others.len() >= MOST {
            beside.remarks.obstacle(
                Forbids::Write,
                format!("the account has {} event subscriptions, and Event Grid allows {MOST}", others.len()),
                "delete one that is no longer needed, or choose another account with --account",
            );
        }
        for other in others {
            let name = name_of(&other);
            if self.shape.is_covered_by(&other) {
                beside.same.get_or_insert((name.clone(), other["properties"].clone()));
            } else if self.shape.shares_queue(&other) {
                beside.remarks.finding(format!(
                    "the event subscription {}, which is not wbstore's, delivers to the same queue, so the server \
                     may receive an upload twice",
                    quoted(&name)
                ));
            }
            beside.remarks.kept.push(format!("event subscription {}", quoted(&name)));
        }
        Ok(beside)
    }

    /// An event subscription of others that sends the same events, in words; `None` without one.
    ///
    /// # Errors
    /// Those of the call.
    pub(crate) async fn same_of_others(&self, api: &Api) -> Result<Option<String>> {
        let same = self.look_beside(api).await?.same;
        Ok(same.map(|(name, _)| format!("the event subscription {}", quoted(&name))))
    }

    /// The command that deletes the event subscription `name` of others.
    fn removal(api: &Api, name: &str) -> String {
        format!(
            "`az eventgrid event-subscription delete --name {} --source-resource-id {}`",
            word(name).unwrap_or("NAME"),
            api.account_id()
        )
    }

    fn replaced(&self) -> Option<String> {
        self.replaces.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Deletes the one of others that this one replaces, now that this one delivers.
    async fn finish_replacing(&self, api: &Api) -> Result<()> {
        let Some(name) = self.replaced() else { return Ok(()) };
        let at = self.address();
        let deleted = api.arm.delete(&Self::id(api, &name), SETTLED_WITHIN, call(DELETE, &at)).await;
        deleted.map_err(Error::one_of_several)
    }
}

impl Resource for EventSubscription {
    type Api = Api;

    const READ_BACK: bool = true;
    const BOOKKEEPING: &'static [&'static str] = &["state"];

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
        let (subscription, locks, beside) =
            futures::join!(api.arm.get(&id, call(READ, &at)), lock::locks(api, &at), self.look_beside(api));
        let (subscription, (locks, _), Beside { same, remarks }) = (subscription?, locks?, beside?);
        let mut found = match (subscription, &same) {
            (None, None) => Seen::absent(),
            (None, Some((name, properties))) => {
                let shape = Shape::observed(properties, &self.shape);
                let entry = format!("the event subscription {}", quoted(name));
                let remarks = shape::remarks(&shape, &entry);
                let mark = self.mark.observed(&Entries::new());
                let state = Self { shape, state: NONE.to_owned(), mark, ..self.clone() };
                let mut found = Seen::there(state, Owner::Sufficient(entry));
                found.remarks_mut().findings.extend(remarks);
                *self.replaces.lock().unwrap_or_else(PoisonError::into_inner) = Some(name.clone());
                found
            }
            (Some(subscription), same) => {
                let properties = &subscription["properties"];
                let observed = pairs(&properties["labels"]);
                let state = Self {
                    shape: Shape::observed(properties, &self.shape),
                    state: shape::state(properties),
                    mark: self.mark.observed(&observed),
                    labels: properties["labels"].clone(),
                    properties: properties.clone(),
                    ..self.clone()
                };
                let replacing = same.as_ref().filter(|(name, _)| self.replaced().as_ref() == Some(name));
                let state = match replacing {
                    Some(_) if state.state == SUCCEEDED => Self { state: REPLACING.to_owned(), ..state },
                    _ => state,
                };
                let mut found = self.mark.seen(&observed, None, state);
                if let Some((name, _)) = same.as_ref().filter(|_| replacing.is_none()) {
                    found.finding(format!(
                        "the event subscription {}, which is not wbstore's, sends the same events to the queue, so \
                         the server receives each twice: remove it with {}",
                        quoted(name),
                        Self::removal(api, name)
                    ));
                }
                found
            }
        };
        let Remarks { kept, findings, leaves: _, obstacles, holds: _ } = remarks;
        found.remarks_mut().kept = kept;
        found.remarks_mut().findings.extend(findings);
        found.remarks_mut().obstacles.extend(obstacles);
        lock::forbid(locks, &id, lock::Removal::Deletes, &mut found);
        Ok(found)
    }

    async fn write(&self, api: &Api, seen: &Seen<Self>, _: &Progress) -> Result<()> {
        let (at, id) = (self.address(), Self::id(api, &self.name));
        let call = call(WRITE, &at);
        // One of others that does the same is not changed: this one is created beside it.
        let own = match seen {
            Seen::There { owner: Owner::Sufficient(_), .. } | Seen::Absent(_) => None,
            Seen::There { state, owner, .. } => Some((state, owner)),
        };
        let mut several = self.replaced().is_some();
        if let Some((state, owner)) = own {
            match state.state.as_str() {
                SUCCEEDED => {}
                REPLACING => return self.finish_replacing(api).await,
                // It remains failed; only a new one can work (Z17).
                FAILED | DELETING if *owner == Owner::Ours => {
                    api.arm.delete(&id, SETTLED_WITHIN, call).await.map_err(Error::one_of_several)?;
                    several = true;
                }
                // What it comes to is read back.
                _ => {
                    api.arm.settle(&id, SETTLED_WITHIN, call).await?;
                    return self.finish_replacing(api).await;
                }
            }
        }
        let (labels, before) =
            own.map_or((&Value::Null, &Value::Null), |(state, _)| (&state.labels, &state.properties));
        let adopting = own.is_some() && seen.is_unmarked();
        let mark = self.mark.to_write(&LABELS.read(&pairs(labels)), adopting);
        let body = self.shape.body(before, to_labels(labels, &mark));
        let put = api.arm.put(&id, &body, SETTLED_WITHIN, call).await;
        put.map_err(|error| if several { error.one_of_several() } else { error })?;
        self.finish_replacing(api).await
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
