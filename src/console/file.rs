//! `--out FILE`: what a command would print to stdout, in a file that is replaced as a whole or not at all.

use std::ffi::OsString;
use std::fs;
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use tempfile::{Builder, NamedTempFile};
use zeroize::Zeroizing;

use crate::error::{Error, Kind, Result};
use crate::text::word;

/// The size of the trial write, in bytes: a block of the usual file systems.
const BLOCK: usize = 4096;

/// Where results go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutPath {
    /// To stdout, which is `-`.
    Stdout,
    /// To this file.
    File(PathBuf),
}

impl FromStr for OutPath {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "" => Err(Error::input("the name of the file is empty").hint("use a path, or `-` for stdout")),
            "-" => Ok(Self::Stdout),
            path => Ok(Self::File(path.into())),
        }
    }
}

/// A file that takes the place of stdout.
pub(super) struct OutFile {
    /// As the user wrote it.
    named: PathBuf,
    /// Where it is, symbolic links resolved.
    path: PathBuf,
    text: Zeroizing<String>,
    has_secret: bool,
}

impl OutFile {
    /// The file at `path`, which is not changed yet.
    ///
    /// # Errors
    /// [`Kind::Input`] when it could not be written.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let refused = |why: &str, hint: &str| Err(unwritable(Kind::Input, path).because(why).hint(hint));
        let found = match path.metadata() {
            Ok(found) => Some(found),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(unwritable(Kind::Input, path).because(error).hint(ANOTHER)),
        };
        let is_folder = found.as_ref().is_some_and(fs::Metadata::is_dir);
        if is_folder || path.file_name().is_none() || ends_with_separator(path) {
            return refused("it names a folder", "add the name of a file, such as `wandb.env`");
        }
        if found.as_ref().is_some_and(|found| !found.is_file()) {
            return refused(
                "it is not a regular file",
                "use `-` for stdout, and the shell's `>` for a device or a pipe",
            );
        }
        if found.is_none() && path.symlink_metadata().is_ok() {
            return refused("it is a symbolic link to nothing", ANOTHER);
        }
        let Some(resolved) = resolved(path) else {
            let folder = path.parent().map(Path::to_string_lossy).unwrap_or_default();
            let create = word(&folder).map(|folder| format!("create it first: `mkdir -p {folder}`"));
            let hint = create.unwrap_or_else(|| "create the folder first".to_owned());
            return refused("its folder does not exist", &hint);
        };
        let file =
            Self { named: path.to_owned(), path: resolved, text: Zeroizing::default(), has_secret: false };
        // A folder without permission and a full disk show before anything is changed in a cloud.
        let trial = file.temporary().and_then(|mut trial| {
            trial.write_all(&[0; BLOCK])?;
            trial.as_file().sync_all()
        });
        trial.map_err(|error| unwritable(Kind::Input, path).because(error).hint(ANOTHER))?;
        Ok(file)
    }

    /// The path as the user wrote it.
    pub(super) fn named(&self) -> &Path {
        &self.named
    }

    /// Whether `other` is the same file.
    pub(super) fn is(&self, other: &Path) -> bool {
        resolved(other).is_some_and(|other| other == self.path)
    }

    /// Replaces the file by one with all that was written in this run, `text` at the end.
    ///
    /// # Errors
    /// [`Kind::Failed`]; then the file is what it was.
    pub(super) fn write(&mut self, text: &str, is_secret: bool) -> Result<()> {
        self.text.push_str(text);
        self.has_secret |= is_secret;
        self.replace().map_err(|error| {
            unwritable(Kind::Failed, &self.named)
                .because(error)
                .hint("name a file on a disk with free space, in a folder that you can write to")
        })
    }

    fn replace(&self) -> io::Result<()> {
        let mut file = self.temporary()?;
        file.write_all(self.text.as_bytes())?;
        #[cfg(unix)]
        if let Some(mode) = self.mode() {
            file.as_file().set_permissions(std::os::unix::fs::PermissionsExt::from_mode(mode))?;
        }
        // Otherwise a crash of the machine could leave the new name on an empty file.
        file.as_file().sync_all()?;
        file.persist(&self.path).map(drop).map_err(|error| error.error)
    }

    /// A file in the same folder, which the last step moves into place and any other end removes. Its owner alone can
    /// read it, unless it replaces nothing and holds no secret: then the umask decides.
    fn temporary(&self) -> io::Result<NamedTempFile> {
        let mut builder = Builder::new();
        builder.prefix(".wbstore-");
        #[cfg(unix)]
        if !self.has_secret && self.existing_mode().is_none() {
            builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        }
        builder.tempfile_in(self.path.parent().unwrap_or(Path::new(".")))
    }

    #[cfg(unix)]
    fn existing_mode(&self) -> Option<u32> {
        use std::os::unix::fs::MetadataExt as _;
        self.path.metadata().ok().map(|found| found.mode() & 0o777)
    }

    /// The mode of the file that it replaces; with a secret in it, without those of the group and others.
    #[cfg(unix)]
    fn mode(&self) -> Option<u32> {
        let existing = self.existing_mode()?;
        Some(if self.has_secret { existing & 0o600 } else { existing })
    }
}

