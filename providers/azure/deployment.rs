//! One deployment on Azure: the stack that results from the options.

mod stack;

use std::sync::Arc;

use futures::future::BoxFuture;

use crate::error::{Error, Kind, Result};
use crate::http::Reads;
use crate::inventory::Inventory;
use crate::mark::Marking;
use crate::plan::Goal;
use crate::policy::{Audience, Policy};
use crate::provider::{Provider, Wanted, account_id, look_ahead, while_reading};
use crate::providers::azure::account::Account;
use crate::providers::azure::account_name::AccountName;
use crate::providers::azure::arm::{Call, version};
use crate::providers::azure::container_name::ContainerName;
use crate::providers::azure::event_subscription::EventSubscription;
use crate::providers::azure::held::Held;
use crate::providers::azure::identity::{EntraId, TeamIdentity, team_address};
use crate::providers::azure::mark::LABELS;
use crate::providers::azure::options::{AzureOptions, AzureParts};
use crate::providers::azure::queue_name::QueueName;
use crate::providers::azure::resource_group::ResourceGroup;
use crate::providers::azure::session::{Api, Session};
use crate::providers::azure::subscription_id::SubscriptionId;
use crate::providers::azure::verify::BlobSite;
use crate::providers::azure::{iam, inventory};
use crate::reader::{FILE_STORES, Reader, node_command};
use crate::resource::{Address, Guard, Output, Stack};
use crate::retry::unless_busy;
use crate::secret::{Instead, Secret, Withheld};
use crate::text::clean;
use crate::verify::{Check, CheckSender, VerifyOptions, verify};

/// A deployment on Azure, with its subscription and resource group known.
pub(crate) struct Azure {
    options: AzureOptions,
    wanted: Wanted,
    api: Arc<Api>,
    group: Group,
    assumptions: Vec<String>,
    /// What has been read while the resource group was.
    reads: Reads,
}

/// What is known of the resource group.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Group {
    /// It was not looked for.
    Unread,
    /// It is in this location.
    In(String),
    /// It does not exist.
    Missing,
}

impl Azure {
    /// Finds credentials and, where no location is named, the one of the resource group.
    ///
    /// # Errors
    /// [`Kind::Credentials`] without usable credentials, [`Kind::Input`] for options that contradict each
    /// other.
    pub(super) async fn connect(options: AzureOptions, wanted: Wanted) -> Result<Box<dyn Provider>> {
        let options = options.of(&wanted)?;
        options.check(&wanted)?;
        let session = Session::open(options.names.endpoints(), Some(options.subscription()?))?;
        let api = Self::api(&session, &options, &wanted)?;
        let (group, assumptions, reads) = (Group::Unread, vec![], Reads::default());
        let mut azure = Self { options, wanted, api, group, assumptions, reads };
        azure.find_group().await?;
        if azure.wanted.renews_unnamed() {
            azure.options.resource_group()?;
            let mark = Held::mark_of(&azure.api, azure.container().as_str()).await?;
            azure.wanted.renew(mark.lease_of(&azure.wanted.name))?;
        }
        Ok(Box::new(azure))
    }

    /// Reads the location of the resource group, where an account is to be created in it.
    async fn find_group(&mut self) -> Result<()> {
        let is_named = self.options.names.place.resource_group.is_some();
        if !is_named || self.options.location.is_some() || self.wanted.goal == Some(Goal::Absent) {
            return Ok(());
        }
        let group = unless_busy(|| location_of_group(&self.api));
        let group = while_reading(group, self.look_ahead()).await?;
        self.group = group.map_or(Group::Missing, Group::In);
        Ok(())
    }

    /// The reads of the first look do not depend on the location: only what is created does.
    async fn look_ahead(&self) {
        if let Some(Ok(resources)) = self.wanted.goal.map(|goal| self.resources(goal)) {
            look_ahead(&resources, &self.reads).await;
        }
    }

