//! Options that several commands have.

use std::ffi::OsStr;
use std::marker::PhantomData;
use std::str::FromStr;

use clap::builder::TypedValueParser;
use clap::error::ErrorKind;
use clap::{Arg, Args, Command};

use crate::error::Error;
use crate::name::DeploymentName;
use crate::origin::Origin;

/// Which deployment.
#[derive(Args, Clone, Debug)]
pub struct Target {
    /// The address of the W&B server as browsers see it, such as `https://wandb.acme.com`
    #[arg(long, env = "WBSTORE_HOST", value_name = "URL", value_parser = parsed::<Origin>())]
    pub host: Option<Origin>,
    /// The deployment's name; everything is named and marked with it [default: from --host]
    #[arg(long, env = "WBSTORE_NAME", value_parser = parsed::<DeploymentName>())]
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
    /// Ask nobody, and take the account from --account-id
    #[arg(long, requires = "account_id")]
    pub offline: bool,
    /// With --offline: the AWS account id, GCP project number or Azure subscription id
    #[arg(long, value_name = "ID", requires = "offline")]
    pub account_id: Option<String>,
}

/// Reads a `T`, and refuses in the words of its own error. clap's words would repeat the input, which
/// may hold a password.
pub fn parsed<T>() -> Parsed<T> {
    Parsed(PhantomData)
}

/// The value parser that `parsed` makes.
#[derive(Debug)]
pub struct Parsed<T>(PhantomData<fn() -> T>);

impl<T> Clone for Parsed<T> {
    fn clone(&self) -> Self {
        parsed()
    }
}

impl<T> TypedValueParser for Parsed<T>
where
    T: FromStr<Err = Error> + Clone + Send + Sync + 'static,
{
    type Value = T;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<T, clap::Error> {
        let text =
            value.to_str().ok_or_else(|| clap::Error::new(ErrorKind::InvalidUtf8).with_cmd(command))?;
        text.parse().map_err(|error: Error| {
            let option = arg.and_then(Arg::get_long).map_or_else(String::new, |name| format!("--{name}: "));
            let hint = error.what_next().map_or_else(String::new, |hint| format!("\nhint: {hint}"));
            let words = format!("{option}{}{hint}\n", error.chain());
            clap::Error::raw(ErrorKind::ValueValidation, words)
        })
    }
}
