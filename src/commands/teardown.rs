//! `teardown`: of one deployment, or of all whose lease has ended.

use std::fmt::Display;

use clap::{ArgGroup, Args};
use futures::stream::{self, StreamExt};
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;
use wildmatch::WildMatch;

use crate::change::{self, Change};
use crate::cli::{Cloud, Format, Named, Target};
use crate::commands::{anybody, connect, inventory};
use crate::console::Console;
use crate::empty::MaxRate;
use crate::error::{Error, Result, exit};
use crate::inventory::{Deployment, Inventory};
use crate::name::StorageName;
use crate::option::parsed;
use crate::plan::{Digest, Goal, Spares};
use crate::provider::{CloudOptions, EmptyBy, Provider, Wanted};
use crate::span::Span;
use crate::view::human::Extent;
use crate::view::remark::Remark;

/// The word that confirms `--expired`, where there is no one name to type.
const ALL_EXPIRED: &str = "expired";

#[derive(Args, Debug)]
#[command(group = ArgGroup::new("which").required(true).multiple(true).args(["host", "name", "expired"]))]
pub(crate) struct TeardownArgs {
    #[command(flatten)]
    target: Target,
    /// Delete every deployment of the account whose lease has ended
    #[arg(long, conflicts_with_all = ["host", "name", "team", "parts"])]
    expired: bool,
    /// Limit --expired to matching names; `*` matches any characters, `?` matches one
    #[arg(long, value_name = "PATTERN", requires = "expired")]
    only: Option<String>,
    /// Delete the objects too, in all versions; without it, a bucket that is not empty is refused
    #[arg(long)]
    delete_objects: bool,
    /// How the bucket is emptied
    #[arg(long, value_enum, default_value_t, requires = "delete_objects")]
    empty_by: EmptyBy,
    /// Most deletions a second, for an account with other users [default: as many as the service allows]
    #[arg(long, value_name = "NUMBER", requires = "delete_objects", value_parser = parsed::<MaxRate>())]
    max_rate: Option<MaxRate>,
    /// Confirm with the deployment's name (`expired` with --expired) instead of at the prompt
    #[arg(long, value_name = "NAME")]
    confirm: Option<String>,
    /// Apply only if the plan has this digest, as printed by `--dry-run`
    #[arg(long, value_name = "DIGEST", conflicts_with = "expired", value_parser = parsed::<Digest>())]
    expect: Option<Digest>,
    /// Do not ask for confirmation where no data are deleted; objects and messages require --confirm
    #[arg(short, long)]
    yes: bool,
    /// Show the plan and exit
    #[arg(long, conflicts_with_all = ["confirm", "yes"])]
    dry_run: bool,
    /// Format of plan, progress, notes and errors on stderr
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
    /// Longest wait per step for changes to propagate [default: depends on the step]
    #[arg(long, value_name = "TIME", value_parser = parsed::<Span>())]
    wait: Option<Span>,
}

pub(crate) async fn run(
    cloud: Cloud<TeardownArgs, Named>,
    console: &mut Console,
    cancel: CancellationToken,
) -> Result<u8> {
    let (args, options) = cloud.split();
    if args.expired {
        return expired(&args, options.as_ref(), console, cancel).await;
    }
    args.target.require_one_name()?;
    let wanted = deletion(args.target.named()?, &args);
    let storage = wanted.name.clone();
    let spares = spares(&args, by_name(options.as_ref(), &storage), storage.to_string());
    let list = format!("`wbstore list {}` shows the existing deployments and their names", options.cloud());
    let provider = connect(options.as_ref(), wanted, console).await?;
    remove(provider.as_ref(), &args, (&storage, spares, &list), console, cancel).await
}

/// The teardown of the deployment `storage`, with the account known; `list` is a note on how to find others.
pub(super) async fn remove(
    provider: &dyn Provider,
    args: &TeardownArgs,
    (storage, spares, list): (&StorageName, Option<Spares>, &str),
    console: &mut Console,
    cancel: CancellationToken,
) -> Result<u8> {
    let change = Change::look_to_delete(provider, spares, console).await?;
    console.plan(&change.plan, args.extent())?;
    change.require_allowed()?;
    if change.plan.is_empty() {
        console.note(list);
        return Ok(exit::DONE);
    }
    if args.dry_run {
        return Ok(exit::DONE);
    }
    change.require_digest(args.expect.as_ref())?;
    confirm(args, &storage.to_string(), change.plan.deletes_data(), console)?;
    let wait = args.wait.map(Span::as_duration);
    let reports = change::apply(&[(None, &change)], true, wait, console, cancel).await;
    Ok(change::outcome(&reports, []))
}

