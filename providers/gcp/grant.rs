//! One role for one member, in the IAM policy of something.
//!
//! A binding has no mark. On a resource that wbstore created it is deleted with that resource. On any other,
//! a label notes the grant before it is added, so that teardown revokes only grants of wbstore.

mod place;

use serde::Serialize;

use crate::error::{Error, Kind, Result};
use crate::event::Progress;
use crate::mark::Entries;
use crate::name::DeploymentName;
use crate::providers::gcp::failure::{Refusal, domain_restricted};
use crate::providers::gcp::iam_policy::Policy;
use crate::providers::gcp::mark::{self, LABELS};
use crate::providers::gcp::session::Api;
use crate::resource::{Address, Deleted, Forbids, Owner, Removal, Resource, Seen};
use crate::retry;

pub(crate) use place::Place;

/// May publish messages to a topic (Pub/Sub docs, "Roles and permissions").
pub(crate) const PUBLISHER: &str = "roles/pubsub.publisher";
/// Allows receiving messages of a subscription.
pub(crate) const SUBSCRIBER: &str = "roles/pubsub.subscriber";
/// May read, write, list and delete objects (Cloud Storage docs, "IAM roles").
pub(crate) const OBJECT_ADMIN: &str = "roles/storage.objectAdmin";
/// May sign as a service account (IAM docs, "Service account roles"; G22).
pub(crate) const TOKEN_CREATOR: &str = "roles/iam.serviceAccountTokenCreator";

/// One role for one member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Grant {
    /// The resource it is granted on.
    #[serde(skip)]
    pub place: Place,
    /// The deployment it is granted for.
    #[serde(skip)]
    pub deployment: DeploymentName,
    pub role: &'static str,
    /// The member, such as `serviceAccount:wandb@acme.iam.gserviceaccount.com`.
    pub member: String,
}

impl Grant {
    /// `role` for the service account `email` at `place`.
    pub(crate) fn new(place: Place, deployment: &DeploymentName, role: &'static str, email: &str) -> Self {
        Self { place, deployment: deployment.clone(), role, member: format!("serviceAccount:{email}") }
    }

    /// The value of the note: the account.
    fn receipt(&self) -> String {
        mark::account_label(self.member.trim_start_matches("serviceAccount:"))
    }

    /// Whether wbstore created the resource, so that the grant is deleted with it.
    fn is_within(&self, labels: &Entries) -> bool {
        self.part_of().is_some() && LABELS.read(labels).owner(&self.deployment) == Owner::Ours
    }

    /// Reads the policy and writes the result of `edit`, with the etag that was read; writes nothing if
    /// `edit` changes nothing or the resource does not exist.
    async fn change(&self, api: &Api, edit: impl Fn(&mut Policy) -> bool) -> Result<()> {
        let (edit, call) = (&edit, format!("{}.setIamPolicy on {}", self.place.service(), self.address()));
        retry::undisturbed(&call, || async move {
            let Some(mut policy) = self.place.policy(api).await? else { return Ok(()) };
            if edit(&mut policy) { self.set(api, &policy).await } else { Ok(()) }
        })
        .await
    }

    async fn set(&self, api: &Api, policy: &Policy) -> Result<()> {
        let set = self.place.set_policy(api, policy).await?;
        set.map_err(|refusal| self.explained(api, refusal))
    }

    fn explained(&self, api: &Api, refusal: Refusal) -> Error {
        let refusal = refusal.within(&api.project);
        let error = refusal.explain(&format!("{}.setIamPolicy", self.place.service()), self.address());
        if !domain_restricted(&refusal) {
            return error;
        }
        // Google's own service agents are not in the organization either (G21).
        error.hint(format!(
            "ask an administrator of the organization to allow this one grant, {} for {} on {}, by an \
             exception for the project from iam.allowedPolicyMemberDomains; the exception can be removed \
             once the grant exists",
            self.role,
            self.member,
            self.place.needs()
        ))
    }
}

impl Resource for Grant {
    type Api = Api;

    // A grant on a resource that is not wbstore's is revoked by a separate call.
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
                    format!("the service account {email} does not exist"),
                    "`gcloud iam service-accounts list` prints those of the project",
                );
            }
            return Ok(found);
        };
        let mut found = Seen::absent();
        if policy.has(self.role, &self.member) {
            let noted = LABELS.read(&labels).get(self.place.receipt()) == Some(&self.receipt());
            let owner = if noted || self.is_within(&labels) { Owner::Ours } else { Owner::Used };
            found = Seen::there(self.clone(), owner);
        }
        found.remarks_mut().kept = policy.others(self.role, &self.member);
        Ok(found)
    }

    async fn write(&self, api: &Api, _: &Seen<Self>, progress: &Progress) -> Result<()> {
        let new = progress.parent_is_new();
        if new && matches!(self.place, Place::Topic(_) | Place::Subscription(_)) {
            // A resource that was just created has an empty policy, which is not read; a bucket's policy has
            // initial roles.
            let mut policy = Policy::unset();
            policy.add(self.role, &self.member);
            match self.set(api, &policy).await {
                Err(error) if error.kind() == Kind::Conflict => {}
                done => return done,
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
            let taken = old.is_some_and(|old| policy.remove(self.role, old));
            policy.add(self.role, &self.member) | taken
        })
        .await
    }

    async fn delete(&self, api: &Api, _: &Self, _: &Progress) -> Result<Deleted> {
        self.change(api, |policy| policy.remove(self.role, &self.member)).await?;
        self.place.note(api, None).await?;
        Ok(Deleted::Gone)
    }
}
