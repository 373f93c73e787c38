//! All of it, written into `docs/performance.md`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use tokio::process::Command;
use wbstore_sandbox::aws::Aws;
use wbstore_sandbox::azure::Azure;
use wbstore_sandbox::cloud::Cloud;
use wbstore_sandbox::gcp::Gcp;
use wbstore_sandbox::synthetic::{Protocol, Shape, Slowness, Stock};
use wbstore_sandbox::{Error, paths};

use super::chart::{Chart, Line};
use super::emptying::{Case, Measured, timed};
use super::measure::{Cost, Usage, operator, start_up, wbstore};
use super::page::{Page, table};
use super::peers::Peer;
use super::tables::mebibytes;
use super::{FIRST, WORK};

const DELAYS: [u64; 4] = [0, 20, 50, 100];
/// How often each is measured, in turn; shown is the median.
const ROUNDS: u64 = 3;
const SIZES: [u64; 4] = [1_000, 10_000, 100_000, 1_000_000];
const MANY: u64 = 100_000;
const DEPLOYMENTS: [u64; 4] = [1, 10, 30, 100];

/// Measures all, and writes the page. `WBSTORE_BIN` names another program than the release build.
pub async fn run() -> Result<ExitCode, Error> {
    if std::env::var_os(paths::BINARY).is_none() {
        return on_a_release_build().await;
    }
    let program = paths::wbstore()?;
    let mut page = Page::open()?;
    page.put("machine", &machine(&program).await?)?;
    let aws = Aws::ground().await?;
    provisioning_on_aws(&mut page, &aws).await?;
    for (name, text) in [
        ("gcp", costs::<Gcp>(&Gcp::ground().await?).await?),
        ("azure", costs::<Azure>(&Azure::ground().await?).await?),
    ] {
        page.put(name, &text)?;
    }
    let mut bench = Emptying { program, aws, account: FIRST + 100_000 };
    bench.shapes(&mut page).await?;
    bench.peers(&mut page).await?;
    bench.curve(&mut page).await?;
    bench.limited(&mut page).await?;
    bench.on_gcs(&mut page).await?;
    deployments(&mut page, &bench.aws).await?;
    Ok(ExitCode::SUCCESS)
}

/// Builds wbstore for release, and what it is measured against, which must be faster; runs the benchmark with both.
async fn on_a_release_build() -> Result<ExitCode, Error> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let target = paths::target()?;
    let packages = ["--package", "wbstore", "--package", "wbstore-sandbox", "--bins"];
    let build = [&["build", "--locked", "--release"], &packages[..], &["--target-dir"]].concat();
    let unable = |error: std::io::Error| Error::new(format!("cannot start a program: {error}"));
    if !Command::new(cargo).args(build).arg(&target).status().await.map_err(unable)?.success() {
        return Err(Error::new("wbstore does not build for release"));
    }
    let mut again = Command::new(target.join("release/wbstore-sandbox"));
    again.arg("bench").env(paths::BINARY, target.join("release/wbstore"));
    let ended = again.status().await.map_err(unable)?;
    Ok(if ended.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn machine(program: &PathBuf) -> Result<String, Error> {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let read = |file: &str, field: &str| {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix(field).map(str::to_owned));
        line.map(|line| line.trim_start_matches([' ', '\t', ':']).trim().to_owned()).unwrap_or_default()
    };
    let (model, memory) = (read("/proc/cpuinfo", "model name"), read("/proc/meminfo", "MemTotal"));
    let version = std::fs::metadata(program).map_or(0, |data| data.len());
    let start = start_up(program, 20).await?;
    Ok(format!(
        "wbstore {}, {:.1} MiB; starts in {:.1} ms (median of 20 runs of `--version`). Measured on {cores} cores ({model}), \
         {memory} of memory, {} {}. Medians of {ROUNDS} rounds, in turn, on one machine: read the ratios.\n",
        env!("CARGO_PKG_VERSION"),
        mebibytes(version / 1024),
        milliseconds(start[start.len() / 2]),
        std::env::consts::OS,
        std::env::consts::ARCH,
    ))
}

/// The median, by time, of `costs`.
fn median(mut costs: Vec<Cost>) -> Option<Cost> {
    costs.sort_by_key(|cost| cost.took);
    costs.get(costs.len() / 2).copied()
}

