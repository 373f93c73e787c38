//! Reading what a program left behind.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use wbstore_sandbox::aws::{self, Ran};

/// The longest that any run of these tests has a reason for; a hang is a failure.
const LONGEST: Duration = Duration::from_secs(300);

/// Runs `command` to its end.
///
/// # Panics
/// When it does not come to one.
pub async fn finish(command: Command) -> Ran {
    let shown = format!("{command:?}");
    let ended = tokio::time::timeout(LONGEST, aws::finish(command)).await;
    ended.unwrap_or_else(|_| panic!("{shown} hangs"))
}

/// Questions to a program that has ended.
pub trait Ends: Sized {
    /// Checks that it ended with `code`, and returns it for more questions.
    fn ends(self, code: i32) -> Self;

    /// Checks that stderr says all of `words`.
    fn tells(self, words: &[&str]) -> Self;

    /// stdout as lines of `NAME=value`.
    fn outputs(&self) -> BTreeMap<&str, &str>;

    /// stdout as one JSON document.
    fn json(&self) -> Value;
}

impl Ends for Ran {
    #[track_caller]
    fn ends(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self}");
        self
    }

    #[track_caller]
    fn tells(self, words: &[&str]) -> Self {
        for word in words {
            assert!(self.stderr.contains(word), "{word:?} is not in\n{self}");
        }
        self
    }

    #[track_caller]
    fn outputs(&self) -> BTreeMap<&str, &str> {
        let pair = |line| str::split_once(line, '=').unwrap_or_else(|| panic!("no NAME=value: {line}"));
        self.stdout.lines().map(pair).collect()
    }

    #[track_caller]
    fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}\n{self}"))
    }
}
