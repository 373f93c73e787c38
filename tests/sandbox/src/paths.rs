//! Where things are, found from the running program: no path is built in.

use std::env;
use std::path::{Path, PathBuf};

use crate::Error;

/// The program under test, unless this names another.
pub const BINARY: &str = "WBSTORE_BIN";

/// The target folder this program was built into.
pub fn target() -> Result<PathBuf, Error> {
    let program = program()?;
    // Cargo marks its target folders for backup programs; profiles may be nested in them.
    program.ancestors().find(|folder| folder.join("CACHEDIR.TAG").is_file()).map(Path::to_owned).ok_or_else(
        || {
            Error::new(format!("{} is in no cargo target folder", program.display()))
                .hint("start it with `cargo sandbox`")
        },
    )
}

/// The folder of the workspace, from what `cargo run` gives its program.
pub fn project() -> Result<PathBuf, Error> {
    let package = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let project = package.as_deref().and_then(|package| package.ancestors().nth(2)).map(Path::to_owned);
    project.ok_or_else(|| Error::new("this is not run by cargo").hint("start it with `cargo sandbox`"))
}

/// Our corner of the target folder: virtual environments and logs.
pub fn sandbox() -> Result<PathBuf, Error> {
    let folder = target()?.join("sandbox");
    std::fs::create_dir_all(&folder)
        .map_err(|error| Error::new(format!("cannot make {}: {error}", folder.display())))?;
    Ok(folder)
}

/// The built `wbstore`: `WBSTORE_BIN`, or the one of the same profile as this program.
pub fn wbstore() -> Result<PathBuf, Error> {
    if let Some(path) = env::var_os(BINARY) {
        return Ok(path.into());
    }
    let program = program()?;
    let name = format!("wbstore{}", env::consts::EXE_SUFFIX);
    // A test is in `<profile>/deps`, a binary in `<profile>`.
    program
        .ancestors()
        .skip(1)
        .take(2)
        .map(|folder| folder.join(&name))
        .find(|path| path.is_file())
        .ok_or_else(|| Error::new("wbstore is not built").hint("cargo build"))
}

/// Where `cargo sandbox test` has put what a test needs, as the variable says.
///
/// # Panics
///
/// When the variable is not set, as in a plain `cargo test`.
pub fn emulator(variable: &str) -> String {
    env::var(variable)
        .unwrap_or_else(|_| panic!("{variable} is not set: run this test with `cargo sandbox test`"))
}

fn program() -> Result<PathBuf, Error> {
    env::current_exe().map_err(|error| Error::new(format!("cannot tell where this program is: {error}")))
}
