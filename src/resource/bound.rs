//! A resource with its type forgotten, so that stacks of many kinds go through one engine.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use serde::Serialize;
use serde_json::{Map, Value};

use super::{Address, Fields, Found, Observation, Prior, Resource, Writing};
use crate::error::Result;
use crate::event::Reporter;

/// A [`Resource`] with its type forgotten and its clients at hand.
pub trait AnyResource: Send + Sync {
    /// See [`Resource::address`].
    fn address(&self) -> Address;
    /// See [`Resource::patience`].
    fn patience(&self) -> Duration;
    /// What is wanted, with nothing found: the observation of a plan made without a cloud.
    fn unobserved(&self) -> Observation;
    /// See [`Resource::read`]. What was found is kept for the write.
    fn observe(&self) -> BoxFuture<'_, Result<Observation>>;
    /// See [`Resource::READ_BACK`].
    fn reads_back(&self) -> bool;
    /// See [`Resource::write`].
    fn write(&self, how: Writing) -> BoxFuture<'_, Result<()>>;
    /// See [`Resource::delete`].
    fn delete<'a>(&'a self, progress: &'a Reporter) -> BoxFuture<'a, Result<()>>;
    /// See [`Resource::release`].
    fn release(&self) -> BoxFuture<'_, Result<()>>;
}

/// A resource bound to the clients it is read and written with.
pub struct Bound<R: Resource> {
    resource: R,
    api: Arc<R::Api>,
    prior: Mutex<Option<R>>,
}

impl<R: Resource> Bound<R> {
    /// Binds `resource` to `api`, ready to be put into a [`Stack`](super::Stack).
    pub fn boxed(resource: R, api: &Arc<R::Api>) -> Box<dyn AnyResource> {
        Box::new(Self { resource, api: Arc::clone(api), prior: Mutex::new(None) })
    }

    fn prior(&self) -> Option<R> {
        self.prior.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl<R: Resource> AnyResource for Bound<R> {
    fn address(&self) -> Address {
        self.resource.address()
    }

    fn patience(&self) -> Duration {
        self.resource.patience()
    }

    fn unobserved(&self) -> Observation {
        Observation {
            address: self.resource.address(),
            needs: self.resource.needs(),
            part_of: self.resource.part_of(),
            removal: R::REMOVAL,
            fixed: R::FIXED,
            desired: fields(&self.resource),
            found: Ok(Found::absent()),
        }
    }

    fn observe(&self) -> BoxFuture<'_, Result<Observation>> {
        Box::pin(async move {
            let Found { state, owner, kept, findings, obstacles } = self.resource.read(&self.api).await?;
            let shown = state.as_ref().map(fields);
            *self.prior.lock().unwrap_or_else(PoisonError::into_inner) = state;
            Ok(Observation {
                found: Ok(Found { state: shown, owner, kept, findings, obstacles }),
                ..self.unobserved()
            })
        })
    }

    fn reads_back(&self) -> bool {
        R::READ_BACK
    }

    fn write(&self, how: Writing) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            let prior = self.prior();
            let from = match (&prior, how) {
                (None, Writing::InNew) => Prior::New,
                (None, _) => Prior::Absent,
                (Some(state), Writing::Adopting) => Prior::Unmarked(state),
                (Some(state), _) => Prior::Ours(state),
            };
            self.resource.write(&self.api, from).await
        })
    }

    fn delete<'a>(&'a self, progress: &'a Reporter) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.resource.delete(&self.api, progress))
    }

    fn release(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.resource.release(&self.api))
    }
}

fn fields<R: Serialize>(resource: &R) -> Fields {
    let mut flat = Fields::new();
    if let Ok(Value::Object(object)) = serde_json::to_value(resource) {
        flatten("", object, &mut flat);
    }
    flat
}

fn flatten(prefix: &str, object: Map<String, Value>, into: &mut Fields) {
    for (key, value) in object {
        let name = if prefix.is_empty() { key } else { format!("{prefix}.{key}") };
        match value {
            Value::Null => {}
            Value::Object(nested) => flatten(&name, nested, into),
            value => {
                into.insert(name, value);
            }
        }
    }
}
