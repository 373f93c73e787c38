//! `cargo sandbox release`.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::Value;
use tokio::process::Command;
use wbstore_sandbox::archive::Release;
use wbstore_sandbox::venv::Requirements;
use wbstore_sandbox::{Error, paths};

/// Writes the tree of crates into the program (<https://github.com/rust-secure-code/cargo-auditable>), so that
/// `cargo audit bin` reads it from an installed one.
const AUDITABLE: Tool = Tool { name: "cargo-auditable", version: "0.7.7" };
/// Reads it back as a CycloneDX document: of the program that was built, and not of what could have been.
const CYCLONEDX: Tool = Tool { name: "auditable2cdx", version: "0.1.0" };

/// A program from crates.io, at a version.
struct Tool {
    name: &'static str,
    version: &'static str,
}

impl Tool {
    /// Where it is, installed first where it is not.
    async fn installed(&self) -> Result<PathBuf, Error> {
        let root = paths::sandbox()?.join(format!("{}-{}", self.name, self.version));
        let program = root.join("bin").join(self.name);
        if !program.is_file() {
            let mut install = cargo();
            install.args(["install", "--locked", "--quiet", self.name, "--version", self.version, "--root"]);
            launch(install.arg(&root)).await?;
        }
        Ok(program)
    }
}

/// Builds wbstore as it is released for `target`, which has to run here: a wheel and the source distribution that it
/// was built from, and an archive of the same program with a bill of materials in CycloneDX, and its checksum.
pub async fn run(target: Option<&str>) -> Result<ExitCode, Error> {
    let (auditable, cyclonedx) = (AUDITABLE.installed().await?, CYCLONEDX.installed().await?);
    let target = match target {
        Some(target) => target.to_owned(),
        None => host().await?,
    };
    let dist = paths::target()?.join("dist");
    let wheels = dist.join("python");
    fs::create_dir_all(&wheels).map_err(|error| unable(&wheels, &error))?;
    let draft = tempfile::tempdir_in(&dist).map_err(|error| unable(&dist, &error))?;

    let wheel = built(&target, &auditable, draft.path()).await?;
    let python = ["-m", "zipfile", "-e"];
    launch(Command::new("python3").args(python).arg(&wheel).arg(draft.path())).await?;
    let program = draft.path().join(format!("wbstore-{}.data/scripts/wbstore", Release::VERSION));
    executable(&program)?;

    let listed = launch(Command::new(cyclonedx).arg(&program)).await?;
    let crates = known(&listed)?;
    let bill = draft.path().join("wbstore.cdx.json");
    fs::write(&bill, listed).map_err(|error| unable(&bill, &error))?;
    let project = paths::project()?;
    let release = Release { project: &project, program: &program, bill: &bill, target: &target };
    let archive = release.pack(&dist)?;
    let sum = archive.with_file_name(format!("wbstore-{}-{target}.tar.gz.sha256", Release::VERSION));
    let sum = fs::read_to_string(&sum).map_err(|error| unable(&sum, &error))?;
    println!("{} ({crates} crates)\nsha256 {sum}", archive.display());

    for file in files(draft.path())?.into_iter().filter(|file| file.is_file() && *file != bill) {
        let kept = wheels.join(file.file_name().unwrap_or_default());
        fs::rename(&file, &kept).map_err(|error| unable(&kept, &error))?;
        println!("{}", kept.display());
    }
    Ok(ExitCode::SUCCESS)
}

