//! A file for `docker run --env-file`, which has no quoting: everything after the first `=` is the value.

use super::encoding::Encoding;
use crate::error::Result;
use crate::resource::Output;

pub(super) fn encode(outputs: &[Output]) -> Result<String> {
    outputs.iter().map(line).collect()
}

fn line(output: &Output) -> Result<String> {
    let Output { name, value } = output;
    // Docker splits at line breaks and strips a trailing carriage return; the other control
    // characters are refused because they are invisible in the file.
    if value.chars().any(char::is_control) {
        return Err(Encoding::Docker.refuse(output, "a line break or another control character"));
    }
    Ok(format!("{name}={value}\n"))
}
