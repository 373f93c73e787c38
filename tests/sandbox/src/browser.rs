//! Chromium, headless, with a page of the W&B server's origin and one of another.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path as FilePath, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::time::timeout;

use crate::Error;

/// Where Debian's package puts it.
const CHROMIUM: &str = "/usr/bin/chromium";
const PAGE: &str = include_str!("browser/page.html");
/// A page on a busy machine.
const WITHIN: Duration = Duration::from_secs(60);

/// Whether Chromium is installed.
pub fn is_installed() -> bool {
    FilePath::new(CHROMIUM).exists()
}

/// What a page tries: an upload, and both kinds of read of the same object.
#[derive(Clone, Debug)]
pub struct Urls {
    /// A signed URL for an upload.
    pub put: String,
    /// One for a HEAD.
    pub head: String,
    /// One for a GET.
    pub get: String,
    /// The headers that an upload has to send.
    pub headers: BTreeMap<&'static str, &'static str>,
}

/// What the browser let a page see of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// The browser rejected the request or kept its response.
    Blocked,
    /// The page could read the response.
    Read {
        /// Its status.
        status: u16,
        /// Its ETag, where the page may see it.
        etag: Option<String>,
    },
}

/// What came of [`Urls`].
#[derive(Clone, Debug)]
pub struct Attempt {
    /// The upload.
    pub put: Seen,
    /// The HEAD.
    pub head: Seen,
    /// The GET.
    pub get: Seen,
}

/// The page's origin.
#[derive(Clone, Copy, Debug)]
pub enum Page {
    /// That of the deployment.
    Server,
    /// Another.
    Stranger,
}

/// A running Chromium, which ends with this.
#[derive(Debug)]
pub struct Browser {
    server: Desk,
    stranger: Desk,
    _chromium: Child,
    _profile: tempfile::TempDir,
}

/// One origin: the page, its tasks and their results.
#[derive(Debug)]
struct Desk {
    origin: String,
    shared: Arc<Shared>,
    tasks: mpsc::UnboundedSender<Value>,
}

#[derive(Debug)]
struct Shared {
    page: String,
    tasks: Mutex<mpsc::UnboundedReceiver<Value>>,
    waiting: Mutex<HashMap<u64, oneshot::Sender<Value>>>,
    next: AtomicU64,
}

impl Browser {
    /// Starts it with both pages open.
    pub async fn start() -> Result<Self, Error> {
        let lost = |error: std::io::Error| Error::new(format!("cannot start Chromium: {error}"));
        let stranger = Desk::open(PAGE.to_owned()).await.map_err(lost)?;
        // The stranger's page is in a frame of the server's, so that one window shows both.
        let framed = format!("{PAGE}<iframe src=\"{}/\"></iframe>", stranger.origin);
        let server = Desk::open(framed).await.map_err(lost)?;
        let profile = tempfile::tempdir().map_err(lost)?;
        let chromium = Command::new(PathBuf::from(CHROMIUM))
            .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
            .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg(format!("{}/", server.origin))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(lost)?;
        Ok(Self { server, stranger, _chromium: chromium, _profile: profile })
    }

    /// The origin of the deployment's page.
    pub fn origin(&self) -> &str {
        &self.server.origin
    }

    /// Lets a page try `urls`.
    pub async fn attempt(&self, page: Page, urls: &Urls) -> Result<Attempt, Error> {
        let desk = match page {
            Page::Server => &self.server,
            Page::Stranger => &self.stranger,
        };
        let result = timeout(WITHIN, desk.ask(urls)).await;
        let result = result.map_err(|_| Error::new(format!("the page of {} is silent", desk.origin)))??;
        let seen = |method: &str| match result[method]["status"].as_u64() {
            Some(status) => Seen::Read {
                status: u16::try_from(status).unwrap_or_default(),
                etag: result[method]["etag"].as_str().map(str::to_owned),
            },
            None => Seen::Blocked,
        };
        Ok(Attempt { put: seen("put"), head: seen("head"), get: seen("get") })
    }
}

/// What `page` has become once Chromium has rendered it in a window of this width.
pub async fn dom(page: &FilePath, width: u32, is_dark: bool) -> Result<String, Error> {
    let lost = |error: std::io::Error| Error::new(format!("cannot start Chromium: {error}"));
    let profile = tempfile::tempdir().map_err(lost)?;
    let rendered = Command::new(CHROMIUM)
        .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--dump-dom"])
        .arg(format!("--window-size={width},800"))
        .arg(format!("--blink-settings=preferredColorScheme={}", if is_dark { 0 } else { 1 }))
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(format!("file://{}", page.display()))
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output =
        timeout(WITHIN, rendered).await.map_err(|_| Error::new("Chromium does not end"))?.map_err(lost)?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

impl Desk {
    async fn open(page: String) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let origin = format!("http://localhost:{}", listener.local_addr()?.port());
        let (tasks, receiver) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared {
            page,
            tasks: Mutex::new(receiver),
            waiting: Mutex::default(),
            next: AtomicU64::new(0),
        });
        let routes = Router::new()
            .route("/", get(async |State(shared): State<Arc<Shared>>| Html(shared.page.clone())))
            .route("/task", get(task))
            .route("/result/{id}", post(result))
            .with_state(Arc::clone(&shared));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Ok(Self { origin, shared, tasks })
    }

    async fn ask(&self, urls: &Urls) -> Result<Value, Error> {
        let id = self.shared.next.fetch_add(1, Ordering::Relaxed);
        let (sender, receiver) = oneshot::channel();
        self.shared.waiting.lock().await.insert(id, sender);
        let Urls { put, head, get, headers } = urls;
        let task = json!({ "id": id, "put": put, "head": head, "get": get, "headers": headers });
        let gone = || Error::new("the pages are closed");
        self.tasks.send(task).map_err(|_| gone())?;
        receiver.await.map_err(|_| gone())
    }
}

async fn task(State(shared): State<Arc<Shared>>) -> Response {
    let mut tasks = shared.tasks.lock().await;
    match timeout(Duration::from_secs(20), tasks.recv()).await {
        Ok(Some(task)) => Json(task).into_response(),
        _ => StatusCode::NO_CONTENT.into_response(),
    }
}

async fn result(State(shared): State<Arc<Shared>>, Path(id): Path<u64>, body: String) -> StatusCode {
    if let Some(sender) = shared.waiting.lock().await.remove(&id) {
        let _ = sender.send(serde_json::from_str(&body).unwrap_or_default());
    }
    StatusCode::NO_CONTENT
}
