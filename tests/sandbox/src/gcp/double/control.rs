//! What a test can do to the double beside asking it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::caller::Caller;
use super::refusal::Refusal;
use super::state::Rights;
use super::{Shared, storage};

/// How `notificationConfigs.insert` refuses a topic that the service agent cannot publish to, or
/// that does not exist: it does not tell the two apart. Both are reported in the wild.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Refusing {
    /// 403, "does not have permission to publish messages to to the Cloud Pub/Sub topic …, or that
    /// topic does not exist" (hashicorp/terraform-provider-google#4354).
    #[default]
    Forbidden,
    /// 400, "topic not found, or user does not have permission" (googleapis/nodejs-storage#1402).
    BadRequest,
}

/// How a policy that has changed since it was read is refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LostRace {
    /// As each API does by itself: 409 ABORTED, and 412 of Cloud Storage.
    #[default]
    Usual,
    /// 412.
    Precondition,
    /// 400 FAILED_PRECONDITION, as the newer APIs spell a precondition.
    FailedPrecondition,
}

impl LostRace {
    /// In these words, where `usual` is how the API does it.
    pub(super) fn spelled(self, usual: fn(&str) -> Refusal) -> fn(&str) -> Refusal {
        match self {
            Self::Usual => usual,
            Self::Precondition => |message| Refusal::precondition(message),
            Self::FailedPrecondition => |message| Refusal::failed_precondition(message),
        }
    }
}

/// What tests have switched.
#[derive(Debug, Default)]
pub(super) struct Switches {
    denied: BTreeMap<Option<String>, BTreeSet<String>>,
    pub(super) disabled: BTreeSet<String>,
    /// The APIs that a service perimeter keeps this caller from.
    pub(super) perimeter: BTreeSet<String>,
    pub(super) lost_race: LostRace,
    /// What a new bucket keeps of deletions, in seconds, where that is not Cloud Storage's own default.
    pub(super) soft_delete: Option<i64>,
    pub(super) billing_off: bool,
    pub(super) wants_quota_project: bool,
    pub(super) constraint: Option<String>,
    pub(super) restricted_members: Vec<String>,
    pub(super) refusing: Refusing,
    /// How many more inserts a grant takes to arrive.
    pub(super) slow_grants: u32,
    races: u32,
    pub(super) closed_keys: BTreeSet<String>,
}

impl Switches {
    pub(super) fn denies(&self, caller: &Caller, permission: &str) -> bool {
        let listed = |whom: &Option<String>| {
            self.denied.get(whom).is_some_and(|permissions| permissions.contains(permission))
        };
        match caller {
            Caller::Anonymous => false,
            Caller::Account(email) => listed(&None) || listed(&Some(email.clone())),
        }
    }

    /// Whether somebody else sets the policy now, just before it is set.
    pub(super) fn race(&mut self) -> bool {
        let race = self.races > 0;
        self.races = self.races.saturating_sub(1);
        race
    }
}

/// Control over a running double. Every switch is off to begin with.
#[derive(Clone, Copy, Debug)]
pub struct Control<'a> {
    shared: &'a Shared,
}

impl<'a> Control<'a> {
    pub(super) fn new(shared: &'a Shared) -> Self {
        Self { shared }
    }

    /// Takes a permission, such as `storage.buckets.getIamPolicy`, from everybody.
    pub fn deny(&self, permission: &str) {
        self.switch(|switches| {
            switches.denied.entry(None).or_default().insert(permission.to_owned());
        });
    }

    /// Gives back what was taken.
    pub fn allow_all(&self) {
        self.switch(|switches| switches.denied.clear());
    }

    /// Makes a service account that may do what these permissions say in the whole project, and
    /// beside that what policies grant it.
    pub fn account(&self, email: &str, permissions: &[&str]) {
        let mut state = self.shared.state();
        state.know(email);
        let only = permissions.iter().map(|permission| (*permission).to_owned()).collect();
        state.rights.insert(email.to_owned(), Rights::Only(only));
    }

    /// The permissions of [`Control::account`] that the account has used.
    pub fn used_by(&self, email: &str) -> BTreeSet<String> {
        self.shared.state().used.borrow().get(email).cloned().unwrap_or_default()
    }

    /// The permissions that this account lacked for what it asked.
    pub fn lacked_by(&self, email: &str) -> BTreeSet<String> {
        self.shared.state().lacked.borrow().get(email).cloned().unwrap_or_default()
    }