const ANOTHER: &str = "name a file in a folder that you can write to, or `-` for stdout";

fn unwritable(kind: Kind, path: &Path) -> Error {
    Error::new(kind, format!("cannot write the result to `{}`", path.display()))
}

fn ends_with_separator(path: &Path) -> bool {
    path.as_os_str().to_string_lossy().ends_with(std::path::is_separator)
}

/// Where `path` leads: of what does not exist, by its folder. `None` where that does not exist either.
fn resolved(path: &Path) -> Option<PathBuf> {
    if let Ok(path) = path.canonicalize() {
        return Some(path);
    }
    let name: OsString = path.file_name()?.to_owned();
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Some(folder.canonicalize().ok().filter(|folder| folder.is_dir())?.join(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let names = folder.read_dir().unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    }

    #[test]
    fn a_check_changes_nothing_and_each_write_leaves_a_whole_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("wandb.env");
        let mut file = OutFile::open(&path).unwrap();
        assert!(names(folder.path()).is_empty());
        file.write("A=1\n", false).unwrap();
        file.write("B=2\n", false).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "A=1\nB=2\n");
        OutFile::open(&path).unwrap().write("C=3\n", false).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "C=3\n");
        assert_eq!(names(folder.path()), ["wandb.env"]);
    }

    #[test]
    fn what_cannot_be_replaced_is_refused_with_a_hint() {
        let folder = tempfile::tempdir().unwrap();
        let below = folder.path();
        fs::write(below.join("file"), "mine").unwrap();
        for path in ["", "new/", "none/file", "file/below", "..", "/dev/null"] {
            let path = below.join(path);
            let Err(error) = OutFile::open(&path) else { panic!("{}", path.display()) };
            assert!(error.kind() == Kind::Input && error.what_next().is_some(), "{}", path.display());
        }
        assert_eq!(
            (names(below), fs::read_to_string(below.join("file")).unwrap()),
            (vec!["file".to_owned()], "mine".to_owned())
        );
        assert!("".parse::<OutPath>().is_err());
        assert_eq!("-".parse::<OutPath>().unwrap(), OutPath::Stdout);
    }

    #[test]
    fn a_file_is_the_same_by_whatever_path() {
        let folder = tempfile::tempdir().unwrap();
        let below = folder.path();
        let file = OutFile::open(&below.join("a")).unwrap();
        assert!(file.is(&below.join("./a")) && !file.is(&below.join("b")) && !file.is(&below.join("none/a")));
    }

    #[cfg(unix)]
    #[test]
    fn a_secret_is_for_its_owner_and_a_stricter_mode_stays() {
        use std::fs::Permissions;
        use std::os::unix::fs::{PermissionsExt as _, symlink};

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("wandb.env");
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        let written = |is_secret| {
            OutFile::open(&path).unwrap().write("A=1\n", is_secret).unwrap();
            mode(&path)
        };
        assert_eq!(written(true), 0o600);
        for (existing, open, secret) in [(0o644, 0o644, 0o600), (0o640, 0o640, 0o600), (0o400, 0o400, 0o400)]
        {
            for (is_secret, expected) in [(false, open), (true, secret)] {
                fs::set_permissions(&path, Permissions::from_mode(existing)).unwrap();
                assert_eq!(written(is_secret), expected, "{existing:o}");
            }
        }
        // The link stays, and what it leads to is replaced.
        let link = folder.path().join("link");
        symlink(&path, &link).unwrap();
        OutFile::open(&link).unwrap().write("B=2\n", false).unwrap();
        assert!(link.is_symlink() && fs::read_to_string(&path).unwrap() == "B=2\n");
        symlink(folder.path().join("nothing"), folder.path().join("dangling")).unwrap();
        assert!(OutFile::open(&folder.path().join("dangling")).is_err());
    }
}
