//! Options that several commands have.

use clap::Args;

use super::parsed::{Given, given};
use crate::name::DeploymentName;
use crate::origin::Origin;

/// Which deployment.
#[derive(Args, Clone, Debug)]
pub struct Target {
    /// The address of the W&B server as browsers see it, such as `https://wandb.acme.com`
    #[arg(long, env = "WBSTORE_HOST", value_name = "URL", value_parser = given::<Origin>())]
    pub host: Option<Given<Origin>>,
    /// The deployment's name; everything is named and marked with it [default: from --host]
    #[arg(long, env = "WBSTORE_NAME", value_parser = given::<DeploymentName>())]
    pub name: Option<Given<DeploymentName>>,
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
    /// Send no request, and take the account from --account-id
    #[arg(long)]
    pub offline: bool,
    /// With --offline: the AWS account id, GCP project number or Azure subscription id [default on
    /// Azure: --subscription]
    #[arg(long, value_name = "ID", requires = "offline")]
    pub account_id: Option<String>,
}
