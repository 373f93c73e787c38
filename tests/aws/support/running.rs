//! A `wbstore` that has been started and not yet waited for.

use std::process::{Command, Stdio};
use std::time::Duration;

use tokio::process::Child;
use wbstore_sandbox::aws::Ran;

use super::Site;

/// How soon a program must end that was asked to.
const SOON: Duration = Duration::from_secs(20);

/// A program on its way; killed when dropped.
pub struct Running(Child);

impl Running {
    /// Starts `wbstore`.
    pub fn start(site: &Site, command: &str, arguments: &[&str]) -> Self {
        let mut process = tokio::process::Command::from(site.aws.wbstore());
        process.args(site.arguments(command, arguments));
        process.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        Self(process.spawn().expect("it starts"))
    }

    /// Presses Ctrl-C.
    pub fn interrupt(&self) {
        let id = self.0.id().expect("it still runs").to_string();
        // Unsafe code is forbidden here, and the standard library has no signals.
        assert!(Command::new("kill").args(["-INT", &id]).status().expect("kill runs").success());
    }

    /// Waits for its end.
    pub async fn ended(self) -> Ran {
        let ended = tokio::time::timeout(SOON, self.0.wait_with_output()).await;
        let output = ended.expect("it ends soon").expect("its output is read");
        let text = |bytes| String::from_utf8(bytes).expect("text");
        Ran { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}
