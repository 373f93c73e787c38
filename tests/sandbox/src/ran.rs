//! Programs: set apart from the developer's own set-up, run, and heard.

use std::collections::BTreeMap;
use std::fmt;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Map, Value};

use crate::paths;

/// What the variables begin with that tell a client of a cloud who it is and where to go.
const TELLING: &[&str] = &[
    "AWS_",
    "AZURE_",
    "CLOUDSDK_",
    "GCE_METADATA_",
    "GCLOUD_",
    "GOOGLE_",
    "PUBSUB_",
    "STORAGE_EMULATOR_",
    "WBSTORE_",
];

/// The longest that any run has a reason for, on a machine that is busy; a hang is a failure.
const LONGEST: Duration = Duration::from_secs(600);

/// What a program said and how it ended.
#[derive(Clone, Debug)]
pub struct Ran {
    /// Exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Ran {
    /// Checks that it ended with `code`, and returns it for more questions.
    ///
    /// # Panics
    /// When it did not.
    #[track_caller]
    pub fn ends(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self}");
        self
    }

    /// Checks that stderr has all of `words`.
    ///
    /// # Panics
    /// When one is missing.
    #[track_caller]
    pub fn tells(self, words: &[&str]) -> Self {
        for word in words {
            assert!(self.stderr.contains(word), "{word:?} is not in\n{self}");
        }
        self
    }

    /// stdout as lines of `NAME=value`, without the comments.
    ///
    /// # Panics
    /// When a line is none.
    #[track_caller]
    pub fn outputs(&self) -> BTreeMap<&str, &str> {
        let pair = |line| str::split_once(line, '=').unwrap_or_else(|| panic!("no NAME=value: {line}"));
        self.stdout.lines().filter(|line| !line.starts_with('#')).map(pair).collect()
    }

    /// stdout as one JSON document.
    ///
    /// # Panics
    /// When it is none.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}\n{self}"))
    }

    /// The check of `verify --format json` that is called `name`.
    ///
    /// # Panics
    /// When there is none, or a line of stdout is no JSON.
    #[track_caller]
    pub fn check(&self, name: &str) -> Value {
        let read =
            |line| serde_json::from_str::<Value>(line).unwrap_or_else(|error| panic!("{error}\n{self}"));
        let found = self.stdout.lines().map(read).find(|check| check["name"] == name);
        found.unwrap_or_else(|| panic!("no check is called {name}: {self}"))
    }

    /// Checks that the check `name` of `doctor --format json` has this verdict, with all of `words` in its line, and
    /// returns itself for more questions.
    ///
    /// # Panics
    /// When it has not.
    #[track_caller]
    pub fn finds(self, name: &str, verdict: &str, words: &[&str]) -> Self {
        let check = self.check(name);
        assert_eq!(check["verdict"], verdict, "{check}\n{self}");
        for word in words {
            assert!(check.to_string().contains(word), "{word:?} is not in {check}\n{self}");
        }
        self
    }

    /// Everything that both streams say, which must be one JSON object a line: stdout first.
    ///
    /// # Panics
    /// When a line is none.
    #[track_caller]
    pub fn objects(&self) -> Vec<Map<String, Value>> {
        let lines = self.stdout.lines().chain(self.stderr.lines());
        let object =
            |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line:?}: {error}\n{self}"));
        lines.map(object).collect()
    }

    /// The plan among them, with what a busy machine says before it left out.
    ///
    /// # Panics
    /// When there is none.
    #[track_caller]
    pub fn planned(&self) -> Value {
        let plan = self.objects().into_iter().find(|object| object.contains_key("steps"));
        plan.map_or_else(|| panic!("no plan: {self}"), Value::Object)
    }
}

impl fmt::Display for Ran {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "exit code {:?}\n--- stdout\n{}--- stderr\n{}", self.code, self.stdout, self.stderr)
    }
}

/// Runs a command to its end without stopping the runtime, on which the proxy lives as well. The
/// program is killed when the future is dropped.
///
/// # Panics
///
/// When it cannot be started, or does not come to an end.
pub async fn finish(command: Command) -> Ran {
    let shown = format!("{command:?}");
    let mut command = tokio::process::Command::from(command);
    let ended = tokio::time::timeout(LONGEST, command.kill_on_drop(true).output()).await;
    let output = ended
        .unwrap_or_else(|_| panic!("{shown} hangs"))
        .unwrap_or_else(|error| panic!("cannot run {shown}: {error}"));
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ran { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// Names the safeguard to switch off to a `wbstore` that is built for that; see `cargo sandbox ablate`.
pub const ABLATION: &str = "WBSTORE_ABLATION";

/// Gives a command this environment and none of the caller's variables that tell of a cloud.
pub fn isolate(command: &mut Command, env: Vec<(String, String)>) {
    for (name, _) in std::env::vars_os() {
        let tells = name.to_str().is_some_and(|name| TELLING.iter().any(|prefix| name.starts_with(prefix)));
        if tells && name != ABLATION {
            command.env_remove(name);
        }
    }
    command.envs(env).stdin(Stdio::null());
}

/// The built `wbstore` in this environment.
///
/// # Panics
///
/// When `wbstore` is not built.
pub(crate) fn wbstore(env: Vec<(String, String)>) -> Command {
    let binary = paths::wbstore().unwrap_or_else(|error| panic!("{error}"));
    let mut command = Command::new(binary);
    isolate(&mut command, env);
    command
}
