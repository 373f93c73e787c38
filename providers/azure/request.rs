//! What the user asks for on Azure.

use crate::endpoint::Endpoint;
use crate::error::{Error, Result};
use crate::inventory::{Deployment, Part};
use crate::provider::{EmptyBy, Wanted};
use crate::providers::azure::account_name::AccountName;
use crate::providers::azure::container_name::ContainerName;
use crate::providers::azure::location::Location;
use crate::providers::azure::message_ttl::MessageTtl;
use crate::providers::azure::queue_name::{QueueChoice, QueueName};
use crate::providers::azure::resource_group::ResourceGroup;
use crate::providers::azure::subscription_id::SubscriptionId;

/// What the user asks for, checked word by word before the first request.
#[derive(Clone, Debug)]
pub struct Request {
    /// What every cloud is told.
    pub wanted: Wanted,
    /// The subscription, where one is named.
    pub subscription: Option<SubscriptionId>,
    /// The resource group, where one is named; `list` does without.
    pub resource_group: Option<ResourceGroup>,
    /// Where an account is made, where a location is named.
    pub location: Option<Location>,
    /// The storage account, where one is named.
    pub account: Option<AccountName>,
    /// The container, where one is named.
    pub container: Option<ContainerName>,
    /// Which queue for the container's events.
    pub queue: QueueChoice,
    /// Whether events that cannot be delivered are kept in a container of their own.
    pub dead_letter: bool,
    /// How long an event waits in the queue.
    pub message_ttl: MessageTtl,
    /// Whether resource providers that are not registered are to be.
    pub register_provider: bool,
    /// What answers in Azure's place.
    pub endpoints: Endpoints,
}

/// The emulators that answer in Azure's place.
#[derive(Clone, Debug, Default)]
pub struct Endpoints {
    /// For Azure Resource Manager.
    pub arm: Option<Endpoint>,
    /// For the account's blobs.
    pub blob: Option<Endpoint>,
    /// For the account's queues.
    pub queue: Option<Endpoint>,
}

impl Request {
    /// The default of everything that is Azure's own.
    pub fn new(wanted: Wanted) -> Self {
        Self {
            wanted,
            subscription: None,
            resource_group: None,
            location: None,
            account: None,
            container: None,
            queue: QueueChoice::default(),
            dead_letter: false,
            message_ttl: MessageTtl::default(),
            register_provider: false,
            endpoints: Endpoints::default(),
        }
    }

    /// The options that name where the deployment is and what its parts are called.
    pub(crate) fn names(&self) -> Vec<(&'static str, String)> {
        let mut names = vec![];
        names.extend(self.subscription.iter().map(|id| ("--subscription", id.to_string())));
        names.extend(self.resource_group.iter().map(|group| ("--resource-group", format!("'{group}'"))));
        names.extend(self.account.iter().map(|account| ("--account", account.to_string())));
        names.extend(self.container.iter().map(|container| ("--container", container.to_string())));
        let queue = self.events_queue().map_or_else(|| "internal".to_owned(), |queue| queue.to_string());
        names.push(("--queue", queue));
        if self.dead_letter {
            names.push(("--dead-letter", String::new()));
        }
        names
    }

    /// Checks what the options say of each other.
    ///
    /// # Errors
    /// [`Kind::Input`](crate::error::Kind::Input), before the first request.
    pub(super) fn check(&self) -> Result<()> {
        if self.wanted.empty_by == EmptyBy::Lifecycle {
            return Err(Error::input("--empty-by lifecycle has no meaning on Azure")
                .hint("leave it out: Azure deletes a container with all it holds in one call"));
        }
        if self.queue != QueueChoice::Internal {
            return Ok(());
        }
        let named = [
            ("--dead-letter", self.dead_letter),
            ("--message-ttl", self.message_ttl != MessageTtl::default()),
        ];
        match named.into_iter().find(|(_, given)| *given) {
            Some((option, _)) => Err(Error::input(format!(
                "{option} has no meaning with --queue internal, which makes no queue"
            ))
            .hint("leave one of the two out")),
            None => Ok(()),
        }
    }

    /// The subscription.
    ///
    /// # Errors
    /// [`Kind::Input`](crate::error::Kind::Input) when none is named.
    pub(super) fn subscription(&self) -> Result<&SubscriptionId> {
        self.subscription.as_ref().ok_or_else(|| {
            Error::input("no subscription is named").hint(
                "add --subscription, or set AZURE_SUBSCRIPTION_ID; `az account show --query id --output tsv` prints yours",
            )
        })
    }

