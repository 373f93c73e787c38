//! Tables: for people on standard error, where they are seen from inside a passing test as well, and for
//! `cargo sandbox faults` in a file.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::time::Duration;

use serde_json::json;
use wbstore_sandbox::faults::RECORD;

use crate::case::Reference;
use crate::sweep::Tally;

/// Prints what a sweep came to, one line a way to fail.
pub fn print(
    cloud: &str,
    scenario: &str,
    reference: &Reference,
    rows: &Vec<(&'static str, Tally)>,
    took: Duration,
) {
    record(cloud, scenario, reference, rows);
    let total = |count: fn(&Tally) -> usize| rows.iter().map(|(_, tally)| count(tally)).sum::<usize>();
    let mut text = format!(
        "\n{cloud}, {scenario}: {} requests without faults; {} runs with one, {} converged, in {:.0} s\n",
        reference.requests,
        total(|tally| tally.runs),
        total(|tally| tally.converged),
        took.as_secs_f64(),
    );
    text += &format!(
        "  {:<26}{:>6}{:>11}{:>10}{:>11}{:>12}\n",
        "fault", "runs", "no matter", "halfway", "converged", "requests x"
    );
    for (mode, tally) in rows {
        #[expect(clippy::cast_precision_loss, reason = "counts are small")]
        let factor = tally.most_requests as f64 / reference.requests as f64;
        text += &format!(
            "  {mode:<26}{:>6}{:>11}{:>10}{:>11}{factor:>12.1}\n",
            tally.runs, tally.survived, tally.halfway, tally.converged,
        );
    }
    say(&text);
}

/// Adds a line for each row to the file that `cargo sandbox faults` names.
fn record(cloud: &str, scenario: &str, reference: &Reference, rows: &Vec<(&'static str, Tally)>) {
    let Some(path) = std::env::var_os(RECORD) else { return };
    let mut file =
        OpenOptions::new().append(true).create(true).open(path).expect("the record can be written");
    for (fault, tally) in rows {
        let row = json!({
            "cloud": cloud, "scenario": scenario, "requests": reference.requests, "fault": fault,
            "runs": tally.runs, "survived": tally.survived, "halfway": tally.halfway,
            "converged": tally.converged, "duplicates": tally.duplicates, "foreign": tally.foreign,
            "recovery": tally.recovery.as_secs_f64(),
        });
        // One write, so that lines of tests that run side by side stay whole.
        file.write_all(format!("{row}\n").as_bytes()).expect("the record can be written");
    }
}

/// Tells people something. A closed pipe is no reason to fail.
pub fn say(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}
