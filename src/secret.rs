//! The one secret among the outputs, and where it is written.

use std::fmt;
use std::fs::{File, Metadata, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use futures::future::BoxFuture;
use zeroize::Zeroizing;

use crate::error::{Error, Kind, Result};

/// The size of the trial write, in bytes: a block of the usual file systems.
const BLOCK: usize = 4096;

/// A secret. It cannot be printed, compared, copied or written into a document by accident, and its
/// memory is overwritten when it is dropped.
pub(crate) struct Secret(Zeroizing<String>);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl Secret {
    pub(crate) fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The secret itself, for the one place that the user named.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

/// A line of the server configuration that is shown only on request, because its value is a secret.
pub(crate) struct Withheld<'a> {
    /// The name of the environment variable.
    pub name: &'static str,
    pub instead: Instead,
    /// What whoever gets it should know, such as that it allows more than the server needs.
    pub warning: Option<&'static str>,
    /// Fetches its value, once it is polled and not before.
    pub secret: BoxFuture<'a, Result<Secret>>,
}

/// What is shown while a secret is withheld.
pub(crate) enum Instead {
    /// The command of the cloud's own tool that prints its value.
    Command(String),
    /// The value without the secret in it, which is among the outputs.
    Masked(String),
}

/// What happens to the secret among the outputs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Disclosure {
    /// It is not fetched.
    #[default]
    Withheld,
    /// It is shown with the other outputs.
    Shown,
    /// It is written to a new file that nobody else can read.
    File(PathBuf),
}

/// The opened destination of the secret.
#[derive(Debug)]
pub(crate) enum Destination {
    /// Nowhere: it is not fetched.
    Withheld,
    /// To the other outputs.
    Shown,
    /// Into this file.
    File(NewFile),
}

impl Disclosure {
    /// What `--reveal` or `--secret-file` asks for, which exclude each other.
    pub(crate) fn asked(reveal: bool, secret_file: Option<PathBuf>) -> Self {
        let unfiled = if reveal { Self::Shown } else { Self::Withheld };
        secret_file.map_or(unfiled, Self::File)
    }

    /// The file, where one is wanted.
    pub(crate) fn path(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Withheld | Self::Shown => None,
        }
    }

    /// Checks, before the first request, that the file can be created and written, where one is wanted.
    /// The trial file is deleted.
    ///
    /// # Errors
    /// [`Kind::Input`] when it cannot.
    pub(crate) fn check(&self) -> Result<()> {
        match self {
            Self::File(path) => NewFile::create(path)?.try_out(),
            Self::Withheld | Self::Shown => Ok(()),
        }
    }

    /// Creates the file, where one is wanted.
    ///
    /// # Errors
    /// [`Kind::Input`] when it already exists or cannot be created.
    pub(crate) fn open(&self) -> Result<Destination> {
        Ok(match self {
            Self::Withheld => Destination::Withheld,
            Self::Shown => Destination::Shown,
            Self::File(path) => Destination::File(NewFile::create(path)?),
        })
    }
}

/// A file reserved for a secret: new, and readable by its owner only from the start. It is deleted
/// unless the secret is written.
#[derive(Debug)]
pub(crate) struct NewFile {
    path: PathBuf,
    file: File,
    filled: bool,
}

