//! A `.env` file, in the part of that format on which its readers agree.
//!
//! There is no standard. Docker compose, python-dotenv, the dotenv of Node and a shell's `.` all
//! read single quotes literally and disagree on escapes, on `$` between double quotes, and on
//! `${…}` anywhere. So nothing is escaped: a value goes between quotes in which all of its
//! characters are literal, or it is rejected.

use super::configuration::Entry;
use super::encoding::{Encoding, is_plain};
use crate::error::Result;

pub(super) fn encode(entries: &[&Entry]) -> Result<String> {
    entries.iter().map(|entry| line(entry)).collect()
}

fn line(entry: &Entry) -> Result<String> {
    let (name, value) = (&entry.name, entry.text());
    let refuse = |what| Err(Encoding::Dotenv.refuse(entry, what));
    if value.chars().any(char::is_control) {
        return refuse("a line break or another control character");
    }
    if value.contains('\\') {
        return refuse("a backslash");
    }
    if value.contains("${") {
        return refuse("a `${`");
    }
    if is_plain(value) {
        return Ok(format!("{name}={value}\n"));
    }
    if !value.contains('\'') {
        return Ok(format!("{name}='{value}'\n"));
    }
    if value.contains(['"', '$', '`']) {
        return refuse("a single quote together with a double quote, `$` or backtick");
    }
    Ok(format!("{name}=\"{value}\"\n"))
}
