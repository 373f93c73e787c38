//! `cargo sandbox faults`.

use std::process::ExitCode;

use wbstore_sandbox::Error;
use wbstore_sandbox::faults::{RECORD, markdown};

use super::test::{Round, Suite};

/// Sweeps through every fault at every request of `cloud`, or of all, and prints the table of it.
pub async fn run(cloud: Option<&'static str>) -> Result<ExitCode, Error> {
    let unable = |error: std::io::Error| Error::new(format!("cannot keep a record: {error}"));
    let record = tempfile::NamedTempFile::new().map_err(unable)?;
    let mut args = ["--test", "faults"].map(str::to_owned).to_vec();
    args.extend(cloud.map(|cloud| format!("{cloud}::")));
    let variables = vec![(RECORD, record.path().display().to_string())];
    let ended = super::test::run(&Suite { rounds: &[Round::First], in_full: true, args, variables }).await;
    println!("{}", markdown(&std::fs::read_to_string(record.path()).map_err(unable)?));
    ended
}
