//! A real terminal, with somebody at it.

use wbstore_sandbox::aws::Ran;

use super::{Site, finish};

/// What will be typed, once it is asked for.
#[derive(Default)]
pub struct Terminal {
    turns: Vec<String>,
    env: Vec<(String, String)>,
}

impl Terminal {
    /// Somebody who types `answer` when the screen shows `question`.
    pub fn answering(question: &str, answer: &str) -> Self {
        Self { turns: vec![question.to_owned(), answer.to_owned()], env: vec![] }
    }

    /// With a variable in the environment.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Runs `wbstore` on it: [`Ran::stderr`] is what the screen showed.
    pub async fn run(&self, site: &Site, command: &str, arguments: &[&str]) -> Ran {
        let wbstore = site.aws.wbstore().get_program().to_owned();
        let mut python = site.aws.boto3();
        python.env("TERM", "xterm-256color").env_remove("NO_COLOR").env_remove("CI");
        python.envs(self.env.iter().map(|(name, value)| (name, value)));
        python.args(["-c", include_str!("terminal.py")]).args(&self.turns).arg("--").arg(wbstore);
        python.args(site.arguments(command, arguments));
        finish(python).await
    }
}
