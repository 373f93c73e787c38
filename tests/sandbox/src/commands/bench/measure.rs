//! One program, run and measured.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use wbstore_sandbox::Error;
use wbstore_sandbox::aws::Aws;
use wbstore_sandbox::cloud::{Cloud, HOST, NAME, PROVISION, TEARDOWN};
use wbstore_sandbox::journal::Counts;
use wbstore_sandbox::proxy::Proxy;
use wbstore_sandbox::ran::{self, Ran, finish};

/// What a run took.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// Its requests.
    pub counts: Counts,
    /// From start to end.
    pub took: Duration,
    /// The most memory it held, in KiB.
    pub peak: u64,
}

/// Runs wbstore, with these variables beside the account's own.
pub async fn wbstore<C: Cloud>(cloud: &C, verb: &str, more: &[(&str, &str)]) -> Result<Cost, Error> {
    let mut command = Command::new(MEASURED[0]);
    ran::isolate(&mut command, cloud.env());
    command.args(&MEASURED[1..]).arg(wbstore_sandbox::paths::wbstore()?);
    command.args([verb, C::CLOUD, "--host", HOST]).args(cloud.place(verb)).args(cloud.names());
    command.args(if verb == "provision" { PROVISION } else { TEARDOWN }).envs(more.iter().copied());
    measure(cloud.proxy(), command).await
}

/// Lists the deployments of the account.
pub async fn list(aws: &Aws) -> Result<Cost, Error> {
    let mut command = Command::new(MEASURED[0]);
    ran::isolate(&mut command, aws.env());
    command.args(&MEASURED[1..]);
    command.arg(wbstore_sandbox::paths::wbstore()?).args(["list", "aws"]);
    measure(aws.proxy(), command).await
}

/// Runs the operator's script.
pub async fn operator(aws: &Aws, verb: &str) -> Result<Cost, Error> {
    let mut command = aws.boto3();
    let python = command.get_program().to_owned();
    command.args(&MEASURED[1..]).arg(python).args([
        "-c",
        include_str!("../../../../../benches/operator.py"),
        verb,
    ]);
    command.args(aws.names().iter().skip(1)).args([&format!("wbstore-{NAME}"), HOST]);
    measure(aws.proxy(), command).await
}

async fn measure(proxy: &Proxy, command: Command) -> Result<Cost, Error> {
    proxy.clear_journal();
    let Usage { took, peak, .. } = usage(command).await?.0;
    Ok(Cost { counts: proxy.counts(), took, peak })
}

/// Runs the command that follows, and measures it.
pub const MEASURED: [&str; 3] = ["python3", "-c", include_str!("../../../../../benches/measure.py")];

/// What a program used.
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    /// From start to end.
    pub took: Duration,
    /// Of its processors.
    pub cpu: Duration,
    /// The most memory it held, in KiB.
    pub peak: u64,
}

/// Runs `command`, which begins with [`MEASURED`].
///
/// # Errors
/// When it does not end with 0.
pub async fn usage(command: Command) -> Result<(Usage, Ran), Error> {
    let ran = finish(command).await;
    let numbers: Vec<f64> = ran.stdout.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    let [code, took, cpu, peak] = numbers[..] else {
        return Err(Error::new(format!("it could not be measured: {ran}")));
    };
    if code != 0.0 {
        return Err(Error::new(format!("what was to be measured failed with {code}: {ran}")));
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of KiB")]
    let peak = peak as u64;
    let (took, cpu) = (Duration::from_secs_f64(took), Duration::from_secs_f64(cpu));
    Ok((Usage { took, cpu, peak }, ran))
}

/// How long `wbstore --version` takes, `times` times, the shortest first.
pub async fn start_up(binary: &Path, times: usize) -> Result<Vec<Duration>, Error> {
    let mut all = vec![];
    for _ in 0..times {
        let mut command = Command::new(binary);
        command.arg("--version");
        let began = Instant::now();
        let ran = finish(command).await;
        all.push(began.elapsed());
        if ran.code != Some(0) {
            return Err(Error::new(format!("`wbstore --version` failed: {ran}")));
        }
    }
    all.sort();
    Ok(all)
}
