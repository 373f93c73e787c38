//! Credentials and endpoints: everything that is settled before the first resource is read.

mod certificate;
mod credentials;
mod plain;
mod retries;
mod token;
mod transport;

use std::env;
use std::sync::Arc;

use azure_core::cloud::{CloudConfiguration, CustomConfiguration};
use azure_core::credentials::TokenCredential;
use azure_core::http::policies::Policy;
use azure_core::http::policies::auth::BearerTokenAuthorizationPolicy;
use azure_core::http::{ClientOptions, RetryOptions, Url};
use azure_storage_blob::{BlobServiceClient, BlobServiceClientOptions};
use azure_storage_queue::{QueueServiceClient, QueueServiceClientOptions};
use serde_json::Value;
use tokio::sync::OnceCell;

use crate::endpoint::{Endpoint, elsewhere};
use crate::error::{Error, Kind, Result};
use crate::http::redact;
use crate::providers::azure::arm::{Arm, Call, dressed, version};
use crate::providers::azure::failure::failure;
use crate::providers::azure::lock::Lock;
use crate::providers::azure::log::RequestLog;
use crate::providers::azure::options::Endpoints;
use crate::providers::azure::subscription_id::SubscriptionId;
use crate::resource::Address;
use crate::secret::Secret;

pub(crate) use credentials::Source;
pub(crate) use plain::Plain;
pub(crate) use retries::Retries;
use token::{FailsOnce, TokenAnswers};
use transport::{Plane, transport};

/// What a token for the data plane is for, in every cloud.
const STORAGE_SCOPE: &str = "https://storage.azure.com/.default";

const AUTHORITY_HOST: &str = "AZURE_AUTHORITY_HOST";

/// A cloud of Azure's (Azure documentation, "Azure environments"; `az cloud list`).
#[derive(Clone, Copy, Debug)]
struct AzureCloud {
    /// Its name in the Azure CLI.
    cli: &'static str,
    /// The host that gives its tokens.
    login: &'static str,
    arm: &'static str,
    /// The suffix of the storage endpoints.
    suffix: &'static str,
}

const CLOUDS: [AzureCloud; 3] = [
    AzureCloud {
        cli: "AzureCloud",
        login: "login.microsoftonline.com",
        arm: "https://management.azure.com",
        suffix: "core.windows.net",
    },
    AzureCloud {
        cli: "AzureUSGovernment",
        login: "login.microsoftonline.us",
        arm: "https://management.usgovcloudapi.net",
        suffix: "core.usgovcloudapi.net",
    },
    AzureCloud {
        cli: "AzureChinaCloud",
        login: "login.chinacloudapi.cn",
        arm: "https://management.chinacloudapi.cn",
        suffix: "core.chinacloudapi.cn",
    },
];

