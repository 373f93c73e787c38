//! The user's AWS configuration, which every tool for S3 reads: credentials, region, endpoints.

use std::env;
use std::str::FromStr;
use std::time::Duration;

use aws_config::meta::region::ProvideRegion as _;
use aws_config::profile::ProfileFileRegionProvider;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, ConfigLoader, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials as _;
use aws_types::service_config::ServiceConfigKey;

use super::connector;
use super::retries;
use crate::error::{Error, Kind, Result};
use crate::explain::root_cause;
use crate::http::CONNECT_WITHIN;
use crate::text::clean;
use crate::value::quoted;

/// Begins the configuration of a client that logs its requests and repeats them as we do.
macro_rules! client {
    ($service:ident, $sdk:expr, $mutations:expr) => {
        $service::config::Builder::from(&$sdk)
            .interceptor($crate::providers::s3_protocol::log::RequestLog {
                mutations: std::sync::Arc::clone(&$mutations),
            })
            .interceptor($crate::providers::s3_protocol::retries::Retries)
            .retry_classifier($crate::providers::s3_protocol::retries::Retries)
            .retry_config($crate::providers::s3_protocol::retries::config())
    };
}

pub(crate) use client;

/// Loads the configuration, for clients with our limits.
pub(crate) fn loader() -> ConfigLoader {
    aws_config::defaults(BehaviorVersion::latest())
        .http_client(connector::http_client())
        .timeout_config(TimeoutConfig::builder().connect_timeout(CONNECT_WITHIN).build())
        // Also of what finds the credentials, which shows nothing.
        .retry_config(retries::config().with_max_backoff(Duration::from_secs(1)))
}

/// The credentials of `sdk`.
///
/// # Errors
/// [`Kind::Credentials`] if there are none, or they cannot be loaded; without a hint.
pub(crate) async fn credentials(sdk: &SdkConfig) -> Result<Credentials> {
    let Some(provider) = sdk.credentials_provider() else {
        return Err(Error::new(Kind::Credentials, "no AWS credentials are configured"));
    };
    provider.provide_credentials().await.map_err(|error| {
        let why = root_cause(&error);
        let profile = env::var("AWS_PROFILE").ok().filter(|profile| !profile.is_empty());
        // What the chain reports of a profile that it has not found.
        let unknown = profile.filter(|_| why.contains("Profile: the credential provider was not enabled"));
        match unknown {
            Some(profile) => Error::new(
                Kind::Credentials,
                format!(
                    "AWS_PROFILE names the profile {}, which does not exist or has no credentials",
                    quoted(&profile)
                ),
            ),
            None => {
                Error::new(Kind::Credentials, "no usable AWS credentials were found").because(clean(&why))
            }
        }
    })
}

/// The endpoint that the user set for `service`, by the ecosystem's own variables (`AWS_ENDPOINT_URL_S3`,
/// `AWS_ENDPOINT_URL`) or profile keys.
pub(crate) fn endpoint(sdk: &SdkConfig, service: &str) -> Option<String> {
    let own = ServiceConfigKey::builder()
        .service_id(service)
        .profile("endpoint_url")
        .env("AWS_ENDPOINT_URL")
        .build()
        .ok()
        .and_then(|key| sdk.service_config()?.load_config(key));
    own.or_else(|| sdk.endpoint_url().map(str::to_owned))
}

/// `region`, or the one that the environment or the profile names; no request is sent.
///
/// # Errors
/// [`Kind::Input`] for what is no region.
pub(crate) async fn region<R: FromStr<Err = Error>>(region: Option<R>) -> Result<Option<R>> {
    if region.is_some() {
        return Ok(region);
    }
    let Some((source, name)) = configured_region().await else { return Ok(None) };
    name.parse().map(Some).map_err(|error: Error| error.context(source))
}

/// The region that the environment or the profile names, and which of them does.
pub(crate) async fn configured_region() -> Option<(&'static str, String)> {
    let set = |name| Some((name, env::var(name).ok().filter(|value| !value.is_empty())?));
    if let Some(found) = ["AWS_REGION", "AWS_DEFAULT_REGION"].into_iter().find_map(set) {
        return Some(found);
    }
    let name = ProfileFileRegionProvider::new().region().await?.to_string();
    (!name.is_empty()).then_some(("the region of the AWS profile", name))
}
