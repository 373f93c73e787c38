//! Where the APIs are, and the variables by which the ecosystem moves them.

use url::Url;

use crate::endpoint::{Endpoint, elsewhere};
use crate::error::Result;

/// An API of Google Cloud.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    /// Cloud Storage: gRPC, JSON and signed URLs.
    Storage,
    /// Pub/Sub: JSON and gRPC.
    Pubsub,
    /// Service accounts and their policies.
    Iam,
    /// Signatures by service accounts.
    IamCredentials,
    /// Projects.
    ResourceManager,
}

impl Service {
    const ALL: [Self; 5] =
        [Self::Storage, Self::Pubsub, Self::Iam, Self::IamCredentials, Self::ResourceManager];

    fn name(self) -> &'static str {
        match self {
            Self::Storage => "Cloud Storage",
            Self::Pubsub => "Pub/Sub",
            Self::Iam => "IAM",
            Self::IamCredentials => "IAM Credentials",
            Self::ResourceManager => "Resource Manager",
        }
    }

    fn host(self) -> &'static str {
        match self {
            Self::Storage => "https://storage.googleapis.com",
            Self::Pubsub => "https://pubsub.googleapis.com",
            Self::Iam => "https://iam.googleapis.com",
            Self::IamCredentials => "https://iamcredentials.googleapis.com",
            Self::ResourceManager => "https://cloudresourcemanager.googleapis.com",
        }
    }

    /// The variables of the emulators, as Google's other client libraries read them, and gcloud's own
    /// (`gcloud topic configurations`, section `api_endpoint_overrides`).
    fn variable(self) -> &'static str {
        match self {
            Self::Storage => "STORAGE_EMULATOR_HOST",
            Self::Pubsub => "PUBSUB_EMULATOR_HOST",
            Self::Iam => "CLOUDSDK_API_ENDPOINT_OVERRIDES_IAM",
            Self::IamCredentials => "CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS",
            Self::ResourceManager => "CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDRESOURCEMANAGER",
        }
    }
}

/// The endpoints that the user set, if any.
#[derive(Clone, Debug, Default)]
pub(crate) struct Endpoints {
    set: Vec<(Service, Endpoint)>,
}

impl Endpoints {
    /// The services that `variable` applies to.
    ///
    /// # Errors
    /// [`Kind::Input`](crate::error::Kind::Input) for one that is no URL, or would send credentials over
    /// plain http to another machine.
    pub(crate) fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let mut set = vec![];
        for service in Service::ALL {
            let name = service.variable();
            if let Some(text) = variable(name).filter(|text| !text.is_empty()) {
                // The emulators' variables often have the form host:port.
                set.push((service, Endpoint::in_variable(name, &text, "http")?));
            }
        }
        Ok(Self { set })
    }

    /// Those that are set, as the end of a scope.
    pub(crate) fn elsewhere(&self) -> String {
        elsewhere(self.set.iter().map(|(service, endpoint)| (service.name(), endpoint)))
    }

    /// Whether that of `service` is set, or none is: the services belong together then.
    pub(crate) fn belongs(&self, service: Service) -> bool {
        self.set.is_empty() || self.set.iter().any(|(one, _)| *one == service)
    }

    /// The variables that are set.
    pub(crate) fn variables(&self) -> Vec<&'static str> {
        self.set.iter().map(|(service, _)| service.variable()).collect()
    }

    /// Whether any is set.
    pub(crate) fn any(&self) -> bool {
        !self.set.is_empty()
    }

    /// Where `service` is.
    ///
    /// # Panics
    /// Never: the hosts above are URLs.
    pub(crate) fn url(&self, service: Service) -> Url {
        let set =
            self.set.iter().find(|(one, _)| *one == service).map(|(_, endpoint)| endpoint.url().clone());
        set.unwrap_or_else(|| Url::parse(service.host()).expect("a host of ours"))
    }

    /// [`Endpoints::url`] as text, without a slash at the end.
    pub(crate) fn text(&self, service: Service) -> String {
        self.url(service).as_str().trim_end_matches('/').to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: &'static str, value: &'static str) -> Result<Endpoints> {
        Endpoints::from_environment(|asked| (asked == name).then(|| value.to_owned()))
    }

    #[test]
    fn an_emulator_is_on_this_machine_or_behind_tls() {
        let set = with("PUBSUB_EMULATOR_HOST", "localhost:8085").unwrap();
        assert!(set.any());
        assert_eq!(set.text(Service::Pubsub), "http://localhost:8085");
        assert_eq!(set.text(Service::Storage), "https://storage.googleapis.com");
        assert!(with("STORAGE_EMULATOR_HOST", "https://storage.example.com/").is_ok());
        for bad in ["http://10.0.0.1:80", "10.0.0.1:80", "ftp://127.0.0.1", "http://"] {
            assert!(with("STORAGE_EMULATOR_HOST", bad).is_err(), "{bad}");
        }
        let error = with("STORAGE_EMULATOR_HOST", "http://user:secret@example.com").unwrap_err();
        assert!(!error.chain().contains("secret"), "{error}");
    }

    #[test]
    fn nothing_set_is_google() {
        let none = Endpoints::from_environment(|_| None).unwrap();
        assert!(!none.any());
        assert_eq!(none.text(Service::Iam), "https://iam.googleapis.com");
    }
}
