//! What the container holds: counted for the plan of a teardown. Azure deletes it with the container, in
//! the same call.

mod count;

use std::fmt;

use azure_storage_blob::BlobContainerClient;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use self::count::{COUNTED_AT_MOST, Tally, count};
use super::arm::{Call, version};
use super::sas::{LIST_SERVICE_SAS, Sas, Scope};
use super::session::Api;
use crate::error::{Error, Kind, Result};
use crate::event::Progress;
use crate::resource::{Address, Deleted, Forbids, Owner, Removal, Resource, Seen};

/// To list blobs.
const PERMISSIONS: &str = "l";
/// The action that listing takes without a signature.
const READ_BLOBS: &str = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read";

/// All blobs of one container, with their versions and snapshots.
#[derive(Clone, Debug, Serialize)]
pub struct Objects {
    #[serde(skip)]
    container: String,
    #[serde(skip)]
    parent: Address,
    #[serde(skip)]
    delete_objects: bool,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    found: Option<Contents>,
}

/// What was found, field by field, as a plan shows it.
#[derive(Clone, Copy, Debug, Serialize)]
struct Contents {
    objects: u64,
    versions: u64,
    snapshots: u64,
    bytes: u64,
}

impl Objects {
    /// The contents of the container at `parent`. Unless the user said that they may be deleted
    /// (`delete_objects`), a container that holds something is not torn down.
    pub fn new(parent: Address, delete_objects: bool) -> Self {
        Self { container: parent.name().to_owned(), parent, delete_objects, found: None }
    }

    fn found(&self, tally: &Tally) -> Self {
        let Tally { objects, versions, snapshots, bytes, more: _ } = *tally;
        Self { found: Some(Contents { objects, versions, snapshots, bytes }), ..self.clone() }
    }

    /// Counts with a signature of ARM's; with our own token where ARM may not sign, or the account takes
    /// no signatures.
    async fn count(&self, api: &Api) -> Result<Option<Tally>> {
        let unsigned = match self.count_signed(api).await {
            Err(error) if matches!(error.kind(), Kind::Denied | Kind::Refused) => error,
            result => return result,
        };
        let listed = count(&self.client(api, None)?, &self.container).await;
        listed.map_err(|error| match error.kind() {
            Kind::Denied | Kind::Credentials => Error::new(
                Kind::Denied,
                format!("the blobs of container {} cannot be counted: {}", self.container, unsigned.chain()),
            )
            .because(error)
            .hint(format!(
                "grant {LIST_SERVICE_SAS} to these credentials, or {READ_BLOBS} with the role Storage Blob Data Reader"
            )),
            _ => error,
        })
    }

    async fn count_signed(&self, api: &Api) -> Result<Option<Tally>> {
        let scope = Scope::Container(&self.container, PERMISSIONS);
        let Some(sas) = Sas::find(api, scope).await? else { return Ok(None) };
        count(&self.client(api, Some(sas.query()))?, &self.container).await
    }

    fn client(&self, api: &Api, sas: Option<&str>) -> Result<BlobContainerClient> {
        Ok(api.blobs(sas)?.blob_container_client(&self.container))
    }

    async fn soft_delete(&self, api: &Api) -> Result<SoftDelete> {
        let call = Call {
            action: "Microsoft.Storage/storageAccounts/blobServices/read",
            target: &self.address(),
            version: version::STORAGE,
        };
        let path = format!("{}/blobServices/default", api.account_id());
        match api.arm.get(&path, call).await {
            Ok(service) => Ok(SoftDelete::told_by(&service.unwrap_or_default())),
            Err(error) if error.kind() == Kind::Denied => Ok(SoftDelete::Unknown),
            Err(error) => Err(error),
        }
    }
}

impl Resource for Objects {
    type Api = Api;

    const REMOVAL: Removal = Removal::Contents;

    fn address(&self) -> Address {
        Address::new("azure", "objects", &self.container)
    }

    fn needs(&self) -> Vec<Address> {
        self.part_of().into_iter().collect()
    }

    fn part_of(&self) -> Option<Address> {
        Some(self.parent.clone())
    }

