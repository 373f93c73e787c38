//! `cargo sandbox up`.

use std::process::ExitCode;

use wbstore_sandbox::aws::Aws;
use wbstore_sandbox::backend::Backend;
use wbstore_sandbox::emulator::Emulator;
use wbstore_sandbox::{Error, demo, paths};

/// Prints exports for a shell on standard output, then stays until a signal ends it.
pub async fn run(backend: Backend) -> Result<ExitCode, Error> {
    super::build().await?;
    let emulator = Emulator::start(backend).await?;
    let aws = Aws::before(&emulator, demo::ACCOUNT).await?;
    for (name, value) in aws.env() {
        println!("export {name}={value}");
    }
    if let Some(folder) = paths::wbstore()?.parent() {
        println!("export PATH='{}':\"$PATH\"", folder.display());
    }
    eprintln!("sandbox: {backend} is at {} behind the strict proxy {}", emulator.url(), aws.proxy().url());
    eprintln!("sandbox: paste the lines above into another shell; Ctrl-C here stops everything");
    std::future::pending().await
}
