//! The whole flow, on one page: argv → request → stack → observe → plan → show → confirm → apply →
//! outputs.
//!
//! What a command was asked for goes to stdout (outputs, a plan, a policy, a list, the checks); talk
//! about the way there goes to stderr.

mod change;
mod outputs;
mod print;
mod proof;
mod removal;
mod request;

use std::slice;

use tokio_util::sync::CancellationToken;

use crate::cli::{self, Cloud, Command, Delivered, Described, PlanFormat};
use crate::console::Console;
use crate::error::{Error, Kind, Result, exit};
use crate::plan::{Goal, Plan};
use crate::provider::Provider;
use crate::secret::Disclosure;
use crate::span::Span;
use crate::view::remark::Remark;
use crate::view::{human, json, markdown};

use change::Change;

/// Runs `command` and returns the exit code. `cancel` asks it to stop at the next good place.
///
/// # Errors
/// Whatever stopped it before it changed anything; afterwards the exit code tells.
pub async fn run(command: Command, console: &mut Console, cancel: CancellationToken) -> Result<u8> {
    match command {
        Command::Plan { cloud } => plan(cloud, console).await,
        Command::Provision { cloud } => provision(cloud, console, cancel).await,
        Command::Verify { cloud } => proof::verify(cloud, console, cancel).await,
        Command::Teardown { cloud } => removal::teardown(cloud, console, cancel).await,
        Command::List { cloud } => print::list(cloud, console).await,
        Command::Policy { cloud } => print::policy(cloud, console).await,
        Command::Config { cloud } => print::config(cloud, console).await,
        Command::Completions(args) => print::completions(&args, console),
        Command::Man(args) => print::man(&args, console),
    }
}

async fn plan(cloud: Cloud<cli::Plan, Described>, console: &mut Console) -> Result<u8> {
    let (args, described) = cloud.split();
    let described = described.request(request::served(&args.target, &args.lifetime)?);
    let goal = Goal::Present { adopt: args.lifetime.adopt };
    let change = if args.offline.offline {
        let provider = described.offline(args.offline.account_id.as_deref()).await?;
        Change::unobserved(provider.as_ref(), goal)?
    } else {
        let provider = connect(described, console).await?;
        Change::look(provider.as_ref(), goal, console).await?
    };
    show(&change.plan, args.format, console)?;
    Ok(if change.plan.is_refused() {
        exit::REFUSED
    } else if args.exit_code && !change.plan.is_empty() {
        exit::PENDING
    } else {
        exit::DONE
    })
}

fn show(plan: &Plan, format: PlanFormat, console: &mut Console) -> Result<()> {
    match format {
        PlanFormat::Human => console.page(&human::plan(plan)),
        PlanFormat::Json => console.data(&json::line(plan)?),
        PlanFormat::Markdown => console.data(&markdown::plan(plan)),
    }
}

async fn provision(
    cloud: Cloud<cli::Provision, Delivered>,
    console: &mut Console,
    cancel: CancellationToken,
) -> Result<u8> {
    let (args, described) = cloud.split();
    let disclosure = described.disclosure();
    let described = described.request(request::served(&args.target, &args.lifetime)?);
    if !args.dry_run {
        disclosure.check()?;
        console.check_data()?;
    }
    let provider = connect(described, console).await?;
    bring_about(provider.as_ref(), &args, &disclosure, console, cancel).await
}

/// `provision` with the account known.
async fn bring_about(
    provider: &dyn Provider,
    args: &cli::Provision,
    disclosure: &Disclosure,
    console: &mut Console,
    cancel: CancellationToken,
) -> Result<u8> {
    let goal = Goal::Present { adopt: args.lifetime.adopt };
    let change = Change::look(provider, goal, console).await?;
    if args.dry_run {
        show(&change.plan, PlanFormat::Human, console)?;
        return Ok(if change.plan.is_refused() { exit::REFUSED } else { exit::DONE });
    }
    console.plan(&change.plan)?;
    change.require_allowed()?;
    change.require_digest(args.expect.as_ref())?;
    let encoding = args.output.unwrap_or(console.encoding());
    outputs::check(&change.plan, encoding)?;
    let changes = !change.plan.is_empty();
    if changes && !args.yes {
        if !console.is_interactive() {
            return Err(Error::input(format!("nothing was changed: {}", console.why_nobody_is_asked()))
                .hint("add --yes to go on without asking"));
        }
        if !console.confirm("Make these changes?")? {
            return Err(Error::new(Kind::Failed, "nothing was changed: the answer was no"));
        }
    }
    let destination = disclosure.open()?;
    if changes {
        let wait = args.wait.map(Span::as_duration);
        let reports = change::apply(slice::from_ref(&change), !args.yes, wait, console, cancel).await;
        let code = change::outcome(&reports, []);
        if code != exit::DONE {
            return Ok(code);
        }
    }
    let delivered = outputs::deliver(provider, &change.plan, encoding, destination, console).await;
    match delivered {
        Err(error) if change.has_changed() && error.kind() != Kind::Interrupted => {
            console.remark(&Remark::error(&undelivered(error), exit::PARTIAL));
            Ok(exit::PARTIAL)
        }
        delivered => delivered.map(|()| exit::DONE),
    }
}

/// What is left to do after `error` when everything is made.
fn undelivered(error: Error) -> Error {
    let again = "`wbstore config` with the same arguments prints the settings again";
    let hint = error.what_next().map_or_else(|| again.to_owned(), |hint| format!("{hint}\n{again}"));
    error.context("the changes were made, but the server's settings were not delivered").hint(hint)
}

/// The provider of an online request, with a sign of life while it connects.
async fn connect(described: crate::providers::Request, console: &mut Console) -> Result<Box<dyn Provider>> {
    console.busy("reading the account", described.connect()).await
}

#[cfg(test)]
mod tests;