    /// Makes a custom role of the project; gives its whole name.
    pub fn role(&self, id: &str, permissions: &[&str]) -> String {
        let mut state = self.shared.state();
        let name = format!("projects/{}/roles/{id}", state.project.id);
        let all = permissions.iter().map(|permission| (*permission).to_owned()).collect();
        state.custom_roles.insert(name.clone(), all);
        name
    }

    /// Puts an API behind a service perimeter that this caller is outside of, or takes all perimeters away.
    pub fn enclose(&self, service: Option<&str>) {
        self.switch(|switches| match service {
            Some(service) => drop(switches.perimeter.insert(service.to_owned())),
            None => switches.perimeter.clear(),
        });
    }

    /// How a lost race for a policy is refused.
    pub fn spell_races(&self, spelling: LostRace) {
        self.switch(|switches| switches.lost_race = spelling);
    }

    /// How long, in seconds, a new bucket keeps what is deleted, if nothing is said:
    /// <https://cloud.google.com/storage/docs/soft-delete#default-retention>.
    pub fn default_soft_delete(&self, seconds: i64) {
        self.switch(|switches| switches.soft_delete = Some(seconds));
    }

    /// Switches an API off, such as `pubsub.googleapis.com`.
    pub fn disable(&self, service: &str) {
        self.switch(|switches| {
            switches.disabled.insert(service.to_owned());
        });
    }

    /// Switches it on again.
    pub fn enable(&self, service: &str) {
        self.switch(|switches| {
            switches.disabled.remove(service);
        });
    }

    /// Takes the project's billing account away, or gives it back.
    pub fn billing(&self, on: bool) {
        self.switch(|switches| switches.billing_off = !on);
    }

    /// Refuses requests without `x-goog-user-project`, as for a user's own credentials.
    pub fn want_quota_project(&self, want: bool) {
        self.switch(|switches| switches.wants_quota_project = want);
    }

    /// An organisation policy, such as `constraints/gcp.resourceLocations`, that every new bucket
    /// violates.
    pub fn constrain(&self, constraint: Option<&str>) {
        self.switch(|switches| switches.constraint = constraint.map(str::to_owned));
    }

    /// Domain-restricted sharing: no service account with this ending may be in a policy.
    pub fn restrict_members(&self, ending: &str) {
        self.switch(|switches| switches.restricted_members.push(ending.to_owned()));
    }

    /// How a topic that cannot be published to is refused.
    pub fn refuse_topics(&self, how: Refusing) {
        self.switch(|switches| switches.refusing = how);
    }

    /// Makes the next `tries` inserts of a notification not yet know of the publisher grant.
    pub fn slow_grants(&self, tries: u32) {
        self.switch(|switches| switches.slow_grants = tries);
    }

    /// Lets somebody else change the policy just before each of the next `times` `setIamPolicy`.
    pub fn race_policies(&self, times: u32) {
        self.switch(|switches| switches.races = times);
    }

    /// A key that the service agent may not use.
    pub fn close_key(&self, name: &str) {
        self.switch(|switches| {
            switches.closed_keys.insert(name.to_owned());
        });
    }

    /// A bucket in somebody else's project has this name.
    pub fn others_bucket(&self, name: &str) {
        self.shared.state().elsewhere.insert(name.to_owned());
    }

    /// Puts an object into a bucket as it is, and tells nobody. With `hold` it is under an
    /// event-based hold.
    ///
    /// # Panics
    ///
    /// When there is no such bucket.
    pub fn put(&self, bucket: &str, object: &str, content: &[u8], hold: bool) {
        let mut state = self.shared.state();
        storage::objects::place(&mut state, bucket, object, content, hold).expect("there is such a bucket");
        state.events.clear();
    }

    /// Asks with all rights and around any proxy; gives the JSON of the answer.
    ///
    /// # Panics
    ///
    /// When it is refused.
    pub async fn ask(&self, method: &str, path: &str, body: Value) -> Value {
        self.try_ask(method, path, body).await.unwrap_or_else(|| panic!("{method} {path}: it is not there"))
    }

    /// The same of what may not be there, which is `None`.
    ///
    /// # Panics
    ///
    /// When it is refused for any other reason.
    pub async fn try_ask(&self, method: &str, path: &str, body: Value) -> Option<Value> {
        let (status, value) = super::server::ask(self.shared, method, path, body).await;
        assert!(status == 404 || (200..300).contains(&status), "{method} {path}: {status} {value}");
        (status != 404).then_some(value)
    }

    fn switch(&self, change: impl FnOnce(&mut Switches)) {
        change(&mut self.shared.state().switches);
    }
}