    /// The deployment as it would be in the subscription that `account` or the options name.
    ///
    /// # Errors
    /// [`Kind::Input`] for options that contradict each other, or `account`.
    pub(super) async fn offline(
        options: AzureOptions,
        wanted: Wanted,
        account: Option<&str>,
    ) -> Result<Box<dyn Provider>> {
        let mut options = options.of(&wanted)?;
        let account: Option<SubscriptionId> = account.map(account_id).transpose()?;
        options.check(&wanted)?;
        let subscription = &mut options.names.place.subscription;
        match (&account, &subscription) {
            (Some(account), Some(named)) if account != named => {
                return Err(Error::input(format!(
                    "--account-id is {account}, but --subscription (or AZURE_SUBSCRIPTION_ID) is {named}"
                ))
                .hint("omit `--account-id`: on Azure the account is the subscription"));
            }
            (Some(_), _) => *subscription = account,
            (None, _) => {}
        }
        let session = Session::offline(options.names.endpoints())?;
        let api = Self::api(&session, &options, &wanted)?;
        let mut assumptions = vec!["registration of the resource providers was not checked".to_owned()];
        if options.location.is_none() {
            assumptions
                .push("the account's location, the one of the resource group, was not read".to_owned());
        }
        let (group, reads) = (Group::Unread, Reads::default());
        Ok(Box::new(Self { options, wanted, api, group, assumptions, reads }))
    }

    fn api(session: &Session, options: &AzureOptions, wanted: &Wanted) -> Result<Arc<Api>> {
        let (subscription, group) = (options.subscription()?, &options.names.place.resource_group);
        let account = match (&options.names.account, group) {
            (Some(account), _) => account.to_string(),
            (None, Some(group)) => AccountName::default_for(&wanted.name, subscription, group).to_string(),
            (None, None) => String::new(),
        };
        let group = group.as_ref().map_or("", ResourceGroup::as_str);
        session.api(subscription.as_str(), group, &account)
    }

    fn parts(&self) -> &AzureParts {
        &self.options.names.parts
    }

    /// The storage account.
    fn account(&self) -> Result<AccountName> {
        self.options.names.account.clone().map_or_else(|| self.derived_account(), Ok)
    }

    fn derived_account(&self) -> Result<AccountName> {
        let (subscription, group) = (self.options.subscription()?, self.options.resource_group()?);
        Ok(AccountName::default_for(&self.wanted.name, subscription, group))
    }

    /// The container of the server's files.
    fn container(&self) -> ContainerName {
        self.parts().container(&self.wanted.name)
    }

    /// The queue that gets the container's events; none with `--queue internal`.
    fn events_queue(&self) -> Option<QueueName> {
        self.parts().events_queue(&self.wanted.name.deployment)
    }

    /// The name of our event subscription.
    fn subscription_name(&self) -> String {
        format!("wbstore-{}", self.wanted.name.deployment)
    }

    /// The location of a new account.
    fn location(&self) -> String {
        match (&self.options.location, &self.group) {
            (Some(location), _) => location.to_string(),
            (None, Group::In(location)) => location.clone(),
            // Appears only in an offline plan.
            (None, _) => "that of the resource group".to_owned(),
        }
    }

    /// The reader of a team's container.
    fn reader(&self) -> Reader<EntraId> {
        self.options.reader.clone().unwrap_or_default()
    }

    /// The address of a team's container, with a placeholder for its key.
    fn team_address(&self, identity: &TeamIdentity) -> Result<String> {
        let key = (*identity == TeamIdentity::Key).then_some("***");
        Ok(team_address(&self.account()?, &self.container(), key))
    }

