//! The storage account: made when it is not there, and used as it is when it is somebody else's.

mod contents;
mod elsewhere;
mod settings;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use crate::error::{Error, Result};
use crate::event::Reporter;
use crate::name::DeploymentName;
use crate::providers::azure::arm::{Call, version};
use crate::providers::azure::failure::MADE_WITHIN;
use crate::providers::azure::lock;
use crate::providers::azure::mark::{self, Form, Mark};
use crate::providers::azure::provider::{self, Provider};
use crate::providers::azure::session::Api;
use crate::resource::{Address, Forbids, Found, Owner, Prior, Resource};
use crate::text::clean;

pub use contents::Contents;
pub use settings::Settings;

/// The state of an account that is there for good.
const SUCCEEDED: &str = "Succeeded";

/// The storage account that container and queue are in.
#[derive(Clone, Debug, Serialize)]
pub struct Account {
    /// Its name.
    #[serde(skip)]
    pub name: String,
    /// The deployment that makes it.
    #[serde(skip)]
    pub deployment: DeploymentName,
    /// Whether teardown may remove it only after its lease has ended.
    #[serde(skip)]
    pub only_expired: bool,
    /// Whether the location is one that the user named; otherwise an account may be anywhere.
    #[serde(skip)]
    pub location_is_wanted: bool,
    /// What of ours is in it; told where the account is to go.
    #[serde(skip)]
    pub contents: Option<Contents>,
    /// Where it is.
    pub location: String,
    /// What kind it is and what it allows.
    #[serde(flatten)]
    pub settings: Settings,
    /// How far Azure is with it.
    pub state: String,
    /// Our tags.
    pub mark: Mark,
}

impl Account {
    /// The address of the account `name`.
    pub fn at(name: &str) -> Address {
        Address::new("azure", "account", name)
    }

    /// The account `name` of `deployment`, as we make it.
    pub fn new(name: &str, deployment: &DeploymentName, location: &str, mark: Mark) -> Self {
        Self {
            name: name.to_owned(),
            deployment: deployment.clone(),
            only_expired: false,
            location_is_wanted: false,
            contents: None,
            location: location.to_owned(),
            settings: Settings::wanted(),
            state: SUCCEEDED.to_owned(),
            mark,
        }
    }

    async fn get(&self, api: &Api) -> Result<Option<Value>> {
        let at = self.address();
        api.arm.get(&api.account_id(), call("Microsoft.Storage/storageAccounts/read", &at)).await
    }

    fn observed(&self, account: &Value) -> Self {
        let location = clean(account["location"].as_str().unwrap_or_default());
        let location = location.replace(' ', "").to_lowercase();
        let state = account["properties"]["provisioningState"].as_str().unwrap_or(SUCCEEDED);
        Self {
            location: if self.location_is_wanted { location } else { self.location.clone() },
            settings: Settings::observed(account),
            state: clean(state),
            mark: mark::managed(&Form::Tags.read(&account["tags"]), &self.mark),
            ..self.clone()
        }
    }

    /// What of `account` concerns whoever puts a bucket into it without being its owner.
    fn look_at_foreign(&self, account: &Value, found: &mut Found<Self>) {
        for (message, hint) in Settings::observed(account).unfit() {
            found.obstacle(Forbids::Present, message, hint);
        }
        found.findings.extend(settings::exposures(account));
        found.findings.push(
            "it is not ours: it is used as it is, but for our one CORS rule, and teardown leaves it"
                .to_owned(),
        );
    }

    /// Keeps the account when it holds what is not ours; says so in `found`.
    async fn look_inside(&self, api: &Api, ours: &Contents, found: &mut Found<Self>) -> Result<()> {
        let others = ours.others(api, &self.deployment).await?;
        if others.is_empty() {
            found
                .findings
                .push("it goes for good: Azure may bring an account back for 14 days, or not".to_owned());
            return Ok(());
        }
        // What was ours alone is given back instead.
        found.owner = Owner::Adopted;
        found.findings.extend(others.into_iter().map(|other| format!("it stays, because it holds {other}")));
        Ok(())
    }

    async fn create(&self, api: &Api) -> Result<()> {
        let at = self.address();
        let call = call("Microsoft.Storage/storageAccounts/write", &at);
        // A PUT would change an account that is there (Z2).
        if let Some(account) = self.get(api).await? {
            return match mark::owner(&Form::Tags.read(&account["tags"]), &self.deployment) {
                Owner::Ours => api.arm.settle(&api.account_id(), MADE_WITHIN, call).await,
                _ => Err(Error::refused(format!(
                    "an account {} without our mark appeared meanwhile",
                    self.name
                ))
                .hint("run again to see it in the plan")),
            };
        }
        let mark = mark::to_write(&self.mark, &Mark::new(), false, Timestamp::now());
        let body = json!({
            "location": self.location,
            "tags": Form::Tags.write(&Value::Null, &mark),
            "kind": self.settings.kind,
            "sku": {"name": self.settings.sku},
            "properties": self.settings.properties(),
        });
        api.arm.put(&api.account_id(), &body, MADE_WITHIN, call).await
    }

