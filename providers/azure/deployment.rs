//! One deployment on Azure: the stack that comes of what was asked for.

mod stack;

use std::sync::Arc;

use futures::future::BoxFuture;
use tokio::sync::mpsc::UnboundedSender;

use crate::error::{Error, Kind, Result};
use crate::inventory::Inventory;
use crate::patience::unless_busy;
use crate::plan::Goal;
use crate::policy::{Audience, Policy};
use crate::provider::Provider;
use crate::providers::azure::account::Account;
use crate::providers::azure::account_name::AccountName;
use crate::providers::azure::arm::{Call, version};
use crate::providers::azure::held::Held;
use crate::providers::azure::request::Request;
use crate::providers::azure::resource_group::ResourceGroup;
use crate::providers::azure::session::{Api, Session};
use crate::providers::azure::subscription_id::SubscriptionId;
use crate::providers::azure::verify::BlobSite;
use crate::providers::azure::{iam, inventory};
use crate::resource::{Address, Guard, Output, Stack};
use crate::secret::{Secret, Withheld};
use crate::text::clean;
use crate::verify::{Checking, VerifyOptions, verify};

/// A deployment on Azure, with its subscription and resource group known.
pub struct Azure {
    request: Request,
    api: Arc<Api>,
    group: Group,
    assumptions: Vec<String>,
}

/// What is known of the resource group.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Group {
    /// It was not looked for.
    Unread,
    /// It is in this location.
    In(String),
    /// It is not there.
    Missing,
}

impl Azure {
    /// Finds credentials and, where no location is named, the one of the resource group.
    ///
    /// # Errors
    /// [`Kind::Credentials`] without usable credentials, [`Kind::Input`] for a request that contradicts
    /// itself.
    pub async fn connect(request: Request) -> Result<Self> {
        request.check()?;
        let subscription = request.subscription()?.clone();
        let session = Session::open(request.endpoints.clone(), Some(&subscription))?;
        let api = Self::api(&session, &request, &subscription)?;
        let group = match (&request.resource_group, &request.location) {
            (Some(_), None) => match unless_busy(|| location_of_group(&api)).await? {
                Some(location) => Group::In(location),
                None => Group::Missing,
            },
            _ => Group::Unread,
        };
        let mut azure = Self { request, api, group, assumptions: vec![] };
        if azure.request.wanted.renews_unnamed() {
            azure.request.resource_group()?;
            let mark = Held::mark_of(&azure.api, azure.request.container().as_str()).await?;
            azure.request.wanted.renew(mark.lease_of(&azure.request.wanted.name))?;
        }
        Ok(azure)
    }

    /// The deployment as it would be in the subscription that `account` or the request names.
    ///
    /// # Errors
    /// [`Kind::Input`] for a request that contradicts itself, or `account`.
    pub fn offline(mut request: Request, account: Option<SubscriptionId>) -> Result<Self> {
        request.check()?;
        match (&account, &request.subscription) {
            (Some(account), Some(named)) if account != named => {
                return Err(Error::input(format!(
                    "--account-id is {account}, and --subscription (or AZURE_SUBSCRIPTION_ID) is {named}"
                ))
                .hint("leave --account-id out: on Azure it is the subscription"));
            }
            _ => request.subscription = account.or(request.subscription),
        }
        let session = Session::offline(request.endpoints.clone())?;
        let api = Self::api(&session, &request, request.subscription()?)?;
        let mut assumptions =
            vec!["whether the resource providers are registered was not checked".to_owned()];
        if request.location.is_none() {
            assumptions.push("the account's location, that of the resource group, was not read".to_owned());
        }
        Ok(Self { request, api, group: Group::Unread, assumptions })
    }

    fn api(session: &Session, request: &Request, subscription: &SubscriptionId) -> Result<Arc<Api>> {
        let group = request.resource_group.as_ref();
        let account = match (group, &request.account) {
            (Some(group), _) => request.account(subscription, group).to_string(),
            (None, Some(account)) => account.to_string(),
            (None, None) => String::new(),
        };
        session.api(subscription.as_str(), group.map_or("", ResourceGroup::as_str), &account)
    }

    fn account(&self) -> Result<AccountName> {
        Ok(self.request.account(self.request.subscription()?, self.request.resource_group()?))
    }

    /// The name of our event subscription.
    fn subscription_name(&self) -> String {
        format!("wbstore-{}", self.request.wanted.name)
    }

    /// Where an account is made.
    fn location(&self) -> String {
        match (&self.request.location, &self.group) {
            (Some(location), _) => location.to_string(),
            (None, Group::In(location)) => location.clone(),
            // Only seen in a plan that nobody looked for.
            (None, _) => "that of the resource group".to_owned(),
        }
    }

    fn outputs(&self) -> Vec<Output> {
        let account = &self.api.account;
        let queue = self
            .request
            .events_queue()
            .map_or_else(|| "internal://".to_owned(), |queue| format!("az://{account}/{queue}"));
        vec![
            Output { name: "BUCKET", value: format!("az://{account}/{}", self.request.container()) },
            Output { name: "BUCKET_QUEUE", value: queue },
        ]
    }

