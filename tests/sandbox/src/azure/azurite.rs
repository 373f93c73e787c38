//! Azurite, Microsoft's emulator of the blob and queue data plane: installed once, started, stopped.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::double::wire::Wire;
use crate::emulator::{free_port, with_log};
use crate::npm::{NO_NODE, Packages};
use crate::{Error, paths};

/// Hundreds of modules are read first; a busy machine has been seen to need more than a minute.
const PATIENCE: Duration = Duration::from_secs(120);

/// A running Azurite with nothing in it; stops when dropped, and when this process ends in any way.
#[derive(Debug)]
pub struct Azurite {
    url: String,
    process: Child,
}

impl Azurite {
    /// Starts one on free ports of 127.0.0.1 and waits until it answers. Installs it first where
    /// it is not there, which takes about a minute.
    pub async fn start() -> Result<Self, Error> {
        let root = tokio::task::spawn_blocking(|| Packages::AZURITE.folder())
            .await
            .map_err(|error| Error::new(error.to_string()))??;
        let [control, blob, queue] = [free_port()?, free_port()?, free_port()?];
        let log = paths::sandbox()?.join(format!("azurite-{control}.log"));
        let unable = |error: std::io::Error| Error::new(format!("cannot start Azurite: {error}"));
        let output = File::create(&log).map_err(unable)?;
        let process = Command::new("node")
            .args(["-e", include_str!("host.js"), "--"])
            .arg(&root)
            .args([control, blob, queue].map(|port| port.to_string()))
            .arg(format!("Sandbox {:032x}", fastrand::u128(..)))
            .env_clear()
            .envs(environment())
            .stdin(Stdio::piped())
            .stdout(output.try_clone().map_err(unable)?)
            .stderr(output)
            .spawn()
            .map_err(|error| unable(error).hint(NO_NODE))?;
        let mut azurite = Self { url: format!("http://127.0.0.1:{control}"), process };
        azurite.wait_until_ready(&log).await?;
        Ok(azurite)
    }

    /// Names it to a double, of this process or of another: see [`Place::find`].
    pub fn url(&self) -> &str {
        &self.url
    }

    async fn wait_until_ready(&mut self, log: &Path) -> Result<(), Error> {
        let started = Instant::now();
        loop {
            if let Ok(place) = Place::find(&self.url).await
                && place.answers().await
            {
                return Ok(());
            }
            if let Ok(Some(status)) = self.process.try_wait() {
                return Err(with_log(&format!("Azurite ended at once ({status})"), log));
            }
            if started.elapsed() > PATIENCE {
                let waited = PATIENCE.as_secs();
                return Err(with_log(&format!("Azurite gave no answer within {waited} s"), log));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Drop for Azurite {
    fn drop(&mut self) {
        // It keeps nothing, so there is nothing to shut down in good order.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Where a running Azurite listens, and what opens its doors.
#[derive(Clone, Debug)]
pub struct Place {
    pub(super) control: String,
    pub(super) blob: String,
    pub(super) queue: String,
    /// Goes in place of a signature.
    pub(super) pass: String,
}

impl Place {
    /// Asks the Azurite at `url` (see [`Azurite::url`]).
    pub async fn find(url: &str) -> std::io::Result<Self> {
        let reply = Wire::default().get(url, "/").await?;
        let told: Value = serde_json::from_slice(reply.body())?;
        let text = |name: &str| told[name].as_str().unwrap_or_default().to_owned();
        Ok(Self { control: url.to_owned(), blob: text("blob"), queue: text("queue"), pass: text("pass") })
    }

    /// The two servers start one after the other.
    async fn answers(&self) -> bool {
        let wire = Wire::default();
        wire.get(&self.blob, "/").await.is_ok() && wire.get(&self.queue, "/").await.is_ok()
    }
}

/// The whole environment: nothing of the caller's (least of all credentials) reaches Azurite.
fn environment() -> Vec<(&'static str, String)> {
    ["PATH", "HOME", "TMPDIR", "LANG"]
        .into_iter()
        .filter_map(|name| Some((name, std::env::var(name).ok()?)))
        .collect()
}
