//! The application default credentials: which there are, and whose, as far as the file shows it (AIP-4110).

use std::ffi::OsString;
use std::path::PathBuf;

use serde_json::Value;

use crate::http::Url;
use crate::text::clean;
use crate::value::quoted;

const NAMED: &str = "GOOGLE_APPLICATION_CREDENTIALS";

/// The credentials that the library uses.
#[derive(Clone, Debug)]
pub(crate) struct Adc {
    /// Where they are.
    pub(crate) place: String,
    pub(crate) kind: Kind,
    /// The project that calls of a user count on, if the file names one.
    pub(crate) quota_project: Option<String>,
}

/// What they are, by the `type` of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The key of this service account.
    ServiceAccount(String),
    /// A user's, with the address at which tokens are had.
    User(Option<Url>),
    /// A workload's, federated by this provider.
    Federated(String),
    /// This service account's, by whoever may impersonate it.
    Impersonated(String),
    /// Those of the machine, which has no file.
    Machine,
    Unread(String),
}

impl Adc {
    /// Those that `variable` leads to, in the order of the library.
    pub(crate) fn find(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let Some((file, is_named)) = file(&variable) else { return Self::of_machine() };
        let text = match std::fs::read(&file) {
            Ok(text) => text,
            Err(_) if !is_named => return Self::of_machine(),
            Err(error) => error.to_string().into_bytes(),
        };
        let shown = quoted(&file.to_string_lossy());
        let place = if is_named { format!("{shown} ({NAMED})") } else { format!("{shown} (gcloud)") };
        let json: Value = serde_json::from_slice(&text).unwrap_or_default();
        let word = |name: &str| json[name].as_str().map(clean).filter(|word| !word.is_empty());
        Self { place, kind: Kind::of(&json), quota_project: word("quota_project_id") }
    }

    fn of_machine() -> Self {
        let place = "the metadata service of this machine".to_owned();
        Self { place, kind: Kind::Machine, quota_project: None }
    }
}

impl Kind {
    fn of(json: &Value) -> Self {
        let word = |name: &str| json[name].as_str().map(clean).unwrap_or_default();
        // …/serviceAccounts/EMAIL:generateAccessToken
        let impersonated = || {
            let url = word("service_account_impersonation_url");
            let last = url.rsplit('/').next()?.split(':').next()?.to_owned();
            last.contains('@').then_some(last)
        };
        match word("type").as_str() {
            "service_account" => Self::ServiceAccount(word("client_email")),
            "authorized_user" => {
                let usual = || Url::parse("https://oauth2.googleapis.com/token").ok();
                Self::User(json["token_uri"].as_str().and_then(|text| Url::parse(text).ok()).or_else(usual))
            }
            "impersonated_service_account" => Self::Impersonated(impersonated().unwrap_or_default()),
            "external_account" => match impersonated() {
                Some(account) => Self::Impersonated(account),
                None => Self::Federated(word("audience")),
            },
            "" => Self::Unread("no credentials can be read in it".to_owned()),
            other => Self::Unread(format!("its type is {}", quoted(other))),
        }
    }

    pub(crate) fn words(&self) -> String {
        match self {
            Self::ServiceAccount(_) => "the key of a service account".to_owned(),
            Self::User(_) => "a user's, by `gcloud auth application-default login`".to_owned(),
            Self::Federated(_) => "workload identity federation".to_owned(),
            Self::Impersonated(_) => "the impersonation of a service account".to_owned(),
            Self::Machine => "a service account of this machine".to_owned(),
            Self::Unread(why) => why.clone(),
        }
    }
}

/// The file of the credentials, if any, and whether the variable names it. Unlike gcloud itself, the library does not
/// read CLOUDSDK_CONFIG.
pub(super) fn file(variable: impl Fn(&str) -> Option<OsString>) -> Option<(PathBuf, bool)> {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(named) = set(NAMED) {
        return Some((named, true));
    }
    let folder = if cfg!(windows) { set("APPDATA")? } else { set("HOME")?.join(".config") };
    Some((folder.join("gcloud").join("application_default_credentials.json"), false))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn whose_they_are_is_read_from_the_file_and_no_secret_with_it() {
        let url = "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/ci@acme.iam.gserviceaccount.com:generateAccessToken";
        let account = "ci@acme.iam.gserviceaccount.com".to_owned();
        for (json, kind) in [
            (
                json!({"type": "service_account", "client_email": account, "private_key": "hunter2"}),
                Kind::ServiceAccount(account.clone()),
            ),
            (
                json!({"type": "authorized_user", "refresh_token": "hunter2"}),
                Kind::User(Url::parse("https://oauth2.googleapis.com/token").ok()),
            ),
            (
                json!({"type": "external_account", "audience": "//iam/pool"}),
                Kind::Federated("//iam/pool".to_owned()),
            ),
            (
                json!({"type": "external_account", "service_account_impersonation_url": url}),
                Kind::Impersonated(account.clone()),
            ),
            (
                json!({"type": "impersonated_service_account", "service_account_impersonation_url": url}),
                Kind::Impersonated(account.clone()),
            ),
            (
                json!({"type": "gdch_service_account"}),
                Kind::Unread("its type is `gdch_service_account`".to_owned()),
            ),
            (json!([]), Kind::Unread("no credentials can be read in it".to_owned())),
        ] {
            let found = Kind::of(&json);
            assert_eq!(found, kind);
            assert!(!format!("{found:?}{}", found.words()).contains("hunter2"));
        }
    }

    #[test]
    fn without_a_file_they_are_those_of_the_machine() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().as_os_str().to_owned();
        let found = Adc::find(|name| (name == "HOME").then(|| home.clone()));
        assert_eq!(found.kind, Kind::Machine);
        let named = Adc::find(|name| (name == NAMED).then(|| "/nowhere/key.json".into()));
        assert_eq!(named.place, "`/nowhere/key.json` (GOOGLE_APPLICATION_CREDENTIALS)");
        assert!(matches!(named.kind, Kind::Unread(_)));
    }
}
