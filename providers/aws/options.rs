//! The options for AWS.

use clap::{Args, ValueEnum};
use futures::future::BoxFuture;

use crate::ambient::Ambient;
use crate::doctor::Question;
use crate::error::{Error, Result};
use crate::inventory::Deployment;
use crate::name::{DeploymentName, StorageName};
use crate::option::{offers, parsed};
use crate::plan::Goal;
use crate::pods::{Trust, refuse_beside};
use crate::provider::{CloudOptions, Provider, TeamOptions, Wanted, refuse_with_team, refuse_without_team};
use crate::providers::aws::account::AccountId;
use crate::providers::aws::bucket_name::{BucketName, regional_end};
use crate::providers::aws::deployment::Aws;
use crate::providers::aws::doctor;
use crate::providers::aws::kms_key::KmsKeyArn;
use crate::providers::aws::mark::TAG_RULE;
use crate::providers::aws::principal::PrincipalArn;
use crate::providers::aws::queue_name::{QueueChoice, QueueName};
use crate::providers::aws::region::{REGIONS, Region};
use crate::providers::aws::role_name::RoleName;
use crate::providers::aws::trust::TrustOptions;
use crate::providers::s3_protocol::ambient::AMBIENT;
use crate::reader::{AWS, Reader, unnamed};
use crate::tag::TagRule;
use crate::verify::{CheckSender, VerifyOptions};

/// All options for AWS.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "AWS options")]
pub(crate) struct AwsOptions {
    #[command(flatten)]
    pub names: AwsNames,
    /// Encrypt new objects with this KMS key
    #[arg(long, value_name = "ARN", value_parser = parsed::<KmsKeyArn>())]
    pub kms_key: Option<KmsKeyArn>,
    /// Who may use the bucket of a --team: self-managed, dedicated, multi-tenant, or the ARN of a role, a user or an
    /// account [default: self-managed]
    #[arg(long, value_name = "WHO", value_parser = parsed::<Reader<PrincipalArn>>(), add = offers("self-managed dedicated multi-tenant"))]
    pub reader: Option<Reader<PrincipalArn>>,
    /// Role that the self-managed server runs as, which may use the bucket of a --team
    #[arg(long, value_name = "ARN", value_parser = parsed::<PrincipalArn>())]
    pub node_role: Option<PrincipalArn>,
    /// The role that `verify --as node` assumes.
    #[arg(skip)]
    pub assume_role: Option<String>,
    /// What `policy` prints of the server's role.
    #[arg(skip)]
    pub trust: TrustOptions,
}

/// All options, and what may assume the server's role, for `policy`.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "AWS options")]
pub(crate) struct AwsPermit {
    #[command(flatten)]
    options: AwsOptions,
    #[command(flatten)]
    trust: TrustOptions,
}

/// All options, and whose credentials `verify --as node` uses.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "AWS options")]
pub(crate) struct AwsProof {
    #[command(flatten)]
    options: AwsOptions,
    /// With --as node: assume this role, the server's, instead of using the credentials of this environment
    #[arg(long, value_name = "ARN", requires = "verify_as")]
    assume_role: Option<String>,
}

/// The options that `teardown` accepts.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "AWS options")]
pub(crate) struct AwsNames {
    /// AWS region [default: from the AWS configuration, else us-east-1]
    #[arg(long, value_parser = parsed::<Region>(), add = offers(REGIONS.names))]
    pub region: Option<Region>,
    #[command(flatten)]
    pub parts: AwsParts,
}

