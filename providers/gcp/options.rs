//! The options for Google Cloud.

use clap::Args;
use futures::future::BoxFuture;

use crate::ambient::Ambient;
use crate::doctor::Question;
use crate::error::{Error, Result};
use crate::inventory::Deployment;
use crate::name::{DeploymentName, StorageName};
use crate::option::{offers, parsed};
use crate::plan::Goal;
use crate::pods::Trust;
use crate::provider::{
    CloudOptions, Provider, TeamOptions, Wanted, refuse_with_team, refuse_without_team, require_queue,
};
use crate::providers::gcp::ambient::AMBIENT;
use crate::providers::gcp::bucket_name::BucketName;
use crate::providers::gcp::deployment::Gcp;
use crate::providers::gcp::doctor;
use crate::providers::gcp::grant;
use crate::providers::gcp::kms_key::KmsKeyName;
use crate::providers::gcp::location::{LOCATIONS, Location};
use crate::providers::gcp::mark::TAG_RULE;
use crate::providers::gcp::project::ProjectId;
use crate::providers::gcp::pubsub_name::{QueueChoice, SubscriptionName, TopicName};
use crate::providers::gcp::service_account::ServiceAccount;
use crate::providers::gcp::soft_delete::SoftDelete;
use crate::providers::gcp::trust::TrustOptions;
use crate::providers::gcp::verify::TeamReader;
use crate::reader::{GCP, Reader, node_command, unnamed};
use crate::tag::TagRule;
use crate::verify::{CheckSender, VerifyOptions};

/// All options for Google Cloud.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Google Cloud options")]
pub(crate) struct GcpOptions {
    #[command(flatten)]
    pub names: GcpNames,
    /// Send events of updated and deleted objects too, as in W&B's guide [default: only of new objects]
    #[arg(long)]
    pub all_events: bool,
    /// Encrypt new objects with this Cloud KMS key
    #[arg(long, value_name = "NAME", value_parser = parsed::<KmsKeyName>())]
    pub kms_key: Option<KmsKeyName>,
    /// Keep deleted objects for 7d to 90d, or 0 to disable soft delete [default: the project's
    /// default for a new bucket; an existing one keeps its setting]
    #[arg(long, value_name = "TIME", value_parser = parsed::<SoftDelete>())]
    pub soft_delete: Option<SoftDelete>,
    /// The account that `verify --as node` impersonates.
    #[arg(skip)]
    pub impersonated: Option<ServiceAccount>,
    /// The pods that `policy` lets act as the server's account.
    #[arg(skip)]
    pub trust: TrustOptions,
}

/// All options, and what may act as the server's account, for `policy`.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Google Cloud options")]
pub(crate) struct GcpPermit {
    #[command(flatten)]
    options: GcpOptions,
    #[command(flatten)]
    trust: TrustOptions,
}

/// All options, and whose credentials `verify --as node` uses.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Google Cloud options")]
pub(crate) struct GcpProof {
    #[command(flatten)]
    options: GcpOptions,
    /// With --as node: impersonate this service account, the server's, instead of using the credentials of
    /// this environment
    #[arg(long, value_name = "EMAIL", requires = "verify_as", value_parser = parsed::<ServiceAccount>())]
    impersonate_service_account: Option<ServiceAccount>,
}

/// The options that `teardown` accepts.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Google Cloud options")]
pub(crate) struct GcpNames {
    #[command(flatten)]
    pub place: GcpPlace,
    #[command(flatten)]
    pub parts: GcpParts,
    /// Service account the server runs as; it is granted the bucket's objects, the subscription, and
    /// the permission to sign URLs as itself
    #[arg(long, value_name = "EMAIL", value_parser = parsed::<ServiceAccount>())]
    pub service_account: Option<ServiceAccount>,
    /// Who may use the bucket of a --team: self-managed, which is --service-account, dedicated, multi-tenant, or the
    /// address of a service account [default: self-managed]
    #[arg(long, value_name = "WHO", value_parser = parsed::<Reader<ServiceAccount>>(), add = offers("self-managed dedicated multi-tenant"))]
    pub reader: Option<Reader<ServiceAccount>>,
}

/// The options that `list` accepts.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Google Cloud options")]
pub(crate) struct GcpPlace {
    /// ID of the project
    #[arg(long, env = "GOOGLE_CLOUD_PROJECT", value_parser = parsed::<ProjectId>())]
    pub project: Option<ProjectId>,
}

