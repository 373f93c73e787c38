//! All options, by name: which may be set by a variable or in the file, and where.

use clap::{Arg, Command};

use super::file::is_setting;
use super::preset::{PresetValue, fit};
use crate::error::{Error, Result};
use crate::names::nearest;
use crate::value::quoted;

/// Options that are given on the command line, each time: consent to what cannot be undone, to what belongs to others
/// or to a disclosure, and switches that make one run another one than it usually is. Left behind in an environment or a
/// file, each would do harm or hide something.
const ONLY_TYPED: [&str; 13] = [
    "adopt",
    "allow-http",
    "confirm",
    "delete-objects",
    "dry-run",
    "expect",
    "expired",
    "only",
    "renew",
    "reveal",
    "use-my-key",
    "write",
    "yes",
];

/// Options of a run as a whole, however many deployments it is for.
const OF_RUN: [&str; 12] = [
    "as",
    "dir",
    "exit-code",
    "for",
    "format",
    "offline",
    "out",
    "quiet",
    "timings",
    "verbose",
    "wait",
    "within",
];

/// What names the deployment, which the tables do in the file.
const NAMES: [&str; 2] = ["name", "team"];

/// A table of the file.
#[derive(Clone, Copy, Debug)]
pub(super) enum KeyPlace<'p> {
    Defaults,
    /// That of a deployment or team on this cloud.
    Storage(&'p str),
}

/// Whether the option may have a variable, and a key in the file.
pub(super) fn is_settable(arg: &Arg) -> bool {
    arg.get_long().is_some_and(|long| !["help", "version"].contains(&long) && !is_only_typed(long))
}

pub(super) fn is_only_typed(long: &str) -> bool {
    ONLY_TYPED.contains(&long)
}

/// The options of all commands.
#[derive(Clone, Copy, Debug)]
pub(super) struct OptionNames<'c> {
    command: &'c Command,
}

impl<'c> OptionNames<'c> {
    pub(super) fn new(command: &'c Command) -> Self {
        Self { command }
    }

    /// The clouds of this build, as they are typed.
    pub(super) fn clouds(self) -> impl Iterator<Item = &'c str> {
        let plan = self.command.find_subcommand("plan");
        plan.into_iter().flat_map(|plan| plan.get_subcommands().map(Command::get_name))
    }

    /// Those of `command`, and of all below it.
    fn below(command: &'c Command) -> Vec<&'c Arg> {
        let below = command.get_subcommands().flat_map(Self::below);
        command.get_arguments().chain(below).collect()
    }

    /// Those of any command that are called `long`.
    pub(super) fn called(self, long: &str) -> Vec<&'c Arg> {
        Self::below(self.command).into_iter().filter(|arg| arg.get_long() == Some(long)).collect()
    }

    /// Those of the commands on `cloud`.
    fn of_cloud(self, cloud: &str) -> impl Iterator<Item = &'c Arg> {
        let leaves = self.command.get_subcommands().filter_map(move |command| command.find_subcommand(cloud));
        leaves.flat_map(Command::get_arguments)
    }

    /// Whether `long` is among those that say where to look on `cloud`.
    pub(super) fn is_of_place(self, long: &str, cloud: &str) -> bool {
        let list = self.command.find_subcommand("list").and_then(|list| list.find_subcommand(cloud));
        let mut place = list.into_iter().flat_map(Command::get_arguments);
        !OF_RUN.contains(&long) && place.any(|arg| arg.get_long() == Some(long))
    }

    /// Checks that `name` may be a key in `place`.
    ///
    /// # Errors
    /// [`Kind::Input`](crate::error::Kind::Input).
    pub(super) fn require_key(self, name: &str, place: KeyPlace<'_>) -> Result<()> {
        if is_only_typed(name) {
            return Err(Error::input("consent and one-off switches are given on the command line only")
                .hint(format!("remove it; add `--{name}` to the command, each time")));
        }
        if NAMES.contains(&name) {
            return Err(Error::input("the tables name deployments and teams")
                .hint("write `[deployment.NAME]`, or `[deployment.NAME.team.TEAM]`"));
        }
        let is_option = |arg: &&Arg| arg.get_long() == Some(name) && is_settable(arg);
        let known: Vec<&str> = match place {
            KeyPlace::Defaults if name == "host" => {
                return Err(Error::input("each deployment has its own address")
                    .hint("move it to `[deployment.NAME]`"));
            }
            KeyPlace::Defaults => {
                let all = Self::below(self.command);
                if all.iter().any(is_option) && name != "file" {
                    return Ok(());
                }
                all.iter().filter_map(|arg| arg.get_long()).collect()
            }
            KeyPlace::Storage(_) if OF_RUN.contains(&name) => {
                return Err(Error::input("it applies to a run as a whole").hint("move it to `[defaults]`"));
            }
            KeyPlace::Storage(cloud) => {
                if self.of_cloud(cloud).any(|arg| is_option(&arg)) {
                    return Ok(());
                }
                let others = self.clouds().filter(|other| *other != cloud);
                if let Some(other) =
                    others.into_iter().find(|other| self.of_cloud(other).any(|arg| is_option(&arg)))
                {
                    return Err(Error::input(format!("it is an option of {other}, not of {cloud}"))
                        .hint(format!("remove it; `wbstore plan {cloud} --help` shows all options")));
                }
                self.of_cloud(cloud).filter_map(|arg| arg.get_long()).collect()
            }
        };
        let known = known.into_iter().filter(|known| !is_only_typed(known) && !OF_RUN.contains(known));
        let hint = match nearest(&name.replace('_', "-"), known) {
            _ if is_setting(name) => {
                "settings of the server are in a file of their own, which `settings = \"FILE\"` names"
                    .to_owned()
            }
            Some(known) => format!("did you mean `{known}`?"),
            None => {
                "keys are called as the options are, without `--`; docs/file.md lists the others".to_owned()
            }
        };
        Err(Error::input(format!("there is no option {}", quoted(&format!("--{name}")))).hint(hint))
    }

    /// Checks that the option `name`, on `cloud` or anywhere, may have this value.
    ///
    /// # Errors
    /// [`Kind::Input`](crate::error::Kind::Input).
    pub(super) fn require_value(self, name: &str, cloud: Option<&str>, value: &PresetValue) -> Result<()> {
        let args = match cloud {
            Some(cloud) => self.of_cloud(cloud).filter(|arg| arg.get_long() == Some(name)).collect(),
            None => self.called(name),
        };
        let mut first = Ok(());
        for arg in args {
            let is_text_for_flag =
                matches!((value, arg.get_action()), (PresetValue::Texts(_), clap::ArgAction::SetTrue));
            let fitted = match is_text_for_flag {
                true => Err(Error::input("expected true or false").hint("write it without quotes")),
                false => fit(arg, value),
            };
            match fitted {
                Ok(_) => return Ok(()),
                Err(error) => first = first.and(Err(error)),
            }
        }
        first
    }
}
