//! Credentials, endpoints and project: everything that is settled before the first resource is read.

mod adc;
mod api;
mod endpoints;
mod universe;

use std::sync::Arc;

use google_cloud_auth::credentials::{Builder, anonymous};
use serde_json::{Value, json};

use crate::error::{Error, Kind, Result};
use crate::http::Method;
use crate::mutations::Mutations;
use crate::providers::gcp::failure::{LOG_IN, Refusal};
use crate::providers::gcp::rest::{self, Authority, Rest, segment};
use crate::retry::unless_busy;
use crate::secret::Secret;
use crate::text::clean;

pub(crate) use adc::{Adc, Kind as AdcKind};
pub(crate) use api::Api;
pub(crate) use endpoints::{Endpoints, Service};

/// What a token has to be good for; the finer rights are IAM's (cloud.google.com/iam/docs, "OAuth
/// scopes").
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";

/// The user's credentials and endpoints, found.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    credentials: Option<Authority>,
    /// Whether the credentials are the application default ones, which may also sign.
    signs: bool,
    endpoints: Endpoints,
    mutations: Arc<Mutations>,
}

impl Session {
    /// Finds the application default credentials and the endpoints that the environment names. With an
    /// endpoint of its own the credentials are those of `GOOGLE_APPLICATION_CREDENTIALS`, or none: a
    /// user's own are never sent to an emulator.
    ///
    /// # Errors
    /// [`Kind::Credentials`] when there are none; [`Kind::Input`] for an endpoint that would send them
    /// over plain http to another machine.
    pub(crate) fn open() -> Result<Self> {
        let endpoints = Endpoints::from_environment(|name| std::env::var(name).ok())?;
        let named = std::env::var_os("GOOGLE_APPLICATION_CREDENTIALS").filter(|path| !path.is_empty());
        let signs = named.is_some() || !endpoints.any();
        if signs {
            universe::require_googles(|name| std::env::var_os(name))?;
        }
        let credentials = if !signs {
            Authority::Library(anonymous::Builder::new().build())
        } else {
            let built = Builder::default().with_scopes([SCOPE]).build().map_err(|error| {
                let place = named.map(|path| format!(" in {}", clean(&path.to_string_lossy())));
                let place = place.unwrap_or_default();
                Error::new(Kind::Credentials, format!("no usable Google credentials were found{place}"))
                    // The message has the reason; its cause adds only the details.
                    .because(clean(&error.to_string()))
                    .hint(LOG_IN)
            })?;
            Authority::Library(built)
        };
        Ok(Self { credentials: Some(credentials), signs, endpoints, mutations: Arc::default() })
    }

    /// A session that describes resources and sends nothing. It has the custom endpoints that an online run
    /// would use.
    ///
    /// # Errors
    /// As [`Session::open`] for an endpoint.
    pub(crate) fn offline() -> Result<Self> {
        let endpoints = Endpoints::from_environment(|name| std::env::var(name).ok())?;
        Ok(Self { credentials: None, signs: false, endpoints, mutations: Arc::default() })
    }

    /// Reads the service agent of `project` from Cloud Storage, which creates it if there was none (JSON API,
    /// `projects.serviceAccount.get`). This is the first call, so it also reports credentials, project, API
    /// and billing.
    ///
    /// # Errors
    /// [`Kind::Input`] for a project that does not exist; [`Kind::Credentials`] for a token that is not
    /// accepted; those of the cloud.
    pub(crate) async fn agent(&self, project: &str) -> Result<String> {
        const PERMISSION: &str = "resourcemanager.projects.get";
        let target = || format!("project {project}");
        let rest = self.rest(Service::Storage)?;
        let path = format!("/storage/v1/projects/{}/serviceAccount", segment(project));
        let said: Value = unless_busy(|| async {
            let answer = rest.look(Method::GET, &path).await?;
            match Refusal::of_answer(&answer) {
                Some(refusal) if !refusal.html && is_unknown_project(&refusal) => {
                    return Err(Error::input(format!(
                        "the project `{project}` does not exist, or these credentials are not allowed to see \
                         it: {}",
                        refusal.message
                    ))
                    .hint(
                        "`gcloud projects list` shows the IDs of your projects; choose one with --project",
                    ));
                }
                Some(refusal) => return Err(refusal.within(project).explain(PERMISSION, target())),
                None => {}
            }
            rest::read(&answer, PERMISSION, target())
        })
        .await?;
        let address = said["email_address"].as_str().map(clean).unwrap_or_default();
        if address.contains('@') {
            return Ok(address);
        }
        Err(Error::new(
            Kind::Failed,
            format!("Cloud Storage returned no service agent for project {project}"),
        ))
    }

    /// The same with the credentials of the service account `email`, which its credentials have to be allowed to
    /// create a token of (IAM Service Account Credentials API, `generateAccessToken`).
    ///
    /// # Errors
    /// [`Kind::Denied`] when they are not; those of the cloud.
    pub(crate) async fn impersonating(self, email: &str) -> Result<Self> {
        let path = format!("/v1/projects/-/serviceAccounts/{}:generateAccessToken", segment(email));
        let body = json!({ "scope": [SCOPE], "lifetime": "3600s" });
        let answer = self.rest(Service::IamCredentials)?.ask(&path, &body).await?;
        let token: Value = rest::read(&answer, "iam.serviceAccounts.getAccessToken", email).map_err(|error| {
            if error.kind() != Kind::Denied {
                return error;
            }
            error.hint(format!(
                "grant roles/iam.serviceAccountTokenCreator on {email} to whoever runs this, or run it as that \
                 account without --impersonate-service-account"
            ))
        })?;
        let token = Secret::new(token["accessToken"].as_str().unwrap_or_default().to_owned());
        Ok(Self { credentials: Some(Authority::Impersonated(Arc::new(token))), ..self })
    }

    /// The clients for `project`, whose service agent is `agent`.
    pub(crate) fn api(self, project: &str, agent: &str) -> Arc<Api> {
        Arc::new(Api::new(self, project, agent))
    }

    /// Where the credentials come from; `None` where an emulator gets none.
    pub(crate) fn adc(&self) -> Option<Adc> {
        self.signs.then(|| Adc::find(|name| std::env::var_os(name)))
    }

    /// The endpoints.
    pub(crate) fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    pub(crate) fn credentials(&self) -> Result<Authority> {
        let missing = || Error::new(Kind::Credentials, "this run has no credentials").hint(LOG_IN);
        self.credentials.clone().ok_or_else(missing)
    }

    pub(crate) fn rest(&self, service: Service) -> Result<Rest> {
        Rest::new(self.endpoints.url(service), self.credentials()?, &self.mutations)
    }
}

fn is_unknown_project(refusal: &Refusal) -> bool {
    let words = refusal.message.to_lowercase();
    refusal.is_not_found()
        || refusal.reason == "CONSUMER_INVALID"
        || (refusal.http == 400 && (words.contains("unknown project") || words.contains("invalid project")))
}
