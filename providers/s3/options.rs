//! The options for S3-compatible stores.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use futures::future::BoxFuture;

use crate::ambient::Ambient;
use crate::doctor::Question;
use crate::error::{Error, Result};
use crate::inventory::Deployment;
use crate::name::StorageName;
use crate::option::{offers, parsed};
use crate::plan::Goal;
use crate::provider::{CloudOptions, EmptyBy, Provider, TeamOptions, Wanted, refuse_without_team};
use crate::providers::s3::addressing::Addressing;
use crate::providers::s3::bucket_name::BucketName;
use crate::providers::s3::coreweave::{self, CoreweavePrincipal, WandbOrgId};
use crate::providers::s3::deployment::S3;
use crate::providers::s3::doctor;
use crate::providers::s3::mark::TAG_RULE;
use crate::providers::s3::server_key::ServerKey;
use crate::providers::s3::store_region::StoreRegion;
use crate::providers::s3::store_url::StoreUrl;
use crate::providers::s3_protocol::ambient::AMBIENT;
use crate::reader::Reader;
use crate::secret::Disclosure;
#[cfg(feature = "check")]
use crate::secret::Secret;
#[cfg(feature = "check")]
use crate::settings::bucket_address::{BucketAddress, StoreEndpoint, StoreKeys};
use crate::tag::TagRule;
use crate::verify::{CheckSender, VerifyOptions};

/// All options for S3-compatible stores.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "S3 options")]
pub(crate) struct S3Options {
    #[command(flatten)]
    pub names: S3Names,
    /// Address at which browsers reach the store, where --endpoint is one of an internal network. It is the one in BUCKET
    #[arg(long, value_name = "URL", value_parser = parsed::<StoreUrl>())]
    pub public_endpoint: Option<StoreUrl>,
    /// File with the server's access key: lines AWS_ACCESS_KEY_ID=… and AWS_SECRET_ACCESS_KEY=…, or a profile in the form of
    /// ~/.aws/credentials [default: BUCKET has placeholders]
    #[arg(long, value_name = "FILE")]
    pub server_credentials: Option<PathBuf>,
    /// Give the server the key of this environment, which may do more than the server needs
    #[arg(long, conflicts_with = "server_credentials")]
    pub use_my_key: bool,
    /// Also set the bucket's public access block, where the store has one and uploads still work with it
    #[arg(long)]
    pub block_public_access: bool,
    /// Also set a bucket policy that denies requests without TLS, where the store has policies
    #[arg(long)]
    pub require_tls: bool,
    /// Also encrypt new objects with the store's own keys (AES256), where uploads still work with it
    #[arg(long)]
    pub encrypt: bool,
    /// Who may use the bucket of a --team on CoreWeave: self-managed, dedicated, multi-tenant, or a principal of
    /// CoreWeave [default: self-managed]
    #[arg(long, value_name = "WHO", value_parser = parsed::<Reader<CoreweavePrincipal>>(), add = offers("self-managed dedicated multi-tenant"))]
    pub reader: Option<Reader<CoreweavePrincipal>>,
    /// W&B's customer namespace, or organization ID on the Multi-tenant Cloud: the bucket of a --team on CoreWeave is
    /// used for no other customer of W&B
    #[arg(long, value_name = "ID", value_parser = parsed::<WandbOrgId>())]
    pub wandb_org_id: Option<WandbOrgId>,
    #[arg(skip)]
    disclosure: Disclosure,
    /// The server's key, where it is known already.
    #[arg(skip)]
    pub key: Option<Arc<ServerKey>>,
    /// Whether `list` may use plain http.
    #[arg(skip)]
    pub allow_http: bool,
}

/// The options that `teardown` accepts.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "S3 options")]
pub(crate) struct S3Names {
    #[command(flatten)]
    pub address: S3Address,
    #[command(flatten)]
    pub parts: S3Parts,
}

/// Where the store is.
#[derive(Args, Clone, Debug, Default)]
#[group(skip)]
pub(crate) struct S3Address {
    /// Address of the store's S3 API, such as https://minio.acme.com:9000 [default: AWS_ENDPOINT_URL_S3]
    #[arg(long, value_name = "URL", value_parser = parsed::<StoreUrl>())]
    pub endpoint: Option<StoreUrl>,
    /// Region of the store [default: from the endpoint's host or the AWS configuration, else us-east-1]
    #[arg(long, value_parser = parsed::<StoreRegion>())]
    pub region: Option<StoreRegion>,
    /// Where URLs have the bucket's name
    #[arg(long, value_enum, default_value_t)]
    pub addressing: Addressing,
}

