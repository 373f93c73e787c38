//! Parses, runs, and turns the result into an exit code.

use std::process::ExitCode;

use tokio_util::sync::CancellationToken;

use wbstore::cli::Cli;
use wbstore::console::Console;
use wbstore::error::exit;
use wbstore::run::run;
use wbstore::view::error::error;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().collect();
    let cli = Cli::read(&arguments).unwrap_or_else(|error| error.exit());
    let cancel = CancellationToken::new();
    let mut console = Console::standard(cancel.clone());
    console.watch(cli.verbosity.verbose);
    // Before anything else happens, so that no signal is missed.
    tokio::spawn(interrupts(Signals::listen(), cancel.clone()));
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
async fn interrupts(mut signals: Signals, cancel: CancellationToken) {
    signals.next().await;
    cancel.cancel();
    signals.next().await;
    std::process::exit(exit::INTERRUPTED.into());
}

/// Ctrl-C and SIGTERM. Where there can be no handler, the system's own way of ending a process stands.
#[cfg(unix)]
struct Signals([Option<tokio::signal::unix::Signal>; 2]);

#[cfg(unix)]
impl Signals {
    fn listen() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        Self([SignalKind::interrupt(), SignalKind::terminate()].map(|kind| signal(kind).ok()))
    }

    async fn next(&mut self) {
        let [interrupt, terminate] = &mut self.0;
        tokio::select! {
            Some(()) = async { interrupt.as_mut()?.recv().await } => {}
            Some(()) = async { terminate.as_mut()?.recv().await } => {}
            else => std::future::pending().await,
        }
    }
}

/// Ctrl-C.
#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn listen() -> Self {
        Self
    }

    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    }
}
