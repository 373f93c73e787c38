//! Completions: the script of each shell runs wbstore, which offers what fits. It reads no more than the file of
//! deployments, and sends no request.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

use clap_complete::env::{CompleteEnv, Shells};
use clap_complete::{ArgValueCandidates, CompletionCandidate, Shell};

use super::Cli;
use super::documented::Detail;
use super::file::stored_names;
use crate::error::{Error, Kind, Result};
use crate::name::StorageName;

/// By which a script says which shell it is for.
const VARIABLE: &str = "WBSTORE_COMPLETE";

const PROGRAM: &str = "wbstore";

/// What makes a function of zsh that is loaded from `fpath` answer its first call, too: the file that defines it runs
/// then (zsh manual, "Autoloaded files").
const ZSH_AUTOLOADED: &str =
    "if [ \"$funcstack[1]\" = \"_wbstore\" ]; then\n    _clap_dynamic_completer_wbstore \"$@\"\nfi\n";

impl Cli {
    /// Answers a shell that is completing `arguments`. Returns whether one is.
    ///
    /// # Errors
    /// When the shell is unknown, or does not read the answer.
    pub fn complete(arguments: &[OsString]) -> Result<bool, clap::Error> {
        let folder = env::current_dir().ok();
        CompleteEnv::with_factory(|| Self::documented(Detail::Brief))
            .var(VARIABLE)
            .try_complete(arguments, folder.as_deref())
    }

    /// The script for `shell`.
    ///
    /// # Errors
    /// When it is not written.
    pub(crate) fn completions(shell: Shell) -> Result<String> {
        let unwritten = || Error::new(Kind::Failed, "failed to write the completions");
        let mut script = vec![];
        let shells = Shells::builtins();
        let completer = shells.completer(&shell.to_string()).ok_or_else(unwritten)?;
        completer
            .write_registration(VARIABLE, PROGRAM, PROGRAM, PROGRAM, &mut script)
            .map_err(|error| unwritten().because(error))?;
        let mut script = String::from_utf8_lossy(&script).into_owned();
        if shell == Shell::Zsh {
            script.push_str(ZSH_AUTOLOADED);
        }
        Ok(script)
    }
}

/// The deployments of the file.
pub(super) fn deployments() -> ArgValueCandidates {
    ArgValueCandidates::new(|| offered(|storage| Some(storage.deployment.to_string())))
}

/// The teams of the file.
pub(super) fn teams() -> ArgValueCandidates {
    ArgValueCandidates::new(|| offered(|storage| Some(storage.team?.to_string())))
}

/// The deployments of the file, and their teams.
pub(super) fn storages() -> ArgValueCandidates {
    ArgValueCandidates::new(|| offered(|storage| Some(storage.to_string())))
}

fn offered(name: impl Fn(StorageName) -> Option<String>) -> Vec<CompletionCandidate> {
    let mut names: Vec<String> = stored_names(file().as_deref()).into_iter().filter_map(name).collect();
    names.sort();
    names.dedup();
    names.into_iter().map(CompletionCandidate::new).collect()
}

/// The file of the command that is being completed, where it names one.
fn file() -> Option<PathBuf> {
    let arguments: Vec<_> = env::args_os().collect();
    let joined = |one: &OsString| one.to_str()?.strip_prefix("--file=").map(PathBuf::from);
    let apart = |pair: &[OsString]| (pair[0] == "--file").then(|| PathBuf::from(&pair[1]));
    let typed = arguments.iter().find_map(joined).or_else(|| arguments.windows(2).find_map(apart));
    typed.or_else(|| env::var_os("WBSTORE_FILE").filter(|path| !path.is_empty()).map(PathBuf::from))
}
