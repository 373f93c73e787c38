//! `verify`: drift first, then the cloud's own checks.

use clap::{Args, ValueEnum};
use futures::future::BoxFuture;
use futures::stream::{self, StreamExt};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_util::sync::CancellationToken;

use crate::change::{SIDE_BY_SIDE, absent, is_absent};
use crate::cli::{Format, Lifetime, Out, Proved, Selection, Target};
use crate::commands::run::{Looking, Observed, Order, look, ordered};
use crate::console::Console;
use crate::error::{Error, Kind, Result, exit};
use crate::option::parsed;
use crate::plan::{Action, Plan};
use crate::provider::Wanted;
use crate::resource::Address;
use crate::span::Span;
use crate::verify::{Check, CheckSender, Checking, CheckingOf, Verdict, VerifyOptions};
use crate::versioning::Versioning;
use crate::view::checks;

#[derive(Args, Debug)]
pub(crate) struct VerifyArgs {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    pub(crate) out: Out,
    #[command(flatten)]
    versioning: Versioning,
    /// Longest wait for an event; a new notification can take minutes to take effect
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = parsed::<Span>())]
    within: Span,
    /// Send only what the server sends to its storage, with the credentials of this environment, which
    /// should be the server's own: a pod, or its machine. Neither drift nor settings are checked
    #[arg(long = "as", value_name = "WHO", value_enum)]
    verify_as: Option<VerifyAs>,
    /// Output format
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

/// Whose calls are sent.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum VerifyAs {
    /// The W&B server's
    Node,
}

const INTERRUPTED: &str = "interrupted; the probe was deleted";

impl Looking for VerifyArgs {
    const BY_MARKS: bool = true;

    fn wanted(&self) -> Result<Wanted> {
        self.versioning.of(self.target.served(&Lifetime::default())?)
    }
}

impl VerifyArgs {
    fn options(
        &self,
        wanted: &Wanted,
        absent: Vec<Address>,
        cancel: &CancellationToken,
    ) -> Result<VerifyOptions> {
        let (origins, event_within) = (wanted.origins()?, self.within.as_duration());
        let (is_team, cancel) = (wanted.name.team.is_some(), cancel.clone());
        Ok(VerifyOptions { origins, event_within, is_team, absent, cancel })
    }
}

/// The checks of one deployment.
pub(super) struct Proof<'a> {
    /// Its name, where there are others.
    title: Option<&'a str>,
    sender: CheckSender,
    receiver: UnboundedReceiver<Checking>,
    work: BoxFuture<'a, Result<()>>,
}

impl<'a> Proof<'a> {
    /// The only one, of which `work` sends the checks through the other end of `channel`.
    pub(super) fn only(
        channel: (CheckSender, UnboundedReceiver<Checking>),
        work: impl Future<Output = Result<()>> + Send + 'a,
    ) -> Self {
        let (sender, receiver) = channel;
        Self { title: None, sender, receiver, work: Box::pin(work) }
    }
}

pub(crate) async fn run(
    selection: Selection<VerifyArgs, Proved>,
    console: &mut Console,
    cancel: CancellationToken,
) -> Result<u8> {
    let is_node = selection.command().verify_as.is_some();
    let orders = ordered(selection.split())?;
    if is_node {
        let options: Result<Vec<_>> =
            orders.iter().map(|order| order.args.options(&order.wanted, vec![], &cancel)).collect();
        let options = options?;
        let proofs = orders.iter().zip(&options).map(|(order, options)| as_node(order, options));
        let code = prove(proofs.collect(), console, &cancel, INTERRUPTED).await?;
        return Ok(code);
    }
    let run = look(orders, console).await?;
    run.report(console);
    for one in &run.observed {
        let of = one.title.as_ref().map(|title| format!("{title}: ")).unwrap_or_default();
        for finding in one.change.plan.steps.iter().flat_map(|step| &step.findings) {
            console.warn(&format!("{of}{finding}"));
        }
        if let Some(contradiction) = &one.contradiction {
            console.warn(&format!("{of}{}", contradiction.chain()));
        }
    }
    let options: Result<Vec<_>> = run
        .observed
        .iter()
        .map(|one| one.args.options(&one.wanted, absent(&one.change.plan), &cancel))
        .collect();
    let options = options?;
    let proofs: Vec<_> =
        run.observed.iter().zip(&options).map(|(one, options)| as_operator(one, options)).collect();
    let code =
        if proofs.is_empty() { exit::DONE } else { prove(proofs, console, &cancel, INTERRUPTED).await? };
    Ok(exit::worst(run.codes().chain([code])))
}

