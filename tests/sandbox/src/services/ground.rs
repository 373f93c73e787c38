//! One of every service, good and bad, for the demonstration of `check` and the README's transcript of it.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use tempfile::TempDir;

use super::authority::Authority;
use super::mysql_double::{MysqlDouble, MysqlManners};
use super::oidc_double::{self, OidcManners};
use super::redis_double::{RedisDouble, RedisManners};
use super::website::{Method, Page, Website};
use crate::Error;
use crate::demo::Step;
use crate::ran;

const CALLBACK: &str = "/oidc/callback";
/// The ends of two licenses, in seconds since the epoch: in 2100, and 2026-01-31.
const FAR: i64 = 4_102_444_800;
const PAST: i64 = 1_769_817_600;

/// Running services, and a folder with `good.env`, `wandb.env`, `typos.env` and `ca.pem`.
pub struct CheckGround {
    folder: TempDir,
    _authority: Authority,
    /// The port of each service, and the address under which it is shown.
    addresses: Vec<(u16, &'static str)>,
}

impl CheckGround {
    /// Starts all of them.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub async fn start() -> Result<Self, Error> {
        let (authority, unknown) = (Authority::new(), Authority::new());
        let folder = tempfile::tempdir().map_err(unable)?;
        fs::copy(authority.file(), folder.path().join("ca.pem")).map_err(unable)?;
        let identity = authority.identity(&[]);
        let mut ports = vec![];
        let up = |method: &Method, _: &str| Page::new(if method == Method::POST { 400 } else { 200 }, "");
        let front = Website::start(&identity, up).await;
        let redis = RedisManners::of("7.2.4").password("s3cret").info(&["maxmemory_policy:volatile-lru"]);
        let redis = RedisDouble::secured(redis, &identity).await;
        let mysql = MysqlDouble::secured(MysqlManners::of("8.4.6"), &identity).await;
        let callback = format!("{}{CALLBACK}", front.url());
        let provider = oidc_double::start(&identity, &callback, OidcManners::default()).await;
        ports.extend([front.port(), redis.port(), mysql.port(), provider.port()]);
        write(
            folder.path(),
            "good.env",
            &[
                ("HOST", front.url()),
                ("LICENSE", license(FAR)),
                ("REDIS", format!("redis://:s3cret@localhost:{}?tls=true&ttlInSeconds=604800", redis.port())),
                (
                    "MYSQL",
                    format!("mysql://wandb_local:s3cret@localhost:{}/wandb_local?tls=true", mysql.port()),
                ),
                ("OIDC_ISSUER", provider.url()),
                ("OIDC_CLIENT_ID", "wandb".to_owned()),
                ("OIDC_AUTH_METHOD", "pkce".to_owned()),
                ("SLACK_CLIENT_ID", "1234567890.987654321".to_owned()),
                ("BUCKET", "s3://acme-wandb".to_owned()),
            ],
        )?;

