//! The options for Azure.

use std::path::PathBuf;

use clap::Args;
use futures::future::BoxFuture;

use crate::ambient::Ambient;
use crate::doctor::Question;
use crate::endpoint::Endpoint;
use crate::error::{Error, Result};
use crate::inventory::Deployment;
use crate::name::{DeploymentName, StorageName};
use crate::option::{offers, parsed};
use crate::plan::Goal;
use crate::pods::{Trust, refuse_beside};
use crate::provider::{
    CloudOptions, EmptyBy, Provider, TeamOptions, Wanted, refuse_with_team, refuse_without_team,
    require_queue,
};
use crate::providers::azure::account_name::AccountName;
use crate::providers::azure::ambient::AMBIENT;
use crate::providers::azure::container_name::ContainerName;
use crate::providers::azure::cors;
use crate::providers::azure::deployment::Azure;
use crate::providers::azure::doctor;
use crate::providers::azure::identity::{EntraId, TeamIdentity};
use crate::providers::azure::location::{LOCATIONS, Location};
use crate::providers::azure::mark::TAG_RULE;
use crate::providers::azure::message_ttl::MessageTtl;
use crate::providers::azure::node::{self, NodeStorage};
use crate::providers::azure::queue_name::{QueueChoice, QueueName};
use crate::providers::azure::resource_group::ResourceGroup;
use crate::providers::azure::session::Session;
use crate::providers::azure::subscription_id::SubscriptionId;
use crate::providers::azure::trust::TrustOptions;
use crate::reader::Reader;
use crate::secret::Disclosure;
use crate::tag::TagRule;
use crate::text::word;
use crate::verify::{CheckSender, VerifyOptions, verify_as_node};

/// All options for Azure.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Azure options")]
pub(crate) struct AzureOptions {
    #[command(flatten)]
    pub names: AzureNames,
    /// Location of a new storage account [default: the resource group's location]
    #[arg(long, value_parser = parsed::<Location>(), add = offers(LOCATIONS.names))]
    pub location: Option<Location>,
    /// Lifetime of an event in the queue: 90m, 12h, 7d, or never [default: 7d]
    #[arg(long, value_name = "TIME", value_parser = parsed::<MessageTtl>())]
    pub message_ttl: Option<MessageTtl>,
    /// Register Microsoft.Storage and Microsoft.EventGrid in the subscription if they are not registered
    #[arg(long)]
    pub register_provider: bool,
    /// Whose server uses the container of a --team: self-managed, dedicated, or the client ID of a managed identity;
    /// W&B's Multi-tenant Cloud has no access to Azure [default: self-managed]
    #[arg(long, value_name = "WHO", value_parser = parsed::<Reader<EntraId>>(), add = offers("self-managed dedicated"))]
    pub reader: Option<Reader<EntraId>>,
    /// Client ID of the managed identity that uses the container of a --team, or that the pods of `policy --trust` have
    #[arg(long, value_name = "CLIENT_ID", value_parser = parsed::<EntraId>())]
    pub managed_identity: Option<EntraId>,
    /// Tenant of the managed identity
    #[arg(long, value_name = "TENANT_ID", value_parser = parsed::<EntraId>())]
    pub identity_tenant: Option<EntraId>,
    /// Use the container of a --team with the account's key, which is then in its address, instead of an identity
    #[arg(long, conflicts_with = "managed_identity")]
    pub account_key: bool,
    #[arg(skip)]
    disclosure: Disclosure,
    /// The pods that `policy` lets sign in as the server's identity.
    #[arg(skip)]
    pub trust: TrustOptions,
}

/// All options, and what may sign in as the server's identity, for `policy`.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Azure options")]
pub(crate) struct AzurePermit {
    #[command(flatten)]
    options: AzureOptions,
    #[command(flatten)]
    trust: TrustOptions,
}

