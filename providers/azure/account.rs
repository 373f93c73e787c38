//! The storage account: created if it does not exist, and otherwise used as it is unless wbstore created it.

mod contents;
mod elsewhere;
mod settings;

use serde::Serialize;
use serde_json::{Value, json};

use crate::error::Result;
use crate::event::Progress;
use crate::mark::{Entries, Marking, entries};
use crate::providers::azure::arm::{Call, version};
use crate::providers::azure::failure::MADE_WITHIN;
use crate::providers::azure::lock;
use crate::providers::azure::resource_provider::{self, ResourceProvider};
use crate::providers::azure::session::Api;
use crate::providers::azure::spelling::same;
use crate::resource::{Address, Deleted, Forbids, Owner, Resource, Seen};
use crate::text::clean;

pub(crate) use contents::Contents;
pub(crate) use settings::Settings;

/// The state of an account that is provisioned.
const SUCCEEDED: &str = "Succeeded";

/// The storage account that container and queue are in.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Account {
    #[serde(skip)]
    pub name: String,
    /// Whether the location is one that the user named; otherwise an account may be anywhere.
    #[serde(skip)]
    pub location_is_wanted: bool,
    /// Whether wbstore chose its name, so that it is probably to be created.
    #[serde(skip)]
    pub name_is_derived: bool,
    /// wbstore's resources in it, if the account is to be deleted.
    #[serde(skip)]
    pub contents: Option<Contents>,
    /// Of an existing account: all its tags, including the mark.
    #[serde(skip)]
    pub all_tags: Entries,
    /// Where it is.
    pub location: String,
    /// What kind it is and what it allows.
    #[serde(flatten)]
    pub settings: Settings,
    /// How far Azure is with it.
    pub state: String,
    /// The tags that the user wants.
    #[serde(skip_serializing_if = "Entries::is_empty")]
    pub tags: Entries,
    pub mark: Marking,
}

impl Account {
    /// The address of the account `name`.
    pub(crate) fn at(name: &str) -> Address {
        Address::new("azure", "account", name)
    }

    /// The account `name` as we create it.
    pub(crate) fn new(name: &str, location: &str, mark: Marking) -> Self {
        Self {
            name: name.to_owned(),
            location_is_wanted: false,
            name_is_derived: false,
            contents: None,
            all_tags: Entries::new(),
            tags: mark.tags().clone(),
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
        let all_tags = entries(&account["tags"]);
        let mark = self.mark.observed(&all_tags);
        let state = account["properties"]["provisioningState"].as_str().unwrap_or(SUCCEEDED);
        Self {
            location: if self.location_is_wanted { location } else { self.location.clone() },
            settings: Settings::observed(account),
            state: same(clean(state), SUCCEEDED),
            tags: mark.tags().clone(),
            mark,
            all_tags,
            ..self.clone()
        }
    }

    /// What of `account` concerns whoever puts a bucket into it without being its owner.
    fn look_at_foreign(&self, account: &Value, found: &mut Seen<Self>) {
        for (message, hint) in Settings::observed(account).unfit() {
            found.obstacle(Forbids::Present, message, hint);
        }
        found.remarks_mut().findings.extend(settings::exposures(account));
        found.finding(
            "it is not wbstore's: only wbstore's CORS rule is added, and teardown keeps the account"
                .to_owned(),
        );
        if !self.tags.is_empty() {
            found.finding(
                "--tag is skipped: containers and queues have no tags, and the account is not wbstore's",
            );
        }
    }

    /// Keeps the account if it contains `others`, which are not wbstore's; records that in `found`.
    fn keep_others(others: Vec<String>, found: &mut Seen<Self>) {
        if others.is_empty() {
            found.finding(
                "deletion may be permanent: Azure can sometimes restore a deleted account within 14 days"
                    .to_owned(),
            );
            return;
        }
        // wbstore's own part is released instead.
        found.set_owner(Owner::Adopted);
        found
            .remarks_mut()
            .findings
            .extend(others.into_iter().map(|other| format!("it is kept, because it holds {other}")));
    }

    async fn create(&self, api: &Api) -> Result<()> {
        let at = self.address();
        let call = call("Microsoft.Storage/storageAccounts/write", &at);
        let body = json!({
            "location": self.location,
            "tags": self.mark.to_create(),
            "kind": self.settings.kind,
            "sku": {"name": self.settings.sku},
            "properties": self.settings.properties(),
        });
        api.arm.put(&api.account_id(), &body, MADE_WITHIN, call).await
    }

    async fn update(&self, api: &Api, state: &Self) -> Result<()> {
        let at = self.address();
        let call = call("Microsoft.Storage/storageAccounts/write", &at);
        if state.state != SUCCEEDED {
            // What it comes to is read back.
            return api.arm.settle(&api.account_id(), MADE_WITHIN, call).await;
        }
        let mut body = json!({});
        if state.settings != self.settings {
            body["properties"] = self.settings.changeable();
        }
        if state.mark != self.mark {
            body["tags"] = json!(self.mark.to_update(&state.all_tags, false)?);
        }
        if body.as_object().is_some_and(|body| body.is_empty()) {
            return Ok(());
        }
        api.arm.patch(&api.account_id(), &body, MADE_WITHIN, call).await
    }
}

impl Resource for Account {
    type Api = Api;

