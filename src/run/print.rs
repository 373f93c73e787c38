//! Commands that print something and change nothing.

use clap::CommandFactory;
use jiff::Timestamp;

use super::change::{Change, is_absent};
use super::{connect, outputs, request};
use crate::cli::{self, Cli, Cloud, Delivered, Described, Format, Lifetime, Placed};
use crate::console::Console;
use crate::error::{Error, Kind, Result, exit};
use crate::output::yaml;
use crate::plan::Goal;
use crate::policy::{Audience, PolicyForm};
use crate::provider::Provider;
use crate::view::{inventory, json};

/// The deployments of the account.
pub async fn list(cloud: Cloud<cli::List, Placed>, console: &mut Console) -> Result<u8> {
    let (args, described) = cloud.split();
    let asked = described.request(request::anybody()?);
    let looking = format!("looking through {}", asked.holdings());
    let provider = connect(asked, console).await?;
    confirm_account(provider.as_ref(), console).await?;
    let found = console.busy(&looking, provider.list()).await?;
    match args.format {
        Format::Human => {
            let ruled = console.out_is_terminal();
            console.page(&inventory::table(&found, Timestamp::now().as_second(), ruled))?;
            console.say(&inventory::remarks(&found));
        }
        Format::Json => console.data(&json::line(&found)?)?,
    }
    Ok(exit::DONE)
}

/// Makes sure of what an observation would make sure of, for a command that makes none.
async fn confirm_account(provider: &dyn Provider, console: &mut Console) -> Result<()> {
    let guards = provider.guards()?;
    let guards = async {
        for guard in &guards {
            guard().await?;
        }
        Ok(())
    };
    console.busy("reading the account", guards).await
}

/// The permissions of the server or the operator.
pub async fn policy(cloud: Cloud<cli::Policy, Described>, console: &mut Console) -> Result<u8> {
    let (args, described) = cloud.split();
    let audience = match (args.audience, args.expired) {
        (cli::PolicyFor::Node, false) => Audience::Node,
        (cli::PolicyFor::Operator, false) => Audience::Operator,
        (cli::PolicyFor::Operator, true) => Audience::ExpiryJob,
        (cli::PolicyFor::Node, true) => {
            return Err(Error::input("--expired applies to the operator only")
                .hint("use `--for operator --expired`, or omit `--expired`"));
        }
    };
    let wanted = if args.expired { request::anybody()? } else { request::named(&args.target)? };
    let asked = described.request(wanted);
    let provider = if args.offline.offline {
        asked.offline(args.offline.account_id.as_deref()).await?
    } else {
        let provider = connect(asked, console).await?;
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

/// What the server needs, of a deployment that is there.
pub async fn config(cloud: Cloud<cli::Config, Delivered>, console: &mut Console) -> Result<u8> {
    let (args, described) = cloud.split();
    let disclosure = described.disclosure();
    let unlimited = Lifetime::default();
    let described = described.request(request::served(&args.target, &unlimited)?);
    disclosure.check()?;
    let provider = connect(described, console).await?;
    let change = Change::look(provider.as_ref(), Goal::Present { adopt: false }, console).await?;
    change.require_allowed()?;
    if is_absent(&change.plan) {
        return Err(Error::new(Kind::Failed, format!("{} is not there", change.plan.deployment))
            .hint("`wbstore provision` makes it; `wbstore list` shows what is there"));
    }
    if !change.plan.is_empty() {
        return Err(Error::new(Kind::Failed, "the deployment is not as these arguments describe it").hint(
            "`wbstore plan` with the same arguments shows the difference, `wbstore provision` mends it",
        ));
    }
    let encoding = args.output.unwrap_or(console.encoding());
    outputs::deliver(provider.as_ref(), &change.plan, encoding, disclosure.open()?, console).await?;
    Ok(exit::DONE)
}

/// A completion script.
pub fn completions(args: &cli::Completions, console: &mut Console) -> Result<u8> {
    let mut script = vec![];
    clap_complete::generate(args.shell, &mut Cli::command(), "wbstore", &mut script);
    console.data(&String::from_utf8_lossy(&script))?;
    Ok(exit::DONE)
}

/// The manual page, or all of them into a directory.
pub fn man(args: &cli::Man, console: &mut Console) -> Result<u8> {
    let unwritten = |error| Error::new(Kind::Failed, "the manual cannot be written").because(error);
    let command = Cli::command();
    match &args.dir {
        Some(dir) => clap_mangen::generate_to(command, dir).map_err(unwritten)?,
        None => {
            let mut page = vec![];
            clap_mangen::Man::new(command).render(&mut page).map_err(unwritten)?;
            console.data(&String::from_utf8_lossy(&page))?;
        }
    }
    Ok(exit::DONE)
}
