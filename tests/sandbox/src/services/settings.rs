//! `wbstore check` with settings of a test.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use tempfile::NamedTempFile;

use crate::ran::{Ran, finish, wbstore};

/// A file of settings.
pub struct SettingsFile(NamedTempFile);

impl SettingsFile {
    /// One with these variables.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn of(variables: &[(&str, &str)]) -> Self {
        let mut text = String::new();
        for (name, value) in variables {
            writeln!(text, "{name}={value}").expect("text can be written");
        }
        let mut file = NamedTempFile::new().expect("a file");
        file.write_all(text.as_bytes()).expect("it can be written");
        Self(file)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// `wbstore check` of it, with more `arguments`, in `environment`.
    ///
    /// # Panics
    /// When `wbstore` is not built.
    pub fn command(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Command {
        let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let mut command = wbstore(environment.collect());
        // A proxy of whoever runs the tests has nothing to do here.
        for name in ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
            if !command.get_envs().any(|(given, _)| given == name) {
                command.env_remove(name);
            }
        }
        command.arg("check").arg("--settings").arg(self.path()).args(arguments);
        command
    }

    /// Runs it to its end.
    pub async fn check(&self, arguments: &[&str]) -> Ran {
        finish(self.command(arguments, &[])).await
    }
}
