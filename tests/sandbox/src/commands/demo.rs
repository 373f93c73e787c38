//! `cargo sandbox demo`.

use std::process::ExitCode;

use wbstore_sandbox::Error;
use wbstore_sandbox::cloud::{Cloud, HOST, NAME};
use wbstore_sandbox::demo::{self, Event};
use wbstore_sandbox::services::ground::{self, CheckGround};
use wbstore_sandbox::stores::{Store, StoreKind};

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

/// The same on a store that is not AWS.
pub async fn store(kind: Option<StoreKind>) -> Result<ExitCode, Error> {
    super::build().await?;
    let store = Store::start(kind.unwrap_or_else(StoreKind::most_complete)).await?;
    store.allow_cors_of(HOST);
    let mut steps = demo::steps("s3", HOST, NAME, &|verb| store.place(verb));
    // A store that serves objects to anybody fails that check, as it should.
    for step in steps.iter_mut().filter(|step| store.kind().serves_anybody() && step.args[0] == "verify") {
        step.code = 6;
    }
    let wbstore = |args: &[String]| {
        let mut command = store.wbstore();
        command.args(args);
        Ok(command)
    };
    demo::run_steps(steps, &mut show, &wbstore).await?;
    eprintln!("\nsandbox: all that {} was sent to change anything:", store.kind().name());
    store.writes().iter().for_each(|write| eprintln!("  {write}"));
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
