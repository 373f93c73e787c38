//! All cases of a scenario, side by side.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use futures::stream::{self, StreamExt};
use wbstore_sandbox::cloud::{Cloud, in_full};

use crate::case::{Case, Outcome, Reference};
use crate::mode::{ALWAYS, IN_TURN, Mode};
use crate::scenario::Scenario;
use crate::table;

/// Cases at the same time. Many only wait, for a pause before a retry or for the emulator.
pub const ABREAST: usize = 6;

/// What one mode came to, over all requests.
#[derive(Debug, Default)]
pub struct Tally {
    /// Runs that were struck.
    pub runs: usize,
    /// Of those, the ones that succeeded by themselves.
    pub survived: usize,
    /// The ones that left something for the next run to write.
    pub halfway: usize,
    /// The ones after which everything held.
    pub converged: usize,
    /// The most requests that one of them sent.
    pub most_requests: usize,
    /// Notifications that were there twice.
    pub duplicates: usize,
    /// Documents of others that were changed.
    pub foreign: usize,
    /// The longest that the run after it took.
    pub recovery: Duration,
}

impl Tally {
    /// Counts one run.
    pub fn count(&mut self, outcome: &Outcome) {
        self.runs += 1;
        self.survived += usize::from(outcome.survived);
        self.halfway += usize::from(outcome.halfway);
        self.converged += usize::from(outcome.complaints.is_empty());
        self.most_requests = self.most_requests.max(outcome.requests);
        self.duplicates += outcome.duplicates;
        self.foreign += outcome.foreign;
        self.recovery = self.recovery.max(outcome.recovery);
    }
}

/// Sweeps through `scenario` and prints what came of it.
///
/// # Panics
///
/// When something did not hold, with all of it.
pub async fn of<C: Cloud>(scenario: Scenario) {
    let cloud = C::fresh().await;
    let started = Instant::now();
    let reference = Reference::of(scenario, &cloud).await;
    let full = in_full();
    let stride = if full { 1 } else { scenario.stride() * C::SPARSE };
    let cases = cases(&reference, stride, full);
    let runs = cases.iter().map(|&(mode, index)| {
        let reference = &reference;
        async move {
            let cloud = C::fresh().await;
            let case = Case { cloud, scenario, reference, complaints: vec![] };
            (mode, index, case.run(mode, index, full).await)
        }
    });
    let outcomes: Vec<_> = stream::iter(runs).buffer_unordered(ABREAST).collect().await;
    let complaints: Vec<String> = outcomes.iter().flat_map(told).collect();
    let rows = tallies(outcomes).into_values().map(|(mode, tally)| (mode.name(), tally)).collect();
    table::print(C::CLOUD, scenario.name(), &reference, &rows, started.elapsed());
    assert!(complaints.is_empty(), "{} complaints\n{}", complaints.len(), complaints.join("\n"));
}

/// Every request with every mode, or the sample. Which request gets which of the rarer modes is
/// fixed, so that a failure can be had again.
fn cases(reference: &Reference, stride: usize, full: bool) -> Vec<(Mode, usize)> {
    let modes = |index: usize| {
        let rarer = if full { IN_TURN } else { &IN_TURN[index / stride % IN_TURN.len()..][..1] };
        let modes = ALWAYS.iter().chain(rarer);
        modes
            .filter(move |mode| full || index >= reference.first_write || !mode.comes_after())
            .map(move |mode| (*mode, index))
    };
    (0..reference.requests).step_by(stride).flat_map(modes).collect()
}

fn told((mode, index, outcome): &(Mode, usize, Outcome)) -> Vec<String> {
    let place = format!("{} at request {index}", mode.name());
    outcome.complaints.iter().map(|complaint| format!("- {place}: {complaint}")).collect()
}

fn tallies(outcomes: Vec<(Mode, usize, Outcome)>) -> BTreeMap<usize, (Mode, Tally)> {
    let mut tallies = BTreeMap::new();
    for (mode, _, outcome) in outcomes.into_iter().filter(|(_, _, outcome)| outcome.struck) {
        let order = ALWAYS.iter().chain(IN_TURN).position(|known| *known == mode).unwrap_or_default();
        let (_, tally) = tallies.entry(order).or_insert_with(|| (mode, Tally::default()));
        tally.count(&outcome);
    }
    tallies
}