    fn outputs(&self) -> Result<Vec<Output>> {
        if self.wanted.name.team.is_some() {
            let value = self.team_address(&self.options.identity()?)?;
            return Ok(vec![Output { name: FILE_STORES, value }]);
        }
        let account = &self.api.account;
        let queue = self.events_queue();
        let queue = queue.map_or_else(|| "internal://".to_owned(), |queue| format!("az://{account}/{queue}"));
        let storage = [
            Output { name: "BUCKET", value: format!("az://{account}/{}", self.container()) },
            Output { name: "BUCKET_QUEUE", value: queue },
        ];
        Ok(storage.into_iter().chain(self.wanted.versioning.output()).collect())
    }

    /// The address of a team's container, where the account's key is in it.
    fn withheld_address(&self) -> Option<Withheld<'_>> {
        let account = self.account().ok().filter(|_| self.options.account_key)?;
        let container = self.container();
        Some(Withheld {
            name: FILE_STORES,
            instead: Instead::Masked(team_address(&account, &container, Some("***"))),
            warning: None,
            secret: Box::pin(async move {
                let key = self.key().await?;
                Ok(Secret::new(team_address(&account, &container, Some(key.reveal()))))
            }),
        })
    }

    /// The checks of who may use a team's container.
    ///
    /// # Errors
    /// As [`AzureOptions::identity`].
    fn team_checks(&self) -> Result<Vec<Check>> {
        if self.wanted.name.team.is_none() {
            return Ok(vec![]);
        }
        let node = node_command("azure", &self.wanted, "");
        let who = match self.options.identity()? {
            TeamIdentity::Managed { client, .. } => format!("the managed identity {client}"),
            TeamIdentity::Key => "whoever has the account's key".to_owned(),
        };
        Ok(vec![self.reader().unproved(&who, &node)])
    }

    /// The first key of the account, which `AZURE_STORAGE_KEY` is.
    async fn key(&self) -> Result<Secret> {
        let at = Account::at(&self.api.account);
        let action = "Microsoft.Storage/storageAccounts/listkeys/action";
        let call = Call { action, target: &at, version: version::STORAGE };
        let path = format!("{}/listKeys", self.api.account_id());
        let first = |answer: &mut serde_json::Value| match answer
            .pointer_mut("/keys/0/value")
            .map(serde_json::Value::take)
        {
            Some(serde_json::Value::String(key)) if !key.is_empty() => Some(Secret::new(key)),
            _ => None,
        };
        let key = unless_busy(|| self.api.arm.secret(&path, call, first)).await;
        let key = key.map_err(|error| match error.to_string().contains("ScopeLocked") {
            true => error.hint(
                "a ReadOnly lock also denies reading keys; ask its owner to remove it temporarily, or to \
                 send you the key",
            ),
            false => error,
        })?;
        key.ok_or_else(|| Error::new(Kind::Failed, format!("{action} on {at}: the response contains no key")))
    }
}