/// The options that `teardown` accepts.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Azure options")]
pub(crate) struct AzureNames {
    #[command(flatten)]
    pub place: AzurePlace,
    /// Name of the storage account, which is created if it does not exist [default: derived from
    /// deployment, subscription and resource group]
    #[arg(long, value_parser = parsed::<AccountName>())]
    pub account: Option<AccountName>,
    #[command(flatten)]
    pub parts: AzureParts,
    /// Custom endpoint of the account's blob service, such as http://127.0.0.1:10000/ACCOUNT
    #[arg(long, value_name = "URL", value_parser = parsed::<Endpoint>())]
    pub blob_endpoint: Option<Endpoint>,
    /// Custom endpoint of the account's queue service, such as http://127.0.0.1:10001/ACCOUNT
    #[arg(long, value_name = "URL", value_parser = parsed::<Endpoint>())]
    pub queue_endpoint: Option<Endpoint>,
}

/// The options that `list` accepts.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Azure options")]
pub(crate) struct AzurePlace {
    /// ID of the subscription
    #[arg(long, env = "AZURE_SUBSCRIPTION_ID", value_name = "ID", value_parser = parsed::<SubscriptionId>())]
    pub subscription: Option<SubscriptionId>,
    /// Resource group of the storage account
    #[arg(long, value_name = "NAME", value_parser = parsed::<ResourceGroup>())]
    pub resource_group: Option<ResourceGroup>,
    /// Custom endpoint of Azure Resource Manager: https, or http on this machine
    #[arg(long, value_name = "URL", value_parser = parsed::<Endpoint>())]
    pub arm_endpoint: Option<Endpoint>,
}

/// The options that name the parts of one deployment.
#[derive(Args, Clone, Debug, Default)]
#[group(id = "parts")]
pub(crate) struct AzureParts {
    /// Name of the container [default: wbstore- and the deployment's name]
    #[arg(long, value_parser = parsed::<ContainerName>())]
    pub container: Option<ContainerName>,
    /// Name of the event queue, or `internal` for the server's own Redis queue, which W&B's
    /// Kubernetes operator always uses [default: wbstore- and the deployment's name]
    #[arg(long, value_parser = parsed::<QueueChoice>(), add = offers("internal"))]
    pub queue: Option<QueueChoice>,
    /// Keep undeliverable events in a separate container
    #[arg(long)]
    pub dead_letter: bool,
}

/// All options, and where the account's key is written.
#[derive(Args, Debug)]
#[command(next_help_heading = "Azure options")]
pub(crate) struct AzureDelivery {
    #[command(flatten)]
    options: AzureOptions,
    /// Show AZURE_STORAGE_KEY, the account's key, too [default: a comment with the command that fetches
    /// it]
    #[arg(long, conflicts_with = "secret_file")]
    reveal: bool,
    /// Write only the key, to this new file that only you can read
    #[arg(long, value_name = "PATH")]
    secret_file: Option<PathBuf>,
}

impl From<AzurePlace> for AzureOptions {
    fn from(place: AzurePlace) -> Self {
        AzureNames { place, ..AzureNames::default() }.into()
    }
}

impl From<AzurePermit> for AzureOptions {
    fn from(AzurePermit { options, trust }: AzurePermit) -> Self {
        Self { trust, ..options }
    }
}

impl From<AzureNames> for AzureOptions {
    fn from(names: AzureNames) -> Self {
        Self { names, ..Self::default() }
    }
}

impl From<AzureDelivery> for AzureOptions {
    fn from(AzureDelivery { options, reveal, secret_file }: AzureDelivery) -> Self {
        Self { disclosure: Disclosure::asked(reveal, secret_file), ..options }
    }
}

/// The custom endpoints.
#[derive(Clone, Debug, Default)]
pub(crate) struct Endpoints {
    pub arm: Option<Endpoint>,
    pub blob: Option<Endpoint>,
    pub queue: Option<Endpoint>,
}

impl AzureNames {
    pub(super) fn endpoints(&self) -> Endpoints {
        Endpoints {
            arm: self.place.arm_endpoint.clone(),
            blob: self.blob_endpoint.clone(),
            queue: self.queue_endpoint.clone(),
        }
    }
}

impl AzureParts {
    /// The container of the server's files.
    pub(crate) fn container(&self, storage: &StorageName) -> ContainerName {
        self.container.clone().unwrap_or_else(|| ContainerName::default_for(storage))
    }

