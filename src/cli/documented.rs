//! The command line as help, manual and completions show it.

use clap::{Arg, Command, CommandFactory};

use super::Cli;
use super::environment::{each, variable};
use super::example::examples;
use crate::error::exit::MEANINGS;

/// How much of an option is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Detail {
    /// What it is for.
    Brief,
    /// Its variable too.
    Full,
}

impl Cli {
    /// The command line with the variable of each option, and examples.
    pub(crate) fn documented(detail: Detail) -> Command {
        let is_brief = detail == Detail::Brief;
        let program = each(Self::command(), &|arg: Arg| match variable(&arg) {
            Some(name) => arg.env(name).hide_env_values(true).hide_env(is_brief),
            None => arg,
        });
        program.mut_subcommands(|command| {
            let (name, about) = (command.get_name().to_owned(), about(&command));
            let command = with_examples(command, &name, None);
            command.mut_subcommands(|leaf| {
                let cloud = leaf.get_name().to_owned();
                let about = format!("{}: {}", self::about(&leaf), uncapitalized(&about));
                with_examples(leaf.long_about(about), &name, Some(&cloud))
            })
        })
    }
}

fn about(command: &Command) -> String {
    command.get_about().map(ToString::to_string).unwrap_or_default()
}

fn uncapitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

fn with_examples(command: Command, name: &str, cloud: Option<&str>) -> Command {
    let lines: String = examples(name, cloud).iter().map(|example| format!("\n  {example}")).collect();
    let more = command.get_after_long_help().map(|text| format!("\n\n{text}")).unwrap_or_default();
    if lines.is_empty() { command } else { command.after_long_help(format!("Examples:{lines}{more}")) }
}

/// What follows the options of the program as a whole.
pub(super) fn after_help() -> String {
    let codes = MEANINGS.iter().map(|(code, meaning)| format!("\n  {code:<4} {meaning}"));
    format!(
        "Start with:\n  wbstore plan aws --host https://wandb.acme.com\n\nExit codes:{}",
        codes.collect::<String>()
    )
}
