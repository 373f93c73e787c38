//! What can be checked, as `--only` names it.

use clap::ValueEnum;

use crate::settings::{ServerSettings, Variable};

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Topic {
    Host,
    License,
    Redis,
    Mysql,
    Oidc,
    Slack,
    Bucket,
    /// LOCAL_RESTORE and LOGGING_ENABLED
    Server,
}

impl Topic {
    /// What the names of its checks begin with.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Host => "HOST",
            Self::License => "LICENSE",
            Self::Redis => "REDIS",
            Self::Mysql => "MYSQL",
            Self::Oidc => "OIDC",
            Self::Slack => "SLACK",
            Self::Bucket => "BUCKET",
            Self::Server => "SERVER",
        }
    }

    pub(super) fn variables(self) -> &'static [Variable] {
        match self {
            Self::Host => &[Variable::Host],
            Self::License => &[Variable::License],
            Self::Redis => &[Variable::Redis],
            Self::Mysql => &[Variable::Mysql],
            Self::Oidc => &[Variable::OidcIssuer, Variable::OidcClientId, Variable::OidcAuthMethod],
            Self::Slack => &[Variable::SlackClientId, Variable::SlackSecret],
            Self::Bucket => &[
                Variable::Bucket,
                Variable::BucketQueue,
                Variable::NotificationsQueue,
                Variable::GorillaSupportedFileStores,
            ],
            Self::Server => &[Variable::LocalRestore, Variable::LoggingEnabled],
        }
    }

    /// Whether anything of it is set.
    pub(crate) fn is_set(self, settings: &ServerSettings) -> bool {
        self.variables().iter().any(|variable| settings.get(*variable).is_some())
    }

    /// The variables, for a message.
    pub(crate) fn names(self) -> String {
        let names: Vec<_> = self.variables().iter().map(|variable| variable.name()).collect();
        names.join(", ")
    }
}
