//! The list of encodings, and what they share.

use clap::ValueEnum;

use super::configuration::{Configuration, Entry};
use super::{docker, dotenv, env, helm, json, kubernetes_secret, login, operator_v2};
use crate::error::{Error, Result};
use crate::settings::kubernetes_name::Namespace;
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
    /// A WeightsAndBiases resource for version 2 of W&B's operator
    OperatorV2,
    /// What users run to log in
    Login,
    /// One JSON object on one line
    Json,
}

/// What an encoder wrote.
#[derive(Debug, Default)]
pub(crate) struct Encoded {
    pub text: String,
    /// The manifest of the Kubernetes Secret that the text refers to.
    pub secret: Option<String>,
    /// What to know about it, one sentence each.
    pub remarks: Vec<String>,
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
            Self::OperatorV2 => "operator-v2",
            Self::Login => "login",
            Self::Json => "json",
        }
    }

    /// Whether the format has comments. All that have them begin one with `#`.
    pub fn has_comments(self) -> bool {
        self != Self::Json
    }

    /// Whether the format is, or comes with, a manifest for Kubernetes.
    fn is_for_kubernetes(self) -> bool {
        matches!(self, Self::K8sSecret | Self::Helm | Self::OperatorV2)
    }

    /// Checks that `namespace` has a meaning for the format.
    ///
    /// # Errors
    /// [`Kind::Input`](crate::error::Kind::Input) otherwise.
    pub(crate) fn check_namespace(self, namespace: Option<&Namespace>) -> Result<()> {
        if namespace.is_none() || self.is_for_kubernetes() {
            return Ok(());
        }
        Err(Error::input(format!("--namespace has no effect with --output {}", self.name()))
            .hint("use `--output k8s-secret`, `helm` or `operator-v2`, or omit `--namespace`"))
    }

    /// `text`, which is in this format, as that of the deployment `title` among others.
    pub(crate) fn under(self, title: &str, text: &str) -> String {
        let title = clean(title);
        match self {
            Self::Json => format!("{{\"deployment\":\"{title}\",\"configuration\":{}}}\n", text.trim_end()),
            Self::K8sSecret | Self::Helm | Self::OperatorV2 => format!("---\n# {title}\n{text}"),
            Self::Env | Self::Dotenv | Self::Docker | Self::Login => format!("# {title}\n{text}"),
        }
    }

    /// Whether the format refers to a Kubernetes Secret for what is secret, instead of repeating it.
    pub(crate) fn refers(self) -> bool {
        matches!(self, Self::Helm | Self::OperatorV2)
    }

    /// The refusal to write `entry`, whose value contains `what`. The value may be a secret, so it is
    /// not repeated.
    pub(super) fn refuse(self, entry: &Entry, what: &str) -> Error {
        let (name, encoding) = (&entry.name, self.name());
        Error::input(format!(
            "cannot write {name} as `{encoding}`: its value contains {what}, which the format cannot represent"
        ))
        .hint("choose another --output; `json` can represent every value")
    }

    /// The refusal to write `name` because of `why`.
    pub(super) fn unable(self, name: &str, why: impl std::fmt::Display, hint: impl Into<String>) -> Error {
        Error::input(format!("cannot write {name} as `{}`: {why}", self.name())).hint(hint)
    }
}

/// Writes `entries` of `configuration` in the form of `encoding`, with a final line break. The formats that
/// [refer](Encoding::refers) to a Secret write all of the configuration.
///
/// # Errors
/// When the format cannot represent a value unchanged.
pub(crate) fn encode(
    encoding: Encoding,
    configuration: &Configuration,
    entries: &[&Entry],
) -> Result<Encoded> {
    let text = match encoding {
        Encoding::Helm => return helm::encode(configuration),
        Encoding::OperatorV2 => return operator_v2::encode(configuration),
        Encoding::Env => env::encode(entries),
        Encoding::Dotenv => dotenv::encode(entries),
        Encoding::Docker => docker::encode(entries),
        Encoding::K8sSecret => kubernetes_secret::encode(configuration, entries),
        Encoding::Login => login::encode(configuration),
        Encoding::Json => json::encode(entries),
    }?;
    Ok(Encoded { text, ..Encoded::default() })
}

/// `text` as comments, which it cannot end early.
pub(crate) fn comments(text: &str) -> String {
    text.lines().map(|line| format!("# {}\n", clean(line))).collect()
}

/// Whether no shell and no dotenv reader gives any character of `value` a meaning of its own.
pub(super) fn is_plain(value: &str) -> bool {
    value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_./:@%+,=".contains(&byte))
}
