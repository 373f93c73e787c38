//! wbstore's CORS rule among the account's five.
//!
//! The rules belong to the account's blob service, so all its containers share them (Z12), and they have no
//! ids. wbstore's is the one that equals what it would write, for the given origin or one in the container's
//! mark.

mod document;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use crate::error::{Error, Kind, Result};
use crate::event::Progress;
use crate::mark::{FORMER_ORIGIN, ORIGIN};
use crate::name::DeploymentName;
use crate::providers::azure::account::Account;
use crate::providers::azure::arm::{Call, version};
use crate::providers::azure::held::{CONTAINER, Held};
use crate::providers::azure::lock;
use crate::providers::azure::session::Api;
use crate::resource::{Address, Deleted, Forbids, Owner, Removal, Resource, Seen};

use document::{MOST_RULES, Rule};

const READ: &str = "Microsoft.Storage/storageAccounts/blobServices/read";
const WRITE: &str = "Microsoft.Storage/storageAccounts/blobServices/write";

/// How long the blob service of a new account may be unavailable.
const SERVED_WITHIN: Duration = Duration::from_secs(300);

/// What the browser of a W&B user may do with the account's blobs.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Cors {
    /// The account it is set on.
    #[serde(skip)]
    pub account: String,
    /// The container whose mark remembers the origin.
    #[serde(skip)]
    pub container: String,
    /// The deployment that the container belongs to.
    #[serde(skip)]
    pub deployment: DeploymentName,
    /// The origins in the container's mark: a teardown deletes the container before the account with its
    /// rules.
    #[serde(skip)]
    remembered: Arc<OnceLock<Vec<String>>>,
    #[serde(flatten)]
    pub rule: Rule,
}

impl Cors {
    /// The rule that allows pages from `origin` to read and upload. Teardown requires no origin.
    pub(crate) fn new(
        account: &str,
        container: &str,
        deployment: &DeploymentName,
        origin: Option<String>,
    ) -> Self {
        Self {
            account: account.to_owned(),
            container: container.to_owned(),
            deployment: deployment.clone(),
            remembered: Arc::default(),
            rule: Rule::for_origins(origin.into_iter().collect()),
        }
    }

    fn id(api: &Api) -> String {
        format!("{}/blobServices/default", api.account_id())
    }

    /// The rules that belong to wbstore in any position: the wanted one, and those of the origins in the
    /// container's mark.
    async fn ours(&self, api: &Api) -> Result<Vec<Rule>> {
        let mark = Held::mark_of(api, &self.container).await?;
        let mut ours = vec![self.rule.clone()];
        if matches!(mark.owner(&self.deployment), Owner::Ours | Owner::Adopted) {
            let origins = [ORIGIN, FORMER_ORIGIN].into_iter().filter_map(|name| mark.get(name));
            let origins: Vec<_> = origins.map(str::to_owned).collect();
            self.remembered.get_or_init(|| origins.clone());
            ours.extend(origins.into_iter().map(|origin| Rule::for_origins(vec![origin])));
        }
        let remembered = self.remembered.get().into_iter().flatten();
        ours.extend(remembered.map(|origin| Rule::for_origins(vec![origin.clone()])));
        ours.retain(|rule| !rule.allowed_origins.is_empty());
        Ok(ours)
    }

    /// Replaces our rules by `wanted` in the document as it is now.
    async fn put(&self, api: &Api, wanted: Option<&Rule>) -> Result<()> {
        let (at, id) = (self.address(), Self::id(api));
        let call = call(WRITE, &at);
        let (service, ours) = futures::join!(api.arm.get(&id, call), self.ours(api));
        let (service, ours) = (service?, ours?);
        let Some(service) = service else {
            return match wanted {
                None => Ok(()),
                Some(_) => {
                    Err(Error::new(Kind::NotYet, "the account has no blob service yet").within(SERVED_WITHIN))
                }
            };
        };
        let body = document::merged(&service, &ours, wanted)?;
        if document::rules(&service) == document::rules(&body) {
            return Ok(());
        }
        api.arm.put(&id, &body, SERVED_WITHIN, call).await?;
        let after = api.arm.get(&id, call).await?.unwrap_or_default();
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
}

impl Resource for Cors {
    type Api = Api;

    const REMOVAL: Removal = Removal::WithParent;
    const READ_BACK: bool = true;

    fn address(&self) -> Address {
        Address::new("azure", "cors", &self.account)
    }

    fn needs(&self) -> Vec<Address> {
        vec![Account::at(&self.account), Held::at(CONTAINER, &self.container)]
    }

    fn part_of(&self) -> Option<Address> {
        Some(Account::at(&self.account))
    }

    async fn read(&self, api: &Api) -> Result<Seen<Self>> {
        let (at, id) = (self.address(), Self::id(api));
        let (service, ours, locks) =
            futures::join!(api.arm.get(&id, call(READ, &at)), self.ours(api), lock::locks(api, &at));
        let (service, ours, (locks, _)) = (service?.unwrap_or_default(), ours?, locks?);
        let rules = document::rules(&service);
        let mut found = Seen::absent();
        // The wanted rule is the first of wbstore's.
        if let Some(rule) = ours.iter().find(|rule| rules.iter().any(|there| rule.is(there))) {
            found = Seen::there(Self { rule: rule.clone(), ..self.clone() }, Owner::Ours);
        }
        let others: Vec<&Value> =
            rules.iter().filter(|there| !ours.iter().any(|rule| rule.is(there))).collect();
        if found.state().is_none() && others.len() >= MOST_RULES {
            found.obstacle(
                Forbids::Write,
                format!("the account has {} CORS rules, and Azure allows at most {MOST_RULES}", others.len()),
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
        found.remarks_mut().kept = others.into_iter().map(document::describe).collect();
        lock::forbid(locks, &id, lock::Removal::Writes, &mut found);
        Ok(found)
    }

    async fn write(&self, api: &Api, _: &Seen<Self>, _: &Progress) -> Result<()> {
        self.put(api, Some(&self.rule)).await
    }

    async fn delete(&self, api: &Api, _: &Self, _: &Progress) -> Result<Deleted> {
        self.put(api, None).await?;
        Ok(Deleted::Gone)
    }
}

fn call<'a>(action: &'a str, target: &'a Address) -> Call<'a> {
    Call { action, target, version: version::STORAGE }
}
