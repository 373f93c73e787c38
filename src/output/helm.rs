//! Values for W&B's operator chart.
//!
//! The chart builds `MYSQL`, `REDIS` and `BUCKET` from parts, and puts passwords into these URLs as they are
//! (`_mysql.tpl`, `_redis.tpl`, `_bucket.tpl`), so the Secret holds them percent-encoded. `app.env` of its defaults
//! sets `BUCKET_QUEUE` to `internal://` and outranks all other places of the environment, so that is where a real
//! queue is named. Helm merges maps, so the other variables of `app.env` stay.

use super::configuration::{Configuration, Entry};
use super::encoding::{Encoded, Encoding};
use super::kubernetes_secret::Referred;
use super::yaml::{self, Map, Node};
use crate::error::Result;
use crate::settings::bucket_address::{BucketAddress, Store, StoreEndpoint};
use crate::settings::mysql_url::{MysqlUrl, TlsMode};
use crate::settings::redis_url::RedisUrl;
use crate::settings::url_parts::encoded;

const HEADER: &str = "\
# Values for W&B's operator chart (charts/operator-wandb), created by wbstore. Pass them to helm with
# --values, or put them under spec.values of your WeightsAndBiases resource.
";

const QUEUE: &str = "\
#
# The chart's own BUCKET_QUEUE is internal://, a queue in its Redis, and it points
# GORILLA_FILE_METADATA_SOURCE of the app and api components there too. The lines under app.env
# change the environment of the app alone. If messages pile up in the queue, your version of the
# chart does not read it, and `--queue internal` is the right choice.
";

const SLACK: &str = "\
#
# Not every version of the chart has a reference to a Secret under global.slack, so the secret of the
# Slack app is referred to under global.extraEnv, which outranks it.
";

/// The variables that are not simply passed on.
const MAPPED: &[&str] = &[
    "LICENSE",
    "MYSQL",
    "BUCKET",
    "AWS_REGION",
    "AWS_S3_KMS_ID",
    "AZURE_STORAGE_KEY",
    "HOST",
    "OIDC_ISSUER",
    "OIDC_CLIENT_ID",
    "OIDC_AUTH_METHOD",
    "GORILLA_OIDC_SECRET",
    "SLACK_CLIENT_ID",
    "SLACK_SECRET",
    "REDIS",
];

/// The variables that the chart itself sets under `app`.
const OF_THE_APP: &[&str] = &["BUCKET_QUEUE", "LOGGING_ENABLED"];

pub(super) fn encode(configuration: &Configuration) -> Result<Encoded> {
    configuration.entries.iter().filter(|entry| !entry.is_secret()).try_for_each(check)?;
    let mut secret = Referred::new(configuration);
    let mut remarks = vec![];
    let mysql = mysql(configuration, &mut secret)?;
    let redis = redis(configuration, &mut secret, &mut remarks)?;
    let external = |given: bool| given.then(|| Map::default().with("install", false));
    let (has_mysql, has_redis) = (mysql.is_some(), redis.is_some());
    let license = configuration.value("LICENSE").map(|license| secret.selector("LICENSE", license));
    let app = OF_THE_APP.iter().fold(Map::default(), |env, name| {
        env.maybe(name, configuration.value(name).filter(|value| *value != "internal://"))
    });
    let queue = configuration.value("BUCKET_QUEUE").is_some_and(|queue| queue != "internal://");
    let slack = configuration.value("SLACK_SECRET").is_some();
    let global = Map::default()
        .maybe("host", configuration.value("HOST"))
        .maybe("licenseSecret", license)
        .maybe("mysql", mysql)
        .maybe("redis", redis)
        .maybe("bucket", bucket(configuration, &mut secret)?)
        .maybe("auth", oidc(configuration, &mut secret)?.map(|oidc| Map::default().with("oidc", oidc)))
        .maybe(
            "slack",
            configuration.value("SLACK_CLIENT_ID").map(|client| Map::default().with("clientId", client)),
        )
        .maybe("extraEnv", others(configuration, &mut secret).filled());
    let values = yaml::to_string(
        &Map::default()
            .maybe("global", global.filled())
            .maybe("app", app.filled().map(|env| Map::default().with("env", env)))
            .maybe("mysql", external(has_mysql))
            .maybe("redis", external(has_redis)),
    )?;
    let mut text = HEADER.to_owned();
    text.push_str(if queue { QUEUE } else { "" });
    text.push_str(if slack { SLACK } else { "" });
    Ok(Encoded { text: text + &values, secret: secret.manifest(configuration)?, remarks })
}

