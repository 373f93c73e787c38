//! A reverse proxy on loopback that remembers, adds rules and breaks things.
//!
//! Several can stand before one emulator, one for each test. One can have several doors, each before
//! an emulator of its own, and writes all that comes through them into one journal.

mod meddle;
mod outcome;
mod state;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response, Version};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::task::{JoinHandle, JoinSet};

use crate::call::Call;
use crate::dialect::Dialect;
use crate::fault::{Armed, Fault, When};
use crate::journal::{Counts, Exchange};
use crate::reply::{self, Reply};
use crate::strict::{Strict, Verdict};
use crate::upstream::Upstream;

use outcome::{Body, Dropped, Outcome};
use state::State;

/// Enough for a connection to be closed.
const CUT: Duration = Duration::from_millis(100);

/// The only door, where there is one.
const FRONT: &str = "front";

/// A running proxy; stops when it is dropped.
#[derive(Debug)]
pub struct Proxy {
    doors: Vec<(&'static str, SocketAddr)>,
    shared: Arc<Shared>,
    servers: Vec<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    upstreams: Vec<(&'static str, Upstream)>,
    strict: Strict,
    state: State,
    /// How many requests the cloud is working on.
    working: watch::Sender<usize>,
}

impl Shared {
    /// What is behind a door; behind the first one, if there is none of that name.
    fn upstream(&self, door: &str) -> &Upstream {
        let named = self.upstreams.iter().find(|(name, _)| *name == door);
        &named.unwrap_or(&self.upstreams[0]).1
    }
}

impl Proxy {
    /// Starts one on a free port of 127.0.0.1.
    pub async fn start(upstream: &str, dialect: impl Into<Dialect>, strict: Strict) -> std::io::Result<Self> {
        Self::with_doors(&[(FRONT, upstream)], dialect, strict).await
    }

    /// Starts one with a port of 127.0.0.1 for each of these, of which there is at least one: the name
    /// of a door and what is behind it.
    pub async fn with_doors(
        upstreams: &[(&'static str, &str)],
        dialect: impl Into<Dialect>,
        strict: Strict,
    ) -> std::io::Result<Self> {
        let dialect = dialect.into();
        let shared = Arc::new(Shared {
            upstreams: upstreams.iter().map(|(door, url)| (*door, Upstream::new(url, dialect))).collect(),
            strict,
            state: State::default(),
            working: watch::Sender::new(0),
        });
        let mut proxy = Self { doors: vec![], shared: Arc::clone(&shared), servers: vec![] };
        for (door, _) in upstreams {
            let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
            proxy.doors.push((door, listener.local_addr()?));
            proxy.servers.push(tokio::spawn(accept(listener, door, Arc::clone(&shared))));
        }
        Ok(proxy)
    }

    /// Where its first door is: what `AWS_ENDPOINT_URL` gets.
    pub fn url(&self) -> String {
        format!("http://{}", self.doors[0].1)
    }

    /// Where a door is; where the first one is, if there is none of that name.
    pub fn url_of(&self, door: &str) -> String {
        let named = self.doors.iter().find(|(name, _)| *name == door);
        format!("http://{}", named.unwrap_or(&self.doors[0]).1)
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

    /// What is behind the first door.
    pub(crate) fn upstream(&self) -> &Upstream {
        self.upstream_of(FRONT)
    }

    /// What is behind a door.
    pub(crate) fn upstream_of(&self, door: &str) -> &Upstream {
        self.shared.upstream(door)
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
        self.servers.iter().for_each(JoinHandle::abort);
    }
}

async fn accept(listener: TcpListener, door: &'static str, shared: Arc<Shared>) {
    // Connections live in the set, and end with it when the proxy is dropped.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Ok((stream, _)) = listener.accept() => {
                connections.spawn(converse(stream, door, Arc::clone(&shared)));
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn converse(stream: TcpStream, door: &'static str, shared: Arc<Shared>) {
    // Small answers must not wait for one another (Nagle), or latency is what gets measured.
    let _ = stream.set_nodelay(true);
    let cut = Arc::new(Notify::new());
    let service = {
        let cut = Arc::clone(&cut);
        service_fn(move |request| serve(Arc::clone(&shared), door, Arc::clone(&cut), request))
    };
    let builder = auto::Builder::new(TokioExecutor::new());
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        // An error here is a connection that ended early: by a fault of ours or by the client.
        _ = connection => {}
        // hyper resets one stream of HTTP/2 where it closes a connection of HTTP/1. What is lost is
        // the connection, and with it all that was under way on it.
        () = cut.notified() => {}
    }
}

async fn serve(
    shared: Arc<Shared>,
    door: &'static str,
    cut: Arc<Notify>,
    request: Request<Incoming>,
) -> Result<Response<Body>, Dropped> {
    let version = request.version();
    let outcome = if shared.upstream(door).dialect().streams(request.uri()) {
        flow(&shared, door, request).await
    } else {
        exchange(&shared, door, request).await?
    };
    let lost = matches!(outcome, Outcome::Nothing);
    if lost && version == Version::HTTP_2 {
        cut.notify_one();
        // The connection is gone when this is over, so that no reset of the stream comes before.
        tokio::time::sleep(CUT).await;
    }
    outcome.into_response(version)
}

/// Reads one request whole, and answers it whole.
async fn exchange(
    shared: &Arc<Shared>,
    door: &'static str,
    request: Request<Incoming>,
) -> Result<Outcome, Dropped> {
    let dialect = shared.upstream(door).dialect();
    let mut call = Call::read(dialect, door, request).await.map_err(|_| Dropped)?;
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
            meddle::answer(shared, &call, &armed).await
        }
        None => Outcome::Whole(faithful(shared, &call).await),
    };
    if let Outcome::Whole(reply) = &outcome
        && let Some(rule) = reply.extensions().get::<Refused>()
    {
        shared.state.meddled(ticket, rule.0);
    }
    shared.state.finish(ticket, outcome.status());
    Ok(outcome)
}

/// Passes on what has no end of its own. It is in the journal with its head, and ends there when the
/// answer begins.
async fn flow(shared: &Arc<Shared>, door: &'static str, request: Request<Incoming>) -> Outcome {
    let upstream = shared.upstream(door);
    let (method, uri, headers) = (request.method(), request.uri(), request.headers());
    let mut call =
        Call::new(upstream.dialect(), door, method.clone(), uri.clone(), headers.clone(), Bytes::new());
    call.version = request.version();
    let (ticket, armed) = shared.state.begin(&call);
    tokio::time::sleep(shared.state.delay()).await;
    let struck = match armed {
        Some(armed) => {
            shared.state.meddled(ticket, &format!("{:?}", armed.fault()));
            meddle::before_it_flows(&call, &armed).await
        }
        None => None,
    };
    let outcome = match struck {
        Some(outcome) => outcome,
        None => match upstream.stream(request).await {
            Ok(response) => Outcome::Flowing(response),
            Err(error) => Outcome::Whole(bad_gateway(&error.to_string())),
        },
    };
    shared.state.finish(ticket, outcome.status());
    outcome
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
        if let Verdict::Refuse { rule, error } = shared.strict.judge(&call, shared.upstream(call.door)).await
        {
            let mut reply = error.reply(&call);
            reply.extensions_mut().insert(Refused(rule));
            return reply;
        }
        match shared.upstream(call.door).forward(&sent).await {
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