/// The options that name the parts of one deployment.
#[derive(Args, Clone, Debug, Default)]
#[group(id = "parts")]
pub(crate) struct S3Parts {
    /// Name of the bucket [default: derived from deployment, endpoint and region]
    #[arg(long, value_parser = parsed::<BucketName>())]
    pub bucket: Option<BucketName>,
}

/// The options that `list` accepts.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "S3 options")]
pub(crate) struct S3Place {
    #[command(flatten)]
    address: S3Address,
    /// Allow an `http://` --endpoint that is not this machine
    #[arg(long)]
    allow_http: bool,
}

/// All options, and where the server's key is written.
#[derive(Args, Debug)]
#[command(next_help_heading = "S3 options")]
pub(crate) struct S3Delivery {
    #[command(flatten)]
    options: S3Options,
    /// Show the secret of the server's key in BUCKET [default: a comment without it]
    #[arg(long, conflicts_with = "secret_file")]
    reveal: bool,
    /// Write only BUCKET with the server's key, to this new file that only you can read
    #[arg(long, value_name = "PATH")]
    secret_file: Option<PathBuf>,
}

impl From<S3Place> for S3Options {
    fn from(S3Place { address, allow_http }: S3Place) -> Self {
        Self { allow_http, ..S3Names { address, ..S3Names::default() }.into() }
    }
}

impl From<S3Names> for S3Options {
    fn from(names: S3Names) -> Self {
        Self { names, ..Self::default() }
    }
}

impl From<S3Delivery> for S3Options {
    fn from(S3Delivery { options, reveal, secret_file }: S3Delivery) -> Self {
        Self { disclosure: Disclosure::asked(reveal, secret_file), ..options }
    }
}

impl S3Options {
    pub(crate) const TEAM_OPTIONS: TeamOptions =
        TeamOptions { only: &["reader", "wandb-org-id"], never: &[] };

    /// Who may use a team's bucket.
    pub(super) fn reader(&self) -> Reader<CoreweavePrincipal> {
        self.reader.clone().unwrap_or_default()
    }

    /// The options by which the server reaches the bucket at `address` of `endpoint`.
    ///
    /// # Errors
    /// [`Kind::Input`](crate::error::Kind::Input) for what no option allows.
    #[cfg(feature = "check")]
    pub(crate) fn of_server(address: &BucketAddress, endpoint: &StoreEndpoint) -> Result<Self> {
        let scheme = if address.tls == Some(true) { "https" } else { "http" };
        let port = endpoint.port.map(|port| format!(":{port}")).unwrap_or_default();
        let key = match &address.keys {
            Some(StoreKeys { id: Some(id), secret: Some(secret) }) => {
                Some(Arc::new(ServerKey { id: id.clone(), secret: Secret::new(secret.reveal().to_owned()) }))
            }
            _ => None,
        };
        let parts = S3Parts { bucket: Some(address.bucket.parse()?) };
        let address = S3Address {
            endpoint: Some(format!("{scheme}://{}{port}", endpoint.host).parse()?),
            region: address.region.as_deref().map(str::parse).transpose()?,
            addressing: match address.force_path_style {
                Some(true) => Addressing::Path,
                Some(false) => Addressing::Virtual,
                None => Addressing::Auto,
            },
        };
        Ok(Self { key, allow_http: true, ..S3Names { address, parts }.into() })
    }

    /// The server's key, if one is named.
    ///
    /// # Errors
    /// [`Kind::Input`](crate::error::Kind::Input) for a file that has none.
    pub(super) fn server_key(&self) -> Result<Option<Arc<ServerKey>>> {
        match (&self.key, &self.server_credentials) {
            (Some(key), _) => Ok(Some(Arc::clone(key))),
            (None, Some(path)) => ServerKey::read(path).map(Arc::new).map(Some),
            (None, None) => Ok(None),
        }
    }

    /// Checks what only a team's bucket has, and only on CoreWeave.
    ///
    /// # Errors
    /// [`Kind::Input`](crate::error::Kind::Input).
    pub(super) fn check_team(&self, wanted: &Wanted, coreweave: bool, bucket: &BucketName) -> Result<()> {
        let only = [("--reader", self.reader.is_some()), ("--wandb-org-id", self.wandb_org_id.is_some())];
        if wanted.name.team.is_none() {
            return refuse_without_team(&only);
        }
        if !coreweave {
            return match only.iter().find(|(_, is_given)| *is_given) {
                Some((option, _)) => Err(Error::input(format!(
                    "{option} has no effect on this store, to which W&B has a key: only CoreWeave knows W&B's principals"
                ))
                .hint(format!("omit `{option}`; `--server-credentials` has the key of the server"))),
                None => Ok(()),
            };
        }
        coreweave::check_name(bucket)?;
        if matches!(wanted.goal, Some(Goal::Present { .. })) { self.require_org_id() } else { Ok(()) }
    }