/// Where the account's blobs and queues are.
#[derive(Clone, Debug)]
pub(crate) struct DataEndpoints<U> {
    pub blob: U,
    pub queue: U,
}

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
    named: DataEndpoints<Option<Url>>,
    usual: DataEndpoints<Url>,
    data: OnceCell<DataEndpoints<Url>>,
    plain: Plain,
    /// The custom endpoints, as the end of a scope.
    pub elsewhere: String,
    pub(super) locks: OnceCell<(Vec<Lock>, Vec<String>)>,
    /// Whether no account had the account's name at the first look.
    pub(super) name_is_free: OnceCell<bool>,
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

    /// Where the account's blobs and queues are: as the user names them, and otherwise as the account itself does,
    /// which may have a DNS zone of its own (B43).
    ///
    /// # Errors
    /// Those of the call; [`Kind::Refused`] for an endpoint without TLS.
    pub(crate) async fn endpoints(&self) -> Result<&DataEndpoints<Url>> {
        let named =
            || Some(DataEndpoints { blob: self.named.blob.clone()?, queue: self.named.queue.clone()? });
        let read = async {
            if let Some(named) = named() {
                return Ok(named);
            }
            let at = Address::new("azure", "account", &self.account);
            let action = "Microsoft.Storage/storageAccounts/read";
            let call = Call { action, target: &at, version: version::STORAGE };
            let account = match self.arm.get(&self.account_id(), call).await {
                Err(error) if error.kind() == Kind::Denied => None,
                account => account?,
            };
            self.endpoints_of(&account.unwrap_or_default())
        };
        self.data.get_or_try_init(|| read).await
    }

    /// Remembers the endpoints that `account` shows.
    ///
    /// # Errors
    /// [`Kind::Refused`] for an endpoint without TLS.
    pub(crate) fn learn(&self, account: &Value) -> Result<()> {
        if !self.data.initialized() {
            let _ = self.data.set(self.endpoints_of(account)?);
        }
        Ok(())
    }

    fn endpoints_of(&self, account: &Value) -> Result<DataEndpoints<Url>> {
        let one = |named: &Option<Url>, usual: &Url, service: &str| {
            let shown = account["properties"]["primaryEndpoints"][service].as_str();
            match (named, shown.and_then(|text| Url::parse(text.trim_end_matches('/')).ok())) {
                (Some(named), _) => Ok(named.clone()),
                (None, None) => Ok(usual.clone()),
                (None, Some(shown)) if shown.scheme() == "https" => Ok(shown),
                // An emulator on this machine has no TLS.
                (None, Some(shown)) if self.arm.is_plain() && is_loopback(&shown) => {
                    self.plain.add(shown.clone());
                    Ok(shown)
                }
                (None, Some(shown)) => Err(Error::refused(format!(
                    "the account's {service} endpoint {} does not use https, and nothing is sent to it",
                    redact(&shown)
                ))
                .hint("check --arm-endpoint and any proxy")),
            }
        };
        Ok(DataEndpoints {
            blob: one(&self.named.blob, &self.usual.blob, "blob")?,
            queue: one(&self.named.queue, &self.usual.queue, "queue")?,
        })
    }

    /// A token for the account's data.
    ///
    /// # Errors
    /// Those of the credentials.
    pub(crate) async fn storage_token(&self) -> Result<String> {
        let token = self.credential.get_token(&[STORAGE_SCOPE], None).await;
        let token = token.map_err(|error| failure(error, "get a token", STORAGE_SCOPE))?;
        Ok(token.token.secret().to_owned())
    }

    /// Whether signatures are for plain http too: an emulator on this machine has no TLS.
    pub(crate) fn signs_for_http(&self) -> bool {
        let named = [&self.named.blob, &self.named.queue];
        self.arm.is_plain() || named.into_iter().flatten().any(|url| url.scheme() == "http")
    }

    /// A client for the account's blobs: with the query of a SAS, or without one by our own token.
    ///
    /// # Errors
    /// [`Kind::Failed`] for an endpoint that is no base.
    pub(crate) async fn blobs(&self, sas: Option<&str>) -> Result<BlobServiceClient> {
        let options = BlobServiceClientOptions {
            client_options: self.options.clone(),
            ..BlobServiceClientOptions::default()
        };
        let (url, credential) = self.signed(&self.endpoints().await?.blob, sas);
        BlobServiceClient::new(url, credential, Some(options))
            .map_err(|error| failure(error, "connect", "blobs"))
    }

    /// A client for the account's queues, as [`Api::blobs`].
    ///
    /// # Errors
    /// As [`Api::blobs`].
    pub(crate) async fn queues(&self, sas: Option<&str>) -> Result<QueueServiceClient> {
        let options = QueueServiceClientOptions {
            client_options: self.options.clone(),
            ..QueueServiceClientOptions::default()
        };
        let (url, credential) = self.signed(&self.endpoints().await?.queue, sas);
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
    source: Source,
    plain: Plain,
    retries: Retries,
}

/// The credential, and the cloud it is for.
#[derive(Clone)]
struct Authority {
    /// The endpoint that the environment names, if any.
    named: Option<Endpoint>,
    cloud: AzureCloud,
}

impl Authority {
    fn from_environment() -> Result<Self> {
        let host = env::var(AUTHORITY_HOST).ok().filter(|host| !host.is_empty());
        let named = host.map(|host| Endpoint::in_variable(AUTHORITY_HOST, &host, "https")).transpose()?;
        let host = named.as_ref().and_then(|authority| authority.url().host_str());
        let cloud = CLOUDS.into_iter().find(|cloud| host == Some(cloud.login)).unwrap_or(CLOUDS[0]);
        Ok(Self { named, cloud })
    }

    fn url(&self) -> String {
        match &self.named {
            Some(authority) => dressed(authority.url().clone()).to_string(),
            None => format!("https://{}/", self.cloud.login),
        }
    }

    /// The endpoint, unless it is one of Azure's own.
    fn custom(&self) -> Option<&Endpoint> {
        self.named.as_ref().filter(|authority| authority.url().host_str() != Some(self.cloud.login))
    }
}

