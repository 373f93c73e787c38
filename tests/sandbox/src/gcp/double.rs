//! A double of Google Cloud: Cloud Storage, the control plane of Pub/Sub, and as much of IAM as
//! they need.
//!
//! One server on one port of loopback speaks HTTP/1.1 and HTTP/2 without TLS, so that every
//! endpoint variable can name the same address: gRPC for `google.storage.v2` and the pulling side
//! of `google.pubsub.v1`, JSON for the rest, XML for signed URLs. Each handler cites the page it
//! follows and refuses what the cloud refuses, in the cloud's own words.
//!
//! Events are real: an object that is finalized is published to every topic that the bucket's
//! notification configurations name, if the service agent may publish there. Pub/Sub is Google's
//! emulator where one is given ([`Options::emulator`]), with what it lacks added in front of it, and
//! a small one in memory otherwise.

mod accounts;
mod asked;
mod caller;
mod control;
mod grpc;
mod keys;
mod labels;
mod policy;
mod projects;
mod pubsub;
mod refusal;
mod roles;
mod server;
mod snapshot;
mod state;
mod storage;
mod time;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tempfile::TempDir;
use tokio::task::JoinHandle;

use crate::snapshot::Snapshot;

pub use control::{Control, LostRace, Refusing};
use pubsub::emulator::Emulator;
use state::State;

/// How a double is set up.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The project's id; a fresh one otherwise, so that tests can share an emulator.
    pub project: Option<String>,
    /// The official Pub/Sub emulator, `http://host:port`; without it Pub/Sub is in memory.
    pub emulator: Option<String>,
}

/// A running double; stops when it is dropped.
#[derive(Debug)]
pub struct GcpDouble {
    shared: Arc<Shared>,
    folder: TempDir,
    server: JoinHandle<()>,
}

/// What the handlers of all connections share.
#[derive(Debug)]
struct Shared {
    /// Where the double listens, `host:port`.
    address: String,
    state: Mutex<State>,
    emulator: Option<Emulator>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl GcpDouble {
    /// A URL, signed by the operator, for `method` on `path` of the XML API at `base`; good for ten minutes.
    pub fn signed_url(&self, method: &str, base: &str, path: &str) -> String {
        storage::signed_url(method, base, path, &self.operator())
    }

    /// Starts one on a free port of 127.0.0.1, with one project and nothing in it.
    pub async fn start(options: Options) -> io::Result<Self> {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let state = State::new(options.project);
        let folder = TempDir::with_prefix("wbstore-gcp-")?;
        let emulator = options.emulator.as_deref().map(Emulator::new);
        let shared = Arc::new(Shared { address: address.to_string(), state: Mutex::new(state), emulator });
        let server = tokio::spawn(server::accept(listener, Arc::clone(&shared)));
        Ok(Self { shared, folder, server })
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://{}", self.shared.address)
    }

    /// The project's id.
    pub fn project(&self) -> String {
        self.shared.state().project.id.clone()
    }

    /// The project's number.
    pub fn number(&self) -> String {
        self.shared.state().project.number.clone()
    }

    /// The address of the project's Cloud Storage service agent.
    pub fn agent(&self) -> String {
        self.shared.state().project.agent()
    }

    /// The account that wbstore works as, which may do everything in the project.
    pub fn operator(&self) -> String {
        self.shared.state().project.account("operator")
    }

    /// Switches, other parties' hands, and the life of things that have no API here.
    pub fn control(&self) -> Control<'_> {
        Control::new(&self.shared)
    }

    /// Writes the key of a service account, which exists from then on, and says where. Its tokens
    /// are got from `url`, which may be a proxy before this double.
    pub fn key_file(&self, email: &str, url: &str) -> io::Result<PathBuf> {
        self.shared.state().know(email);
        let key = keys::key_file(email, &self.project(), url);
        let path = self.folder.path().join(format!("{email}.json"));
        std::fs::write(&path, key)?;
        Ok(path)
    }

    /// Whether policies let a service account do something, on any bucket or subscription.
    pub fn grants(&self, email: &str, permission: &str) -> bool {
        let state = self.shared.state();
        let member = format!("serviceAccount:{email}");
        let buckets = state.buckets.values().map(|bucket| &bucket.policy);
        let mut all = buckets.chain(state.subscriptions.values().map(|one| &one.policy));
        all.any(|policy| policy.lets(&state.custom_roles, &member, permission))
    }

    /// Whether the policy of `bucket` lets a service account do something there; without an account, everyone.
    pub fn grants_on(&self, bucket: &str, email: Option<&str>, permission: &str) -> bool {
        let state = self.shared.state();
        let member = email.map_or_else(|| "allUsers".to_owned(), |email| format!("serviceAccount:{email}"));
        let policy = state.buckets.get(bucket).map(|bucket| &bucket.policy);
        policy.is_some_and(|policy| policy.lets(&state.custom_roles, &member, permission))
    }

    /// An access token of a service account, which exists from then on.
    pub fn token(&self, email: &str) -> String {
        self.shared.state().know(email);
        caller::token(email)
    }

    /// A folder that goes when the double goes.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What a client of Google Cloud needs in its environment to work here as `email`, through
    /// `url`: this double's own, or that of a proxy before it.
    pub fn env(&self, email: &str, url: &str) -> io::Result<Vec<(String, String)>> {
        let url = url.trim_end_matches('/');
        let key = self.key_file(email, url)?;
        let host = url.strip_prefix("http://").unwrap_or(url);
        let project = self.project();
        let folder = self.folder.path().join("gcloud");
        Ok([
            ("GOOGLE_APPLICATION_CREDENTIALS", key.display().to_string()),
            ("GOOGLE_CLOUD_PROJECT", project.clone()),
            ("STORAGE_EMULATOR_HOST", url.to_owned()),
            ("PUBSUB_EMULATOR_HOST", host.to_owned()),
            // gcloud wants the path of the JSON API as well; for the others it adds the version.
            ("CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE", format!("{url}/storage/v1/")),
            ("CLOUDSDK_API_ENDPOINT_OVERRIDES_PUBSUB", format!("{url}/")),
            ("CLOUDSDK_API_ENDPOINT_OVERRIDES_IAM", format!("{url}/")),
            ("CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS", format!("{url}/")),
            ("CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDRESOURCEMANAGER", format!("{url}/")),
            // It would exchange a key at Google's address, whatever the key says.
            ("CLOUDSDK_AUTH_ACCESS_TOKEN", self.token(email)),
            ("CLOUDSDK_CORE_PROJECT", project),
            ("CLOUDSDK_CONFIG", folder.display().to_string()),
            ("CLOUDSDK_CORE_DISABLE_PROMPTS", "1".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec())
    }

    /// Everything in the project. What differs from run to run without being different is left out
    /// or named: times, generations, etags and ids are not in it, the project is `PROJECT`.
    pub async fn snapshot(&self) -> Snapshot {
        snapshot::of(&self.shared).await
    }
}

impl Drop for GcpDouble {
    fn drop(&mut self) {
        self.server.abort();
    }
}