    async fn update(&self, api: &Api, prior: &Self) -> Result<()> {
        let at = self.address();
        let call = call("Microsoft.Storage/storageAccounts/write", &at);
        if prior.state != SUCCEEDED {
            // What it comes to is read back.
            return api.arm.settle(&api.account_id(), MADE_WITHIN, call).await;
        }
        let mut body = json!({});
        if prior.settings != self.settings {
            body["properties"] = self.settings.changeable();
        }
        if prior.mark != self.mark {
            body["tags"] = self.tags(api).await?;
        }
        if body.as_object().is_some_and(|body| body.is_empty()) {
            return Ok(());
        }
        api.arm.patch(&api.account_id(), &body, MADE_WITHIN, call).await
    }

    /// The account's tags, with ours as they should be.
    async fn tags(&self, api: &Api) -> Result<Value> {
        let account = self.get(api).await?.unwrap_or_default();
        let observed = Form::Tags.read(&account["tags"]);
        let mark = mark::to_write(&self.mark, &observed, false, Timestamp::now());
        Ok(Form::Tags.write(&account["tags"], &mark))
    }
}

impl Resource for Account {
    type Api = Api;

    const FIXED: &'static [&'static str] = &["location", "kind", "hierarchical_namespace"];
    // A policy may set back what we ask for, and a race may lose the mark.
    const READ_BACK: bool = true;

    fn address(&self) -> Address {
        Self::at(&self.name)
    }

    fn needs(&self) -> Vec<Address> {
        vec![Provider::at(provider::STORAGE)]
    }

    async fn read(&self, api: &Api) -> Result<Found<Self>> {
        let at = self.address();
        let (account, locks) = futures::join!(self.get(api), lock::locks(api, &at));
        let (account, (locks, unread)) = (account?, locks?);
        let mut found = match &account {
            Some(account) => {
                let observed = Form::Tags.read(&account["tags"]);
                let owner = match mark::owner(&observed, &self.deployment) {
                    Owner::Ours => Owner::Ours,
                    _ => Owner::Used,
                };
                let mut found = Found::present(self.observed(account), owner);
                if self.only_expired && !mark::has_expired(&observed, Timestamp::now()) {
                    found.obstacle(
                        Forbids::Delete,
                        "its lease has not ended",
                        "run the same command again later",
                    );
                }
                found
            }
            None => Found::absent(),
        };
        match (&account, &self.contents) {
            (Some(_), Some(contents)) if found.owner == Owner::Ours => {
                self.look_inside(api, contents, &mut found).await?;
            }
            (Some(account), None) if found.owner == Owner::Used => self.look_at_foreign(account, &mut found),
            (None, None) => self.look_for_name(api, &mut found).await?,
            _ => {}
        }
        found.findings.extend(unread.iter().map(|scope| lock::unread(scope)));
        let removal = match found.owner {
            Owner::Adopted => lock::Removal::Writes,
            _ => lock::Removal::Deletes,
        };
        lock::forbid(locks, &api.account_id(), removal, &mut found);
        Ok(found)
    }

    async fn write(&self, api: &Api, from: Prior<'_, Self>) -> Result<()> {
        match from {
            Prior::Absent | Prior::New => self.create(api).await,
            Prior::Ours(prior) | Prior::Unmarked(prior) => self.update(api, prior).await,
        }
    }

    async fn delete(&self, api: &Api, _: &Reporter) -> Result<()> {
        let at = self.address();
        // What came since the plan would go with it.
        if let Some(contents) = &self.contents {
            let others = contents.others(api, &self.deployment).await?;
            if !others.is_empty() {
                return Err(Error::refused(format!("{at} holds {} meanwhile", others.join(", ")))
                    .hint("run again: the plan shows what becomes of it"));
            }
        }
        let call = call("Microsoft.Storage/storageAccounts/delete", &at);
        api.arm.delete(&api.account_id(), MADE_WITHIN, call).await
    }

    async fn release(&self, api: &Api) -> Result<()> {
        let at = self.address();
        let Some(account) = self.get(api).await? else { return Ok(()) };
        let body = json!({"tags": Form::Tags.write(&account["tags"], &Mark::new())});
        let call = call("Microsoft.Storage/storageAccounts/write", &at);
        api.arm.patch(&api.account_id(), &body, MADE_WITHIN, call).await
    }
}

fn call<'a>(action: &'a str, target: &'a Address) -> Call<'a> {
    Call { action, target, version: version::STORAGE }
}
