//! The subcommands.

pub mod ablate;
pub mod bench;
pub mod demo;
pub mod faults;
mod group;
pub mod live;
pub mod release;
pub mod test;
pub mod up;

use std::process::ExitCode;

use tokio::signal::unix::{SignalKind, signal};
use wbstore_sandbox::Error;

use group::Group;

/// What a shell reports for a program that Ctrl-C ended.
const INTERRUPTED: u8 = 130;

/// Waits for Ctrl-C, SIGTERM or SIGHUP.
pub async fn interrupted() -> Result<ExitCode, Error> {
    let listen =
        |kind| signal(kind).map_err(|error| Error::new(format!("cannot listen for signals: {error}")));
    let (mut int, mut term, mut hup) =
        (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?, listen(SignalKind::hangup())?);
    tokio::select! {
        _ = int.recv() => {}
        _ = term.recv() => {}
        _ = hup.recv() => {}
    }
    Ok(ExitCode::from(INTERRUPTED))
}

/// Builds `wbstore` in the profile the sandbox looks for it.
async fn build() -> Result<(), Error> {
    eprintln!("sandbox: building wbstore");
    // Naming this package too keeps the features, and so the built dependencies, as they are.
    let args = ["build", "--package", "wbstore", "--package", "wbstore-sandbox", "--bin", "wbstore"];
    match Group::cargo(&args, &[], None)?.wait().await? {
        0 => Ok(()),
        code => Err(Error::new(format!("wbstore does not build (cargo ended with {code})"))),
    }
}
