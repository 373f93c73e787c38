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
use crate::span::Span;
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
    console.speak_json(args.format == PlanFormat::Json);
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
        PlanFormat::Json => console.data(&json::document(plan)?),
        PlanFormat::Markdown => console.data(&markdown::plan(plan)),
    }
}

async fn provision(
    cloud: Cloud<cli::Provision, Delivered>,
    console: &mut Console,
    cancel: CancellationToken,
) -> Result<u8> {
    let (args, described) = cloud.split();
    console.speak_json(args.format == cli::Report::Json);
    let disclosure = described.disclosure();
    let described = described.request(request::served(&args.target, &args.lifetime)?);
    disclosure.check()?;
    let provider = connect(described, console).await?;
    let goal = Goal::Present { adopt: args.lifetime.adopt };
    let change = Change::look(provider.as_ref(), goal, console).await?;
    if args.dry_run {
        show(&change.plan, PlanFormat::Human, console)?;
        return Ok(if change.plan.is_refused() { exit::REFUSED } else { exit::DONE });
    }
    change.tell(args.format, console)?;
    change.require_allowed()?;
    change.require_digest(args.expect.as_deref())?;
    if !change.plan.is_empty() {
        let asks = !args.yes;
        if asks && !console.is_interactive() {
            return Err(Error::input("nothing was changed: there is no terminal to ask on")
                .hint("add --yes to go on without asking"));
        }
        if asks && !console.confirm("Make these changes?")? {
            return Err(Error::new(Kind::Failed, "nothing was changed: the answer was no"));
        }
        let wait = args.wait.map(Span::as_duration);
        let reports = change::apply(slice::from_ref(&change), asks, args.format, wait, console, cancel).await;
        let code = change::outcome(&reports, []);
        if code != exit::DONE {
            return Ok(code);
        }
    }
    outputs::deliver(provider.as_ref(), &change.plan, args.output, &disclosure, console).await?;
    Ok(exit::DONE)
}

/// The provider of an online request, with a sign of life while it connects.
async fn connect(described: crate::providers::Request, console: &mut Console) -> Result<Box<dyn Provider>> {
    console.busy("reading the account", described.connect()).await
}
