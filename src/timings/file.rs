//! The files of `--timings`.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::{Timings, page};
use crate::error::{Error, Kind, Result};
use crate::text::clean;
use crate::view::json;

/// A file, by its ending an HTML page or JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimingsFile {
    path: PathBuf,
    form: TimingsForm,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TimingsForm {
    Html,
    Json,
}

impl FromStr for TimingsFile {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let path = PathBuf::from(text);
        let ending = path.extension().map(|ending| ending.to_ascii_lowercase());
        let form = match ending.as_ref().and_then(|ending| ending.to_str()) {
            Some("html" | "htm") => TimingsForm::Html,
            Some("json") => TimingsForm::Json,
            _ => return Err("the name of the file must end in .html or .json".to_owned()),
        };
        Ok(Self { path, form })
    }
}

/// The files of a run, open before its first request.
#[derive(Debug, Default)]
pub struct TimingsReport {
    files: Vec<(TimingsFile, File)>,
    timings: Timings,
}

impl TimingsReport {
    /// Opens `files`, without changing what they hold.
    ///
    /// # Errors
    /// [`Kind::Input`] for a file that cannot be written.
    pub fn open(files: &[TimingsFile]) -> Result<Self> {
        let open = |file: &TimingsFile| {
            let opened = OpenOptions::new().write(true).create(true).truncate(false).open(&file.path);
            opened.map(|opened| (file.clone(), opened)).map_err(|error| file.unwritten(Kind::Input, error))
        };
        Ok(Self { files: files.iter().map(open).collect::<Result<_>>()?, timings: Timings::default() })
    }

    /// What records for the files, if there are any.
    pub fn timings(&self) -> Option<Timings> {
        (!self.files.is_empty()).then(|| self.timings.clone())
    }

    /// Writes the files of `command`, which has ended with `exit_code`.
    ///
    /// # Errors
    /// When one cannot be written.
    pub fn write(self, command: &str, exit_code: u8) -> Result<()> {
        if self.files.is_empty() {
            return Ok(());
        }
        let run = self.timings.of(clean(command), exit_code);
        let (html, json) = (page::html(&run), json::line(&run)?);
        for (file, mut opened) in self.files {
            let text = match file.form {
                TimingsForm::Html => &html,
                TimingsForm::Json => &json,
            };
            // Longer than before or shorter: what a former run has written goes.
            opened
                .set_len(0)
                .and_then(|()| opened.write_all(text.as_bytes()))
                .map_err(|error| file.unwritten(Kind::Failed, error))?;
        }
        Ok(())
    }
}

impl TimingsFile {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn unwritten(&self, kind: Kind, error: io::Error) -> Error {
        Error::new(kind, format!("cannot write the timings to {}", clean(&self.path.to_string_lossy())))
            .because(error)
            .hint("name a file in a folder that exists and can be written to")
    }
}
