//! Faults at some requests, and what must hold afterwards.

use std::time::{Duration, Instant};

use wbstore_sandbox::cloud::Cloud;
use wbstore_sandbox::fault::Armed;
use wbstore_sandbox::ran::Ran;
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
    /// Whether it wrote, and left something to write.
    pub halfway: bool,
    /// How many requests it sent.
    pub requests: usize,
    /// How long the run took that put things right, where one was needed.
    pub recovery: Duration,
    /// How many notifications there are beyond the one.
    pub duplicates: usize,
    /// How many documents of others are not what they were.
    pub foreign: usize,
    /// What did not hold.
    pub complaints: Vec<String>,
}

impl Outcome {
    fn of(struck: bool, survived: bool, requests: usize) -> Self {
        let (recovery, complaints) = (Duration::ZERO, vec![]);
        Self { struck, survived, halfway: false, requests, recovery, duplicates: 0, foreign: 0, complaints }
    }
}

/// One fault at one request, in an account of its own.
pub struct Case<'a, C> {
    /// The account.
    pub cloud: C,
    /// What is done in it.
    pub scenario: Scenario,
    /// What must come of it.
    pub reference: &'a Reference,
    /// What did not hold so far.
    pub complaints: Vec<String>,
}

impl<C: Cloud> Case<'_, C> {
    /// Runs it with `mode` at the request at `index`.
    pub async fn run(self, mode: Mode, index: usize, thorough: bool) -> Outcome {
        self.run_with(&[(mode, index)], thorough).await
    }

    /// Runs it with each mode at its request; the process is killed by the first alone. Unless it is to be
    /// `thorough`, a run that sent no write is taken at its word: it left what it found, and to go on from
    /// there is the fault-free run.
    pub async fn run_with(mut self, modes: &[(Mode, usize)], thorough: bool) -> Outcome {
        let Self { cloud, scenario, .. } = &self;
        scenario.prepare(cloud).await;
        let proxy = cloud.proxy();
        proxy.clear_journal();
        let armed: Vec<_> = modes.iter().map(|(mode, index)| mode.arm(proxy, *index)).collect();
        let first = match modes[0].0.kills() {
            true => until(&armed[0], *scenario, cloud).await,
            false => Some(scenario.run(cloud).await),
        };
        proxy.settled().await;
        let struck = armed.iter().all(|armed| armed.hits() > 0);
        proxy.disarm();
        let spent = proxy.counts();
        let survived = first.as_ref().is_some_and(|ran| ran.code == Some(0));
        let mut outcome = Outcome::of(struck, survived, spent.requests);
        if let Some(ran) = &first {
            self.judge(ran, modes.iter().all(|(mode, _)| mode.passes()));
        }
        if spent.mutating == 0 && !thorough {
            if survived && self.reference.before != self.reference.wanted {
                self.complaints.push("it ended with 0 and did nothing".to_owned());
            }
        } else {
            if !survived {
                let begun = Instant::now();
                outcome.halfway = self.once_more().await > 0 && spent.mutating > 0;
                outcome.recovery = begun.elapsed();
            }
            self.compare(&mut outcome).await;
            if self.once_more().await > 0 {
                self.complaints.push("a run with nothing to do still writes".to_owned());
            }
        }
        Outcome { complaints: self.complaints, ..outcome }
    }

    /// What a struck run says must be clear.
    fn judge(&mut self, ran: &Ran, passes: bool) {
        let claims = ran.stdout.contains("BUCKET=");
        match ran.code {
            Some(0) if self.scenario.provisions() && !claims => self.complain("no outputs", ran),
            Some(0) => {}
            _ if passes => self.complain("it gives up on what passes", ran),
            Some(1 | 3 | 4) if ran.stdout.is_empty() && ran.stderr.contains("hint: ") => {}
            _ => self.complain("a failure must have a code, a hint and no outputs", ran),
        }
        self.keep_secrets(ran);
    }

    /// Runs without a fault, which must succeed at a bearable price; says how many writes it sent.
    async fn once_more(&mut self) -> usize {
        self.cloud.proxy().clear_journal();
        let ran = self.scenario.run(&self.cloud).await;
        let spent = self.cloud.proxy().counts();
        if ran.code != Some(0) {
            self.complain("the next run fails", &ran);
        }
        if spent.requests > 3 * self.reference.requests {
            self.complain(&format!("the next run sent {} requests", spent.requests), &ran);
        }
        self.keep_secrets(&ran);
        spent.mutating
    }

    /// The account must hold what it holds after the fault-free run, other people's things included.
    async fn compare(&mut self, outcome: &mut Outcome) {
        let found = self.cloud.snapshot().await;
        let Reference { before, wanted, .. } = self.reference;
        outcome.duplicates = C::notifications(&found).saturating_sub(C::notifications(wanted));
        // What the fault-free run leaves as it was is not ours.
        let others = |path: &str| before.get(path).is_some() && before.get(path) == wanted.get(path);
        outcome.foreign = found.only(others).differences(&wanted.only(others)).len();
        self.complaints.extend(found.differences(wanted));
    }

    fn keep_secrets(&mut self, ran: &Ran) {
        let told = |secret: &&String| ran.stdout.contains(*secret) || ran.stderr.contains(*secret);
        if let Some(secret) = self.cloud.secrets().iter().find(told) {
            self.complain(&format!("it tells {secret}"), ran);
        }
    }

    fn complain(&mut self, what: &str, ran: &Ran) {
        self.complaints.push(format!("{what}: {ran}"));
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