/// The options that name the parts of one deployment.
#[derive(Args, Clone, Debug, Default)]
#[group(id = "parts")]
pub(crate) struct AwsParts {
    /// Name of the bucket [default: derived from deployment, account and region]
    #[arg(long, value_parser = parsed::<BucketName>())]
    pub bucket: Option<BucketName>,
    /// Where the bucket's name is unique: among all accounts, or in this account and region [default: global]
    #[arg(long, value_name = "NAMESPACE")]
    pub bucket_namespace: Option<BucketNamespace>,
    /// Name of the event queue, or `internal` for the server's own Redis queue, which W&B's
    /// Kubernetes operator always uses [default: wbstore- and the deployment's name]
    #[arg(long, value_parser = parsed::<QueueChoice>(), add = offers("internal"))]
    pub queue: Option<QueueChoice>,
    /// Also create a queue for the run events that the server publishes [default name: wbstore-, the
    /// deployment's name, -events]
    #[arg(long, value_name = "NAME", num_args = 0..=1, value_parser = parsed::<QueueName>())]
    pub notifications_queue: Option<Option<QueueName>>,
}

/// Where a bucket's name is unique (S3 user guide, "Namespaces for general purpose buckets").
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum BucketNamespace {
    Global,
    AccountRegional,
}

/// The options that `list` accepts.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "AWS options")]
pub(crate) struct AwsPlace {
    /// Region whose queues are listed; buckets are listed in all regions [default: from the AWS
    /// configuration, else us-east-1]
    #[arg(long, value_parser = parsed::<Region>(), add = offers(REGIONS.names))]
    region: Option<Region>,
}

impl From<AwsPlace> for AwsOptions {
    fn from(AwsPlace { region }: AwsPlace) -> Self {
        AwsNames { region, ..AwsNames::default() }.into()
    }
}

impl From<AwsProof> for AwsOptions {
    fn from(AwsProof { options, assume_role }: AwsProof) -> Self {
        Self { assume_role, ..options }
    }
}

impl From<AwsPermit> for AwsOptions {
    fn from(AwsPermit { options, trust }: AwsPermit) -> Self {
        Self { trust, ..options }
    }
}

impl From<AwsNames> for AwsOptions {
    fn from(names: AwsNames) -> Self {
        Self { names, ..Self::default() }
    }
}

impl AwsParts {
    /// The queue that receives the bucket's events; none with `--queue internal`.
    pub(crate) fn events_queue(&self, deployment: &DeploymentName) -> Option<QueueName> {
        self.queue.clone().unwrap_or_default().resolve(deployment, QueueName::default_for)
    }

    /// Checks the bucket's name against its namespace.
    ///
    /// # Errors
    /// [`Kind::Input`](crate::error::Kind::Input) for a name of another one.
    pub(super) fn check_namespace(&self, account: &AccountId, region: &Region) -> Result<()> {
        let Some(bucket) = &self.bucket else { return Ok(()) };
        if self.bucket_namespace == Some(BucketNamespace::AccountRegional) && !bucket.is_regional() {
            let end = regional_end(account, region);
            return Err(Error::input(format!(
                "`--bucket {bucket}` is not a name of the account-regional namespace"
            ))
            .hint(format!("let it end with `{end}`, or omit `--bucket-namespace`")));
        }
        bucket.check_namespace(account, region)
    }

    /// The queue for the run events that the server publishes; none without `--notifications-queue`.
    pub(crate) fn run_events_queue(&self, deployment: &DeploymentName) -> Option<QueueName> {
        let default = || QueueName::notifications_for(deployment);
        self.notifications_queue.as_ref().map(|given| given.clone().unwrap_or_else(default))
    }
}

impl AwsOptions {
    pub(crate) const TEAM_OPTIONS: TeamOptions =
        TeamOptions { only: &["node-role", "reader"], never: &["notifications-queue", "queue"] };

    /// Who may use a team's bucket.
    pub(super) fn reader(&self) -> Reader<PrincipalArn> {
        self.reader.clone().unwrap_or_default()
    }