/// The options that name the parts of one deployment.
#[derive(Args, Clone, Debug, Default)]
#[group(id = "parts")]
pub(crate) struct GcpParts {
    /// Location of the bucket: a multi-region such as EU, a dual-region such as NAM4, or a region
    /// [default: US]
    #[arg(long, value_parser = parsed::<Location>(), add = offers(LOCATIONS.names))]
    pub location: Option<Location>,
    /// Name of the bucket [default: derived from deployment, project and location]
    #[arg(long, value_parser = parsed::<BucketName>())]
    pub bucket: Option<BucketName>,
    /// Event queue: `pubsub`, or `internal` for the server's own Redis queue, which W&B's Kubernetes
    /// operator always uses [default: pubsub]
    #[arg(long, value_parser = parsed::<QueueChoice>(), add = offers("internal pubsub"))]
    pub queue: Option<QueueChoice>,
    /// Name of the topic of the bucket's events [default: wbstore- and the deployment's name]
    #[arg(long, value_parser = parsed::<TopicName>())]
    pub topic: Option<TopicName>,
    /// Name of the subscription the server reads [default: wbstore- and the deployment's name]
    #[arg(long, value_parser = parsed::<SubscriptionName>())]
    pub subscription: Option<SubscriptionName>,
}

impl From<GcpPlace> for GcpOptions {
    fn from(place: GcpPlace) -> Self {
        GcpNames { place, ..GcpNames::default() }.into()
    }
}

impl From<GcpProof> for GcpOptions {
    fn from(GcpProof { options, impersonate_service_account: impersonated }: GcpProof) -> Self {
        Self { impersonated, ..options }
    }
}

impl From<GcpPermit> for GcpOptions {
    fn from(GcpPermit { options, trust }: GcpPermit) -> Self {
        Self { trust, ..options }
    }
}

impl From<GcpNames> for GcpOptions {
    fn from(names: GcpNames) -> Self {
        Self { names, ..Self::default() }
    }
}

impl GcpParts {
    /// The bucket's location.
    pub(crate) fn location(&self) -> Location {
        self.location.clone().unwrap_or_else(Location::us)
    }

    /// The topic and the subscription that receive the bucket's events; none with `--queue internal`.
    pub(crate) fn events(&self, deployment: &DeploymentName) -> Option<(TopicName, SubscriptionName)> {
        let topic = || self.topic.clone().unwrap_or_else(|| TopicName::default_for(deployment));
        let subscription =
            || self.subscription.clone().unwrap_or_else(|| SubscriptionName::default_for(deployment));
        (self.queue() == QueueChoice::Pubsub).then(|| (topic(), subscription()))
    }

    fn queue(&self) -> QueueChoice {
        self.queue.unwrap_or_default()
    }
}

impl GcpNames {
    /// Who may use a team's bucket.
    pub(super) fn reader(&self) -> Reader<ServiceAccount> {
        self.reader.clone().unwrap_or_default()
    }
}

impl GcpOptions {
    pub(crate) const TEAM_OPTIONS: TeamOptions =
        TeamOptions { only: &["reader"], never: &["all-events", "queue", "subscription", "topic"] };

    /// The options for `wanted`, of which a team's has no queue.
    ///
    /// # Errors
    /// [`Kind::Input`](crate::error::Kind::Input) for what has no meaning there.
    pub(super) fn of(mut self, wanted: &Wanted) -> Result<Self> {
        if self.trust.pods()?.is_some() {
            self.server_account()?;
        }
        if wanted.name.team.is_none() {
            return refuse_without_team(&[("--reader", self.names.reader.is_some())]).map(|()| self);
        }
        let parts = &mut self.names.parts;
        refuse_with_team(&[
            ("--queue", parts.queue == Some(QueueChoice::Pubsub)),
            ("--topic", parts.topic.is_some()),
            ("--subscription", parts.subscription.is_some()),
            ("--all-events", self.all_events),
        ])?;
        parts.queue = Some(QueueChoice::Internal);
        if self.soft_delete.as_ref().is_some_and(|kept| kept.kept().as_secs() == 0) {
            return Err(Error::input("--soft-delete 0: W&B refuses a team's bucket without soft delete")
                .hint("omit `--soft-delete`, or use 7d to 90d"));
        }
        if matches!(wanted.goal, Some(Goal::Present { .. })) {
            self.reader_of(wanted)?;
        }
        Ok(self)
    }