async fn provisioning_on_aws(page: &mut Page, ground: &<Aws as Cloud>::Ground) -> Result<(), Error> {
    let (mut rows, mut account) = (vec![], FIRST);
    let mut lines: Vec<Line> = vec![];
    for delay in DELAYS {
        let mut all: Vec<[Vec<Cost>; 3]> = (0..WORK.len()).map(|_| Default::default()).collect();
        for _ in 0..ROUNDS {
            for (kind, given) in [(0, true), (1, false)] {
                account += 1;
                let aws = Aws::at(ground, account).await?;
                aws.proxy().set_delay(Duration::from_millis(delay));
                let given = if given { vec![("AWS_ACCOUNT_ID", aws.account())] } else { vec![] };
                for (costs, (_, verb)) in all.iter_mut().zip(WORK) {
                    costs[kind].push(wbstore(&aws, verb, &given).await?);
                }
            }
            account += 1;
            let aws = Aws::at(ground, account).await?;
            aws.proxy().set_delay(Duration::from_millis(delay));
            for (costs, (work, _)) in all.iter_mut().zip(WORK) {
                costs[2].push(operator(&aws, work).await?);
            }
        }
        for (costs, (work, _)) in all.into_iter().zip(WORK) {
            let [Some(known), Some(asked), Some(boto3)] = costs.map(median) else { continue };
            for (name, cost) in [("wbstore", known), ("boto3", boto3)] {
                let name = format!("{name}, {work}");
                let point = (delay.max(1) as f64, milliseconds(cost.took));
                match lines.iter_mut().find(|line| line.name == name) {
                    Some(line) => line.points.push(point),
                    None => lines.push(Line { name, points: vec![point] }),
                }
            }
            let trips =
                |cost: &Cost| if delay < 50 { "".to_owned() } else { cost.counts.round_trips.to_string() };
            rows.push(vec![
                format!("{work}, {delay} ms"),
                known.counts.requests.to_string(),
                trips(&known),
                format!("{:.0}", milliseconds(known.took)),
                asked.counts.requests.to_string(),
                trips(&asked),
                format!("{:.0}", milliseconds(asked.took)),
                boto3.counts.requests.to_string(),
                format!("{:.0}", milliseconds(boto3.took)),
                format!("{:.1}", boto3.took.as_secs_f64() / asked.took.as_secs_f64()),
                format!("{:.1}", mebibytes(known.peak)),
            ]);
        }
    }
    let head = [
        "",
        "requests",
        "trips",
        "ms",
        "account asked: requests",
        "trips",
        "ms",
        "boto3: requests",
        "ms",
        "boto3 / wbstore",
        "MiB",
    ];
    page.put("aws", &(table(&head, &rows) + &Page::figure("aws", "Time by the delay of each request")))?;
    let title = "One deployment on AWS, by the delay of each request";
    Chart { title, x: "delay of each request (ms; 1 for none)", y: "ms", lines: &lines }
        .write(&page.chart("aws"))
}

async fn costs<C: Cloud>(ground: &C::Ground) -> Result<String, Error> {
    let (mut rows, mut account) = (vec![], FIRST + 50_000);
    for delay in DELAYS {
        let mut all: Vec<Vec<Cost>> = WORK.map(|_| vec![]).to_vec();
        for _ in 0..ROUNDS {
            account += 1;
            let cloud = C::at(ground, account).await?;
            cloud.proxy().set_delay(Duration::from_millis(delay));
            for (costs, (_, verb)) in all.iter_mut().zip(WORK) {
                costs.push(wbstore(&cloud, verb, &[]).await?);
            }
        }
        for (costs, (work, _)) in all.into_iter().zip(WORK) {
            let Some(cost) = median(costs) else { continue };
            rows.push(vec![
                format!("{work}, {delay} ms"),
                cost.counts.requests.to_string(),
                if delay < 50 { String::new() } else { cost.counts.round_trips.to_string() },
                format!("{:.0}", milliseconds(cost.took)),
                format!("{:.1}", mebibytes(cost.peak)),
            ]);
        }
    }
    Ok(table(&["", "requests", "trips", "ms", "MiB"], &rows))
}

/// Buckets that are emptied.
struct Emptying {
    program: PathBuf,
    aws: <Aws as Cloud>::Ground,
    account: u64,
}

/// The head of [`row`].
const HEAD: [&str; 9] = ["", "seconds", "CPU s", "listings", "deletions", "bound", "chain", "at once", "MiB"];

