//! JSON for other programs: one value a line, and documents to be kept in a file.
//!
//! A plan's document is the [`Plan`](crate::plan::Plan) itself; `docs/plan.schema.json` describes it
//! and `format` is its version.

use std::fmt::Write as _;

use serde::Serialize;

use crate::error::{Error, Kind, Result};
use crate::text::harmless;

/// `value` as an indented document with a final line break.
///
/// # Errors
/// When `value` has no JSON form, which is a bug.
pub fn document(value: &impl Serialize) -> Result<String> {
    serde_json::to_string_pretty(value).map(|text| text + "\n").map_err(fault)
}

/// `value` on one line, with the line break. Terminal control characters are escaped beyond what JSON
/// requires.
///
/// # Errors
/// When `value` has no JSON form, which is a bug.
pub fn line(value: &impl Serialize) -> Result<String> {
    let text = serde_json::to_string(value).map_err(fault)?;
    let mut line = String::with_capacity(text.len() + 1);
    for letter in text.chars() {
        if harmless(letter) == Some(letter) {
            line.push(letter);
        } else {
            // Only a string can hold such a letter, and none is beyond the 16 bits of one escape.
            let _ = write!(line, "\\u{:04x}", u32::from(letter));
        }
    }
    line.push('\n');
    Ok(line)
}

fn fault(error: serde_json::Error) -> Error {
    Error::new(Kind::Failed, "failed to write JSON").because(error)
}

#[cfg(test)]
mod tests {
    use super::line;

    #[test]
    fn what_a_terminal_would_obey_is_escaped_and_comes_back() {
        let text = "a\u{9b}31m\u{202e}\u{1b}\u{7f}\n\u{2028}bücher 🪣";
        let written = line(&text).unwrap();
        assert_eq!(written.trim_end(), "\"a\\u009b31m\\u202e\\u001b\\u007f\\n\\u2028bücher 🪣\"");
        assert_eq!(serde_json::from_str::<String>(&written).unwrap(), text);
    }
}
