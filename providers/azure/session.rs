//! Credentials and endpoints: everything that is settled before the first resource is read.

mod certificate;
mod credentials;
mod plain;
mod retries;

use std::env;
use std::sync::Arc;
use std::time::Duration;

use azure_core::cloud::{CloudConfiguration, CustomConfiguration};
use azure_core::credentials::TokenCredential;
use azure_core::http::policies::Policy;
use azure_core::http::policies::auth::BearerTokenAuthorizationPolicy;
use azure_core::http::{ClientOptions, RetryOptions, Transport, Url};
use azure_storage_blob::{BlobServiceClient, BlobServiceClientOptions};
use azure_storage_queue::{QueueServiceClient, QueueServiceClientOptions};
use tokio::sync::OnceCell;

use crate::endpoint::{Endpoint, elsewhere};
use crate::error::{Error, Kind, Result};
use crate::providers::azure::arm::{Arm, dressed};
use crate::providers::azure::failure::failure;
use crate::providers::azure::lock::Lock;
use crate::providers::azure::log::RequestLog;
use crate::providers::azure::options::Endpoints;
use crate::providers::azure::subscription_id::SubscriptionId;

pub(crate) use plain::Plain;
pub(crate) use retries::Retries;

/// Long enough for a slow link, short enough to report a dead endpoint within a minute.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// ARM completes some updates before it responds.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);

const AUTHORITY_HOST: &str = "AZURE_AUTHORITY_HOST";

/// A cloud of Azure's, by the host that gives its tokens: that host, ARM, the suffix of the storage
/// endpoints (Azure documentation, "Azure environments"; `az cloud list`).
const CLOUDS: [[&str; 3]; 3] = [
    ["login.microsoftonline.com", "https://management.azure.com", "core.windows.net"],
    ["login.microsoftonline.us", "https://management.usgovcloudapi.net", "core.usgovcloudapi.net"],
    ["login.chinacloudapi.cn", "https://management.chinacloudapi.cn", "core.chinacloudapi.cn"],
];

/// The clients of one account, which need not exist.
pub(crate) struct Api {
    /// Azure Resource Manager.
    pub arm: Arm,
    /// The subscription of all resources.
    pub subscription: String,
    /// The resource group of all resources; empty for a read of the whole subscription.
    pub resource_group: String,
    /// The storage account; empty if no resource group is given.
    pub account: String,
    /// Where the account's blobs are.
    pub blob_endpoint: Url,
    /// Where the account's queues are.
    pub queue_endpoint: Url,
    /// The custom endpoints, as the end of a scope.
    pub elsewhere: String,
    pub(super) locks: OnceCell<(Vec<Lock>, Vec<String>)>,
    credential: Arc<dyn TokenCredential>,
    options: ClientOptions,
}

impl Api {
    /// The ARM id of the subscription.
    pub(crate) fn subscription_id(&self) -> String {
        format!("/subscriptions/{}", self.subscription)
    }

    /// The ARM id of the resource group.
    pub(crate) fn group_id(&self) -> String {
        format!("{}/resourceGroups/{}", self.subscription_id(), self.resource_group)
    }

    /// The ARM id of the account.
    pub(crate) fn account_id(&self) -> String {
        format!("{}/providers/Microsoft.Storage/storageAccounts/{}", self.group_id(), self.account)
    }

    /// A client for the account's blobs: with the query of a SAS, or without one by our own token.
    ///
    /// # Errors
    /// [`Kind::Failed`] for an endpoint that is no base.
    pub(crate) fn blobs(&self, sas: Option<&str>) -> Result<BlobServiceClient> {
        let options = BlobServiceClientOptions {
            client_options: self.options.clone(),
            ..BlobServiceClientOptions::default()
        };
        let (url, credential) = self.signed(&self.blob_endpoint, sas);
        BlobServiceClient::new(url, credential, Some(options))
            .map_err(|error| failure(error, "connect", "blobs"))
    }

    /// A client for the account's queues, as [`Api::blobs`].
    ///
    /// # Errors
    /// As [`Api::blobs`].
    pub(crate) fn queues(&self, sas: Option<&str>) -> Result<QueueServiceClient> {
        let options = QueueServiceClientOptions {
            client_options: self.options.clone(),
            ..QueueServiceClientOptions::default()
        };
        let (url, credential) = self.signed(&self.queue_endpoint, sas);
        QueueServiceClient::new(url, credential, Some(options))
            .map_err(|error| failure(error, "connect", "queues"))
    }

    fn signed(&self, endpoint: &Url, sas: Option<&str>) -> (Url, Option<Arc<dyn TokenCredential>>) {
        let mut url = dressed(endpoint.clone());
        match sas {
            Some(sas) => {
                url.set_query(Some(sas.trim_start_matches('?')));
                (url, None)
            }
            None => (url, Some(Arc::clone(&self.credential))),
        }
    }
}

/// The user's credentials and endpoints, found and not yet used.
pub(crate) struct Session {
    endpoints: Endpoints,
    authority: Authority,
    options: ClientOptions,
    credential: Arc<dyn TokenCredential>,
}

