//! GitHub as the action uses it: the files of releases, and the comments of one pull request.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::program::Program;
use crate::Error;
use crate::emulator::free_port;
use crate::npm::Packages;

/// The token that may write comments.
pub const WRITER: &str = "writer";
/// A token that may not, as in pull requests from forks.
pub const READER: &str = "reader";
/// What a body may have, in characters.
pub const LONGEST: usize = 65536;

/// A running double with one pull request. It has 121 comments of somebody else, and the first one begins as those of
/// the action do.
#[derive(Debug)]
pub struct GitHub {
    port: u16,
    folder: PathBuf,
    _program: Program,
}

impl GitHub {
    /// Starts one without releases.
    pub async fn start() -> Result<Self, Error> {
        let node = || Packages::GITHUB.node("github.mjs", include_str!("github.mjs"));
        let mut command =
            tokio::task::spawn_blocking(node).await.map_err(|error| Error::new(error.to_string()))??;
        let folder =
            tempfile::tempdir().map_err(|error| Error::new(format!("cannot start GitHub: {error}")))?;
        let (port, path) = (free_port()?, folder.path().to_owned());
        command.arg(port.to_string()).arg(&path);
        Ok(Self { port, folder: path, _program: Program::start(command, folder, port).await? })
    }

    /// Where releases are downloaded from.
    pub fn releases(&self) -> String {
        format!("http://127.0.0.1:{}/releases", self.port)
    }

    /// Where it answers queries.
    pub fn graphql(&self) -> String {
        format!("http://127.0.0.1:{}/graphql", self.port)
    }

    /// The folder of the files of this release.
    ///
    /// # Panics
    /// When it cannot be made.
    pub fn release(&self, version: &str) -> PathBuf {
        let folder = self.folder.join("files").join(format!("v{version}"));
        fs::create_dir_all(&folder).expect("a folder");
        folder
    }

    /// The event of its pull request, as a runner has it in a file.
    pub fn event(&self) -> Value {
        json!({"pull_request": {"node_id": "PR_kwDOAcme", "head": {"sha": "5f0c2b1"}}})
    }

    /// The comments of its pull request: author and body.
    ///
    /// # Panics
    /// When it is gone.
    pub async fn comments(&self) -> Vec<(String, String)> {
        let url = format!("http://127.0.0.1:{}/comments", self.port);
        let output = tokio::process::Command::new("node")
            .args(["-e", "fetch(process.argv[1]).then((answer) => answer.text()).then(console.log)", &url])
            .output()
            .await
            .expect("node runs");
        let comments: Vec<Value> = serde_json::from_slice(&output.stdout).expect("a list");
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        comments.iter().map(|comment| (text(&comment["author"]), text(&comment["body"]))).collect()
    }
}
