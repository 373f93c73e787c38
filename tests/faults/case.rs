//! One fault at one request, and what must hold afterwards.

use wbstore_sandbox::aws::Ran;
use wbstore_sandbox::cloud::Cloud;
use wbstore_sandbox::fault::Armed;
use wbstore_sandbox::snapshot::Snapshot;

use crate::mode::Mode;
use crate::scenario::Scenario;

/// The run in which nothing goes wrong, against which all others are held.
pub struct Reference {
    /// The account before it.
    pub before: Snapshot,
    /// The account after it.
    pub wanted: Snapshot,
    /// How many requests it sends.
    pub requests: usize,
    /// The place of its first write; all before it are reads.
    pub first_write: usize,
}

impl Reference {
    /// Makes it, and looks whether it is fit to be one.
    pub async fn of<C: Cloud>(scenario: Scenario, cloud: &C) -> Self {
        scenario.prepare(cloud).await;
        let before = cloud.snapshot().await;
        cloud.proxy().clear_journal();
        let ran = scenario.run(cloud).await;
        assert_eq!(ran.code, Some(0), "{} fails without a fault: {ran}", scenario.name());
        let journal = cloud.proxy().journal();
        let requests = journal.len();
        let first_write = journal.iter().position(|exchange| exchange.mutating).unwrap_or(requests);
        let wanted = cloud.snapshot().await;
        let notifications = usize::from(scenario.provisions());
        assert_eq!(C::notifications(&wanted), notifications, "{wanted}");
        Self { before, wanted, requests, first_write }
    }
}

/// What a case cost and came to.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Whether the run got as far as the request.
    pub struck: bool,
    /// Whether the struck run succeeded by itself.
    pub survived: bool,
    /// Whether it left the account neither as it was nor as it should be.
    pub halfway: bool,
    /// How many requests it sent.
    pub requests: usize,
    /// What did not hold.
    pub complaints: Vec<String>,
}

/// Runs one case in an account of its own.
pub async fn run<C: Cloud>(
    cloud: &C,
    scenario: Scenario,
    (mode, index): (Mode, usize),
    reference: &Reference,
    thorough: bool,
) -> Outcome {
    scenario.prepare(cloud).await;
    let proxy = cloud.proxy();
    proxy.clear_journal();
    let armed = mode.arm(proxy, index);
    let first =
        if mode.kills() { until(&armed, scenario, cloud).await } else { Some(scenario.run(cloud).await) };
    proxy.settled().await;
    let struck = armed.hits() > 0;
    proxy.disarm();
    let spent = proxy.counts();
    // A run that sent no write left what it found, and to go on from there is the fault-free run.
    let trivial = !thorough && spent.mutating == 0;
    let left = if trivial { reference.before.clone() } else { cloud.snapshot().await };
    let mut complaints = vec![];
    if let Some(ran) = &first {
        judge(cloud, scenario, ran, left == reference.wanted, &mut complaints);
        if mode.passes() && ran.code != Some(0) {
            complaints.push(format!("it gives up on what passes: {ran}"));
        }
    }
    if !trivial {
        recover(cloud, scenario, reference, &mut complaints).await;
    }
    Outcome {
        struck,
        survived: first.is_some_and(|ran| ran.code == Some(0)),
        halfway: left != reference.before && left != reference.wanted,
        requests: spent.requests,
        complaints,
    }
}

/// Runs the command and kills it where `armed` lies in wait; what it said if it came to its end.
pub async fn until<C: Cloud>(armed: &Armed, scenario: Scenario, cloud: &C) -> Option<Ran> {
    tokio::select! {
        ran = scenario.run(cloud) => Some(ran),
        // Dropping the future that runs it kills the program.
        () = armed.reached() => None,
    }
}

fn judge<C: Cloud>(cloud: &C, scenario: Scenario, ran: &Ran, as_wanted: bool, complaints: &mut Vec<String>) {
    let claims = ran.stdout.contains("BUCKET=");
    match ran.code {
        Some(0) if !as_wanted => complaints.push(format!("it ended with 0 and is not done: {ran}")),
        Some(0) if scenario.provisions() && !claims => complaints.push(format!("no outputs: {ran}")),
        Some(0) => {}
        Some(1 | 3 | 4) if ran.stdout.is_empty() && ran.stderr.contains("hint: ") => {}
        _ => complaints.push(format!("a failure must have a code, a hint and no outputs: {ran}")),
    }
    leaks(cloud, ran, complaints);
}

/// One run without faults must mend everything, and another find nothing to do.
async fn recover<C: Cloud>(
    cloud: &C,
    scenario: Scenario,
    reference: &Reference,
    complaints: &mut Vec<String>,
) {
    for (number, writes) in [("second", true), ("third", false)] {
        cloud.proxy().clear_journal();
        let ran = scenario.run(cloud).await;
        let spent = cloud.proxy().counts();
        leaks(cloud, &ran, complaints);
        if ran.code != Some(0) {
            complaints.push(format!("the {number} run fails: {ran}"));
        }
        if !writes && spent.mutating > 0 {
            complaints.push(format!("the {number} run still writes: {ran}"));
        }
        if spent.requests > 3 * reference.requests {
            complaints.push(format!("the {number} run sent {} requests", spent.requests));
        }
    }
    complaints.extend(cloud.snapshot().await.differences(&reference.wanted));
}

fn leaks<C: Cloud>(cloud: &C, ran: &Ran, complaints: &mut Vec<String>) {
    let told = |secret: &String| ran.stdout.contains(secret.as_str()) || ran.stderr.contains(secret.as_str());
    if let Some(secret) = cloud.secrets().iter().find(|secret| told(secret)) {
        complaints.push(format!("it tells {secret}: {ran}"));
    }
}
