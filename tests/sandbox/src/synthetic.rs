//! A bucket of millions of objects, faster than any client: keys are computed, deletions are bits.
//!
//! It listens before an account, answers what is about the objects of one bucket itself, and passes
//! everything else on. The account's answers to reads are kept until something is written, so that a
//! measurement does not include the emulator's own time.

mod contents;
mod gcs;
mod large;
mod quota;
mod s3;
mod shape;

use std::collections::{BTreeMap, HashMap};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::HeaderMap;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, Version};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use self::contents::Contents;
pub use self::contents::Stock;
pub use self::large::Large;
use self::quota::Quota;
pub use self::shape::Shape;
use crate::Error;
use crate::cloud::Cloud;
use crate::dialect::Dialect;
use crate::journal::round_trips;
use crate::proxy::Proxy;
use crate::reply::{Reply, reply};
use crate::upstream::Upstream;

/// What the objects are asked for in.
#[derive(Clone, Copy, Debug)]
pub enum Protocol {
    S3,
    Gcs,
}

/// What of it is slow.
#[derive(Clone, Copy, Debug, Default)]
pub struct Slowness {
    /// Added to every request.
    pub delay: Duration,
    /// Added to every deletion besides.
    pub deletion: Duration,
    /// The most deletions a second.
    pub deletions: Option<u64>,
}

/// A running server; stops when it is dropped.
#[derive(Debug)]
pub struct Synthetic {
    address: SocketAddr,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

/// What was asked since the last [`Synthetic::forget`].
#[derive(Clone, Debug, Default)]
pub struct Asks {
    /// By kind: `list`, `delete` and `other`.
    pub requests: BTreeMap<&'static str, usize>,
    /// The listings that began after the first deletion.
    pub listed_later: usize,
    /// Those that were throttled.
    pub throttled: usize,
    /// The longest chain of requests, each of which began after the one before it had ended.
    pub chain: usize,
    /// The most requests under way at once.
    pub at_once: usize,
    /// From the first deletion to the last.
    pub deleting: Duration,
}

impl Asks {
    pub fn total(&self) -> usize {
        self.requests.values().sum()
    }

    pub fn of(&self, kind: &str) -> usize {
        self.requests.get(kind).copied().unwrap_or_default()
    }
}

#[derive(Debug)]
struct Shared {
    protocol: Protocol,
    bucket: String,
    contents: Contents,
    quota: Option<Quota>,
    slowness: Slowness,
    upstream: Upstream,
    kept: Mutex<HashMap<(String, Bytes), Reply>>,
    asks: Mutex<Vec<Ask>>,
    deleting: watch::Sender<usize>,
}

#[derive(Clone, Copy, Debug)]
struct Ask {
    kind: &'static str,
    throttled: bool,
    started: Instant,
    finished: Instant,
}

/// A request.
struct Asked {
    method: Method,
    /// Decoded.
    path: String,
    target: String,
    query: Vec<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
}

/// Who answers.
enum Answered {
    Here(&'static str, Reply),
    Elsewhere,
}

impl Asked {
    async fn read(request: Request<Incoming>) -> Result<Self, hyper::Error> {
        let (head, body) = request.into_parts();
        let path = percent_encoding::percent_decode_str(head.uri.path()).decode_utf8_lossy().into_owned();
        let query = head.uri.query().unwrap_or_default();
        Ok(Self {
            method: head.method,
            path,
            target: head.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned(),
            query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
            headers: head.headers,
            body: body.collect().await?.to_bytes(),
        })
    }

    fn has(&self, name: &str) -> bool {
        self.parameter(name).is_some()
    }

    fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    /// Whether it only reads: SQS names its operation in a header, STS changes nothing.
    fn reads(&self) -> bool {
        let target = self.headers.get("x-amz-target").and_then(|target| target.to_str().ok());
        match (&self.method, target.and_then(|target| target.split('.').nth(1))) {
            (&Method::POST, Some(operation)) => operation.starts_with("Get") || operation.starts_with("List"),
            (&Method::POST, None) => {
                self.body.starts_with(b"Action=GetCallerIdentity") || self.path == "/token"
            }
            (method, _) => *method == Method::GET || *method == Method::HEAD,
        }
    }
}

impl Synthetic {
    /// Starts one on a free port, before the account of `cloud`, with `stock` in the bucket of its deployment.
    pub async fn over<C: Cloud>(
        cloud: &C,
        protocol: Protocol,
        stock: Stock,
        slowness: Slowness,
    ) -> Result<Self, Error> {
        let unable = |error: std::io::Error| Error::new(format!("cannot start a synthetic bucket: {error}"));
        let dialect = match protocol {
            Protocol::S3 => Dialect::Aws(crate::backend::Backend::Ministack),
            Protocol::Gcs => Dialect::Gcp,
        };
        let shared = Arc::new(Shared {
            protocol,
            bucket: cloud.names().pop().unwrap_or_default(),
            contents: Contents::new(stock),
            quota: slowness.deletions.map(Quota::new),
            slowness,
            upstream: Upstream::new(&cloud.proxy().url(), dialect),
            kept: Mutex::default(),
            asks: Mutex::default(),
            deleting: watch::Sender::new(0),
        });
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(unable)?;
        let address = listener.local_addr().map_err(unable)?;
        let server = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Ok(Self { address, shared, server })
    }

