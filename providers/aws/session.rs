//! Credentials, region and endpoints: everything that is settled before the first resource is read.

use std::sync::Arc;

use aws_config::sts::AssumeRoleProvider;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;

use crate::endpoint::{Endpoint, elsewhere};
use crate::error::{Error, Kind, Result};
use crate::mutations::Mutations;
use crate::providers::aws::account::AccountId;
use crate::providers::aws::failure::{LOG_IN, failure};
use crate::providers::aws::region::{REGIONS, Region};
use crate::providers::s3_protocol::config::{self, client};
use crate::retry::unless_busy;
use crate::text::clean;
use crate::value::quoted;

/// The services that are called, by the ids that their endpoints are configured with.
const SERVICES: [&str; 3] = ["S3", "SQS", "STS"];

/// The clients of one account in one region.
pub(crate) struct Api {
    /// Buckets and objects.
    pub s3: aws_sdk_s3::Client,
    /// Queues.
    pub sqs: aws_sdk_sqs::Client,
    /// Keys, of which only policies are read.
    pub kms: aws_sdk_kms::Client,
    /// The account that must own everything we touch.
    pub account: AccountId,
    /// The region of bucket and queue.
    pub region: Region,
    /// What the clients have sent that changes something.
    pub mutations: Arc<Mutations>,
    queues: String,
}

impl Api {
    /// The URL of the queue `name`. SQS builds it from account and name, so that it is known before the queue
    /// exists (SQS developer guide, "Queue and message identifiers").
    pub(crate) fn queue_url(&self, name: &str) -> String {
        format!("{}/{}/{name}", self.queues, self.account)
    }

    /// The value of `x-amz-expected-bucket-owner`, which makes S3 reject a call if the bucket belongs to
    /// another account.
    pub(crate) fn owner(&self) -> String {
        self.account.to_string()
    }
}

/// The user's AWS configuration, loaded, with a region decided.
pub(crate) struct Session {
    sdk: SdkConfig,
    region: Region,
    assumed_region: bool,
    mutations: Arc<Mutations>,
}

impl Session {
    /// Loads the standard configuration chain. Without `region` the configured one is used, then that of the
    /// machine, and us-east-1 when there is none.
    ///
    /// # Errors
    /// [`Kind::Input`] for a region that cannot be, or an endpoint that would send credentials
    /// over plain http to another machine.
    pub(crate) async fn open(region: Option<Region>) -> Result<Self> {
        let mut loader = config::loader();
        let region = config::region(region).await?;
        if let Some(region) = &region {
            loader = loader.region(aws_types::region::Region::new(region.to_string()));
        }
        let mut sdk = loader.load().await;
        let machine = sdk.region().map(ToString::to_string).filter(|name| !name.is_empty());
        let (region, assumed_region) = match (region, machine) {
            (Some(region), _) => (region, false),
            (None, Some(name)) => (name.parse()?, false),
            (None, None) => (Region::us_east_1(), true),
        };
        if assumed_region {
            sdk = sdk.into_builder().region(aws_types::region::Region::new(region.to_string())).build();
        }
        let session = Self { sdk, region, assumed_region, mutations: Arc::default() };
        session.elsewhere()?;
        Ok(session)
    }

    /// A session that can describe things in `region` and reach nothing. Without `region` the configured one
    /// is used, and us-east-1 when there is none. It knows the custom endpoints of an online run.
    ///
    /// # Errors
    /// As [`Session::open`].
    pub(crate) async fn offline(region: Option<Region>) -> Result<Self> {
        let region = config::region(region).await?;
        let assumed_region = region.is_none();
        let region = region.unwrap_or_else(Region::us_east_1);
        let loader = aws_config::defaults(BehaviorVersion::latest()).no_credentials();
        let sdk = loader.region(aws_types::region::Region::new(region.to_string())).load().await;
        let session = Self { sdk, region, assumed_region, mutations: Arc::default() };
        session.elsewhere()?;
        Ok(session)
    }

    /// The custom endpoints, as the end of a scope.
    ///
    /// # Errors
    /// [`Kind::Input`] for one that would get credentials over plain http on another machine.
    pub(crate) fn elsewhere(&self) -> Result<String> {
        let mut custom = vec![];
        for service in SERVICES {
            if let Some(endpoint) = self.endpoint(service) {
                custom.push((service, Endpoint::in_variable("AWS_ENDPOINT_URL", &endpoint, "https")?));
            }
        }
        Ok(elsewhere(custom.iter().map(|(service, endpoint)| (*service, endpoint))))
    }

    /// The region of all resources.
    pub(crate) fn region(&self) -> &Region {
        &self.region
    }

    /// Whether the region is only our default, because nothing names one.
    pub(crate) fn region_is_assumed(&self) -> bool {
        self.assumed_region
    }

