//! wbstore's CORS rule among the account's five.
//!
//! The rules belong to the account's blob service, so all its containers share them (Z12), and they have no
//! ids. The receipt of a rule is in the mark of each container that uses it: the origins, and whether the rule
//! for them was there before wbstore. A rule is deleted with the last container whose mark has its origins, and
//! never if it was there before.

mod document;
mod receipt;

use std::sync::{Arc, OnceLock};

use serde::Serialize;
use serde_json::Value;

use crate::ablation::Safeguard;
use crate::error::{Error, Kind, Result};
use crate::event::Progress;
use crate::name::StorageName;
use crate::origins::Origins;
use crate::providers::azure::account::Account;
use crate::providers::azure::blob_service::{self, SERVED_WITHIN};
use crate::providers::azure::held::{CONTAINER, Held};
use crate::providers::azure::lock;
use crate::providers::azure::mark::WAS_THERE;
use crate::providers::azure::session::Api;
use crate::resource::{Address, Deleted, Forbids, Owner, Removal, Resource, Seen};
use crate::text::clean;

use document::{LARGEST, MOST_RULES, Rule};
use receipt::{Others, rules};

pub(crate) use receipt::{WasThere, receipt};

/// What an upload of the W&B server's pages sends.
const REQUIRED: &[&str] = &["content-type", "x-ms-blob-type"];

/// What the browser of a W&B user may do with the account's blobs.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Cors {
    /// The account it is set on.
    #[serde(skip)]
    pub account: String,
    /// The container whose mark has the receipt.
    #[serde(skip)]
    pub container: String,
    /// The deployment that the container belongs to.
    #[serde(skip)]
    pub deployment: StorageName,
    /// Whether it is to be deleted: an origin is required otherwise.
    #[serde(skip)]
    removing: bool,
    /// The rules with a receipt in the container's mark: a teardown deletes the container before the account with
    /// its rules.
    #[serde(skip)]
    remembered: Arc<OnceLock<Vec<Rule>>>,
    /// For the container, whose mark records it.
    #[serde(skip)]
    was_there: WasThere,
    /// Whether this run has added a rule.
    #[serde(skip)]
    added: Arc<OnceLock<()>>,
    #[serde(flatten)]
    pub rule: Rule,
}

/// Whose the rules of the account are, as far as they concern this deployment.
#[derive(Debug, Default)]
struct Standing {
    /// Those that wbstore wrote, and that no other container uses: the wanted one first.
    ours: Vec<Rule>,
    /// The wanted one, or one with an origin of the container's mark, that another deployment uses too.
    shared: Vec<(Rule, String)>,
    /// Whether the wanted rule is there, and wbstore did not write it.
    is_theirs: bool,
}

impl Cors {
    /// The rule that allows pages from `origins`, which are sorted, to read and upload. Teardown requires none.
    pub(crate) fn new(
        account: &str,
        container: &str,
        deployment: &StorageName,
        origins: Vec<String>,
        removing: bool,
        was_there: WasThere,
    ) -> Self {
        Self {
            account: account.to_owned(),
            container: container.to_owned(),
            deployment: deployment.clone(),
            removing,
            remembered: Arc::default(),
            was_there,
            added: Arc::default(),
            rule: Rule::for_origins(origins),
        }
    }

    /// The address of the rule of `account`.
    pub(crate) fn at(account: &str) -> Address {
        Address::new("azure", "cors", account)
    }

    /// The rules with a receipt in the container's mark, the wanted one first.
    async fn receipts(&self, api: &Api) -> Result<Vec<Rule>> {
        let mark = Held::mark_of(api, &self.container).await?;
        self.was_there.set_recorded(&mark);
        if matches!(mark.owner(&self.deployment), Owner::Ours | Owner::Adopted) {
            let _ = self.remembered.set(rules(&mark));
            return Ok(self.wanted_first(rules(&mark)));
        }
        Ok(self.wanted_first(self.remembered.get().cloned().unwrap_or_default()))
    }

    fn wanted_first(&self, mut rules: Vec<Rule>) -> Vec<Rule> {
        rules.sort_by_key(|rule| *rule != self.rule);
        rules
    }

