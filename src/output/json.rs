//! One JSON object of names to values, on one line.

use super::yaml::Entries;
use crate::error::{Error, Kind, Result};
use crate::resource::Output;

pub(super) fn encode(outputs: &[Output]) -> Result<String> {
    let mut text = serde_json::to_string(&Entries::bare(outputs))
        .map_err(|error| Error::new(Kind::Failed, "failed to write the outputs as JSON").because(error))?;
    text.push('\n');
    Ok(text)
}
