//! `cargo sandbox`: the clouds on this machine.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command speaks through these")]

mod commands;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};
use commands::bench::emptying;
use commands::live::Live;
use commands::test::{Round, Suite};
use wbstore_sandbox::Error;
use wbstore_sandbox::aws::Aws;
use wbstore_sandbox::azure::Azure;
use wbstore_sandbox::backend::Backend;
use wbstore_sandbox::cloud::Cloud as _;
use wbstore_sandbox::gcp::Gcp;
use wbstore_sandbox::stores::StoreKind;
use wbstore_sandbox::synthetic::Protocol;

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
        /// The cloud to show, or `check` with one of each service that a server uses besides.
        #[arg(value_enum, default_value = "aws")]
        what: Shown,
        /// The store of `s3`: rclone, s3rver, moto, s3s-fs or radosgw [default: radosgw, or moto]
        #[arg(long)]
        store: Option<StoreKind>,
    },
    /// Keep an emulated cloud running until Ctrl-C, and print how to reach it.
    Up {
        /// The cloud to start.
        #[arg(value_enum)]
        cloud: Kept,
        /// The emulator of AWS to use.
        #[arg(long, value_enum, default_value = "ministack")]
        backend: BackendName,
        /// The store of `s3`: rclone, s3rver, moto, s3s-fs or radosgw [default: radosgw, or moto]
        #[arg(long)]
        store: Option<StoreKind>,
    },
    /// Measure wbstore: requests, round trips, times, memory, beside what an operator would run instead, and
    /// write docs/performance.md; with a cloud, print what it costs there. `WBSTORE_BIN` names the program to
    /// measure; a release build is the one to look at.
    Bench {
        /// The cloud to measure it on [default: all, with large buckets and the page]
        #[arg(long, value_enum)]
        cloud: Option<Cloud>,
        /// How many objects are emptied from a bucket.
        #[arg(long, default_value_t = 20_000)]
        objects: usize,
    },
    /// Measure how large buckets are emptied, on a synthetic one before an emulated account. `WBSTORE_BIN`
    /// names the program to measure; a release build is the one to look at.
    Emptying {
        /// The cloud to measure it on; Azure deletes a container with its contents.
        #[arg(long, value_enum, default_value = "aws")]
        cloud: Cloud,
        #[command(flatten)]
        cases: emptying::Cases,
    },
    /// Switch off one safeguard at a time, and see that a test turns red.
    Ablate,
    /// Sweep through every fault at every request, and print the table of it.
    Faults {
        /// The cloud; all of them otherwise.
        #[arg(value_enum)]
        cloud: Option<Cloud>,
    },
    /// Run the laws and the demonstration on a real account, that of the current credentials. Says what it
    /// makes and asks before; tears everything down, on Ctrl-C too; leaves a report without the account's ids.
    Live {
        /// The cloud.
        #[arg(value_enum)]
        cloud: Cloud,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
        /// Where the report goes, as `wbstore-live-CLOUD.json` and `.md`.
        #[arg(long, default_value = ".")]
        report: PathBuf,
        /// Options for wbstore that say where, such as `--region eu-west-1` or `--resource-group wandb`.
        #[arg(last = true)]
        place: Vec<String>,
    },
    /// Build wbstore as it is released: an archive with a bill of materials (CycloneDX) and its checksum, a wheel
    /// with the same program, and the source distribution.
    Release {
        /// The platform to build for, which has to run the program here [default: this one]
        #[arg(long)]
        target: Option<String>,
    },
    /// Run the test suite against the emulators: AWS on ministack, Google Cloud on our double, Azure on
    /// our double and Azurite.
    Test {
        /// Sweep through every fault at every request instead of samples, and run the second opinions
        /// too, unless arguments follow `--`.
        #[arg(long, conflicts_with = "backend")]
        all: bool,
        /// Run the second opinion on one cloud alone.
        #[arg(long, value_enum)]
        backend: Option<Opinion>,
        /// Arguments for `cargo test`.
        #[arg(last = true)]
        args: Vec<String>,
    },
}

