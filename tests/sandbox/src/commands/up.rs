//! `cargo sandbox up`.

use std::process::ExitCode;

use wbstore_sandbox::aws::Aws;
use wbstore_sandbox::backend::Backend;
use wbstore_sandbox::cloud::{Cloud, HOST, variables};
use wbstore_sandbox::emulator::Emulator;
use wbstore_sandbox::stores::{Store, StoreKind};
use wbstore_sandbox::{Error, demo, paths};

/// AWS on the emulator of one's choice.
pub async fn aws(backend: Backend) -> Result<ExitCode, Error> {
    super::build().await?;
    let emulator = Emulator::start(backend).await?;
    let aws = Aws::at(&emulator, demo::ACCOUNT).await?;
    eprintln!("sandbox: {backend} is at {} behind the strict proxy {}", emulator.url(), aws.proxy().url());
    stay(&aws).await
}

/// Any cloud as its demonstration has it.
pub async fn run<C: Cloud>() -> Result<ExitCode, Error> {
    super::build().await?;
    let ground = C::ground().await?;
    let cloud = C::at(&ground, demo::ACCOUNT).await?;
    eprintln!("sandbox: {} is behind the proxy {}", C::CLOUD, cloud.proxy().url());
    stay(&cloud).await
}

/// A store that is not AWS.
pub async fn store(kind: Option<StoreKind>) -> Result<ExitCode, Error> {
    super::build().await?;
    let store = Store::start(kind.unwrap_or_else(StoreKind::most_complete)).await?;
    store.allow_cors_of(HOST);
    eprintln!("sandbox: {} is behind the proxy {}", store.kind().name(), store.endpoint());
    eprintln!("sandbox: the server's own key is in {}", store.credentials_file().display());
    eprintln!("sandbox: it accepts pages of {HOST}");
    export([store.env(), variables(&store.place("provision"))].concat())?;
    remain().await
}

/// Prints exports for a shell on standard output, then stays until a signal ends it.
async fn stay<C: Cloud>(cloud: &C) -> Result<ExitCode, Error> {
    export([cloud.env(), variables(&cloud.place("provision"))].concat())?;
    remain().await
}

fn export(env: Vec<(String, String)>) -> Result<(), Error> {
    for (name, value) in env {
        println!("export {name}='{value}'");
    }
    if let Some(folder) = paths::wbstore()?.parent() {
        println!("export PATH='{}':\"$PATH\"", folder.display());
    }
    Ok(())
}

async fn remain() -> Result<ExitCode, Error> {
    eprintln!("sandbox: paste the lines above into another shell; Ctrl-C here stops everything");
    std::future::pending().await
}
