//! A `WeightsAndBiases` resource for version 2 of W&B's operator.
//!
//! The operator builds the URLs itself, so the Secret holds each value as it is. All connection settings are
//! references of the form `{name, key}`: every release of version 2 reads it, while literal values came later.

use super::configuration::Configuration;
use super::encoding::{Encoded, Encoding};
use super::kubernetes_secret::{Referred, metadata};
use super::yaml::{self, Map, Node};
use crate::error::{Error, Result};
use crate::settings::bucket_address::{BucketAddress, Store};
use crate::settings::mysql_url::{MysqlUrl, TlsMode};
use crate::settings::redis_url::RedisUrl;

const HEADER: &str = "\
# A resource for version 2 of W&B's operator, created by wbstore. Apply it after the Secret that it refers to.
";

const LICENSE: &str = "\
#
# The operator has no reference to a Secret for the license: spec.wandb.license holds it as it is.
";

/// The variables that have fields of their own.
const MAPPED: &[&str] = &[
    "LICENSE",
    "MYSQL",
    "BUCKET",
    "AWS_REGION",
    "AZURE_STORAGE_KEY",
    "HOST",
    "OIDC_ISSUER",
    "OIDC_CLIENT_ID",
    "OIDC_AUTH_METHOD",
    "GORILLA_OIDC_SECRET",
    "SLACK_CLIENT_ID",
    "SLACK_SECRET",
    "REDIS",
    "LOGGING_ENABLED",
];

pub(super) fn encode(configuration: &Configuration) -> Result<Encoded> {
    let Some(version) = &configuration.server_version else {
        return Err(Error::input(
            "cannot write `operator-v2`: the operator requires the version of the server",
        )
        .hint("add `--server-version` to `wbstore config`, such as `--server-version 0.78.0`"));
    };
    let mut secret = Referred::new(configuration);
    let mut remarks = vec![];
    let host = configuration.address(Encoding::OperatorV2)?;
    let license = configuration.value("LICENSE");
    if license.is_some() && !configuration.reveals {
        remarks.push(
            "spec.wandb.license is left out: add --reveal to write it, or set it after you applied the rest"
                .to_owned(),
        );
    }
    let wandb = Map::default()
        .with("hostname", host)
        .with("version", version.as_str())
        .maybe("license", license.filter(|_| configuration.reveals))
        .with("features", Map::default())
        .with("bucketProxy", false)
        .maybe("oidc", oidc(configuration, &mut secret).filled())
        .maybe(
            "notifications",
            slack(configuration, &mut secret).filled().map(|slack| Map::default().with("slack", slack)),
        )
        .maybe("legacyOverrides", others(configuration, &mut secret));
    let external = |field: &str, map: Option<Map>| {
        map.map(|map| Map::default().with("default", Map::default().with(field, map)))
    };
    let spec = Map::default()
        .with("retentionPolicy", Map::default().with("onDelete", Node::Word("detach")))
        .with("wandb", wandb)
        .maybe("mysql", external("externalMysql", mysql(configuration, &mut secret)?))
        .maybe("redis", external("externalRedis", redis(configuration, &mut secret, &mut remarks)?))
        .maybe("objectStore", external("externalObjectStore", bucket(configuration, &mut secret)?));
    let resource = yaml::to_string(
        &Map::default()
            .with("apiVersion", Node::Word("apps.wandb.com/v2"))
            .with("kind", Node::Word("WeightsAndBiases"))
            .with("metadata", metadata(configuration, "wandb"))
            .with("spec", spec),
    )?;
    let mut text = HEADER.to_owned();
    text.push_str(if license.is_some() { LICENSE } else { "" });
    Ok(Encoded { text: text + &resource, secret: secret.manifest(configuration)?, remarks })
}

/// A path on the server's file system, where the operator reads the certificate itself.
fn refuse_path(name: &str, parameter: &str) -> Error {
    let why = format!("`{parameter}` is a path, where the operator reads the certificate itself");
    Encoding::OperatorV2.unable(
        name,
        why,
        format!("remove `{parameter}`, and add the certificate to spec.global.customCACerts"),
    )
}

fn mysql(configuration: &Configuration, secret: &mut Referred) -> Result<Option<Map>> {
    let Some(url) = configuration.parsed::<MysqlUrl>("MYSQL", Encoding::OperatorV2)? else { return Ok(None) };
    if url.scheme != "mysql" {
        let why = "the operator connects with the scheme `mysql://` only";
        return Err(Encoding::OperatorV2.unable("MYSQL", why, "use `mysql://`"));
    }
    if url.ssl_ca.is_some() || url.ssl_cert.is_some() || url.ssl_key.is_some() {
        return Err(refuse_path("MYSQL", "ssl-ca"));
    }
    let tls = match url.tls {
        TlsMode::False => None,
        tls => Some(tls.word()),
    };
    Ok(Some(
        Map::default()
            .with("host", secret.selector("MYSQL_HOST", url.host))
            .with("port", secret.selector("MYSQL_PORT", url.port.to_string()))
            .with("database", secret.selector("MYSQL_DATABASE", url.database))
            .maybe("username", url.user.map(|user| secret.selector("MYSQL_USER", user)))
            .maybe(
                "password",
                url.password.map(|password| secret.selector("MYSQL_PASSWORD", password.reveal())),
            )
            .maybe("tls", tls.map(|tls| secret.selector("MYSQL_TLS", tls))),
    ))
}