    /// The first key of the account, which `AZURE_STORAGE_KEY` is.
    async fn key(&self) -> Result<Secret> {
        let at = Account::at(&self.api.account);
        let action = "Microsoft.Storage/storageAccounts/listkeys/action";
        let call = Call { action, target: &at, version: version::STORAGE };
        let path = format!("{}/listKeys", self.api.account_id());
        let answer = unless_busy(|| self.api.arm.post(&path, None, call)).await;
        let mut answer = answer.map_err(|error| match error.to_string().contains("ScopeLocked") {
            true => error.hint(
                "a ReadOnly lock keeps keys from being read too; ask its owner to lift it for a moment, or to hand \
                 you the key",
            ),
            false => error,
        })?;
        match answer["keys"][0]["value"].take() {
            serde_json::Value::String(key) if !key.is_empty() => Ok(Secret::new(key)),
            _ => Err(Error::new(Kind::Failed, format!("{action} on {at}: the answer holds no key"))),
        }
    }
}

impl Provider for Azure {
    fn stack(&self, goal: Goal) -> Result<Stack> {
        let group = self.request.resource_group()?;
        let here = goal != Goal::Absent;
        if here && self.group == Group::Missing {
            return Err(no_group(&self.api));
        }
        let guard = || -> Guard {
            let api = Arc::clone(&self.api);
            Box::new(move || {
                let api = Arc::clone(&api);
                Box::pin(async move {
                    let found = unless_busy(|| location_of_group(&api)).await?;
                    found.map(drop).ok_or_else(|| no_group(&api))
                })
            })
        };
        Ok(Stack {
            deployment: self.request.wanted.name.to_string(),
            scope: format!(
                "azure subscription {}, resource group {group}{}",
                self.api.subscription, self.api.elsewhere
            ),
            resources: self.resources(goal)?,
            outputs: if here { self.outputs() } else { vec![] },
            notes: self.notes(goal),
            mutations: Arc::clone(&self.api.arm.mutations),
            assumptions: self.assumptions.clone(),
            guards: if here && self.group == Group::Unread { vec![guard()] } else { vec![] },
        })
    }

    fn guards(&self) -> Result<Vec<Guard>> {
        // A list does without a resource group, and every call tells whether the subscription is seen.
        Ok(vec![])
    }

    fn verify<'a>(
        &'a self,
        options: &'a VerifyOptions,
        checks: UnboundedSender<Checking>,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            self.request.resource_group()?;
            let events = self.request.events_queue().map(|queue| (queue, self.subscription_name()));
            verify(BlobSite::new(&self.api, &self.request.container(), events)?, options, checks).await
        })
    }

    fn list(&self) -> BoxFuture<'_, Result<Inventory>> {
        let within = inventory::Within {
            resource_group: self.request.resource_group.as_ref().map(ResourceGroup::as_str),
            account: self.request.account.as_ref().map(AccountName::as_str),
        };
        Box::pin(inventory::list(&self.api, within))
    }

    fn policy(&self, audience: Audience) -> Result<Policy> {
        let (subscription, group) = (self.request.subscription()?, self.request.resource_group.as_ref());
        if audience == Audience::ExpiryJob {
            return iam::policy(audience, subscription, group, None);
        }
        let queue = self.request.events_queue();
        let subjects = iam::Subjects {
            deployment: &self.request.wanted.name,
            account: &self.account()?,
            container: &self.request.container(),
            queue: queue.as_ref(),
            creates_account: self.request.account.is_none(),
            registers: self.request.register_provider,
        };
        iam::policy(audience, subscription, Some(self.request.resource_group()?), Some(&subjects))
    }

    fn withheld(&self) -> Option<Withheld<'_>> {
        let Api { account, resource_group, subscription, .. } = &*self.api;
        Some(Withheld {
            name: "AZURE_STORAGE_KEY",
            command: format!(
                "az storage account keys list --subscription {subscription} --resource-group '{resource_group}' \
                 --account-name {account} --query '[0].value' --output tsv"
            ),
            secret: Box::pin(self.key()),
        })
    }
}

/// Where the resource group is, if it is there.
async fn location_of_group(api: &Api) -> Result<Option<String>> {
    let at = Address::new("azure", "resource-group", &api.resource_group);
    let action = "Microsoft.Resources/subscriptions/resourceGroups/read";
    let call = Call { action, target: &at, version: version::RESOURCES };
    let group = api.arm.get(&api.group_id(), call).await?;
    let location = |group: serde_json::Value| clean(group["location"].as_str().unwrap_or_default());
    Ok(group.map(|group| location(group).replace(' ', "").to_lowercase()))
}

fn no_group(api: &Api) -> Error {
    let Api { resource_group, subscription, .. } = api;
    Error::refused(format!("there is no resource group {resource_group} in the subscription {subscription}")).hint(
        format!(
            "make it with `az group create --subscription {subscription} --name '{resource_group}' --location \
             <region>`, or name another with --resource-group"
        ),
    )
}