    /// The options for `storage`, of which a team's has no queue.
    ///
    /// # Errors
    /// [`Kind::Input`](crate::error::Kind::Input) for what has no meaning there.
    pub(super) fn of(mut self, wanted: &Wanted) -> Result<Self> {
        let trusted = self.trust.trusted()?;
        let parts = &mut self.names.parts;
        if wanted.name.team.is_none() {
            return refuse_without_team(&[
                ("--reader", self.reader.is_some()),
                ("--node-role", self.node_role.is_some()),
            ])
            .map(|()| self);
        }
        let names_queue = !matches!(parts.queue, None | Some(QueueChoice::Internal));
        refuse_with_team(&[
            ("--queue", names_queue),
            ("--notifications-queue", parts.notifications_queue.is_some()),
        ])?;
        parts.queue = Some(QueueChoice::Internal);
        if matches!(wanted.goal, Some(Goal::Present { .. })) {
            self.principal()?;
        }
        if trusted.is_some() {
            self.team_role()?;
        }
        Ok(self)
    }

    /// The name of the role that a self-managed server has, where `--node-role` gives it.
    ///
    /// # Errors
    /// [`Kind::Input`](crate::error::Kind::Input) for a reader without a role.
    pub(super) fn team_role(&self) -> Result<Option<RoleName>> {
        match (self.reader(), &self.node_role) {
            (Reader::SelfManaged, None) => Ok(None),
            (Reader::SelfManaged, Some(arn)) => {
                refuse_beside("--node-role", &[("--role-name", self.trust.role_name.is_some())])?;
                let role = arn.role().ok_or_else(|| {
                    Error::input(format!("--trust requires a role, but --node-role is {arn}"))
                        .hint("use the ARN of the role that the server has")
                })?;
                role.parse().map(Some)
            }
            (reader, _) => Err(reader.without("--trust")),
        }
    }

    /// Who may use a team's bucket, as policies name it.
    ///
    /// # Errors
    /// [`Kind::Input`](crate::error::Kind::Input) when the server is meant and its role is not named.
    pub(super) fn principal(&self) -> Result<PrincipalArn> {
        match (self.reader(), &self.node_role) {
            (Reader::SelfManaged, Some(role)) => Ok(role.clone()),
            (Reader::SelfManaged, None) => Err(unnamed("--node-role ARN")),
            (reader, Some(_)) => Err(reader.without("--node-role")),
            (Reader::Dedicated, None) => AWS.dedicated.parse(),
            (Reader::MultiTenant, None) => AWS.multi_tenant.parse(),
            (Reader::Named(principal), None) => Ok(principal),
        }
    }

    /// Checks what depends on the region, and the names against each other.
    ///
    /// # Errors
    /// [`Kind::Input`](crate::error::Kind::Input), before the first request.
    pub(super) fn check(&self, deployment: &DeploymentName, region: &Region) -> Result<()> {
        if let Some(key) = &self.kms_key {
            key.require_region(region)?;
        }
        for principal in self.reader.iter().filter_map(Reader::named).chain(&self.node_role) {
            principal.require_partition_of(region)?;
        }
        if matches!(self.reader, Some(Reader::Dedicated | Reader::MultiTenant)) {
            self.principal()?.require_partition_of(region)?;
        }
        self.check_queues(deployment)
    }

    /// Checks the names of the queues against each other.
    ///
    /// # Errors
    /// [`Kind::Input`](crate::error::Kind::Input).
    fn check_queues(&self, deployment: &DeploymentName) -> Result<()> {
        let queue = self.names.parts.events_queue(deployment);
        if queue.is_some() && queue == self.names.parts.run_events_queue(deployment) {
            return Err(Error::input("--queue and --notifications-queue name the same queue")
                .hint("use two names: the server would treat its own messages as uploads"));
        }
        Ok(())
    }
}

impl CloudOptions for AwsOptions {
    type Place = AwsPlace;
    type Names = AwsNames;
    type Delivery = Self;
    type Proof = AwsProof;
    type Permit = AwsPermit;

