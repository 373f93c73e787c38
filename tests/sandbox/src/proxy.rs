//! A reverse proxy on loopback that remembers, adds rules and breaks things.
//!
//! Several can stand before one emulator, one for each test.

mod meddle;
mod outcome;
mod state;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::backend::Backend;
use crate::call::Call;
use crate::fault::{Armed, Fault, When};
use crate::journal::{Counts, Exchange};
use crate::reply::{self, Reply};
use crate::strict::{Strict, Verdict};
use crate::upstream::Upstream;

use outcome::{Body, Dropped, Outcome};
use state::State;

/// A running proxy; stops when it is dropped.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    upstream: Upstream,
    strict: Strict,
    state: State,
    /// How many requests the cloud is working on.
    working: watch::Sender<usize>,
}

impl Proxy {
    /// Starts one on a free port of 127.0.0.1.
    pub async fn start(upstream: &str, backend: Backend, strict: Strict) -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            upstream: Upstream::new(upstream, backend),
            strict,
            state: State::default(),
            working: watch::Sender::new(0),
        });
        let server = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Ok(Self { address, shared, server })
    }

    /// Where it listens: what `AWS_ENDPOINT_URL` gets.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Every request since the last [`clear_journal`](Self::clear_journal), in order of arrival.
    pub fn journal(&self) -> Vec<Exchange> {
        self.shared.state.journal()
    }

    /// Forgets the requests so far, and counts from 0 again.
    pub fn clear_journal(&self) {
        self.shared.state.clear_journal();
    }

    /// What the requests in the journal cost.
    pub fn counts(&self) -> Counts {
        Counts::of(&self.journal())
    }

    /// Lays a fault in wait. When several strike the same request, the first one armed does it.
    pub fn arm(&self, when: When, fault: Fault) -> Armed {
        let armed = Armed::new(when, fault);
        self.shared.state.arm(armed.clone());
        armed
    }

    /// Takes all faults away; requests that hang end there, without going on.
    pub fn disarm(&self) {
        self.shared.state.disarm();
    }

    /// Tells which account an access key belongs to, when the key itself does not.
    pub fn introduce(&self, access_key: &str, account: &str) {
        self.shared.state.introduce(access_key, account);
    }

    pub(crate) fn upstream(&self) -> &Upstream {
        &self.shared.upstream
    }

    /// Waits until the cloud has done all that it was asked, by clients that are gone too.
    pub async fn settled(&self) {
        // The sender lives as long as `self`, so waiting cannot fail.
        let _ = self.shared.working.subscribe().wait_for(|working| *working == 0).await;
    }

    /// Makes every request take this much longer.
    pub fn set_delay(&self, delay: Duration) {
        self.shared.state.set_delay(delay);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    // Connections live in the set, and end with it when the proxy is dropped.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Ok((stream, _)) = listener.accept() => {
                connections.spawn(converse(stream, Arc::clone(&shared)));
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn converse(stream: TcpStream, shared: Arc<Shared>) {
    // Small answers must not wait for one another (Nagle), or latency is what gets measured.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| serve(Arc::clone(&shared), request));
    // An error here is a connection that ended early: by a fault of ours or by the client.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn serve(shared: Arc<Shared>, request: Request<Incoming>) -> Result<Response<Body>, Dropped> {
    let mut call = Call::read(request).await.map_err(|_| Dropped)?;
    shared.state.recognise(&mut call);
    let call = Arc::new(call);
    let (ticket, armed) = shared.state.begin(&call);
    let delay = shared.state.delay();
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    let outcome = match armed {
        Some(armed) => {
            shared.state.meddled(ticket, &format!("{:?}", armed.fault()));
            meddle::answer(&shared, &call, &armed).await
        }
        None => Outcome::Whole(faithful(&shared, &call).await),
    };
    if let Outcome::Whole(reply) = &outcome
        && let Some(rule) = reply.extensions().get::<Refused>()
    {
        shared.state.meddled(ticket, rule.0);
    }
    shared.state.finish(ticket, outcome.status());
    outcome.into_response()
}

/// Marks an answer as made by a strict rule, for the journal.
#[derive(Clone, Copy, Debug)]
struct Refused(&'static str);

/// The cloud's answer, as far as emulator and strict rules together can tell.
///
/// Runs as a task of its own: what a cloud has received it does, whether or not the client is
/// still there to hear of it.
async fn faithful(shared: &Arc<Shared>, call: &Arc<Call>) -> Reply {
    in_its_place(shared, call, Arc::clone(call)).await
}

/// The same for a request of which the emulator gets another version; the rules judge the one that
/// the client sent.
async fn in_its_place(shared: &Arc<Shared>, call: &Arc<Call>, sent: Arc<Call>) -> Reply {
    let (shared, call) = (Arc::clone(shared), Arc::clone(call));
    shared.working.send_modify(|working| *working += 1);
    let held = Arc::clone(&shared);
    let work = async move {
        if let Verdict::Refuse { rule, error } = shared.strict.judge(&call, &shared.upstream).await {
            let mut reply = error.reply(&call);
            reply.extensions_mut().insert(Refused(rule));
            return reply;
        }
        match shared.upstream.forward(&sent).await {
            Ok(reply) => {
                shared.strict.learn(&call, &reply);
                shared.state.remember(&call, &reply);
                reply
            }
            Err(error) => bad_gateway(&error.to_string()),
        }
    };
    let task = tokio::spawn(async move {
        let reply = work.await;
        held.working.send_modify(|working| *working -= 1);
        reply
    });
    task.await.unwrap_or_else(|error| bad_gateway(&error.to_string()))
}

fn bad_gateway(reason: &str) -> Reply {
    reply::reply(502, "text/plain", format!("the sandbox cannot reach its emulator: {reason}\n"))
}