fn redis(
    configuration: &Configuration,
    secret: &mut Referred,
    remarks: &mut Vec<String>,
) -> Result<Option<Map>> {
    let Some(url) = configuration.parsed::<RedisUrl>("REDIS", Encoding::OperatorV2)? else { return Ok(None) };
    if url.ca_cert_path.is_some() {
        return Err(refuse_path("REDIS", "caCertPath"));
    }
    if let Some((name, _)) = url.parameters.iter().find(|(name, _)| name != "tls") {
        let why = format!("externalRedis has no field for `{name}`");
        return Err(Encoding::OperatorV2.unable(
            "REDIS",
            why,
            format!("remove `{name}`, or use `--output helm`"),
        ));
    }
    if url.user.is_some() {
        remarks.push("externalRedis has no field for the user name in REDIS, which W&B ignores".to_owned());
    }
    Ok(Some(
        Map::default()
            .with("host", secret.selector("REDIS_HOST", url.host))
            .with("port", secret.selector("REDIS_PORT", url.port.to_string()))
            .maybe(
                "password",
                url.password.map(|password| secret.selector("REDIS_PASSWORD", password.reveal())),
            )
            .maybe("tls", url.tls.then(|| secret.selector("REDIS_TLS", "true"))),
    ))
}

/// For Azure `accessKey` is the account and `secretKey` its key; for Google Cloud they are the e-mail address and
/// the key of a service account.
fn bucket(configuration: &Configuration, secret: &mut Referred) -> Result<Option<Map>> {
    let Some(address) = configuration.parsed::<BucketAddress>("BUCKET", Encoding::OperatorV2)? else {
        return Ok(None);
    };
    let BucketAddress { store, bucket, prefix, keys, region, tls, force_path_style, .. } = address;
    let (id, key) = keys.map_or((None, None), |keys| (keys.id, keys.secret));
    let key = key.map(|key| key.reveal().to_owned());
    let (provider, id, key, endpoint) = match store {
        Store::S3 => ("s3", id, key, None),
        Store::S3Compatible(endpoint) | Store::CoreWeave(endpoint) => ("s3", id, key, Some(endpoint)),
        Store::Gcs => ("gcs", id, key, None),
        Store::Azure { account } => {
            let key = key.or_else(|| configuration.value("AZURE_STORAGE_KEY").map(str::to_owned));
            ("azure", Some(account), key, None)
        }
    };
    let (host, port) = endpoint.map_or((None, None), |endpoint| (Some(endpoint.host), endpoint.port));
    let region = region.or_else(|| configuration.value("AWS_REGION").map(str::to_owned));
    let mut optional = |key: &str, value: Option<String>| value.map(|value| secret.selector(key, value));
    Ok(Some(
        Map::default()
            .maybe("provider", optional("BUCKET_PROVIDER", Some(provider.to_owned())))
            .maybe("endpoint", optional("BUCKET_ENDPOINT", host))
            .maybe("port", optional("BUCKET_PORT", port.map(|port| port.to_string())))
            .maybe("bucket", optional("BUCKET_NAME", Some(bucket)))
            .maybe("path", optional("BUCKET_PATH", prefix))
            .maybe("region", optional("BUCKET_REGION", region))
            .maybe("accessKey", optional("ACCESS_KEY", id))
            .maybe("secretKey", optional("SECRET_KEY", key))
            .maybe("tlsEnabled", optional("BUCKET_TLS", tls.map(|tls| tls.to_string())))
            .maybe(
                "forcePathStyle",
                optional("BUCKET_PATH_STYLE", force_path_style.map(|force| force.to_string())),
            ),
    ))
}

fn oidc(configuration: &Configuration, secret: &mut Referred) -> Map {
    let fields = [
        ("clientId", "OIDC_CLIENT_ID"),
        ("clientSecret", "GORILLA_OIDC_SECRET"),
        ("issuerUrl", "OIDC_ISSUER"),
        ("authMethod", "OIDC_AUTH_METHOD"),
    ];
    selectors(configuration, secret, &fields)
}

fn slack(configuration: &Configuration, secret: &mut Referred) -> Map {
    selectors(configuration, secret, &[("clientId", "SLACK_CLIENT_ID"), ("clientSecret", "SLACK_SECRET")])
}

/// The fields whose variables are set.
fn selectors(configuration: &Configuration, secret: &mut Referred, fields: &[(&str, &str)]) -> Map {
    fields.iter().fold(Map::default(), |map, (field, name)| {
        map.maybe(field, configuration.value(name).map(|value| secret.selector(name, value)))
    })
}

/// What the resource has no field for: variables of all components.
fn others(configuration: &Configuration, secret: &mut Referred) -> Option<Map> {
    let mut env: Vec<Map> = vec![];
    for entry in &configuration.entries {
        let name = entry.name.as_str();
        let is_default = name == "BUCKET_QUEUE" && entry.text() == "internal://";
        if MAPPED.contains(&name) || is_default {
            continue;
        }
        let variable = Map::default().with("name", name);
        env.push(if entry.is_secret() {
            let selector = secret.selector(name, entry.text());
            variable.with("valueFrom", Map::default().with("secretKeyRef", selector))
        } else {
            variable.with("value", entry.text())
        });
    }
    let global = (!env.is_empty()).then(|| Map::default().with("env", env))?;
    Some(Map::default().with("global", global))
}
