//! `cargo sandbox test`.

use std::fs::File;
use std::io::{self, Seek};
use std::iter;
use std::process::ExitCode;

use futures::future::join_all;

use wbstore_sandbox::aws::{BACKEND, PYTHON, URL};
use wbstore_sandbox::backend::Backend;
use wbstore_sandbox::emulator::Emulator;
use wbstore_sandbox::venv::Requirements;
use wbstore_sandbox::{Error, paths};

use super::Group;

/// Builds everything once, then runs the suite on each backend.
pub async fn run(backends: &[Backend], args: &[String]) -> Result<ExitCode, Error> {
    eprintln!("sandbox: building");
    let built = Group::cargo(&["test", "--workspace", "--quiet", "--no-run"], &[], None)?.wait().await?;
    if built != 0 {
        return Err(Error::new(format!("the workspace does not build (cargo ended with {built})")));
    }
    let python = tokio::task::spawn_blocking(|| Requirements::BOTO3.python())
        .await
        .map_err(|error| Error::new(error.to_string()))??;
    let python = python.display().to_string();
    let [first, others @ ..] = backends else { return Ok(ExitCode::SUCCESS) };
    // Much of a test is waiting, so the backends are tried side by side. What the first one has to
    // say is seen as it happens, and the rest of it afterwards.
    let first = on(*first, args, &python, None);
    let others = join_all(others.iter().map(|backend| logged(*backend, args, &python)));
    let (first, others) = tokio::join!(first, others);
    let mut failed = vec![];
    for outcome in iter::once(first).chain(others) {
        let Outcome { backend, code } = outcome?;
        eprintln!("sandbox: what {backend} cannot show:");
        for gap in backend.cannot_show() {
            eprintln!("  - {gap}");
        }
        if code != 0 {
            failed.push(backend.name());
        }
    }
    if failed.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    Err(Error::new(format!("tests failed on {}", failed.join(" and "))))
}

/// How the tests ended on one backend.
struct Outcome {
    backend: Backend,
    code: i32,
}

/// Runs the tests on `backend`, and shows all that they said once they have ended.
async fn logged(backend: Backend, args: &[String], python: &str) -> Result<Outcome, Error> {
    let lost = |error: io::Error| Error::new(format!("cannot keep a log: {error}"));
    let mut log = tempfile::tempfile().map_err(lost)?;
    let outcome = on(backend, args, python, Some(&log)).await;
    log.rewind().map_err(lost)?;
    eprintln!("\nsandbox: on {backend}, meanwhile:");
    io::copy(&mut log, &mut io::stdout()).map_err(lost)?;
    outcome
}

async fn on(backend: Backend, args: &[String], python: &str, log: Option<&File>) -> Result<Outcome, Error> {
    let emulator = Emulator::start(backend).await?;
    eprintln!("sandbox: testing on {backend}");
    let env = [
        (URL, emulator.url().to_owned()),
        (BACKEND, backend.name().to_owned()),
        (PYTHON, python.to_owned()),
        (paths::BINARY, paths::wbstore()?.display().to_string()),
        // More at once than there are cores: most of them wait for an emulator.
        ("RUST_TEST_THREADS", std::env::var("RUST_TEST_THREADS").unwrap_or_else(|_| "4".to_owned())),
    ];
    // One failure must not hide what the other test files have to say.
    let mut command = vec!["test", "--workspace", "--no-fail-fast"];
    if backend == Backend::Moto && args.is_empty() {
        // The second opinion is on the cloud's behaviour; the other tests have none.
        command.extend(["--test", "aws"]);
    }
    command.extend(args.iter().map(String::as_str));
    let code = Group::cargo(&command, &env, log)?.wait().await?;
    Ok(Outcome { backend, code })
}