    /// Whose the rules of `service` are. The marks of other containers are read only where they matter: before
    /// a rule is deleted, and for a wanted one that is there without a receipt.
    async fn standing(&self, api: &Api, service: &Value, receipts: Vec<Rule>) -> Result<Standing> {
        let rules = document::rules(service);
        let is_there = |rule: &Rule| rules.iter().any(|there| rule.is(there));
        let mut mine: Vec<Rule> = receipts.into_iter().filter(|rule| is_there(rule)).collect();
        let wanted = Some(&self.rule).filter(|rule| !rule.allowed_origins.is_empty() && is_there(rule));
        let unclaimed = wanted.filter(|wanted| !self.removing && !mine.contains(wanted));
        let deletes = mine.iter().any(|rule| self.removing || *rule != self.rule);
        if unclaimed.is_none() && !deletes {
            return Ok(Standing { ours: mine, ..Standing::default() });
        }
        let others = Others::find(api, &self.container).await?;
        let mut standing = Standing::default();
        if let Some(wanted) = unclaimed {
            match others.user_of(wanted) {
                Some(user) => standing.shared.push((wanted.clone(), user)),
                None => standing.is_theirs = true,
            }
        }
        mine.retain(|rule| match others.user_of(rule) {
            Some(user) if self.removing || *rule != self.rule => {
                standing.shared.push((rule.clone(), user));
                false
            }
            _ => true,
        });
        standing.ours = mine;
        Ok(standing)
    }

    /// Writes the rule into the document of an account that this run has just created: it has nothing else in it.
    async fn put_first(&self, api: &Api) -> Result<()> {
        let at = self.address();
        let body = document::merged(&Value::Null, &[], Some(&self.rule))?;
        let _ = self.added.set(());
        api.arm.put(&blob_service::id(api), &body, SERVED_WITHIN, blob_service::writing(&at)).await
    }

    /// Replaces our rules by `wanted` in the document as it is now.
    async fn put(&self, api: &Api, wanted: Option<&Rule>) -> Result<()> {
        let (at, id) = (self.address(), blob_service::id(api));
        let call = blob_service::writing(&at);
        let (service, receipts) = futures::join!(api.arm.get(&id, call), self.receipts(api));
        let (service, receipts) = (service?, receipts?);
        let Some(service) = service else {
            return match wanted {
                None => Ok(()),
                Some(_) => {
                    Err(Error::new(Kind::NotYet, "the account has no blob service yet").within(SERVED_WITHIN))
                }
            };
        };
        let ours = self.standing(api, &service, receipts).await?.ours;
        let body = document::merged(&service, &ours, wanted)?;
        if document::rules(&service) == document::rules(&body) {
            return Ok(());
        }
        if document::rules(&body).len() > document::rules(&service).len() && self.added.set(()).is_err() {
            self.require_added(&service)?;
        }
        api.arm.put(&id, &body, SERVED_WITHIN, call).await?;
        let after = api.arm.get(&id, call).await?.unwrap_or_default();
        // Azure has no precondition for the document, so another writer may have replaced it.
        let is_there = |rule: &Rule| document::rules(&after).iter().any(|there| rule.is(there));
        if Safeguard::ReadBack.holds() && wanted.is_some_and(|wanted| !is_there(wanted)) {
            return Err(Error::new(
                Kind::NotYet,
                format!("{at}: the rule is not visible yet, or removed again"),
            )
            .hint(
                "another tool may be writing the rules of the account; `wbstore plan` shows what differs",
            ));
        }
        if wanted.is_none() && ours.iter().any(is_there) {
            return Err(Error::new(Kind::NotYet, format!("{at}: the rule is still there, or there again"))
                .hint("another tool may be writing the rules of the account; run again"));
        }
        match document::difference(&service, &after) {
            None => Ok(()),
            Some(section) => Err(Error::new(
                Kind::Failed,
                format!(
                    "{at}: the setting {section} of the account's blob service changed together with the rule"
                ),
            )
            .hint(
                "check it in the portal, under Data protection, and set it again if nobody else changed it",
            )),
        }
    }

    /// A rule that this run has added and that cannot be found is added again only if another writer has
    /// removed it: where Azure returns it in another form, the document would be full after five times.
    fn require_added(&self, service: &Value) -> Result<()> {
        let other = document::rules(service).iter().find(|there| document::is_for(there, &self.rule));
        let Some(other) = other else { return Ok(()) };
        Err(Error::new(
            Kind::Failed,
            format!(
                "{}: Azure returns the rule in another form: {}",
                self.address(),
                clean(&other.to_string())
            ),
        )
        .hint(
            "`az storage cors list --services b` shows the rules; remove those for this origin and run again",
        ))
    }

