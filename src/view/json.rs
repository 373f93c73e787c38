//! JSON for other programs: documents, and streams of one object a line.
//!
//! A plan's document is the [`Plan`](crate::plan::Plan) itself; `docs/plan.schema.json` describes it
//! and `format` tells its version.

use serde::Serialize;

use crate::error::{Error, Kind, Result};

/// `value` as an indented document with a final line break.
///
/// # Errors
/// When `value` has no JSON form, which is a fault of ours.
pub fn document(value: &impl Serialize) -> Result<String> {
    serde_json::to_string_pretty(value).map(ended).map_err(fault)
}

/// `value` on one line, with the line break.
///
/// # Errors
/// When `value` has no JSON form, which is a fault of ours.
pub fn line(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map(ended).map_err(fault)
}

fn ended(mut text: String) -> String {
    text.push('\n');
    text
}

fn fault(error: serde_json::Error) -> Error {
    Error::new(Kind::Failed, "failed to write JSON").because(error)
}
