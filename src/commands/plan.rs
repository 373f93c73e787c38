//! `plan`: what `provision` would do.

use clap::{Args, ValueEnum};

use crate::change::Change;
use crate::cli::{Cloud, Described, Lifetime, Offline, Target};
use crate::commands::{connect, offline};
use crate::console::Console;
use crate::error::{Result, exit};
use crate::plan::Plan;
use crate::provider::Wanted;
use crate::view::{human, json, markdown};

#[derive(Args, Debug)]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    lifetime: Lifetime,
    #[command(flatten)]
    offline: Offline,
    /// Output format
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: PlanFormat,
    /// Exit with 5 when changes are pending
    #[arg(long)]
    exit_code: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum PlanFormat {
    /// Text for people
    #[default]
    Human,
    /// The versioned document of docs/plan.schema.json
    Json,
    /// A pull-request comment with a graph of the steps
    Markdown,
}

pub(crate) async fn run(cloud: Cloud<PlanArgs, Described>, console: &mut Console) -> Result<u8> {
    let (args, options) = cloud.split();
    let goal = args.lifetime.goal();
    let wanted = Wanted { goal: Some(goal), ..args.target.served(&args.lifetime)? };
    let change = if args.offline.offline {
        let provider = offline(options.as_ref(), wanted, &args.offline).await?;
        Change::unobserved(provider.as_ref(), goal)?
    } else {
        let provider = connect(options.as_ref(), wanted, console).await?;
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

pub(super) fn show(plan: &Plan, format: PlanFormat, console: &mut Console) -> Result<()> {
    match format {
        PlanFormat::Human => console.page(&human::plan(plan)),
        PlanFormat::Json => console.data(&json::line(plan)?),
        PlanFormat::Markdown => console.data(&markdown::plan(plan)),
    }
}
