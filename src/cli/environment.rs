//! The environment variables of options. They are set for many commands at once, so the command line
//! comes first: a variable counts only where the command line leaves its option open.

use std::env;
use std::ffi::OsString;

use clap::builder::Resettable;
use clap::parser::ValueSource;
use clap::{Arg, Command, CommandFactory, FromArgMatches, Id};

use super::Cli;

impl Cli {
    /// Reads `arguments`, the program's name first, and the variables. A variable that is empty counts as
    /// not set, and one whose option conflicts with the command line, or is not used beside it, is ignored.
    ///
    /// # Errors
    /// clap's, which say how to exit.
    pub fn read(arguments: &[OsString]) -> Result<Self, clap::Error> {
        let command = Self::command();
        let closed = closed(&command, arguments);
        let command = each(command, &|arg| {
            let is_empty = |name| env::var_os(name).is_some_and(|value| value.is_empty());
            let counts = !closed.contains(arg.get_id()) && !arg.get_env().is_some_and(is_empty);
            if counts { arg } else { arg.env(Resettable::Reset) }
        });
        Self::from_arg_matches(&command.try_get_matches_from(arguments)?)
    }
}

/// The commands that need no more of a deployment than its name, and nothing from its host.
const NAME_SUFFICES: [&str; 2] = ["teardown", "policy"];

/// The options whose variables do not count: they conflict with an option on the command line, or the
/// command does not use them beside it.
fn closed(command: &Command, arguments: &[OsString]) -> Vec<Id> {
    // Whatever is wrong with the command line is reported when it is read for good.
    let bare = each(command.clone(), &|arg| arg.env(Resettable::Reset)).ignore_errors(true);
    let Ok(matches) = bare.try_get_matches_from(arguments) else { return vec![] };
    let name_suffices = matches.subcommand_name().is_some_and(|name| NAME_SUFFICES.contains(&name));
    let (mut command, mut matches) = (command, &matches);
    while let Some((name, within)) = matches.subcommand()
        && let Some(subcommand) = command.find_subcommand(name)
    {
        (command, matches) = (subcommand, within);
    }
    let is_given = |arg: &&Arg| matches.value_source(arg.get_id().as_str()) == Some(ValueSource::CommandLine);
    let given = command.get_arguments().filter(is_given);
    let unused = |given: &Arg| (name_suffices && given.get_id() == "name").then(|| Id::from("host"));
    given
        .flat_map(|arg| {
            let conflicts = command.get_arg_conflicts_with(arg).into_iter().map(|arg| arg.get_id().clone());
            conflicts.chain(unused(arg))
        })
        .collect()
}

/// `command` with every option changed by `change`, at all levels.
fn each(command: Command, change: &dyn Fn(Arg) -> Arg) -> Command {
    command.mut_args(change).mut_subcommands(|subcommand| each(subcommand, change))
}
