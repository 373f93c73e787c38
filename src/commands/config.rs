//! `config`: the server configuration of an existing deployment.

use clap::Args;

use crate::change::{Change, is_absent};
use crate::cli::{Cloud, Delivered, Format, Lifetime, Target};
use crate::commands::connect;
use crate::console::Console;
use crate::delivery;
use crate::error::{Error, Kind, Result, exit};
use crate::output::Encoding;
use crate::plan::Goal;

#[derive(Args, Debug)]
pub(crate) struct ConfigArgs {
    #[command(flatten)]
    target: Target,
    /// Format of the server configuration [default: env; json with `--format json`]
    #[arg(long, value_enum)]
    output: Option<Encoding>,
    /// Format of notes and errors on stderr
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

pub(crate) async fn run(cloud: Cloud<ConfigArgs, Delivered>, console: &mut Console) -> Result<u8> {
    let (args, options) = cloud.split();
    let disclosure = options.disclosure();
    let wanted = args.target.served(&Lifetime::default())?;
    disclosure.check()?;
    let provider = connect(options.as_ref(), wanted, console).await?;
    let change = Change::look(provider.as_ref(), Goal::Present { adopt: false }, console).await?;
    change.require_allowed()?;
    if is_absent(&change.plan) {
        return Err(Error::new(Kind::Failed, format!("{} does not exist", change.plan.deployment))
            .hint("`wbstore provision` creates it; `wbstore list` shows the existing deployments"));
    }
    if !change.plan.is_empty() {
        return Err(Error::new(Kind::Failed, "the deployment differs from these arguments").hint(
            "`wbstore plan` with the same arguments shows the differences; `wbstore provision` applies them",
        ));
    }
    let encoding = args.output.unwrap_or(console.encoding());
    delivery::deliver(provider.as_ref(), &change.plan, encoding, disclosure.open()?, console).await?;
    Ok(exit::DONE)
}
