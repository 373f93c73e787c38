//! A program on a real terminal, with somebody at it.

use std::process::{Command, Stdio};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Child;

use crate::aws;
use crate::ran::Ran;

/// The longest that a program may take to show what is waited for, or to end, on a machine that is busy.
const SOON: Duration = Duration::from_secs(120);

/// A program that has been started; killed when dropped.
#[derive(Debug)]
pub struct Terminal {
    process: Child,
    /// All that the screen has shown.
    screen: Vec<u8>,
    /// How much of it had been shown when somebody last typed.
    answered: usize,
}

impl Terminal {
    /// Starts `command` with its environment, on a terminal that shows colours.
    ///
    /// # Panics
    ///
    /// When there is no Python to run it with.
    pub fn start(command: &Command) -> Self {
        // Python has pseudo-terminals in its standard library; any version does.
        let python = std::env::var_os(aws::PYTHON).unwrap_or_else(|| "python3".into());
        let mut process = tokio::process::Command::new(python);
        process.args(["-c", include_str!("terminal.py")]).arg(command.get_program()).args(command.get_args());
        process.env("TERM", "xterm-256color").env_remove("NO_COLOR").env_remove("CI");
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => process.env(name, value),
                None => process.env_remove(name),
            };
        }
        process.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let process = process.spawn().unwrap_or_else(|error| panic!("Python does not start: {error}"));
        Self { process, screen: vec![], answered: 0 }
    }

    /// Waits until the screen shows `text`, after what was last typed.
    ///
    /// # Panics
    ///
    /// When it does not show it soon.
    pub async fn shows(&mut self, text: &str) {
        let stderr = self.process.stderr.as_mut().expect("it is piped");
        let shown = |screen: &[u8]| String::from_utf8_lossy(screen).into_owned();
        while !shown(&self.screen[self.answered..]).contains(text) {
            let read = tokio::time::timeout(SOON, stderr.read_buf(&mut self.screen)).await;
            let read = read.unwrap_or_else(|_| panic!("no {text:?} on\n{}", shown(&self.screen)));
            assert!(read.is_ok_and(|read| read > 0), "it ended without {text:?}:\n{}", shown(&self.screen));
        }
    }

    /// Types `keys`; Enter is `\r`.
    ///
    /// # Panics
    ///
    /// When the program is gone.
    pub async fn types(&mut self, keys: &str) {
        self.answered = self.screen.len();
        let stdin = self.process.stdin.as_mut().expect("it is piped");
        stdin.write_all(keys.as_bytes()).await.expect("somebody listens");
    }

    /// Waits for the program's end: [`Ran::stderr`] is all that the screen showed.
    ///
    /// # Panics
    ///
    /// When it does not come to one soon.
    pub async fn ended(self) -> Ran {
        let Self { process, screen, .. } = self;
        let ended = tokio::time::timeout(SOON, process.wait_with_output()).await;
        let output = ended.expect("it ends soon").expect("its output is read");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let stderr = text(&[screen, output.stderr].concat());
        Ran { code: output.status.code(), stdout: text(&output.stdout), stderr }
    }
}