impl Session {
    /// Finds the credentials for `subscription`; no request is sent.
    ///
    /// # Errors
    /// [`Kind::Input`] for an authority that would get a secret over plain http on another machine, or
    /// credentials that the environment names only in part.
    pub(super) fn open(endpoints: Endpoints, subscription: Option<&SubscriptionId>) -> Result<Self> {
        let (authority, mut options, plain, retries) = Self::transported(&endpoints)?;
        let mut custom = CustomConfiguration::default();
        custom.authority_host = authority.url();
        options.cloud = Some(Arc::new(CloudConfiguration::Custom(custom)));
        let subscription = subscription.map(SubscriptionId::as_str);
        let of_data = std::mem::replace(
            &mut options.per_call_policies,
            vec![Arc::new(TokenAnswers), Arc::new(retries.for_tokens())],
        );
        let (credential, source) = credentials::find(&options, &authority.url(), subscription)?;
        let credential = Arc::new(FailsOnce::new(credential));
        options.per_call_policies = of_data;
        options.cloud = None;
        Ok(Self { endpoints, authority, options, credential, source, plain, retries })
    }

    /// A session without credentials, for calls that are signed with an account's key.
    ///
    /// # Errors
    /// As [`Session::open`] for the authority.
    pub(super) fn keyed(endpoints: Endpoints) -> Result<Self> {
        let (authority, options, plain, retries) = Self::transported(&endpoints)?;
        let (credential, source) = (Arc::new(Nobody), Source::Nobody);
        Ok(Self { endpoints, authority, options, credential, source, plain, retries })
    }

    /// How requests are sent.
    fn transported(endpoints: &Endpoints) -> Result<(Authority, ClientOptions, Plain, Retries)> {
        let authority = Authority::from_environment()?;
        let named = [&endpoints.arm, &endpoints.blob, &endpoints.queue, &authority.named];
        let plain = Plain::new(named.into_iter().flatten().map(Endpoint::url));
        let policies: Vec<Arc<dyn Policy>> = vec![Arc::new(plain.clone()), Arc::new(RequestLog)];
        let retries = Retries::default();
        let options = ClientOptions {
            per_call_policies: vec![Arc::new(retries.clone())],
            per_try_policies: policies,
            transport: Some(transport(Plane::Control, &retries.contacts)?),
            retry: RetryOptions::none(),
            ..ClientOptions::default()
        };
        Ok((authority, options, plain, retries))
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
            source: Source::Nobody,
            plain: Plain::default(),
            retries: Retries::default(),
        })
    }

    /// Where the credentials come from; of this machine it is known once there was a token.
    pub(crate) fn source(&self) -> &Source {
        &self.source
    }

    /// A token for Azure Resource Manager.
    ///
    /// # Errors
    /// Those of the credentials.
    pub(crate) async fn token(&self) -> Result<Secret> {
        let scope = format!("{}/.default", self.authority.cloud.arm);
        let token = self.credential.get_token(&[&scope], None).await;
        let token = token.map_err(|error| failure(error, "get a token", &scope))?;
        Ok(Secret::new(token.token.secret().to_owned()))
    }

    /// The cloud of Azure's, and where its Resource Manager is.
    pub(crate) fn home(&self) -> (&'static str, String) {
        let AzureCloud { cli, arm, .. } = self.authority.cloud;
        let named = self.endpoints.arm.as_ref().map(|endpoint| endpoint.url().to_string());
        (cli, named.unwrap_or_else(|| arm.to_owned()))
    }

    pub(crate) fn elsewhere(&self) -> String {
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
        let AzureCloud { arm, suffix, .. } = self.authority.cloud;
        let url = |usual: &str| {
            Url::parse(usual)
                .map_err(|error| Error::new(Kind::Failed, "build the URL of an endpoint").because(error))
        };
        let named = |given: &Option<Endpoint>| given.as_ref().map(|endpoint| endpoint.url().clone());
        let home = named(&self.endpoints.arm).map_or_else(|| url(arm), Ok)?;
        let token =
            BearerTokenAuthorizationPolicy::new(Arc::clone(&self.credential), [format!("{arm}/.default")]);
        // An offline session sends nothing.
        let is_online = self.options.transport.is_some();
        let data = is_online.then(|| transport(Plane::Data, &self.retries.contacts)).transpose()?;
        Ok(Arc::new(Api {
            arm: Arm::new(home, &self.options, self.retries.clone(), token),
            subscription: subscription.to_owned(),
            resource_group: resource_group.to_owned(),
            account: account.to_owned(),
            named: DataEndpoints { blob: named(&self.endpoints.blob), queue: named(&self.endpoints.queue) },
            usual: DataEndpoints {
                blob: url(&format!("https://{account}.blob.{suffix}/"))?,
                queue: url(&format!("https://{account}.queue.{suffix}/"))?,
            },
            data: OnceCell::new(),
            plain: self.plain.clone(),
            elsewhere: self.elsewhere(),
            locks: OnceCell::new(),
            name_is_free: OnceCell::new(),
            credential: Arc::clone(&self.credential),
            options: ClientOptions { transport: data, ..self.options.clone() },
        }))
    }
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
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
