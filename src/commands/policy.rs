//! `policy`: the permissions of the server or the operator.

use clap::{Args, ValueEnum};

use crate::cli::{Cloud, Described, Offline, Target};
use crate::commands::{anybody, confirm_account, connect, offline};
use crate::console::Console;
use crate::error::{Error, Result, exit};
use crate::output::yaml;
use crate::policy::{Audience, PolicyForm};
use crate::view::json;

#[derive(Args, Debug)]
pub(crate) struct PolicyArgs {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    offline: Offline,
    /// Whose permissions to print
    #[arg(long = "for", value_enum, value_name = "WHO")]
    audience: PolicyFor,
    /// Print only what `teardown --expired` requires for all deployments; requires `--for operator`
    #[arg(long, conflicts_with_all = ["host", "name", "parts"])]
    expired: bool,
    /// Output format [default: the one that the cloud's own tool reads]
    #[arg(long, value_enum)]
    pub(crate) format: Option<PolicyForm>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum PolicyFor {
    /// The machine the W&B server runs on
    Node,
    /// The person or job that runs wbstore
    Operator,
}

pub(crate) async fn run(cloud: Cloud<PolicyArgs, Described>, console: &mut Console) -> Result<u8> {
    let (args, options) = cloud.split();
    let audience = match (args.audience, args.expired) {
        (PolicyFor::Node, false) => Audience::Node,
        (PolicyFor::Operator, false) => Audience::Operator,
        (PolicyFor::Operator, true) => Audience::ExpiryJob,
        (PolicyFor::Node, true) => {
            return Err(Error::input("--expired applies to the operator only")
                .hint("use `--for operator --expired`, or omit `--expired`"));
        }
    };
    let wanted = if args.expired { anybody()? } else { args.target.named()? };
    let provider = if args.offline.offline {
        offline(options.as_ref(), wanted, &args.offline).await?
    } else {
        let provider = connect(options.as_ref(), wanted, console).await?;
        confirm_account(provider.as_ref(), console).await?;
        provider
    };
    let policy = provider.policy(audience)?;
    console.data(&match args.format.unwrap_or(policy.form) {
        PolicyForm::Json => json::document(&policy.document)?,
        PolicyForm::Yaml => yaml::to_string(&policy.document)?,
        PolicyForm::Commands => policy.commands.iter().map(|line| format!("{line}\n")).collect(),
    })?;
    for note in &policy.notes {
        console.note(note);
    }
    Ok(exit::DONE)
}