impl Provider for Azure {
    fn stack(&self, goal: Goal) -> Result<Stack> {
        let group = self.options.resource_group()?;
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
            deployment: self.wanted.name.to_string(),
            scope: format!(
                "azure subscription {}, resource group {group}{}",
                self.api.subscription, self.api.elsewhere
            ),
            resources: self.resources(goal)?,
            outputs: if here { self.outputs()? } else { vec![] },
            notes: self.notes(goal),
            mutations: Arc::clone(&self.api.arm.mutations),
            assumptions: self.assumptions.clone(),
            guards: if here && self.group == Group::Unread { vec![guard()] } else { vec![] },
            reads: self.reads.clone(),
        })
    }

    fn guards(&self) -> Result<Vec<Guard>> {
        // A list requires no resource group, and any call shows whether the subscription is accessible.
        Ok(vec![])
    }

    fn verify<'a>(&'a self, options: &'a VerifyOptions, checks: CheckSender) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            self.options.resource_group()?;
            let events = self.events_queue().map(|queue| {
                let (account, container, shape) = (&self.api.account, self.container(), self.shape(&queue));
                let mark = Marking::of(&self.wanted, &LABELS);
                let name = self.subscription_name();
                (queue, EventSubscription::new(&name, account, container.as_str(), shape, mark))
            });
            let reader = self.team_checks()?;
            verify(BlobSite::new(&self.api, &self.container(), events)?.read_by(reader), options, checks)
                .await
        })
    }

    fn next_steps(&self) -> Vec<String> {
        let Some(team) = &self.wanted.name.team else { return vec![] };
        let (account, container) = (&self.api.account, self.container());
        let mut dialog = format!(
            "in W&B's dialog, choose Azure, and enter as account name {account} and as container name {container}"
        );
        let mut steps = self.reader().next_steps();
        if let Ok(TeamIdentity::Managed { client, tenant }) = self.options.identity() {
            dialog.push_str(&format!(", as tenant ID {tenant} and as managed identity client ID {client}"));
            steps.push(format!(
                "the identity requires a role on the account and federated credentials of the server's service accounts: \
                 wbstore policy azure --team {team} --for node --trust workload-identity --format commands prints both"
            ));
        }
        steps.push(dialog);
        steps
    }

    fn list(&self) -> BoxFuture<'_, Result<Inventory>> {
        let within = inventory::Within {
            resource_group: self.options.names.place.resource_group.as_ref().map(ResourceGroup::as_str),
            account: self.options.names.account.as_ref().map(AccountName::as_str),
        };
        Box::pin(inventory::list(&self.api, within))
    }

    fn policy(&self, audience: Audience) -> Result<Policy> {
        let (subscription, group) =
            (self.options.subscription()?, self.options.names.place.resource_group.as_ref());
        if audience == Audience::ExpiryJob {
            return iam::policy(audience, subscription, group, None);
        }
        let queue = self.events_queue();
        let AzureOptions { reader, managed_identity, identity_tenant, trust, .. } = &self.options;
        let client = managed_identity.as_ref().or(reader.as_ref().and_then(Reader::named));
        let federation = trust.federation(&self.wanted.name, client, identity_tenant.as_ref())?;
        let subjects = iam::Subjects {
            storage: &self.wanted.name,
            client,
            account: &self.account()?,
            container: &self.container(),
            queue: queue.as_ref(),
            creates_account: self.options.names.account.is_none(),
            registers: self.options.register_provider,
            federation: federation.as_ref(),
        };
        iam::policy(audience, subscription, Some(self.options.resource_group()?), Some(&subjects))
    }

    fn withheld(&self) -> Option<Withheld<'_>> {
        if self.wanted.name.team.is_some() {
            return self.withheld_address();
        }
        let Api { account, resource_group, subscription, .. } = &*self.api;
        Some(Withheld {
            name: "AZURE_STORAGE_KEY",
            instead: Instead::Command(format!(
                "az storage account keys list --subscription {subscription} --resource-group '{resource_group}' \
                 --account-name {account} --query '[0].value' --output tsv"
            )),
            warning: None,
            secret: Box::pin(self.key()),
        })
    }
}

/// The location of the resource group, if it exists.
pub(super) async fn location_of_group(api: &Api) -> Result<Option<String>> {
    let at = Address::new("azure", "resource-group", &api.resource_group);
    let action = "Microsoft.Resources/subscriptions/resourceGroups/read";
    let call = Call { action, target: &at, version: version::RESOURCES };
    let group = api.arm.get(&api.group_id(), call).await?;
    let location = |group: serde_json::Value| clean(group["location"].as_str().unwrap_or_default());
    Ok(group.map(|group| location(group).replace(' ', "").to_lowercase()))
}

pub(super) fn no_group(api: &Api) -> Error {
    let Api { resource_group, subscription, .. } = api;
    Error::refused(format!("the subscription {subscription} has no resource group {resource_group}")).hint(
        format!(
            "create it with `az group create --subscription {subscription} --name '{resource_group}' \
             --location <region>`, or choose another with --resource-group"
        ),
    )
}
