//! What `cargo install` requires, and what the program requires where it runs, as in the image of the Dockerfile.

use std::collections::BTreeSet;
use std::process::Command;

use wbstore_sandbox::aws::Aws;
use wbstore_sandbox::cloud::{Cloud, HOST};
use wbstore_sandbox::ran::finish;

use crate::{page, run};

/// Crates of C or assembler that are built for the program, as `docs/install.md` names them.
#[test]
fn the_crates_that_require_a_c_compiler_are_those_of_the_page() {
    let tree = ["tree", "--locked", "--offline", "--package", "wbstore", "--edges", "normal,build"];
    let tree = run(Command::new(env!("CARGO")).args(tree).args(["--prefix", "none", "--format", "{p}"]));
    let crates: BTreeSet<_> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    let native: Vec<_> =
        crates.iter().filter(|name| name.ends_with("-sys") && !BINDINGS.contains(name)).collect();
    assert_eq!(native, [&"aws-lc-sys"], "docs/install.md names the ones that require a compiler");
    assert!(!crates.contains("ring"));
    assert!(page("docs/install.md").contains("`aws-lc-sys`"));
}

/// Bindings to what the system has, without a source of their own.
const BINDINGS: &[&str] =
    &["core-foundation-sys", "js-sys", "linux-raw-sys", "security-framework-sys", "web-sys", "windows-sys"];

/// The image is distroless/cc: glibc and libgcc, and nothing else of a distribution.
#[test]
#[cfg(target_os = "linux")]
fn the_program_requires_the_libraries_of_the_image_alone() {
    let needed = run(Command::new("readelf").args(["--dynamic", env!("CARGO_BIN_EXE_wbstore")]));
    let needed: Vec<_> = needed
        .lines()
        .filter(|line| line.contains("(NEEDED)"))
        .filter_map(|line| line.split(['[', ']']).nth(1))
        .collect();
    let there = ["ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1", "libc.so.6", "libgcc_s.so.1", "libm.so.6"];
    assert!(!needed.is_empty() && needed.iter().all(|library| there.contains(library)), "{needed:?}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn credentials_of_the_environment_require_neither_a_home_directory_nor_a_program() {
    let aws = Aws::fresh().await;
    let mut plan = Command::new(env!("CARGO_BIN_EXE_wbstore"));
    plan.args(["plan", "aws", "--host", HOST]).env_clear().envs(aws.env()).current_dir("/");
    let ran = finish(plan).await.ends(0);
    assert!(ran.stdout.contains("aws/bucket/"), "{ran}");
}