    async fn read(&self, api: &Api) -> Result<Seen<Self>> {
        // All at once, so that an empty container costs no more time than its listing.
        let (tally, soft_delete) = tokio::join!(self.count(api), self.soft_delete(api));
        let Some(tally) = tally?.filter(|tally| tally.entries() > 0) else {
            return Ok(Seen::absent());
        };
        let mut found = Seen::there(self.found(&tally), Owner::Ours);
        if tally.more {
            found.finding(format!("counting stopped at {COUNTED_AT_MOST} entries; there are more"));
        }
        found.remarks_mut().findings.extend(soft_delete?.told(Timestamp::now()));
        if !self.delete_objects {
            found.obstacle(
                Forbids::Delete,
                format!("it holds {tally}"),
                "pass --delete-objects to delete them, or empty it first",
            );
        }
        Ok(found)
    }

    async fn write(&self, _: &Api, _: &Seen<Self>, _: &Progress) -> Result<()> {
        Err(Error::new(Kind::Failed, "write objects: a deployment has no objects of its own to write"))
    }

    /// Does nothing but make sure: the blobs go with their container.
    async fn delete(&self, _: &Api, _: &Self, _: &Progress) -> Result<Deleted> {
        if self.delete_objects {
            return Ok(Deleted::Gone);
        }
        Err(Error::refused(format!("empty {}: nobody asked for it", self.container))
            .hint("pass --delete-objects"))
    }
}

/// Whether a deleted container can be had back (Azure documentation, "Soft delete for containers").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SoftDelete {
    Off,
    Days(i64),
    Unknown,
}

impl SoftDelete {
    /// What the properties of the blob service tell.
    fn told_by(service: &Value) -> Self {
        let policy = &service["properties"]["containerDeleteRetentionPolicy"];
        match (policy["enabled"].as_bool(), policy["days"].as_i64()) {
            (Some(true), Some(days)) => Self::Days(days),
            _ => Self::Off,
        }
    }

    fn told(self, now: Timestamp) -> Option<String> {
        match self {
            Self::Off => None,
            Self::Unknown => Some("whether the account keeps deleted containers may not be seen".to_owned()),
            Self::Days(days) => {
                let until = now.checked_add(jiff::SignedDuration::from_hours(days * 24));
                let date = until.ok()?.to_string();
                let date = date.split('T').next().unwrap_or_default();
                Some(format!(
                    "the account keeps deleted containers for {days} days: until {date} this one can be restored, is \
                     billed, and its name is taken"
                ))
            }
        }
    }
}

/// A size, in the largest decimal unit that leaves a digit before the point.
struct Bytes(u64);

impl fmt::Display for Bytes {
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(u64, &str); 4] =
            [(1_000_000_000_000, "TB"), (1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")];
        match UNITS.iter().find(|(size, _)| self.0 >= *size) {
            Some((size, unit)) => write!(f, "{:.1} {unit}", self.0 as f64 / *size as f64),
            None if self.0 == 1 => f.write_str("1 byte"),
            None => write!(f, "{} bytes", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nothing_is_wanted_and_what_is_found_shows_field_by_field() {
        let wanted = Objects::new(Address::new("azure", "container", "wandb"), false);
        assert_eq!(serde_json::to_value(&wanted).unwrap(), json!({}));
        let found = wanted.found(&Tally { objects: 2, bytes: 10, ..Tally::default() });
        assert_eq!(
            serde_json::to_value(&found).unwrap(),
            json!({"objects": 2, "versions": 0, "snapshots": 0, "bytes": 10})
        );
    }

    #[test]
    fn soft_delete_is_told_with_its_end() {
        let policy =
            |policy| SoftDelete::told_by(&json!({"properties": {"containerDeleteRetentionPolicy": policy}}));
        assert_eq!(policy(json!({"enabled": true, "days": 7})), SoftDelete::Days(7));
        assert_eq!(policy(json!({"enabled": false, "days": 7})), SoftDelete::Off);
        assert_eq!(policy(json!(null)), SoftDelete::Off);
        let told = SoftDelete::Days(7).told(Timestamp::UNIX_EPOCH).unwrap();
        assert!(told.contains("for 7 days: until 1970-01-08"), "{told}");
        assert_eq!(SoftDelete::Off.told(Timestamp::UNIX_EPOCH), None);
    }
}
