//! Roles for one member, in the IAM policy of something.
//!
//! A binding has no mark, so labels note for whom wbstore added one: on a bucket or subscription its own, and on the
//! bucket of the deployment what is granted on a service account. The note is written before the grant, so that
//! teardown revokes grants of wbstore and no others; of a former account it stays until that one's are revoked. What
//! several deployments live on has a note of each and is revoked with the last one (B21).

mod place;

use std::collections::BTreeSet;

use serde::Serialize;

use crate::ablation::Safeguard;
use crate::error::{Error, Kind, Result};
use crate::event::Progress;
use crate::mark::Mark;
use crate::name::StorageName;
use crate::providers::gcp::bucket::calls;
use crate::providers::gcp::failure::{Refusal, domain_restricted};
use crate::providers::gcp::iam_policy::Policy;
use crate::providers::gcp::mark::{self, LABELS};
use crate::providers::gcp::session::Api;
use crate::resource::{Address, Deleted, Forbids, Owner, Removal, Resource, Seen};
use crate::retry;

pub(crate) use place::Place;

/// May publish messages to a topic (Pub/Sub docs, "Roles and permissions").
pub(crate) const PUBLISHER: &[&str] = &["roles/pubsub.publisher"];
/// May receive messages of a subscription, and read its settings, which the first of the two roles does not
/// include (B32).
pub(crate) const SUBSCRIBER: &[&str] = &["roles/pubsub.subscriber", "roles/pubsub.viewer"];
/// May read, write, list and delete objects, and read the settings of the bucket (Cloud Storage docs, "IAM roles").
pub(crate) const OBJECT_ADMIN: &[&str] = &["roles/storage.objectAdmin", "roles/storage.legacyBucketReader"];
/// May do everything with a bucket, which W&B's page asks for its own accounts: they read its attributes and CORS rules.
pub(crate) const STORAGE_ADMIN: &[&str] = &["roles/storage.admin"];
/// May sign as a service account (IAM docs, "Service account roles"; G22).
pub(crate) const TOKEN_CREATOR: &[&str] = &["roles/iam.serviceAccountTokenCreator"];

/// What each of these roles allows, in a few words.
fn may(role: &str) -> Option<&'static str> {
    Some(match role {
        "roles/pubsub.publisher" => "publish to the topic",
        "roles/pubsub.subscriber" => "receive messages",
        "roles/pubsub.viewer" => "read the settings of the subscription",
        "roles/storage.objectAdmin" => "read, write, list and delete objects",
        "roles/storage.legacyBucketReader" => "read the settings of the bucket",
        "roles/storage.admin" => "read, write and delete the bucket and its objects",
        "roles/iam.serviceAccountTokenCreator" => "sign as this account",
        _ => return None,
    })
}

/// The state of a note that should exist.
const MISSING: &str = "missing";

/// Roles for one member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Grant {
    /// The resource they are granted on.
    #[serde(skip)]
    pub place: Place,
    /// The deployment they are granted for.
    #[serde(skip)]
    pub deployment: StorageName,
    /// Whether it is read for a teardown.
    #[serde(skip)]
    pub leaving: bool,
    /// Of an existing grant: the roles that the member had before wbstore.
    #[serde(skip)]
    before: Vec<&'static str>,
    pub roles: Vec<&'static str>,
    /// The member, such as `serviceAccount:wandb@acme.iam.gserviceaccount.com`.
    pub member: String,
    /// Of an existing grant whose note does not fit: [`MISSING`], or the former account that it names.
    note: Option<String>,
}

/// What the labels note of a place.
struct Notes {
    /// Whether they name the member.
    is_noted: bool,
    /// The roles that the member was granted, where those are not all.
    added: Option<String>,
    /// The account that the grants were for before, as a label names it.
    former: Option<String>,
}

