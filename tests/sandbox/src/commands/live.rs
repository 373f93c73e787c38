//! `cargo sandbox live`.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use jiff::Timestamp;
use wbstore_sandbox::demo::Event;
use wbstore_sandbox::live::{self, Account, Deployment, Law, Outcome, Report};
use wbstore_sandbox::ran::finish;
use wbstore_sandbox::{Error, paths};

use super::INTERRUPTED;

/// What is asked for.
pub struct Live {
    /// The cloud, as wbstore calls it.
    pub cloud: &'static str,
    /// Whether nobody is asked.
    pub yes: bool,
    /// Where the report goes.
    pub report: PathBuf,
    /// The options that say where, for every command that has them.
    pub place: Vec<String>,
}

/// What a run costs, at worst.
const COST: &str = "A few hundred requests, a few kilobytes stored for some minutes and a few messages: \
                    cents at list prices. Nothing that is billed by the hour is created.";

/// Runs the demonstration and the laws on the account of the current credentials. Whatever happens, Ctrl-C
/// included, what it made is torn down.
pub async fn run(live: Live) -> Result<ExitCode, Error> {
    super::build().await?;
    let account = Account::new(live.cloud, &live.place).await?;
    let shown = Deployment::new(&account);
    let (scope, addresses) = shown.shown().await?;
    eprintln!("\nOn {scope}, four times, one after the other, under names that begin with `live-`:");
    for address in &addresses {
        eprintln!("  {address}");
    }
    eprintln!("{COST}\nEverything is torn down at the end and on Ctrl-C.\n");
    if !live.yes && !agreed()? {
        return Err(Error::new("nothing was made").hint("answer `yes`, or add --yes"));
    }
    let mut deployments = vec![shown.name().to_owned()];
    let mut report = Report {
        cloud: live.cloud,
        version: version().await?,
        began: Timestamp::now().to_string(),
        scope,
        laws: vec![],
        ended: None,
        left: vec![],
        private: private(&live.place),
    };
    let mut known = vec![];
    let work = async {
        live::demo(&shown, &mut show).await?;
        let mut sink = |law: &Law| {
            tell(law);
            known.push(law.clone());
        };
        live::laws(&account, &mut deployments, &mut sink).await;
        Ok::<_, Error>(())
    };
    let interrupted = tokio::select! {
        ended = work => {
            report.ended = ended.err().map(|error| error.to_string());
            false
        }
        signal = super::interrupted() => {
            signal?;
            report.ended = Some("interrupted".to_owned());
            true
        }
    };
    report.laws = known;
    eprintln!("\nsandbox: tearing down");
    for name in &deployments {
        if let Err(error) = live::end(&account, name).await {
            report.left.push(error.to_string());
        }
    }
    write(&live, &report)?;
    Ok(match (interrupted, report.is_good()) {
        (true, _) => ExitCode::from(INTERRUPTED),
        (false, true) => ExitCode::SUCCESS,
        (false, false) => ExitCode::FAILURE,
    })
}

/// The words that name an account: they are not in the report.
fn private(place: &[String]) -> Vec<String> {
    const OPTIONS: [&str; 6] = [
        "--account",
        "--arm-endpoint",
        "--blob-endpoint",
        "--project",
        "--queue-endpoint",
        "--resource-group",
    ];
    let pairs = place.windows(2).filter(|pair| OPTIONS.contains(&pair[0].as_str()));
    let words = pairs.map(|pair| pair[1].clone());
    words.chain(std::env::var("GOOGLE_CLOUD_PROJECT")).collect()
}

fn agreed() -> Result<bool, Error> {
    if !std::io::stdin().is_terminal() {
        return Ok(false);
    }
    eprint!("Go on? Only `yes` does: ");
    let unable = |error: std::io::Error| Error::new(format!("cannot ask: {error}"));
    std::io::stderr().flush().map_err(unable)?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).map_err(unable)?;
    Ok(answer.trim() == "yes")
}

async fn version() -> Result<String, Error> {
    let mut command = Command::new(paths::wbstore()?);
    command.arg("--version");
    Ok(finish(command).await.stdout.trim().to_owned())
}

fn show(event: Event) {
    match event {
        Event::Begin(step) => eprintln!("\n# {}\n$ {}", step.title, step.line()),
        Event::Stdout(line) => println!("{line}"),
        Event::Stderr(line) => eprintln!("{line}"),
        Event::End { code, expected } if code != Some(expected) => {
            eprintln!("(exit code {code:?}, {expected} was expected)");
        }
        Event::End { .. } => {}
    }
}

fn tell(law: &Law) {
    let Law { name, outcome, seconds } = law;
    match outcome {
        Outcome::Passed => eprintln!("passed  {name} ({seconds:.1} s)"),
        Outcome::Failed(why) => eprintln!("FAILED  {name} ({seconds:.1} s)\n{why}"),
    }
}

fn write(live: &Live, report: &Report) -> Result<(), Error> {
    for (ending, text) in [("json", report.json()), ("md", report.markdown())] {
        let path = live.report.join(format!("wbstore-live-{}.{ending}", live.cloud));
        std::fs::write(&path, text)
            .map_err(|error| Error::new(format!("cannot write {}: {error}", path.display())))?;
        eprintln!("sandbox: {}", path.display());
    }
    Ok(())
}
