//! One JSON object of names to values, on one line.

use serde::Serializer;

use super::configuration::Entry;
use crate::error::{Error, Kind, Result};

pub(super) fn encode(entries: &[&Entry]) -> Result<String> {
    let mut text = vec![];
    serde_json::Serializer::new(&mut text)
        .collect_map(entries.iter().map(|entry| (&entry.name, entry.text())))
        .map_err(|error| Error::new(Kind::Failed, "failed to write the outputs as JSON").because(error))?;
    text.push(b'\n');
    String::from_utf8(text).map_err(|error| {
        Error::new(Kind::Failed, "failed to write the outputs as JSON").because(error.utf8_error())
    })
}
