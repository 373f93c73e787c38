//! Parses, runs, and turns the result into an exit code.

use std::process::ExitCode;

use clap::Parser;
use tokio_util::sync::CancellationToken;

use wbstore::cli::Cli;
use wbstore::console::Console;
use wbstore::error::exit;
use wbstore::run::run;
use wbstore::view::error::error;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let mut console = Console::standard();
    if cli.verbosity.verbose {
        console.log();
    }
    let cancel = CancellationToken::new();
    tokio::spawn(interrupts(cancel.clone()));
    match run(cli.command, &mut console, cancel).await {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            console.say(&error(&failure));
            ExitCode::from(failure.exit_code())
        }
    }
}

/// The first Ctrl-C asks for an orderly end, the second does not wait for it.
#[expect(clippy::exit, reason = "the user asked twice")]
async fn interrupts(cancel: CancellationToken) {
    if tokio::signal::ctrl_c().await.is_ok() {
        cancel.cancel();
    }
    if tokio::signal::ctrl_c().await.is_ok() {
        std::process::exit(exit::INTERRUPTED.into());
    }
}
