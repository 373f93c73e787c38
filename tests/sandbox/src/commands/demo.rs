//! `cargo sandbox demo`.

use std::process::ExitCode;

use wbstore_sandbox::Error;
use wbstore_sandbox::cloud::Cloud;
use wbstore_sandbox::demo::{self, Event};
use wbstore_sandbox::services::ground::{self, CheckGround};

/// Runs the demonstration; both streams of wbstore keep their own.
pub async fn run<C: Cloud>() -> Result<ExitCode, Error> {
    super::build().await?;
    demo::run::<C>(&mut show).await?;
    Ok(done())
}

/// The same of `check`, on one of each service.
pub async fn check() -> Result<ExitCode, Error> {
    super::build().await?;
    let ground = CheckGround::start().await?;
    demo::run_steps(ground::steps(), &mut show, &|args| ground.wbstore(args)).await?;
    Ok(done())
}

fn show(event: Event) {
    match event {
        Event::Begin(step) => eprintln!("\n# {}\n$ {}", step.title, step.line()),
        Event::Stdout(line) => println!("{line}"),
        Event::Stderr(line) => eprintln!("{line}"),
        Event::End { code: Some(0), .. } => {}
        Event::End { code: Some(code), expected } if code == expected => {
            eprintln!("(exit code {code}, as it should be)")
        }
        Event::End { code, expected } => eprintln!("(exit code {code:?}, {expected} was expected)"),
    }
}

fn done() -> ExitCode {
    eprintln!("\nsandbox: done, and everything is stopped");
    ExitCode::SUCCESS
}
