//! What a test may do to the cloud behind everybody's back.

mod contents;
mod marks;
mod planted;

use serde_json::{Map, Value, json};

use super::AzureDouble;
use super::claims::Principal;
use super::store::{Group, Lock, Registration, Subscription, guid};
use super::trouble::{Armed, Trouble};

pub use planted::Planted;

impl AzureDouble {
    /// The subscription it starts with.
    pub fn subscription(&self) -> String {
        self.shared.world().home.clone()
    }

    /// The resource group it starts with, in West Europe.
    pub fn group(&self) -> &'static str {
        "acme"
    }

    /// The service principal it starts with.
    pub fn principal(&self) -> Principal {
        self.shared.world().issuer.principals[0].clone()
    }

    /// What Azure's libraries need in their environment to sign in as `principal`. The authority is
    /// plain HTTP, which they take only with some help.
    pub fn env(&self, principal: &Principal) -> Vec<(String, String)> {
        [
            ("AZURE_AUTHORITY_HOST", self.arm_url()),
            ("AZURE_TENANT_ID", principal.tenant.clone()),
            ("AZURE_CLIENT_ID", principal.client.clone()),
            ("AZURE_CLIENT_SECRET", principal.secret.clone()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec()
    }

    /// The same as a managed identity, which speaks plain HTTP everywhere.
    pub fn managed_env(&self, principal: &Principal) -> Vec<(String, String)> {
        [
            ("IDENTITY_ENDPOINT", format!("{}/msi/token", self.arm_url())),
            ("IDENTITY_HEADER", principal.secret.clone()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec()
    }

    /// A token for `audience` that lasts `seconds`; less than none for one that has expired.
    pub fn token(&self, principal: &Principal, audience: &str, seconds: i64) -> String {
        self.shared.world().issuer.token(principal, audience, seconds)
    }

    /// Adds a subscription of a tenant, with a group `acme` and all providers; gives its id.
    pub fn add_subscription(&self, tenant: &str) -> String {
        let mut world = self.shared.world();
        let like = world.subscriptions.values().next().cloned();
        let one = Subscription { tenant: tenant.to_owned(), ..like.unwrap_or_default() };
        let id = guid();
        world.subscriptions.insert(id.clone(), one);
        id
    }

    /// Adds a resource group to a subscription.
    pub fn add_group(&self, subscription: &str, name: &str, location: &str) {
        let group = Group { name: name.to_owned(), location: location.to_owned(), tags: Map::new() };
        if let Some(one) = self.shared.world().subscriptions.get_mut(subscription) {
            one.groups.insert(name.to_ascii_lowercase(), group);
        }
    }

    /// Registers a resource provider in the first subscription, or takes its registration away.
    pub fn set_registered(&self, namespace: &str, registered: bool) {
        let state = if registered { Registration::Registered } else { Registration::NotRegistered };
        let id = self.subscription();
        if let Some(one) = self.shared.world().subscriptions.get_mut(&id) {
            one.providers.insert(namespace.to_ascii_lowercase(), state);
        }
    }

    /// Puts a lock on something.
    pub fn lock(&self, lock: Lock) {
        self.shared.world().locks.push(lock);
    }

    /// Takes all locks away.
    pub fn unlock(&self) {
        self.shared.world().locks.clear();
    }

    /// Takes a permission from a principal: an action of RBAC, or all that start with what is
    /// before a `*` at its end.
    pub fn deny(&self, principal: &Principal, action: &str) {
        self.shared.world().denied.push((principal.client.clone(), action.to_owned()));
    }

    /// Gives a principal only what a custom role gives, a document as `az role definition create` reads it.
    pub fn restrict(&self, principal: &Principal, role: &Value) {
        self.shared.world().roles.push((principal.client.clone(), role.clone()));
    }

    /// Gives all permissions back.
    pub fn allow_all(&self) {
        let mut world = self.shared.world();
        world.denied.clear();
        world.roles.clear();
    }

    /// Gives an account a management policy with these rules.
    pub fn set_lifecycle(&self, account: &str, rules: &Value) {
        if let Some(one) = self.shared.world().accounts.get_mut(account) {
            one.lifecycle = serde_json::json!({ "policy": { "rules": rules } });
        }
    }

    /// Lays a trouble in wait for the next so many requests that are this action of RBAC.
    pub fn trouble(&self, action: &str, trouble: Trouble, times: usize) {
        let armed = Armed { action: action.to_owned(), trouble, times };
        self.shared.world().troubles.push(armed);
    }

    /// Sends those who ask about long operations to another host, or back here.
    pub fn misdirect_polls(&self, host: Option<&str>) {
        self.shared.world().poll_host = host.map(str::to_owned);
    }

    /// Makes an account that is there at once.
    pub async fn plant(&self, planted: Planted) -> std::io::Result<()> {
        let account = planted.account(&self.subscription());
        let owner = self.shared.world().owner.clone();
        let keys = [account.keys[0].value.as_str(), account.keys[1].value.as_str()];
        if !self.shared.plane.open_account(&owner, &account.name, keys).await? {
            return Err(std::io::Error::other(format!("{} is taken", account.name)));
        }
        self.shared.world().accounts.insert(account.name.clone(), account);
        Ok(())
    }

    /// Takes an account name away without a trace, as one that was deleted a short while ago does.
    pub async fn take_name(&self, name: &str) -> std::io::Result<()> {
        self.shared.plane.open_account("somebody", name, ["", ""]).await.map(|_| ())
    }

    /// Sets a property on every account that is made or changed from now on, whatever its maker
    /// wants: Azure Policy with the effect `modify`.
    pub fn enforce(&self, property: &str, value: impl Into<Value>) {
        self.shared.world().policy.insert(property.to_owned(), value.into());
    }

    /// The id of an account; empty when there is none.
    pub fn account_id(&self, account: &str) -> String {
        self.shared.world().accounts.get(account).map(super::store::Account::id).unwrap_or_default()
    }

    /// The first key of an account; empty when there is none.
    pub fn key(&self, account: &str) -> String {
        let world = self.shared.world();
        world.accounts.get(account).map(|account| account.keys[0].value.clone()).unwrap_or_default()
    }

    /// The query of a URL that lets whoever has it use the blobs of a container, with such permissions as
    /// `rcw`, until `end`.
    ///
    /// # Panics
    ///
    /// Never: all that a signature is of is given.
    pub fn container_sas(
        &self,
        account: &str,
        container: &str,
        permissions: &str,
        end: jiff::Timestamp,
    ) -> String {
        let what = json!({
            "canonicalizedResource": format!("/blob/{account}/{container}"), "signedResource": "c",
            "signedPermission": permissions, "signedExpiry": end.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        });
        super::sas::service(&self.key(account), &what).expect("it is complete")
    }

    /// Sets a property of an account, as a policy of the company might.
    pub fn set_property(&self, account: &str, name: &str, value: Value) {
        if let Some(one) = self.shared.world().accounts.get_mut(account) {
            one.properties.insert(name.to_owned(), value);
        }
    }
}
