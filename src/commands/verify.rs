//! `verify`: drift first, then the cloud's own checks.

use clap::{Args, ValueEnum};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio_util::sync::CancellationToken;

use crate::change::{Change, absent, is_absent};
use crate::cli::{Cloud, Format, Lifetime, Proved, Target};
use crate::commands::connect;
use crate::console::Console;
use crate::error::{Error, Kind, Result, exit};
use crate::option::parsed;
use crate::plan::{Action, Goal, Plan};
use crate::span::Span;
use crate::verify::{Check, CheckSender, Checking, Verdict, VerifyOptions};
use crate::view::checks;

#[derive(Args, Debug)]
pub(crate) struct VerifyArgs {
    #[command(flatten)]
    target: Target,
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

pub(crate) async fn run(
    cloud: Cloud<VerifyArgs, Proved>,
    console: &mut Console,
    cancel: CancellationToken,
) -> Result<u8> {
    let (args, options) = cloud.split();
    let wanted = args.target.served(&Lifetime::default())?;
    let options_of_run = |absent| -> Result<VerifyOptions> {
        let (origin, event_within) = (wanted.origin()?, args.within.as_duration());
        Ok(VerifyOptions { origin, event_within, absent, cancel: cancel.clone() })
    };
    let (sender, receiver) = unbounded_channel();
    if let Some(VerifyAs::Node) = args.verify_as {
        let verify = options_of_run(vec![])?;
        let proof = options.verify_as_node(wanted, &verify, sender.clone());
        return prove(proof, sender, receiver, console, &cancel, INTERRUPTED).await;
    }
    let provider = connect(options.as_ref(), wanted.clone(), console).await?;
    let change = Change::look(provider.as_ref(), Goal::Present { adopt: false }, console).await?;
    for finding in change.plan.steps.iter().flat_map(|step| &step.findings) {
        console.note(finding);
    }
    let _ = sender.send(Checking::Known(drift(&change.plan)));
    let verify = options_of_run(absent(&change.plan))?;
    let nowhere = verify.absent.iter().any(|address| ["bucket", "container"].contains(&address.kind()));
    let hopeless = change.plan.is_refused() || nowhere;
    let checks = sender.clone();
    let proof = async { if hopeless { Ok(()) } else { provider.verify(&verify, checks).await } };
    prove(proof, sender, receiver, console, &cancel, INTERRUPTED).await
}

/// Shows the checks of `proof`, and returns the exit code; `interrupted` is the error after a cancellation.
pub(super) async fn prove(
    proof: impl Future<Output = Result<()>>,
    sender: CheckSender,
    receiver: UnboundedReceiver<Checking>,
    console: &mut Console,
    cancel: &CancellationToken,
    interrupted: &str,
) -> Result<u8> {
    let style = console.progress_style();
    let proof = async {
        let proof = proof.await;
        if let Err(error) = &proof {
            // The skipped checks must not look as if they had passed.
            let _ = sender.send(Checking::Known(unfinished(error)));
        }
        drop(sender);
        proof
    };
    let (mut stream, words) = console.streams();
    let shown = checks::show(receiver, style, &mut *stream, words, cancel);
    let (proof, verdicts) = futures::join!(proof, shown);
    drop(stream);
    if let Err(error) = proof {
        return Ok(error.exit_code());
    }
    if cancel.is_cancelled() {
        return Err(Error::new(Kind::Interrupted, interrupted).hint("run the same command again"));
    }
    Ok(if verdicts.failed > 0 { exit::UNVERIFIED } else { exit::DONE })
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
