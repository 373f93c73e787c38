//! Where the token comes from, in the order in which Azure's SDKs look (Azure Identity documentation,
//! "DefaultAzureCredential"): environment, workload identity, managed identity, Azure CLI.

use std::env;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use azure_core::credentials::{AccessToken, Secret, TokenCredential, TokenRequestOptions};
use azure_core::error::ErrorKind;
use azure_core::http::ClientOptions;
use azure_identity::{
    AzureCliCredential, AzureCliCredentialOptions, ClientAssertionCredentialOptions, ClientSecretCredential,
    ClientSecretCredentialOptions, ManagedIdentityCredential, ManagedIdentityCredentialOptions,
    UserAssignedId, WorkloadIdentityCredential, WorkloadIdentityCredentialOptions,
};

use crate::error::{Error, Kind, Result};
use crate::providers::azure::session::retries::METADATA_SERVICE;
use crate::providers::azure::session::{CLOUDS, certificate};
use crate::text::clean;

/// How long it may take to respond. It is on the same host.
const PROBE_WITHIN: Duration = Duration::from_secs(2);

/// Which link of the chain gives the tokens.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    Secret,
    Certificate,
    Federated,
    /// Whether this machine has an identity, once that is known; the Azure CLI otherwise.
    ThisMachine(Arc<OnceLock<bool>>),
    Nobody,
}

impl Source {
    pub(crate) fn words(&self) -> &'static str {
        match self {
            Self::Secret => "a client secret, of AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET",
            Self::Certificate => {
                "a certificate, of AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_CERTIFICATE_PATH"
            }
            Self::Federated => {
                "a federated token file, of AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_FEDERATED_TOKEN_FILE"
            }
            Self::ThisMachine(has_identity) => match has_identity.get() {
                Some(true) => "the managed identity of this machine",
                _ => "the Azure CLI (`az login`)",
            },
            Self::Nobody => "none",
        }
    }
}

/// The credentials of the environment, with tokens from `authority`; without any, those of this machine, and
/// then those of the Azure CLI for `subscription`.
///
/// # Errors
/// [`Kind::Input`] if the environment has only some of the required variables.
pub(super) fn find(
    options: &ClientOptions,
    authority: &str,
    subscription: Option<&str>,
) -> Result<(Arc<dyn TokenCredential>, Source)> {
    let set = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    let (tenant, client) = (set("AZURE_TENANT_ID"), set("AZURE_CLIENT_ID"));
    let whose = |what: &str| match (&tenant, &client) {
        (Some(tenant), Some(client)) => Ok((tenant.clone(), client.clone())),
        (missing, _) => {
            let name = if missing.is_none() { "AZURE_TENANT_ID" } else { "AZURE_CLIENT_ID" };
            Err(Error::input(format!("{what} is set, but {name} is not"))
                .hint(format!("set {name} too, or unset {what}")))
        }
    };
    let client_options = || options.clone();
    if let Some(secret) = set("AZURE_CLIENT_SECRET") {
        let (tenant, client) = whose("AZURE_CLIENT_SECRET")?;
        let options = ClientSecretCredentialOptions { client_options: client_options() };
        let credential = ClientSecretCredential::new(&tenant, client, Secret::new(secret), Some(options));
        return Ok((credential.map_err(unusable)?, Source::Secret));
    }
    if let Some(path) = set("AZURE_CLIENT_CERTIFICATE_PATH") {
        let (tenant, client) = whose("AZURE_CLIENT_CERTIFICATE_PATH")?;
        let credential = certificate::credential(authority, tenant, client, path.as_ref(), client_options())?;
        return Ok((credential, Source::Certificate));
    }
    if set("AZURE_FEDERATED_TOKEN_FILE").is_some() {
        whose("AZURE_FEDERATED_TOKEN_FILE")?;
        let options = WorkloadIdentityCredentialOptions {
            credential_options: ClientAssertionCredentialOptions { client_options: client_options() },
            ..WorkloadIdentityCredentialOptions::default()
        };
        let credential = WorkloadIdentityCredential::new(Some(options)).map_err(unusable)?;
        return Ok((credential, Source::Federated));
    }
    let identity = ManagedIdentityCredential::new(Some(ManagedIdentityCredentialOptions {
        user_assigned_id: client.map(UserAssignedId::ClientId),
        client_options: client_options(),
    }));
    let cli = AzureCliCredential::new(Some(AzureCliCredentialOptions {
        // The CLI finds the tenant of a subscription.
        tenant_id: tenant.filter(|_| subscription.is_none()),
        subscription: subscription.map(str::to_owned),
        executor: None,
    }));
    let has_identity: Arc<OnceLock<bool>> = Arc::default();
    let machine = ThisMachine {
        // Other kinds of hosts are not supported by Azure's crate; there the CLI may still do.
        identity: identity.ok().map(|identity| identity as Arc<dyn TokenCredential>),
        cli: cli.map_err(unusable)?,
        authority: authority.to_owned(),
        has_identity: Arc::clone(&has_identity),
    };
    Ok((Arc::new(machine), Source::ThisMachine(has_identity)))
}

