//! The state after a kill, for people to read.

use std::collections::BTreeMap;

use wbstore_sandbox::cloud::{Cloud, in_full};
use wbstore_sandbox::fault::{Fault, Side, When};
use wbstore_sandbox::journal::Exchange;
use wbstore_sandbox::snapshot::Snapshot;

use crate::case::{Reference, until};
use crate::scenario::Scenario;
use crate::table::say;

/// How many requests the process is killed at when everything is tried, and otherwise.
const KILLS: [usize; 2] = [5, 2];

/// Kills a first provision at some of its writes, and shows what is there then and after one more
/// run.
pub async fn show<C: Cloud>() {
    let cloud = C::fresh().await;
    let scenario = Scenario::Create;
    let reference = Reference::of(scenario, &cloud).await;
    let mut text = format!("\n{}, killed (SIGKILL) right before one of its writes\n", C::CLOUD);
    let [full, sample] = KILLS;
    for operation in some(if in_full() { full } else { sample }, &cloud.proxy().journal()) {
        let cloud = C::fresh().await;
        scenario.prepare(&cloud).await;
        cloud.proxy().clear_journal();
        let armed = cloud.proxy().arm(When::operation(&operation, 0), Fault::Hang(Side::Before));
        let ran = until(&armed, scenario, &cloud).await;
        assert!(ran.is_none(), "it was to be killed at {operation}");
        cloud.proxy().settled().await;
        cloud.proxy().disarm();
        let left = cloud.snapshot().await;
        cloud.proxy().clear_journal();
        let ran = scenario.run(&cloud).await;
        let mended = cloud.snapshot().await;
        assert_eq!(ran.code, Some(0), "{ran}");
        assert_eq!(mended.differences(&reference.wanted), Vec::<String>::new());
        text += &format!(
            "  {operation}\n    left        {}\n    one re-run  {} writes, then {}\n",
            parts(&left, &reference),
            cloud.proxy().counts().mutating,
            parts(&mended, &reference),
        );
    }
    say(&text);
}

/// So many different writes, from the first to the last.
fn some(kills: usize, journal: &[Exchange]) -> Vec<String> {
    let mut writes: Vec<&str> = vec![];
    for exchange in journal.iter().filter(|exchange| exchange.mutating) {
        if !writes.contains(&exchange.operation.as_str()) {
            writes.push(&exchange.operation);
        }
    }
    assert!(writes.len() >= kills, "a first provision has too few writes: {writes:?}");
    (0..kills).map(|nth| writes[nth * (writes.len() - 1) / (kills - 1)].to_owned()).collect()
}

/// What is there of the deployment: the documents of each of its parts that are as they should be.
fn parts(is: &Snapshot, reference: &Reference) -> String {
    let wanted = reference.wanted.only(|path| reference.before.get(path).is_none());
    let mut parts: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for path in wanted.paths().filter(|path| is.get(path) == wanted.get(path)) {
        let (part, document) = path.rsplit_once('/').unwrap_or((path, ""));
        parts.entry(part).or_default().push(document);
    }
    let there: usize = parts.values().map(Vec::len).sum();
    if there == wanted.len() {
        return format!("all {there} documents as wanted");
    }
    let words: Vec<_> =
        parts.iter().map(|(part, documents)| format!("{part}: {}", documents.join(", "))).collect();
    if words.is_empty() { "nothing".to_owned() } else { words.join("; ") }
}