/// The credential, and the cloud it is for.
#[derive(Clone)]
struct Authority {
    /// The endpoint that the environment names, if any.
    named: Option<Endpoint>,
    cloud: [&'static str; 3],
}

impl Authority {
    fn from_environment() -> Result<Self> {
        let host = env::var(AUTHORITY_HOST).ok().filter(|host| !host.is_empty());
        let named = host.map(|host| Endpoint::in_variable(AUTHORITY_HOST, &host, "https")).transpose()?;
        let host = named.as_ref().and_then(|authority| authority.url().host_str());
        let cloud = CLOUDS.into_iter().find(|[login, ..]| host == Some(*login)).unwrap_or(CLOUDS[0]);
        Ok(Self { named, cloud })
    }

    fn url(&self) -> String {
        match &self.named {
            Some(authority) => dressed(authority.url().clone()).to_string(),
            None => format!("https://{}/", self.cloud[0]),
        }
    }

    /// The endpoint, unless it is one of Azure's own.
    fn custom(&self) -> Option<&Endpoint> {
        self.named.as_ref().filter(|authority| authority.url().host_str() != Some(self.cloud[0]))
    }
}

impl Session {
    /// Finds the credentials for `subscription`; no request is sent.
    ///
    /// # Errors
    /// [`Kind::Input`] for an authority that would get a secret over plain http on another machine, or
    /// credentials that the environment names only in part.
    pub(super) fn open(endpoints: Endpoints, subscription: Option<&SubscriptionId>) -> Result<Self> {
        let authority = Authority::from_environment()?;
        let named = [&endpoints.arm, &endpoints.blob, &endpoints.queue, &authority.named];
        let plain = Plain::new(named.into_iter().flatten().map(Endpoint::url));
        let policies: Vec<Arc<dyn Policy>> = vec![Arc::new(plain), Arc::new(RequestLog)];
        let mut options = ClientOptions {
            per_call_policies: vec![Arc::new(Retries)],
            per_try_policies: policies,
            transport: Some(transport()?),
            retry: RetryOptions::none(),
            ..ClientOptions::default()
        };
        let mut custom = CustomConfiguration::default();
        custom.authority_host = authority.url();
        options.cloud = Some(Arc::new(CloudConfiguration::Custom(custom)));
        let subscription = subscription.map(SubscriptionId::as_str);
        let credential = credentials::find(&options, &authority.url(), subscription)?;
        options.cloud = None;
        Ok(Self { endpoints, authority, options, credential })
    }

    /// A session that describes resources and sends nothing. It has the custom endpoints that an online run
    /// would use.
    ///
    /// # Errors
    /// As [`Session::open`] for the authority.
    pub(super) fn offline(endpoints: Endpoints) -> Result<Self> {
        Ok(Self {
            endpoints,
            authority: Authority::from_environment()?,
            options: ClientOptions::default(),
            credential: Arc::new(Nobody),
        })
    }

    fn elsewhere(&self) -> String {
        let services = [
            ("Resource Manager", self.endpoints.arm.as_ref()),
            ("blobs", self.endpoints.blob.as_ref()),
            ("queues", self.endpoints.queue.as_ref()),
            ("tokens", self.authority.custom()),
        ];
        elsewhere(services.into_iter().filter_map(|(service, endpoint)| Some((service, endpoint?))))
    }

    /// The clients for `account` in `resource_group` of `subscription`.
    ///
    /// # Errors
    /// [`Kind::Failed`] if the names form no valid URL, which checked names cannot.
    pub(crate) fn api(&self, subscription: &str, resource_group: &str, account: &str) -> Result<Arc<Api>> {
        let [_, arm, suffix] = self.authority.cloud;
        let url = |given: &Option<Endpoint>, usual: &str| match given {
            Some(endpoint) => Ok(endpoint.url().clone()),
            None => Url::parse(usual)
                .map_err(|error| Error::new(Kind::Failed, "build the URL of an endpoint").because(error)),
        };
        let token =
            BearerTokenAuthorizationPolicy::new(Arc::clone(&self.credential), [format!("{arm}/.default")]);
        Ok(Arc::new(Api {
            arm: Arm::new(url(&self.endpoints.arm, arm)?, &self.options, token),
            subscription: subscription.to_owned(),
            resource_group: resource_group.to_owned(),
            account: account.to_owned(),
            blob_endpoint: url(&self.endpoints.blob, &format!("https://{account}.blob.{suffix}/"))?,
            queue_endpoint: url(&self.endpoints.queue, &format!("https://{account}.queue.{suffix}/"))?,
            elsewhere: self.elsewhere(),
            locks: OnceCell::new(),
            credential: Arc::clone(&self.credential),
            options: self.options.clone(),
        }))
    }
}

fn transport() -> Result<Transport> {
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT_WITHIN)
        .timeout(ANSWER_WITHIN)
        .build()
        .map_err(|error| Error::new(Kind::Failed, "set up the HTTP client").because(error))?;
    Ok(Transport::new(Arc::new(client)))
}

/// Credentials without a token, for an offline session.
#[derive(Debug)]
struct Nobody;

#[async_trait::async_trait]
impl TokenCredential for Nobody {
    async fn get_token(
        &self,
        _: &[&str],
        _: Option<azure_core::credentials::TokenRequestOptions<'_>>,
    ) -> azure_core::Result<azure_core::credentials::AccessToken> {
        Err(azure_core::Error::with_message(azure_core::error::ErrorKind::Credential, "this run is offline"))
    }
}
