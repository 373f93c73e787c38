//! The commands, each in the file that is named as it is typed: its options, and its flow from argv to the
//! exit code.
//!
//! What a command was asked for goes to stdout (outputs, a plan, a policy, a list, the checks); progress,
//! notes and errors go to stderr.

#[cfg(feature = "check")]
pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod doctor;
pub(crate) mod list;
pub(crate) mod man;
mod marked;
pub(crate) mod plan;
pub(crate) mod policy;
pub(crate) mod provision;
mod run;
pub(crate) mod teardown;
pub(crate) mod verify;

use tokio_util::sync::CancellationToken;

use crate::cli::{Cli, Command, Offline};
use crate::console::Console;
use crate::error::{Error, Result};
use crate::inventory::Inventory;
use crate::name::DeploymentName;
use crate::provider::{CloudOptions, Provider, Wanted};

/// Runs the command and returns the exit code. `cancel` asks it to stop at the next good place.
///
/// # Errors
/// What stopped it before it changed anything; afterwards the exit code says so.
pub async fn run(cli: Cli, console: &mut Console, cancel: CancellationToken) -> Result<u8> {
    for note in &cli.notes {
        console.note(note);
    }
    match cli.command {
        Command::Plan(selection) => plan::run(selection, console).await,
        Command::Provision(selection) => provision::run(selection, console, cancel).await,
        Command::Verify(selection) => verify::run(selection, console, cancel).await,
        #[cfg(feature = "check")]
        Command::Check(args) => check::run(args, console, cancel).await,
        Command::Teardown { cloud } => teardown::run(cloud, console, cancel).await,
        Command::List { cloud } => list::run(cloud, console).await,
        Command::Policy { cloud } => policy::run(cloud, console).await,
        Command::Config(selection) => config::run(selection, console).await,
        Command::Doctor(command) => doctor::run(command, console, cancel).await,
        Command::Completions(args) => completions::run(&args, console),
        Command::Man(args) => man::run(&args, console),
    }
}

/// The deployment of a command that is for none in particular.
fn anybody() -> Result<Wanted> {
    Ok(Wanted::named("wbstore".parse::<DeploymentName>()?))
}

/// Connects to the cloud, and shows that it does.
async fn connect(
    options: &dyn CloudOptions,
    wanted: Wanted,
    console: &mut Console,
) -> Result<Box<dyn Provider>> {
    options.tag_rule().check(&wanted.tags)?;
    console.busy("reading the account", options.connect(wanted)).await
}

/// The deployment as it would be in the account that `args` name; no request is sent.
async fn offline(options: &dyn CloudOptions, wanted: Wanted, args: &Offline) -> Result<Box<dyn Provider>> {
    if wanted.renews_unnamed() {
        return Err(Error::input("--offline cannot read the lease to renew")
            .hint("add `--expires` with the time span, such as `--expires 7d`"));
    }
    options.tag_rule().check(&wanted.tags)?;
    options.offline(wanted, args.account_id.as_deref()).await
}

/// Checks what an observation would check first, for a command without one.
async fn confirm_account(provider: &dyn Provider, console: &mut Console) -> Result<()> {
    let guards = provider.guards()?;
    let guards = async {
        for guard in &guards {
            guard().await?;
        }
        Ok(())
    };
    console.busy("reading the account", guards).await
}

/// The deployments of the account.
async fn inventory(
    options: &dyn CloudOptions,
    provider: &dyn Provider,
    console: &mut Console,
) -> Result<Inventory> {
    let looking = format!("searching {}", options.holdings());
    console.busy(&looking, provider.list()).await
}

#[cfg(test)]
mod tests;
