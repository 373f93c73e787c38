//! Ceph's object gateway, where it is installed.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::net::TcpStream;

use super::Key;
use crate::Error;
use crate::dialect::VIRTUAL_DOMAIN;
use crate::emulator::{free_port, with_log};
use crate::services::program::installed;

/// Fifteen seconds on a machine that is not busy.
const PATIENCE: Duration = Duration::from_secs(180);

/// The programs of which it consists.
const PROGRAMS: [&str; 6] = ["radosgw", "ceph-mon", "ceph-osd", "ceph", "monmaptool", "radosgw-admin"];

/// A running gateway; stops when dropped, and when this process ends in any way.
#[derive(Debug)]
pub(super) struct Radosgw {
    process: Child,
    folder: TempDir,
    pub(super) port: u16,
}

impl Radosgw {
    /// Its version, where all of it is installed.
    pub(super) fn found() -> Option<String> {
        if PROGRAMS.iter().any(|program| installed(program).is_none()) {
            return None;
        }
        let output = Command::new("radosgw").arg("--version").output().ok()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.split(' ').nth(2).map(str::to_owned)
    }

    /// Starts one without users.
    pub(super) async fn start() -> Result<Self, Error> {
        let unable = |error: std::io::Error| Error::new(format!("cannot start radosgw: {error}"));
        let folder = super::server::folder()?;
        let (monitor, port) = (free_port()?, free_port()?);
        let mut command = Command::new("bash");
        command
            .args(["-c", include_str!("radosgw.sh"), "radosgw.sh"])
            .arg(folder.path())
            .args([monitor.to_string(), port.to_string()])
            .arg(VIRTUAL_DOMAIN)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let process = command.spawn().map_err(unable)?;
        let mut gateway = Self { process, folder, port };
        let started = Instant::now();
        let log = gateway.folder.path().join("log");
        while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            if let Ok(Some(status)) = gateway.process.try_wait() {
                return Err(with_log(&format!("radosgw ended at once ({status})"), &log));
            }
            if started.elapsed() > PATIENCE {
                return Err(with_log(&format!("no answer of radosgw within {} s", PATIENCE.as_secs()), &log));
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Ok(gateway)
    }

    /// Makes a user with these keys.
    pub(super) async fn user(&self, name: &str, keys: &[&Key]) -> Result<(), Error> {
        let named = format!("--uid={name}");
        for (index, key) in keys.iter().enumerate() {
            let words: &[&str] =
                if index == 0 { &["user", "create", "--display-name=wandb"] } else { &["key", "create"] };
            let mut command = tokio::process::Command::new("radosgw-admin");
            command.arg("-c").arg(self.folder.path().join("ceph.conf")).args(words).arg(&named);
            command.args([format!("--access-key={}", key.id), format!("--secret-key={}", key.secret)]);
            let output = command.output().await;
            let output = output.map_err(|error| Error::new(format!("cannot run radosgw-admin: {error}")))?;
            if !output.status.success() {
                let said = String::from_utf8_lossy(&output.stderr);
                return Err(Error::new(format!("radosgw-admin failed ({}): {said}", output.status)));
            }
        }
        Ok(())
    }
}

impl Drop for Radosgw {
    fn drop(&mut self) {
        // The end of its input ends the script, which ends the rest.
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}