    /// The resource group.
    ///
    /// # Errors
    /// [`Kind::Input`](crate::error::Kind::Input) when none is named.
    pub(super) fn resource_group(&self) -> Result<&ResourceGroup> {
        self.resource_group.as_ref().ok_or_else(|| {
            Error::input("no resource group is named").hint(
                "add --resource-group; `az group list --query [].name` prints those of the subscription",
            )
        })
    }

    /// The storage account.
    pub(super) fn account(&self, subscription: &SubscriptionId, group: &ResourceGroup) -> AccountName {
        let default = || AccountName::default_for(&self.wanted.name, subscription, group);
        self.account.clone().unwrap_or_else(default)
    }

    /// The container of the server's files.
    pub(super) fn container(&self) -> ContainerName {
        self.container.clone().unwrap_or_else(|| ContainerName::default_for(&self.wanted.name))
    }

    /// The queue that gets the container's events; none with `--queue internal`.
    pub(super) fn events_queue(&self) -> Option<QueueName> {
        self.queue.resolve(&self.wanted.name, QueueName::default_for)
    }

    /// The container of the events that cannot be delivered, where one is wanted.
    pub(super) fn dead_letters(&self) -> Option<ContainerName> {
        self.dead_letter.then(|| ContainerName::dead_letters_for(&self.wanted.name))
    }

    /// With the resource group and the names that the marks of `deployment` give, so that nothing of
    /// it is left behind.
    ///
    /// # Errors
    /// When a mark holds a name that cannot be, which we never wrote.
    pub fn with_parts(mut self, deployment: &Deployment) -> Result<Self> {
        // Only what the marks say counts; of several parts of a kind the last is the account's own.
        (self.account, self.container) = (None, None);
        self.queue = QueueChoice::Internal;
        self.dead_letter = false;
        self.message_ttl = MessageTtl::default();
        for Part { kind, name } in deployment.named() {
            match kind.as_str() {
                "dead-letter" => self.dead_letter = true,
                _ if name.is_empty() => {}
                "resource-group" => self.resource_group = Some(name.parse()?),
                "account" => self.account = Some(name.parse()?),
                "container" => self.container = Some(name.parse()?),
                "queue" => self.queue = QueueChoice::Named(name.parse()?),
                _ => {}
            }
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> Request {
        Request::new(Wanted::named("acme".parse().unwrap()))
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        assert!(request().check().is_ok());
        let internal = || Request { queue: QueueChoice::Internal, ..request() };
        assert!(internal().check().is_ok());
        let error = Request { dead_letter: true, ..internal() }.check().unwrap_err();
        assert!(error.to_string().starts_with("--dead-letter has no meaning"), "{error}");
        assert!(Request { message_ttl: "1d".parse().unwrap(), ..internal() }.check().is_err());
        let wanted = Wanted { empty_by: EmptyBy::Lifecycle, ..request().wanted };
        assert!(Request::new(wanted).check().is_err());
        assert!(request().subscription().is_err() && request().resource_group().is_err());
    }

    #[test]
    fn only_what_the_marks_say_is_torn_down() {
        let part = |(kind, name): (&str, &str)| Part { kind: kind.to_owned(), name: name.to_owned() };
        let deployment = |parts: &[(&str, &str)]| Deployment {
            name: "acme".to_owned(),
            region: "westeurope".to_owned(),
            created: None,
            expires: None,
            parts: parts.iter().copied().map(part).collect(),
            refers_to: vec![],
            missing: vec![],
        };
        let named = Request { container: Some("other".parse().unwrap()), ..request() };
        let all =
            [("resource-group", "Acme"), ("account", "acme1"), ("container", "files"), ("queue", "uploads")];
        let found = named.clone().with_parts(&deployment(&all)).unwrap();
        assert_eq!(found.resource_group().unwrap().as_str(), "Acme");
        assert_eq!(found.container().as_str(), "files");
        assert_eq!(found.events_queue().map(|queue| queue.to_string()).as_deref(), Some("uploads"));
        let internal = named.with_parts(&deployment(&[("account", "acme1")])).unwrap();
        assert_eq!(internal.events_queue(), None);
        assert_eq!(internal.container().as_str(), "wbstore-acme");
    }
}
