//! What a command is for: the deployment that its command line describes, on the cloud that it names, or those of the
//! file.

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches, Subcommand};

use super::cloud::{Accepts, Cloud};
use super::completion::storages;
use super::options::is_only_typed;
use crate::name::StorageName;
use crate::provider::CloudOptions;

const ONLY: &str = "only";

/// A command that needs no cloud where there is a file of deployments.
#[derive(Debug)]
pub(crate) struct Selection<C: Args, P: Accepts> {
    /// The command's own options, where no cloud is named.
    own: C,
    cloud: Option<Cloud<C, P>>,
    only: Option<String>,
    /// The deployments of the file, each as if its command line had been typed.
    members: Vec<(StorageName, Cloud<C, P>)>,
}

/// One deployment that a command is for.
#[derive(Debug)]
pub(crate) struct Selected<C> {
    /// Its name, where there may be others beside it.
    pub(crate) title: Option<String>,
    pub(crate) args: C,
    pub(crate) options: Box<dyn CloudOptions>,
}

impl<C: Args, P: Accepts> Selection<C, P> {
    /// The command's own options, which hold for the run as a whole.
    pub(crate) fn command(&self) -> &C {
        self.cloud.as_ref().map_or(&self.own, Cloud::command)
    }

    /// Whether it is neither for a cloud nor for deployments of the file.
    pub(crate) fn is_empty(&self) -> bool {
        self.cloud.is_none() && self.members.is_empty()
    }

    pub(super) fn only(&self) -> Option<&str> {
        self.only.as_deref()
    }

    /// Adds a deployment of the file, which `line` is for.
    pub(super) fn add(&mut self, line: Self, storage: &StorageName) {
        self.members.extend(line.cloud.map(|cloud| (storage.clone(), cloud)));
    }

    /// The deployments.
    pub(crate) fn split(self) -> Vec<Selected<C>> {
        let selected = |title, cloud: Cloud<C, P>| {
            let (args, options) = cloud.split();
            Selected { title, args, options }
        };
        let members =
            self.members.into_iter().map(|(storage, cloud)| selected(Some(storage.to_string()), cloud));
        self.cloud.into_iter().map(|cloud| selected(None, cloud)).chain(members).collect()
    }
}

impl<C: Args, P: Accepts> FromArgMatches for Selection<C, P> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let cloud = matches.subcommand_name().map(|_| Cloud::from_arg_matches(matches)).transpose()?;
        let only = matches.get_one::<String>(ONLY).cloned();
        Ok(Self { own: C::from_arg_matches(matches)?, cloud, only, members: vec![] })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl<C: Args, P: Accepts> Args for Selection<C, P> {
    fn augment_args(command: Command) -> Command {
        let command = C::augment_args(Cloud::<C, P>::augment_subcommands(command));
        let command = command.arg(
            Arg::new(ONLY)
                .long(ONLY)
                .value_name("PATTERN")
                .add(storages())
                .help("Without a cloud, limit the run to matching deployments of the file; `*` matches any characters, `?` matches one"),
        );
        // What cannot be in the file can only be given here.
        let of_clouds: Vec<(String, Option<String>)> = command
            .get_subcommands()
            .flat_map(Command::get_arguments)
            .filter(|arg| !arg.get_action().takes_values())
            .filter_map(|arg| {
                let long = arg.get_long().filter(|long| is_only_typed(long))?;
                Some((long.to_owned(), arg.get_help().map(ToString::to_string)))
            })
            .collect();
        of_clouds.into_iter().fold(command, |command, (long, help)| {
            if command.get_arguments().any(|arg| arg.get_long() == Some(&long)) {
                return command;
            }
            let arg = Arg::new(long.clone()).long(long).action(ArgAction::SetTrue);
            command.arg(arg.help(help.unwrap_or_default()))
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}