    /// What the rules of others before wbstore's take from pages of the server.
    fn hidden(&self, rules: &[Value]) -> Vec<String> {
        let earlier = rules.iter().take_while(|there| !self.rule.is(there)).map(document::any);
        document::any(&self.rule.to_json()).hidden_by(&earlier.collect::<Vec<_>>(), REQUIRED)
    }
}

impl Resource for Cors {
    type Api = Api;

    const REMOVAL: Removal = Removal::WithParent;

    fn address(&self) -> Address {
        Self::at(&self.account)
    }

    fn needs(&self) -> Vec<Address> {
        vec![Account::at(&self.account), Held::at(CONTAINER, &self.container)]
    }

    fn part_of(&self) -> Option<Address> {
        Some(Account::at(&self.account))
    }

    async fn read(&self, api: &Api) -> Result<Seen<Self>> {
        let (at, id) = (self.address(), blob_service::id(api));
        let (service, receipts, locks) = futures::join!(
            api.arm.get(&id, blob_service::reading(&at)),
            self.receipts(api),
            lock::locks(api, &at)
        );
        let (service, receipts, (locks, _)) = (service?.unwrap_or_default(), receipts?, locks?);
        let rules = document::rules(&service);
        let Standing { ours, shared, is_theirs } = self.standing(api, &service, receipts).await?;
        self.was_there.set(is_theirs);
        let there = |rule: &Rule, owner| Seen::there(Self { rule: rule.clone(), ..self.clone() }, owner);
        let mut found = match (ours.first(), shared.first()) {
            (Some(rule), _) => there(rule, Owner::Ours),
            (None, Some((rule, _))) if self.removing => there(rule, Owner::Used),
            (None, Some((rule, _))) if *rule == self.rule => there(rule, Owner::Ours),
            _ if is_theirs => there(
                &self.rule,
                Owner::Sufficient(format!("the {}", document::describe(&self.rule.to_json()))),
            ),
            _ => Seen::absent(),
        };
        for (rule, user) in &shared {
            found.finding(format!(
                "the {} is also used by the container `{}`, and stays as long as either uses it",
                document::describe(&rule.to_json()),
                clean(user)
            ));
        }
        let is_wbstores =
            |there: &Value| ours.iter().chain(shared.iter().map(|(rule, _)| rule)).any(|rule| rule.is(there));
        let others: Vec<&Value> = rules.iter().filter(|there| !is_wbstores(there)).collect();
        if found.state().is_none() && rules.len() >= MOST_RULES {
            found.obstacle(
                Forbids::Write,
                format!("the account has {} CORS rules, and Azure allows at most {MOST_RULES}", rules.len()),
                "remove one that is no longer needed, or choose another account with --account: all containers of \
                 an account share its rules",
            );
        }
        let size = others.iter().map(|rule| document::size(rule)).sum::<usize>() + self.rule.size();
        if !self.removing && size > LARGEST {
            found.obstacle(
                Forbids::Write,
                format!("the CORS rules of the account would have {size} bytes, and Azure allows {LARGEST}"),
                "remove one that is no longer needed, or choose another account with --account: all containers of \
                 an account share its rules",
            );
        }
        if !others.is_empty() {
            found.finding("the rules are shared by all containers of the account".to_owned());
        }
        for rule in &others {
            if document::is_open(rule) {
                found.finding("a rule of others allows every origin".to_owned());
            }
        }
        if !self.removing {
            found.remarks_mut().findings.extend(self.hidden(rules));
        }
        found.remarks_mut().kept = others.into_iter().map(document::describe).collect();
        lock::forbid(locks, &id, lock::Removal::Writes, &mut found);
        Ok(found)
    }

    async fn write(&self, api: &Api, seen: &Seen<Self>, progress: &Progress) -> Result<()> {
        if progress.parent_is_new() {
            return self.put_first(api).await;
        }
        if seen.is_unmarked() || self.was_there.is_outdated() {
            Held::without(api, &self.container, WAS_THERE).await?;
        }
        self.put(api, Some(&self.rule)).await
    }

    async fn delete(&self, api: &Api, _: &Self, _: &Progress) -> Result<Deleted> {
        self.put(api, None).await?;
        Ok(Deleted::Gone)
    }
}

/// Refuses origins for which no account has a rule.
///
/// # Errors
/// [`Kind::Input`].
pub(crate) fn check(origins: &Origins) -> Result<()> {
    Rule::for_origins(origins.sorted()).check()
}
