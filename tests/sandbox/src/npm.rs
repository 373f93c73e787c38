//! Folders with pinned npm packages, made once.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::say::say;
use crate::{Error, paths};

pub(crate) const NO_NODE: &str = "install Node.js 20 or newer with npm (Debian: apt-get install nodejs npm)";

/// A set of pinned packages.
#[derive(Clone, Copy, Debug)]
pub struct Packages {
    pub(crate) name: &'static str,
    pub(crate) package: &'static str,
    pub(crate) lock: &'static str,
}

impl Packages {
    /// Microsoft's emulator of Azure Storage.
    pub const AZURITE: Self = Self {
        name: "azurite",
        package: include_str!("../requirements/azurite/package.json"),
        lock: include_str!("../requirements/azurite/package-lock.json"),
    };

    /// An OpenID Connect provider.
    pub const OIDC_PROVIDER: Self = Self {
        name: "oidc-provider",
        package: include_str!("../requirements/oidc-provider/package.json"),
        lock: include_str!("../requirements/oidc-provider/package-lock.json"),
    };

    /// GitHub's published GraphQL schema, and what executes queries by it.
    pub const GITHUB: Self = Self {
        name: "github",
        package: include_str!("../requirements/github/package.json"),
        lock: include_str!("../requirements/github/package-lock.json"),
    };

    /// A store with the API of S3.
    pub const S3RVER: Self = Self {
        name: "s3rver",
        package: include_str!("../requirements/s3rver/package.json"),
        lock: include_str!("../requirements/s3rver/package-lock.json"),
    };

    /// The folder that has the packages in its `node_modules`; fills it when there is none.
    ///
    /// Its name carries a hash of the lock file, and it appears in one rename when all is in place, as
    /// with the Python environments of [`venv`](crate::venv).
    pub fn folder(self) -> Result<PathBuf, Error> {
        let mut hasher = DefaultHasher::new();
        (self.package, self.lock).hash(&mut hasher);
        let parent = paths::sandbox()?;
        let folder = parent.join(format!("{}-{:016x}", self.name, hasher.finish()));
        if !folder.exists() {
            self.install(&parent, &folder)?;
        }
        Ok(folder)
    }

    /// The command that runs the module `source` beside the packages, with their folder as the first argument.
    pub(crate) fn node(self, name: &str, source: &str) -> Result<Command, Error> {
        let folder = self.folder()?;
        let unable = |error: std::io::Error| Error::new(format!("cannot write {name}: {error}"));
        let module = folder.join(name);
        if fs::read_to_string(&module).ok().as_deref() != Some(source) {
            // In one rename, as several tests may be here at once.
            let draft = tempfile::NamedTempFile::new_in(&folder).map_err(unable)?;
            fs::write(draft.path(), source).map_err(unable)?;
            draft.persist(&module).map_err(|error| unable(error.error))?;
        }
        let mut node = Command::new("node");
        node.arg(module).arg(folder);
        Ok(node)
    }

    fn install(self, parent: &Path, folder: &Path) -> Result<(), Error> {
        let failed = |error: std::io::Error| Error::new(format!("cannot make {}: {error}", folder.display()));
        say(&format!("installing {} into {} (once, about a minute)", self.name, folder.display()));
        let draft = tempfile::Builder::new().prefix(".npm-").tempdir_in(parent).map_err(failed)?;
        let root = draft.path().join(self.name);
        fs::create_dir(&root).map_err(failed)?;
        fs::write(root.join("package.json"), self.package).map_err(failed)?;
        fs::write(root.join("package-lock.json"), self.lock).map_err(failed)?;
        // No package of the lock file needs a script of its own to work.
        let output = Command::new("npm")
            .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"])
            .current_dir(&root)
            .output()
            .map_err(|error| Error::new(format!("cannot run npm: {error}")).hint(NO_NODE))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
            return Err(Error::new(format!("npm failed ({}): {last}", output.status))
                .hint("the npm registry must be reachable the first time; npm's own settings apply"));
        }
        match fs::rename(&root, folder) {
            // Somebody else was faster; theirs is as good.
            Err(_) if folder.exists() => Ok(()),
            moved => moved.map_err(failed),
        }
    }
}
