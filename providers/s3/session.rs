//! Credentials, endpoint, region and addressing: everything that is settled before the first resource is read.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use aws_config::{BehaviorVersion, SdkConfig};
use aws_credential_types::Credentials;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::{RequestChecksumCalculation, ResponseChecksumValidation};
use tokio::sync::OnceCell;

use super::addressing::Addressing;
use super::bucket_name::BucketName;
use super::failure::{STORE, explained};
use super::objects::Listings;
use super::options::{S3Address, S3Options};
use super::server_key::ServerKey;
use super::store_region::StoreRegion;
use super::store_url::StoreUrl;
use crate::error::{Error, Result};
use crate::mutations::Mutations;
use crate::provider::Wanted;
use crate::providers::s3_protocol::config::{self, client};
use crate::providers::s3_protocol::failure::LOG_IN;
use crate::providers::s3_protocol::objects::S3Store;

/// The clients of one store.
pub(crate) struct Api {
    /// At the endpoint that wbstore uses, with the operator's key.
    pub s3: Client,
    /// Whose URLs browsers open: at `--public-endpoint`, where there is one.
    pub public: Client,
    pub endpoint: StoreUrl,
    pub region: StoreRegion,
    /// The one in use, which is never `auto`.
    pub addressing: Addressing,
    /// What the clients have sent that changes something.
    pub mutations: Arc<Mutations>,
    /// What was found out about its listings.
    pub listings: OnceCell<Listings>,
    /// Whether it declines deletions of many keys in one call.
    singly: Arc<AtomicBool>,
}

impl Api {
    /// The contents of the bucket `name`. No store that was tried checks who owns it.
    pub(crate) fn store(&self, name: &str) -> S3Store {
        S3Store {
            s3: self.s3.clone(),
            name: name.to_owned(),
            owner: None,
            failures: &STORE,
            explained,
            singly: Some(Arc::clone(&self.singly)),
        }
    }
}

/// The user's configuration, loaded, with endpoint and region decided.
pub(crate) struct Session {
    sdk: SdkConfig,
    pub endpoint: StoreUrl,
    pub public_endpoint: Option<StoreUrl>,
    pub region: StoreRegion,
    pub addressing: Addressing,
    /// What a reviewer should know of them, one sentence each.
    pub notes: Vec<String>,
    mutations: Arc<Mutations>,
}

impl Session {
    /// Loads the standard configuration chain, and checks what it leads to.
    ///
    /// # Errors
    /// [`Kind::Input`](crate::error::Kind::Input) for an endpoint that is missing or cannot be used.
    pub(crate) async fn open(options: &S3Options, wanted: &Wanted) -> Result<Self> {
        let region = Self::configured(&options.names.address).await?;
        let mut loader = config::loader();
        if let Some(region) = &region {
            loader = loader.region(aws_types::region::Region::new(region.to_string()));
        }
        Self::new(loader.load().await, region, options, wanted)
    }

    /// A session that can describe things and reach nothing.
    ///
    /// # Errors
    /// As [`Session::open`].
    pub(crate) async fn offline(options: &S3Options, wanted: &Wanted) -> Result<Self> {
        let region = Self::configured(&options.names.address).await?;
        let sdk = aws_config::defaults(BehaviorVersion::latest()).no_credentials().load().await;
        Self::new(sdk, region, options, wanted)
    }

    /// The region that was asked for. The host of the endpoint, where it names one, comes before the configuration for
    /// Amazon's regions.
    async fn configured(address: &S3Address) -> Result<Option<StoreRegion>> {
        let named = address.region.clone().or(address.endpoint.as_ref().and_then(StoreRegion::of));
        config::region(named).await
    }

