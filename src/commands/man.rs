//! `man`: the manual page, or a page for each command.

use std::path::PathBuf;

use clap::{Args, CommandFactory};

use crate::cli::Cli;
use crate::console::Console;
use crate::error::{Error, Kind, Result, exit};

#[derive(Args, Debug)]
pub(crate) struct ManArgs {
    /// Write one page per command to this directory
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

pub(crate) fn run(args: &ManArgs, console: &mut Console) -> Result<u8> {
    let unwritten = |error| Error::new(Kind::Failed, "failed to write the manual").because(error);
    let command = Cli::command();
    match &args.dir {
        Some(dir) => clap_mangen::generate_to(command, dir).map_err(unwritten)?,
        None => {
            let mut page = vec![];
            clap_mangen::Man::new(command).render(&mut page).map_err(unwritten)?;
            console.data(&String::from_utf8_lossy(&page))?;
        }
    }
    Ok(exit::DONE)
}