        let front = Website::start(&unknown.identity(&[]), up).await;
        let redis = RedisManners::of("7.2.4").password("s3cret").info(&[
            "role:slave",
            "master_host:10.0.3.17",
            "maxmemory_policy:allkeys-lru",
        ]);
        let redis = RedisDouble::start(redis).await;
        let mysql = MysqlManners {
            grants: vec!["GRANT SELECT, INSERT ON `wandb_local`.* TO `wandb_local`@`%`".to_owned()],
            ..MysqlManners::of("8.0.31")
                .variables(&[("binlog_row_image", "FULL"), ("sort_buffer_size", "262144")])
        };
        let mysql = MysqlDouble::start(mysql).await;
        let refusal =
            json!({"error": "invalid_request", "error_description": "redirect_uri is not registered"});
        let provider = OidcManners {
            fields: vec![("code_challenge_methods_supported", serde_json::Value::Null)],
            authorize: Some(Page { status: 400, ..Page::json(&refusal) }),
            ..OidcManners::default()
        };
        let provider = oidc_double::start(&identity, CALLBACK, provider).await;
        ports.extend([front.port(), redis.port(), mysql.port(), provider.port()]);
        write(
            folder.path(),
            "wandb.env",
            &[
                ("HOST", front.url()),
                ("LICENSE", license(PAST)),
                ("REDIS", format!("redis://:s3cret@localhost:{}", redis.port())),
                (
                    "MYSQL",
                    format!(
                        "mysql://wandb_local:s3cret@localhost:{}/wandb_local?tls=preferred",
                        mysql.port()
                    ),
                ),
                ("OIDC_ISSUER", provider.url()),
                ("OIDC_CLIENT_ID", "wandb".to_owned()),
                ("OIDC_AUTH_METHOD", "pkce".to_owned()),
                ("SLACK_CLIENT_ID", "wandb-alerts".to_owned()),
                ("BUCKET", "gcs://acme-wandb".to_owned()),
            ],
        )?;
        write(
            folder.path(),
            "typos.env",
            &[
                ("HOST", "wandb.acme.com/login".to_owned()),
                ("REDIS", "rediss://:p@ss/word@cache.acme.com:6379".to_owned()),
                ("MYSQL", "mysql://wandb:s3cret@db.acme.com".to_owned()),
                ("OIDC_ISSUER", "https://acme.auth.us-east-1.amazoncognito.com".to_owned()),
                ("BUCKET", "s3://key:secret@minio:9000/wandb?region=us-east-1?tls=true".to_owned()),
            ],
        )?;
        let shown = ["wandb.acme.com", "cache.acme.com:6379", "db.acme.com:3306", "sso.acme.com"].repeat(2);
        Ok(Self { folder, _authority: authority, addresses: ports.into_iter().zip(shown).collect() })
    }

    /// The folder in which the steps run.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// `wbstore` with `args`, in the folder.
    ///
    /// # Errors
    /// Never, so that it can be the command of a demonstration.
    pub fn wbstore(&self, args: &[String]) -> Result<Command, Error> {
        let mut command = ran::wbstore(vec![]);
        command.args(args).current_dir(self.folder());
        Ok(command)
    }

    /// `text` with an address as a company has it in the place of that on which each service runs here.
    pub fn elsewhere(&self, text: &str) -> String {
        self.addresses.iter().fold(text.to_owned(), |text, (port, address)| {
            text.replace(&format!("localhost:{port}"), address)
        })
    }
}

/// The steps of the demonstration.
pub fn steps() -> Vec<Step> {
    let step =
        |title, line: &str, code| Step { title, args: line.split(' ').map(str::to_owned).collect(), code };
    vec![
        step("Check the form of every value. Nothing is sent.", "check --settings typos.env --offline", 6),
        step(
            "Check services that are as W&B advises, with a key, a table and a large request written.",
            "check --settings good.env --ca ca.pem --write",
            0,
        ),
        step(
            "Check services that are not: each line says why, and what to do.",
            "check --settings wandb.env --ca ca.pem",
            6,
        ),
        step(
            "The same for a program.",
            "check --settings wandb.env --ca ca.pem --only redis,mysql --format json",
            6,
        ),
    ]
}

/// A token with the form of a license, which nobody signed, that ends at `end`.
fn license(end: i64) -> String {
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    format!("{}.{}.{}", part("{\"alg\":\"RS256\"}"), part(&format!("{{\"exp\":{end}}}")), part("unsigned"))
}

fn write(folder: &Path, name: &str, variables: &[(&str, String)]) -> Result<(), Error> {
    let mut text = String::new();
    for (name, value) in variables {
        writeln!(text, "{name}={value}").map_err(|error| Error::new(error.to_string()))?;
    }
    fs::write(folder.join(name), text).map_err(unable)
}

fn unable(error: std::io::Error) -> Error {
    Error::new(format!("cannot write the settings: {error}"))
}