    /// The queue that receives the container's events; none with `--queue internal`.
    pub(crate) fn events_queue(&self, deployment: &DeploymentName) -> Option<QueueName> {
        self.queue.clone().unwrap_or_default().resolve(deployment, QueueName::default_for)
    }

    /// The container for undeliverable events; none without `--dead-letter`.
    pub(crate) fn dead_letters(&self, deployment: &DeploymentName) -> Option<ContainerName> {
        self.dead_letter.then(|| ContainerName::dead_letters_for(deployment))
    }
}

impl AzureOptions {
    pub(crate) const TEAM_OPTIONS: TeamOptions = TeamOptions {
        only: &["account-key", "identity-tenant", "managed-identity", "oidc-issuer", "reader"],
        never: &["dead-letter", "message-ttl", "queue"],
    };

    /// The options for `wanted`, of which a team's has no queue.
    ///
    /// # Errors
    /// [`Kind::Input`](crate::error::Kind::Input) for what has no meaning there.
    pub(super) fn of(mut self, wanted: &Wanted) -> Result<Self> {
        let federates = self.trust.pods()?.is_some();
        if federates {
            refuse_beside("--trust", &[("--account-key", self.account_key)])?;
        }
        if wanted.name.team.is_none() {
            return refuse_without_team(&[
                ("--reader", self.reader.is_some()),
                ("--managed-identity", self.managed_identity.is_some() && !federates),
                ("--identity-tenant", self.identity_tenant.is_some() && !federates),
                ("--account-key", self.account_key),
            ])
            .map(|()| self);
        }
        let parts = &mut self.names.parts;
        refuse_with_team(&[
            ("--queue", !matches!(parts.queue, None | Some(QueueChoice::Internal))),
            ("--dead-letter", parts.dead_letter),
            ("--message-ttl", self.message_ttl.is_some()),
        ])?;
        parts.queue = Some(QueueChoice::Internal);
        if self.reader == Some(Reader::MultiTenant) {
            return Err(Error::input("W&B's Multi-tenant Cloud does not use Azure for the buckets of teams")
                .hint("use `wbstore provision aws` or `gcp` for this team"));
        }
        if matches!(wanted.goal, Some(Goal::Present { .. })) {
            self.identity()?;
        }
        Ok(self)
    }

    /// Who uses a team's container.
    ///
    /// # Errors
    /// [`Kind::Input`](crate::error::Kind::Input) when that is not named.
    pub(super) fn identity(&self) -> Result<TeamIdentity> {
        let named = self.reader.as_ref().and_then(Reader::named);
        let client = match (named, &self.managed_identity) {
            (Some(_), Some(_)) => {
                return Err(Error::input("--reader and --managed-identity both name an identity")
                    .hint("omit one of the two"));
            }
            (Some(client), None) | (None, Some(client)) => client.clone(),
            (None, None) if self.account_key => return Ok(TeamIdentity::Key),
            (None, None) => {
                return Err(Error::input("a team's container requires the identity of the server that uses it")
                    .hint(
                        "add `--managed-identity CLIENT_ID --identity-tenant TENANT_ID`, or `--account-key` for a \
                         server that has the account's key",
                    ));
            }
        };
        let tenant = self.identity_tenant.clone().ok_or_else(|| {
            Error::input("the tenant of the managed identity is missing").hint(
                "add `--identity-tenant TENANT_ID`; `az account show --query tenantId --output tsv` prints yours",
            )
        })?;
        Ok(TeamIdentity::Managed { client, tenant })
    }

    /// Checks the options against each other.
    ///
    /// # Errors
    /// [`Kind::Input`](crate::error::Kind::Input), before the first request.
    pub(super) fn check(&self, wanted: &Wanted) -> Result<()> {
        let meaningless = [
            ("--empty-by lifecycle", wanted.empty_by == EmptyBy::Lifecycle),
            ("--max-rate", wanted.max_rate.is_some()),
        ];
        if let Some((option, _)) = meaningless.into_iter().find(|(_, is_given)| *is_given) {
            return Err(Error::input(format!("{option} has no meaning on Azure"))
                .hint("omit it: Azure deletes a container with its contents in one call"));
        }
        if let Some(origins) = &wanted.origins {
            cors::check(origins)?;
        }
        if self.names.parts.queue != Some(QueueChoice::Internal) {
            return Ok(());
        }
        require_queue(&[
            ("--dead-letter", self.names.parts.dead_letter),
            ("--message-ttl", self.message_ttl() != MessageTtl::default()),
        ])
    }

