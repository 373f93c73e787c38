//! What the cloud can be told to do wrong.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::Body;
use axum::http::HeaderMap;
use tokio::task::JoinHandle;

use super::Shared;
use super::answer::{Outcome, Refusal, Reply};

/// Something that goes wrong in the cloud itself; what goes wrong on the way is the proxy's affair.
#[derive(Clone, Debug)]
pub enum Trouble {
    /// 429 with this many seconds in `Retry-After`.
    /// <https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling>
    Throttle(u64),
    /// 503, although the request is carried out.
    /// <https://github.com/Azure/azure-cli/issues/31148>
    UnavailableAfter,
    /// The request is accepted, and the long operation that it starts ends `Failed`.
    FailsLater,
    /// 503, and nothing has happened.
    Unavailable,
}

/// A trouble that lies in wait.
#[derive(Clone, Debug)]
pub(super) struct Armed {
    pub(super) action: String,
    pub(super) trouble: Trouble,
    /// How many requests it still strikes.
    pub(super) times: usize,
}

/// The trouble that a request runs into; an error when it gets no further.
pub(super) fn strike(shared: &Shared, action: &str) -> Result<Option<Trouble>, Refusal> {
    let mut world = shared.world();
    let meant = |armed: &Armed| armed.times > 0 && armed.action.eq_ignore_ascii_case(action);
    let Some(armed) = world.troubles.iter_mut().find(|armed| meant(armed)) else {
        return Ok(None);
    };
    armed.times -= 1;
    match armed.trouble {
        Trouble::Throttle(retry_after) => {
            let message = "The request is being throttled as the limit has been reached for this operation.";
            Err(Refusal::new(429, "TooManyRequests", message).header("retry-after", retry_after.to_string()))
        }
        Trouble::Unavailable => Err(unavailable()),
        Trouble::UnavailableAfter | Trouble::FailsLater => Ok(Some(armed.trouble.clone())),
    }
}

impl Trouble {
    pub(super) fn fails_later(&self) -> bool {
        matches!(self, Self::FailsLater)
    }

    /// What the client hears once the work is done.
    pub(super) fn instead_of(self, reply: Reply) -> Outcome {
        match self {
            Self::UnavailableAfter => Err(unavailable()),
            _ => Ok(reply),
        }
    }
}

fn unavailable() -> Refusal {
    Refusal::new(503, "ServerTimeout", "The request timed out.")
}

/// A host that no token should ever be sent to; stops when dropped.
#[derive(Debug)]
pub struct Stranger {
    url: String,
    tokens: Arc<AtomicUsize>,
    server: JoinHandle<()>,
}

impl Stranger {
    /// One that answers everything with `{"status": "Succeeded"}` and counts the tokens it is shown.
    pub async fn start() -> std::io::Result<Self> {
        let listener = super::door().await?;
        // Another host to any client, and still this machine.
        let url = format!("http://localhost:{}", listener.local_addr()?.port());
        let tokens = Arc::new(AtomicUsize::new(0));
        let seen = Arc::clone(&tokens);
        let router = Router::new().fallback(move |headers: HeaderMap| async move {
            if headers.contains_key("authorization") {
                seen.fetch_add(1, Ordering::Relaxed);
            }
            super::answer::json(200, &serde_json::json!({ "status": "Succeeded" })).map(Body::from)
        });
        Ok(Self { url, tokens, server: super::open(listener, router) })
    }

    /// Where it listens.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// How many requests carried an `Authorization` header.
    pub fn tokens(&self) -> usize {
        self.tokens.load(Ordering::Relaxed)
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        self.server.abort();
    }
}
