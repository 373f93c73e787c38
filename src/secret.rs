//! What must not be seen: the one secret among the outputs, and who may have it.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use futures::future::BoxFuture;
use zeroize::Zeroizing;

use crate::error::{Error, Kind, Result};

/// A secret. It cannot be printed, compared, copied or written into a document by accident, and its
/// memory is overwritten when it goes.
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes `text` over.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The secret itself, for the one place that the user named.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

/// A line of what the server needs that is not shown unless asked for, because its value is a secret.
pub struct Withheld<'a> {
    /// The name of the environment variable.
    pub name: &'static str,
    /// The command of the cloud's own tool that prints its value.
    pub command: String,
    /// Fetches its value, once it is polled and not before.
    pub secret: BoxFuture<'a, Result<Secret>>,
}

/// What is to become of the secret among the outputs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Disclosure {
    /// It is not fetched.
    #[default]
    Withheld,
    /// It is shown with the other outputs.
    Shown,
    /// It is written to a new file that nobody else can read.
    File(PathBuf),
}

impl Disclosure {
    /// Checks, before anything is asked of the cloud, that a file can be made where one is wanted.
    ///
    /// # Errors
    /// [`Kind::Input`] when something is there already, be it a link to nowhere, or its folder is not.
    pub fn check(&self) -> Result<()> {
        let Self::File(path) = self else { return Ok(()) };
        if path.symlink_metadata().is_ok() {
            return Err(taken(path));
        }
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        if path.file_name().is_none() || !folder.is_dir() {
            return Err(Error::input(format!("no file can be made at `{}`", path.display()))
                .hint("name a new file in a folder that is there"));
        }
        Ok(())
    }
}

fn taken(path: &Path) -> Error {
    Error::input(format!("`{}` is there already, and a secret is written to new files only", path.display()))
        .hint("name another file, or remove that one first")
}

/// Writes `secret`, and nothing else, to a file that it makes. The file is nobody else's to read from
/// the start, and no link is followed.
///
/// # Errors
/// [`Kind::Input`] when something is there already, [`Kind::Failed`] when the file cannot be written.
pub fn write_new(path: &Path, secret: &Secret) -> Result<()> {
    let mut options = OpenOptions::new();
    // `O_CREAT | O_EXCL`, which also refuses a symbolic link, wherever it leads (POSIX, `open`).
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let unwritten = |error: std::io::Error| {
        Error::new(Kind::Failed, format!("the secret cannot be written to `{}`", path.display()))
            .because(error)
    };
    let mut file = options.open(path).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => taken(path),
        _ => unwritten(error),
    })?;
    file.write_all(secret.reveal().as_bytes()).and_then(|()| file.sync_all()).map_err(|error| {
        // Half a secret is of no use to anybody.
        let _ = std::fs::remove_file(path);
        unwritten(error)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_goes_to_a_new_file_of_ones_own() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        assert!(Disclosure::File(path.clone()).check().is_ok());
        write_new(&path, &Secret::new("c2VjcmV0".to_owned())).unwrap();
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
        for error in [
            Disclosure::File(path.clone()).check().unwrap_err(),
            write_new(&path, &Secret::new("theirs".to_owned())).unwrap_err(),
        ] {
            assert_eq!(error.kind(), Kind::Input);
            assert!(!error.chain().contains("theirs") && error.what_next().is_some());
        }
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
    }

    #[cfg(unix)]
    #[test]
    fn no_link_is_followed_even_to_nowhere() {
        let folder = tempfile::tempdir().unwrap();
        let (link, target) = (folder.path().join("link"), folder.path().join("target"));
        std::os::unix::fs::symlink(&target, &link).unwrap();
        assert!(Disclosure::File(link.clone()).check().is_err());
        assert!(write_new(&link, &Secret::new("s".to_owned())).is_err());
        assert!(!target.exists());
    }

    #[test]
    fn a_file_in_no_folder_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        for path in
            [folder.path().join("none/key"), folder.path().to_owned(), PathBuf::from("/"), PathBuf::new()]
        {
            assert!(Disclosure::File(path.clone()).check().is_err(), "{}", path.display());
        }
    }
}
