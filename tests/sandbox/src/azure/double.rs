//! A double of Azure's control plane on loopback: Resource Manager, the token endpoint, Event Grid.
//!
//! Three doors, each over plain HTTP: one for ARM and Entra, one for blobs, one for queues. The last
//! two pass on to Azurite what Azure would let through, so that what is made in the control plane
//! is there in the data plane and the other way round. An uploaded blob that an event subscription
//! asks for ends up in its queue.
//!
//! Each handler names the REST page that it follows. [`AzureDouble::start`] gives a subscription
//! with one resource group and one service principal that may do everything; the methods in
//! [`control`] plant what a test needs.

mod accounts;
mod answer;
mod arm;
mod blob_service;
mod claims;
mod containers;
pub mod control;
mod data;
mod delivery;
mod event_subscriptions;
mod groups;
mod keys;
mod listing;
mod locks;
mod operations;
mod other_services;
mod permissions;
mod plane;
mod providers;
mod queues;
mod route;
mod sas;
mod snapshot;
mod store;
mod system_topics;
mod token;
mod trouble;
pub(super) mod wire;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::azurite::Place;
use plane::Plane;
use store::World;

pub use arm::gives;
pub use claims::Principal;
pub use store::{Level, Lock};
pub use trouble::{Stranger, Trouble};

/// How the double behaves.
#[derive(Clone, Debug)]
pub struct Options {
    /// How many requests are refused because they name a container or queue that was deleted a moment
    /// ago. Azure refuses them for 30 seconds and more.
    pub rest: usize,
    /// How often a long operation has to be asked about before it is done.
    pub polls: usize,
    /// What `Retry-After` says while it is not; in seconds. Azure says 17.
    pub retry_after: u64,
    /// How many entries a list holds before it goes on at its `nextLink`.
    pub page: usize,
    /// How long an event is on its way.
    pub delivery: Duration,
    /// How many requests to the data plane of a new account fail, because its name is not known
    /// everywhere yet.
    pub lag: usize,
    /// Whether events come as plain JSON; both have been seen.
    /// <https://github.com/MicrosoftDocs/azure-docs/issues/69702>
    pub plain_events: bool,
}

impl Default for Options {
    /// Nobody is asked to wait.
    fn default() -> Self {
        Self {
            rest: 2,
            polls: 2,
            retry_after: 0,
            page: 5000,
            delivery: Duration::ZERO,
            lag: 0,
            plain_events: false,
        }
    }
}

/// A running double; stops when dropped. What it put into Azurite stays there.
#[derive(Debug)]
pub struct AzureDouble {
    shared: Arc<Shared>,
    arm: SocketAddr,
    blob: SocketAddr,
    queue: SocketAddr,
    servers: Vec<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    options: Options,
    plane: Plane,
    world: Mutex<World>,
}

impl Shared {
    /// Something was deleted whose name is not free at once.
    fn lay_to_rest(&self, name: String) {
        if self.options.rest > 0 {
            self.world().resting.insert(name, self.options.rest);
        }
    }

    /// Never held while waiting.
    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Which half of the data plane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Service {
    Blob,
    Queue,
}

impl AzureDouble {
    /// Starts one on free ports of 127.0.0.1, in front of the Azurite at `azurite` (see
    /// [`Azurite::url`](super::azurite::Azurite::url)). Several can share an Azurite; storage
    /// account names are global among them, as they are in Azure.
    pub async fn start(azurite: &str, options: Options) -> std::io::Result<Self> {
        let plane = Plane::new(Place::find(azurite).await?);
        let [arm, blob, queue] = [door().await?, door().await?, door().await?];
        let (arm_at, blob_at, queue_at) = (arm.local_addr()?, blob.local_addr()?, queue.local_addr()?);
        let world = World::new(&format!("http://{blob_at}"), &format!("http://{queue_at}"));
        let shared = Arc::new(Shared { options, plane, world: Mutex::new(world) });
        let servers = vec![
            open(arm, Router::new().fallback(arm::serve).with_state(Arc::clone(&shared))),
            open(blob, data::router(Service::Blob, &shared)),
            open(queue, data::router(Service::Queue, &shared)),
        ];
        Ok(Self { shared, arm: arm_at, blob: blob_at, queue: queue_at, servers })
    }

    /// Where Resource Manager and the token endpoint are.
    pub fn arm_url(&self) -> String {
        format!("http://{}", self.arm)
    }

    /// Where blobs are; the account is the first part of the path.
    pub fn blob_url(&self) -> String {
        format!("http://{}", self.blob)
    }

    /// Where queues are; the account is the first part of the path.
    pub fn queue_url(&self) -> String {
        format!("http://{}", self.queue)
    }
}

impl Drop for AzureDouble {
    fn drop(&mut self) {
        for server in &self.servers {
            server.abort();
        }
    }
}

async fn door() -> std::io::Result<TcpListener> {
    TcpListener::bind(("127.0.0.1", 0)).await
}

fn open(listener: TcpListener, router: Router) -> JoinHandle<()> {
    tokio::spawn(async move {
        // Ends only when it is aborted.
        let _ = axum::serve(listener, router).await;
    })
}