impl NewFile {
    fn create(path: &Path) -> Result<Self> {
        // Neither keeps anything, and a secret on a terminal or in a pipe is what `--reveal` is for.
        if path == Path::new("-") || ["/dev", "/proc"].iter().any(|folder| path.starts_with(folder)) {
            return Err(Error::input(format!("cannot write the secret to `{}`: not a file", path.display()))
                .hint("add `--reveal` to print it with the other outputs, or name a new file"));
        }
        let mut options = OpenOptions::new();
        // `O_CREAT | O_EXCL`, which also refuses a symbolic link, wherever it leads (POSIX, `open`).
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path).map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => {
                Error::input(format!("cannot write the secret to `{}`: it exists", path.display()))
                    .hint("name a new file, or remove that one first")
            }
            _ => unwritable(Kind::Input, path, error)
                .hint("name a new file in a directory that you can write to"),
        })?;
        Ok(Self { path: path.to_owned(), file, filled: false })
    }

    /// Writes and removes a block, which shows a full disk.
    fn try_out(mut self) -> Result<()> {
        let written = self.file.write_all(&[0; BLOCK]).and_then(|()| self.file.sync_all());
        written.map_err(|error| {
            unwritable(Kind::Input, &self.path, error).hint("name a file on a disk with free space")
        })
    }

    /// The path.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes `secret`, and nothing else.
    ///
    /// # Errors
    /// [`Kind::Failed`] when it cannot be written, or the path now leads to another file.
    pub(crate) fn fill(mut self, secret: &Secret) -> Result<()> {
        let text = secret.reveal().as_bytes();
        let written = self.file.write_all(text).and_then(|()| self.file.sync_all());
        written.map_err(|error| unwritable(Kind::Failed, &self.path, error))?;
        if !self.is_there() {
            let replaced = ErrorKind::NotFound.into();
            return Err(unwritable(Kind::Failed, &self.path, replaced));
        }
        self.filled = true;
        Ok(())
    }

    /// Whether the path still leads to this file.
    fn is_there(&self) -> bool {
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            let id = |data: Metadata| (data.dev(), data.ino());
            let (ours, there) = (self.file.metadata().map(id), self.path.symlink_metadata().map(id));
            matches!((ours, there), (Ok(ours), Ok(there)) if ours == there)
        }
        #[cfg(not(unix))]
        {
            self.path.exists()
        }
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        // Part of a secret is useless.
        if !self.filled && self.is_there() {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

fn unwritable(kind: Kind, path: &Path, error: std::io::Error) -> Error {
    Error::new(kind, format!("cannot write the secret to `{}`", path.display())).because(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret() -> Secret {
        Secret::new("c2VjcmV0".to_owned())
    }

    #[test]
    fn a_secret_goes_to_a_new_file_of_ones_own() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        Disclosure::File(path.clone()).check().unwrap();
        assert!(!path.exists(), "a check leaves nothing");
        NewFile::create(&path).unwrap().fill(&secret()).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "c2VjcmV0");
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn what_is_there_is_never_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        std::fs::write(&path, "mine").unwrap();
        let error = Disclosure::File(path.clone()).check().unwrap_err();
        assert_eq!(error.kind(), Kind::Input);
        assert!(error.what_next().is_some() && Disclosure::File(path.clone()).open().is_err());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
    }

    #[test]
    fn a_file_that_is_not_filled_goes_again_unless_it_is_somebody_elses() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let reserved = || NewFile::create(&path).unwrap();
        let ours = reserved();
        assert!(NewFile::create(&path).is_err(), "it is taken");
        drop(ours);
        assert!(!path.exists());
        let replaced = reserved();
        std::fs::remove_file(&path).unwrap();
        // Kept open, so that the new file cannot get the number of the old one.
        std::fs::write(&path, "theirs").unwrap();
        assert_eq!(replaced.fill(&secret()).unwrap_err().kind(), Kind::Failed);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "theirs");
    }

    #[cfg(unix)]
    #[test]
    fn no_link_is_followed_even_to_nowhere() {
        let folder = tempfile::tempdir().unwrap();
        let (link, target) = (folder.path().join("link"), folder.path().join("target"));
        std::os::unix::fs::symlink(&target, &link).unwrap();
        assert!(Disclosure::File(link).check().is_err());
        assert!(!target.exists());
    }

    #[test]
    fn what_cannot_be_a_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let below = folder.path();
        for path in [below.join("none/key"), below.to_owned(), below.join("new/"), "/".into(), PathBuf::new()]
        {
            assert!(Disclosure::File(path.clone()).check().is_err(), "{}", path.display());
        }
        for path in ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"] {
            let error = Disclosure::File(path.into()).check().unwrap_err();
            assert!(error.what_next().is_some_and(|hint| hint.contains("--reveal")), "{path}");
        }
        assert_eq!(below.read_dir().unwrap().count(), 0);
    }
}
