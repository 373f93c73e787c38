//! `man`: the manual page of the program or of a command, or all of them.

use std::fs;
use std::path::PathBuf;

use clap::{Args, Command};

use crate::ambient::{Ambient, EVERYWHERE};
use crate::cli::{Cli, Detail, all_clouds};
use crate::console::Console;
use crate::error::{Error, Kind, Result, exit};
use crate::view::manual;

#[derive(Args, Debug)]
pub(crate) struct ManArgs {
    /// Command whose page is printed, such as `plan aws` [default: wbstore itself]
    #[arg(value_name = "COMMAND", conflicts_with = "dir")]
    command: Vec<String>,
    /// Write one page per command to this directory
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    dir: Option<PathBuf>,
}

pub(crate) fn run(args: &ManArgs, console: &mut Console) -> Result<u8> {
    let unwritten = |error| Error::new(Kind::Failed, "failed to write the manual").because(error);
    let mut program = Cli::documented(Detail::Brief).disable_help_subcommand(true);
    program.build();
    let Some(dir) = &args.dir else {
        let page = manual::page(found(&program, &args.command)?, &sources(&args.command));
        console.data(&page.map_err(unwritten)?)?;
        return Ok(exit::DONE);
    };
    fs::create_dir_all(dir).map_err(unwritten)?;
    for path in paths(&program) {
        let command = found(&program, &path)?;
        let page = manual::page(command, &sources(&path)).map_err(unwritten)?;
        fs::write(dir.join(manual::file_name(command)), page).map_err(unwritten)?;
    }
    Ok(exit::DONE)
}

/// The command that the words of `path` lead to.
fn found<'c>(program: &'c Command, path: &[String]) -> Result<&'c Command> {
    path.iter().try_fold(program, |command, word| {
        command.find_subcommand(word).ok_or_else(|| {
            let known: Vec<_> = command.get_subcommands().map(Command::get_name).collect();
            let error = Error::input(format!("there is no such command of `{}`", command.get_name()));
            match known.is_empty() {
                true => error.hint("omit the last word"),
                false => error.hint(format!("use one of {}", known.join(", "))),
            }
        })
    })
}

/// The words of each command, the program first.
fn paths(command: &Command) -> Vec<Vec<String>> {
    let below = command.get_subcommands().flat_map(|command| {
        let with_name = |path| [vec![command.get_name().to_owned()], path].concat();
        paths(command).into_iter().map(with_name)
    });
    std::iter::once(vec![]).chain(below).collect()
}

/// What the command reads of other tools: that on a cloud what the cloud's credentials are read from, the others what
/// all are.
fn sources(path: &[String]) -> Vec<&'static Ambient> {
    let is_silent = path.first().is_some_and(|command| ["completions", "man"].contains(&command.as_str()));
    if is_silent {
        return vec![];
    }
    let mut sources: Vec<&'static Ambient> = vec![];
    for options in all_clouds() {
        let is_meant = path.get(1).is_none_or(|cloud| cloud == options.cloud());
        // AWS and S3-compatible stores have the same chain.
        if is_meant && !sources.iter().any(|known| std::ptr::eq(*known, options.ambient())) {
            sources.push(options.ambient());
        }
    }
    sources.push(&EVERYWHERE);
    sources
}