impl Grant {
    /// `roles` for the service account `email` at `place`.
    pub(crate) fn new(
        place: Place,
        deployment: &StorageName,
        roles: &[&'static str],
        email: &str,
        leaving: bool,
    ) -> Self {
        Self {
            place,
            deployment: deployment.clone(),
            leaving,
            before: vec![],
            roles: roles.to_vec(),
            member: member(email),
            note: None,
        }
    }

    /// The value of the note: the account.
    fn receipt(&self) -> String {
        mark::account_label(self.member.trim_start_matches("serviceAccount:"))
    }

    /// Whether wbstore created the resource, so that the grant is deleted with it.
    fn is_within(&self, mark: &Mark) -> bool {
        self.part_of().is_some() && mark.owner(&self.deployment) == Owner::Ours
    }

    /// Whether a grant there has no note: the member never changes, and the grant is deleted with the topic.
    fn is_unnoted(&self, mark: &Mark) -> bool {
        matches!(self.place, Place::Topic(_)) && self.is_within(mark)
    }

    fn notes(&self, mark: &Mark) -> Notes {
        let receipt = self.receipt();
        let noted = [self.place.former_receipt(), self.place.receipt()].map(|name| mark.get(name));
        let former = noted.iter().flatten().find(|noted| **noted != receipt).copied();
        Notes {
            is_noted: noted.contains(&Some(receipt.as_str())),
            added: self.place.roles_receipt().and_then(|roles| mark.get(roles)).map(str::to_owned),
            former: former.map(str::to_owned),
        }
    }

    /// The other deployments of the project that live on the same grant to the account that the label `receipt`
    /// names, by their buckets' notes.
    async fn sharers(&self, api: &Api, receipt: &str) -> Result<BTreeSet<String>> {
        let Place::ServiceAccount { bucket, .. } = &self.place else { return Ok(BTreeSet::new()) };
        let mut sharers = BTreeSet::new();
        calls::each_marked(api, |name, mark| {
            if name != bucket && mark.get(mark::SIGNER) == Some(receipt) {
                sharers.extend(mark.storage());
            }
        })
        .await?;
        Ok(sharers)
    }

    /// Reads the policy of `place` and writes the result of `edit`, with the etag that was read; writes nothing if
    /// `edit` changes nothing or the resource does not exist.
    async fn change(&self, api: &Api, place: &Place, edit: impl Fn(&mut Policy) -> bool) -> Result<()> {
        let (edit, call) = (&edit, format!("{}.setIamPolicy on {}", place.service(), place.address()));
        retry::undisturbed(&call, || async move {
            let Some(mut policy) = place.policy(api).await? else { return Ok(()) };
            if !Safeguard::EtagLoop.holds() {
                policy.forget_etag();
            }
            if edit(&mut policy) { self.set(api, place, &policy).await } else { Ok(()) }
        })
        .await
    }

    async fn set(&self, api: &Api, place: &Place, policy: &Policy) -> Result<()> {
        let set = place.set_policy(api, policy).await?;
        set.map_err(|refusal| self.explained(api, place, refusal))
    }

    fn explained(&self, api: &Api, place: &Place, refusal: Refusal) -> Error {
        let refusal = refusal.within(&api.project);
        let permission = format!("{}.setIamPolicy", place.service());
        let error = refusal.explain(&permission, place.address());
        if refusal.is_lost_race() {
            return Error::new(Kind::Conflict, error.to_string());
        }
        if !domain_restricted(&refusal) {
            return error;
        }
        // Google's own service agents are not in the organization either (G21).
        error.hint(format!(
            "ask an administrator of the organization to allow this one grant, {} for {} on {}, by an \
             exception for the project from iam.allowedPolicyMemberDomains; the exception can be removed \
             once the grant exists",
            self.roles.join(" and "),
            self.member,
            place.needs()
        ))
    }

    /// What a former account may have been granted. The reader of a team's bucket had other roles if it was another kind
    /// of reader.
    fn roles_of_former(&self) -> Vec<&'static str> {
        match self.place {
            Place::Bucket(_) => [OBJECT_ADMIN, STORAGE_ADMIN].concat(),
            _ => self.roles.clone(),
        }
    }

    /// Revokes what the account that the label `former` names was granted before.
    async fn revoke_former(&self, api: &Api, former: &str) -> Result<()> {
        let Some(email) = mark::account_of(former) else { return Ok(()) };
        let mut place = self.place.clone();
        if let Place::ServiceAccount { email: account, .. } = &mut place {
            if !self.sharers(api, former).await?.is_empty() {
                return Ok(());
            }
            account.clone_from(&email);
        }
        let (member, roles) = (member(&email), self.roles_of_former());
        self.change(api, &place, |policy| policy.remove(&roles, &member)).await
    }
}

fn member(email: &str) -> String {
    format!("serviceAccount:{email}")
}

/// How a label names a role: `subscriber` for `roles/pubsub.subscriber`.
fn short(role: &str) -> String {
    role.rsplit('.').next().unwrap_or_default().to_ascii_lowercase()
}

impl Resource for Grant {
    type Api = Api;

