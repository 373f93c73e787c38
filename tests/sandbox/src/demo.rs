//! The whole life of a deployment, as a list of commands.
//!
//! `cargo sandbox demo` runs it for people to watch; the test that keeps the README's transcript
//! true runs the same list.

use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::sync::mpsc;

use crate::Error;
use crate::aws::Aws;
use crate::backend::Backend;
use crate::emulator::Emulator;

/// The account of the demonstration; names are made from it, so it is always the same.
pub const ACCOUNT: &str = "123456789012";

const HOST: &str = "https://wandb.acme.com";

/// One command of the demonstration.
#[derive(Clone, Debug)]
pub struct Step {
    /// What it shows.
    pub title: &'static str,
    /// What follows `wbstore`.
    pub args: Vec<&'static str>,
    /// The exit code it must end with.
    pub code: i32,
}

impl Step {
    /// As one would type it.
    pub fn line(&self) -> String {
        format!("wbstore {}", self.args.join(" "))
    }
}

/// The steps, in order.
pub fn steps() -> Vec<Step> {
    let step = |title, code, args: &[&'static str]| Step { title, args: args.to_vec(), code };
    vec![
        step("See what would be made. Nothing is changed.", 0, &["plan", "aws", "--host", HOST]),
        step("Make it.", 0, &["provision", "aws", "--host", HOST, "--yes"]),
        step("Prove it: an upload from the browser, and its event.", 0, &["verify", "aws", "--host", HOST]),
        step(
            "Plan again: nothing is left to do (5 would mean changes).",
            0,
            &["plan", "aws", "--host", HOST, "--exit-code"],
        ),
        step("What is in this account?", 0, &["list", "aws"]),
        step(
            "Remove it. The name says that you mean it.",
            0,
            &["teardown", "aws", "--host", HOST, "--confirm", "wandb-acme-com"],
        ),
        step("And it is gone.", 0, &["list", "aws"]),
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

/// Starts a ministack of its own and runs all steps on it; stops at the first that ends wrong.
pub async fn run(sink: &mut dyn FnMut(Event)) -> Result<(), Error> {
    let emulator = Emulator::start(Backend::Ministack).await?;
    run_on(&Aws::before(&emulator, ACCOUNT).await?, sink).await
}

/// Runs all steps in an account that exists already.
pub async fn run_on(aws: &Aws, sink: &mut dyn FnMut(Event)) -> Result<(), Error> {
    for step in steps() {
        sink(Event::Begin(step.clone()));
        let code = perform(aws, &step, sink).await?;
        sink(Event::End { code, expected: step.code });
        if code != Some(step.code) {
            return Err(Error::new(format!("`{}` ended with {code:?}, not with {}", step.line(), step.code)));
        }
    }
    Ok(())
}

async fn perform(aws: &Aws, step: &Step, sink: &mut dyn FnMut(Event)) -> Result<Option<i32>, Error> {
    let unable = |error: std::io::Error| Error::new(format!("cannot run wbstore: {error}"));
    let mut command = tokio::process::Command::from(aws.wbstore());
    command.args(&step.args).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
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
