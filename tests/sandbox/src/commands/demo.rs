//! `cargo sandbox demo`.

use std::process::ExitCode;

use wbstore_sandbox::Error;
use wbstore_sandbox::cloud::Cloud;
use wbstore_sandbox::demo::{self, Event};

/// Runs the demonstration; both streams of wbstore keep their own.
pub async fn run<C: Cloud>() -> Result<ExitCode, Error> {
    super::build().await?;
    demo::run::<C>(&mut |event| match event {
        Event::Begin(step) => eprintln!("\n# {}\n$ {}", step.title, step.line()),
        Event::Stdout(line) => println!("{line}"),
        Event::Stderr(line) => eprintln!("{line}"),
        Event::End { code: Some(0), .. } => {}
        Event::End { code, expected } => eprintln!("(exit code {code:?}, {expected} was expected)"),
    })
    .await?;
    eprintln!("\nsandbox: done, and everything is stopped");
    Ok(ExitCode::SUCCESS)
}
