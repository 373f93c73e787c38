//! `completions`: a completion script for a shell.

use clap::Args;
use clap_complete::Shell;

use crate::cli::Cli;
use crate::console::Console;
use crate::error::{Result, exit};

/// How each shell reads its script.
const INSTALLATION: &str = "\
Bash, in ~/.bashrc:
  source <(wbstore completions bash)
Zsh, in ~/.zshrc after compinit:
  source <(wbstore completions zsh)
Fish:
  wbstore completions fish > ~/.config/fish/completions/wbstore.fish
Elvish, in ~/.config/elvish/rc.elv:
  eval (wbstore completions elvish | slurp)
PowerShell, in $PROFILE:
  wbstore completions powershell | Out-String | Invoke-Expression

The script runs wbstore at each completion, which offers commands, options, values, regions and \
locations, and the deployments of wbstore.toml. No request is sent.";

#[derive(Args, Debug)]
#[command(after_help = INSTALLATION, after_long_help = INSTALLATION)]
pub(crate) struct CompletionsArgs {
    /// Shell to generate the script for
    shell: Shell,
}

pub(crate) fn run(args: &CompletionsArgs, console: &mut Console) -> Result<u8> {
    console.data(&Cli::completions(args.shell)?)?;
    Ok(exit::DONE)
}
