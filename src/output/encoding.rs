//! The list of encodings, and what they share.

use clap::ValueEnum;

use super::{docker, dotenv, env, helm, json, k8s};
use crate::error::{Error, Result};
use crate::resource::Output;
use crate::text::clean;

/// The form in which the outputs are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Encoding {
    /// `NAME=value` lines for a POSIX shell
    Env,
    /// A `.env` file
    Dotenv,
    /// A file for `docker run --env-file`
    Docker,
    /// A Kubernetes Secret manifest
    K8sSecret,
    /// Values for W&B's operator chart
    Helm,
    /// One JSON object on one line
    Json,
}

impl Encoding {
    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Env => "env",
            Self::Dotenv => "dotenv",
            Self::Docker => "docker",
            Self::K8sSecret => "k8s-secret",
            Self::Helm => "helm",
            Self::Json => "json",
        }
    }

    /// Whether the format has comments. All that have them begin one with `#`.
    pub fn has_comments(self) -> bool {
        self != Self::Json
    }

    /// The refusal to write `output`, whose value contains `what`. The value may be a secret, so it is
    /// not repeated.
    pub(super) fn refuse(self, output: &Output, what: &str) -> Error {
        let (name, encoding) = (output.name, self.name());
        Error::input(format!(
            "cannot write {name} as `{encoding}`: its value contains {what}, which the format cannot represent"
        ))
        .hint("choose another --output; `json` can represent every value")
    }
}

/// Writes `outputs` of `deployment` in the form of `encoding`, with a final line break. The remarks
/// follow as comments, where the format [has them](Encoding::has_comments).
///
/// # Errors
/// When the format cannot represent a value unchanged.
pub(crate) fn encode(
    encoding: Encoding,
    deployment: &str,
    outputs: &[Output],
    remarks: &[&str],
) -> Result<String> {
    let mut text = match encoding {
        Encoding::Env => env::encode(outputs),
        Encoding::Dotenv => dotenv::encode(outputs),
        Encoding::Docker => docker::encode(outputs),
        Encoding::K8sSecret => k8s::encode(deployment, outputs),
        Encoding::Helm => helm::encode(outputs),
        Encoding::Json => json::encode(outputs),
    }?;
    if encoding.has_comments() {
        text.extend(remarks.iter().flat_map(|remark| remark.lines()).map(comment));
    }
    Ok(text)
}

/// `line` as a comment, which it cannot end early.
fn comment(line: &str) -> String {
    format!("# {}\n", clean(line))
}

/// Whether no shell and no dotenv reader gives any character of `value` a meaning of its own.
pub(super) fn is_plain(value: &str) -> bool {
    value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_./:@%+,=".contains(&byte))
}