    const FIXED: &'static [&'static str] = &["location", "kind", "hierarchical_namespace"];
    // An Azure policy may modify the request, and a race may lose the mark.
    const READ_BACK: bool = true;
    const BOOKKEEPING: &'static [&'static str] = &["state"];

    fn address(&self) -> Address {
        Self::at(&self.name)
    }

    fn needs(&self) -> Vec<Address> {
        vec![ResourceProvider::at(resource_provider::STORAGE)]
    }

    fn marking(&self) -> Option<&Marking> {
        Some(&self.mark)
    }

    async fn read(&self, api: &Api) -> Result<Seen<Self>> {
        self.look(api, self.contents.as_ref()).await
    }

    async fn read_as_parent(&self, api: &Api) -> Result<Seen<Self>> {
        // Who it belongs to and what protects it; what else is in it keeps the account, and not its parts.
        self.look(api, None).await
    }

    async fn write(&self, api: &Api, seen: &Seen<Self>, _: &Progress) -> Result<()> {
        match seen.state() {
            None => self.create(api).await,
            Some(state) => self.update(api, state).await,
        }
    }

    async fn delete(&self, api: &Api, _: &Self, _: &Progress) -> Result<Deleted> {
        let at = self.address();
        let call = call("Microsoft.Storage/storageAccounts/delete", &at);
        api.arm.delete(&api.account_id(), MADE_WITHIN, call).await?;
        Ok(Deleted::Gone)
    }

    async fn release(&self, api: &Api, seen: &Self, _: &Progress) -> Result<()> {
        let at = self.address();
        let body = json!({"tags": self.mark.to_release(&seen.all_tags)});
        let call = call("Microsoft.Storage/storageAccounts/write", &at);
        api.arm.patch(&api.account_id(), &body, MADE_WITHIN, call).await
    }
}

impl Account {
    /// Looks at it, and at what of others is in it where `ours` are to be deleted with it. Everything is requested at
    /// the same time.
    async fn look(&self, api: &Api, ours: Option<&Contents>) -> Result<Seen<Self>> {
        let at = self.address();
        let removing = self.contents.is_some();
        // What a look has read is there when it is asked for below. In an account that is probably another's nothing
        // else matters.
        let early = async {
            match ours {
                _ if !self.name_is_derived => {}
                Some(ours) => drop(ours.others(api, self.mark.storage()).await),
                None if !removing => drop(self.name_is_free(api).await),
                None => {}
            }
        };
        let (account, locks, ()) = futures::join!(self.get(api), lock::locks(api, &at), early);
        let (account, (locks, unread)) = (account?, locks?);
        let mut found = match &account {
            Some(account) => {
                let created = account["properties"]["creationTime"].as_str();
                let created = created.and_then(|text| text.parse().ok());
                let tags = entries(&account["tags"]);
                let mut found = self.mark.seen(&tags, created, self.observed(account));
                if found.owner() != Some(&Owner::Ours) {
                    found.set_owner(Owner::Used);
                }
                found
            }
            None => Seen::absent(),
        };
        if let (Some(account), false) = (&account, removing) {
            found.remarks_mut().findings.extend(settings::hindrances(account));
            let read_only = lock::read_only(locks, &api.account_id());
            found.remarks_mut().findings.extend(read_only.map(|lock| {
                format!("{lock} also denies signing and reading keys, so neither verify nor --reveal works")
            }));
        }
        match (&account, ours) {
            (Some(_), Some(ours)) if found.owner() == Some(&Owner::Ours) => {
                Self::keep_others(ours.others(api, self.mark.storage()).await?, &mut found);
            }
            (Some(account), _) if !removing && found.owner() == Some(&Owner::Used) => {
                self.look_at_foreign(account, &mut found)
            }
            (None, _) if !removing && !self.name_is_free(api).await? => {
                self.look_for_owner(api, &mut found).await?
            }
            _ => {}
        }
        found.remarks_mut().findings.extend(unread.iter().map(|scope| lock::unread(scope)));
        let removal = match found.owner() {
            Some(Owner::Adopted) => lock::Removal::Writes,
            _ => lock::Removal::Deletes,
        };
        lock::forbid(locks, &api.account_id(), removal, &mut found);
        Ok(found)
    }
}

fn call<'a>(action: &'a str, target: &'a Address) -> Call<'a> {
    Call { action, target, version: version::STORAGE }
}
