//! The clients of one project.

use std::sync::Arc;

use google_cloud_auth::credentials::Builder;
use google_cloud_auth::signer::Signer;
use tokio::sync::OnceCell;

use super::{Service, Session};
use crate::error::Result;
use crate::mutations::Mutations;
use crate::providers::gcp::rest::{Authority, Rest};

/// The clients of one project, each built on first use.
pub(crate) struct Api {
    /// The id of the project that everything is in.
    pub project: String,
    /// The address of the project's Cloud Storage service agent, which publishes the events.
    pub agent: String,
    /// What these clients have sent that changes something.
    pub mutations: Arc<Mutations>,
    session: Session,
    storage_json: OnceCell<Rest>,
    pubsub: OnceCell<Rest>,
    iam: OnceCell<Rest>,
}

impl Api {
    pub(super) fn new(session: Session, project: &str, agent: &str) -> Self {
        Self {
            project: project.to_owned(),
            agent: agent.to_owned(),
            mutations: Arc::clone(&session.mutations),
            session,
            storage_json: OnceCell::new(),
            pubsub: OnceCell::new(),
            iam: OnceCell::new(),
        }
    }

    /// The same clients where `agent` is the service agent.
    pub(crate) fn with_agent(&self, agent: &str) -> Arc<Self> {
        let Self { project, agent: _, mutations, session, storage_json, pubsub, iam } = self;
        Arc::new(Self {
            project: project.clone(),
            agent: agent.to_owned(),
            mutations: Arc::clone(mutations),
            session: session.clone(),
            storage_json: storage_json.clone(),
            pubsub: pubsub.clone(),
            iam: iam.clone(),
        })
    }

    /// Cloud Storage.
    ///
    /// # Errors
    /// This and all below: [`Kind::Credentials`](crate::error::Kind::Credentials) offline, [`Kind::Failed`](crate::error::Kind::Failed) when TLS cannot be set up.
    pub(crate) async fn storage_json(&self) -> Result<&Rest> {
        self.storage_json.get_or_try_init(|| async { self.session.rest(Service::Storage) }).await
    }

    /// Topics, subscriptions and messages.
    ///
    /// # Errors
    /// See [`Api::storage_json`].
    pub(crate) async fn pubsub(&self) -> Result<&Rest> {
        self.pubsub.get_or_try_init(|| async { self.session.rest(Service::Pubsub) }).await
    }

    /// Service accounts and their policies.
    ///
    /// # Errors
    /// See [`Api::control`].
    pub(crate) async fn iam(&self) -> Result<&Rest> {
        self.iam.get_or_try_init(|| async { self.session.rest(Service::Iam) }).await
    }

    /// Signatures of service accounts.
    ///
    /// # Errors
    /// See [`Api::storage_json`].
    pub(crate) fn iam_credentials(&self) -> Result<Rest> {
        self.session.rest(Service::IamCredentials)
    }

    /// The credentials themselves, for what signs.
    ///
    /// # Errors
    /// [`Kind::Credentials`](crate::error::Kind::Credentials) offline.
    pub(crate) fn credentials(&self) -> Result<Authority> {
        self.session.credentials()
    }

    /// What signs URLs as the W&B server does: the key of a service account, or IAM for one. `None` where
    /// the credentials are of no service account, as those of a user.
    pub(crate) fn signer(&self) -> Option<Signer> {
        self.session.signs.then(|| Builder::default().build_signer().ok()).flatten()
    }

    /// Where browsers and the JSON API reach Cloud Storage, such as `https://storage.googleapis.com`,
    /// without a slash at the end.
    pub(crate) fn storage_endpoint(&self) -> String {
        self.session.endpoints.text(Service::Storage)
    }

    /// The custom endpoints, as the end of a scope.
    pub(crate) fn elsewhere(&self) -> String {
        self.session.endpoints.elsewhere()
    }

    /// The number of the project, which the address of its service agent holds
    /// (`service-<number>@gs-project-accounts…`).
    pub(crate) fn project_number(&self) -> Option<&str> {
        let number = self.agent.strip_prefix("service-")?.split('@').next()?;
        number.bytes().all(|byte| byte.is_ascii_digit()).then_some(number)
    }

    /// The full `name` of something in the project, by the ID of the project where it has the number.
    pub(crate) fn by_id(&self, name: &str) -> String {
        let number = self.project_number().map(|number| format!("projects/{number}/"));
        match number.and_then(|number| name.strip_prefix(&number)) {
            Some(rest) => format!("projects/{}/{rest}", self.project),
            None => name.to_owned(),
        }
    }

    /// The full name of a topic.
    pub(crate) fn topic_name(&self, topic: &str) -> String {
        format!("projects/{}/topics/{topic}", self.project)
    }

    /// The full name of a subscription.
    pub(crate) fn subscription_name(&self, subscription: &str) -> String {
        format!("projects/{}/subscriptions/{subscription}", self.project)
    }
}
