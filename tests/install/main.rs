//! The ways to install wbstore and to run it in a pipeline. What cannot run here, as a container or a runner of GitHub,
//! is checked for its form.
#![cfg(unix)]

mod action;
mod archive;
mod forms;
mod gitlab;
mod requirements;
mod wheel;

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use wbstore_sandbox::archive::Release;
use wbstore_sandbox::ran::{Ran, finish};

/// The repository.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn page(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The platform this is built for.
fn host() -> String {
    let output = Command::new("rustc").arg("-vV").output().expect("rustc runs");
    let text = String::from_utf8(output.stdout).expect("text");
    text.lines().find_map(|line| line.strip_prefix("host: ")).expect("it names its host").to_owned()
}

/// The archive of the built wbstore, as `cargo sandbox release` packs one of a release build.
fn packed() -> &'static Path {
    static ARCHIVE: OnceLock<PathBuf> = OnceLock::new();
    ARCHIVE.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let program = folder.join("stripped");
        // With the debugging information of a test build, packing it would be most of the test.
        run(Command::new("strip").arg("-o").arg(&program).arg(env!("CARGO_BIN_EXE_wbstore")));
        packed_with(&program, folder)
    })
}

/// An archive of `program` in `folder`.
fn packed_with(program: &Path, folder: &Path) -> PathBuf {
    let bill = folder.join("bill.json");
    std::fs::write(&bill, "{}").expect("a file");
    let release = Release { project: root(), program, bill: &bill, target: &host() };
    release.pack(folder).unwrap_or_else(|error| panic!("{error}"))
}

/// A shell script in the place of the program.
fn script(path: &Path, lines: &str) {
    std::fs::write(path, format!("#!/bin/sh\n{lines}\n")).expect("a file");
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).expect("an owner");
}

/// What `command` prints; it has to succeed.
#[track_caller]
fn run(command: &mut Command) -> String {
    let Output { status, stdout, stderr } =
        command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let [stdout, stderr] = [stdout, stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    assert!(status.success(), "{command:?}: {status}\n{stdout}{stderr}");
    stdout
}

/// The same command line in the environment of `other`, with the folder of its program in PATH.
async fn beside(mut command: Command, other: &Command) -> Ran {
    for (name, value) in other.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let folder = Path::new(other.get_program()).parent().expect("a program is in a folder").to_owned();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths([folder].into_iter().chain(std::env::split_paths(&path)));
    command.env("PATH", path.expect("folders that PATH can hold"));
    finish(command).await
}
