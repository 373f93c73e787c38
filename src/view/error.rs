//! An error, as its reader meets it: what is wrong and why on one line, what to do on the next.

use super::clean::clean;
use super::palette::{BAD, HINT, paint};
use crate::error::Error;

/// `error: …` and, where there is one, `hint: …`, each on its own line.
pub fn error(error: &Error) -> String {
    let mut text = format!("{} {}\n", paint(BAD, "error:"), clean(&error.chain()));
    if let Some(next) = error.what_next() {
        text.push_str(&hint(next));
    }
    text
}

/// `hint: …` on its own line. A hint of more lines, such as a list of commands, keeps them.
pub fn hint(text: &str) -> String {
    let lines: Vec<_> = text.lines().map(clean).collect();
    format!("{} {}\n", paint(HINT, "hint:"), lines.join("\n      "))
}

/// `warning: …` on its own line.
pub fn warning(text: &str) -> String {
    format!("{} {}\n", paint(super::palette::WARN, "warning:"), clean(text))
}

/// One line of remark.
pub fn note(text: &str) -> String {
    format!("note: {}\n", clean(text))
}
