//! Remarks beside the data: errors with hints, and notes.

use clap::error::{Error as UsageError, ErrorKind};
use serde::Serialize;

use super::clean::clean;
use super::json;
use super::palette::{BAD, HINT, WARN, paint};
use crate::cli::Format;
use crate::error::{Error, exit};

/// One remark on stderr. As JSON it is an object whose `event` names the kind, like those of the
/// steps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Remark {
    /// Something failed or was refused.
    Error {
        /// What, and why.
        error: String,
        /// What to do next.
        #[serde(skip_serializing_if = "Option::is_none")]
        hint: Option<String>,
        /// The exit code that follows from it.
        exit_code: u8,
    },
    /// A fact worth knowing.
    Note {
        /// The fact.
        note: String,
    },
    /// Something that may go wrong, or is not as one would expect.
    Warning {
        /// What, and why.
        warning: String,
    },
}

impl Remark {
    /// `error`, which makes the process end with `exit_code`.
    pub fn error(error: &Error, exit_code: u8) -> Self {
        Self::Error { error: error.chain(), hint: error.what_next().map(str::to_owned), exit_code }
    }

    /// A fact worth knowing.
    pub fn note(note: &str) -> Self {
        Self::Note { note: note.to_owned() }
    }

    /// Something that may go wrong.
    pub fn warning(warning: &str) -> Self {
        Self::Warning { warning: warning.to_owned() }
    }

    /// A command line that clap refused. Its message becomes one line, its tips the hint.
    pub fn usage(error: &UsageError) -> Self {
        let text = error.render().to_string();
        let text = text.trim_start_matches("error: ");
        let line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        // Our own parsers write the hint below the message, clap writes paragraphs.
        let (message, rest) =
            text.split_once("\nhint: ").or_else(|| text.split_once("\n\n")).unwrap_or((text, ""));
        let hint = match error.kind() {
            ErrorKind::ValueValidation if text.contains("\nhint: ") => line(rest),
            _ => {
                let tips = rest.lines().filter_map(|text| text.trim().strip_prefix("tip: "));
                let usage = rest.lines().find(|text| text.starts_with("Usage: "));
                let parts: Vec<_> =
                    tips.chain(usage).chain(["`--help` shows all options"]).map(line).collect();
                parts.join("; ")
            }
        };
        Self::Error { error: line(message), hint: Some(hint), exit_code: exit::USAGE }
    }

    /// The remark in `format`, with a line break at its end.
    pub fn text(&self, format: Format) -> String {
        match (format, self) {
            (Format::Json, remark) => json::line(remark).unwrap_or_default(),
            (Format::Human, Self::Note { note }) => format!("note: {}\n", clean(note)),
            (Format::Human, Self::Warning { warning }) => {
                format!("{} {}\n", paint(WARN, "warning:"), clean(warning))
            }
            (Format::Human, Self::Error { error, hint: next, .. }) => {
                let line = format!("{} {}\n", paint(BAD, "error:"), clean(error));
                line + &next.as_deref().map(hint).unwrap_or_default()
            }
        }
    }
}

/// `hint: …` on its own line. A hint of more lines, such as a list of commands, keeps them.
pub fn hint(text: &str) -> String {
    let lines: Vec<_> = text.lines().map(clean).collect();
    format!("{} {}\n", paint(HINT, "hint:"), lines.join("\n      "))
}
