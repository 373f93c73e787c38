//! The whole life of a deployment, as a list of commands.
//!
//! `cargo sandbox demo` runs it for people to watch; the test that keeps the README's transcript
//! true runs the same list.

use std::process::{Command, Stdio};

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::sync::mpsc;

use crate::Error;
use crate::cloud::{Cloud, HOST, NAME};

/// The account of the demonstration; names are made from it, so it is always the same.
pub const ACCOUNT: u64 = 123_456_789_012;

/// One command of the demonstration.
#[derive(Clone, Debug)]
pub struct Step {
    /// What it shows.
    pub title: &'static str,
    /// What follows `wbstore`.
    pub args: Vec<String>,
    /// The exit code it must end with.
    pub code: i32,
}

impl Step {
    /// As one would type it.
    pub fn line(&self) -> String {
        format!("wbstore {}", self.args.join(" "))
    }
}

/// The steps, in order, for the deployment `name` of `host`; `place` is what a command needs besides.
pub fn steps(cloud: &str, host: &str, name: &str, place: &dyn Fn(&str) -> Vec<String>) -> Vec<Step> {
    let step = |title, verb: &str, more: &[&str]| {
        let first = [verb, cloud].map(str::to_owned).into_iter();
        let args = first.chain(more.iter().map(|&word| word.to_owned())).chain(place(verb));
        Step { title, args: args.collect(), code: 0 }
    };
    vec![
        step("See what would be made. Nothing is changed.", "plan", &["--host", host]),
        step("Make it.", "provision", &["--host", host, "--yes"]),
        step("Prove it: an upload from the browser, and its event.", "verify", &["--host", host]),
        step(
            "Plan again: nothing is left to do (5 would mean changes).",
            "plan",
            &["--host", host, "--exit-code"],
        ),
        step("What is in this account?", "list", &[]),
        step("Remove it. The name says that you mean it.", "teardown", &["--host", host, "--confirm", name]),
        step("And it is gone.", "list", &[]),
    ]
}

/// What a demonstration has to say, as it happens.
#[derive(Clone, Debug)]
pub enum Event {
    /// A step begins.
    Begin(Step),
    /// A line of its standard output.
    Stdout(String),
    /// A line of its standard error.
    Stderr(String),
    /// It ended.
    End {
        /// Its exit code; `None` after a signal.
        code: Option<i32>,
        /// The one it should have.
        expected: i32,
    },
}

/// Starts a cloud of its own and runs all steps on it; stops at the first that ends wrong.
pub async fn run<C: Cloud>(sink: &mut dyn FnMut(Event)) -> Result<(), Error> {
    let ground = C::ground().await?;
    run_on(&C::at(&ground, ACCOUNT).await?, sink).await
}

/// Runs all steps in an account that exists already.
pub async fn run_on<C: Cloud>(cloud: &C, sink: &mut dyn FnMut(Event)) -> Result<(), Error> {
    let steps = steps(C::CLOUD, HOST, NAME, &|verb| cloud.place(verb));
    run_steps(steps, sink, &|args| {
        let mut command = cloud.wbstore();
        command.args(args);
        Ok(command)
    })
    .await
}

/// Runs `steps`, each as the `command` with its arguments.
pub async fn run_steps(
    steps: Vec<Step>,
    sink: &mut dyn FnMut(Event),
    command: &(dyn Fn(&[String]) -> Result<Command, Error> + Sync),
) -> Result<(), Error> {
    for step in steps {
        sink(Event::Begin(step.clone()));
        let code = perform(command(&step.args)?, sink).await?;
        sink(Event::End { code, expected: step.code });
        if code != Some(step.code) {
            return Err(Error::new(format!("`{}` ended with {code:?}, not with {}", step.line(), step.code)));
        }
    }
    Ok(())
}

async fn perform(command: Command, sink: &mut dyn FnMut(Event)) -> Result<Option<i32>, Error> {
    let unable = |error: std::io::Error| Error::new(format!("cannot run wbstore: {error}"));
    let mut command = tokio::process::Command::from(command);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().map_err(unable)?;
    let (lines, mut heard) = mpsc::unbounded_channel();
    if let Some(stdout) = child.stdout.take() {
        tokio::spawn(listen(stdout, Event::Stdout, lines.clone()));
    }
    if let Some(stderr) = child.stderr.take() {
        tokio::spawn(listen(stderr, Event::Stderr, lines.clone()));
    }
    drop(lines);
    while let Some(event) = heard.recv().await {
        sink(event);
    }
    Ok(child.wait().await.map_err(unable)?.code())
}

async fn listen(
    pipe: impl AsyncRead + Unpin,
    wrap: fn(String) -> Event,
    lines: mpsc::UnboundedSender<Event>,
) {
    let mut reader = BufReader::new(pipe).lines();
    while let Ok(Some(line)) = reader.next_line().await {
        if lines.send(wrap(line)).is_err() {
            break;
        }
    }
}
