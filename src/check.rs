//! Checks that what the settings name can serve a W&B server: each part by itself, all side by side, and
//! without changing anything unless it is asked for.

mod connection;
mod host;
mod mysql;
mod oidc;
mod redaction;
mod redis;
mod slack;
mod storage;
mod topic;
mod trust;

use std::path::PathBuf;
use std::time::Duration;

use futures::future::{join, join_all};
use jiff::Timestamp;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio_util::sync::CancellationToken;

use crate::deadline::Deadline;
use crate::error::Result;
use crate::http::{Certificate, Client};
use crate::origin::Origin;
use crate::settings::bucket_address::BucketAddress;
use crate::settings::host_url::HostUrl;
use crate::settings::issuer::Issuer;
use crate::settings::mysql_url::MysqlUrl;
use crate::settings::queue_address::QueueAddress;
use crate::settings::redis_url::RedisUrl;
use crate::settings::{Grammar, ServerSettings, Variable, check_grammar};
use crate::verify::{Advice, Check, CheckSender, Checking, Verdict, failed};
use oidc::{AuthMethod, Registered};
use storage::Storage;
use trust::Trust;

pub(crate) use topic::Topic;

/// What is checked, and how.
#[derive(Debug)]
pub(crate) struct CheckOptions {
    /// Those to check, of those that are set.
    pub(crate) topics: Vec<Topic>,
    /// The grammar of the values alone.
    pub(crate) offline: bool,
    /// Whether a key, a table and a large request may be written, and removed again.
    pub(crate) write: bool,
    /// Certificates to trust besides those of the system.
    pub(crate) ca: Option<PathBuf>,
    /// How long all of it may take.
    pub(crate) within: Duration,
    pub(crate) cancel: CancellationToken,
}

/// What all checks share.
struct Run<'a> {
    deadline: Deadline,
    trust: &'a Trust,
    client: Client,
    now: Timestamp,
    write: bool,
    cancel: CancellationToken,
}

/// Where the checks of one topic go.
struct Lines {
    topic: Topic,
    sender: CheckSender,
    cancel: CancellationToken,
}

impl Lines {
    /// Adds the check `name` of the topic.
    fn add(&self, name: &str, verdict: Verdict) {
        self.send(Checking::Known(Check { name: format!("{} {name}", self.topic.label()), verdict }));
    }

    /// Adds what to enter elsewhere.
    fn advise(&self, title: impl Into<String>, entries: Vec<String>) {
        self.send(Checking::Advice(Advice { name: title.into(), entries }));
    }

    fn send(&self, checking: Checking) {
        // After an interrupt every wait is cut short, and its verdict is none.
        if !self.cancel.is_cancelled() {
            let _ = self.sender.send(checking);
        }
    }
}

/// What `check` requires before it starts, read from the file system.
pub(crate) struct Prepared {
    trust: Option<(Trust, Client)>,
}

/// Reads the certificates that `options` require.
///
/// # Errors
/// Those of the file of `--ca`.
pub(crate) fn prepare(options: &CheckOptions) -> Result<Prepared> {
    if options.offline {
        return Ok(Prepared { trust: None });
    }
    let trust = Trust::load(options.ca.as_deref())?;
    let own = trust.own.iter().filter_map(|own| Certificate::from_der(own).ok()).collect();
    Ok(Prepared { trust: Some((trust, Client::trusting(own)?)) })
}

/// Checks `settings`, and sends each check to `sender`, in the order of the topics.
pub(crate) async fn check(
    settings: &ServerSettings,
    prepared: Prepared,
    options: &CheckOptions,
    sender: CheckSender,
) {
    let now = Timestamp::now();
    let run = prepared.trust.as_ref().map(|(trust, client)| Run {
        deadline: Deadline::begin(options.within, options.cancel.clone()),
        trust,
        client: client.clone(),
        now,
        write: options.write,
        cancel: options.cancel.clone(),
    });
    let parsed = Parsed::of(settings);
    let (checks, receivers): (Vec<_>, Vec<_>) = options
        .topics
        .iter()
        .map(|topic| {
            let (own, receiver) = unbounded_channel();
            let lines = Lines { topic: *topic, sender: own, cancel: options.cancel.clone() };
            let (run, parsed) = (run.as_ref(), &parsed);
            let check = async move {
                for variable in topic.variables() {
                    for check in check_grammar(settings, *variable, now) {
                        lines.send(Checking::Known(check));
                    }
                }
                if let Some(run) = run {
                    parsed.check(*topic, run, &lines).await;
                }
            };
            (check, receiver)
        })
        .unzip();
    join(join_all(checks), in_order(receivers, &sender)).await;
}