/// The chart passes values through its own templates and, unquoted, through YAML; Kubernetes then
/// expands `$(…)`. What any of the three would change is refused.
fn check(entry: &Entry) -> Result<()> {
    match altered(entry.text()) {
        Some(what) => Err(Encoding::Helm.refuse(entry, what)),
        None => Ok(()),
    }
}

fn altered(value: &str) -> Option<&'static str> {
    if value.chars().any(char::is_control) {
        return Some("a line break or another control character");
    }
    if value.contains("{{") {
        return Some("a `{{`");
    }
    value.contains("$(").then_some("a `$(`")
}

fn mysql(configuration: &Configuration, secret: &mut Referred) -> Result<Option<Map>> {
    let Some(url) = configuration.parsed::<MysqlUrl>("MYSQL", Encoding::Helm)? else { return Ok(None) };
    let refuse =
        |why: &str| Err(Encoding::Helm.unable("MYSQL", why, "use `--output operator-v2`, or change MYSQL"));
    if url.scheme != "mysql" {
        return refuse("the chart connects with the scheme `mysql://` only");
    }
    if !matches!(url.tls, TlsMode::False | TlsMode::Preferred) {
        return refuse("the chart always connects with `tls=preferred`");
    }
    let password = url.password.as_ref().map(|password| encoded(password.reveal())).unwrap_or_default();
    secret.hold("MYSQL_PASSWORD", password);
    Ok(Some(
        Map::default()
            .with("host", host(&url.host))
            .with("port", url.port)
            .with("database", encoded(&url.database))
            .with("user", encoded(url.user.as_deref().unwrap_or_default()))
            .with(
                "passwordSecret",
                Map::default().with("name", secret.name()).with("passwordKey", "MYSQL_PASSWORD"),
            ),
    ))
}

fn redis(
    configuration: &Configuration,
    secret: &mut Referred,
    remarks: &mut Vec<String>,
) -> Result<Option<Map>> {
    let Some(url) = configuration.parsed::<RedisUrl>("REDIS", Encoding::Helm)? else { return Ok(None) };
    if url.user.is_some() {
        remarks.push("the chart has no value for the user name in REDIS, which W&B ignores".to_owned());
    }
    let mut parameters = Map::default();
    for (name, value) in &url.parameters {
        if let Some(what) = altered(value) {
            return Err(Encoding::Helm.unable(
                "REDIS",
                format!("`{name}` contains {what}"),
                "change the parameter",
            ));
        }
        parameters = parameters.with(name, value.as_str());
    }
    let parameters = parameters.filled();
    if parameters.is_none() {
        remarks.push("REDIS has no parameter, so the chart adds its own, ttlInSeconds=604800".to_owned());
    }
    let password = url.password.as_ref().map(|password| {
        secret.hold("REDIS_PASSWORD", encoded(password.reveal()));
        Map::default().with("secretName", secret.name()).with("secretKey", "REDIS_PASSWORD")
    });
    Ok(Some(
        Map::default()
            .with("host", host(&url.host))
            .with("port", url.port)
            .maybe("params", parameters)
            .maybe("secret", password),
    ))
}

/// Every field is written, the empty ones too: the chart's template prints a field that is not
/// there as `<no value>`.
fn bucket(configuration: &Configuration, secret: &mut Referred) -> Result<Option<Map>> {
    let Some(address) = configuration.parsed::<BucketAddress>("BUCKET", Encoding::Helm)? else {
        return Ok(None);
    };
    let region = address.region.as_deref().or(configuration.value("AWS_REGION")).unwrap_or_default();
    let kms = configuration.value("AWS_S3_KMS_ID").unwrap_or_default();
    let with_prefix = |first: &str| match &address.prefix {
        Some(prefix) => format!("{first}/{prefix}"),
        None => first.to_owned(),
    };
    // The query goes with the path, which the chart appends to the URL as it is.
    let on_endpoint = |endpoint: &StoreEndpoint| {
        let query = address.query.as_deref().map(|query| format!("?{query}")).unwrap_or_default();
        let port = endpoint.port.map(|port| format!(":{port}")).unwrap_or_default();
        (format!("{}{port}", endpoint.host), format!("{}{query}", with_prefix(&address.bucket)))
    };
    let alone = || (address.bucket.clone(), address.prefix.clone().unwrap_or_default());
    let (provider, (name, path)) = match &address.store {
        Store::S3 => ("s3", alone()),
        Store::S3Compatible(endpoint) => ("s3", on_endpoint(endpoint)),
        Store::CoreWeave(endpoint) => ("cw", on_endpoint(endpoint)),
        Store::Gcs => ("gcs", alone()),
        Store::Azure { account } => ("az", (account.clone(), with_prefix(&address.bucket))),
    };
    let keys = keys(configuration, &address, secret)?;
    Ok(Some(
        Map::default()
            .with("provider", Node::Word(provider))
            .with("name", name)
            .with("path", path)
            .with("region", region)
            .with("kmsKey", kms)
            .maybe("secret", keys),
    ))
}

