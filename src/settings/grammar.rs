//! The grammar of each variable, as checks that need no network.

use jiff::Timestamp;

use super::bucket_address::BucketAddress;
use super::file_stores::FileStores;
use super::go_value::go_bool;
use super::host_url::HostUrl;
use super::issuer::Issuer;
use super::license::LicenseToken;
use super::malformed::Grammar;
use super::mysql_url::MysqlUrl;
use super::queue_address::QueueAddress;
use super::redis_url::RedisUrl;
use super::slack::{SlackClientId, SlackSecretForm};
use super::{ServerSettings, Variable};
use crate::verify::{Check, Verdict, failed, passed, warned};

/// The checks of the grammar of `variable`, if it is set and has one.
pub(crate) fn check_grammar(settings: &ServerSettings, variable: Variable, now: Timestamp) -> Vec<Check> {
    let Some(value) = settings.value(variable) else { return vec![] };
    let verdicts = match variable {
        Variable::Host => of::<HostUrl>(value),
        Variable::License => license(value, now),
        Variable::Redis => of::<RedisUrl>(value),
        Variable::Mysql => of::<MysqlUrl>(value),
        Variable::Bucket => of::<BucketAddress>(value),
        Variable::GorillaSupportedFileStores => of::<FileStores>(value),
        Variable::BucketQueue | Variable::NotificationsQueue => of::<QueueAddress>(value),
        Variable::OidcIssuer => of::<Issuer>(value),
        Variable::OidcAuthMethod => vec![auth_method(value)],
        Variable::SlackClientId => of::<SlackClientId>(value),
        Variable::SlackSecret => of::<SlackSecretForm>(value),
        Variable::LocalRestore | Variable::LoggingEnabled => vec![truth(variable, value)],
        _ => return vec![],
    };
    let name = variable.name();
    verdicts.into_iter().map(|verdict| Check { name: format!("{name} form"), verdict }).collect()
}

/// The verdicts on `value`: its flaw, or its warnings, or that there are none.
fn of<G: Grammar>(value: &str) -> Vec<Verdict> {
    match G::parse(value) {
        Err(malformed) => vec![malformed.verdict()],
        Ok(read) => {
            let warnings: Vec<_> = read.warnings().iter().map(|warning| warning.verdict()).collect();
            if warnings.is_empty() { vec![passed(read.masked())] } else { warnings }
        }
    }
}

fn license(value: &str, now: Timestamp) -> Vec<Verdict> {
    match LicenseToken::parse(value) {
        Err(malformed) => vec![malformed.verdict()],
        Ok(license) => vec![license.verdict(now)],
    }
}

/// W&B's pages know two words, and a test of its operator a third: an unknown one is not refused.
fn auth_method(value: &str) -> Verdict {
    match value {
        "implicit" | "pkce" => passed(value),
        _ => warned("neither `implicit` nor `pkce`", "use `pkce`, or `implicit` for the server's default"),
    }
}

fn truth(variable: Variable, value: &str) -> Verdict {
    match (variable, go_bool(value)) {
        (Variable::LocalRestore, Some(true)) => warned(
            "single sign-on is off, and the server logs a temporary password",
            "remove `LOCAL_RESTORE` once you can sign in again",
        ),
        (_, Some(value)) => passed(value.to_string()),
        (_, None) => failed("not a truth value", "use `true` or `false`"),
    }
}
