//! Numbers that are worth showing: `--nocapture` prints them.

use std::fmt::Display;

#[expect(clippy::print_stderr, reason = "a test's own output is shown where it is asked for")]
pub fn record(line: impl Display) {
    eprintln!("{line}");
}
