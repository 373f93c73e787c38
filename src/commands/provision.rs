//! `provision`: create or update the deployment, and print the server configuration.

use std::slice;

use clap::Args;
use tokio_util::sync::CancellationToken;

use crate::change::{self, Change};
use crate::cli::{Cloud, Delivered, Format, Lifetime, Target};
use crate::commands::connect;
use crate::commands::plan::{self, PlanFormat};
use crate::console::Console;
use crate::delivery;
use crate::error::{Error, Kind, Result, exit};
use crate::option::parsed;
use crate::output::Encoding;
use crate::plan::Digest;
use crate::provider::{Provider, Wanted};
use crate::secret::Disclosure;
use crate::span::Span;
use crate::view::remark::Remark;

#[derive(Args, Debug)]
pub(crate) struct ProvisionArgs {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    lifetime: Lifetime,
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
    /// Format of plan, progress, notes and errors on stderr
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
    /// Longest wait per step for changes to propagate [default: depends on the step]
    #[arg(long, value_name = "TIME", value_parser = parsed::<Span>())]
    wait: Option<Span>,
}

pub(crate) async fn run(
    cloud: Cloud<ProvisionArgs, Delivered>,
    console: &mut Console,
    cancel: CancellationToken,
) -> Result<u8> {
    let (args, options) = cloud.split();
    let disclosure = options.disclosure();
    let goal = Some(args.lifetime.goal());
    let wanted = Wanted { goal, ..args.target.served(&args.lifetime)? };
    if !args.dry_run {
        disclosure.check()?;
        console.check_data()?;
    }
    let provider = connect(options.as_ref(), wanted, console).await?;
    bring_about(provider.as_ref(), &args, &disclosure, console, cancel).await
}

/// The same with the account known.
pub(super) async fn bring_about(
    provider: &dyn Provider,
    args: &ProvisionArgs,
    disclosure: &Disclosure,
    console: &mut Console,
    cancel: CancellationToken,
) -> Result<u8> {
    let goal = args.lifetime.goal();
    let change = Change::look(provider, goal, console).await?;
    if args.dry_run {
        plan::show(&change.plan, PlanFormat::Human, console)?;
        return Ok(if change.plan.is_refused() { exit::REFUSED } else { exit::DONE });
    }
    console.plan(&change.plan)?;
    change.require_allowed()?;
    change.require_digest(args.expect.as_ref())?;
    let encoding = args.output.unwrap_or(console.encoding());
    delivery::check(&change.plan, encoding)?;
    let changes = !change.plan.is_empty();
    if changes && !args.yes {
        if !console.is_interactive() {
            return Err(Error::input(format!("nothing was changed: {}", console.why_nobody_is_asked()))
                .hint("add `--yes` to apply without a prompt"));
        }
        if !console.confirm("Apply these changes?")? {
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
    let delivered = delivery::deliver(provider, &change.plan, encoding, destination, console).await;
    match delivered {
        Err(error) if change.has_changed() && error.kind() != Kind::Interrupted => {
            console.remark(&Remark::error(&undelivered(error), exit::PARTIAL));
            Ok(exit::PARTIAL)
        }
        delivered => delivered.map(|()| exit::DONE),
    }
}

/// `error` with a hint, for when everything was applied.
fn undelivered(error: Error) -> Error {
    let again = "`wbstore config` with the same arguments prints the server configuration again";
    let hint = error.what_next().map_or_else(|| again.to_owned(), |hint| format!("{hint}\n{again}"));
    error.context("the changes were applied, but the server configuration was not written").hint(hint)
}
