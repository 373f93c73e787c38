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
    let cancel = CancellationToken::new();
    let mut console = Console::standard(cancel.clone());
    if cli.verbosity.verbose {
        console.log();
    }
    tokio::spawn(interrupts(cancel.clone()));
    match run(cli.command, &mut console, cancel).await {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            console.say(&error(&failure));
            ExitCode::from(failure.exit_code())
        }
    }
}

/// The first Ctrl-C or SIGTERM asks for an orderly end, the second does not wait for it.
#[expect(clippy::exit, reason = "the user asked twice")]
async fn interrupts(cancel: CancellationToken) {
    asked_to_stop().await;
    cancel.cancel();
    asked_to_stop().await;
    std::process::exit(exit::INTERRUPTED.into());
}

async fn asked_to_stop() {
    let ctrl_c = async {
        if tokio::signal::ctrl_c().await.is_err() {
            // Without a handler the system's own way of ending a process stands.
            std::future::pending().await
        }
    };
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                () = ctrl_c => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    ctrl_c.await;
}
