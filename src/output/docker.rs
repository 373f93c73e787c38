//! A file for `docker run --env-file`, which has no quoting: everything after the first `=` is the value.

use super::configuration::Entry;
use super::encoding::Encoding;
use crate::error::Result;

pub(super) fn encode(entries: &[&Entry]) -> Result<String> {
    entries.iter().map(|entry| line(entry)).collect()
}

fn line(entry: &Entry) -> Result<String> {
    let (name, value) = (&entry.name, entry.text());
    // Docker splits at line breaks and strips a trailing carriage return; the other control
    // characters are refused because they are invisible in the file.
    if value.chars().any(char::is_control) {
        return Err(Encoding::Docker.refuse(entry, "a line break or another control character"));
    }
    Ok(format!("{name}={value}\n"))
}
