//! `cargo sandbox test`.

use std::process::ExitCode;

use wbstore_sandbox::aws::{BACKEND, PYTHON, URL};
use wbstore_sandbox::backend::Backend;
use wbstore_sandbox::emulator::Emulator;
use wbstore_sandbox::venv::Requirements;
use wbstore_sandbox::{Error, paths};

use super::Group;

/// Builds everything once, then runs the suite on each backend.
pub async fn run(backends: &[Backend], args: &[String]) -> Result<ExitCode, Error> {
    eprintln!("sandbox: building");
    let built = Group::cargo(&["test", "--workspace", "--quiet", "--no-run"], &[])?.wait().await?;
    if built != 0 {
        return Err(Error::new(format!("the workspace does not build (cargo ended with {built})")));
    }
    let python = tokio::task::spawn_blocking(|| Requirements::BOTO3.python())
        .await
        .map_err(|error| Error::new(error.to_string()))??;
    let python = python.display().to_string();
    let mut failed = Vec::new();
    for &backend in backends {
        if on(backend, args, &python).await? != 0 {
            failed.push(backend.name());
        }
    }
    if failed.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    Err(Error::new(format!("tests failed on {}", failed.join(" and "))))
}

async fn on(backend: Backend, args: &[String], python: &str) -> Result<i32, Error> {
    let emulator = Emulator::start(backend).await?;
    eprintln!("sandbox: testing on {backend}");
    let env = [
        (URL, emulator.url().to_owned()),
        (BACKEND, backend.name().to_owned()),
        (PYTHON, python.to_owned()),
        (paths::BINARY, paths::wbstore()?.display().to_string()),
    ];
    // One failure must not hide what the other test files have to say.
    let mut command = vec!["test", "--workspace", "--no-fail-fast"];
    if backend == Backend::Moto && args.is_empty() {
        // The second opinion is on the cloud's behaviour; the other tests have none.
        command.extend(["--test", "aws"]);
    }
    command.extend(args.iter().map(String::as_str));
    let code = Group::cargo(&command, &env)?.wait().await?;
    eprintln!("sandbox: what {backend} cannot show:");
    for gap in backend.cannot_show() {
        eprintln!("  - {gap}");
    }
    Ok(code)
}
