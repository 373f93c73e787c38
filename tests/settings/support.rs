//! `wbstore` with settings, and nothing else in its environment.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// What came of a run.
pub struct Ran {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// A folder with a file of settings.
pub struct Folder {
    folder: TempDir,
}

impl Folder {
    pub fn with(settings: impl AsRef<[u8]>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("wandb.env"), settings).expect("a file");
        Self { folder }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// `config` of the file, run in the folder.
    pub fn config(&self, arguments: &[&str]) -> Ran {
        self.run(&[&["config", "--settings", "wandb.env"], arguments].concat())
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        run(wbstore(self.folder.path()).args(arguments), "")
    }
}

/// `wbstore` in `folder`.
pub fn wbstore(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wbstore"));
    command.env_clear().current_dir(folder);
    command
}

/// Runs `command` with `input` on stdin.
pub fn run(command: &mut Command, input: &str) -> Ran {
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = piped.spawn().expect("it runs");
    // One that refuses its arguments reads nothing.
    let _ = process.stdin.take().expect("it is piped").write_all(input.as_bytes());
    let Output { status, stdout, stderr } = process.wait_with_output().expect("it ends");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    Ran { code: status.code(), stdout: text(stdout), stderr: text(stderr) }
}

impl Ran {
    /// That it was done.
    #[track_caller]
    pub fn done(self) -> Self {
        assert_eq!(self.code, Some(0), "{}", self.stderr);
        self
    }

    /// That it was refused as bad input: one error, a hint, and nothing on stdout.
    #[track_caller]
    pub fn refused(self) -> Self {
        assert_eq!(self.code, Some(2), "{}{}", self.stdout, self.stderr);
        assert_eq!(self.stdout, "");
        assert_eq!(self.stderr.matches("error:").count(), 1, "{}", self.stderr);
        assert!(self.stderr.contains("hint:") && !self.stderr.contains("panicked"), "{}", self.stderr);
        self
    }

    #[track_caller]
    pub fn tells(self, words: &[&str]) -> Self {
        for word in words {
            assert!(self.stderr.contains(word), "{word}: {}", self.stderr);
        }
        self
    }

    /// That neither stream repeats a part of a secret.
    #[track_caller]
    pub fn is_silent(&self) {
        for secret in ["canary", "Canary", "CANARY", "ca4a49"] {
            assert!(!self.stdout.contains(secret), "{}", self.stdout);
            assert!(!self.stderr.contains(secret), "{}", self.stderr);
        }
    }
}
