//! Whether a resource provider is registered in the subscription, which affects the whole subscription: it is
//! registered only with consent, and remains registered (Azure Resource Manager documentation, "Azure
//! resource providers and types"; Z6).

use std::time::Duration;

use serde::Serialize;

use crate::error::{Error, Kind, Result};
use crate::event::Progress;
use crate::providers::azure::arm::{Call, version};
use crate::providers::azure::session::Api;
use crate::providers::azure::spelling::same;
use crate::resource::{Address, Deleted, Forbids, Owner, Resource, Seen};
use crate::text::clean;

/// The provider of accounts, containers and queues.
pub(crate) const STORAGE: &str = "Microsoft.Storage";
/// The provider of event subscriptions.
pub(crate) const EVENT_GRID: &str = "Microsoft.EventGrid";

/// How long a registration may take.
const REGISTERED_WITHIN: Duration = Duration::from_secs(600);
/// The interval of polling.
const ASK_EVERY: Duration = Duration::from_secs(5);

/// A resource provider of the subscription.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ResourceProvider {
    /// Its namespace, such as `Microsoft.EventGrid`.
    #[serde(skip)]
    pub namespace: &'static str,
    /// Whether we may register it.
    #[serde(skip)]
    pub may_register: bool,
    /// Its state, `Registered`.
    pub registration: String,
}

impl ResourceProvider {
    /// The provider `namespace`, registered.
    pub(crate) fn registered(namespace: &'static str, may_register: bool) -> Self {
        Self { namespace, may_register, registration: "Registered".to_owned() }
    }

    /// The address of the provider `namespace`.
    pub(crate) fn at(namespace: &str) -> Address {
        Address::new("azure", "provider", namespace)
    }

    fn id(&self, api: &Api) -> String {
        format!("{}/providers/{}", api.subscription_id(), self.namespace)
    }

    async fn state(&self, api: &Api) -> Result<String> {
        let at = self.address();
        let action = "Microsoft.Resources/subscriptions/providers/read";
        let call = Call { action, target: &at, version: version::RESOURCES };
        let provider = api.arm.get(&self.id(api), call).await?.unwrap_or_default();
        let state = clean(provider["registrationState"].as_str().unwrap_or("NotRegistered"));
        Ok(same(same(state, "Registered"), "Registering"))
    }
}

impl Resource for ResourceProvider {
    type Api = Api;

    fn address(&self) -> Address {
        Self::at(self.namespace)
    }

    async fn read(&self, api: &Api) -> Result<Seen<Self>> {
        let state = match self.state(api).await {
            Ok(state) => state,
            // It belongs to the subscription, and whoever may work in one resource group only need not see
            // it. An unregistered one is reported by the first call that requires it.
            Err(error) if error.kind() == Kind::Denied => {
                let mut found = Seen::there(self.clone(), Owner::Used);
                found.finding(format!(
                    "cannot check whether {} is registered: Microsoft.Resources/subscriptions/providers/read \
                     is denied",
                    self.namespace
                ));
                return Ok(found);
            }
            Err(error) => return Err(error),
        };
        if state == self.registration {
            // Whoever registered it, it is as wanted; a teardown leaves it.
            return Ok(Seen::there(self.clone(), Owner::Ours));
        }
        let mut found = Seen::absent();
        if !self.may_register && state != "Registering" {
            found.obstacle(
                Forbids::Write,
                format!("the resource provider {} is not registered in the subscription", self.namespace),
                format!(
                    "run `az provider register --namespace {} --wait`, or add `--register-provider`",
                    self.namespace
                ),
            );
        }
        Ok(found)
    }

    async fn write(&self, api: &Api, _: &Seen<Self>, _: &Progress) -> Result<()> {
        let state = self.state(api).await?;
        if state == self.registration {
            return Ok(());
        }
        if state != "Registering" {
            let (at, action) = (self.address(), format!("{}/register/action", self.namespace));
            let call = Call { action: &action, target: &at, version: version::RESOURCES };
            api.arm.act(&format!("{}/register", self.id(api)), call).await?;
        }
        Err(Error::new(Kind::NotYet, format!("{} is being registered", self.namespace))
            .within(REGISTERED_WITHIN)
            .retry_after(ASK_EVERY))
    }

    async fn delete(&self, _: &Api, _: &Self, _: &Progress) -> Result<Deleted> {
        Ok(Deleted::Gone)
    }
}