/// A line on `measured`, which deleted all of `entries`. The bound is a page and a deletion for each thousand.
fn row(name: String, measured: &Measured, bound: Option<u64>) -> Vec<String> {
    let Measured { usage: Usage { took, cpu, peak }, asks } = measured;
    vec![
        name,
        format!("{:.2}", took.as_secs_f64()),
        format!("{:.2}", cpu.as_secs_f64()),
        asks.of("list").to_string(),
        asks.of("delete").to_string(),
        bound.map(|bound| bound.to_string()).unwrap_or_default(),
        asks.chain.to_string(),
        asks.at_once.to_string(),
        format!("{:.1}", mebibytes(*peak)),
    ]
}

impl Emptying {
    async fn fresh(&mut self) -> Result<Aws, Error> {
        self.account += 1;
        Aws::at(&self.aws, self.account).await
    }

    /// The median of wbstore's rounds.
    async fn ours(&mut self, stock: Stock, slowness: Slowness, rounds: u64) -> Result<Measured, Error> {
        let mut all = vec![];
        for _ in 0..rounds {
            let cloud = self.fresh().await?;
            let case = Case { cloud: &cloud, program: &self.program, more: &[] };
            all.push(case.measure(Protocol::S3, stock, slowness).await?);
        }
        all.sort_by_key(|one| one.usage.took);
        Ok(all.swap_remove(all.len() / 2))
    }

    async fn theirs(&mut self, peer: Peer, stock: Stock, slowness: Slowness) -> Result<Measured, Error> {
        let cloud = self.fresh().await?;
        let case = Case { cloud: &cloud, program: &self.program, more: &[] };
        let front = case.front(Protocol::S3, stock, slowness).await?;
        timed(peer.command(&cloud, &front)?, &front).await
    }

    async fn shapes(&mut self, page: &mut Page) -> Result<(), Error> {
        let mut rows = vec![];
        for (shape, versions) in
            [(Shape::Wandb, 1), (Shape::Wandb, 2), (Shape::Flat, 1), (Shape::Random, 1), (Shape::Hot, 1)]
        {
            for delay in [0, 50] {
                let stock = Stock { shape, keys: MANY / versions, versions };
                let measured = self.ours(stock, delayed(delay), ROUNDS).await?;
                let what = if versions > 1 { " with versions and markers" } else { "" };
                let name = format!("{}{what}, {delay} ms", format!("{shape:?}").to_lowercase());
                rows.push(row(name, &measured, Some(2 * MANY / 1_000)));
            }
        }
        page.put("shapes", &table(&HEAD, &rows))
    }

    async fn peers(&mut self, page: &mut Page) -> Result<(), Error> {
        let mut rows = vec![];
        for delay in [0, 50] {
            let stock = |keys| Stock { shape: Shape::Wandb, keys, versions: 1 };
            let ours = self.ours(stock(MANY), delayed(delay), ROUNDS).await?;
            rows.push(row(format!("wbstore, {MANY} objects, {delay} ms"), &ours, Some(2 * MANY / 1_000)));
            for peer in Peer::ALL {
                let keys = peer.most();
                let name = format!("{}, {keys} objects, {delay} ms", peer.name());
                rows.push(match self.theirs(peer, stock(keys), delayed(delay)).await {
                    Ok(measured) => row(name, &measured, None),
                    Err(error) => {
                        eprintln!("sandbox: {name}: {error}");
                        vec![name, "could not be measured".to_owned()]
                    }
                });
            }
        }
        page.put("peers", &table(&HEAD, &rows))
    }

