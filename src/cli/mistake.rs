//! A command line that is wrong, and the one that was meant. Only words that are known are repeated: any other may be a
//! secret that was typed in the wrong place.

use std::ffi::{OsStr, OsString};

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command};

use super::file::is_setting;
use super::options::OptionNames;
use crate::error::Error;
use crate::names::nearest;
use crate::option::usage;
use crate::text::word;

/// What clouds are called elsewhere.
const CLOUDS: [(&str, &[&str]); 4] = [
    ("aws", &["amazon", "amazon-s3", "amazonaws", "aws-s3"]),
    ("azure", &["az", "azure-blob", "azureblob", "azurerm", "blob", "microsoft"]),
    ("gcp", &["gcloud", "gcs", "google", "google-cloud", "googlecloud", "gs"]),
    ("s3", &["ceph", "cloudflare", "coreweave", "minio", "r2", "s3-compatible"]),
];

/// What commands are called in other tools.
const COMMANDS: [(&str, &[&str]); 10] = [
    ("config", &["env", "export", "output", "outputs", "settings", "values"]),
    ("completions", &["complete", "completion"]),
    ("doctor", &["debug", "diagnose", "info", "whoami"]),
    ("list", &["describe", "get", "ls", "show"]),
    ("man", &["docs", "manual"]),
    ("plan", &["diff", "drift", "dry-run", "dryrun", "init", "preview"]),
    ("policy", &["iam", "permissions", "policies", "roles"]),
    ("provision", &["add", "create", "deploy", "install", "new", "setup", "sync", "up", "update", "upgrade"]),
    (
        "teardown",
        &["clean", "cleanup", "del", "delete", "down", "drop", "purge", "remove", "rm", "uninstall"],
    ),
    ("verify", &["health", "smoke", "status", "test", "validate"]),
];

/// What options are called in other tools, and on other clouds.
const OPTIONS: [(&str, &str); 11] = [
    ("auto-approve", "yes"),
    ("debug", "verbose"),
    ("endpoint-url", "endpoint"),
    ("location", "region"),
    ("output-file", "out"),
    ("project-id", "project"),
    ("region", "location"),
    ("rg", "resource-group"),
    ("subscription-id", "subscription"),
    ("url", "host"),
    ("config", "file"),
];

/// A word that is nearly a name is longer than this.
const TOO_SHORT_TO_BE_NEAR: usize = 2;

/// `error` of reading `arguments`, or what explains it better.
pub(super) fn explained(program: &Command, arguments: &[OsString], error: clap::Error) -> clap::Error {
    if !error.use_stderr() || error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return error;
    }
    let mistake = Reading::of(program, arguments).and_then(Reading::mistake);
    let better = mistake.or_else(|| match error.kind() {
        ErrorKind::InvalidValue => value_of_none(&error),
        _ => None,
    });
    better.map_or(error, usage)
}

/// What is wrong with options between the command and the cloud, where clap accepts those that the command has without
/// a cloud.
pub(super) fn misplaced(program: &Command, arguments: &[OsString]) -> Option<Error> {
    let reading = Reading::of(program, arguments)?;
    reading.misplaced(reading.leaf()?)
}

/// What is wrong with a value where clap knows all, which it would repeat.
fn value_of_none(error: &clap::Error) -> Option<Error> {
    let Some(ContextValue::String(arg)) = error.get(ContextKind::InvalidArg) else { return None };
    let name = arg.split(' ').next()?.trim_matches(['<', '>', '[', ']']);
    let given = match error.get(ContextKind::InvalidValue) {
        Some(ContextValue::String(given)) => given.as_str(),
        _ => "",
    };
    let possible: &[String] = match error.get(ContextKind::ValidValue) {
        Some(ContextValue::Strings(possible)) => possible,
        _ => &[],
    };
    let all = possible.iter().map(|value| format!("`{value}`")).collect::<Vec<_>>().join(", ");
    Some(match (given, nearest(given, possible.iter().map(String::as_str))) {
        ("", _) if all.is_empty() => Error::input(format!("{name}: the value is missing"))
            .hint(format!("add it after a space: `{arg}`")),
        ("", _) => Error::input(format!("{name}: the value is missing")).hint(format!("use one of {all}")),
        (_, Some(near)) => Error::input(format!("{name}: not one of the possible values"))
            .hint(format!("did you mean `{near}`?")),
        (_, None) if all.is_empty() => return None,
        (_, None) => {
            Error::input(format!("{name}: not one of the possible values")).hint(format!("use one of {all}"))
        }
    })
}

