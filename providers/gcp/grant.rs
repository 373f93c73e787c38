//! One role for one member, in the IAM policy of something.
//!
//! A binding carries no mark. In what wbstore made it goes when that goes. In what was there before, a
//! label notes that we gave the role, before we give it, so that teardown takes back only what we gave.

mod place;

use google_cloud_iam_v1::model::Policy;
use serde::Serialize;

use crate::error::{Error, Result};
use crate::event::Progress;
use crate::mark::Entries;
use crate::name::DeploymentName;
use crate::providers::gcp::bucket::calls::{crowded, retries};
use crate::providers::gcp::failure::{Refusal, domain_restricted};
use crate::providers::gcp::mark::LABELS;
use crate::providers::gcp::session::Api;
use crate::providers::gcp::{iam_policy, mark};
use crate::resource::{Address, Deleted, Forbids, Owner, Removal, Resource, Seen};

pub use place::Place;

/// May publish messages to a topic (Pub/Sub docs, "Roles and permissions").
pub const PUBLISHER: &str = "roles/pubsub.publisher";
/// May take messages of a subscription.
pub const SUBSCRIBER: &str = "roles/pubsub.subscriber";
/// May read, write, list and delete objects (Cloud Storage docs, "IAM roles").
pub const OBJECT_ADMIN: &str = "roles/storage.objectAdmin";
/// May sign as a service account (IAM docs, "Service account roles"; G22).
pub const TOKEN_CREATOR: &str = "roles/iam.serviceAccountTokenCreator";

/// The etag of a policy that nobody has set yet, `ACAB` in base64, as IAM has it on every kind of resource
/// without roles of its own (`gcloud pubsub topics get-iam-policy` on a new topic prints it).
const UNSET: &[u8] = &[0x00, 0x20, 0x01];

/// One role for one member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Grant {
    /// Where it is given.
    #[serde(skip)]
    pub place: Place,
    /// The deployment it is given for.
    #[serde(skip)]
    pub deployment: DeploymentName,
    /// The role.
    pub role: &'static str,
    /// The member, such as `serviceAccount:wandb@acme.iam.gserviceaccount.com`.
    pub member: String,
}

impl Grant {
    /// `role` for the service account `email` at `place`.
    pub fn new(place: Place, deployment: &DeploymentName, role: &'static str, email: &str) -> Self {
        Self { place, deployment: deployment.clone(), role, member: format!("serviceAccount:{email}") }
    }

    /// What the note says: the account.
    fn receipt(&self) -> String {
        mark::account_label(self.member.trim_start_matches("serviceAccount:"))
    }

    /// Whether it goes when what it is given in goes, which we made.
    fn is_within(&self, labels: &Entries) -> bool {
        self.part_of().is_some() && LABELS.read(labels).owner(&self.deployment) == Owner::Ours
    }

    /// Reads the policy and writes what `edit` makes of it, with the etag that was read; nothing where
    /// `edit` changes nothing or no place is there.
    async fn change(&self, api: &Api, edit: impl Fn(&mut Policy) -> bool) -> Result<()> {
        let mut retries = retries();
        loop {
            let Some(mut policy) = self.place.policy(api).await? else { return Ok(()) };
            if !edit(&mut policy) {
                return Ok(());
            }
            match self.place.set_policy(api, policy).await? {
                Ok(()) => return Ok(()),
                Err(refusal) if refusal.is_stale() => {}
                Err(refusal) => return Err(self.explained(api, refusal)),
            }
            let Some(pause) = retries.next() else {
                let call = format!("{}.setIamPolicy on {}", self.place.service(), self.address());
                return Err(crowded(&call));
            };
            tokio::time::sleep(pause).await;
        }
    }

    fn explained(&self, api: &Api, refusal: Refusal) -> Error {
        let refusal = refusal.within(&api.project);
        let error = refusal.explain(&format!("{}.setIamPolicy", self.place.service()), self.address());
        if !domain_restricted(&refusal) {
            return error;
        }
        // Google's own service agents are not of the organisation either (G21).
        error.hint(format!(
            "ask an administrator of the organisation to allow this one grant, {} for {} on {}, by an exception \
             for the project from iam.allowedPolicyMemberDomains; it can be taken back once the grant is there",
            self.role,
            self.member,
            self.place.needs()
        ))
    }
}

impl Resource for Grant {
    type Api = Api;

    // What lives in no parent of ours is taken back by a call of its own.
    const REMOVAL: Removal = Removal::WithParent;
    const READ_BACK: bool = true;

    fn address(&self) -> Address {
        self.place.address()
    }

    fn needs(&self) -> Vec<Address> {
        vec![self.place.needs()]
    }

    fn part_of(&self) -> Option<Address> {
        (!matches!(self.place, Place::ServiceAccount { .. })).then(|| self.place.needs())
    }

    async fn read(&self, api: &Api) -> Result<Seen<Self>> {
        let (policy, labels) = futures::join!(self.place.policy(api), self.place.labels(api));
        let (policy, labels) = (policy?, labels?.unwrap_or_default());
        let Some(policy) = policy else {
            let mut found = Seen::absent();
            if let Place::ServiceAccount { email, .. } = &self.place {
                found.obstacle(
                    Forbids::Write,
                    format!("there is no service account {email}"),
                    "`gcloud iam service-accounts list` prints those of the project",
                );
            }
            return Ok(found);
        };
        let mut found = Seen::absent();
        if iam_policy::has(&policy, self.role, &self.member) {
            let noted = LABELS.read(&labels).get(self.place.receipt()) == Some(&self.receipt());
            let owner = if noted || self.is_within(&labels) { Owner::Ours } else { Owner::Used };
            found = Seen::there(self.clone(), owner);
        }
        found.remarks_mut().kept = iam_policy::others(&policy, self.role, &self.member);
        Ok(found)
    }

    async fn write(&self, api: &Api, _: &Seen<Self>, progress: &Progress) -> Result<()> {
        let new = progress.parent_is_new();
        if new && matches!(self.place, Place::Topic(_) | Place::Subscription(_)) {
            // What was made a moment ago has an empty policy, and is not read for it; a bucket's begins with
            // roles of its own.
            let mut policy = Policy::new().set_etag(UNSET);
            iam_policy::add(&mut policy, self.role, &self.member);
            match self.place.set_policy(api, policy).await? {
                Err(refusal) if refusal.is_stale() => {}
                answer => return answer.map_err(|refusal| self.explained(api, refusal)),
            }
        }
        let mut earlier = None;
        if !new {
            let labels = self.place.labels(api).await?.unwrap_or_default();
            earlier = LABELS.read(&labels).get(self.place.receipt()).and_then(mark::account_of);
            if !self.is_within(&labels) {
                self.place.note(api, Some(&self.receipt())).await?;
            }
        }
        let earlier = earlier.map(|email| format!("serviceAccount:{email}"));
        self.change(api, |policy| {
            // The account that had it before is no longer the server's.
            let old = earlier.as_ref().filter(|old| **old != self.member);
            let taken = old.is_some_and(|old| iam_policy::remove(policy, self.role, old));
            iam_policy::add(policy, self.role, &self.member) | taken
        })
        .await
    }

    async fn delete(&self, api: &Api, _: &Self, _: &Progress) -> Result<Deleted> {
        self.change(api, |policy| iam_policy::remove(policy, self.role, &self.member)).await?;
        self.place.note(api, None).await?;
        Ok(Deleted::Gone)
    }
}