/// Sends only what the server sends.
fn as_node<'a>(order: &'a Order<VerifyArgs>, options: &'a VerifyOptions) -> Proof<'a> {
    let (sender, receiver) = unbounded_channel();
    let work = order.options.verify_as_node(order.wanted.clone(), options, sender.clone());
    Proof { title: order.title.as_deref(), sender, receiver, work }
}

/// Drift, and then the cloud's own checks.
fn as_operator<'a>(one: &'a Observed<VerifyArgs>, options: &'a VerifyOptions) -> Proof<'a> {
    let (sender, receiver) = unbounded_channel();
    let _ = sender.send(Checking::Known(drift(&one.change.plan)));
    let nowhere = options.absent.iter().any(|address| ["bucket", "container"].contains(&address.kind()));
    let hopeless = one.change.plan.is_refused() || nowhere;
    let checks = sender.clone();
    let work =
        Box::pin(async move { if hopeless { Ok(()) } else { one.provider.verify(options, checks).await } });
    Proof { title: one.title.as_deref(), sender, receiver, work }
}

/// Shows the checks of all `proofs`, some of them at once, and returns the exit code; `interrupted` is the error
/// after a cancellation.
pub(super) async fn prove(
    proofs: Vec<Proof<'_>>,
    console: &mut Console,
    cancel: &CancellationToken,
    interrupted: &str,
) -> Result<u8> {
    let style = console.progress_style();
    let (all, receiver) = unbounded_channel();
    let proofs = async {
        let proofs = proofs.into_iter().map(|proof| proved(proof, all.clone()));
        let errors =
            stream::iter(proofs).buffered(SIDE_BY_SIDE).filter_map(async |error: Option<Error>| error);
        let errors: Vec<Error> = errors.collect().await;
        // The view ends when the last sender is gone.
        drop(all);
        errors
    };
    let mut kept = vec![];
    let (mut stream, words) = console.streams(&mut kept);
    let shown = checks::show(receiver, style, &mut *stream, words, cancel);
    let (errors, verdicts) = futures::join!(proofs, shown);
    drop(stream);
    // What was interrupted is half a result.
    if !kept.is_empty() && !cancel.is_cancelled() {
        console.page(&String::from_utf8_lossy(&kept))?;
    }
    if errors.is_empty() && cancel.is_cancelled() {
        return Err(Error::new(Kind::Interrupted, interrupted).hint("run the same command again"));
    }
    let failed = if verdicts.failed > 0 { exit::UNVERIFIED } else { exit::DONE };
    Ok(exit::worst(errors.iter().map(Error::exit_code).chain([failed])))
}

/// Sends the checks of `proof` to `all`, and returns what ended them.
async fn proved(proof: Proof<'_>, all: UnboundedSender<CheckingOf>) -> Option<Error> {
    let Proof { title, sender, mut receiver, work } = proof;
    let work = async {
        let error = work.await.err();
        if let Some(error) = &error {
            // The skipped checks must not look as if they had passed.
            let _ = sender.send(Checking::Known(unfinished(error)));
        }
        drop(sender);
        error
    };
    let passed_on = async {
        while let Some(checking) = receiver.recv().await {
            let _ = all.send(CheckingOf { deployment: title.map(str::to_owned), checking });
        }
    };
    futures::join!(work, passed_on).0
}

fn drift(plan: &Plan) -> Check {
    let differing: Vec<_> = plan
        .steps
        .iter()
        .filter(|step| step.action.acts() || step.reason.is_some())
        .map(|step| match &step.reason {
            Some(reason) => format!("{} ({reason})", step.address),
            None if step.action == Action::Create => format!("{} (missing)", step.address),
            None => {
                let fields: Vec<_> = step.changes.iter().map(|change| change.field.as_str()).collect();
                format!("{} ({})", step.address, fields.join(", "))
            }
        })
        .collect();
    let verdict = if differing.is_empty() {
        Verdict::Passed { detail: format!("all {} resources are as described", plan.steps.len()) }
    } else if is_absent(plan) {
        let reason = format!("{} does not exist", plan.deployment);
        Verdict::Failed { reason, hint: Some("`wbstore provision` creates it".to_owned()) }
    } else {
        Verdict::Failed {
            reason: format!("not as described: {}", differing.join("; ")),
            hint: Some("`wbstore plan` shows the differences; `wbstore provision` applies them".to_owned()),
        }
    };
    Check { name: "drift".to_owned(), verdict }
}

fn unfinished(error: &Error) -> Check {
    let (reason, hint) = (error.chain(), error.what_next().map(str::to_owned));
    Check { name: "all checks".to_owned(), verdict: Verdict::Failed { reason, hint } }
}