/// An option as it was typed.
struct TypedOption<'a> {
    /// Without `--`.
    long: &'a str,
    value: Option<&'a OsStr>,
    /// Whether the value follows a `=`.
    is_joined: bool,
    /// How many of command and cloud precede it.
    level: usize,
}

/// What a command line says, as far as it can be recognized.
struct Reading<'a> {
    program: &'a Command,
    is_help: bool,
    command: Option<&'a Command>,
    cloud: Option<&'a str>,
    options: Vec<TypedOption<'a>>,
    /// Short options, and positional arguments.
    others: Vec<&'a OsStr>,
    wrong: Vec<WrongWord>,
}

/// What is wrong with a word, and what to do about it.
struct WrongWord {
    what: String,
    next: Next,
}

enum Next {
    /// The command line may be another one.
    Meant,
    /// The command line has to be another one.
    Use,
    Hint(String),
}

/// The known word that `text` stands for.
fn meant<'n>(text: &str, names: &[&'n str], others: &[(&'n str, &[&str])]) -> Option<&'n str> {
    let plain = plain(text);
    let synonym =
        || others.iter().find(|(_, others)| others.contains(&plain.as_str())).map(|(name, _)| *name);
    let same = names.iter().copied().find(|name| *name == plain);
    same.or_else(synonym).or_else(|| near(&plain, names.iter().copied()))
}

/// `text` as names are written.
fn plain(text: &str) -> String {
    text.to_ascii_lowercase().replace('_', "-")
}

fn near<'n>(plain: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    if plain.len() > TOO_SHORT_TO_BE_NEAR { nearest(plain, names) } else { None }
}

/// `text` in backticks, as far as it can be.
fn named(text: &str) -> String {
    word(text).map_or_else(|| "of that name".to_owned(), |text| format!("`{text}`"))
}

/// Which of `known` other tools or clouds call `plain`.
fn synonym<'n>(plain: &str, mut known: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let (_, name) = OPTIONS.iter().find(|(other, _)| *other == plain)?;
    known.find(|known| known == name)
}

/// Whether the credentials of `cloud` may be those of a profile.
fn has_profiles(cloud: &str) -> bool {
    ["aws", "s3"].contains(&cloud)
}

/// The option of `command` that is called `long`.
fn option_of<'a>(command: &'a Command, long: &str) -> Option<&'a Arg> {
    command.get_arguments().find(|arg| arg.get_long() == Some(long))
}

fn names(commands: &Command) -> Vec<&str> {
    commands.get_subcommands().flat_map(Command::get_name_and_visible_aliases).collect()
}

fn listed(commands: &Command) -> String {
    commands.get_subcommands().map(Command::get_name).collect::<Vec<_>>().join(", ")
}