/// Sends what each of `receivers` receives, one after the other, so that the order is the same in every run.
async fn in_order(receivers: Vec<UnboundedReceiver<Checking>>, sender: &CheckSender) {
    for mut receiver in receivers {
        while let Some(checking) = receiver.recv().await {
            let _ = sender.send(checking);
        }
    }
}

/// The settings as far as they have their form.
struct Parsed<'a> {
    settings: &'a ServerSettings,
    host: Option<Origin>,
    redis: Option<RedisUrl>,
    mysql: Option<MysqlUrl>,
    issuer: Option<Issuer>,
    bucket: Option<BucketAddress>,
    queue: Option<QueueAddress>,
}

impl<'a> Parsed<'a> {
    fn of(settings: &'a ServerSettings) -> Self {
        fn parsed<T: Grammar>(settings: &ServerSettings, variable: Variable) -> Option<T> {
            settings.value(variable).and_then(|value| T::parse(value).ok())
        }
        Self {
            settings,
            host: parsed::<HostUrl>(settings, Variable::Host).map(|host| host.origin),
            redis: parsed(settings, Variable::Redis),
            mysql: parsed(settings, Variable::Mysql),
            issuer: parsed(settings, Variable::OidcIssuer),
            bucket: parsed(settings, Variable::Bucket),
            queue: parsed(settings, Variable::BucketQueue),
        }
    }

    /// Checks what `topic` names, where its value has its form.
    async fn check(&self, topic: Topic, run: &Run<'_>, lines: &Lines) {
        match topic {
            Topic::Host => {
                if let Some(origin) = &self.host {
                    host::check(origin, run, lines).await;
                }
            }
            Topic::Redis => {
                if let Some(url) = &self.redis {
                    redis::check(url, run, lines).await;
                }
            }
            Topic::Mysql => {
                if let Some(url) = &self.mysql {
                    mysql::check(url, run, lines).await;
                }
            }
            Topic::Oidc => {
                if let Some(registered) = self.registered() {
                    oidc::check(&registered, run, lines).await;
                } else if self.settings.value(Variable::OidcIssuer).is_none() {
                    let hint = "set OIDC_ISSUER to the issuer in the provider's own settings";
                    lines.add("issuer", failed("OIDC_ISSUER is not set", hint));
                }
            }
            Topic::Slack => slack::advise(self.host.as_ref(), lines),
            Topic::Bucket => {
                let queue_has_form =
                    self.queue.is_some() || self.settings.value(Variable::BucketQueue).is_none();
                if let Some(bucket) = self.bucket.as_ref().filter(|_| run.write && queue_has_form) {
                    let storage = Storage {
                        bucket,
                        queue: self.queue.as_ref(),
                        region: self.settings.value(Variable::AwsRegion),
                        origin: self.host.as_ref(),
                    };
                    storage::check(&storage, run, lines).await;
                }
            }
            Topic::License | Topic::Server => {}
        }
    }

    fn registered(&self) -> Option<Registered<'_>> {
        let method = match self.settings.value(Variable::OidcAuthMethod) {
            Some("pkce") => AuthMethod::Pkce,
            _ => AuthMethod::Implicit,
        };
        Some(Registered {
            issuer: self.issuer.as_ref()?,
            client_id: self.settings.value(Variable::OidcClientId),
            method,
            has_secret: self.settings.value(Variable::GorillaOidcSecret).is_some(),
            origin: self.host.as_ref(),
        })
    }
}