    fn new(
        sdk: SdkConfig,
        region: Option<StoreRegion>,
        options: &S3Options,
        wanted: &Wanted,
    ) -> Result<Self> {
        let S3Address { endpoint, addressing, .. } = &options.names.address;
        let endpoint = match endpoint {
            Some(endpoint) => endpoint.clone(),
            None => config::endpoint(&sdk, "S3")
                .filter(|endpoint| !endpoint.is_empty())
                .ok_or_else(|| {
                    Error::input("the endpoint of the store is missing")
                        .hint("add `--endpoint https://minio.acme.com`, or set AWS_ENDPOINT_URL_S3")
                })?
                .parse()
                .map_err(|error: Error| error.context("AWS_ENDPOINT_URL_S3"))?,
        };
        let bucket = options.names.parts.bucket.as_ref();
        endpoint.require_without(bucket)?;
        addressing.check(&endpoint, bucket)?;
        let allows_http = options.allow_http || wanted.allows_http;
        let mut notes = vec![];
        notes.extend(endpoint.require_secure("--endpoint", allows_http)?);
        let public_endpoint = options.public_endpoint.clone();
        if options.require_tls
            && let Some(plain) =
                [Some(&endpoint), public_endpoint.as_ref()].into_iter().flatten().find(|url| !url.is_https())
        {
            return Err(Error::input(format!("--require-tls would deny all requests to {plain}"))
                .hint("use the https:// address of the store, or omit `--require-tls`"));
        }
        if let Some(public) = &public_endpoint {
            public.require_without(bucket)?;
            notes.extend(public.require_secure("--public-endpoint", allows_http)?);
        }
        let named = region.or_else(|| StoreRegion::of(&endpoint));
        if named.is_none() {
            notes
                .push("no region is configured, so us-east-1 is used; `--region` chooses another".to_owned());
        }
        let region = named.unwrap_or_else(StoreRegion::usual);
        Ok(Self {
            sdk,
            addressing: addressing.first(&endpoint),
            endpoint,
            public_endpoint,
            region,
            notes,
            mutations: Arc::default(),
        })
    }

    /// The operator's credentials.
    ///
    /// # Errors
    /// [`Kind::Credentials`](crate::error::Kind::Credentials) if there are none, or they cannot be loaded.
    pub(crate) async fn credentials(&self) -> Result<Credentials> {
        config::credentials(&self.sdk).await.map_err(|error| {
            error.hint(format!("{LOG_IN} of this store; `wbstore plan s3 --offline` requires no credentials"))
        })
    }

    /// The same with the key of the server.
    pub(crate) fn with_key(mut self, key: &ServerKey) -> Self {
        let key = Credentials::new(key.id.as_str(), key.secret.reveal(), None, None, "--server-credentials");
        let provider = aws_credential_types::provider::SharedCredentialsProvider::new(key);
        self.sdk = self.sdk.into_builder().credentials_provider(provider).build();
        self
    }

    /// The clients, with the bucket in the place that `addressing` says.
    pub(crate) fn api(&self, addressing: Addressing) -> Arc<Api> {
        let at = |endpoint: &StoreUrl| {
            let config = client!(aws_sdk_s3, self.sdk, self.mutations)
                .endpoint_url(endpoint.as_str())
                .region(aws_sdk_s3::config::Region::new(self.region.to_string()))
                .force_path_style(addressing.is_path())
                // Checksums that a call does not require are refused by many stores (aws/aws-sdk-go-v2#2960).
                .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
                .response_checksum_validation(ResponseChecksumValidation::WhenRequired);
            Client::from_conf(config.build())
        };
        let public = self.public_endpoint.as_ref().unwrap_or(&self.endpoint);
        Arc::new(Api {
            s3: at(&self.endpoint),
            public: at(public),
            endpoint: self.endpoint.clone(),
            region: self.region.clone(),
            addressing,
            mutations: Arc::clone(&self.mutations),
            listings: OnceCell::new(),
            singly: Arc::default(),
        })
    }

    /// The bucket of `wanted`: the named one, or the derived one.
    pub(crate) fn bucket(&self, options: &S3Options, wanted: &Wanted) -> BucketName {
        options.names.parts.bucket.clone().unwrap_or_else(|| self.derived_bucket(wanted))
    }

    pub(crate) fn derived_bucket(&self, wanted: &Wanted) -> BucketName {
        BucketName::default_for(&wanted.name, &self.endpoint, self.region.as_str())
    }
}
