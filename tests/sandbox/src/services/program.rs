//! A server that was started for a test.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tokio::net::TcpStream;

use crate::Error;
use crate::emulator::with_log;

/// A busy machine has been seen to need ten seconds.
const PATIENCE: Duration = Duration::from_secs(60);

/// Stops when dropped.
#[derive(Debug)]
pub(crate) struct Program {
    process: Child,
    _folder: tempfile::TempDir,
}

impl Program {
    /// Starts `command` with its files in `folder`, and waits until `port` is open.
    pub(crate) async fn start(
        mut command: Command,
        folder: tempfile::TempDir,
        port: u16,
    ) -> Result<Self, Error> {
        let name = command.get_program().to_string_lossy().into_owned();
        let unable = |error: std::io::Error| Error::new(format!("cannot start {name}: {error}"));
        let log = folder.path().join("log");
        let output = File::create(&log).map_err(unable)?;
        command.stdin(Stdio::piped()).stdout(output.try_clone().map_err(unable)?).stderr(output);
        let process = command.spawn().map_err(unable)?;
        let mut program = Self { process, _folder: folder };
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            if let Ok(Some(status)) = program.process.try_wait() {
                return Err(with_log(&format!("{name} ended at once ({status})"), &log));
            }
            if started.elapsed() > PATIENCE {
                return Err(with_log(
                    &format!("{name} gave no answer within {} s", PATIENCE.as_secs()),
                    &log,
                ));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(program)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It keeps nothing, so there is nothing to shut down in good order.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Where `program` is installed, in the folders of servers too.
pub(crate) fn installed(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from));
    folders.map(|folder| folder.join(program)).find(|path| Path::is_file(path))
}
