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
    serde_json::to_string_pretty(value).map(|text| escaped(&text) + "\n").map_err(fault)
}

/// `value` on one line, with the line break. Terminal control characters are escaped beyond what JSON
/// requires.
///
/// # Errors
/// When `value` has no JSON form, which is a bug.
pub fn line(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map(|text| escaped(&text) + "\n").map_err(fault)
}

/// `text`, which is JSON, with the letters escaped that a terminal would obey or that are not seen. Only a
/// string can hold them, and the line breaks of a document are none of theirs.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len() + 1);
    for letter in text.chars() {
        if letter == '\n' || harmless(letter) == Some(letter) {
            safe.push(letter);
            continue;
        }
        for unit in letter.encode_utf16(&mut [0; 2]) {
            let _ = write!(safe, "\\u{unit:04x}");
        }
    }
    safe
}

fn fault(error: serde_json::Error) -> Error {
    Error::new(Kind::Failed, "failed to write JSON").because(error)
}

#[cfg(test)]
mod tests {
    use super::line;

    #[test]
    fn what_a_terminal_would_obey_is_escaped_and_comes_back() {
        let text = "a\u{9b}31m\u{202e}\u{1b}\u{7f}\n\u{2028}\u{200b}\u{e0041}bücher 🪣";
        let written = line(&text).unwrap();
        assert_eq!(
            written.trim_end(),
            "\"a\\u009b31m\\u202e\\u001b\\u007f\\n\\u2028\\u200b\\udb40\\udc41bücher 🪣\""
        );
        assert_eq!(serde_json::from_str::<String>(&written).unwrap(), text);
    }
}
