//! Assignments for a POSIX shell.
//!
//! The lines follow the published guide, `BUCKET=s3://acme-wandb`. They set variables and
//! do not export them; to export, evaluate them between `set -a` and `set +a`.

use std::borrow::Cow;

use super::encoding::{Encoding, is_plain};
use crate::error::Result;
use crate::resource::Output;

pub(super) fn encode(outputs: &[Output]) -> Result<String> {
    outputs.iter().map(line).collect()
}

fn line(output: &Output) -> Result<String> {
    let Output { name, value } = output;
    // No shell variable can hold a NUL; shells drop it silently.
    if value.contains('\0') {
        return Err(Encoding::Env.refuse(output, "a NUL"));
    }
    Ok(format!("{name}={}\n", quoted(value)))
}

fn quoted(value: &str) -> Cow<'_, str> {
    if is_plain(value) {
        Cow::Borrowed(value)
    } else {
        Cow::Owned(format!("'{}'", value.replace('\'', r"'\''")))
    }
}
