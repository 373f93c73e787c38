//! Emptying large buckets: what a teardown costs on a [synthetic](wbstore_sandbox::synthetic) one.

use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::Duration;

use clap::Args;
use wbstore_sandbox::cloud::{Cloud, HOST, PROVISION, TEARDOWN};
use wbstore_sandbox::ran::{self, finish};
use wbstore_sandbox::synthetic::{Asks, Protocol, Shape, Slowness, Stock, Synthetic};
use wbstore_sandbox::{Error, paths};

use super::measure::{MEASURED, Usage, usage};
use super::tables::mebibytes;

const HEAD: &str = "  program            shape    objects  versions  delay    seconds  (fastest)    CPU  listings  deletions  others  chain  at once  throttled  deleted/s  peak MiB";

/// Accounts of these measurements begin here.
const FIRST: u64 = 700_000_000_000;

/// What is measured.
#[derive(Args, Debug)]
pub struct Cases {
    /// How many entries the bucket has; versions count.
    #[arg(long, value_delimiter = ',', default_value = "100000")]
    objects: Vec<u64>,
    /// How the keys are distributed.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "wandb")]
    shape: Vec<Shape>,
    /// Entries of each key; of several, the latest is a delete marker.
    #[arg(long, default_value_t = 1)]
    versions: u64,
    /// Milliseconds added to each request.
    #[arg(long, value_delimiter = ',', default_value = "0,50")]
    delay: Vec<u64>,
    /// The most deletions a second that the service allows.
    #[arg(long)]
    limit: Option<u64>,
    /// How often each is measured; shown are the median and the fastest.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// The programs to measure in turn [default: the one that was built]
    #[arg(long, value_delimiter = ',')]
    program: Vec<PathBuf>,
    /// More arguments for the teardown.
    #[arg(last = true)]
    more: Vec<String>,
}

pub(super) struct Measured {
    pub usage: Usage,
    pub asks: Asks,
}

/// Runs all cases and prints a table.
pub async fn run<C: Cloud>(protocol: Protocol, cases: &Cases) -> Result<ExitCode, Error> {
    let programs = match &cases.program[..] {
        [] => vec![paths::wbstore()?],
        programs => programs.to_vec(),
    };
    let ground = C::ground().await?;
    println!("{HEAD}");
    let mut account = FIRST;
    for shape in &cases.shape {
        for objects in &cases.objects {
            for delay in &cases.delay {
                let stock = Stock { shape: *shape, keys: objects / cases.versions, versions: cases.versions };
                let slowness = Slowness {
                    delay: Duration::from_millis(*delay),
                    deletions: cases.limit,
                    ..Slowness::default()
                };
                let mut all: Vec<Vec<Measured>> = programs.iter().map(|_| vec![]).collect();
                for _ in 0..cases.rounds {
                    for (program, all) in programs.iter().zip(&mut all) {
                        let cloud = C::at(&ground, account).await?;
                        account += 1;
                        let case = Case { cloud: &cloud, program, more: &cases.more };
                        all.push(case.measure(protocol, stock, slowness).await?);
                    }
                }
                for (program, mut all) in programs.iter().zip(all) {
                    all.sort_by_key(|one| one.usage.took);
                    let name = program.file_name().unwrap_or_default().to_string_lossy();
                    row(&name, stock, *delay, &all);
                }
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A line of the table, of which `all` are sorted by their time.
fn row(name: &str, stock: Stock, delay: u64, all: &[Measured]) {
    let Some(Measured { usage: Usage { took, peak, .. }, asks }) = all.get(all.len() / 2) else { return };
    let fastest = all[0].usage.took;
    let cpu = all.iter().map(|one| one.usage.cpu).min().unwrap_or_default();
    #[expect(clippy::cast_precision_loss, reason = "millions")]
    let (rate, peak) = ((stock.keys * stock.versions) as f64 / asks.deleting.as_secs_f64(), mebibytes(*peak));
    println!(
        "  {name:<18} {:<7}{:>9}{:>10}{delay:>7}{:>11.2}{:>11.2}{:>7.2}{:>10}{:>11}{:>8}{:>7}{:>9}{:>11}{rate:>11.0}{peak:>10.1}",
        format!("{:?}", stock.shape).to_lowercase(),
        stock.keys * stock.versions,
        stock.versions,
        took.as_secs_f64(),
        fastest.as_secs_f64(),
        cpu.as_secs_f64(),
        asks.of("list"),
        asks.of("delete"),
        asks.of("other"),
        asks.chain,
        asks.at_once,
        asks.throttled,
    );
}

/// A program, and the account that it empties a bucket of.
pub(super) struct Case<'a, C> {
    pub cloud: &'a C,
    pub program: &'a PathBuf,
    pub more: &'a [String],
}

/// Runs `command`, which begins with [`MEASURED`] and empties the bucket at `front`.
pub(super) async fn timed(command: Command, front: &Synthetic) -> Result<Measured, Error> {
    front.forget();
    let (usage, ran) = usage(command).await?;
    if front.left() > 0 {
        return Err(Error::new(format!("{} entries are left: {ran}", front.left())));
    }
    Ok(Measured { usage, asks: front.asks() })
}

impl<C: Cloud> Case<'_, C> {
    /// A deployment whose bucket holds `stock`.
    pub async fn front(
        &self,
        protocol: Protocol,
        stock: Stock,
        slowness: Slowness,
    ) -> Result<Synthetic, Error> {
        let provisioned = finish(self.command(&[], "provision", PROVISION, None)).await;
        if provisioned.code != Some(0) {
            return Err(Error::new(format!("nothing to measure: {provisioned}")));
        }
        Synthetic::over(self.cloud, protocol, stock, slowness).await
    }

    pub async fn measure(
        &self,
        protocol: Protocol,
        stock: Stock,
        slowness: Slowness,
    ) -> Result<Measured, Error> {
        let front = self.front(protocol, stock, slowness).await?;
        // What the account answers is kept from here on.
        let dry = &[TEARDOWN[2], "--dry-run"];
        finish(self.command(&[], "teardown", dry, Some(&front))).await;
        timed(self.command(&MEASURED, "teardown", TEARDOWN, Some(&front)), &front).await
    }

    /// The program, below another if there is one, with the account at the synthetic bucket.
    fn command(&self, below: &[&str], verb: &str, arguments: &[&str], front: Option<&Synthetic>) -> Command {
        let program = self.program.to_string_lossy();
        let words: Vec<&str> = below.iter().copied().chain([program.as_ref()]).collect();
        let env = match front {
            Some(front) => front.env(self.cloud.env(), self.cloud.proxy()),
            None => self.cloud.env(),
        };
        let mut command = Command::new(words[0]);
        ran::isolate(&mut command, env);
        command.args(&words[1..]).args([verb, C::CLOUD, "--host", HOST]).args(self.cloud.place(verb));
        command.args(self.cloud.names()).args(arguments);
        if verb == "teardown" {
            command.args(self.more);
        }
        command
    }
}