    /// The account of a self-managed server, which its pods act as.
    ///
    /// # Errors
    /// [`Kind::Input`](crate::error::Kind::Input) when it is not named.
    pub(super) fn server_account(&self) -> Result<&ServiceAccount> {
        match (self.names.reader(), &self.names.service_account) {
            (Reader::SelfManaged, Some(account)) => Ok(account),
            (Reader::SelfManaged, None) => Err(Error::input(
                "--trust requires the Google service account that the server's pods act as",
            )
            .hint("add `--service-account EMAIL`; `gcloud iam service-accounts create wandb` creates one")),
            (reader, _) => Err(reader.without("--trust")),
        }
    }

    /// Who may use the bucket of a team, and as what; `None` for the bucket of a deployment.
    ///
    /// # Errors
    /// [`Kind::Input`](crate::error::Kind::Input) when the server is meant and its account is not named.
    pub(super) fn reader_of(&self, wanted: &Wanted) -> Result<Option<TeamReader>> {
        if wanted.name.team.is_none() {
            return Ok(None);
        }
        let reader = self.names.reader();
        let (account, roles) = match (&reader, &self.names.service_account) {
            (Reader::SelfManaged, Some(account)) => (account.clone(), grant::OBJECT_ADMIN),
            (Reader::SelfManaged, None) => return Err(unnamed("--service-account EMAIL")),
            (reader, Some(_)) => return Err(reader.without("--service-account")),
            (Reader::Dedicated, None) => (GCP.dedicated.parse()?, grant::STORAGE_ADMIN),
            (Reader::MultiTenant, None) => (GCP.multi_tenant.parse()?, grant::STORAGE_ADMIN),
            (Reader::Named(account), None) => {
                let is_wandbs = [GCP.dedicated, GCP.multi_tenant].contains(&account.as_str());
                let roles = if is_wandbs { grant::STORAGE_ADMIN } else { grant::OBJECT_ADMIN };
                (account.clone(), roles)
            }
        };
        Ok(Some(TeamReader { node: node_command("gcp", wanted, ""), reader, account, roles }))
    }

    /// Checks the options against each other.
    ///
    /// # Errors
    /// [`Kind::Input`](crate::error::Kind::Input), before the first request.
    pub(super) fn check(&self) -> Result<()> {
        let parts = &self.names.parts;
        if let Some(key) = &self.kms_key {
            key.require_location(&parts.location())?;
        }
        if parts.queue() == QueueChoice::Pubsub {
            return Ok(());
        }
        require_queue(&[
            ("--topic", parts.topic.is_some()),
            ("--subscription", parts.subscription.is_some()),
            ("--all-events", self.all_events),
        ])
    }

    /// The project.
    ///
    /// # Errors
    /// [`Kind::Input`](crate::error::Kind::Input) when none is named.
    pub(super) fn project(&self) -> Result<&ProjectId> {
        self.names.place.project.as_ref().ok_or_else(|| {
            Error::input("no project is given")
                .hint("add --project, or set GOOGLE_CLOUD_PROJECT; `gcloud config get project` prints yours")
        })
    }
}

impl CloudOptions for GcpOptions {
    type Place = GcpPlace;
    type Names = GcpNames;
    type Delivery = Self;
    type Proof = GcpProof;
    type Permit = GcpPermit;

