//! What the command line leaves open: an option is given there, or else by its variable, or else by the file. Variables
//! and the file are set for many commands at once, so that neither breaks a command that has no use for a value.

use std::collections::BTreeSet;
use std::env;
use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::str::FromStr;

use clap::builder::Resettable;
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command, CommandFactory, FromArgMatches, Id};

use super::Cli;
use super::cloud::{is_meant_for, names_part};
use super::documented::Detail;
use super::file::{DeploymentFile, FileEntry};
use super::mistake::{as_typed, explained, misplaced, name_the_cloud};
use super::options::{OptionNames, is_settable};
use super::preset::{Fitted, Preset, PresetValue, Provenance, Rank, fit, is_repeatable};
use crate::error::{Error, Result};
use crate::name::{DeploymentName, TeamName};
use crate::option::usage;
use crate::origin::Origin;

/// What the variables of wbstore begin with.
const PREFIX: &str = "WBSTORE_";

/// The commands that need no more of a deployment than its name, and nothing from its host.
const NAME_SUFFICES: [&str; 2] = ["teardown", "policy"];

/// The commands that are for all deployments of the file where no cloud is named.
const OF_SEVERAL: [&str; 4] = ["config", "plan", "provision", "verify"];

impl Cli {
    /// Reads `arguments`, the program's name first, and what variables and the file add to them. A variable that is
    /// empty counts as not set, and one whose option conflicts with the command line, or is not used beside it, is
    /// ignored.
    ///
    /// # Errors
    /// clap's, which say how to exit.
    pub fn read(arguments: &[OsString]) -> Result<Self, clap::Error> {
        let command = Self::command();
        Self::read_by(&command, arguments).map_err(|error| explained(&command, arguments, error))
    }

    fn read_by(command: &Command, arguments: &[OsString]) -> Result<Self, clap::Error> {
        let Some(typed) = Typed::read(command, arguments) else {
            // Help or the version.
            let is_brief = arguments.iter().any(|argument| argument == "-h");
            let detail = if is_brief { Detail::Brief } else { Detail::Full };
            let matches = Self::documented(detail).try_get_matches_from(arguments)?;
            return Self::from_arg_matches(&matches);
        };
        let program = CommandLine { command, options: OptionNames::new(command) };
        let file = program.file(&typed).map_err(usage)?;
        let file = file.as_ref();
        if let Some(early) = misplaced(command, arguments) {
            return Err(usage(early));
        }
        if !OF_SEVERAL.contains(&typed.command()) || typed.cloud().is_some() {
            let entry = match file {
                Some(file) => program.entry(file, &typed).map_err(usage)?,
                None => None,
            };
            return program.one(arguments, &typed, Sources { file, entry: entry.as_ref(), of_file: false });
        }
        let entries = file.map(|file| file.entries(program.options)).unwrap_or_default();
        let names_server = typed.has("host") || typed.has("team");
        let file = match file {
            Some(file) if !entries.is_empty() && !names_server && !typed.has("name") => file,
            // The settings alone.
            _ if typed.command() == "config" && entries.is_empty() && !names_server => {
                return program.one(arguments, &typed, Sources { file, entry: None, of_file: false });
            }
            _ => return Err(usage(program.no_cloud(file, &typed, arguments))),
        };
        let mut cli =
            program.one(arguments, &typed, Sources { file: Some(file), entry: None, of_file: true })?;
        let only = cli.command.only().map(wildmatch::WildMatch::new);
        let is_meant =
            |entry: &&FileEntry| only.as_ref().is_none_or(|only| only.matches(&entry.storage.to_string()));
        let chosen: Vec<&FileEntry> = entries.iter().filter(is_meant).collect();
        if chosen.is_empty() {
            let names: Vec<_> = entries.iter().map(|entry| entry.storage.to_string()).collect();
            return Err(usage(
                Error::input(format!("no deployment in `{}` matches --only", file.name()))
                    .hint(format!("there are {}", names.join(", "))),
            ));
        }
        for entry in chosen {
            let arguments = program.arguments_for(entry, &typed, arguments);
            let Some(typed) = Typed::read(command, &arguments) else { continue };
            let member = program.one(
                &arguments,
                &typed,
                Sources { file: Some(file), entry: Some(entry), of_file: true },
            )?;
            cli.notes.extend(member.notes);
            cli.command.add(member.command, &entry.storage);
        }
        let mut seen = BTreeSet::new();
        cli.notes.retain(|note| seen.insert(note.clone()));
        Ok(cli)
    }
}