    /// The subscription.
    ///
    /// # Errors
    /// [`Kind::Input`](crate::error::Kind::Input) when none is named.
    pub(super) fn subscription(&self) -> Result<&SubscriptionId> {
        self.names.place.subscription.as_ref().ok_or_else(|| {
            Error::input("no subscription is given").hint(
                "add --subscription, or set AZURE_SUBSCRIPTION_ID; `az account show --query id --output tsv` prints yours",
            )
        })
    }

    /// The resource group.
    ///
    /// # Errors
    /// [`Kind::Input`](crate::error::Kind::Input) when none is named.
    pub(super) fn resource_group(&self) -> Result<&ResourceGroup> {
        self.names.place.resource_group.as_ref().ok_or_else(|| {
            Error::input("no resource group is given").hint(
                "add --resource-group; `az group list --query [].name` prints those of the subscription",
            )
        })
    }

    /// The storage as the server uses it: with the account's key, where the environment has one.
    fn node_storage(&self, wanted: &Wanted) -> Result<NodeStorage> {
        let key = std::env::var(node::KEY).ok().filter(|key| !key.is_empty());
        let account = match &self.names.account {
            Some(account) => account.clone(),
            None => AccountName::default_for(&wanted.name, self.subscription()?, self.resource_group()?),
        };
        let session = match key {
            Some(_) => Session::keyed(self.names.endpoints())?,
            None => Session::open(self.names.endpoints(), self.names.place.subscription.as_ref())?,
        };
        // Neither is sent anywhere: no call goes to Azure Resource Manager.
        let subscription = self.names.place.subscription.as_ref().map_or("", SubscriptionId::as_str);
        let group = self.names.place.resource_group.as_ref().map_or("", ResourceGroup::as_str);
        let api = session.api(subscription, group, account.as_str())?;
        let parts = &self.names.parts;
        let queue = parts.events_queue(&wanted.name.deployment).map(|queue| queue.to_string());
        NodeStorage::new(api, parts.container(&wanted.name).to_string(), queue, key)
    }

    /// How long an event waits in the queue.
    pub(super) fn message_ttl(&self) -> MessageTtl {
        self.message_ttl.clone().unwrap_or_default()
    }
}

impl CloudOptions for AzureOptions {
    type Place = AzurePlace;
    type Names = AzureNames;
    type Delivery = AzureDelivery;
    type Proof = Self;
    type Permit = AzurePermit;