    /// The credentials.
    ///
    /// # Errors
    /// [`Kind::Credentials`] if there are none, or they cannot be loaded.
    pub(crate) async fn credentials(&self) -> Result<Credentials> {
        config::credentials(&self.sdk).await.map_err(|error| error.hint(LOG_IN))
    }

    /// What answers anybody: the custom endpoint, or that of STS, which every region has.
    pub(crate) fn contact(&self) -> String {
        let usual = || format!("https://sts.{}.{}/", self.region, self.region.partition().dns_suffix);
        self.endpoint("STS").unwrap_or_else(usual)
    }

    /// A client of IAM, which is one for all regions of a partition.
    pub(crate) fn iam(&self) -> aws_sdk_iam::Client {
        aws_sdk_iam::Client::from_conf(client!(aws_sdk_iam, self.sdk, self.mutations).build())
    }

    /// The account of the credentials, if their source has it (SSO, assumed roles, `AWS_ACCOUNT_ID`).
    ///
    /// # Errors
    /// [`Kind::Credentials`] if there are none, or they cannot be loaded.
    pub(crate) async fn stated_account(&self) -> Result<Option<AccountId>> {
        let offline = "`wbstore plan aws --offline --account-id <id>` requires no credentials";
        let credentials = config::credentials(&self.sdk).await;
        let credentials = credentials.map_err(|error| error.hint(format!("{LOG_IN}; {offline}")))?;
        Ok(credentials.account_id().and_then(|id| id.as_str().parse().ok()))
    }

    /// Asks STS whose credentials these are, and checks that they are good for the region's
    /// partition.
    ///
    /// # Errors
    /// [`Kind::Credentials`] when AWS does not accept them; [`Kind::Input`] for the wrong partition.
    pub(crate) async fn identity(&self) -> Result<AccountId> {
        Ok(self.caller().await?.0)
    }

    /// The same session as `role`.
    pub(crate) async fn assuming(mut self, role: &str) -> Self {
        let provider = AssumeRoleProvider::builder(role).session_name("wbstore-verify").configure(&self.sdk);
        let provider = SharedCredentialsProvider::new(provider.build().await);
        self.sdk = self.sdk.into_builder().credentials_provider(provider).build();
        self
    }

    /// The account and the ARN of the credentials.
    ///
    /// # Errors
    /// As [`Session::identity`].
    pub(crate) async fn caller(&self) -> Result<(AccountId, String)> {
        let sts = client!(aws_sdk_sts, self.sdk, self.mutations).build();
        let sts = aws_sdk_sts::Client::from_conf(sts);
        let caller = unless_busy(|| async {
            let answer = sts.get_caller_identity().send().await;
            answer.map_err(|error| self.doubt_region(failure(error, "sts:GetCallerIdentity", &self.region)))
        })
        .await?;
        let partition = caller.arn().and_then(|arn| arn.split(':').nth(1)).unwrap_or_default();
        let wanted = self.region.partition().id;
        if !partition.is_empty() && partition != wanted {
            return Err(Error::input(format!(
                "region {} is in the partition `{wanted}`, but these credentials belong to {}",
                self.region,
                quoted(partition)
            ))
            .hint("choose a region of your partition with --region, or other credentials with AWS_PROFILE"));
        }
        Ok((caller.account().unwrap_or_default().parse()?, clean(caller.arn().unwrap_or_default())))
    }

    /// Every region has names in DNS, so that an endpoint which cannot be reached may be that of a region
    /// which does not exist.
    fn doubt_region(&self, error: Error) -> Error {
        match REGIONS.warning(self.region.as_str()) {
            Some(warning) if error.kind() == Kind::Transient => error.hint(warning),
            _ => error,
        }
    }

    /// The clients for `account`.
    pub(crate) fn api(&self, account: AccountId) -> Arc<Api> {
        let s3 = client!(aws_sdk_s3, self.sdk, self.mutations)
            // A custom endpoint rarely has a wildcard name for every bucket.
            .force_path_style(self.endpoint("S3").is_some())
            .build();
        let sqs = client!(aws_sdk_sqs, self.sdk, self.mutations).build();
        let kms = client!(aws_sdk_kms, self.sdk, self.mutations).build();
        let queues = self.endpoint("SQS").map_or_else(
            || format!("https://sqs.{}.{}", self.region, self.region.partition().dns_suffix),
            |endpoint| endpoint.trim_end_matches('/').to_owned(),
        );
        Arc::new(Api {
            s3: aws_sdk_s3::Client::from_conf(s3),
            sqs: aws_sdk_sqs::Client::from_conf(sqs),
            kms: aws_sdk_kms::Client::from_conf(kms),
            account,
            region: self.region.clone(),
            mutations: Arc::clone(&self.mutations),
            queues,
        })
    }

    /// The endpoint that the user set for `service`.
    fn endpoint(&self, service: &str) -> Option<String> {
        config::endpoint(&self.sdk, service)
    }
}