/// The variable of `arg`, if it may have one.
pub(super) fn variable(arg: &Arg) -> Option<String> {
    let own = || arg.get_env().map(|name| name.to_string_lossy().into_owned());
    let derived = |long: &str| format!("{PREFIX}{}", long.replace('-', "_").to_ascii_uppercase());
    own().or_else(|| is_settable(arg).then(|| arg.get_long().map(derived)).flatten())
}

/// `command` with every option changed by `change`, at all levels.
pub(super) fn each(command: Command, change: &dyn Fn(Arg) -> Arg) -> Command {
    command.mut_args(change).mut_subcommands(|subcommand| each(subcommand, change))
}

/// `command` with its subcommand at `path` changed by `change`.
fn at(command: Command, path: &[String], change: impl FnOnce(Command) -> Command) -> Command {
    match path {
        [] => change(command),
        [first, rest @ ..] => command.mut_subcommand(first, |subcommand| at(subcommand, rest, change)),
    }
}

/// The command line alone. Whatever is wrong with it is reported when it is read for good.
struct Typed {
    /// One for the program, one for each subcommand that was named.
    levels: Vec<ArgMatches>,
    /// The names of the subcommands.
    words: Vec<String>,
}

impl Typed {
    /// `None` where help or the version is asked for.
    fn read(command: &Command, arguments: &[OsString]) -> Option<Self> {
        let bare = each(command.clone(), &|arg| arg.env(Resettable::Reset)).ignore_errors(true);
        let mut matches = bare.try_get_matches_from(arguments).ok()?;
        let (mut levels, mut words) = (vec![], vec![]);
        while let Some((word, within)) = matches.remove_subcommand() {
            levels.push(matches);
            words.push(word);
            matches = within;
        }
        levels.push(matches);
        Some(Self { levels, words })
    }

    fn command(&self) -> &str {
        self.words.first().map_or("", String::as_str)
    }

    fn cloud(&self) -> Option<&str> {
        self.words.get(1).map(String::as_str)
    }

    /// The `arguments` without the name of the program and the subcommands.
    fn rest_of<'a>(&self, arguments: &'a [OsString]) -> Vec<&'a OsString> {
        let mut words = self.words.iter().peekable();
        let mut is_option = |argument: &OsString| words.next_if(|word| argument == word.as_str()).is_none();
        arguments.iter().skip(1).filter(|argument| is_option(argument)).collect()
    }

    fn last(&self) -> Option<&ArgMatches> {
        self.levels.last()
    }

    /// Whether `arg` was given at `level`, or anywhere where it is global.
    fn has_arg(&self, level: usize, arg: &Arg) -> bool {
        let is_given = |matches: &ArgMatches| is_given(matches, arg.get_id().as_str());
        match arg.is_global_set() {
            true => self.levels.iter().any(is_given),
            false => self.levels.get(level).is_some_and(is_given),
        }
    }

    /// Whether the option with this id was given to the last command.
    fn has(&self, id: &str) -> bool {
        self.last().is_some_and(|matches| is_given(matches, id))
    }

    /// The value of an option of the last command.
    fn value(&self, id: &str) -> Option<&OsStr> {
        let last = self.last()?;
        if !is_given(last, id) {
            return None;
        }
        last.try_get_raw(id).ok()??.next()
    }

    /// The same, or else that of its variable, if it can be read.
    fn named<T: FromStr>(&self, id: &str) -> Option<T> {
        let variable = || env::var(format!("{PREFIX}{}", id.to_ascii_uppercase())).ok();
        let text = match self.value(id) {
            Some(value) => value.to_str()?.to_owned(),
            None => variable()?,
        };
        text.parse().ok()
    }
}

fn is_given(matches: &ArgMatches, id: &str) -> bool {
    matches.try_contains_id(id).unwrap_or(false) && matches.value_source(id) == Some(ValueSource::CommandLine)
}

/// What a command line is read with.
#[derive(Clone, Copy)]
struct Sources<'f> {
    file: Option<&'f DeploymentFile>,
    /// What the command is for.
    entry: Option<&'f FileEntry>,
    /// Whether it is one of several, of which no variable names one.
    of_file: bool,
}

