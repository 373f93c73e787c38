//! The clients of one project.

use std::sync::Arc;
use std::time::Duration;

use google_cloud_auth::credentials::{Builder, Credentials};
use google_cloud_auth::signer::Signer;
use google_cloud_gax::Result as SdkResult;
use google_cloud_pubsub::client::{SchemaService, SubscriptionAdmin, TopicAdmin};
use google_cloud_storage::client::StorageControl;
use tokio::sync::OnceCell;

use super::retries::Retries;
use super::{Service, Session};
use crate::error::{Error, Kind, Result};
use crate::mutations::Mutations;
use crate::providers::gcp::failure::{Refusal, root_cause};
use crate::providers::gcp::rest::Rest;
use crate::text::clean;

/// Long enough for a slow link, short enough that a dead endpoint is told within a minute.
const ANSWER_WITHIN: Duration = Duration::from_secs(15);

/// The clients of one project, each built when it is first asked for.
pub struct Api {
    /// The id of the project that everything is in.
    pub project: String,
    /// The address of the project's Cloud Storage service agent, which publishes the events.
    pub agent: String,
    /// What these clients have sent that changes something.
    pub mutations: Arc<Mutations>,
    session: Session,
    control: OnceCell<StorageControl>,
    topics: OnceCell<TopicAdmin>,
    subscriptions: OnceCell<SubscriptionAdmin>,
    schemas: OnceCell<SchemaService>,
    pubsub: OnceCell<Rest>,
    storage_json: OnceCell<Rest>,
    iam: OnceCell<Rest>,
    iam_credentials: OnceCell<Rest>,
}

/// Builds a client with our limits; the client repeats only calls that are idempotent.
macro_rules! client {
    ($self:ident, $cell:ident, $type:ident, $service:ident) => {{
        let build = || async {
            let retries = Retries::default();
            let builder = $type::builder()
                .with_credentials($self.session.credentials()?)
                .with_endpoint($self.session.endpoints.text(Service::$service))
                .with_retry_policy(retries.clone())
                .with_backoff_policy(retries)
                .with_attempt_timeout(ANSWER_WITHIN);
            builder.build().await.map_err(unbuilt)
        };
        $self.$cell.get_or_try_init(build).await
    }};
}

impl Api {
    pub(super) fn new(session: Session, project: &str, agent: &str) -> Self {
        Self {
            project: project.to_owned(),
            agent: agent.to_owned(),
            mutations: Arc::clone(&session.mutations),
            session,
            control: OnceCell::new(),
            topics: OnceCell::new(),
            subscriptions: OnceCell::new(),
            schemas: OnceCell::new(),
            pubsub: OnceCell::new(),
            storage_json: OnceCell::new(),
            iam: OnceCell::new(),
            iam_credentials: OnceCell::new(),
        }
    }

    /// As [`mutate`], in the record of this project's clients.
    ///
    /// # Errors
    /// Those of the call.
    pub async fn mutate<T>(&self, call: impl Future<Output = SdkResult<T>>) -> SdkResult<T> {
        mutate(&self.mutations, call).await
    }

    /// Buckets, and objects but for their contents (gRPC).
    ///
    /// # Errors
    /// This and all below: [`Kind::Credentials`] offline, [`Kind::Failed`] when TLS cannot be set up.
    pub async fn control(&self) -> Result<&StorageControl> {
        client!(self, control, StorageControl, Storage)
    }

    /// Topics (JSON).
    ///
    /// # Errors
    /// See [`Api::control`].
    pub async fn topics(&self) -> Result<&TopicAdmin> {
        client!(self, topics, TopicAdmin, Pubsub)
    }

    /// Subscriptions (JSON).
    ///
    /// # Errors
    /// See [`Api::control`].
    pub async fn subscriptions(&self) -> Result<&SubscriptionAdmin> {
        client!(self, subscriptions, SubscriptionAdmin, Pubsub)
    }

