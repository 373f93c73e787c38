//! A resource with its type erased, so that stacks of many kinds go through one engine.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use serde::Serialize;
use serde_json::{Map, Value};

use super::{Address, Deleted, Fields, Observation, Owner, Resource, Seen, Wording};
use crate::error::Result;
use crate::event::Progress;

/// A [`Resource`] with its type erased and its clients at hand.
pub(crate) trait AnyResource: Send + Sync {
    /// See [`Resource::address`].
    fn address(&self) -> Address;
    /// See [`Resource::patience`].
    fn patience(&self) -> Duration;
    /// See [`Resource::creation_is_exclusive`].
    fn creation_is_exclusive(&self) -> bool;
    /// See [`Resource::lease_holder`].
    fn lease_holder(&self) -> Option<Address>;
    /// See [`Resource::READ_BACK`].
    fn reads_back(&self) -> bool;
    /// The look that a plan without a cloud starts from, and the creation of something new: it is absent.
    fn unseen(&self) -> Box<dyn Look + '_>;
    /// See [`Resource::read`].
    fn look(&self) -> BoxFuture<'_, Result<Box<dyn Look + '_>>>;
    /// See [`Resource::read_as_parent`].
    fn look_as_parent(&self) -> BoxFuture<'_, Result<Box<dyn Look + '_>>>;
    /// See [`Resource::read_created`].
    fn look_at_created(&self) -> BoxFuture<'_, Result<Box<dyn Look + '_>>>;
}

/// One look at a resource, from which alone it can be changed.
pub(crate) trait Look: Send + Sync {
    /// What was desired and seen.
    fn observation(&self) -> Observation;
    /// Replaces the observed owner, where the engine has determined another.
    fn set_owner(&mut self, owner: Owner);
    /// See [`Resource::write`].
    fn write<'a>(&'a self, progress: &'a Progress) -> BoxFuture<'a, Result<()>>;
    /// See [`Resource::delete`]. What is absent is gone.
    fn delete<'a>(&'a self, progress: &'a Progress) -> BoxFuture<'a, Result<Deleted>>;
    /// See [`Resource::release`].
    fn release<'a>(&'a self, progress: &'a Progress) -> BoxFuture<'a, Result<()>>;
}

/// A resource bound to the clients it is read and written with.
pub(crate) struct Bound<R: Resource> {
    resource: R,
    api: Arc<R::Api>,
}

struct Looked<'r, R: Resource> {
    bound: &'r Bound<R>,
    seen: Seen<R>,
}

impl<R: Resource> Bound<R> {
    /// Binds `resource` to `api`, ready to be put into a [`Stack`](super::Stack).
    pub(crate) fn boxed(resource: R, api: &Arc<R::Api>) -> Box<dyn AnyResource> {
        Box::new(Self { resource, api: Arc::clone(api) })
    }
}

impl<R: Resource> AnyResource for Bound<R> {
    fn address(&self) -> Address {
        self.resource.address()
    }

    fn patience(&self) -> Duration {
        self.resource.patience()
    }

    fn creation_is_exclusive(&self) -> bool {
        self.resource.creation_is_exclusive()
    }

    fn lease_holder(&self) -> Option<Address> {
        self.resource.lease_holder()
    }

    fn reads_back(&self) -> bool {
        R::READ_BACK
    }

    fn unseen(&self) -> Box<dyn Look + '_> {
        Box::new(Looked { bound: self, seen: Seen::absent() })
    }

    fn look(&self) -> BoxFuture<'_, Result<Box<dyn Look + '_>>> {
        Box::pin(async move {
            let seen = self.resource.read(&self.api).await?;
            Ok(Box::new(Looked { bound: self, seen }) as Box<dyn Look + '_>)
        })
    }

    fn look_as_parent(&self) -> BoxFuture<'_, Result<Box<dyn Look + '_>>> {
        Box::pin(async move {
            let seen = self.resource.read_as_parent(&self.api).await?;
            Ok(Box::new(Looked { bound: self, seen }) as Box<dyn Look + '_>)
        })
    }

    fn look_at_created(&self) -> BoxFuture<'_, Result<Box<dyn Look + '_>>> {
        Box::pin(async move {
            let seen = self.resource.read_created(&self.api).await?;
            Ok(Box::new(Looked { bound: self, seen }) as Box<dyn Look + '_>)
        })
    }
}

impl<R: Resource> Look for Looked<'_, R> {
    fn observation(&self) -> Observation {
        let resource = &self.bound.resource;
        Observation {
            address: resource.address(),
            needs: resource.needs(),
            part_of: resource.part_of(),
            detaches: resource.detaches(),
            removal: R::REMOVAL,
            fixed: R::FIXED,
            desired: fields(resource),
            wording: Wording {
                bookkeeping: R::BOOKKEEPING,
                worded: R::WORDED,
                old: self.seen.state().and_then(Resource::permission),
                new: resource.permission(),
            },
            vouchers: self.seen.state().and_then(Resource::vouchers),
            seen: Ok(self.seen.clone().map(|state| fields(&state))),
        }
    }

    fn set_owner(&mut self, owner: Owner) {
        self.seen.set_owner(owner);
    }

    fn write<'a>(&'a self, progress: &'a Progress) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.bound.resource.write(&self.bound.api, &self.seen, progress))
    }

    fn delete<'a>(&'a self, progress: &'a Progress) -> BoxFuture<'a, Result<Deleted>> {
        Box::pin(async move {
            match self.seen.state() {
                Some(state) => self.bound.resource.delete(&self.bound.api, state, progress).await,
                None => Ok(Deleted::Gone),
            }
        })
    }

    fn release<'a>(&'a self, progress: &'a Progress) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            match self.seen.state() {
                Some(state) => self.bound.resource.release(&self.bound.api, state, progress).await,
                None => Ok(()),
            }
        })
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