/// The reference to the keys of a bucket, if there are any. For Azure the chart takes the account's key from the
/// place of the access key, and calls it `AZURE_STORAGE_KEY`.
fn keys(
    configuration: &Configuration,
    address: &BucketAddress,
    secret: &mut Referred,
) -> Result<Option<Map>> {
    let secret_of = |key: &crate::secret::Secret| key.reveal().to_owned();
    let in_address = address.keys.as_ref().and_then(|keys| keys.secret.as_ref());
    match address.store {
        Store::Azure { .. } => {
            let key = in_address.map(secret_of);
            let Some(key) = key.or_else(|| configuration.value("AZURE_STORAGE_KEY").map(str::to_owned))
            else {
                return Ok(None);
            };
            secret.hold("ACCESS_KEY", key);
            Ok(Some(Map::default().with("secretName", secret.name()).with("accessKeyName", "ACCESS_KEY")))
        }
        Store::Gcs if in_address.is_some() => Err(Encoding::Helm.unable(
            "BUCKET",
            "the chart has no value for the key of a service account",
            "remove the key, and let the server's pods act as the service account (Workload Identity)",
        )),
        Store::Gcs => Ok(None),
        Store::S3 | Store::S3Compatible(_) | Store::CoreWeave(_) => {
            let Some(keys) = &address.keys else { return Ok(None) };
            secret.hold("ACCESS_KEY", encoded(keys.id.as_deref().unwrap_or_default()));
            secret.hold("SECRET_KEY", in_address.map(|key| encoded(key.reveal())).unwrap_or_default());
            Ok(Some(
                Map::default()
                    .with("secretName", secret.name())
                    .with("accessKeyName", "ACCESS_KEY")
                    .with("secretKeyName", "SECRET_KEY"),
            ))
        }
    }
}

fn oidc(configuration: &Configuration, secret: &mut Referred) -> Result<Option<Map>> {
    const OTHERS: [&str; 3] = ["OIDC_ISSUER", "OIDC_AUTH_METHOD", "GORILLA_OIDC_SECRET"];
    let Some(client) = configuration.value("OIDC_CLIENT_ID") else {
        let Some(name) = OTHERS.into_iter().find(|name| configuration.value(name).is_some()) else {
            return Ok(None);
        };
        let why = "the chart ignores it without OIDC_CLIENT_ID";
        return Err(Encoding::Helm.unable(name, why, "add `OIDC_CLIENT_ID=CLIENT_ID` to the settings"));
    };
    let client_secret = configuration.value("GORILLA_OIDC_SECRET").map(|value| {
        secret.hold("OIDC_SECRET", value);
        Map::default().with("name", secret.name()).with("secretKey", "OIDC_SECRET")
    });
    Ok(Some(
        Map::default()
            .with("clientId", client)
            .maybe("issuer", configuration.value("OIDC_ISSUER"))
            .maybe("authMethod", configuration.value("OIDC_AUTH_METHOD"))
            .maybe("oidcSecret", client_secret),
    ))
}

/// What the chart has no value for.
fn others(configuration: &Configuration, secret: &mut Referred) -> Map {
    let mut env = Map::default();
    let has_bucket = configuration.value("BUCKET").is_some();
    for entry in &configuration.entries {
        let name = entry.name.as_str();
        // Without a bucket there is no place for what belongs to it.
        let stays = ["AWS_REGION", "AWS_S3_KMS_ID", "AZURE_STORAGE_KEY"].contains(&name) && !has_bucket;
        if name == "SLACK_SECRET" {
            env = env.with(name, secret.variable(name, entry.text()));
            // The name under which the other components read it.
            env = env.with("GORILLA_SLACK_SECRET", reference(secret, name));
        } else if (MAPPED.contains(&name) && !stays) || OF_THE_APP.contains(&name) {
        } else if entry.is_secret() {
            env = env.with(name, secret.variable(name, entry.text()));
        } else {
            env = env.with(name, entry.text());
        }
    }
    env
}

fn reference(secret: &Referred, key: &str) -> Map {
    let selector = Map::default().with("name", secret.name()).with("key", key);
    Map::default().with("valueFrom", Map::default().with("secretKeyRef", selector))
}

/// A host as URLs write it.
pub(super) fn host(name: &str) -> String {
    if name.contains("::") { format!("[{name}]") } else { name.to_owned() }
}