    fn cloud(&self) -> &'static str {
        "gcp"
    }

    fn ambient(&self) -> &'static Ambient {
        &AMBIENT
    }

    fn tag_rule(&self) -> &'static TagRule {
        &TAG_RULE
    }

    fn holdings(&self) -> &'static str {
        "buckets, topics and subscriptions"
    }

    fn names(&self, storage: &StorageName) -> Vec<(&'static str, String)> {
        let GcpNames { place, parts, service_account: _, reader: _ } = &self.names;
        let mut names = vec![];
        names.extend(place.project.iter().map(|project| ("--project", project.to_string())));
        names.extend(parts.location.iter().map(|location| ("--location", location.to_string())));
        names.extend(parts.bucket.iter().map(|bucket| ("--bucket", bucket.to_string())));
        match parts.events(&storage.deployment) {
            Some((topic, subscription)) => {
                names.extend([("--topic", topic.to_string()), ("--subscription", subscription.to_string())])
            }
            None => names.push(("--queue", "internal".to_owned())),
        }
        names
    }

    fn given_parts(&self, _: &StorageName) -> Vec<(&'static str, String)> {
        let GcpParts { location, bucket, queue, topic, subscription } = &self.names.parts;
        let mut names = vec![];
        names.extend(location.iter().map(|location| ("--location", location.to_string())));
        names.extend(bucket.iter().map(|bucket| ("--bucket", bucket.to_string())));
        names.extend(queue.iter().map(|queue| ("--queue", queue.name().to_owned())));
        names.extend(topic.iter().map(|topic| ("--topic", topic.to_string())));
        names.extend(subscription.iter().map(|subscription| ("--subscription", subscription.to_string())));
        names
    }

    fn with_parts(&self, deployment: &Deployment) -> Result<Box<dyn CloudOptions>> {
        let GcpNames { place, parts, service_account, reader: _ } = &self.names;
        // Without a bucket there is no location to go by.
        let location = Some(deployment.region.as_str()).filter(|region| !region.is_empty());
        let has_queue = deployment.has("topic") || deployment.has("subscription");
        let parts = GcpParts {
            location: location.map(str::parse).transpose()?.or_else(|| parts.location.clone()),
            bucket: deployment.part("bucket")?,
            queue: Some(if has_queue { QueueChoice::Pubsub } else { QueueChoice::Internal }),
            topic: deployment.part("topic")?,
            subscription: deployment.part("subscription")?,
        };
        let service_account = deployment.part("signer")?.or_else(|| service_account.clone());
        let names = GcpNames { place: place.clone(), parts, service_account, reader: None };
        Ok(Box::new(Self { names, ..self.clone() }))
    }

    fn trust(&self) -> Result<Option<Trust>> {
        self.trust.asked()
    }

    fn check_input(&self, wanted: &Wanted) -> Result<()> {
        let options = self.clone().of(wanted)?;
        options.check()?;
        options.project().map(drop)
    }

    fn connect(&self, wanted: Wanted) -> BoxFuture<'_, Result<Box<dyn Provider>>> {
        Box::pin(Gcp::connect(self.clone(), wanted))
    }

    fn verify_as_node<'a>(
        &'a self,
        wanted: Wanted,
        options: &'a VerifyOptions,
        checks: CheckSender,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(Gcp::verify_as_node(self.clone(), wanted, options, checks))
    }

    fn questions(&self, wanted: Wanted, is_named: bool) -> Vec<Question> {
        doctor::questions(self.clone(), wanted, is_named)
    }

    fn offline<'a>(
        &'a self,
        wanted: Wanted,
        account: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Box<dyn Provider>>> {
        Box::pin(Gcp::offline(self.clone(), wanted, account))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::found_by;

    fn with(parts: GcpParts) -> GcpOptions {
        GcpNames { parts, ..GcpNames::default() }.into()
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        let options = GcpOptions::default;
        assert!(options().check().is_ok());
        let key = "projects/acme-prod/locations/eu/keyRings/r/cryptoKeys/k".parse().unwrap();
        assert!(GcpOptions { kms_key: Some(key), ..options() }.check().is_err());
        let internal = || GcpParts { queue: Some(QueueChoice::Internal), ..GcpParts::default() };
        assert!(with(internal()).check().is_ok());
        let error =
            with(GcpParts { topic: Some("acme".parse().unwrap()), ..internal() }).check().unwrap_err();
        assert!(error.to_string().starts_with("--topic has no effect"), "{error}");
        assert!(GcpOptions { all_events: true, ..with(internal()) }.check().is_err());
        assert!(options().project().is_err());
    }

    #[test]
    fn only_what_the_marks_give_is_torn_down() {
        let names = |options: &GcpOptions, parts: &[(&str, &str)]| found_by(options, "EU", parts);
        let other = with(GcpParts { bucket: Some("other".parse().unwrap()), ..GcpParts::default() });
        let all = [("bucket", "b-1"), ("topic", "t-1"), ("subscription", "s-1"), ("bucket", "b-2")];
        assert_eq!(
            names(&other, &all),
            ["--location EU", "--bucket b-2", "--topic t-1", "--subscription s-1"]
        );
        // The mark of the bucket shows that there is a queue, but not its name.
        assert_eq!(
            names(&other, &[("topic", "")]),
            ["--location EU", "--topic wbstore-acme", "--subscription wbstore-acme"]
        );
        let internal = names(&other, &[("bucket", "b-1"), ("signer", "wandb@acme.iam.gserviceaccount.com")]);
        assert_eq!(internal, ["--location EU", "--bucket b-1", "--queue internal"]);
    }
}
