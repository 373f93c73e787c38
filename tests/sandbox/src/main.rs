//! `cargo sandbox`: the clouds on this machine.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command speaks through these")]

mod commands;

use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};
use wbstore_sandbox::Error;
use wbstore_sandbox::backend::Backend;

/// Emulated clouds on loopback, to try wbstore on and to test it with.
#[derive(Parser)]
#[command(name = "cargo sandbox", bin_name = "cargo sandbox")]
struct Cli {
    #[command(subcommand)]
    command: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Show wbstore's whole life: plan, provision, verify, plan again, list, tear down.
    Demo {
        /// The cloud to show.
        #[arg(value_enum, default_value = "aws")]
        cloud: Cloud,
    },
    /// Keep an emulated cloud running until Ctrl-C, and print how to reach it.
    Up {
        /// The cloud to start.
        #[arg(value_enum)]
        cloud: Cloud,
        /// The emulator to use.
        #[arg(long, value_enum, default_value = "ministack")]
        backend: BackendName,
    },
    /// Measure wbstore beside a boto3 script: requests, round trips, times, memory. `WBSTORE_BIN` names
    /// the program to measure; a release build is the one to look at.
    Bench {
        /// How many objects are emptied from a bucket.
        #[arg(long, default_value_t = 20_000)]
        objects: usize,
    },
    /// Run the test suite against the emulators.
    Test {
        /// The emulators to use [default: both; ministack alone when arguments follow `--`].
        #[arg(long, value_enum)]
        backend: Option<Choice>,
        /// Arguments for `cargo test`.
        #[arg(last = true)]
        args: Vec<String>,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum Cloud {
    Aws,
}

#[derive(Clone, Copy, ValueEnum)]
enum BackendName {
    Ministack,
    Moto,
}

#[derive(Clone, Copy, ValueEnum)]
enum Choice {
    Ministack,
    Moto,
    Both,
}

impl From<BackendName> for Backend {
    fn from(name: BackendName) -> Self {
        match name {
            BackendName::Ministack => Self::Ministack,
            BackendName::Moto => Self::Moto,
        }
    }
}

impl Choice {
    fn backends(self) -> &'static [Backend] {
        match self {
            Self::Ministack => &[Backend::Ministack],
            Self::Moto => &[Backend::Moto],
            Self::Both => &[Backend::Ministack, Backend::Moto],
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    // Whatever is running when a signal comes is dropped here, and stops.
    let ended = tokio::select! {
        ended = perform(cli.command) => ended,
        signal = commands::interrupted() => signal,
    };
    match ended {
        Ok(code) => code,
        Err(error) => {
            eprintln!("sandbox: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn perform(task: Task) -> Result<ExitCode, Error> {
    match task {
        Task::Demo { cloud: Cloud::Aws } => commands::demo::run().await,
        Task::Up { cloud: Cloud::Aws, backend } => commands::up::run(backend.into()).await,
        Task::Bench { objects } => commands::bench::run(objects).await,
        Task::Test { backend, args } => {
            // A filter is given to look at something closely; once is enough then.
            let default = if args.is_empty() { Choice::Both } else { Choice::Ministack };
            commands::test::run(backend.unwrap_or(default).backends(), &args).await
        }
    }
}
