//! A child together with its own children.

use std::fs::File;
use std::process::{Command as Blocking, Stdio};

use tokio::process::{Child, Command};
use wbstore_sandbox::Error;

/// A cargo in a process group of its own, so that it and the tests it started can be stopped
/// together; stopped when dropped.
pub struct Group {
    child: Child,
    leader: Option<u32>,
}

impl Group {
    /// Starts the cargo that started us. What it says goes into `log`, where there is one.
    pub fn cargo(args: &[&str], env: &[(&str, String)], log: Option<&File>) -> Result<Self, Error> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        if let Some(log) = log {
            let copy = || log.try_clone().map_err(|error| Error::new(format!("cannot keep a log: {error}")));
            command.stdout(copy()?).stderr(copy()?);
        }
        let child = command
            .args(args)
            .envs(env.iter().map(|(name, value)| (name, value)))
            // A group in the background may not read the terminal.
            .stdin(Stdio::null())
            .process_group(0)
            .spawn()
            .map_err(|error| Error::new(format!("cannot run cargo: {error}")))?;
        let leader = child.id();
        Ok(Self { child, leader })
    }

    /// Waits for its exit code.
    pub async fn wait(mut self) -> Result<i32, Error> {
        let status = self.child.wait().await.map_err(|error| Error::new(format!("lost cargo: {error}")))?;
        self.leader = None;
        Ok(status.code().unwrap_or(1))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(leader) = self.leader {
            // The standard library cannot signal a group, and unsafe code is forbidden here.
            let _ = Blocking::new("kill").args(["-TERM", "--", &format!("-{leader}")]).status();
        }
    }
}
