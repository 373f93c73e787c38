//! `verify`: drift first, then the cloud's own checks.

use clap::Args;
use tokio::sync::mpsc::unbounded_channel;
use tokio_util::sync::CancellationToken;

use crate::change::{Change, absent, is_absent};
use crate::cli::{Cloud, Described, Format, Lifetime, Target};
use crate::commands::connect;
use crate::console::Console;
use crate::error::{Error, Kind, Result, exit};
use crate::option::parsed;
use crate::plan::{Action, Goal, Plan};
use crate::span::Span;
use crate::verify::{Check, Checking, Verdict, VerifyOptions};
use crate::view::checks;

#[derive(Args, Debug)]
pub(crate) struct VerifyArgs {
    #[command(flatten)]
    target: Target,
    /// Longest wait for an event; a new notification can take minutes to take effect
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = parsed::<Span>())]
    within: Span,
    /// Output format
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

pub(crate) async fn run(
    cloud: Cloud<VerifyArgs, Described>,
    console: &mut Console,
    cancel: CancellationToken,
) -> Result<u8> {
    let (args, options) = cloud.split();
    let wanted = args.target.served(&Lifetime::default())?;
    let origin = wanted.origin()?;
    let provider = connect(options.as_ref(), wanted, console).await?;
    let change = Change::look(provider.as_ref(), Goal::Present { adopt: false }, console).await?;
    let style = console.progress_style();
    for finding in change.plan.steps.iter().flat_map(|step| &step.findings) {
        console.note(finding);
    }
    let (sender, receiver) = unbounded_channel();
    let _ = sender.send(Checking::Known(drift(&change.plan)));
    let absent = absent(&change.plan);
    let nowhere = absent.iter().any(|address| ["bucket", "container"].contains(&address.kind()));
    let event_within = args.within.as_duration();
    let options = VerifyOptions { origin, event_within, absent, cancel: cancel.clone() };
    let hopeless = change.plan.is_refused() || nowhere;
    let prove = async {
        if hopeless {
            drop(sender);
            return Ok(());
        }
        let proof = provider.verify(&options, sender.clone()).await;
        if let Err(error) = &proof {
            // The skipped checks must not look as if they had passed.
            let _ = sender.send(Checking::Known(unfinished(error)));
        }
        proof
    };
    let (mut stream, words) = console.streams();
    let (proof, verdicts) = futures::join!(prove, checks::show(receiver, style, &mut *stream, words));
    drop(stream);
    if let Err(error) = proof {
        return Ok(error.exit_code());
    }
    if cancel.is_cancelled() {
        return Err(Error::new(Kind::Interrupted, "interrupted; the probe was deleted")
            .hint("run the same `verify` again"));
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