impl<'a> Reading<'a> {
    /// `None` where it is not text.
    fn of(program: &'a Command, arguments: &'a [OsString]) -> Option<Self> {
        let mut reading = Self {
            program,
            is_help: false,
            command: None,
            cloud: None,
            options: vec![],
            others: vec![],
            wrong: vec![],
        };
        let mut rest = arguments.iter().skip(1).peekable();
        while let Some(argument) = rest.next() {
            let text = argument.to_str()?;
            if text == "--" {
                break;
            }
            if let Some(option) = text.strip_prefix("--") {
                let (long, joined) =
                    option.split_once('=').map_or((option, None), |(long, value)| (long, Some(value)));
                let has_value = joined.is_none() && reading.may_have_value(long);
                let is_value = |next: &&'a OsString| {
                    let is_cloud = |cloud: &str| reading.cloud.is_none() && reading.is_cloud(cloud);
                    let is_optional = !reading.requires_value(long);
                    next.to_str()
                        .is_some_and(|next| !(next.starts_with('-') || is_optional && is_cloud(next)))
                };
                let apart = if has_value { rest.next_if(is_value).map(OsString::as_os_str) } else { None };
                reading.options.push(TypedOption {
                    long,
                    value: joined.map(OsStr::new).or(apart),
                    is_joined: joined.is_some(),
                    level: usize::from(reading.command.is_some()) + usize::from(reading.cloud.is_some()),
                });
            } else if text.starts_with('-') {
                reading.others.push(argument);
            } else if !reading.add(text) {
                break;
            }
        }
        Some(reading)
    }

    /// Adds a word; whether those after it can be recognized.
    fn add(&mut self, text: &'a str) -> bool {
        let program = self.program;
        let Some(command) = self.command else {
            if text == "help" && self.cloud.is_none() {
                self.is_help = true;
                return true;
            }
            let plain = plain(text);
            let is_called =
                |(name, others): &&(&str, &[&str])| *name == plain || others.contains(&plain.as_str());
            let cloud = CLOUDS.iter().find(is_called).map(|(name, _)| *name);
            if let Some(cloud) = cloud.filter(|name| self.cloud.is_none() && self.is_cloud(name)) {
                self.cloud = Some(cloud);
                return true;
            }
            self.command = program.find_subcommand(text);
            if self.command.is_none() {
                let name = meant(text, &names(program), &COMMANDS);
                self.command = name.and_then(|name| program.find_subcommand(name));
                match self.command {
                    Some(_) => self.note(format!("there is no command {}", named(text)), Next::Meant),
                    None => {
                        self.note("unknown command", Next::Hint(format!("use one of {}", listed(program))))
                    }
                }
            } else if self.cloud.is_some() {
                self.note("the cloud precedes the command", Next::Use);
            }
            return self.command.is_some();
        };
        if command.has_subcommands() && self.cloud.is_none() {
            let name = meant(text, &names(command), &CLOUDS).filter(|name| self.is_cloud(name));
            self.cloud = name;
            match name {
                Some(name) if name == text => {}
                Some(_) => self.note(format!("there is no cloud {}", named(text)), Next::Meant),
                None => self.note(
                    format!("unknown cloud after `{}`", self.start()),
                    Next::Hint(format!("use one of {}", listed(command))),
                ),
            }
            return name.is_some();
        }
        if command.get_positionals().next().is_some() {
            self.others.push(OsStr::new(text));
        } else if self.is_cloud(text) && self.cloud.is_none() {
            self.note(format!("`{}` is for no cloud", self.start()), Next::Use);
        } else {
            let what = format!("a word after `{}` is neither an option nor the value of one", self.start());
            let hint = match self.is_cloud(text) {
                true => {
                    "one command is for one cloud; a file is for several, as docs/file.md shows".to_owned()
                }
                false => {
                    format!("omit it, or add its option before it; `{} --help` lists them", self.start())
                }
            };
            self.note(what, Next::Hint(hint));
        }
        true
    }

    fn note(&mut self, what: impl Into<String>, next: Next) {
        self.wrong.push(WrongWord { what: what.into(), next });
    }

    fn all(&self) -> OptionNames<'a> {
        OptionNames::new(self.program)
    }

    fn is_cloud(&self, text: &str) -> bool {
        self.all().clouds().any(|cloud| cloud == text)
    }

    fn may_have_value(&self, long: &str) -> bool {
        self.all().called(long).first().is_none_or(|arg| arg.get_action().takes_values())
    }

    fn requires_value(&self, long: &str) -> bool {
        let min = |arg: &Arg| arg.get_num_args().map_or(1, |count| count.min_values());
        self.all().called(long).first().is_some_and(|arg| arg.get_action().takes_values() && min(arg) > 0)
    }

    /// `wbstore plan aws`, as far as it is recognized.
    fn start(&self) -> String {
        let help = self.is_help.then_some("help");
        let words = help.into_iter().chain(self.command.map(Command::get_name)).chain(self.cloud);
        words.fold("wbstore".to_owned(), |start, word| start + " " + word)
    }

    /// The command that has the options, where it is known.
    fn leaf(&self) -> Option<&'a Command> {
        let command = self.command?;
        match self.cloud {
            Some(cloud) => command.find_subcommand(cloud),
            None => Some(command),
        }
    }

    fn has(&self, command: &Command, long: &str) -> bool {
        let is_global = || option_of(self.program, long).is_some_and(Arg::is_global_set);
        ["help", "version"].contains(&long) || option_of(command, long).is_some() || is_global()
    }

    /// The option of `leaf` that `long` stands for, unless it is one elsewhere.
    fn option_meant(&self, leaf: &'a Command, long: &str) -> Option<&'a str> {
        if !self.all().called(long).is_empty() {
            return None;
        }
        let plain = plain(long);
        let known = || leaf.get_arguments().chain(self.program.get_arguments()).filter_map(Arg::get_long);
        let same = || known().find(|known| *known == plain);
        // Of a name that is much shorter, it is another compound.
        let alike = known().filter(|known| known.len() * 2 > plain.len());
        same().or_else(|| synonym(&plain, known())).or_else(|| near(&plain, alike))
    }

    /// Adds the command or cloud that is missing, where options follow.
    fn complete(&mut self) {
        if self.command.is_none() && self.wrong.is_empty() {
            let is_own = |option: &TypedOption<'_>| {
                self.all().called(option.long).into_iter().any(|arg| !arg.is_global_set())
            };
            if self.cloud.is_none() && !self.options.iter().any(is_own) {
                return;
            }
            self.command = self.program.find_subcommand("plan");
            self.note("the command is missing", Next::Use);
        }
        let Some(command) = self.command else { return };
        if !command.has_subcommands() {
            if self.cloud.take().is_some() {
                self.wrong.clear();
                self.note(format!("`wbstore {}` is for no cloud", command.get_name()), Next::Use);
            }
            return;
        }
        let has_no_command = self.wrong.iter().any(|wrong| matches!(wrong.next, Next::Use));
        if self.is_help || self.cloud.is_some() || self.options.is_empty() {
            return;
        }
        let is_of_cloud = |option: &TypedOption<'_>| {
            let is_there = |cloud: &Command| option_of(cloud, option.long).is_some();
            !self.has(command, option.long) && command.get_subcommands().any(is_there)
        };
        if !has_no_command && !command.is_subcommand_required_set() && !self.options.iter().any(is_of_cloud) {
            return;
        }
        let fits = |cloud: &&str| {
            let leaf = command.find_subcommand(cloud);
            leaf.is_some_and(|leaf| self.options.iter().all(|option| self.has(leaf, option.long)))
        };
        let fitting: Vec<&str> = self.all().clouds().filter(fits).collect();
        let clouds = if fitting.is_empty() { self.all().clouds().collect() } else { fitting };
        let [first, others @ ..] = &clouds[..] else { return };
        self.cloud = Some(first);
        if self.wrong.is_empty() {
            let hint = name_the_cloud(&self.corrected(), others);
            self.note(format!("`wbstore {}` names no cloud", command.get_name()), Next::Hint(hint));
        }
    }

    /// What is wrong, with what to do about it.
    fn mistake(mut self) -> Option<Error> {
        self.complete();
        if let Some(WrongWord { what, next }) = self.wrong.first() {
            return Some(Error::input(what).hint(match next {
                Next::Meant => format!("did you mean {}?", self.corrected()),
                Next::Use => format!("use {}", self.corrected()),
                Next::Hint(hint) => hint.clone(),
            }));
        }
        let leaf = self.leaf()?;
        if let Some(option) = self.options.iter().find(|option| !self.has(leaf, option.long)) {
            return Some(self.unknown(leaf, option.long));
        }
        self.misplaced(leaf)
    }

    /// What is wrong with an option that precedes the command or the cloud.
    fn misplaced(&self, leaf: &Command) -> Option<Error> {
        let depth = usize::from(self.command.is_some()) + usize::from(self.cloud.is_some());
        let is_own = |option: &&TypedOption<'_>| option_of(leaf, option.long).is_some();
        let early = self.options.iter().filter(is_own).find(|option| option.level < depth)?;
        let what = if early.level == 0 { "command" } else { "cloud" };
        Some(
            Error::input(format!("--{} precedes the {what}", early.long))
                .hint(format!("add options after the {what}: {}", self.corrected())),
        )
    }

    /// What is wrong with an option that `leaf` does not have.
    fn unknown(&self, leaf: &'a Command, long: &str) -> Error {
        let help = format!("`{} --help` lists the options", self.start());
        let Some(name) = word(long) else { return Error::input("there is no such option").hint(help) };
        let has = |command: &&Command| option_of(command, long).is_some();
        let all_of =
            |commands: Vec<&'a Command>| commands.into_iter().map(Command::get_name).collect::<Vec<_>>();
        let siblings = self.command.filter(|_| self.cloud.is_some()).into_iter();
        let clouds = all_of(siblings.flat_map(Command::get_subcommands).filter(has).collect());
        let has_below = |command: &&Command| has(command) || command.get_subcommands().any(|leaf| has(&leaf));
        let commands = all_of(self.program.get_subcommands().filter(has_below).collect());
        let elsewhere = match (self.cloud, self.command) {
            (Some(cloud), _) if !clouds.is_empty() => Some((clouds.join(", "), cloud)),
            (_, Some(command)) if !commands.is_empty() => Some((commands.join(", "), command.get_name())),
            _ => None,
        };
        if let Some((there, here)) = elsewhere {
            return Error::input(format!("`--{name}` is an option of {there}, not of {here}")).hint(
                match synonym(long, leaf.get_arguments().filter_map(Arg::get_long)) {
                    Some(other) => format!("did you mean `--{other}`?"),
                    None => format!("remove it; {help}"),
                },
            );
        }
        let meant = self.option_meant(leaf, long);
        if is_setting(long) && meant.is_none() {
            let setting = long.to_ascii_uppercase().replace('-', "_");
            return Error::input(format!("{setting} is a setting of the server, and no option"))
                .hint("write it to a file, which `wbstore config --settings FILE` reads; docs/settings.md describes it");
        }
        Error::input(format!("there is no option `--{name}`")).hint(match meant {
            _ if long == "profile" && self.cloud.is_some_and(has_profiles) => "set AWS_PROFILE".to_owned(),
            Some(_) if self.is_corrected() => format!("did you mean {}?", self.corrected()),
            Some(known) => format!("did you mean `--{known}`?"),
            None => help,
        })
    }

    /// Whether each option is known, or nearly.
    fn is_corrected(&self) -> bool {
        let Some(leaf) = self.leaf() else { return false };
        self.options
            .iter()
            .all(|option| self.has(leaf, option.long) || self.option_meant(leaf, option.long).is_some())
    }

    /// The whole command that was meant, in backticks; without options where one may not be repeated.
    fn corrected(&self) -> String {
        let start = self.start();
        let mut line = vec![];
        if let (Some(leaf), true) = (self.leaf(), self.is_corrected()) {
            for option in &self.options {
                let is_known = self.has(leaf, option.long);
                let long = if is_known { Some(option.long) } else { self.option_meant(leaf, option.long) };
                let Some(long) = long else { continue };
                match (option.value, option.is_joined) {
                    (Some(value), true) => {
                        let mut joined = OsString::from(format!("--{long}="));
                        joined.push(value);
                        line.push(joined);
                    }
                    (value, _) => {
                        line.push(format!("--{long}").into());
                        line.extend(value.map(OsStr::to_owned));
                    }
                }
            }
            line.extend(self.others.iter().map(|other| (*other).to_owned()));
        } else if self.options.is_empty() && self.others.is_empty() {
            return format!("`{start}`");
        } else {
            return format!("`{start}`, with its options after it");
        }
        as_typed(&start, &line.iter().collect::<Vec<_>>())
    }
}

/// What to do where a cloud is missing: `command` is for one, and may be for the `others`.
pub(super) fn name_the_cloud(command: &str, others: &[&str]) -> String {
    let others = if others.is_empty() { String::new() } else { format!(" (or {})", others.join(", ")) };
    format!("name the cloud: {command}{others}")
}

/// The command with the arguments as they were typed, in backticks; as far as they can be repeated.
pub(super) fn as_typed(start: &str, arguments: &[&OsString]) -> String {
    let is_plain = |text: &str| word(text.trim_start_matches('-')).is_some() && !text.contains('@');
    let texts: Option<Vec<&str>> = arguments.iter().map(|one| one.to_str()).collect();
    match texts {
        Some(texts) if texts.is_empty() => format!("`{start}`"),
        Some(texts) if texts.iter().all(|text| text.split('=').all(is_plain)) => {
            format!("`{start} {}`", texts.join(" "))
        }
        _ => format!("`{start}`, with the same options after it"),
    }
}
