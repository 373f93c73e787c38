//! Long operations, and how to ask about them.
//!
//! <https://learn.microsoft.com/azure/azure-resource-manager/management/async-operations>

use serde_json::json;

use super::Shared;
use super::accounts;
use super::answer::{Outcome, Refusal, Reply, empty, json, ok, set};
use super::arm::Call;
use super::event_subscriptions;
use super::store::{State, World, guid, now};

/// A long operation.
#[derive(Clone, Debug)]
pub(super) struct Operation {
    pub(super) work: Work,
    started: String,
}

/// What it is about.
#[derive(Clone, Debug)]
pub(super) enum Work {
    /// The creation of an account, by name.
    Account(String),
    /// That of an event subscription, by id.
    EventSubscription(String),
    /// Something that is gone; done after so many more looks.
    Deletion(usize),
}

/// Starts one; the way to ask about it is in its headers.
pub(super) fn start(shared: &Shared, call: &Call, work: Work, mut reply: Reply) -> Reply {
    let name = guid();
    let (provider, kind, header) = match work {
        Work::Account(_) => ("Microsoft.Storage", "asyncoperations", "location"),
        Work::EventSubscription(_) => ("Microsoft.EventGrid", "operationsStatus", "azure-asyncoperation"),
        Work::Deletion(_) => ("Microsoft.EventGrid", "operationResults", "location"),
    };
    let mut world = shared.world();
    let url = format!(
        "{}/subscriptions/{}/providers/{provider}/locations/westeurope/{kind}/{name}?monitor=true&api-version={}",
        world.poll_host.clone().unwrap_or_else(|| call.host()),
        call.subscription(),
        call.query.get("api-version").map_or("", String::as_str),
    );
    world.operations.insert(name, Operation { work, started: now() });
    set(&mut reply, header, &url);
    wait(shared, &mut reply);
    reply
}

fn wait(shared: &Shared, reply: &mut Reply) {
    set(reply, "retry-after", &shared.options.retry_after.to_string());
}

/// `GET …/asyncoperations/{name}`, `…/operationsStatus/{name}`, `…/operationResults/{name}`.
pub(super) fn poll(shared: &Shared, call: &Call) -> Outcome {
    let mut world = shared.world();
    let Some(operation) = world.operations.get(call.name()).cloned() else {
        return Err(Refusal::new(404, "OperationNotFound", "The requested operation was not found."));
    };
    match operation.work {
        Work::Account(ref name) => {
            let reply = account(&mut world, name);
            drop(world);
            reply.map(|mut reply| {
                if reply.status() == 202 {
                    wait(shared, &mut reply);
                    set(
                        &mut reply,
                        "location",
                        &format!("{}{}?{}", call.host(), call.path, parameters(call)),
                    );
                }
                reply
            })
        }
        Work::EventSubscription(ref id) => {
            let Some(subscription) = world.event_subscriptions.get_mut(&id.to_ascii_lowercase()) else {
                return Err(event_subscriptions::not_found(id));
            };
            subscription.state.look();
            let status = match subscription.state.name() {
                "Creating" => "InProgress",
                done => done,
            };
            let mut document = json!({
                "id": call.path, "name": call.name(), "status": status, "startTime": operation.started,
            });
            if subscription.state == State::Failed {
                document["error"] =
                    json!({ "code": "InternalError", "message": "The operation failed on demand." });
            }
            drop(world);
            let mut reply = json(200, &document);
            if status == "InProgress" {
                wait(shared, &mut reply);
            }
            Ok(reply)
        }
        Work::Deletion(0) => Ok(empty(204)),
        Work::Deletion(left) => {
            let rest = Operation { work: Work::Deletion(left - 1), ..operation };
            world.operations.insert(call.name().to_owned(), rest);
            drop(world);
            let mut reply = empty(202);
            set(&mut reply, "location", &format!("{}{}?{}", call.host(), call.path, parameters(call)));
            wait(shared, &mut reply);
            Ok(reply)
        }
    }
}

/// 202 until it is there, then what `GET` would say.
fn account(world: &mut World, name: &str) -> Outcome {
    let Some(account) = world.accounts.get_mut(name) else {
        return Err(Refusal::new(404, "OperationNotFound", "The requested operation was not found."));
    };
    account.state.look();
    match account.state {
        State::Creating(_) | State::Failing(_) => Ok(empty(202)),
        State::Failed => {
            Err(Refusal::new(409, "StorageAccountCreationFailed", "The operation failed on demand."))
        }
        State::Succeeded => {
            let account = account.clone();
            ok(&accounts::document(world, &account))
        }
    }
}

fn parameters(call: &Call) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(&call.query).finish()
}