    /// The variables of an account behind `proxy` with this server in its place.
    pub fn env(&self, account: Vec<(String, String)>, proxy: &Proxy) -> Vec<(String, String)> {
        let url = proxy.url();
        let address = url.trim_start_matches("http://");
        let here =
            |(name, value): (String, String)| (name, value.replace(address, &self.address.to_string()));
        account.into_iter().map(here).collect()
    }

    /// Waits until so many deletions have come, of those that take [longer](Slowness::deletion).
    pub async fn deletes(&self, number: usize) {
        let mut deleting = self.shared.deleting.subscribe();
        // The sender lives as long as `self`, so waiting cannot fail.
        let _ = deleting.wait_for(|deleting| *deleting >= number).await;
    }

    /// How many entries still exist.
    pub fn left(&self) -> u64 {
        self.shared.contents.left()
    }

    /// Forgets what was asked so far.
    pub fn forget(&self) {
        lock(&self.shared.asks).clear();
    }

    /// What was asked.
    pub fn asks(&self) -> Asks {
        let all = lock(&self.shared.asks).clone();
        let mut asks = Asks {
            throttled: all.iter().filter(|ask| ask.throttled).count(),
            chain: round_trips(all.iter().map(|ask| (Some(ask.finished), ask.started))),
            at_once: at_once(&all),
            ..Asks::default()
        };
        for ask in &all {
            *asks.requests.entry(ask.kind).or_default() += 1;
        }
        let deletions = || all.iter().filter(|ask| ask.kind == "delete");
        let begun = deletions().map(|ask| ask.started).min();
        let ended = deletions().map(|ask| ask.finished).max();
        let is_later = |ask: &&Ask| ask.kind == "list" && begun.is_some_and(|begun| ask.started > begun);
        asks.listed_later = all.iter().filter(is_later).count();
        asks.deleting = begun.zip(ended).map(|(begun, ended)| ended - begun).unwrap_or_default();
        asks
    }
}

fn at_once(all: &[Ask]) -> usize {
    let begins = all.iter().map(|ask| (ask.started, 1));
    let ends = all.iter().map(|ask| (ask.finished, -1));
    let mut moments: Vec<(Instant, isize)> = begins.chain(ends).collect();
    moments.sort();
    let mut running = 0;
    let most = moments.iter().map(|(_, change)| {
        running += change;
        running
    });
    most.max().and_then(|most| usize::try_from(most).ok()).unwrap_or_default()
}

impl Drop for Synthetic {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    // Connections live in the set, and end with it when the server is dropped.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Ok((stream, _)) = listener.accept() => {
                let _ = stream.set_nodelay(true);
                let shared = Arc::clone(&shared);
                connections.spawn(async move {
                    let service = service_fn(move |request| serve(Arc::clone(&shared), request));
                    // An error here is a connection that the client ended.
                    let _ = auto::Builder::new(TokioExecutor::new())
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve(shared: Arc<Shared>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let started = Instant::now();
    let Ok(asked) = Asked::read(request).await else {
        return Ok(reply(400, "text/plain", "the request is cut off").map(Full::new));
    };
    tokio::time::sleep(shared.slowness.delay).await;
    let (contents, quota) = (&shared.contents, shared.quota.as_ref());
    let answered = match shared.protocol {
        Protocol::S3 => s3::answer(&shared.bucket, contents, quota, &asked),
        Protocol::Gcs => gcs::answer(&shared.bucket, contents, quota, &asked),
    };
    let (kind, reply) = match answered {
        Answered::Here(kind, reply) => {
            if kind == "delete" && !shared.slowness.deletion.is_zero() {
                shared.deleting.send_modify(|deleting| *deleting += 1);
                tokio::time::sleep(shared.slowness.deletion).await;
            }
            (kind, reply)
        }
        Answered::Elsewhere => ("other", elsewhere(&shared, asked).await),
    };
    let throttled = matches!(reply.status().as_u16(), 429 | 503);
    lock(&shared.asks).push(Ask { kind, throttled, started, finished: Instant::now() });
    Ok(reply.map(Full::new))
}

async fn elsewhere(shared: &Shared, asked: Asked) -> Reply {
    let name = (
        format!("{} {} {:?}", asked.method, asked.target, asked.headers.get("x-amz-target")),
        asked.body.clone(),
    );
    let reads = asked.reads();
    if reads && let Some(kept) = lock(&shared.kept).get(&name) {
        return kept.clone();
    }
    if !reads {
        lock(&shared.kept).clear();
    }
    let sent = shared.upstream.send(Version::HTTP_11, asked.method, &asked.target, asked.headers, asked.body);
    match sent.await {
        Ok(answer) if reads => {
            lock(&shared.kept).insert(name, answer.clone());
            answer
        }
        Ok(answer) => answer,
        Err(error) => reply(502, "text/plain", format!("the sandbox cannot reach its emulator: {error}\n")),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