    fn cloud(&self) -> &'static str {
        "aws"
    }

    fn ambient(&self) -> &'static Ambient {
        &AMBIENT
    }

    fn tag_rule(&self) -> &'static TagRule {
        &TAG_RULE
    }

    fn holdings(&self) -> &'static str {
        "buckets and queues"
    }

    fn names(&self, storage: &StorageName) -> Vec<(&'static str, String)> {
        let deployment = &storage.deployment;
        let AwsNames { region, parts } = &self.names;
        let queue = parts.events_queue(deployment).map(|queue| queue.to_string());
        let mut names = vec![];
        names.extend(region.iter().map(|region| ("--region", region.to_string())));
        names.extend(parts.bucket.iter().map(|bucket| ("--bucket", bucket.to_string())));
        if parts.bucket_namespace == Some(BucketNamespace::AccountRegional) {
            names.push(("--bucket-namespace", "account-regional".to_owned()));
        }
        names.push(("--queue", queue.unwrap_or_else(|| "internal".to_owned())));
        let run_events = parts.run_events_queue(deployment);
        names.extend(run_events.map(|queue| ("--notifications-queue", queue.to_string())));
        names
    }

    fn given_parts(&self, storage: &StorageName) -> Vec<(&'static str, String)> {
        let AwsParts { queue, notifications_queue, .. } = &self.names.parts;
        let is_given = |option: &str| match option {
            "--queue" => queue.is_some(),
            "--notifications-queue" => notifications_queue.is_some(),
            _ => true,
        };
        // The name of the bucket shows its namespace.
        let names = self.names(storage).into_iter().filter(|(option, _)| *option != "--bucket-namespace");
        names.filter(|(option, _)| is_given(option)).collect()
    }

    fn with_parts(&self, deployment: &Deployment) -> Result<Box<dyn CloudOptions>> {
        let parts = AwsParts {
            bucket: deployment.part("bucket")?,
            bucket_namespace: None,
            queue: Some(deployment.part("queue")?.map_or(QueueChoice::Internal, QueueChoice::Named)),
            notifications_queue: deployment.part("notifications-queue")?.map(Some),
        };
        let names = AwsNames { region: Some(deployment.region.parse()?), parts };
        Ok(Box::new(Self { names, ..self.clone() }))
    }

    fn trust(&self) -> Result<Option<Trust>> {
        self.trust.asked()
    }

    fn check_input(&self, wanted: &Wanted) -> Result<()> {
        let options = self.clone().of(wanted)?;
        options.check_queues(&wanted.name.deployment)
    }

    fn connect(&self, wanted: Wanted) -> BoxFuture<'_, Result<Box<dyn Provider>>> {
        Box::pin(Aws::connect(self.clone(), wanted))
    }

    fn verify_as_node<'a>(
        &'a self,
        wanted: Wanted,
        options: &'a VerifyOptions,
        checks: CheckSender,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(Aws::verify_as_node(self.clone(), wanted, options, checks))
    }

    fn questions(&self, wanted: Wanted, is_named: bool) -> Vec<Question> {
        doctor::questions(self.clone(), wanted, is_named)
    }

    fn offline<'a>(
        &'a self,
        wanted: Wanted,
        account: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Box<dyn Provider>>> {
        Box::pin(Aws::offline(self.clone(), wanted, account))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::found_by;

    #[test]
    fn only_what_the_marks_give_is_torn_down() {
        let names = |options: &AwsOptions, parts: &[(&str, &str)]| found_by(options, "eu-west-1", parts);
        let other: AwsOptions = AwsNames {
            region: Some("us-east-1".parse().unwrap()),
            parts: AwsParts { bucket: Some("other".parse().unwrap()), ..AwsParts::default() },
        }
        .into();
        let all = [("bucket", "b-1"), ("queue", "q-1"), ("notifications-queue", "q-2"), ("queue", "q-3")];
        assert_eq!(
            names(&other, &all),
            ["--region eu-west-1", "--bucket b-1", "--queue q-3", "--notifications-queue q-2"]
        );
        assert_eq!(names(&other, &[("queue", "")]), ["--region eu-west-1", "--queue internal"]);
    }
}