    /// Checks that W&B's name of the customer is known, of a team's bucket on CoreWeave.
    ///
    /// # Errors
    /// [`Kind::Input`](crate::error::Kind::Input).
    pub(super) fn require_org_id(&self) -> Result<()> {
        if self.wandb_org_id.is_some() {
            return Ok(());
        }
        Err(Error::input("a team's bucket on CoreWeave requires W&B's name for you").hint(
            "add `--wandb-org-id ID`: the Customer Namespace at the bottom of System Console, Authentication; on the \
             Multi-tenant Cloud the organization ID above `Invite team members`",
        ))
    }

    /// Refuses what no S3-compatible store has.
    ///
    /// # Errors
    /// [`Kind::Input`](crate::error::Kind::Input).
    pub(super) fn check(&self, wanted: &Wanted) -> Result<()> {
        if wanted.empty_by == EmptyBy::Lifecycle {
            return Err(Error::input("--empty-by lifecycle is not available on S3-compatible stores")
                .hint("omit `--empty-by`: `--delete-objects` deletes the objects with calls"));
        }
        Ok(())
    }
}

impl CloudOptions for S3Options {
    type Place = S3Place;
    type Names = S3Names;
    type Delivery = S3Delivery;
    type Proof = Self;
    type Permit = Self;

    fn cloud(&self) -> &'static str {
        "s3"
    }

    fn ambient(&self) -> &'static Ambient {
        &AMBIENT
    }

    fn tag_rule(&self) -> &'static TagRule {
        &TAG_RULE
    }

    fn holdings(&self) -> &'static str {
        "buckets"
    }

    fn names(&self, _: &StorageName) -> Vec<(&'static str, String)> {
        let S3Names { address, parts } = &self.names;
        let mut names = vec![];
        names.extend(address.endpoint.iter().map(|endpoint| ("--endpoint", endpoint.to_string())));
        names.extend(address.region.iter().map(|region| ("--region", region.to_string())));
        match address.addressing {
            Addressing::Auto => {}
            Addressing::Path => names.push(("--addressing", "path".to_owned())),
            Addressing::Virtual => names.push(("--addressing", "virtual".to_owned())),
        }
        names.extend(parts.bucket.iter().map(|bucket| ("--bucket", bucket.to_string())));
        names
    }

    fn given_parts(&self, storage: &StorageName) -> Vec<(&'static str, String)> {
        self.names(storage)
    }

    fn with_parts(&self, deployment: &Deployment) -> Result<Box<dyn CloudOptions>> {
        let parts = S3Parts { bucket: deployment.part("bucket")? };
        let names = S3Names { parts, ..self.names.clone() };
        Ok(Box::new(Self { names, ..self.clone() }))
    }

    fn disclosure(&self) -> Disclosure {
        self.disclosure.clone()
    }

    fn check_input(&self, wanted: &Wanted) -> Result<()> {
        self.check(wanted)
    }

    fn connect(&self, wanted: Wanted) -> BoxFuture<'_, Result<Box<dyn Provider>>> {
        Box::pin(S3::connect(self.clone(), wanted))
    }

    fn verify_as_node<'a>(
        &'a self,
        wanted: Wanted,
        options: &'a VerifyOptions,
        checks: CheckSender,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(S3::verify_as_node(self.clone(), wanted, options, checks))
    }

    fn questions(&self, wanted: Wanted, is_named: bool) -> Vec<Question> {
        doctor::questions(self.clone(), wanted, is_named)
    }

    fn offline<'a>(
        &'a self,
        wanted: Wanted,
        account: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Box<dyn Provider>>> {
        Box::pin(S3::offline(self.clone(), wanted, account))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::found_by;

    #[test]
    fn only_what_the_marks_give_is_torn_down() {
        let other: S3Options = S3Names {
            address: S3Address {
                endpoint: Some("https://minio.acme.com".parse().unwrap()),
                region: None,
                addressing: Addressing::Virtual,
            },
            parts: S3Parts { bucket: Some("other".parse().unwrap()) },
        }
        .into();
        assert_eq!(
            found_by(&other, "us-east-1", &[("bucket", "b-1")]),
            ["--endpoint https://minio.acme.com", "--addressing virtual", "--bucket b-1"]
        );
    }
}