    // A grant on a resource that is not wbstore's is revoked by a separate call.
    const REMOVAL: Removal = Removal::WithParent;
    const READ_BACK: bool = true;
    const BOOKKEEPING: &'static [&'static str] = &["note"];
    const WORDED: &'static [&'static str] = &["roles", "member"];

    fn permission(&self) -> Option<String> {
        let may: Option<Vec<_>> = self.roles.iter().map(|role| may(role)).collect();
        let may = may.filter(|may| !may.is_empty())?.join(" and ");
        let who = self.member.trim_start_matches("serviceAccount:");
        Some(format!("allows {who} to {may} ({})", self.roles.join(", ")))
    }

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
        let receipt = self.receipt();
        let (policy, labels, sharers) =
            futures::join!(self.place.policy(api), self.place.labels(api), self.sharers(api, &receipt));
        let (policy, mark) = (policy?, LABELS.read(&labels?.unwrap_or_default()));
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
        let Notes { is_noted, added, former } = self.notes(&mark);
        let held: Vec<_> = self.roles.iter().copied().filter(|role| policy.has(role, &self.member)).collect();
        let replaced = former.as_deref().filter(|_| !self.leaving).and_then(mark::account_of);
        let mut found = Seen::absent();
        if !held.is_empty() {
            let sharers = sharers?;
            let is_ours = is_noted || self.is_within(&mark);
            let is_wbstores = is_ours || !(self.leaving || sharers.is_empty());
            let is_complete = held.len() == self.roles.len();
            let lacks_note = is_wbstores && !is_noted && !self.is_unnoted(&mark);
            let note = former.or_else(|| lacks_note.then(|| MISSING.to_owned()));
            let is_used = !is_wbstores && (self.leaving || (is_complete && note.is_none()));
            let is_before =
                |role: &&str| !is_wbstores || added.as_ref().is_some_and(|added| !names(added, role));
            let before = held.iter().copied().filter(is_before).collect();
            let state = Self { before, roles: held, note, ..self.clone() };
            found = Seen::there(state, if is_used { Owner::Used } else { Owner::Ours });
            if self.leaving && is_ours && !sharers.is_empty() {
                found.finding(format!(
                    "only the note of this deployment is removed: the account may sign as itself as long as the \
                     deployments {} use it",
                    quoted_list(&sharers)
                ));
            }
        }
        let (mut ours, mut roles) = (vec![self.member.clone()], self.roles.clone());
        if let Some(email) = replaced {
            roles = self.roles_of_former();
            let kept = match &self.place {
                Place::ServiceAccount { .. } => " unless another deployment uses it",
                _ => "",
            };
            found.finding(format!("what {email} was granted before is revoked{kept}"));
            ours.push(member(&email));
        }
        let ours: Vec<_> = ours.iter().map(String::as_str).collect();
        found.remarks_mut().kept = policy.others(&roles, &ours);
        Ok(found)
    }

    async fn write(&self, api: &Api, seen: &Seen<Self>, progress: &Progress) -> Result<()> {
        let new = progress.parent_is_new();
        if new && matches!(self.place, Place::Topic(_) | Place::Subscription(_)) {
            // A resource that was just created has an empty policy, which is not read; a bucket's policy has
            // initial roles.
            let mut policy = Policy::unset();
            policy.add(&self.roles, &self.member);
            match self.set(api, &self.place, &policy).await {
                Err(error) if error.kind() == Kind::Conflict => {}
                done => return done,
            }
        }
        let before = seen.state().map_or(&[][..], |state| &state.before);
        let added: Vec<_> = self.roles.iter().copied().filter(|role| !before.contains(role)).collect();
        let mut former = None;
        // The call that creates a resource notes the grants on it.
        if !new {
            let mark = LABELS.read(&self.place.labels(api).await?.unwrap_or_default());
            former = self.notes(&mark).former;
            if !self.is_unnoted(&mark) {
                let (receipt, part) =
                    (self.receipt(), added.iter().map(|role| short(role)).collect::<Vec<_>>());
                let part = (!before.is_empty() && !added.is_empty()).then(|| part.join("_"));
                let mut notes = vec![
                    (self.place.receipt(), (!added.is_empty()).then_some(receipt)),
                    (self.place.former_receipt(), former.clone()),
                ];
                notes.extend(self.place.roles_receipt().map(|roles| (roles, part)));
                self.place.note(api, &notes).await?;
            }
        }
        self.change(api, &self.place, |policy| policy.add(&added, &self.member)).await?;
        if let Some(former) = former {
            self.revoke_former(api, &former).await?;
            self.place.note(api, &[(self.place.former_receipt(), None)]).await?;
        }
        Ok(())
    }

    async fn delete(&self, api: &Api, _: &Self, _: &Progress) -> Result<Deleted> {
        let mark = LABELS.read(&self.place.labels(api).await?.unwrap_or_default());
        let Notes { added, former, .. } = self.notes(&mark);
        let is_added = |role: &&str| added.as_ref().is_none_or(|added| names(added, role));
        let roles: Vec<_> = self.roles.iter().copied().filter(|role| is_added(role)).collect();
        let revoke = || self.change(api, &self.place, |policy| policy.remove(&roles, &self.member));
        let mut notes = vec![(self.place.receipt(), None), (self.place.former_receipt(), None)];
        notes.extend(self.place.roles_receipt().map(|roles| (roles, None)));
        let receipt = self.receipt();
        let is_shared = !self.sharers(api, &receipt).await?.is_empty();
        if let Some(former) = former {
            self.revoke_former(api, &former).await?;
        }
        if !is_shared {
            revoke().await?;
        }
        self.place.note(api, &notes).await?;
        // Of several teardowns at the same time the last one revokes it.
        if is_shared && self.sharers(api, &receipt).await?.is_empty() {
            revoke().await?;
        }
        Ok(Deleted::Gone)
    }
}

/// Whether the label `added` names `role`.
fn names(added: &str, role: &str) -> bool {
    added.split('_').any(|one| one == short(role))
}

fn quoted_list(names: &BTreeSet<String>) -> String {
    names.iter().map(|name| format!("`{}`", crate::text::clean(name))).collect::<Vec<_>>().join(", ")
}