    /// The policies of topics and subscriptions (JSON). Google's client has them here and for all three
    /// kinds of resource.
    ///
    /// # Errors
    /// See [`Api::control`].
    pub async fn schemas(&self) -> Result<&SchemaService> {
        client!(self, schemas, SchemaService, Pubsub)
    }

    /// Pub/Sub by our own calls.
    ///
    /// # Errors
    /// See [`Api::control`].
    pub async fn pubsub(&self) -> Result<&Rest> {
        self.pubsub.get_or_try_init(|| async { self.session.rest(Service::Pubsub) }).await
    }

    /// What of Cloud Storage only the JSON API has.
    ///
    /// # Errors
    /// See [`Api::control`].
    pub async fn storage_json(&self) -> Result<&Rest> {
        self.storage_json.get_or_try_init(|| async { self.session.rest(Service::Storage) }).await
    }

    /// Service accounts and their policies.
    ///
    /// # Errors
    /// See [`Api::control`].
    pub async fn iam(&self) -> Result<&Rest> {
        self.iam.get_or_try_init(|| async { self.session.rest(Service::Iam) }).await
    }

    /// Signatures by service accounts.
    ///
    /// # Errors
    /// See [`Api::control`].
    pub async fn iam_credentials(&self) -> Result<&Rest> {
        self.iam_credentials.get_or_try_init(|| async { self.session.rest(Service::IamCredentials) }).await
    }

    /// The credentials themselves, for what signs.
    ///
    /// # Errors
    /// [`Kind::Credentials`] offline.
    pub fn credentials(&self) -> Result<Credentials> {
        self.session.credentials()
    }

    /// What signs URLs as the W&B server does: the key of a service account, or IAM for one. `None` where
    /// the credentials are of no service account, as those of a user.
    pub fn signer(&self) -> Option<Signer> {
        self.session.signs.then(|| Builder::default().build_signer().ok()).flatten()
    }

    /// Where browsers and the JSON API reach Cloud Storage, such as `https://storage.googleapis.com`,
    /// without a slash at the end.
    pub fn storage_endpoint(&self) -> String {
        self.session.endpoints.text(Service::Storage)
    }

    /// The custom endpoints, as the end of a scope.
    pub fn elsewhere(&self) -> String {
        self.session.endpoints.elsewhere()
    }

    /// The number of the project, which the address of its service agent holds
    /// (`service-<number>@gs-project-accounts…`).
    pub fn project_number(&self) -> Option<&str> {
        let number = self.agent.strip_prefix("service-")?.split('@').next()?;
        number.bytes().all(|byte| byte.is_ascii_digit()).then_some(number)
    }

    /// The full name of a bucket. Names of buckets are global, so the project is `_` (Cloud Storage RPC
    /// reference, `GetBucketRequest`).
    pub fn bucket_name(&self, bucket: &str) -> String {
        format!("projects/_/buckets/{bucket}")
    }

    /// The full name of a topic.
    pub fn topic_name(&self, topic: &str) -> String {
        format!("projects/{}/topics/{topic}", self.project)
    }

    /// The full name of a subscription.
    pub fn subscription_name(&self, subscription: &str) -> String {
        format!("projects/{}/subscriptions/{subscription}", self.project)
    }
}

/// Waits for a call that changes something, and records it in `mutations`. The call must not be one that
/// the client repeats by itself, or the last answer hides what came of the first.
///
/// # Errors
/// Those of the call.
pub async fn mutate<T>(mutations: &Mutations, call: impl Future<Output = SdkResult<T>>) -> SdkResult<T> {
    mutations.sent();
    let answer = call.await;
    if let Err(error) = &answer
        && Refusal::of(error).is_some_and(|refusal| refusal.changed_nothing())
    {
        mutations.refused();
    }
    answer
}

fn unbuilt(error: google_cloud_gax::client_builder::Error) -> Error {
    Error::new(Kind::Failed, "set up a client of Google Cloud").because(clean(&root_cause(&error)))
}