/// `wanted`, with what the user allows to be deleted.
fn deletion(wanted: Wanted, args: &TeardownArgs) -> Wanted {
    let TeardownArgs { delete_objects, empty_by, max_rate, .. } = args;
    let (goal, max_rate) = (Some(Goal::Absent), max_rate.clone());
    Wanted { delete_objects: *delete_objects, empty_by: *empty_by, max_rate, goal, ..wanted }
}

impl TeardownArgs {
    /// How much of a plan is shown: all, where somebody has to decide on it.
    fn extent(&self) -> Extent {
        if self.yes || self.confirm.is_some() { Extent::Short } else { Extent::Whole }
    }
}

/// What `--yes` alone does not cover: `command` deletes it where its confirmation is `word`.
pub(super) fn spares(args: &TeardownArgs, mut command: String, word: impl Display) -> Option<Spares> {
    if args.delete_objects {
        command.push_str(" --delete-objects");
    }
    let confirmation = format!("--confirm {word}");
    (args.yes && args.confirm.is_none()).then_some(Spares { command, confirmation })
}

/// Requires consent to the deletion of `name`: a typed name, or what `args` have of it. A plan that deletes data was
/// refused before where they only have `--yes`.
fn confirm(args: &TeardownArgs, name: &str, deletes_data: bool, console: &mut Console) -> Result<()> {
    let unconfirmed = || Error::input(format!("nothing was deleted: the name typed is not `{name}`"));
    match args.confirm.as_deref() {
        Some(given) if given == name => Ok(()),
        Some(_) => Err(unconfirmed().hint(format!("add `--confirm {name}`"))),
        None if args.yes => Ok(()),
        None if !console.is_interactive() => {
            let option = if deletes_data { format!("--confirm {name}") } else { "--yes".to_owned() };
            Err(Error::input(format!("nothing was deleted: {}", console.why_nobody_is_asked()))
                .hint(format!("add `{option}`")))
        }
        None if console.typed(&format!("Type `{name}` to delete it"), name)? => Ok(()),
        None => Err(unconfirmed()),
    }
}

/// Several deployments side by side; a failure of one does not stop the others.
async fn expired(
    args: &TeardownArgs,
    options: &dyn CloudOptions,
    console: &mut Console,
    cancel: CancellationToken,
) -> Result<u8> {
    let provider = connect(options, anybody()?, console).await?;
    let inventory = inventory(options, provider.as_ref(), console).await?;
    for text in &inventory.unread {
        console.warn(text);
    }
    let only = args.only.as_deref().map(WildMatch::new);
    let now = Timestamp::now().as_second();
    let (due, mut left_out) = due(&inventory, only.as_ref(), now);
    for one in inventory.expired(now) {
        if only.as_ref().is_some_and(|only| !only.matches(&one.name)) {
            console.note(&format!("the deployment {} has expired but does not match --only", one.title()));
        }
    }
    if due.is_empty() && left_out.is_empty() {
        console.note(&format!("no deployment has expired ({})", inventory.scope));
        return Ok(exit::DONE);
    }
    let plans = due.iter().map(|one| overdue(one, args, options));
    let plans = stream::iter(plans).buffered(change::SIDE_BY_SIDE).collect::<Vec<_>>();
    let reading = format!("reading {} deployments", due.len());
    let plans = console.busy(&reading, async { Ok(plans.await) }).await?;
    let mut changes = vec![];
    for (one, plan) in due.iter().zip(plans) {
        let allowed = plan.and_then(|change| {
            console.plan(&change.plan, args.extent())?;
            change.require_allowed()?;
            Ok(change)
        });
        match allowed {
            Ok(change) => changes.push(change),
            Err(error) => left_out.push(one.left_out(error, args, options)),
        }
    }
    for failure in &left_out {
        console.remark(&Remark::error(failure, failure.exit_code()));
    }
    let failures = left_out.iter().map(Error::exit_code);
    if args.dry_run || changes.is_empty() {
        return Ok(change::outcome(&[], failures));
    }
    let deletes_data = changes.iter().any(|change| change.plan.deletes_data());
    confirm(args, ALL_EXPIRED, deletes_data, console)?;
    let wait = args.wait.map(Span::as_duration);
    let changes: Vec<_> = changes.iter().map(|change| (None, change)).collect();
    let reports = change::apply(&changes, true, wait, console, cancel).await;
    Ok(change::outcome(&reports, failures))
}

