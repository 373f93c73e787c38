//! What a release is published as: an archive with its checksum.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::Error;

/// What goes into an archive.
#[derive(Clone, Copy, Debug)]
pub struct Release<'a> {
    /// The repository, which has the pages.
    pub project: &'a Path,
    /// The built wbstore, which runs on this machine: it prints its completions and manual pages.
    pub program: &'a Path,
    /// Its bill of materials.
    pub bill: &'a Path,
    /// The platform it is built for, as rustc names it.
    pub target: &'a str,
}

impl Release<'_> {
    /// That of the workspace; a release has the tag `vVERSION`.
    pub const VERSION: &'static str = env!("CARGO_PKG_VERSION");

    /// Writes `wbstore-VERSION-TARGET.tar.gz` into the folder `out`, and its checksum beside it in the form of
    /// `sha256sum`; returns the path of the archive. The same program makes the same archive.
    ///
    /// # Errors
    /// When Python is missing, or the program does not run here.
    pub fn pack(self, out: &Path) -> Result<PathBuf, Error> {
        let mut python = Command::new("python3");
        python.args(["-c", include_str!("archive.py")]).arg(self.program).arg(self.bill);
        python.args([Self::VERSION, self.target]).arg(out);
        python.current_dir(self.project).stdin(Stdio::null()).stderr(Stdio::inherit());
        let output = python.output().map_err(|error| Error::new(format!("cannot run python3: {error}")))?;
        if !output.status.success() {
            return Err(Error::new(format!("cannot pack the archive (python3: {})", output.status)));
        }
        Ok(String::from_utf8_lossy(&output.stdout).trim_end().into())
    }
}
