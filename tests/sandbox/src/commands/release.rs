//! `cargo sandbox release`.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio::process::Command;
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

/// Builds wbstore as it is released: an archive with a bill of materials in CycloneDX, and its checksum.
pub async fn run() -> Result<ExitCode, Error> {
    let (auditable, cyclonedx) = (AUDITABLE.installed().await?, CYCLONEDX.installed().await?);
    let target = paths::target()?;
    let build = ["auditable", "build", "--locked", "--release", "--package", "wbstore", "--bin", "wbstore"];
    launch(Command::new(auditable).args(build).arg("--target-dir").arg(&target).env_remove(paths::BINARY))
        .await?;
    let program = target.join("release/wbstore");
    let listed = launch(Command::new(cyclonedx).arg(&program)).await?;
    let crates = known(&listed)?;

    let name = format!("wbstore-{}-{}", env!("CARGO_PKG_VERSION"), host().await?);
    let folder = target.join("dist").join(&name);
    fs::create_dir_all(&folder).map_err(|error| unable(&folder, &error))?;
    for file in ["README.md", "CHANGELOG.md", "LICENSE", "SECURITY.md"] {
        copy(&paths::project()?.join(file), &folder.join(file))?;
    }
    copy(&program, &folder.join("wbstore"))?;
    write(&folder.join("wbstore.cdx.json"), &listed)?;

    let dist = target.join("dist");
    let archive = dist.join(format!("{name}.tar.gz"));
    // Sorted, and without the times and the owner of this build: the same program makes the same archive.
    let same = ["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner"];
    launch(
        Command::new("tar")
            .args(same)
            .arg("-C")
            .arg(&dist)
            .arg("-czf")
            .arg(&archive)
            .arg(&name)
            .env("GZIP", "-n"),
    )
    .await?;
    let bytes = fs::read(&archive).map_err(|error| unable(&archive, &error))?;
    let sum = Sha256::digest(&bytes).iter().fold(String::new(), |mut sum, byte| {
        let _ = write!(sum, "{byte:02x}");
        sum
    });
    write(&dist.join(format!("{name}.tar.gz.sha256")), format!("{sum}  {name}.tar.gz\n").as_bytes())?;
    println!("{} ({} bytes, {crates} crates)\nsha256 {sum}", archive.display(), bytes.len());
    Ok(ExitCode::SUCCESS)
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

fn copy(from: &Path, to: &Path) -> Result<(), Error> {
    fs::copy(from, to).map(drop).map_err(|error| unable(from, &error))
}

fn write(to: &Path, bytes: &[u8]) -> Result<(), Error> {
    fs::write(to, bytes).map_err(|error| unable(to, &error))
}

fn unable(path: &Path, error: &std::io::Error) -> Error {
    Error::new(format!("{}: {error}", path.display()))
}
