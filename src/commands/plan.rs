//! `plan`: what `provision` would do.

use clap::{Args, ValueEnum};

use crate::cli::{Described, Lifetime, Offline, Out, Selection, Target};
use crate::commands::run::{Looking, Run, look, ordered};
use crate::console::Console;
use crate::error::{Result, exit};
use crate::plan::Goal;
use crate::provider::Wanted;
use crate::versioning::Versioning;
use crate::view::{json, markdown};

#[derive(Args, Debug)]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    lifetime: Lifetime,
    #[command(flatten)]
    versioning: Versioning,
    #[command(flatten)]
    offline: Offline,
    #[command(flatten)]
    pub(crate) out: Out,
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

impl Looking for PlanArgs {
    fn wanted(&self) -> Result<Wanted> {
        let wanted = self.versioning.of(self.target.served(&self.lifetime)?)?;
        Ok(Wanted { goal: Some(self.goal()), ..wanted })
    }

    fn goal(&self) -> Goal {
        self.lifetime.goal()
    }

    fn offline(&self) -> Option<&Offline> {
        Some(&self.offline).filter(|offline| offline.offline)
    }
}

pub(crate) async fn run(selection: Selection<PlanArgs, Described>, console: &mut Console) -> Result<u8> {
    let PlanArgs { format, exit_code, .. } = *selection.command();
    let run = look(ordered(selection.split())?, console).await?;
    show(&run, format, console)?;
    run.report(console);
    Ok(code(&run, exit_code))
}

/// The exit code of a run that shows its plans, with one of its own for changes where they `count`.
pub(super) fn code<C>(run: &Run<C>, count: bool) -> u8 {
    let plans = run.observed.iter().map(|one| match &one.change.plan {
        plan if plan.is_refused() => exit::REFUSED,
        plan if count && !plan.is_empty() => exit::PENDING,
        _ => exit::DONE,
    });
    exit::worst(plans.chain(run.codes()))
}

pub(super) fn show<C>(run: &Run<C>, format: PlanFormat, console: &mut Console) -> Result<()> {
    match (format, run.only_plan()) {
        (PlanFormat::Human, Some(plan)) => console.plan_page(plan),
        (PlanFormat::Human, None) => console.plans_page(&run.plans()),
        (PlanFormat::Json, Some(plan)) => console.data(&json::line(plan)?),
        (PlanFormat::Json, None) => console.data(&json::line(&run.plans())?),
        (PlanFormat::Markdown, Some(plan)) => console.data(&markdown::plan(plan)),
        (PlanFormat::Markdown, None) => console.data(&markdown::plans(&run.plans())),
    }
}
