//! Tables for people, on standard error, where they are seen from inside a passing test as well.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::Duration;

use crate::case::Reference;
use crate::mode::Mode;
use crate::sweep::Tally;

/// Prints what a sweep came to, one line a mode.
pub fn print(
    scenario: &str,
    reference: &Reference,
    tallies: &BTreeMap<usize, (Mode, Tally)>,
    took: Duration,
) {
    let total = |count: fn(&Tally) -> usize| tallies.values().map(|(_, tally)| count(tally)).sum::<usize>();
    let mut text = format!(
        "\n{scenario}: {} requests without faults; {} runs with one, {} converged, in {:.0} s\n",
        reference.requests,
        total(|tally| tally.runs),
        total(|tally| tally.converged),
        took.as_secs_f64(),
    );
    text += &format!(
        "  {:<26}{:>6}{:>11}{:>10}{:>11}{:>12}\n",
        "fault", "runs", "no matter", "halfway", "converged", "requests x"
    );
    for (mode, tally) in tallies.values() {
        #[expect(clippy::cast_precision_loss, reason = "counts are small")]
        let factor = tally.most_requests as f64 / reference.requests as f64;
        text += &format!(
            "  {:<26}{:>6}{:>11}{:>10}{:>11}{:>12.1}\n",
            mode.name(),
            tally.runs,
            tally.survived,
            tally.halfway,
            tally.converged,
            factor
        );
    }
    say(&text);
}

/// Tells people something. A closed pipe is no reason to fail.
pub fn say(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}