struct CommandLine<'c> {
    command: &'c Command,
    options: OptionNames<'c>,
}

impl<'c> CommandLine<'c> {
    /// The file for the command, if there is one.
    fn file(&self, typed: &Typed) -> Result<Option<DeploymentFile>> {
        if ["", "completions", "man"].contains(&typed.command()) {
            return Ok(None);
        }
        let variable = || env::var_os(format!("{PREFIX}FILE")).filter(|path| !path.is_empty());
        let path = typed.value("file").map(OsStr::to_owned).or_else(variable);
        DeploymentFile::find(path.as_deref().map(Path::new), self.options)
    }

    /// The command at each level of `typed`.
    fn commands(&self, typed: &Typed) -> Vec<&'c Command> {
        let mut commands = vec![self.command];
        for word in &typed.words {
            commands.extend(commands.last().and_then(|command| command.find_subcommand(word)));
        }
        commands
    }

    /// The error where a cloud is required, with the command as it was typed.
    fn no_cloud(&self, file: Option<&DeploymentFile>, typed: &Typed, arguments: &[OsString]) -> Error {
        let name = typed.command();
        let rest = typed.rest_of(arguments);
        let clouds: Vec<&str> = self.options.clouds().collect();
        let [first, others @ ..] = &clouds[..] else { return Error::input("this build has no cloud") };
        let start = format!("wbstore {name} {first}");
        let command = match rest.is_empty() {
            true => format!("`{start} --host https://wandb.acme.com`"),
            false => as_typed(&start, &rest),
        };
        let hint = name_the_cloud(&command, others);
        match file {
            None => Error::input(format!(
                "`{name}` names no cloud, and there is no wbstore.toml in this directory"
            ))
            .hint(format!("{hint}; or describe the deployments in a file, as docs/file.md shows")),
            Some(file) if file.deployments().next().is_none() => {
                Error::input(format!("`{name}` names no cloud, and `{}` has no deployment", file.name()))
                    .hint(format!("{hint}; or add `[deployment.NAME]` to the file"))
            }
            Some(file) => Error::input(format!("`{name}` names a deployment and no cloud"))
                .hint(format!("{hint}; or select deployments of `{}` with `--only NAME`", file.name())),
        }
    }

    /// The deployment of the file that a command on one cloud is for.
    fn entry(&self, file: &DeploymentFile, typed: &Typed) -> Result<Option<FileEntry>> {
        let Some(cloud) = typed.cloud() else { return Ok(None) };
        if typed.command() == "list" || typed.has("expired") {
            return Ok(None);
        }
        let team: Option<TeamName> = typed.named("team");
        let entries = || file.deployments().filter_map(|name| file.entry(name, team.as_ref(), self.options));
        let mut here: Vec<FileEntry> = entries().filter(|entry| entry.cloud == cloud).collect();
        let names_host = typed.has("host") && !typed.has("name");
        let is_at = |entry: &FileEntry, host: &Origin| {
            entry.text("host").and_then(|text| text.parse::<Origin>().ok()).as_ref() == Some(host)
        };
        if let Some(name) = typed.named::<DeploymentName>("name").filter(|_| !names_host) {
            here.retain(|entry| entry.storage.deployment == name);
        } else if let Some(host) = typed.named::<Origin>("host") {
            here.retain(|entry| is_at(entry, &host));
        } else if typed.command() == "teardown"
            || typed.value("host").is_some()
            || typed.value("name").is_some()
        {
            // What is deleted is named, and what is malformed is reported.
            return Ok(None);
        }
        if here.len() > 1 {
            let names: Vec<_> = here.iter().map(|entry| entry.storage.deployment.to_string()).collect();
            return Err(Error::input(format!(
                "`{}` has several deployments on {cloud}: {}",
                file.name(),
                names.join(", ")
            ))
            .hint(format!("add `--name {}`, or another of them", names[0])));
        }
        Ok(here.pop())
    }

    /// The command line for one deployment of the file: `typed` on its cloud.
    fn arguments_for(&self, entry: &FileEntry, typed: &Typed, arguments: &[OsString]) -> Vec<OsString> {
        let mut line: Vec<OsString> = arguments.iter().take(1).cloned().collect();
        line.extend([typed.command().into(), entry.cloud.as_str().into()]);
        let (Some(matches), Some(command)) = (typed.last(), self.commands(typed).pop()) else { return line };
        let leaf = command.find_subcommand(&entry.cloud);
        let is_there =
            |long| leaf.is_some_and(|leaf| leaf.get_arguments().any(|arg| arg.get_long() == Some(long)));
        for arg in command.get_arguments().filter(|arg| is_given(matches, arg.get_id().as_str())) {
            let Some(long) = arg.get_long().filter(|long| is_there(long)) else { continue };
            if !arg.get_action().takes_values() {
                line.push(format!("--{long}").into());
                continue;
            }
            for value in matches.get_raw(arg.get_id().as_str()).into_iter().flatten() {
                let mut word = OsString::from(format!("--{long}="));
                word.push(value);
                line.push(word);
            }
        }
        line.push(format!("--name={}", entry.storage.deployment).into());
        line.extend(entry.storage.team.iter().map(|team| format!("--team={team}").into()));
        line
    }

    /// Reads `arguments` with all that `given` adds to them.
    fn one(&self, arguments: &[OsString], typed: &Typed, given: Sources<'_>) -> Result<Cli, clap::Error> {
        let mut command = each(self.command.clone(), &|arg| arg.env(Resettable::Reset));
        let (mut arguments, mut notes) = (arguments.to_vec(), vec![]);
        if let Some(entry) = given.entry
            && typed.named::<DeploymentName>("name").as_ref() != Some(&entry.storage.deployment)
        {
            arguments.push(format!("--name={}", entry.storage.deployment).into());
        }
        for (level, within) in self.commands(typed).into_iter().enumerate() {
            for (arg, fitted) in self.presets(level, within, typed, given, &mut notes).map_err(usage)? {
                let id = arg.get_id().as_str().to_owned();
                match fitted {
                    Fitted::Omitted => {}
                    Fitted::Bare => arguments.extend(arg.get_long().map(|long| format!("--{long}").into())),
                    Fitted::Values(values) => {
                        command = at(command, &typed.words[..level], |command| preset(command, &id, values));
                    }
                }
            }
        }
        let mut cli = Cli::from_arg_matches(&command.try_get_matches_from(arguments)?)?;
        cli.notes = notes;
        Ok(cli)
    }

    /// The options of the command at `level` that the command line leaves open, with the values that others give.
    fn presets(
        &self,
        level: usize,
        command: &'c Command,
        typed: &Typed,
        given: Sources<'_>,
        notes: &mut Vec<String>,
    ) -> Result<Vec<(&'c Arg, Fitted)>> {
        let closed = closed(level, command, typed);
        let file = given.entry.map(|entry| entry.presets.clone());
        let file = file.or_else(|| given.file.map(DeploymentFile::defaults)).unwrap_or_default();
        let is_team = given.entry.is_some_and(|entry| entry.storage.team.is_some())
            || typed.named::<TeamName>("team").is_some_and(|_| !given.of_file);
        let mut found: Vec<(&Arg, Fitted, Preset)> = vec![];
        for arg in command.get_arguments().filter(|arg| is_settable(arg)) {
            let Some(long) = arg.get_long().filter(|long| *long != "file") else { continue };
            if typed.has_arg(level, arg) || closed.contains(arg.get_id()) {
                continue;
            }
            let of_file = file.get(long).cloned();
            let is_used = |preset: &Preset| {
                let names_one = ["host", "name", "team"].contains(&long) || names_part(command, arg);
                let names_other = preset.rank == Rank::Variable
                    && ((given.of_file && names_one) || (long == "host" && of_file.is_some()));
                let is_meant = preset.rank == Rank::Storage
                    || typed.cloud().is_none_or(|cloud| is_meant_for(is_team, cloud, long));
                !preset.is_unset() && !names_other && is_meant
            };
            let mut presets: Vec<Preset> = of_variable(arg)?.into_iter().chain(of_file.clone()).collect();
            presets.retain(is_used);
            presets.sort_by_key(|preset| preset.rank);
            for preset in presets {
                match fit(arg, &preset.value) {
                    Ok(fitted) => {
                        found.push((arg, fitted, preset));
                        break;
                    }
                    Err(error)
                        if preset.rank == Rank::Storage || !self.fits_elsewhere(long, &preset.value) =>
                    {
                        return Err(error.context(preset.from));
                    }
                    Err(_) => notes.push(format!(
                        "{} is not used: --{long} of this command has other values",
                        preset.from
                    )),
                }
            }
        }
        without_conflicts(command, found)
    }

    /// Whether the option of that name has such a value on another cloud, or of another command.
    fn fits_elsewhere(&self, long: &str, value: &PresetValue) -> bool {
        self.options.called(long).into_iter().any(|arg| fit(arg, value).is_ok())
    }
}

