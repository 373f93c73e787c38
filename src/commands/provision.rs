//! `provision`: create or update the deployment, and print the server configuration.

use clap::Args;
use tokio_util::sync::CancellationToken;

use crate::change;
use crate::cli::{Delivered, Format, Lifetime, Out, Selection, Target};
use crate::commands::plan::{self, PlanFormat};
use crate::commands::run::{Looking, Observed, Run, look, ordered};
use crate::console::Console;
use crate::delivery;
use crate::error::{Error, Kind, Result, exit};
use crate::option::parsed;
use crate::output::Encoding;
use crate::plan::{Digest, Goal};
use crate::provider::Wanted;
use crate::secret::Destination;
use crate::settings::kubernetes_name::Namespace;
use crate::span::Span;
use crate::versioning::Versioning;
use crate::view::human::Extent;
use crate::view::remark::Remark;

#[derive(Args, Debug)]
pub(crate) struct ProvisionArgs {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    lifetime: Lifetime,
    #[command(flatten)]
    versioning: Versioning,
    #[command(flatten)]
    pub(crate) out: Out,
    /// Show the plan and exit, like `plan`
    #[arg(long, conflicts_with_all = ["yes", "expect"])]
    dry_run: bool,
    /// Do not ask for confirmation
    #[arg(short, long)]
    yes: bool,
    /// Apply only if the plan has this digest, as printed by `plan`
    #[arg(long, value_name = "DIGEST", value_parser = parsed::<Digest>())]
    expect: Option<Digest>,
    /// Format of the server configuration [default: env; json with `--format json`]
    #[arg(long, value_enum)]
    output: Option<Encoding>,
    /// Kubernetes namespace of the server, for the manifests of k8s-secret, helm and operator-v2
    #[arg(long, value_name = "NAME", value_parser = parsed::<Namespace>())]
    namespace: Option<Namespace>,
    /// Format of plan, progress, notes and errors on stderr
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
    /// Longest wait per step for changes to propagate [default: depends on the step]
    #[arg(long, value_name = "TIME", value_parser = parsed::<Span>())]
    wait: Option<Span>,
}

impl Looking for ProvisionArgs {
    fn wanted(&self) -> Result<Wanted> {
        let wanted = self.versioning.of(self.target.served(&self.lifetime)?)?;
        Ok(Wanted { goal: Some(self.goal()), ..wanted })
    }

    fn goal(&self) -> Goal {
        self.lifetime.goal()
    }
}

/// What the command line says of the run as a whole.
pub(super) struct Consent {
    dry_run: bool,
    yes: bool,
    expect: Option<Digest>,
    wait: Option<Span>,
}

impl ProvisionArgs {
    pub(super) fn consent(&self) -> Consent {
        let Self { dry_run, yes, expect, wait, .. } = self;
        Consent { dry_run: *dry_run, yes: *yes, expect: expect.clone(), wait: *wait }
    }
}

pub(crate) async fn run(
    selection: Selection<ProvisionArgs, Delivered>,
    console: &mut Console,
    cancel: CancellationToken,
) -> Result<u8> {
    let consent = selection.command().consent();
    let orders = ordered(selection.split())?;
    for ProvisionArgs { output, namespace, .. } in orders.iter().map(|order| &order.args) {
        output.unwrap_or(console.encoding()).check_namespace(namespace.as_ref())?;
    }
    if !consent.dry_run {
        for order in &orders {
            let disclosure = order.options.disclosure();
            console.require_other_file(disclosure.path(), "--secret-file")?;
            disclosure.check()?;
        }
        console.check_data()?;
    }
    let run = look(orders, console).await?;
    bring_about(run, &consent, console, cancel).await
}

/// The same with all deployments looked at.
pub(super) async fn bring_about(
    mut run: Run<ProvisionArgs>,
    consent: &Consent,
    console: &mut Console,
    cancel: CancellationToken,
) -> Result<u8> {
    if consent.dry_run {
        plan::show(&run, PlanFormat::Human, console)?;
        run.report(console);
        return Ok(plan::code(&run, false));
    }
    let extent = if consent.yes { Extent::Short } else { Extent::Whole };
    match run.only_plan() {
        Some(plan) => console.plan(plan, extent)?,
        None => console.plans(&run.plans(), extent)?,
    }
    run.report(console);
    // What was reviewed is all of it, the refused among it.
    let digest = run.require_digest(consent.expect.as_ref());
    run.keep(|one| one.change.require_allowed(), console)?;
    digest?;
    let default = console.encoding();
    let encoding = |one: &Observed<ProvisionArgs>| one.args.output.unwrap_or(default);
    run.keep(|one| delivery::check(&one.change.plan, encoding(one)), console)?;
    let changing: Vec<_> = run.observed.iter().filter(|one| !one.change.plan.is_empty()).collect();
    if !changing.is_empty() && !consent.yes {
        if !console.is_interactive() {
            return Err(Error::input(format!("nothing was changed: {}", console.why_nobody_is_asked()))
                .hint("add `--yes` to apply without a prompt"));
        }
        if !console.confirm("Apply these changes?")? {
            return Err(Error::new(Kind::Failed, "nothing was changed: the answer was no"));
        }
    }
    let destinations = run.observed.iter().map(|one| one.disclosure.open()).collect::<Result<Vec<_>>>()?;
    let reports = if changing.is_empty() {
        vec![]
    } else {
        let wait = consent.wait.map(Span::as_duration);
        let changes: Vec<_> = changing.iter().map(|one| (one.title.as_deref(), &one.change)).collect();
        change::apply(&changes, !consent.yes, wait, console, cancel).await
    };
    let failed: Vec<bool> = {
        let mut ended = reports.iter().map(|report| report.exit_code() != exit::DONE);
        run.observed.iter().map(|one| !one.change.plan.is_empty() && ended.next().unwrap_or(true)).collect()
    };
    let mut codes = vec![change::outcome(&reports, run.codes())];
    for ((one, destination), failed) in run.observed.iter().zip(destinations).zip(failed) {
        if !failed {
            codes.push(deliver(one, encoding(one), destination, run.only_plan().is_some(), console).await?);
        }
    }
    Ok(exit::worst(codes))
}

/// Prints the outputs of `one`, and returns its exit code.
///
/// # Errors
/// Where nothing was changed, of a deployment that `is_alone`.
async fn deliver(
    one: &Observed<ProvisionArgs>,
    encoding: Encoding,
    destination: Destination,
    is_alone: bool,
    console: &mut Console,
) -> Result<u8> {
    let title = one.title.as_deref();
    let plan = &one.change.plan;
    let (provider, namespace) = (one.provider.as_ref(), one.args.namespace.as_ref());
    let delivered = delivery::deliver(title, provider, plan, encoding, namespace, destination, console).await;
    let Err(error) = delivered else { return Ok(exit::DONE) };
    let has_changed = one.change.has_changed();
    if error.kind() == Kind::Interrupted || (is_alone && !has_changed) {
        return Err(error);
    }
    let (error, code) = match has_changed {
        true => (undelivered(error), exit::PARTIAL),
        false => (error, exit::FAILED),
    };
    let error = match title {
        Some(title) => error.context(title),
        None => error,
    };
    console.remark(&Remark::error(&error, code));
    Ok(code)
}

/// `error` with a hint, for when everything was applied.
fn undelivered(error: Error) -> Error {
    let again = "`wbstore config` with the same arguments prints the server configuration again";
    let hint = error.what_next().map_or_else(|| again.to_owned(), |hint| format!("{hint}\n{again}"));
    error.context("the changes were applied, but the server configuration was not written").hint(hint)
}
