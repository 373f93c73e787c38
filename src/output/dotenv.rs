//! A `.env` file, in the part of that format on which its readers agree.
//!
//! There is no standard. Docker compose, python-dotenv, the dotenv of Node and a shell's `.` all
//! read single quotes literally and disagree on escapes, on `$` between double quotes, and on
//! `${…}` anywhere. So nothing is escaped: a value goes between quotes in which all of its
//! characters are literal, or it is rejected.

use super::encoding::{Encoding, is_plain};
use crate::error::Result;
use crate::resource::Output;

pub(super) fn encode(outputs: &[Output]) -> Result<String> {
    outputs.iter().map(line).collect()
}

fn line(output: &Output) -> Result<String> {
    let Output { name, value } = output;
    let refuse = |what| Err(Encoding::Dotenv.refuse(output, what));
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
