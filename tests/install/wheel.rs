//! The wheel, as PyPI would serve it.

use std::fs;
use std::path::Path;
use std::process::Command;

use wbstore_sandbox::aws::Aws;
use wbstore_sandbox::cloud::{Cloud, in_full};
use wbstore_sandbox::venv::Requirements;

use crate::{beside, root, run};

/// maturin, which is started in the repository and writes into `out`.
fn maturin(command: &str, out: &Path) -> Command {
    let program = Requirements::WHEELS.program("maturin").unwrap_or_else(|error| panic!("{error}"));
    let mut maturin = Command::new(program);
    maturin.arg(command).arg("--out").arg(out).current_dir(root());
    maturin
}

fn only_file(folder: &Path, ending: &str) -> String {
    let names =
        folder.read_dir().expect("a folder").filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let found: Vec<_> = names.filter(|name| name.ends_with(ending)).collect();
    let [name] = &found[..] else { panic!("{ending}: {found:?}") };
    name.clone()
}

#[test]
#[ignore = "installs maturin: cargo sandbox test"]
fn the_source_distribution_has_what_the_build_requires() {
    let out = tempfile::tempdir().expect("a folder");
    run(&mut maturin("sdist", out.path()));
    let name = only_file(out.path(), ".tar.gz");
    run(Command::new("tar").args(["-xzf", &name]).current_dir(out.path()));
    let folder = out.path().join(name.trim_end_matches(".tar.gz"));
    // It resolves with the lock file that it has, and has every module.
    let metadata = ["metadata", "--locked", "--offline", "--format-version", "1"];
    run(Command::new(env!("CARGO")).args(metadata).current_dir(&folder));
    for module in
        ["src/main.rs", "providers/mod.rs", "providers/aws/policy/operator.json", "Cargo.lock", "LICENSE"]
    {
        assert!(folder.join(module).is_file(), "{module}");
    }
    let described = fs::read_to_string(folder.join("PKG-INFO")).expect("text");
    for line in
        ["Name: wbstore", "License-Expression: Apache-2.0", concat!("Version: ", env!("CARGO_PKG_VERSION"))]
    {
        assert!(described.lines().any(|there| there == line), "{line}: {described}");
    }
}

/// It builds wbstore once more, with the features that it has without the sandbox; that takes minutes, so it runs with
/// `--all` alone. The profile is that of the tests: it decides on speed and size only.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the emulators: cargo sandbox test --all"]
async fn a_wheel_installs_in_a_fresh_environment_and_works() {
    if !in_full() {
        return;
    }
    let out = tempfile::tempdir().expect("a folder");
    let folder = out.path();
    // From the source distribution, so that this is complete.
    run(maturin("build", folder).args(["--sdist", "--locked", "--offline", "--profile", "dev", "--strip"]));
    let wheel = folder.join(only_file(folder, ".whl"));
    let venv = folder.join("venv");
    run(Command::new("python3").args(["-m", "venv"]).arg(&venv));
    run(Command::new(venv.join("bin/python")).args(["-m", "pip", "install", "--no-index"]).arg(&wheel));
    let installed = venv.join("bin/wbstore");
    let version = concat!("wbstore ", env!("CARGO_PKG_VERSION"), "\n");
    assert_eq!(run(Command::new(&installed).arg("--version").env_clear()), version);

    let aws = Aws::fresh().await;
    let mut plan = Command::new(&installed);
    plan.args(["plan", "aws", "--host", "https://wandb.acme.com"]);
    let ran = beside(plan, &aws.wbstore()).await.ends(0);
    assert!(ran.stdout.contains("Plan: 7 to create"), "{ran}");

    // `uvx wbstore …`, with a folder in the place of the index.
    let uv = Requirements::WHEELS.program("uv").unwrap_or_else(|error| panic!("{error}"));
    let mut uvx = Command::new(uv);
    uvx.args(["tool", "run", "--offline", "--no-index", "--find-links"])
        .arg(folder)
        .args(["wbstore", "--version"]);
    uvx.env("UV_CACHE_DIR", folder.join("cache")).env("UV_TOOL_DIR", folder.join("tools"));
    assert_eq!(run(&mut uvx), version);
}
