//! The server's settings: the variables of the published guide, from a file in dotenv form or the environment.

pub(crate) mod bucket_address;
mod dotenv;
mod environment;
pub(crate) mod file_stores;
mod go_value;
pub(crate) mod grammar;
pub(crate) mod host_url;
pub(crate) mod issuer;
pub(crate) mod kubernetes_name;
pub(crate) mod license;
pub(crate) mod malformed;
pub(crate) mod mysql_url;
pub(crate) mod queue_address;
pub(crate) mod redis_url;
pub(crate) mod slack;
mod source;
pub(crate) mod url_parts;
pub(crate) mod variable;

use std::fmt;

use jiff::Timestamp;

use crate::secret::Secret;
use crate::settings::bucket_address::BucketAddress;
use crate::settings::file_stores::FileStores;
use crate::settings::host_url::HostUrl;
use crate::settings::mysql_url::MysqlUrl;
use crate::settings::redis_url::RedisUrl;
use crate::settings::variable::Secrecy;
use crate::verify::{Check, Verdict};

pub(crate) use grammar::check_grammar;
pub(crate) use malformed::{Grammar, Malformed};
pub(crate) use source::SettingsSource;
pub(crate) use variable::Variable;

/// What is set, in the order of the file or, for the environment, of the guide.
#[derive(Debug, Default)]
pub(crate) struct ServerSettings {
    list: Vec<Setting>,
}

/// One variable with its value.
#[derive(Debug)]
pub(crate) struct Setting {
    pub name: String,
    /// `None` for a name that no page of W&B documents.
    pub variable: Option<Variable>,
    /// Whether it holds a password or a key depends on the variable, so all values are kept alike.
    pub value: Secret,
    pub origin: SettingOrigin,
}

/// Where a value was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SettingOrigin {
    Line { file: String, line: usize },
    Environment,
}

impl fmt::Display for SettingOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line { file, line } => write!(f, "{file}:{line}"),
            Self::Environment => f.write_str("the environment"),
        }
    }
}

impl ServerSettings {
    pub(crate) fn into_iter(self) -> impl Iterator<Item = Setting> {
        self.list.into_iter()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Setting> {
        self.list.iter()
    }

    pub(crate) fn get(&self, variable: Variable) -> Option<&Setting> {
        self.list.iter().find(|setting| setting.variable == Some(variable))
    }

    /// What is wrong with the forms of the values, or not as W&B advises; one sentence each.
    pub(crate) fn remarks(&self) -> Vec<String> {
        let now = Timestamp::now();
        let of_setting = |setting: &Setting| {
            let checks =
                setting.variable.map(|variable| check_grammar(self, variable, now)).unwrap_or_default();
            let origin = setting.origin.to_string();
            let sentence = move |check: Check| {
                let (reason, hint) = match check.verdict {
                    Verdict::Failed { reason, hint } => (reason, hint),
                    Verdict::Warned { reason, hint } => (reason, Some(hint)),
                    Verdict::Passed { .. } | Verdict::Inconclusive { .. } => return None,
                };
                let hint = hint.map(|hint| format!(": {hint}")).unwrap_or_default();
                Some(format!("{origin}: {}: {reason}{hint}", check.name))
            };
            checks.into_iter().filter_map(sentence)
        };
        self.list.iter().flat_map(of_setting).collect()
    }

    /// The value of `variable`, if it is set.
    pub(crate) fn value(&self, variable: Variable) -> Option<&str> {
        self.get(variable).map(|setting| setting.value.reveal())
    }
}

impl Setting {
    /// The value as the server should have it: the address of a server without a slash at its end, and all others
    /// as they are.
    pub(crate) fn into_value(self) -> Secret {
        match self.variable {
            Some(Variable::Host) => match HostUrl::parse(self.value.reveal()) {
                Ok(host) => Secret::new(host.origin.to_string()),
                Err(_) => self.value,
            },
            _ => self.value,
        }
    }

    /// The value without its secrets, if it has any. A variable that W&B does not document may hold one.
    pub(crate) fn masked(&self) -> Option<String> {
        let hidden = || Some("***".to_owned());
        match self.variable.map(Variable::secrecy) {
            None | Some(Secrecy::Secret) => hidden(),
            Some(Secrecy::Public) => None,
            Some(Secrecy::Url) => {
                let value = self.value.reveal();
                let masked = match self.variable {
                    Some(Variable::Mysql) => MysqlUrl::parse(value).map(|url| url.masked()),
                    Some(Variable::Redis) => RedisUrl::parse(value).map(|url| url.masked()),
                    Some(Variable::GorillaSupportedFileStores) => {
                        FileStores::parse(value).map(|stores| stores.masked())
                    }
                    _ => BucketAddress::parse(value).map(|address| address.masked()),
                };
                match masked {
                    Ok(masked) => Some(masked).filter(|masked| masked != value),
                    Err(_) => hidden(),
                }
            }
        }
    }
}

#[cfg(test)]
impl ServerSettings {
    /// ServerSettings of known variables, for tests.
    pub(crate) fn of(values: &[(Variable, &str)]) -> Self {
        let setting = |(variable, value): &(Variable, &str)| Setting {
            name: variable.name().to_owned(),
            variable: Some(*variable),
            value: Secret::new((*value).to_owned()),
            origin: SettingOrigin::Environment,
        };
        Self { list: values.iter().map(setting).collect() }
    }
}

#[cfg(test)]
mod tests;
