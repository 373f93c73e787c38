//! `list`: the deployments of the account.

use clap::Args;
use jiff::Timestamp;

use crate::cli::{Cloud, Format, Out, Placed};
use crate::commands::{anybody, confirm_account, connect, inventory};
use crate::console::Console;
use crate::error::{Result, exit};
use crate::view::{inventory as table, json};

#[derive(Args, Debug)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    pub(crate) out: Out,
    /// Output format
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

pub(crate) async fn run(cloud: Cloud<ListArgs, Placed>, console: &mut Console) -> Result<u8> {
    let (args, options) = cloud.split();
    let provider = connect(options.as_ref(), anybody()?, console).await?;
    confirm_account(provider.as_ref(), console).await?;
    let found = inventory(options.as_ref(), provider.as_ref(), console).await?;
    match args.format {
        Format::Human => {
            let ruled = console.out_is_terminal();
            console.page(&table::table(&found, Timestamp::now().as_second(), ruled))?;
            if found.deployments.is_empty() {
                console.note(&format!("no deployments in {}", found.scope));
            }
            console.say(&table::unlisted(&found));
        }
        Format::Json => console.data(&json::line(&found)?)?,
    }
    // A list that is known to be incomplete must not look whole to a script.
    Ok(if found.unread.is_empty() { exit::DONE } else { exit::FAILED })
}
