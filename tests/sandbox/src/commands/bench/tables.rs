//! How the numbers are shown.

use std::path::Path;
use std::time::Duration;

use super::measure::Cost;

pub const COSTS: &str = "  work      delay  account  requests  writes  round trips      ms  peak MiB";
pub const RATIOS: &str = "  work      delay  wbstore ms  boto3 ms  ratio  requests  theirs";

/// Size and start-up time.
pub fn binary(path: &Path, start_ups: &[Duration]) {
    let bytes = std::fs::metadata(path).map_or(0, |data| data.len());
    let milliseconds = |time: Option<&Duration>| time.map_or(0.0, |time| time.as_secs_f64() * 1000.0);
    println!(
        "  {:.1} MiB; --version in {:.1} ms at best, {:.1} ms in the median of {}",
        mebibytes(bytes / 1024),
        milliseconds(start_ups.first()),
        milliseconds(start_ups.get(start_ups.len() / 2)),
        start_ups.len(),
    );
}

/// One line of [`COSTS`]. Round trips are told by times, so that without a delay they say nothing.
pub fn cost(work: &str, delay: u64, account: &str, cost: &Cost, budget: Option<usize>) {
    let budget = budget.map(|budget| format!(" ({budget})")).unwrap_or_default();
    let trips = if delay == 0 { "-".to_owned() } else { format!("{}{budget}", cost.counts.round_trips) };
    println!(
        "  {work:<9}{delay:>6}  {account:<7}{:>10}{:>8}{trips:>13}{:>8}{:>10.1}",
        cost.counts.requests,
        cost.counts.mutating,
        cost.took.as_millis(),
        mebibytes(cost.peak),
    );
}

/// One line of [`RATIOS`].
pub fn ratio(work: &str, delay: u64, ours: &Cost, theirs: &Cost) {
    println!(
        "  {work:<9}{delay:>6}{:>12}{:>10}{:>7.1}{:>10}{:>8}",
        ours.took.as_millis(),
        theirs.took.as_millis(),
        theirs.took.as_secs_f64() / ours.took.as_secs_f64(),
        ours.counts.requests,
        theirs.counts.requests,
    );
}

/// The rates of emptying; of two, the second one's time as a multiple of the first one's.
pub fn emptying(objects: usize, costs: &[(&str, Cost)]) {
    println!("\nemptying a bucket of {objects} objects");
    for (name, cost) in costs {
        #[expect(clippy::cast_precision_loss, reason = "objects are counted in thousands")]
        let rate = objects as f64 / cost.took.as_secs_f64();
        println!(
            "  {name:<8}{rate:>8.0} objects/s{:>6} requests{:>8.1} MiB at the peak",
            cost.counts.requests,
            mebibytes(cost.peak)
        );
    }
    if let [(_, ours), (_, theirs)] = costs {
        println!("  ratio   {:>8.1}", theirs.took.as_secs_f64() / ours.took.as_secs_f64());
    }
}

pub fn mebibytes(kibibytes: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "sizes of programs")]
    let kibibytes = kibibytes as f64;
    kibibytes / 1024.0
}
