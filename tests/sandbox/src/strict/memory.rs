//! What the rules have learnt from requests that went through.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Feature;
use super::identity::{Identity, Ledger};
use super::queue::REFUSALS;
use crate::call::Call;
use crate::reply::ApiError;

#[derive(Debug, Default)]
pub(super) struct Memory(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    owners: HashMap<String, String>,
    regions: HashMap<String, String>,
    /// Buckets with attribute-based access control.
    abac: HashSet<String>,
    left_out: Vec<Feature>,
    /// By access key.
    identities: HashMap<String, Identity>,
    /// How often each name is still refused.
    deleted_queues: HashMap<QueueId, usize>,
}

/// Account, region and name.
type QueueId = (String, String, String);

impl Memory {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note of a request that succeeded.
    pub(super) fn learn(&self, call: &Call) {
        match (call.operation.as_str(), &call.bucket, &call.account) {
            ("s3:CreateBucket", Some(bucket), Some(account)) => self.owner_is(bucket, account),
            ("s3:DeleteBucket", Some(bucket), _) => {
                let mut inner = self.inner();
                inner.owners.remove(bucket);
                inner.regions.remove(bucket);
            }
            ("sqs:DeleteQueue", _, _) => {
                if let Some(id) = queue_id(call) {
                    self.inner().deleted_queues.insert(id, REFUSALS);
                }
            }
            _ => {}
        }
    }

    pub(super) fn abac_is(&self, bucket: &str, on: bool) {
        let mut inner = self.inner();
        if on {
            inner.abac.insert(bucket.to_owned())
        } else {
            inner.abac.remove(bucket)
        };
    }

    pub(super) fn has_abac(&self, bucket: &str) -> bool {
        self.inner().abac.contains(bucket)
    }

    pub(super) fn restrict(&self, access_key: &str, identity: Identity) {
        self.inner().identities.insert(access_key.to_owned(), identity);
    }

    pub(super) fn ledger(&self, access_key: &str) -> Ledger {
        self.inner().identities.get(access_key).map(Identity::ledger).unwrap_or_default()
    }

    pub(super) fn denial(&self, call: &Call) -> Option<ApiError> {
        let (key, account) = (call.access_key.as_ref()?, call.account.as_ref()?);
        self.inner().identities.get_mut(key)?.denial(call, account)
    }

    /// Whether the caller may do `action`; who is not restricted may do everything.
    pub(super) fn allows(&self, call: &Call, action: &str, resource: &str) -> bool {
        let (Some(key), Some(account)) = (&call.access_key, &call.account) else { return false };
        self.inner().identities.get(key).is_none_or(|identity| identity.allows(action, resource, account))
    }

    pub(super) fn leave_out(&self, feature: Feature) {
        self.inner().left_out.push(feature);
    }

    pub(super) fn lacks(&self, feature: Feature) -> bool {
        self.inner().left_out.contains(&feature)
    }

    pub(super) fn owner_is(&self, bucket: &str, account: &str) {
        self.inner().owners.insert(bucket.to_owned(), account.to_owned());
    }

    pub(super) fn owner(&self, bucket: &str) -> Option<String> {
        self.inner().owners.get(bucket).cloned()
    }

    pub(super) fn region_is(&self, bucket: &str, region: &str) {
        self.inner().regions.insert(bucket.to_owned(), region.to_owned());
    }

    pub(super) fn region(&self, bucket: &str) -> Option<String> {
        self.inner().regions.get(bucket).cloned()
    }

    /// Whether the name of the queue that the call is about is not free yet; counts the question.
    pub(super) fn rests(&self, call: &Call) -> bool {
        let Some(id) = queue_id(call) else { return false };
        let mut inner = self.inner();
        let Some(left) = inner.deleted_queues.get_mut(&id) else { return false };
        *left -= 1;
        if *left == 0 {
            inner.deleted_queues.remove(&id);
        }
        true
    }
}

fn queue_id(call: &Call) -> Option<QueueId> {
    Some((call.account.clone()?, call.region.clone(), call.queue.clone()?))
}
