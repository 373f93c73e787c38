//! Where the settings come from.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use zeroize::Zeroizing;

use super::{ServerSettings, dotenv, environment};
use crate::error::{Error, Result};
use crate::value::printable;

/// More than any file of settings needs, in bytes.
const LARGEST: u64 = 1 << 20;

/// A file, stdin or the environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SettingsSource {
    File(PathBuf),
    Stdin,
    Environment,
}

impl FromStr for SettingsSource {
    type Err = Error;

    fn from_str(input: &str) -> Result<Self> {
        match input {
            "" => {
                Err(Error::input("the name of the file is empty")
                    .hint("use a path, `-` for stdin, or `env:`"))
            }
            "-" => Ok(Self::Stdin),
            "env:" => Ok(Self::Environment),
            path => Ok(Self::File(path.into())),
        }
    }
}

impl SettingsSource {
    /// The file, where it is one.
    pub(crate) fn path(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Stdin | Self::Environment => None,
        }
    }

    /// The settings, and notes on what is valid and looks wrong.
    ///
    /// # Errors
    /// [`Kind::Input`](crate::error::Kind::Input) when they cannot be read.
    pub(crate) fn read(&self) -> Result<(ServerSettings, Vec<String>)> {
        match self {
            Self::Environment => Ok((environment::read()?, vec![])),
            Self::Stdin => dotenv::read(&text(&mut io::stdin().lock(), "stdin")?, "stdin"),
            Self::File(path) => {
                let name = printable(&path.display().to_string());
                let unreadable = |error| {
                    Error::input(format!("cannot read the settings from `{name}`"))
                        .because(error)
                        .hint("use the path of a file in dotenv form, or `-` for stdin")
                };
                let mut file = File::open(path).map_err(unreadable)?;
                if file.metadata().map_err(unreadable)?.is_dir() {
                    return Err(unreadable(io::ErrorKind::IsADirectory.into()));
                }
                dotenv::read(&text(&mut file, &name)?, &name)
            }
        }
    }
}

/// All that `reader` has, if it is text of a reasonable size.
fn text(reader: &mut dyn Read, name: &str) -> Result<Zeroizing<String>> {
    let mut bytes = Zeroizing::new(vec![]);
    reader
        .take(LARGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| Error::input(format!("cannot read the settings from `{name}`")).because(error))?;
    if bytes.len() as u64 > LARGEST {
        return Err(Error::input(format!("{name} is larger than 1 MiB"))
            .hint("name a file with one `NAME=value` per line"));
    }
    let text = std::str::from_utf8(&bytes).ok().filter(|text| !text.contains('\0'));
    match text {
        Some(text) => Ok(Zeroizing::new(text.to_owned())),
        None => Err(Error::input(format!("{name} is not a text file"))
            .hint("save it as UTF-8, with one `NAME=value` per line")),
    }
}
