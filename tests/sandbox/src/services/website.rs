//! An https server with answers of a test: the front of a W&B server, or an identity provider with a fault.

use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http_body_util::{BodyExt, Full};
pub use hyper::Method;
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode, Version};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use tokio_rustls::TlsAcceptor;

use super::authority::Identity;
use super::listen::listen;

/// One answer.
#[derive(Clone, Debug)]
pub struct Page {
    /// HTTP status.
    pub status: u16,
    /// Names and values.
    pub headers: Vec<(&'static str, String)>,
    /// Content.
    pub body: Bytes,
}

impl Page {
    /// With this status and text.
    pub fn new(status: u16, body: impl Into<Bytes>) -> Self {
        Self { status, headers: vec![], body: body.into() }
    }

    /// A success with JSON.
    pub fn json(document: &serde_json::Value) -> Self {
        Self::new(200, document.to_string()).header("content-type", "application/json")
    }

    /// A redirect.
    pub fn redirect(target: &str) -> Self {
        Self::new(303, "").header("location", target)
    }

    /// The same with one more header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }
}

/// A running server; stops with the runtime.
#[derive(Clone, Debug)]
pub struct Website {
    port: u16,
    noted: Arc<Noted>,
}

/// What has come.
#[derive(Debug, Default)]
struct Noted {
    connections: AtomicUsize,
    requests: Mutex<Vec<(Method, String, Version)>>,
}

impl Website {
    /// Starts one that answers path and query by `answer`.
    ///
    /// # Panics
    /// When there is no free port.
    pub async fn start(
        identity: &Identity,
        answer: impl Fn(&Method, &str) -> Page + Clone + Send + Sync + 'static,
    ) -> Self {
        Self::behind(identity.acceptor(), answer).await
    }

    /// The same that speaks HTTP/2 too, as the clouds' front ends do.
    ///
    /// # Panics
    /// When there is no free port.
    pub async fn start_with_http_2(
        identity: &Identity,
        answer: impl Fn(&Method, &str) -> Page + Clone + Send + Sync + 'static,
    ) -> Self {
        Self::behind(identity.http_2_acceptor(), answer).await
    }

    async fn behind(
        acceptor: TlsAcceptor,
        answer: impl Fn(&Method, &str) -> Page + Clone + Send + Sync + 'static,
    ) -> Self {
        let noted: Arc<Noted> = Arc::default();
        let notes = Arc::clone(&noted);
        let port = listen(move |stream| {
            let (acceptor, answer, noted) = (acceptor.clone(), answer.clone(), Arc::clone(&notes));
            async move {
                let Ok(stream) = acceptor.accept(stream).await else { return };
                noted.connections.fetch_add(1, Ordering::Relaxed);
                let service = service_fn(move |request: Request<Incoming>| {
                    let (answer, noted) = (answer.clone(), Arc::clone(&noted));
                    async move {
                        let path =
                            request.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned();
                        let method = request.method().clone();
                        noted.lock().push((method.clone(), path.clone(), request.version()));
                        let page = answer(&method, &path);
                        // One that is refused for its size is not read.
                        if page.status != 413 {
                            let _ = request.into_body().collect().await;
                        }
                        Ok::<_, Infallible>(response(page))
                    }
                });
                let server = Builder::new(TokioExecutor::new());
                let _ = server.serve_connection(TokioIo::new(stream), service).await;
            }
        });
        Self { port: port.await, noted }
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// `https://localhost:PORT`.
    pub fn url(&self) -> String {
        format!("https://localhost:{}", self.port)
    }

    /// The requests so far: method, path with query.
    pub fn asked(&self) -> Vec<(Method, String)> {
        self.noted.lock().iter().map(|(method, path, _)| (method.clone(), path.clone())).collect()
    }

    /// The version of each request, such as `HTTP/2.0`.
    pub fn versions(&self) -> Vec<String> {
        self.noted.lock().iter().map(|(_, _, version)| format!("{version:?}")).collect()
    }

    /// How many connections were opened.
    pub fn connections(&self) -> usize {
        self.noted.connections.load(Ordering::Relaxed)
    }
}

impl Noted {
    fn lock(&self) -> MutexGuard<'_, Vec<(Method, String, Version)>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn response(page: Page) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(page.body));
    *response.status_mut() = StatusCode::from_u16(page.status).expect("a status");
    for (name, value) in page.headers {
        response.headers_mut().append(name, value.parse().expect("a header"));
    }
    response
}
