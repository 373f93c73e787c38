//! `cargo sandbox ablate`.

use std::fs;
use std::process::ExitCode;

use wbstore_sandbox::ran::ABLATION;
use wbstore_sandbox::{Error, paths};

use super::group::Group;
use super::test::{Round, Suite};

/// A safeguard, as `src/ablation.rs` calls it, and the test that has to turn red without it.
struct Ablation {
    safeguard: &'static str,
    target: &'static str,
    test: &'static str,
}

const ABLATIONS: [Ablation; 7] = [
    Ablation {
        safeguard: "mark-in-creating-call",
        target: "conformance",
        test: "a_kill_at_any_write_is_mended_by_one_run",
    },
    Ablation {
        safeguard: "second-decision",
        target: "conformance",
        test: "an_upload_during_an_earlier_step_stays",
    },
    Ablation {
        safeguard: "list-match-insert",
        target: "gcp",
        test: "a_second_one_of_ours_goes_and_the_right_one_stays",
    },
    Ablation {
        safeguard: "read-back",
        target: "aws",
        test: "an_entry_of_ours_that_another_writer_drops_is_written_again",
    },
    Ablation {
        safeguard: "etag-loop",
        target: "gcp",
        test: "a_binding_that_came_between_reading_and_writing_survives",
    },
    Ablation { safeguard: "per-key-errors", target: "aws", test: "a_key_that_s3_refuses_to_delete_is_named" },
    Ablation { safeguard: "second-trace", target: "aws", test: "a_mark_alone_has_no_bucket_deleted" },
];

/// Builds wbstore with safeguards that can be switched off, switches off one at a time, and runs the test that
/// should notice: it must pass with all of them in place and fail without the one.
pub async fn run() -> Result<ExitCode, Error> {
    let unable = |error: std::io::Error| Error::new(format!("cannot keep the program: {error}"));
    eprintln!("sandbox: building wbstore with safeguards that can be switched off");
    let build = ["build", "--package", "wbstore", "--package", "wbstore-sandbox", "--bin", "wbstore"];
    let with = [&build[..], &["--features", "wbstore/ablation"]].concat();
    if Group::cargo(&with, &[], None)?.wait().await? != 0 {
        return Err(Error::new("wbstore does not build with the feature `ablation`"));
    }
    let program = paths::sandbox()?.join("wbstore-ablation");
    fs::copy(paths::wbstore()?, &program).map_err(unable)?;
    super::build().await?;
    let mut rows = vec![];
    for Ablation { safeguard, target, test } in ABLATIONS {
        let passes = async |off: &str| {
            let args = ["--test", target, test].map(str::to_owned).to_vec();
            let variables = vec![(paths::BINARY, program.display().to_string()), (ABLATION, off.to_owned())];
            let suite = Suite { rounds: &[Round::First], in_full: false, args, variables };
            super::test::passes(&suite).await
        };
        let (with, without) = (passes("").await?, passes(safeguard).await?);
        rows.push((safeguard, target, test, with, without));
    }
    println!("\n| Safeguard | Test | With it | Without it |\n|---|---|---|---|");
    let word = |passes: bool| if passes { "green" } else { "red" };
    for (safeguard, target, test, with, without) in &rows {
        println!("| {safeguard} | {target}: {test} | {} | {} |", word(*with), word(*without));
    }
    let proves = rows.iter().all(|(.., with, without)| *with && !without);
    Ok(if proves { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
