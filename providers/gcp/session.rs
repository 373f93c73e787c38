//! Credentials, endpoints and project: everything that is settled before the first resource is read.

mod endpoints;

use std::sync::Arc;
use std::time::Duration;

use google_cloud_auth::credentials::{Builder, Credentials, anonymous};
use google_cloud_auth::signer::Signer;
use google_cloud_gax::retry_policy::{RetryPolicy, RetryPolicyExt};
use google_cloud_pubsub::client::{SchemaService, Subscriber, SubscriptionAdmin, TopicAdmin};
use google_cloud_storage::client::{Storage, StorageControl};
use google_cloud_storage::retry_policy::RetryableErrors;
use serde_json::Value;
use tokio::sync::OnceCell;

use crate::error::{Error, Kind, Result};
use crate::http::Method;
use crate::patience::unless_busy;
use crate::providers::gcp::failure::{LOG_IN, Refusal, root_cause};
use crate::providers::gcp::rest::{self, Rest, segment};
use crate::text::clean;

pub use endpoints::{Endpoints, Service};

/// What a token has to be good for; the finer rights are IAM's (cloud.google.com/iam/docs, "OAuth
/// scopes").
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";

/// Long enough for a slow link, short enough that a dead endpoint is told within a minute.
const ANSWER_WITHIN: Duration = Duration::from_secs(15);
const CALL_WITHIN: Duration = Duration::from_secs(45);
/// How often a call that may be repeated is sent.
const TRIES: u32 = 3;

/// The clients of one project, each built when it is first asked for.
pub struct Api {
    /// The id of the project that everything is in.
    pub project: String,
    /// The address of the project's Cloud Storage service agent, which publishes the events.
    pub agent: String,
    session: Session,
    control: OnceCell<StorageControl>,
    objects: OnceCell<Storage>,
    topics: OnceCell<TopicAdmin>,
    subscriptions: OnceCell<SubscriptionAdmin>,
    schemas: OnceCell<SchemaService>,
    subscriber: OnceCell<Subscriber>,
    storage_json: OnceCell<Rest>,
    iam: OnceCell<Rest>,
    iam_credentials: OnceCell<Rest>,
}

/// The user's credentials and endpoints, found.
#[derive(Clone, Debug)]
pub struct Session {
    credentials: Option<Credentials>,
    /// Whether the credentials are the application default ones, which may also sign.
    signs: bool,
    endpoints: Endpoints,
}

impl Session {
    /// Finds the application default credentials and the endpoints that the environment names. With an
    /// endpoint of its own the credentials are those of `GOOGLE_APPLICATION_CREDENTIALS`, or none: a
    /// user's own are never sent to an emulator.
    ///
    /// # Errors
    /// [`Kind::Credentials`] when there are none; [`Kind::Input`] for an endpoint that would send them
    /// over plain http to another machine.
    pub fn open() -> Result<Self> {
        let endpoints = Endpoints::from_environment(|name| std::env::var(name).ok())?;
        let named = std::env::var_os("GOOGLE_APPLICATION_CREDENTIALS").filter(|path| !path.is_empty());
        let signs = named.is_some() || !endpoints.any();
        let credentials = if !signs {
            anonymous::Builder::new().build()
        } else {
            Builder::default().with_scopes([SCOPE]).build().map_err(|error| {
                let place = named.map(|path| format!(" in {}", clean(&path.to_string_lossy())));
                let place = place.unwrap_or_default();
                Error::new(Kind::Credentials, format!("no usable Google credentials were found{place}"))
                    // It says what is wrong, and its cause only with what.
                    .because(clean(&error.to_string()))
                    .hint(LOG_IN)
            })?
        };
        Ok(Self { credentials: Some(credentials), signs, endpoints })
    }

    /// A session that can describe things and reach nothing.
    pub fn offline() -> Self {
        Self { credentials: None, signs: false, endpoints: Endpoints::default() }
    }