    async fn curve(&mut self, page: &mut Page) -> Result<(), Error> {
        let mut rows = vec![];
        let line = |name: &str| Line { name: name.to_owned(), points: vec![] };
        let (mut times, mut memory) = (vec![line("wbstore")], vec![line("wbstore")]);
        for peer in [Peer::S5cmd, Peer::Boto3] {
            times.push(line(peer.name()));
            memory.push(line(peer.name()));
        }
        for keys in SIZES {
            let stock = Stock { shape: Shape::Wandb, keys, versions: 1 };
            let mut note = |index: usize, measured: &Measured| {
                times[index].points.push((keys as f64, measured.usage.took.as_secs_f64()));
                memory[index].points.push((keys as f64, mebibytes(measured.usage.peak)));
            };
            let ours = self.ours(stock, delayed(0), if keys > MANY { 1 } else { ROUNDS }).await?;
            note(0, &ours);
            rows.push(row(format!("wbstore, {keys}"), &ours, Some(2 * keys.div_ceil(1_000))));
            for (index, peer) in [(1, Peer::S5cmd), (2, Peer::Boto3)] {
                if keys <= peer.most() {
                    let theirs = self.theirs(peer, stock, delayed(0)).await?;
                    note(index, &theirs);
                    rows.push(row(format!("{}, {keys}", peer.name()), &theirs, None));
                }
            }
        }
        let figures = Page::figure("emptying", "Time by the number of objects")
            + &Page::figure("memory", "Memory by the number of objects");
        page.put("curve", &(table(&HEAD, &rows) + &figures))?;
        let title = "Emptying a bucket, without a delay";
        Chart { title, x: "objects", y: "seconds", lines: &times }.write(&page.chart("emptying"))?;
        let title = "Memory while a bucket is emptied";
        Chart { title, x: "objects", y: "MiB at the peak", lines: &memory }.write(&page.chart("memory"))
    }

    async fn limited(&mut self, page: &mut Page) -> Result<(), Error> {
        let stock = Stock { shape: Shape::Wandb, keys: MANY, versions: 1 };
        let slowness = Slowness { deletions: Some(3_500), ..delayed(20) };
        let measured = self.ours(stock, slowness, 1).await?;
        let rate = MANY as f64 / measured.asks.deleting.as_secs_f64();
        page.put(
            "limit",
            &format!(
                "A service that allows 3,500 deletions a second: {rate:.0} a second over {:.0} s, {} of {} requests throttled.\n",
                measured.asks.deleting.as_secs_f64(),
                measured.asks.throttled,
                measured.asks.total(),
            ),
        )
    }

    async fn on_gcs(&mut self, page: &mut Page) -> Result<(), Error> {
        let ground = Gcp::ground().await?;
        let mut rows = vec![];
        for delay in [0, 50] {
            self.account += 1;
            let cloud = Gcp::at(&ground, self.account).await?;
            let case = Case { cloud: &cloud, program: &self.program, more: &[] };
            let stock = Stock { shape: Shape::Wandb, keys: MANY, versions: 1 };
            let measured = case.measure(Protocol::Gcs, stock, delayed(delay)).await?;
            rows.push(row(format!("{MANY} objects, {delay} ms"), &measured, Some(MANY + MANY / 1_000)));
        }
        page.put("gcs", &table(&HEAD, &rows))
    }
}

async fn deployments(page: &mut Page, ground: &<Aws as Cloud>::Ground) -> Result<(), Error> {
    let aws = Aws::at(ground, FIRST + 900_000).await?;
    let (mut rows, mut made) = (vec![], 0);
    let mut points = vec![];
    for number in DEPLOYMENTS {
        while made < number {
            made += 1;
            let name = format!("team-{made}");
            let host = format!("https://{name}.example.com");
            let mut command = aws.wbstore();
            command.args(["provision", "aws", "--host", &host, "--queue", "internal", "--yes"]);
            let ran = wbstore_sandbox::ran::finish(command).await;
            if ran.code != Some(0) {
                return Err(Error::new(format!("{name} could not be provisioned: {ran}")));
            }
        }
        let mut costs = vec![];
        for _ in 0..ROUNDS {
            costs.push(super::measure::list(&aws).await?);
        }
        let Some(cost) = median(costs) else { continue };
        points.push((number as f64, milliseconds(cost.took)));
        rows.push(vec![
            number.to_string(),
            cost.counts.requests.to_string(),
            format!("{:.0}", milliseconds(cost.took)),
            format!("{:.1}", mebibytes(cost.peak)),
        ]);
    }
    let figure = Page::figure("deployments", "Time by the number of deployments");
    page.put("deployments", &(table(&["deployments", "requests", "ms", "MiB"], &rows) + &figure))?;
    let lines = [Line { name: "wbstore list".to_owned(), points }];
    Chart { title: "Listing the deployments of an account", x: "deployments", y: "ms", lines: &lines }
        .write(&page.chart("deployments"))
}

fn delayed(milliseconds: u64) -> Slowness {
    Slowness { delay: Duration::from_millis(milliseconds), ..Slowness::default() }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
