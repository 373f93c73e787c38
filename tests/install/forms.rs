//! The form of what runs elsewhere: workflows and the action by the schemas that GitHub's and GitLab's editors use, the
//! container file by hadolint, and what is unsafe in a workflow by zizmor.

use std::process::Command;

use wbstore_sandbox::venv::Requirements;

use crate::{page, root, run};

const WORKFLOWS: [&str; 3] = [".github/workflows/ci.yml", ".github/workflows/release.yml", "ci/github.yml"];

/// A program of these packages, started in the repository.
fn linter(requirements: Requirements, name: &str) -> Command {
    let program = requirements.program(name).unwrap_or_else(|error| panic!("{error}"));
    let mut linter = Command::new(program);
    linter.current_dir(root());
    linter
}

fn satisfy(schema: &str, files: &[&str]) {
    let mut python = linter(Requirements::LINTERS, "python");
    run(python.args(["-m", "check_jsonschema", "--builtin-schema", schema]).args(files));
}

#[test]
#[ignore = "installs linters: cargo sandbox test"]
fn workflows_and_the_action_satisfy_their_schemas() {
    satisfy("vendor.github-actions", &["action.yml"]);
    satisfy("vendor.github-workflows", &WORKFLOWS);
    satisfy("custom.github-workflows-require-timeout", &WORKFLOWS);
    satisfy("vendor.gitlab-ci", &["ci/gitlab.yml"]);
}

#[test]
#[ignore = "installs linters: cargo sandbox test"]
fn the_container_file_passes_hadolint() {
    let said = run(linter(Requirements::LINTERS, "hadolint").arg("Dockerfile"));
    assert_eq!(said, "");
    let file = page("Dockerfile");
    let last = file.rsplit("\nFROM ").next().expect("it has a last stage");
    assert!(last.starts_with("gcr.io/distroless/cc-debian12:nonroot@sha256:"), "{last}");
    assert!(last.contains("\nUSER 65532:65532\n") && !last.contains("\nRUN "), "{last}");
    let rust = concat!("FROM rust:", env!("CARGO_PKG_RUST_VERSION"), ".");
    assert!(file.contains(rust), "the image is not built with {rust}");
}

/// Among others: no input or text of others in a script, no action but by its commit, no more permissions than used.
#[test]
#[ignore = "installs linters: cargo sandbox test"]
fn workflows_and_the_action_are_safe() {
    let mut zizmor = linter(Requirements::ZIZMOR, "zizmor");
    run(zizmor.args(["--offline", "--persona=pedantic", "action.yml"]).args(WORKFLOWS));
}

#[test]
fn every_example_uses_this_version() {
    let version = env!("CARGO_PKG_VERSION");
    let github = page("ci/github.yml");
    let uses = github
        .lines()
        .filter_map(|line| line.trim_start_matches([' ', '-']).strip_prefix("uses: wbstore/wbstore@"));
    let uses: Vec<_> = uses.filter_map(|tag| tag.split(' ').next()).collect();
    assert_eq!(uses, [format!("v{version}"), format!("v{version}")]);
    assert!(page("ci/gitlab.yml").contains(&format!("  WBSTORE_VERSION: {version}\n")));
    let install = page("docs/install.md");
    let versions: Vec<_> = install
        .split("wbstore-")
        .skip(1)
        .filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
        .collect();
    assert!(!versions.is_empty() && versions.iter().all(|rest| rest.starts_with(version)), "{versions:?}");
}

/// The tools are named twice: for the tests and releases, and for whoever builds the source distribution.
#[test]
fn maturin_is_pinned_to_one_version() {
    let pin = |text: &str| {
        text.split("maturin==").nth(1).map(|rest| rest.split(['"', '\n']).next().map(str::to_owned))
    };
    let pins =
        ["pyproject.toml", "tests/sandbox/requirements/wheels.txt", "tests/sandbox/requirements/release.txt"]
            .map(|path| pin(&page(path)));
    assert!(pins[0].is_some() && pins.iter().all(|pin| *pin == pins[0]), "{pins:?}");
}