/// What the variable of `arg` says.
fn of_variable(arg: &Arg) -> Result<Option<Preset>> {
    let Some(name) = variable(arg) else { return Ok(None) };
    let Some(text) = env::var_os(&name) else { return Ok(None) };
    let rank = if name.starts_with(PREFIX) { Rank::Variable } else { Rank::Ecosystem };
    let texts = match text.to_str() {
        Some(text) if is_repeatable(arg) => {
            let values = text.split(separators(arg)).map(str::trim).filter(|value| !value.is_empty());
            values.map(OsString::from).collect()
        }
        _ => vec![text],
    };
    Ok(Some(Preset { value: PresetValue::Texts(texts), rank, from: Provenance::Variable(name) }))
}

/// What parts the values of a variable that has several. No address of a server has a space in it.
fn separators(arg: &Arg) -> &'static [char] {
    if arg.get_id() == "host" { &[',', '\n', ' '] } else { &[',', '\n'] }
}

/// `found` without the options that conflict with one whose value comes first.
///
/// # Errors
/// [`Kind::Input`](crate::error::Kind::Input) where neither comes first.
fn without_conflicts<'c>(
    command: &Command,
    mut found: Vec<(&'c Arg, Fitted, Preset)>,
) -> Result<Vec<(&'c Arg, Fitted)>> {
    let is_off = |fitted: &Fitted| *fitted == Fitted::Values(vec!["false".into()]);
    found.retain(|(_, fitted, _)| !is_off(fitted));
    found.sort_by_key(|(_, _, preset)| preset.rank);
    let mut kept: Vec<(&Arg, Fitted, Preset)> = vec![];
    for (arg, fitted, preset) in found {
        let excluded: BTreeSet<&Id> =
            command.get_arg_conflicts_with(arg).into_iter().map(Arg::get_id).collect();
        match kept.iter().find(|(other, ..)| excluded.contains(other.get_id())) {
            None => kept.push((arg, fitted, preset)),
            Some((_, _, first)) if first.rank < preset.rank => {}
            Some((_, _, first)) => {
                return Err(Error::input(format!("{} and {} exclude each other", first.from, preset.from))
                    .hint("remove one of the two"));
            }
        }
    }
    Ok(kept.into_iter().map(|(arg, fitted, _)| (arg, fitted)).collect())
}

