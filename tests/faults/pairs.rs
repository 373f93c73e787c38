//! Two answers lost after their requests were applied, the harder case of a lost answer: what the run learns of
//! its first write it learns from a read, and then it loses another one.

use std::time::Instant;

use futures::stream::{self, StreamExt};
use wbstore_sandbox::cloud::{Cloud, in_full};

use crate::case::{Case, Reference};
use crate::mode::Mode;
use crate::scenario::Scenario;
use crate::sweep::{ABREAST, Tally};
use crate::table;

/// One in how many pairs is tried, unless all are.
const STRIDE: usize = 12;

/// All pairs of writes of `scenario`, in the order in which they are sent.
///
/// # Panics
/// When something did not hold, with all of it.
pub async fn of<C: Cloud>(scenario: Scenario) {
    let (cloud, started) = (C::fresh().await, Instant::now());
    let reference = Reference::of(scenario, &cloud).await;
    let writes: Vec<_> = cloud
        .proxy()
        .journal()
        .iter()
        .enumerate()
        .filter(|(_, one)| one.mutating)
        .map(|(at, _)| at)
        .collect();
    let pairs = writes.iter().enumerate().flat_map(|(nth, first)| {
        writes[nth + 1..].iter().map(|second| (*first, *second)).collect::<Vec<_>>()
    });
    let stride = if in_full() { 1 } else { STRIDE };
    let runs = pairs.step_by(stride).map(|(first, second)| {
        let reference = &reference;
        async move {
            let case = Case { cloud: C::fresh().await, scenario, reference, complaints: vec![] };
            let modes = [(Mode::DropAfter, first), (Mode::DropAfter, second)];
            ((first, second), case.run_with(&modes, false).await)
        }
    });
    let outcomes: Vec<_> = stream::iter(runs).buffer_unordered(ABREAST).collect().await;
    let mut tally = Tally::default();
    outcomes.iter().filter(|(_, outcome)| outcome.struck).for_each(|(_, outcome)| tally.count(outcome));
    let complaints: Vec<_> = outcomes
        .iter()
        .flat_map(|((first, second), outcome)| {
            outcome.complaints.iter().map(move |what| format!("- answers {first} and {second} lost: {what}"))
        })
        .collect();
    let rows = vec![("two answers lost", tally)];
    table::print(C::CLOUD, scenario.name(), &reference, &rows, started.elapsed());
    assert!(complaints.is_empty(), "{} complaints\n{}", complaints.len(), complaints.join("\n"));
}
