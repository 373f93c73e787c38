//! Which link of the chain of AWS gave credentials, a region or an endpoint. Variables are named, never their values.

use std::env;

use aws_credential_types::Credentials;
use aws_credential_types::credential_feature::AwsCredentialFeature as Feature;
use jiff::{Timestamp, Unit};

use super::config;
use crate::doctor::set_of;
use crate::error::{Error, Result};
use crate::value::quoted;

/// Where `credentials` were found, and until when they can be used.
pub(crate) fn of_credentials(credentials: &Credentials) -> String {
    let features = credentials.get_property::<Vec<Feature>>().map(Vec::as_slice).unwrap_or_default();
    let source = source(features);
    let expiry = credentials.expiry().and_then(|end| Timestamp::try_from(end).ok());
    match expiry.and_then(|end| end.round(Unit::Second).ok()) {
        Some(end) => format!("{source}; they expire at {end}"),
        None => source,
    }
}

/// The SDK lists the links from the innermost on: SSO before the profile that asks for it.
fn source(features: &[Feature]) -> String {
    let how = features.iter().find_map(|feature| {
        Some(match feature {
            Feature::CredentialsSso => "with the token of `aws sso login`",
            Feature::CredentialsProcess => "with its credential_process",
            Feature::CredentialsStsAssumeRole => "with the role that it assumes",
            Feature::CredentialsProfileStsWebIdToken | Feature::CredentialsStsAssumeRoleWebId => {
                "with its web identity token file"
            }
            Feature::CredentialsProfileLogin | Feature::CredentialsLogin => "with the token of `aws login`",
            Feature::CredentialsImds => "with the role of this machine",
            Feature::CredentialsHttp => "with the role of this container",
            _ => return None,
        })
    });
    if features.contains(&Feature::CredentialsProfile) {
        return format!("{}{}", profile(), how.map(|how| format!(", {how}")).unwrap_or_default());
    }
    match features.first() {
        Some(Feature::CredentialsEnvVars) => {
            format!(
                "the variables {}",
                listed(&["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"])
            )
        }
        Some(Feature::CredentialsProfileStsWebIdToken | Feature::CredentialsStsAssumeRoleWebId) => {
            "the token file of AWS_WEB_IDENTITY_TOKEN_FILE, for the role of AWS_ROLE_ARN".to_owned()
        }
        Some(Feature::CredentialsHttp) => format!(
            "the container's own, of {}",
            listed(&["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"])
        ),
        Some(Feature::CredentialsImds) => "the role of this machine, from the metadata service".to_owned(),
        _ => "a source that the SDK does not name".to_owned(),
    }
}

fn listed(names: &[&'static str]) -> String {
    set_of(names).join(", ")
}

/// The profile in use, and its files.
fn profile() -> String {
    let name = match env::var("AWS_PROFILE").ok().filter(|name| !name.is_empty()) {
        Some(name) => format!("the profile {} (AWS_PROFILE)", quoted(&name)),
        None => "the profile `default`".to_owned(),
    };
    let file = |variable: &str, usual: &str| match env::var(variable).ok().filter(|path| !path.is_empty()) {
        Some(path) => format!("{} ({variable})", quoted(&path)),
        None => format!("`{usual}`"),
    };
    let (config, shared) =
        (file("AWS_CONFIG_FILE", "~/.aws/config"), file("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials"));
    format!("{name} in {config} and {shared}")
}

/// Where a region that no option names is configured.
///
/// # Errors
/// [`Kind::Input`](crate::error::Kind::Input) for what is no region.
pub(crate) async fn of_region<R: std::str::FromStr<Err = Error>>() -> Result<Option<&'static str>> {
    let found = config::configured_region().await;
    found.map(|(source, name)| name.parse::<R>().map(|_| source)).transpose()
}

/// The variables that move endpoints, and are set.
pub(crate) fn of_endpoints(services: &[&str]) -> String {
    let names = services.iter().map(|service| format!("AWS_ENDPOINT_URL_{service}"));
    let set: Vec<_> = std::iter::once("AWS_ENDPOINT_URL".to_owned())
        .chain(names)
        .filter(|name| env::var_os(name).is_some_and(|value| !value.is_empty()))
        .collect();
    if set.is_empty() { "endpoint_url of the profile".to_owned() } else { set.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_link_has_its_words() {
        for (features, words) in [
            (&[Feature::CredentialsImds][..], "from the metadata service"),
            (&[Feature::CredentialsProfileStsWebIdToken], "AWS_WEB_IDENTITY_TOKEN_FILE"),
            (&[Feature::CredentialsSso, Feature::CredentialsProfile], "with the token of `aws sso login`"),
            (&[Feature::CredentialsImds, Feature::CredentialsProfile], "with the role of this machine"),
            (
                &[Feature::CredentialsStsAssumeRole, Feature::CredentialsProfile],
                "with the role that it assumes",
            ),
            (&[Feature::CredentialsProfile], "~/.aws/credentials`"),
            (&[], "does not name"),
        ] {
            let source = source(features);
            assert!(source.contains(words), "{features:?}: {source}");
        }
    }
}
