//! `policy`: the permissions of the server or the operator.

use clap::{Args, ValueEnum};

use crate::cli::{Cloud, Offline, Out, Permitted, Target};
use crate::commands::{anybody, confirm_account, connect, offline};
use crate::console::Console;
use crate::error::{Error, Result, exit};
use crate::output::yaml;
use crate::policy::{Audience, PolicyForm};
use crate::provider::CloudOptions;
use crate::versioning::Versioning;
use crate::view::json;

#[derive(Args, Debug)]
pub(crate) struct PolicyArgs {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    versioning: Versioning,
    #[command(flatten)]
    offline: Offline,
    #[command(flatten)]
    pub(crate) out: Out,
    /// Whose permissions to print
    #[arg(long = "for", value_enum, value_name = "WHO")]
    audience: PolicyFor,
    /// Print only what `teardown --expired` requires for all deployments; requires `--for operator`
    #[arg(long, conflicts_with_all = ["host", "name", "team", "parts"])]
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
    /// The reader of a team's bucket on AWS, in the policy of its KMS key
    TeamKey,
}

pub(crate) async fn run(cloud: Cloud<PolicyArgs, Permitted>, console: &mut Console) -> Result<u8> {
    let (args, options) = cloud.split();
    let audience = match (args.audience, args.expired) {
        (PolicyFor::Node, false) => Audience::Node,
        (PolicyFor::Operator, false) => Audience::Operator,
        (PolicyFor::Operator, true) => Audience::ExpiryJob,
        (PolicyFor::TeamKey, false) => Audience::TeamKey,
        (PolicyFor::Node | PolicyFor::TeamKey, true) => {
            return Err(Error::input("--expired applies to the operator only")
                .hint("use `--for operator --expired`, or omit `--expired`"));
        }
    };
    require_trust(options.as_ref(), audience, args.format)?;
    let wanted = if args.expired { anybody()? } else { args.versioning.of(args.target.named()?)? };
    if audience == Audience::TeamKey && wanted.name.team.is_none() {
        return Err(Error::input("--for team-key requires --team").hint("add `--team NAME`"));
    }
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
        form @ (PolicyForm::Helm | PolicyForm::OperatorV2) => {
            let pods = policy.pods.as_ref().ok_or_else(without_trust)?;
            yaml::to_string(&pods.document(form)?)?
        }
    })?;
    for note in &policy.notes {
        console.note(note);
    }
    Ok(exit::DONE)
}

/// Checks that `--trust` and what depends on it fit the rest.
fn require_trust(options: &dyn CloudOptions, audience: Audience, form: Option<PolicyForm>) -> Result<()> {
    let Some(trust) = options.trust()? else {
        return match form {
            Some(form) if form.is_of_pods() => Err(without_trust()),
            _ => Ok(()),
        };
    };
    if audience != Audience::Node {
        return Err(
            Error::input("--trust applies to the server only").hint("use `--for node`, or omit `--trust`")
        );
    }
    form.map_or(Ok(()), |form| trust.require(form))
}

fn without_trust() -> Error {
    Error::input("--format helm and operator-v2 require --trust")
        .hint("add `--trust HOW`: the values name the identity of the server's pods")
}