/// Has maturin write the source distribution into `out`, and the wheel that it builds from that; returns the wheel.
async fn built(target: &str, auditable: &Path, out: &Path) -> Result<PathBuf, Error> {
    let install = || Requirements::RELEASE.program("maturin");
    let maturin =
        tokio::task::spawn_blocking(install).await.map_err(|error| Error::new(error.to_string()))??;
    // maturin has no option for it, but calls the cargo that it is told to.
    let wrapper = out.join("cargo.sh");
    let (real, auditable) = (cargo().as_std().get_program().to_owned(), auditable.display().to_string());
    let lines = format!("#!/bin/sh\nCARGO='{}' exec '{auditable}' auditable \"$@\"\n", real.display());
    fs::write(&wrapper, lines).map_err(|error| unable(&wrapper, &error))?;
    executable(&wrapper)?;

    let mut build = Command::new(&maturin);
    build.args(["build", "--sdist", "--release", "--locked", "--target", target, "--out"]).arg(out);
    if target.contains("linux") {
        build.arg("--zig");
    }
    // Where zig is, as a package of the same interpreter.
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = maturin.parent().map(Path::to_owned).into_iter().chain(std::env::split_paths(&path));
    let path = std::env::join_paths(path).map_err(|error| Error::new(error.to_string()))?;
    build.env("PATH", path).env("CARGO", &wrapper).env("CARGO_TARGET_DIR", paths::target()?);
    build.env_remove(paths::BINARY).current_dir(paths::project()?);
    launch(&mut build).await?;
    fs::remove_file(&wrapper).map_err(|error| unable(&wrapper, &error))?;
    let wheel = files(out)?.into_iter().find(|file| file.extension().is_some_and(|name| name == "whl"));
    wheel.ok_or_else(|| Error::new("maturin wrote no wheel"))
}

/// What is in `folder`.
fn files(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let entries = folder.read_dir().map_err(|error| unable(folder, &error))?;
    Ok(entries.filter_map(Result::ok).map(|entry| entry.path()).collect())
}

/// How many crates a bill of materials lists.
///
/// # Errors
/// When one of them is not in `Cargo.lock`, or wbstore itself or its TLS stack is missing: then it is not
/// that of this program.
fn known(bill: &[u8]) -> Result<usize, Error> {
    let bill: Value = serde_json::from_slice(bill)
        .map_err(|error| Error::new(format!("the bill of materials is not JSON: {error}")))?;
    let lock = paths::project()?.join("Cargo.lock");
    let lock = fs::read_to_string(&lock).map_err(|error| unable(&lock, &error))?;
    let locked: BTreeSet<(&str, &str)> = lock
        .split("[[package]]")
        .filter_map(|package| {
            let field =
                |name| package.split_once(&format!("{name} = \""))?.1.split_once('"').map(|(value, _)| value);
            Some((field("name")?, field("version")?))
        })
        .collect();
    let components = bill["components"].as_array().map_or(&[][..], Vec::as_slice);
    let text = |component: &Value, field: &str| component[field].as_str().unwrap_or_default().to_owned();
    let listed: BTreeSet<(String, String)> =
        components.iter().map(|one| (text(one, "name"), text(one, "version"))).collect();
    if let Some((name, version)) =
        listed.iter().find(|(name, version)| !locked.contains(&(name.as_str(), version.as_str())))
    {
        return Err(Error::new(format!("the bill of materials lists {name} {version}, Cargo.lock does not")));
    }
    for name in ["rustls", "aws-lc-sys", "tokio"] {
        if !listed.iter().any(|(listed, _)| listed == name) {
            return Err(Error::new(format!("the bill of materials lists no {name}")));
        }
    }
    Ok(listed.len())
}

/// The platform that cargo builds for.
async fn host() -> Result<String, Error> {
    let said = launch(Command::new("rustc").args(["-vV"])).await?;
    let said = String::from_utf8_lossy(&said);
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.ok_or_else(|| Error::new("rustc names no host"))?.to_owned())
}

fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// What `command` wrote to stdout.
async fn launch(command: &mut Command) -> Result<Vec<u8>, Error> {
    let shown = format!("{:?}", command.as_std());
    command.stdin(std::process::Stdio::null()).stderr(std::process::Stdio::inherit());
    let output =
        command.output().await.map_err(|error| Error::new(format!("cannot run {shown}: {error}")))?;
    if output.status.success() { Ok(output.stdout) } else { Err(Error::new(format!("{shown} failed"))) }
}

fn executable(path: &Path) -> Result<(), Error> {
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).map_err(|error| unable(path, &error))
}

fn unable(path: &Path, error: &std::io::Error) -> Error {
    Error::new(format!("{}: {error}", path.display()))
}
