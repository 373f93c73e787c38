//! Google's Pub/Sub emulator, where the Google Cloud SDK brings it.

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use http_body_util::Empty;
use hyper::Uri;
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tokio::time::{Instant, sleep};

use crate::{Error, paths};

/// Names a running emulator to the tests, `http://host:port`. Each test has a project of its own on
/// it.
pub const URL: &str = "WBSTORE_SANDBOX_PUBSUB";

/// Where packages and the installer put the SDK.
const ROOTS: &[&str] = &[
    "/usr/lib/google-cloud-sdk",
    "/opt/google-cloud-sdk",
    "/usr/local/google-cloud-sdk",
    "/snap/google-cloud-cli/current",
];
/// A Java virtual machine takes its time on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(100);

/// Runs a program until standard input ends. The system closes that when the sandbox is gone, however
/// it went, and the emulator goes with it.
const UNTIL_INPUT_ENDS: &str =
    r#"exec 3<&0; "$@" 3<&- </dev/null & child=$!; (cat <&3 >/dev/null; kill $child) & wait $child"#;

/// A running emulator; stops when dropped, and when this process ends in any way.
#[derive(Debug)]
pub struct PubsubEmulator {
    url: String,
    process: Child,
}

impl PubsubEmulator {
    /// What is needed to start it: Java and the emulator's archive. `None` when this machine lacks
    /// either.
    pub fn found() -> Option<PathBuf> {
        let java = Command::new("java").arg("-version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        java.ok().filter(std::process::ExitStatus::success)?;
        roots().into_iter().find_map(|root| archive(&root))
    }

    /// Starts it on a free port of 127.0.0.1, with nothing in it, and waits until it answers.
    pub async fn start(archive: &Path) -> Result<Self, Error> {
        let failed =
            |error: std::io::Error| Error::new(format!("cannot start the Pub/Sub emulator: {error}"));
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .and_then(|free| free.local_addr())
            .map_err(failed)?
            .port();
        let log = paths::sandbox()?.join(format!("pubsub-{port}.log"));
        let file = File::create(&log).map_err(failed)?;
        let process = Command::new("sh")
            .args(["-c", UNTIL_INPUT_ENDS, "sh", "java", "-Xmx256m", "-XX:TieredStopAtLevel=1", "-jar"])
            .arg(archive)
            .args(["--host=127.0.0.1".to_owned(), format!("--port={port}")])
            .stdin(Stdio::piped())
            .stdout(file.try_clone().map_err(failed)?)
            .stderr(file)
            .spawn()
            .map_err(failed)?;
        let mut emulator = Self { url: format!("http://127.0.0.1:{port}"), process };
        let end = Instant::now() + PATIENCE;
        while !answers(&emulator.url).await {
            let gone = emulator.process.try_wait().map_err(failed)?;
            if gone.is_some() || Instant::now() > end {
                return Err(
                    Error::new("the Pub/Sub emulator does not answer").hint(format!("see {}", log.display()))
                );
            }
            sleep(PAUSE).await;
        }
        Ok(emulator)
    }

    /// Where it listens.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for PubsubEmulator {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

async fn answers(url: &str) -> bool {
    let Ok(uri) = Uri::try_from(url) else { return false };
    let client: Client<_, Empty<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    client.get(uri).await.is_ok()
}

/// Where the SDK may be: as `gcloud` on the `PATH` leads there, as its own variable says, and the
/// usual places.
fn roots() -> Vec<PathBuf> {
    let mut roots: Vec<PathBuf> = std::env::var_os("CLOUDSDK_ROOT").map(PathBuf::from).into_iter().collect();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let gcloud = std::env::split_paths(&path).map(|folder| folder.join("gcloud"));
    roots.extend(
        gcloud.filter_map(|gcloud| Some(fs::canonicalize(gcloud).ok()?.parent()?.parent()?.to_owned())),
    );
    roots.extend(ROOTS.iter().map(PathBuf::from));
    roots
}

fn archive(root: &Path) -> Option<PathBuf> {
    let folder = root.join("platform/pubsub-emulator/lib");
    let mut archives: Vec<_> =
        fs::read_dir(folder).ok()?.filter_map(|entry| Some(entry.ok()?.path())).collect();
    archives.retain(|path| path.extension().is_some_and(|extension| extension == "jar"));
    archives.sort();
    archives.pop()
}
