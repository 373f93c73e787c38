//! A bucket as the JSON API describes it. It is read field by field and changed by patches, so that what is
//! not listed here is kept.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::mark::{Entries, entries};

/// A bucket (JSON API, `Buckets` resource).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(transparent)]
pub(crate) struct Described(Value);

impl Described {
    pub(crate) fn labels(&self) -> Entries {
        entries(&self.0["labels"])
    }

    /// The number of the project that it is in.
    pub(crate) fn project(&self) -> &str {
        self.text("/projectNumber")
    }

    pub(crate) fn metageneration(&self) -> i64 {
        self.number("/metageneration")
    }

    pub(crate) fn location(&self) -> &str {
        self.text("/location")
    }

    pub(crate) fn storage_class(&self) -> &str {
        self.text("/storageClass")
    }

    pub(crate) fn uniform_access(&self) -> bool {
        self.is_set("/iamConfiguration/uniformBucketLevelAccess/enabled")
    }

    /// `enforced` or `inherited`; empty where nothing was ever set.
    pub(crate) fn public_access_prevention(&self) -> &str {
        self.text("/iamConfiguration/publicAccessPrevention")
    }

    /// For how long it keeps what was deleted, in seconds.
    pub(crate) fn soft_delete_seconds(&self) -> i64 {
        self.number("/softDeletePolicy/retentionDurationSeconds")
    }

    /// Whether it keeps versions of objects that are replaced or deleted.
    pub(crate) fn has_versions(&self) -> bool {
        self.is_set("/versioning/enabled")
    }

    /// For how long its policy keeps every object, in seconds; `None` without a policy.
    pub(crate) fn retention_seconds(&self) -> Option<i64> {
        self.0.get("retentionPolicy").map(|_| self.number("/retentionPolicy/retentionPeriod"))
    }

    /// Whether its retention policy is locked.
    pub(crate) fn is_retention_locked(&self) -> bool {
        self.is_set("/retentionPolicy/isLocked")
    }

    /// Whether it puts an event-based hold on every new object.
    pub(crate) fn holds_new_objects(&self) -> bool {
        self.is_set("/defaultEventBasedHold")
    }

    /// Whether objects can have a retention of their own.
    pub(crate) fn has_object_retention(&self) -> bool {
        self.text("/objectRetention/mode") == "Enabled"
    }

    /// Whether requests have to name a project to bill.
    pub(crate) fn requester_pays(&self) -> bool {
        self.is_set("/billing/requesterPays")
    }

    /// Whether requests from other networks than the listed ones are rejected. It is shown only to those with
    /// storage.buckets.getIpFilter (Cloud Storage docs, "Get IP filtering rules").
    pub(crate) fn filters_addresses(&self) -> bool {
        self.text("/ipFilter/mode") == "Enabled"
    }

    /// Whether objects without a Cloud KMS key are rejected.
    pub(crate) fn requires_kms_key(&self) -> bool {
        self.text("/encryption/googleManagedEncryptionEnforcementConfig/restrictionMode") == "FullyRestricted"
    }

    pub(crate) fn has_hierarchical_namespace(&self) -> bool {
        self.is_set("/hierarchicalNamespace/enabled")
    }

    /// The Cloud KMS key of new objects; empty without one.
    pub(crate) fn kms_key(&self) -> &str {
        self.text("/encryption/defaultKmsKeyName")
    }

    pub(crate) fn cors(&self) -> &[Value] {
        self.members("/cors")
    }

    pub(crate) fn lifecycle_rules(&self) -> &[Value] {
        self.members("/lifecycle/rule")
    }

    /// In whole seconds, as labels have a time: what ends in the second in which it began did not end before.
    pub(crate) fn created(&self) -> Option<Timestamp> {
        let created: Timestamp = self.text("/timeCreated").parse().ok()?;
        Timestamp::from_second(created.as_second()).ok()
    }

    /// When it was last changed.
    pub(crate) fn updated(&self) -> Option<Timestamp> {
        self.text("/updated").parse().ok().or_else(|| self.created())
    }

    fn text(&self, path: &str) -> &str {
        self.0.pointer(path).and_then(Value::as_str).unwrap_or_default()
    }

    /// A 64-bit number, which the API writes as text.
    fn number(&self, path: &str) -> i64 {
        let value = self.0.pointer(path);
        value.and_then(|value| value.as_i64().or_else(|| value.as_str()?.parse().ok())).unwrap_or_default()
    }

    fn is_set(&self, path: &str) -> bool {
        self.0.pointer(path).and_then(Value::as_bool).unwrap_or_default()
    }

    fn members(&self, path: &str) -> &[Value] {
        self.0.pointer(path).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
impl From<Value> for Described {
    fn from(value: Value) -> Self {
        Self(value)
    }
}
