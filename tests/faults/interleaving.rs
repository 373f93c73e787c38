//! Two parties at once: a run is held at a request while another runs from beginning to end, or while a
//! person acts.

use std::collections::BTreeMap;
use std::time::Instant;

use futures::stream::{self, StreamExt};
use wbstore_sandbox::cloud::{Cloud, in_full};
use wbstore_sandbox::fault::{Fault, Side, When};
use wbstore_sandbox::person::Person;

use crate::case::Reference;
use crate::persons::{self, Fate, Held, Length};
use crate::scenario::Scenario;
use crate::table::say;

/// The one that is held, and the one that runs meanwhile.
const PAIRS: &[(Scenario, Scenario)] = &[
    (Scenario::Create, Scenario::Create),
    (Scenario::NoOp, Scenario::Teardown),
    (Scenario::Create, Scenario::Teardown),
    (Scenario::Teardown, Scenario::Create),
    (Scenario::Teardown, Scenario::Teardown),
];

/// Of this many requests one is tried when everything is, as each is four runs; and otherwise.
const STRIDES: [usize; 2] = [4, 24];

const ABREAST: usize = 4;

/// Tries each pair at several requests, and prints what came of it.
pub async fn sweep<C: Person>() {
    let started = Instant::now();
    let (runs, persons) = (two_runs::<C>().await, a_run_and_a_person::<C>().await);
    let mut text = format!("\n{}, a run held at a request while another party acts\n", C::CLOUD);
    text += &format!("  {:<10} {:<19}{:>7}\n", "held", "meanwhile", "places");
    for row in runs.rows.iter().chain(&persons.rows) {
        text += row;
    }
    say(&format!("{text}  in {:.0} s\n", started.elapsed().as_secs_f64()));
    let complaints = [runs.complaints, persons.complaints].concat();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

/// The rows of a table, and what did not hold.
#[derive(Default)]
struct Part {
    rows: Vec<String>,
    complaints: Vec<String>,
}

/// Whoever loses may fail with a clear message; once both are done, one more run of either command must
/// bring about what it is for.
async fn two_runs<C: Cloud>() -> Part {
    let mut part = Part::default();
    let [full, sample] = STRIDES;
    let stride = if in_full() { full } else { sample };
    for &(held, meanwhile) in PAIRS {
        let cloud = C::fresh().await;
        let reference = Reference::of(held, &cloud).await;
        let places: Vec<_> = (0..reference.requests).step_by(stride * C::SPARSE).collect();
        let runs = places.iter().map(|&index| pair::<C>(held, meanwhile, index));
        let outcomes: Vec<_> = stream::iter(runs).buffer_unordered(ABREAST).collect().await;
        let good = outcomes.iter().filter(|outcome| outcome.is_empty()).count();
        let (held, meanwhile) = (held.name(), meanwhile.name());
        part.rows.push(format!("  {held:<10} {meanwhile:<19}{:>7}  {good} converged\n", places.len()));
        part.complaints.extend(outcomes.into_iter().flatten());
    }
    part
}

/// What the person did is kept, or the run is refused, unless it came in the one gap that is known. A sample
/// has every second act; right after the plan, the conformance tests have all.
async fn a_run_and_a_person<C: Person>() -> Part {
    let full = in_full();
    let mut part = Part::default();
    for &held in Held::ALL {
        let Length { looks, requests } = Length::of::<C>(held).await;
        let acts = held.acts::<C>();
        let spread = |number: usize| match full {
            true => (0..requests).collect::<Vec<_>>(),
            // One place for each act, all over the run.
            false => vec![(number * requests + requests / 2) / acts.len()],
        };
        let cases = acts.iter().enumerate().step_by(if full { 1 } else { 2 }).flat_map(|(number, act)| {
            spread(number).into_iter().map(move |place| async move {
                (act.name(), persons::case::<C>(held, *act, place, looks).await)
            })
        });
        let outcomes: Vec<_> = stream::iter(cases).buffer_unordered(ABREAST).collect().await;
        let mut rows: BTreeMap<&str, BTreeMap<Fate, usize>> = BTreeMap::new();
        for (act, outcome) in outcomes {
            match outcome {
                Ok(fate) => *rows.entry(act).or_default().entry(fate).or_default() += 1,
                Err(complaint) => part.complaints.push(complaint),
            }
        }
        for (act, fates) in rows {
            let places: usize = fates.values().sum();
            let words: Vec<_> =
                fates.iter().map(|(fate, count)| format!("{count} {}", fate.name())).collect();
            part.rows.push(format!("  {:<10} {act:<19}{places:>7}  {}\n", held.name(), words.join(", ")));
        }
    }
    part
}

async fn pair<C: Cloud>(held: Scenario, meanwhile: Scenario, index: usize) -> Vec<String> {
    let cloud = C::fresh().await;
    held.prepare(&cloud).await;
    let others = cloud.snapshot().await.only(|path| !ours::<C>(path));
    cloud.proxy().clear_journal();
    let armed = cloud.proxy().arm(When::request(index), Fault::Hang(Side::Before));
    let second = async {
        armed.reached().await;
        let ran = meanwhile.run(&cloud).await;
        armed.release();
        ran
    };
    let (first, second) = futures::join!(held.run(&cloud), second);
    let mut complaints = vec![];
    let place = format!("- {} held at request {index} during {}", held.name(), meanwhile.name());
    for ran in [&first, &second] {
        let clear = ran.code == Some(0) || ran.stderr.contains("hint: ");
        if !clear || ran.stderr.contains("panicked") {
            complaints.push(format!("{place}: {ran}"));
        }
    }
    for goal in [held, meanwhile] {
        let ran = goal.run(&cloud).await;
        cloud.proxy().clear_journal();
        let again = goal.run(&cloud).await;
        let writes = cloud.proxy().counts().mutating;
        if (ran.code, again.code, writes) != (Some(0), Some(0), 0) {
            complaints.push(format!("{place}: {} does not settle: {ran}{again}", goal.name()));
        }
        let snapshot = cloud.snapshot().await;
        if C::notifications(&snapshot) != usize::from(goal.provisions()) {
            complaints.push(format!("{place}: after {}:\n{snapshot}", goal.name()));
        }
        complaints.extend(snapshot.only(|path| !ours::<C>(path)).differences(&others));
    }
    complaints
}

/// Whether a document is of a part of the deployment.
fn ours<C: Cloud>(path: &str) -> bool {
    C::PARTS.iter().any(|part| path.strip_prefix(part).is_some_and(|rest| rest.starts_with('/')))
}
