//! Parses, runs, and turns the result into an exit code.

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use wbstore::cli::{Cli, Format};
use wbstore::commands;
use wbstore::console::Console;
use wbstore::error::{Error, Kind, Result, exit};
use wbstore::interrupt::{End, Signals, Waits, end};
use wbstore::timings::TimingsReport;
use wbstore::view::clean::clean;
use wbstore::view::remark::Remark;

/// As large as that of a main thread usually is, in bytes: the whole flow is one future.
const STACK: usize = 8 << 20;
/// How long the last words may take to be written, where a pipe may be full.
const LAST_WORDS_WITHIN: Duration = Duration::from_millis(300);

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().collect();
    match Cli::complete(&arguments) {
        Ok(false) => {}
        Ok(true) => return ExitCode::from(exit::DONE),
        Err(error) => return ExitCode::from(usage(&error, arguments)),
    }
    let cli = match Cli::read(&arguments) {
        Ok(cli) => cli,
        Err(error) => return ExitCode::from(usage(&error, arguments)),
    };
    let format = cli.format();
    let ended = Builder::new_current_thread().enable_all().build().map(|runtime| {
        let code = runtime.block_on(supervised(cli, format, &arguments));
        // A blocked thread must not block the exit.
        runtime.shutdown_background();
        code
    });
    ExitCode::from(ended.unwrap_or_else(|error| fail(&unstarted(error), &mut console(format))))
}

/// Runs the command on threads of its own, so that signals are handled here whatever blocks there.
async fn supervised(cli: Cli, format: Format, arguments: &[OsString]) -> u8 {
    // Before anything else happens, so that no signal is missed.
    let signals = Signals::listen();
    let (cancel, waits) = (CancellationToken::new(), Waits::default());
    let mut console = Console::standard(format, cancel.clone(), waits.clone()).with_volume(cli.volume());
    let report = match TimingsReport::open(cli.timings()) {
        Ok(report) => report,
        Err(error) => return fail(&error, &mut console),
    };
    let opened = console.write_to(cli.out()).and_then(|()| {
        let mut files = cli.timings().iter();
        files.try_for_each(|file| console.require_other_file(Some(file.path()), "--timings"))
    });
    if let Err(error) = opened {
        return fail(&error, &mut console);
    }
    console.watch(report.timings());
    let code = ended(cli, console, cancel, signals, &waits).await;
    let words = arguments.iter().skip(1).map(|one| one.to_string_lossy());
    let command = words.fold("wbstore".to_owned(), |command, word| command + " " + &word);
    match report.write(&command, code) {
        Ok(()) => code,
        // Whatever the command did has been reported: its code is kept unless it says that all is well.
        Err(error) => {
            let failed = fail(&error, &mut self::console(format));
            if code == exit::DONE { failed } else { code }
        }
    }
}

/// Runs the command to its end, which a signal may bring about, and returns its exit code.
async fn ended(
    cli: Cli,
    mut console: Console,
    cancel: CancellationToken,
    signals: Signals,
    waits: &Waits,
) -> u8 {
    let format = cli.format();
    let (report, run) = oneshot::channel();
    let token = cancel.clone();
    let work = move || {
        let _ = report.send(command(cli, &mut console, token));
    };
    if let Err(error) = thread::Builder::new().stack_size(STACK).spawn(work) {
        return fail(&unstarted(error), &mut self::console(format));
    }
    match end(run, signals, cancel, waits).await {
        End::Own(code) => code,
        End::Left(None) => exit::INTERRUPTED,
        End::Left(Some(what)) => {
            let words = Error::new(Kind::Interrupted, format!("interrupted while {what}"));
            let spoken = tokio::task::spawn_blocking(move || fail(&words, &mut self::console(format)));
            let _ = tokio::time::timeout(LAST_WORDS_WITHIN, spoken).await;
            exit::INTERRUPTED
        }
    }
}

fn command(cli: Cli, console: &mut Console, cancel: CancellationToken) -> u8 {
    let result = Runtime::new().map_err(unstarted).and_then(|runtime| {
        let result: Result<u8> = runtime.block_on(commands::run(cli, console, cancel));
        runtime.shutdown_background();
        result
    });
    result.unwrap_or_else(|error| fail(&error, console))
}

fn fail(error: &Error, console: &mut Console) -> u8 {
    console.remark(&Remark::error(error, error.exit_code()));
    error.exit_code()
}

fn unstarted(error: io::Error) -> Error {
    Error::new(Kind::Failed, "failed to start").because(error)
}

fn console(format: Format) -> Console {
    Console::standard(format, CancellationToken::new(), Waits::default())
}

/// Shows the output of clap: help, version, or a usage error.
///
/// clap repeats arguments as they are, so an error about ones that a terminal would obey, or that have several
/// lines, is shown as a remark.
fn usage(error: &clap::Error, arguments: Vec<OsString>) -> u8 {
    let is_plain = arguments.iter().all(|one| one.to_str().is_some_and(|text| clean(text) == text));
    let format = Format::of(arguments);
    if error.use_stderr() && (format == Format::Json || !is_plain) {
        console(format).remark(&Remark::usage(error));
    } else {
        let _ = error.print();
        let _ = io::stdout().flush();
    }
    if error.use_stderr() { exit::USAGE } else { exit::DONE }
}
