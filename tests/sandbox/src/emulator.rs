//! Starts an emulator and stops it again.

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use hyper::Method;

use crate::backend::Backend;
use crate::upstream::Upstream;
use crate::venv::Requirements;
use crate::{Error, paths};

/// Imports included; a busy CI machine has been seen to need ten seconds.
const PATIENCE: Duration = Duration::from_secs(60);

const LOGS_KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// How many lines of its log an emulator that does not start may show.
const TAIL: usize = 15;

/// A running emulator; stops when dropped, and when this process ends in any way.
#[derive(Debug)]
pub struct Emulator {
    backend: Backend,
    url: String,
    process: Child,
}

impl Emulator {
    /// Starts one on a free port of 127.0.0.1, with nothing in it, and waits until it answers.
    pub async fn start(backend: Backend) -> Result<Self, Error> {
        let python = tokio::task::spawn_blocking(move || Requirements::of(backend).python())
            .await
            .map_err(|error| Error::new(error.to_string()))??;
        let port = free_port()?;
        let folder = paths::sandbox()?;
        forget_old_logs(&folder);
        let log = folder.join(format!("{backend}-{port}.log"));
        let unable = |error: std::io::Error| Error::new(format!("cannot start {backend}: {error}"));
        let output = File::create(&log).map_err(unable)?;
        let mut command = Command::new(python);
        command
            .args(["-u", "-c", include_str!("host.py")])
            .args(arguments(backend, port))
            .env_clear()
            .envs(environment(backend, port))
            .stdin(Stdio::piped())
            .stdout(output.try_clone().map_err(unable)?)
            .stderr(output);
        let process = command.spawn().map_err(unable)?;
        let mut emulator = Self { backend, url: format!("http://127.0.0.1:{port}"), process };
        emulator.wait_until_ready(&log).await?;
        Ok(emulator)
    }

    /// Where it listens.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Which one it is.
    pub fn backend(&self) -> Backend {
        self.backend
    }

    /// An open port proves little: the first real answer is waited for.
    async fn wait_until_ready(&mut self, log: &Path) -> Result<(), Error> {
        let upstream = Upstream::new(&self.url, self.backend);
        let started = Instant::now();
        loop {
            let listing = (Method::GET, "/");
            let answer = upstream.ask("000000000000", "us-east-1", "s3", listing, &[], String::new()).await;
            if answer.is_ok_and(|reply| reply.status().is_success()) {
                return Ok(());
            }
            if let Ok(Some(status)) = self.process.try_wait() {
                return Err(self.failure(&format!("ended at once ({status})"), log));
            }
            if started.elapsed() > PATIENCE {
                return Err(self.failure(&format!("gave no answer within {} s", PATIENCE.as_secs()), log));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    fn failure(&self, what: &str, log: &Path) -> Error {
        with_log(&format!("{} {what}", self.backend), log)
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // It keeps nothing, so there is nothing to shut down in good order.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// An error that shows the end of what the emulator has logged.
pub(crate) fn with_log(what: &str, log: &Path) -> Error {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    let tail = lines[lines.len().saturating_sub(TAIL)..].join("\n");
    Error::new(format!("{what}\n{tail}")).hint(format!("the whole log is {}", log.display()))
}

fn arguments(backend: Backend, port: u16) -> Vec<String> {
    match backend {
        Backend::Ministack => vec!["ministack".to_owned()],
        Backend::Moto => {
            ["moto.server", "-H", "127.0.0.1", "-p", &port.to_string()].map(str::to_owned).to_vec()
        }
    }
}

/// The whole environment: nothing of the caller's (least of all credentials) reaches an emulator.
fn environment(backend: Backend, port: u16) -> Vec<(&'static str, String)> {
    let mut variables: Vec<(&str, String)> = ["PATH", "HOME", "TMPDIR", "LANG"]
        .into_iter()
        .filter_map(|name| Some((name, std::env::var(name).ok()?)))
        .collect();
    if backend == Backend::Ministack {
        variables.extend([
            // Accounts are kept apart and policies enforced only with this.
            ("AUTH", "true".to_owned()),
            ("BIND_HOST", "127.0.0.1".to_owned()),
            ("GATEWAY_PORT", port.to_string()),
            ("LOG_LEVEL", "WARNING".to_owned()),
            // lambda and sns for the entries of others in a notification configuration.
            ("SERVICES", "s3,sqs,sts,iam,kms,sns,lambda".to_owned()),
            // On by default, on fixed ports: two emulators would collide.
            ("IOT_MTLS_ENABLED", "0".to_owned()),
            ("SFTP_ENABLED", "0".to_owned()),
        ]);
    }
    variables
}

/// A log is for the run that failed just now; those of yesterday are in the way.
fn forget_old_logs(folder: &Path) {
    let Ok(files) = fs::read_dir(folder) else { return };
    for path in
        files.flatten().map(|file| file.path()).filter(|path| path.extension() == Some("log".as_ref()))
    {
        let age = path.metadata().and_then(|data| data.modified()).ok().and_then(|time| time.elapsed().ok());
        if age.is_some_and(|age| age > LOGS_KEPT) {
            // Another sandbox may have been faster.
            let _ = fs::remove_file(path);
        }
    }
}

/// Free a moment ago. Nothing guarantees it still is; the emulator would say so in its log.
pub(crate) fn free_port() -> Result<u16, Error> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|error| Error::new(format!("no free port on 127.0.0.1: {error}")))
}