    /// Asks Cloud Storage for the service agent of `project`, which makes it where there was none
    /// (JSON API, `projects.serviceAccount.get`). This is the first call of all, so it also tells of
    /// credentials, project, API and billing.
    ///
    /// # Errors
    /// [`Kind::Input`] for a project that is not there; [`Kind::Credentials`] for a token that is not
    /// accepted; those of the cloud.
    pub async fn agent(&self, project: &str) -> Result<String> {
        const PERMISSION: &str = "resourcemanager.projects.get";
        let target = || format!("project {project}");
        let rest = self.rest(Service::Storage)?;
        let path = format!("/storage/v1/projects/{}/serviceAccount", segment(project));
        let said: Value = unless_busy(|| async {
            let answer = rest.look(Method::GET, &path).await?;
            match Refusal::of_answer(&answer) {
                Some(refusal) if !refusal.html && is_unknown_project(&refusal) => {
                    return Err(Error::input(format!(
                        "the project `{project}` does not exist, or these credentials may not see it: {}",
                        refusal.message
                    ))
                    .hint("`gcloud projects list` shows the ids of your projects; name one with --project"));
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
            format!("Cloud Storage does not tell the service agent of project {project}"),
        ))
    }

    /// The clients for `project`, whose service agent is `agent`.
    pub fn api(self, project: &str, agent: &str) -> Arc<Api> {
        Arc::new(Api {
            project: project.to_owned(),
            agent: agent.to_owned(),
            session: self,
            control: OnceCell::new(),
            objects: OnceCell::new(),
            topics: OnceCell::new(),
            subscriptions: OnceCell::new(),
            schemas: OnceCell::new(),
            subscriber: OnceCell::new(),
            storage_json: OnceCell::new(),
            iam: OnceCell::new(),
            iam_credentials: OnceCell::new(),
        })
    }

    fn credentials(&self) -> Result<Credentials> {
        let missing = || Error::new(Kind::Credentials, "this was made without credentials").hint(LOG_IN);
        self.credentials.clone().ok_or_else(missing)
    }

    fn rest(&self, service: Service) -> Result<Rest> {
        Rest::new(self.endpoints.url(service), self.credentials()?)
    }
}

fn is_unknown_project(refusal: &Refusal) -> bool {
    let words = refusal.message.to_lowercase();
    refusal.is_not_found()
        || refusal.reason == "CONSUMER_INVALID"
        || (refusal.http == 400 && (words.contains("unknown project") || words.contains("invalid project")))
}

/// Builds a client with our limits; the client repeats only calls that are idempotent.
macro_rules! client {
    ($self:ident, $cell:ident, $type:ident, $service:ident) => {{
        let build = || async {
            let builder = $type::builder()
                .with_credentials($self.session.credentials()?)
                .with_endpoint($self.session.endpoints.text(Service::$service))
                .with_retry_policy(retries())
                .with_attempt_timeout(ANSWER_WITHIN);
            builder.build().await.map_err(unbuilt)
        };
        $self.$cell.get_or_try_init(build).await
    }};
}

impl Api {
    /// Buckets, and objects but for their contents (gRPC).
    ///
    /// # Errors
    /// This and all below: [`Kind::Credentials`] offline, [`Kind::Failed`] when TLS cannot be set up.
    pub async fn control(&self) -> Result<&StorageControl> {
        client!(self, control, StorageControl, Storage)
    }

    /// The contents of objects (JSON API).
    ///
    /// # Errors
    /// See [`Api::control`].
    pub async fn objects(&self) -> Result<&Storage> {
        let build = || async {
            let builder = Storage::builder()
                .with_credentials(self.session.credentials()?)
                .with_endpoint(self.session.endpoints.text(Service::Storage))
                .with_retry_policy(retries());
            builder.build().await.map_err(unbuilt)
        };
        self.objects.get_or_try_init(build).await
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

    /// Messages (gRPC).
    ///
    /// # Errors
    /// See [`Api::control`].
    pub async fn subscriber(&self) -> Result<&Subscriber> {
        let build = || async {
            let builder = Subscriber::builder()
                .with_credentials(self.session.credentials()?)
                .with_endpoint(self.session.endpoints.text(Service::Pubsub));
            builder.build().await.map_err(unbuilt)
        };
        self.subscriber.get_or_try_init(build).await
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

/// Faults of the network and of the server are tried again here, where the call is idempotent; anything
/// that lasts longer is the engine's.
fn retries() -> impl RetryPolicy + 'static {
    RetryableErrors.with_time_limit(CALL_WITHIN).with_attempt_limit(TRIES)
}

fn unbuilt(error: google_cloud_gax::client_builder::Error) -> Error {
    Error::new(Kind::Failed, "set up a client of Google Cloud").because(clean(&root_cause(&error)))
}
