//! `completions`: a completion script for a shell.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::cli::Cli;
use crate::console::Console;
use crate::error::{Result, exit};

#[derive(Args, Debug)]
pub(crate) struct CompletionsArgs {
    /// Shell to generate the script for
    shell: Shell,
}

pub(crate) fn run(args: &CompletionsArgs, console: &mut Console) -> Result<u8> {
    let mut script = vec![];
    clap_complete::generate(args.shell, &mut Cli::command(), "wbstore", &mut script);
    console.data(&String::from_utf8_lossy(&script))?;
    Ok(exit::DONE)
}