/// `command` with a default for the option `id`, which then is not required.
fn preset(command: Command, id: &str, values: Vec<OsString>) -> Command {
    let groups: Vec<Id> = command
        .get_groups()
        .filter(|group| group.get_args().any(|arg| arg.as_str() == id) && group.is_required_set())
        .map(|group| group.get_id().clone())
        .collect();
    let values: Vec<clap::builder::OsStr> = values.into_iter().map(Into::into).collect();
    let command = command.mut_arg(id, |arg| arg.required(false).default_values(values));
    groups.into_iter().fold(command, |command, group| command.mut_group(group, |group| group.required(false)))
}

/// The options whose variables do not count: they conflict with an option on the command line, or the
/// command does not use them beside it.
fn closed(level: usize, command: &Command, typed: &Typed) -> Vec<Id> {
    let name_suffices = NAME_SUFFICES.contains(&typed.command());
    let unused = |given: &Arg| (name_suffices && given.get_id() == "name").then(|| Id::from("host"));
    let given = command.get_arguments().filter(|arg| typed.has_arg(level, arg));
    given
        .flat_map(|arg| {
            let conflicts = command.get_arg_conflicts_with(arg).into_iter().map(|arg| arg.get_id().clone());
            conflicts.chain(unused(arg))
        })
        .collect()
}
