//! Assignments for a POSIX shell.
//!
//! The lines follow the published guide, `BUCKET=s3://acme-wandb`. They set variables and
//! do not export them; to export, evaluate them between `set -a` and `set +a`.

use std::borrow::Cow;

use super::configuration::Entry;
use super::encoding::{Encoding, is_plain};
use crate::error::Result;

pub(super) fn encode(entries: &[&Entry]) -> Result<String> {
    entries.iter().map(|entry| line(entry)).collect()
}

fn line(entry: &Entry) -> Result<String> {
    let (name, value) = (&entry.name, entry.text());
    // No shell variable can hold a NUL; shells drop it silently.
    if value.contains('\0') {
        return Err(Encoding::Env.refuse(entry, "a NUL"));
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
