//! Options that several commands have.

use std::str::FromStr;
use std::time::Duration;

use clap::Args;
use jiff::SignedDuration;

use crate::error::Error;
use crate::name::DeploymentName;
use crate::origin::Origin;

/// Which deployment.
#[derive(Args, Clone, Debug)]
pub struct Target {
    /// The address of the W&B server, as browsers see it, such as `https://wandb.acme.com`
    #[arg(long, env = "WBSTORE_HOST", value_name = "URL", value_parser = parsed::<Origin>)]
    pub host: Option<Origin>,
    /// The deployment's name; everything is named and marked with it [default: from --host]
    #[arg(long, env = "WBSTORE_NAME", value_parser = parsed::<DeploymentName>)]
    pub name: Option<DeploymentName>,
    /// Accept a --host without TLS that is not this machine
    #[arg(long)]
    pub allow_http: bool,
}

/// How much is told.
#[derive(Args, Clone, Copy, Debug)]
pub struct Verbosity {
    /// Tell of every request on stderr: its operation, status and time, and no header or body
    #[arg(short, long, global = true, display_order = 100)]
    pub verbose: bool,
}

/// Working without a cloud.
#[derive(Args, Clone, Debug)]
pub struct Offline {
    /// Ask nobody: show what a first run would do
    #[arg(long, requires = "account_id")]
    pub offline: bool,
    /// The account to show it for
    #[arg(long, value_name = "ID", requires = "offline")]
    pub account_id: Option<String>,
}

/// A value parser whose refusal carries the hint on a line of its own.
pub fn parsed<T>(text: &str) -> Result<T, String>
where
    T: FromStr<Err = Error>,
{
    text.parse().map_err(|error: Error| match error.what_next() {
        Some(hint) => format!("{}\nhint: {hint}", error.chain()),
        None => error.chain(),
    })
}

/// A length of time such as `90s` or `10m`.
pub fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || {
        format!(
            "`{}` is no length of time\nhint: give a number and a unit: 90s, 10m, 1h",
            text.escape_debug()
        )
    };
    let length: SignedDuration = text.parse().map_err(|_| wrong())?;
    Duration::try_from(length).map_err(|_| wrong())
}