/// An expired deployment.
struct Due<'a> {
    deployment: &'a Deployment,
    name: StorageName,
}

impl Due<'_> {
    /// Why it is skipped, with the command that deletes it by name unless the failure is temporary.
    fn left_out(&self, error: Error, args: &TeardownArgs, options: &dyn CloudOptions) -> Error {
        let error = error.context(format!("the deployment {} is skipped", self.name));
        if error.exit_code() != exit::REFUSED {
            return error;
        }
        let Ok(options) = options.with_parts(self.deployment) else { return error };
        let objects = if args.delete_objects { " --delete-objects" } else { "" };
        let command = by_name(options.as_ref(), &self.name);
        // Of data that were spared, the hint is that command already.
        if error.what_next().is_some_and(|hint| hint.contains(&command)) {
            return error;
        }
        let by_name = format!("`{command}{objects}` deletes it by name");
        let hint = match error.what_next() {
            Some(hint) => format!("{hint}; {by_name}"),
            None => by_name,
        };
        error.hint(hint)
    }
}

/// The deployments of `inventory` that match `only` and whose time is up at `now`, in seconds since the
/// epoch, and why other expired ones are skipped.
fn due<'a>(inventory: &'a Inventory, only: Option<&WildMatch>, now: i64) -> (Vec<Due<'a>>, Vec<Error>) {
    let (mut due, mut left_out) = (vec![], vec![]);
    let chosen = |one: &&Deployment| only.is_none_or(|only| only.matches(&one.name));
    for deployment in inventory.expired(now).filter(chosen) {
        match deployment.storage() {
            Ok(name) => due.push(Due { deployment, name }),
            Err(error) => left_out.push(Error::context(error, "a mark is skipped")),
        }
    }
    (due, left_out)
}

/// Plans the end of one deployment whose lease has ended, with the names that its marks give.
async fn overdue(due: &Due<'_>, args: &TeardownArgs, options: &dyn CloudOptions) -> Result<Change> {
    let wanted = Wanted { only_expired: true, ..Wanted::named(due.name.clone()) };
    let options = options.with_parts(due.deployment)?;
    let spares = spares(args, by_name(options.as_ref(), &due.name), &due.name);
    Change::observe(options.connect(deletion(wanted, args)).await?.as_ref(), Goal::Absent, spares).await
}

/// The command that deletes `storage` by name, with all that `options` name. Only checked names are in
/// it.
fn by_name(options: &dyn CloudOptions, storage: &StorageName) -> String {
    let StorageName { deployment, team } = storage;
    let team = team.iter().map(|team| format!(" --team {team}"));
    let named = options.names(storage).into_iter().map(|(option, value)| format!(" {option} {value}"));
    let names: String = team.chain(named).collect();
    format!("wbstore teardown {} --name {deployment}{names}", options.cloud()).trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_past_its_time_is_due_and_a_mark_without_a_name_is_left_out() {
        let deployment = |name: &str, expires| Deployment {
            name: name.to_owned(),
            team: None,
            region: "here".to_owned(),
            created: None,
            expires,
            parts: vec![],
            missing: vec![],
            refers_to: vec![],
        };
        let deployments = vec![
            deployment("past", Some(9)),
            deployment("now", Some(10)),
            deployment("later", Some(11)),
            deployment("forever", None),
            deployment("No Name!", Some(9)),
        ];
        let inventory = Inventory { deployments, ..Inventory::default() };
        let names = |due: &[Due<'_>]| due.iter().map(|one| one.name.to_string()).collect::<Vec<_>>();
        assert_eq!(names(&due(&inventory, Some(&WildMatch::new("p*")), 10).0), ["past"]);
        let (due, left_out) = due(&inventory, None, 10);
        assert_eq!(names(&due), ["past", "now"]);
        let [error] = &left_out[..] else { panic!("{left_out:?}") };
        assert!(error.chain().contains("No Name!"), "{error}");
    }
}