fn unusable(error: azure_core::Error) -> Error {
    Error::new(Kind::Credentials, "the Azure credentials in the environment cannot be used")
        .because(clean(&error.to_string()))
        .hint("check AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_FEDERATED_TOKEN_FILE and AZURE_AUTHORITY_HOST")
}

/// The identity of this machine where it has one, the Azure CLI otherwise.
struct ThisMachine {
    identity: Option<Arc<dyn TokenCredential>>,
    cli: Arc<AzureCliCredential>,
    /// The endpoint of the tokens.
    authority: String,
    has_identity: Arc<OnceLock<bool>>,
}

impl fmt::Debug for ThisMachine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ThisMachine")
    }
}

#[async_trait]
impl TokenCredential for ThisMachine {
    async fn get_token(
        &self,
        scopes: &[&str],
        options: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        let mut refused = None;
        if let Some(identity) = self.identity.as_ref().filter(|_| self.has_identity.get() != Some(&false)) {
            if self.has_identity.get().is_none() && !hosts_identities().await {
                let _ = self.has_identity.set(false);
            } else {
                match identity.get_token(scopes, options.clone()).await {
                    Ok(token) => {
                        let _ = self.has_identity.set(true);
                        return Ok(token);
                    }
                    Err(error) => refused = Some(error),
                }
            }
        }
        let cli = match other_cloud_of_cli(&self.authority) {
            Some((name, host)) => {
                let host = host
                    .map_or_else(|| "https://<its login host>".to_owned(), |host| format!("https://{host}"));
                format!(
                    "it is set to the cloud {name}, and wbstore to the one of {}: set AZURE_AUTHORITY_HOST={host}, or \
                     run \"az cloud set\"",
                    self.authority.trim_end_matches('/')
                )
            }
            None => match self.cli.get_token(scopes, options).await {
                Ok(token) => {
                    let _ = self.has_identity.set(false);
                    return Ok(token);
                }
                Err(error) => reason(&error),
            },
        };
        let identity = refused.map_or_else(|| "none on this machine".to_owned(), |error| reason(&error));
        // The last one first: it is what a person can do something about.
        let text = format!(
            "Azure CLI: {cli}; managed identity: {identity}; environment: AZURE_CLIENT_SECRET, \
             AZURE_CLIENT_CERTIFICATE_PATH and AZURE_FEDERATED_TOKEN_FILE are not set"
        );
        Err(azure_core::Error::with_message(ErrorKind::Credential, text))
    }
}

/// One reason of several, without the advice that Azure's crate adds to each.
fn reason(error: &azure_core::Error) -> String {
    let text = clean(&error.to_string());
    text.split("To troubleshoot").next().unwrap_or_default().trim().trim_end_matches('.').to_owned()
}

/// Another cloud than that of `authority` to which the Azure CLI is set, by its own name, and the host that gives
/// its tokens (Azure CLI documentation, "az cloud"; `az cloud set` writes `~/.azure/config`).
fn other_cloud_of_cli(authority: &str) -> Option<(String, Option<&'static str>)> {
    let home =
        || Some(PathBuf::from(env::var_os("HOME").or_else(|| env::var_os("USERPROFILE"))?).join(".azure"));
    let folder = env::var_os("AZURE_CONFIG_DIR").map(PathBuf::from).or_else(home)?;
    let text = std::fs::read_to_string(folder.join("config")).ok()?;
    let section = text.lines().skip_while(|line| line.trim() != "[cloud]").skip(1);
    let mut settings = section.take_while(|line| !line.trim_start().starts_with('['));
    let name = settings.find_map(|line| {
        let (key, value) = line.split_once('=')?;
        (key.trim() == "name").then(|| clean(value))
    })?;
    let host = CLOUDS.into_iter().find(|cloud| cloud.cli == name).map(|cloud| cloud.login);
    (!host.is_some_and(|host| authority.contains(host))).then_some((name, host))
}

/// Whether managed identities are available: App Service sets variables in the environment, a virtual machine
/// has the metadata service. Either rejects a request without its header at once, so that one which only accepts
/// connections is passed over.
async fn hosts_identities() -> bool {
    let named = env::var("IDENTITY_ENDPOINT").ok().filter(|endpoint| !endpoint.is_empty());
    let is_named = named.is_some();
    let endpoint = named.unwrap_or_else(|| format!("http://{METADATA_SERVICE}/metadata/identity"));
    // Not through a proxy, which has a metadata service of its own.
    let Ok(client) = reqwest::Client::builder().no_proxy().timeout(PROBE_WITHIN).build() else {
        return false;
    };
    match client.get(endpoint).send().await {
        Ok(_) => true,
        Err(error) => is_named && !error.is_timeout(),
    }
}
