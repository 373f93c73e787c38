//! Two runs at once: one is held at a request while the other runs from beginning to end.

use std::time::Instant;

use futures::stream::{self, StreamExt};
use wbstore_sandbox::cloud::Cloud;
use wbstore_sandbox::fault::{Fault, Side, When};

use crate::case::Reference;
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

/// Of this many requests one is tried, so that the whole stays within a few seconds.
const STRIDE: usize = 4;

const ABREAST: usize = 4;

/// Tries each pair at several requests. Whoever loses may fail with a clear message; once both are
/// done, one more run of either command must bring about what it is for.
pub async fn sweep<C: Cloud>() {
    let started = Instant::now();
    let mut text = format!("\n{}, two at once, one held while the other runs\n", C::CLOUD);
    let mut complaints = vec![];
    for &(held, meanwhile) in PAIRS {
        let cloud = C::fresh().await;
        let reference = Reference::of(held, &cloud).await;
        let places: Vec<_> = (0..reference.requests).step_by(STRIDE * C::SPARSE).collect();
        let runs = places.iter().map(|&index| pair::<C>(held, meanwhile, index));
        let outcomes: Vec<_> = stream::iter(runs).buffer_unordered(ABREAST).collect().await;
        let good = outcomes.iter().filter(|outcome| outcome.is_empty()).count();
        let (held, meanwhile) = (held.name(), meanwhile.name());
        text += &format!("  {held:<10} / {meanwhile:<10} {:>3} places, {good:>3} converged\n", places.len());
        complaints.extend(outcomes.into_iter().flatten());
    }
    say(&format!("{text}  in {:.0} s\n", started.elapsed().as_secs_f64()));
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
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