    fn cloud(&self) -> &'static str {
        "azure"
    }

    fn ambient(&self) -> &'static Ambient {
        &AMBIENT
    }

    fn tag_rule(&self) -> &'static TagRule {
        &TAG_RULE
    }

    fn holdings(&self) -> &'static str {
        "storage accounts"
    }

    fn names(&self, storage: &StorageName) -> Vec<(&'static str, String)> {
        let AzureNames { place, account, parts, blob_endpoint: _, queue_endpoint: _ } = &self.names;
        let queue = parts.events_queue(&storage.deployment).map(|queue| queue.to_string());
        let mut names = vec![];
        names.extend(place.subscription.iter().map(|id| ("--subscription", id.to_string())));
        // Its name may have parentheses.
        let group = |group: &ResourceGroup| {
            let name = group.to_string();
            word(&name).map_or_else(|| format!("'{name}'"), str::to_owned)
        };
        names.extend(place.resource_group.iter().map(|name| ("--resource-group", group(name))));
        names.extend(account.iter().map(|account| ("--account", account.to_string())));
        names.extend(parts.container.iter().map(|container| ("--container", container.to_string())));
        names.push(("--queue", queue.unwrap_or_else(|| "internal".to_owned())));
        names.extend(parts.dead_letter.then(|| ("--dead-letter", String::new())));
        names
    }

    fn given_parts(&self, storage: &StorageName) -> Vec<(&'static str, String)> {
        let has_queue = self.names.parts.queue.is_some();
        let names = self.names(storage).into_iter();
        let is_part = |option: &str| !["--resource-group", "--subscription"].contains(&option);
        names.filter(|(option, _)| is_part(option) && (*option != "--queue" || has_queue)).collect()
    }

    fn with_parts(&self, deployment: &Deployment) -> Result<Box<dyn CloudOptions>> {
        let mut names = self.names.clone();
        if let Some(group) = deployment.part("resource-group")? {
            names.place.resource_group = Some(group);
        }
        names.account = deployment.part("account")?;
        names.parts = AzureParts {
            container: deployment.part("container")?,
            queue: Some(deployment.part("queue")?.map_or(QueueChoice::Internal, QueueChoice::Named)),
            dead_letter: deployment.has("dead-letter"),
        };
        Ok(Box::new(Self { names, message_ttl: None, ..self.clone() }))
    }

    fn disclosure(&self) -> Disclosure {
        self.disclosure.clone()
    }

    fn trust(&self) -> Result<Option<Trust>> {
        self.trust.asked()
    }

    fn check_input(&self, wanted: &Wanted) -> Result<()> {
        let options = self.clone().of(wanted)?;
        options.check(wanted)?;
        options.subscription()?;
        options.resource_group().map(drop)
    }

    fn connect(&self, wanted: Wanted) -> BoxFuture<'_, Result<Box<dyn Provider>>> {
        Box::pin(Azure::connect(self.clone(), wanted))
    }

    fn verify_as_node<'a>(
        &'a self,
        wanted: Wanted,
        options: &'a VerifyOptions,
        checks: CheckSender,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let storage = self.clone().of(&wanted)?.node_storage(&wanted)?;
            verify_as_node(storage, options, checks).await
        })
    }

    fn questions(&self, wanted: Wanted, is_named: bool) -> Vec<Question> {
        doctor::questions(self.clone(), wanted, is_named)
    }

    fn offline<'a>(
        &'a self,
        wanted: Wanted,
        account: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Box<dyn Provider>>> {
        Box::pin(Azure::offline(self.clone(), wanted, account))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::empty::MaxRate;
    use crate::provider::found_by;

    fn with(parts: AzureParts) -> AzureOptions {
        AzureNames { parts, ..AzureNames::default() }.into()
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        let wanted = Wanted::named("acme".parse::<DeploymentName>().unwrap());
        let options = AzureOptions::default;
        assert!(options().check(&wanted).is_ok());
        let internal = || AzureParts { queue: Some(QueueChoice::Internal), ..AzureParts::default() };
        assert!(with(internal()).check(&wanted).is_ok());
        let error = with(AzureParts { dead_letter: true, ..internal() }).check(&wanted).unwrap_err();
        assert!(error.to_string().starts_with("--dead-letter has no effect"), "{error}");
        let message_ttl = Some("1d".parse().unwrap());
        assert!(AzureOptions { message_ttl, ..with(internal()) }.check(&wanted).is_err());
        assert!(options().check(&Wanted { empty_by: EmptyBy::Lifecycle, ..wanted.clone() }).is_err());
        assert!(options().check(&Wanted { max_rate: Some(MaxRate::new(9)), ..wanted }).is_err());
        assert!(options().subscription().is_err() && options().resource_group().is_err());
    }

    #[test]
    fn only_what_the_marks_give_is_torn_down() {
        let names = |options: &AzureOptions, parts: &[(&str, &str)]| found_by(options, "westeurope", parts);
        let other = with(AzureParts { container: Some("other".parse().unwrap()), ..AzureParts::default() });
        let all = [
            ("resource-group", "Acme"),
            ("account", "acme1"),
            ("container", "files"),
            ("queue", "uploads"),
            ("dead-letter", ""),
        ];
        assert_eq!(
            names(&other, &all),
            [
                "--resource-group Acme",
                "--account acme1",
                "--container files",
                "--queue uploads",
                "--dead-letter "
            ]
        );
        assert_eq!(names(&other, &[("account", "acme1")]), ["--account acme1", "--queue internal"]);
    }
}
