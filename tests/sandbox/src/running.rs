//! A `wbstore` that has been started and not yet waited for.

use std::process::{Command, Stdio};
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::process::Child;

use crate::ran::Ran;

/// How soon a program must end that was asked to, on a machine that is busy.
const SOON: Duration = Duration::from_secs(120);

/// A program on its way; killed when dropped.
#[derive(Debug)]
pub struct Running {
    process: Child,
    /// What was read of its stderr so far.
    said: Vec<u8>,
}

impl Running {
    /// Starts `command`.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start(command: Command) -> Self {
        let mut process = tokio::process::Command::from(command);
        process.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        Self { process: process.spawn().expect("it starts"), said: vec![] }
    }

    /// Waits until its stderr has `word`.
    ///
    /// # Panics
    /// When it does not have it soon.
    pub async fn says(&mut self, word: &str) {
        let stderr = self.process.stderr.as_mut().expect("it is piped");
        while !String::from_utf8_lossy(&self.said).contains(word) {
            let read = tokio::time::timeout(SOON, stderr.read_buf(&mut self.said)).await;
            let read = read.expect("it says so soon").expect("its stderr is read");
            assert!(read > 0, "it ended without {word:?}: {}", String::from_utf8_lossy(&self.said));
        }
    }

    /// Presses Ctrl-C.
    ///
    /// # Panics
    /// When it has ended.
    pub fn interrupt(&self) {
        let id = self.process.id().expect("it still runs").to_string();
        // Unsafe code is forbidden here, and the standard library has no signals.
        assert!(Command::new("kill").args(["-INT", &id]).status().expect("kill runs").success());
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// When it does not come to one soon.
    pub async fn ended(self) -> Ran {
        let ended = tokio::time::timeout(SOON, self.process.wait_with_output()).await;
        let output = ended.expect("it ends soon").expect("its output is read");
        let text = |bytes| String::from_utf8(bytes).expect("text");
        let stderr = text([self.said, output.stderr].concat());
        Ran { code: output.status.code(), stdout: text(output.stdout), stderr }
    }
}