/// What a demonstration is of.
#[derive(Clone, Copy, ValueEnum)]
enum Shown {
    Aws,
    Gcp,
    Azure,
    S3,
    Check,
}

/// What is kept running.
#[derive(Clone, Copy, ValueEnum)]
enum Kept {
    Aws,
    Gcp,
    Azure,
    S3,
}

#[derive(Clone, Copy, ValueEnum)]
enum Cloud {
    Aws,
    Gcp,
    Azure,
}

impl Cloud {
    fn name(self) -> &'static str {
        match self {
            Self::Aws => Aws::CLOUD,
            Self::Gcp => Gcp::CLOUD,
            Self::Azure => Azure::CLOUD,
        }
    }
}

#[derive(Clone, Copy, ValueEnum)]
enum BackendName {
    Ministack,
    Moto,
}

#[derive(Clone, Copy, ValueEnum)]
enum Opinion {
    /// AWS on moto.
    Moto,
    /// Google Cloud with Google's own Pub/Sub emulator.
    Pubsub,
}

impl From<BackendName> for Backend {
    fn from(name: BackendName) -> Self {
        match name {
            BackendName::Ministack => Self::Ministack,
            BackendName::Moto => Self::Moto,
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    // It answers signals itself, because it has to end what it made.
    if matches!(cli.command, Task::Live { .. }) {
        return said(perform(cli.command).await);
    }
    // Whatever is running when a signal comes is dropped here, and stops.
    let ended = tokio::select! {
        ended = perform(cli.command) => ended,
        signal = commands::interrupted() => signal,
    };
    said(ended)
}

fn said(ended: Result<ExitCode, Error>) -> ExitCode {
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
        Task::Demo { what: Shown::S3, store } => commands::demo::store(store).await,
        Task::Demo { what: Shown::Aws, .. } => commands::demo::run::<Aws>().await,
        Task::Demo { what: Shown::Gcp, .. } => commands::demo::run::<Gcp>().await,
        Task::Demo { what: Shown::Azure, .. } => commands::demo::run::<Azure>().await,
        Task::Demo { what: Shown::Check, .. } => commands::demo::check().await,
        Task::Up { cloud: Kept::S3, store, .. } => commands::up::store(store).await,
        Task::Up { cloud: Kept::Aws, backend, .. } => commands::up::aws(backend.into()).await,
        Task::Up { cloud: Kept::Gcp, .. } => commands::up::run::<Gcp>().await,
        Task::Up { cloud: Kept::Azure, .. } => commands::up::run::<Azure>().await,
        Task::Bench { cloud: None, .. } => commands::bench::full::run().await,
        Task::Bench { cloud: Some(Cloud::Aws), objects } => commands::bench::aws(objects).await,
        Task::Bench { cloud: Some(Cloud::Gcp), objects } => commands::bench::run::<Gcp>(objects).await,
        Task::Bench { cloud: Some(Cloud::Azure), objects } => commands::bench::run::<Azure>(objects).await,
        Task::Emptying { cloud: Cloud::Aws, cases } => emptying::run::<Aws>(Protocol::S3, &cases).await,
        Task::Emptying { cloud: Cloud::Gcp, cases } => emptying::run::<Gcp>(Protocol::Gcs, &cases).await,
        Task::Emptying { cloud: Cloud::Azure, .. } => {
            Err(Error::new("Azure deletes a container with its contents: there is nothing to measure"))
        }
        Task::Ablate => commands::ablate::run().await,
        Task::Faults { cloud } => commands::faults::run(cloud.map(Cloud::name)).await,
        Task::Live { cloud, yes, report, place } => {
            commands::live::run(Live { cloud: cloud.name(), yes, report, place }).await
        }
        Task::Release { target } => commands::release::run(target.as_deref()).await,
        Task::Test { all, backend, args } => {
            let rounds = match backend {
                Some(Opinion::Moto) => &[Round::Moto],
                Some(Opinion::Pubsub) => &[Round::PubSub],
                // Arguments are given to look at something closely; once is enough then.
                None if all && args.is_empty() => Round::ALL,
                None => &[Round::First],
            };
            commands::test::run(&Suite { rounds, in_full: all, args, variables: vec![] }).await
        }
    }
}
