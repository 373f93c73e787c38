//! `REDIS`: the operator's documentation, "Redis" in `docs/infra-connection-settings.md`.

use super::go_value::{go_bool, is_go_duration};
use super::malformed::{Flaw, Grammar, Warning};
use super::url_parts::{Parameter, UrlForm, UrlParts, unknown_parameter};
use crate::secret::Secret;

const FORM: UrlForm = UrlForm {
    schemes: &["redis"],
    // Redis clients read `rediss` as TLS; W&B reads a parameter.
    mistaken: &[
        ("rediss", "redis", Some("tls=true")),
        ("valkey", "redis", None),
        ("valkeys", "redis", Some("tls=true")),
    ],
    parameters: &[
        "tls",
        "caCertPath",
        "ttlInSeconds",
        "master",
        "cluster",
        "concurrency",
        "poolSize",
        "poolSizeMultiple",
        "minIdleConns",
        "dialTimeout",
        "readTimeout",
        "writeTimeout",
        "contextTimeoutEnabled",
        "poolTimeout",
        "connMaxIdleTime",
        "connMaxLifetime",
        "connMaxLifetimeJitter",
        "maxRetries",
        "dialerRetries",
        "maxConcurrentDials",
        "dialerRetryTimeout",
        "minRetryBackoff",
        "maxRetryBackoff",
        "minDialerRetryBackoff",
        "maxDialerRetryBackoff",
    ],
    example: "redis://:PASSWORD@cache.acme.com:6379?tls=true",
};

const DURATIONS: &[&str] = &[
    "dialTimeout",
    "readTimeout",
    "writeTimeout",
    "poolTimeout",
    "connMaxIdleTime",
    "connMaxLifetime",
    "connMaxLifetimeJitter",
    "dialerRetryTimeout",
    "minRetryBackoff",
    "maxRetryBackoff",
    "minDialerRetryBackoff",
    "maxDialerRetryBackoff",
];

/// The address of a Redis server, or with `master` that of a Sentinel.
#[derive(Debug)]
pub(crate) struct RedisUrl {
    /// W&B's documentation calls it extracted but typically ignored.
    pub user: Option<String>,
    pub password: Option<Secret>,
    /// Without the brackets of an IPv6 address.
    pub host: String,
    pub port: u16,
    pub tls: bool,
    /// A path on the server's own file system.
    pub ca_cert_path: Option<String>,
    pub ttl_in_seconds: Option<u64>,
    /// The name of the master that a Sentinel watches.
    pub master: Option<String>,
    pub cluster: bool,
    /// All parameters, decoded, in their order.
    pub parameters: Vec<(String, String)>,
    masked: String,
    warnings: Vec<Warning>,
}

impl Grammar for RedisUrl {
    fn read(text: &str) -> Result<Self, Flaw> {
        let url = UrlParts::split(text, &FORM)?;
        check_userinfo(&url)?;
        url.check_host(&FORM)?;
        if !matches!(url.path, "" | "/") {
            return Err(Flaw::new(
                url.path_at,
                "a path",
                "remove it: the value ends after the port and its parameters",
            )
            .repaired(text.replacen(url.path, "", 1)));
        }
        let (user, password) = url.credentials();
        let mut read = Self {
            user,
            password,
            host: url.host.trim_matches(['[', ']']).to_owned(),
            port: 0,
            tls: false,
            ca_cert_path: None,
            ttl_in_seconds: None,
            master: None,
            cluster: false,
            parameters: vec![],
            // The place of the user name is where many have their password.
            masked: url.masked(&FORM, true),
            warnings: vec![],
        };
        for parameter in url.parameters()? {
            read.take(&parameter)?;
            read.parameters.push((parameter.name.to_owned(), parameter.value));
        }
        read.port = url.port_or(if read.master.is_some() { 26379 } else { 6379 })?;
        Ok(read)
    }

    fn masked(&self) -> String {
        self.masked.clone()
    }

    fn warnings(&self) -> Vec<Warning> {
        self.warnings.clone()
    }
}

impl RedisUrl {
    fn take(&mut self, parameter: &Parameter<'_>) -> Result<(), Flaw> {
        let Parameter { name, value, at } = parameter;
        let flaw = |what: &str| Flaw::new(*at, format!("`{name}` is no {what}"), FORM_OF_VALUES);
        let truth = || go_bool(value).ok_or_else(|| flaw("truth value"));
        match *name {
            "tls" => self.tls = truth()?,
            "cluster" => self.cluster = truth()?,
            "contextTimeoutEnabled" => {
                truth()?;
            }
            "ttlInSeconds" => self.ttl_in_seconds = Some(value.parse().map_err(|_| flaw("whole number"))?),
            "caCertPath" => self.ca_cert_path = Some(value.clone()),
            "master" => self.master = Some(value.clone()),
            name if DURATIONS.contains(&name) => {
                if !is_go_duration(value) {
                    return Err(flaw("duration"));
                }
            }
            name if FORM.parameters.contains(&name) => {
                value.parse::<i64>().map_err(|_| flaw("whole number"))?;
            }
            name => self.warnings.push(Warning::new(
                format!("column {}: an unknown parameter, which W&B ignores", at - name.len()),
                unknown_parameter(name, FORM.parameters),
            )),
        }
        Ok(())
    }
}

const FORM_OF_VALUES: &str =
    "write truth values as `true` or `false`, numbers as digits, durations as `500ms` or `30s`";

/// The password is read from behind the colon alone. `redis://PASSWORD:@host`, which version 2 of W&B's operator
/// writes, and `redis://PASSWORD@host` have it in the place of the user name, and the server then sends none.
fn check_userinfo(url: &UrlParts<'_>) -> Result<(), Flaw> {
    let Some(userinfo) = url.userinfo else { return Ok(()) };
    let at = url.scheme.len() + 3;
    let rest = &url.text[at + userinfo.len() + 1..];
    match userinfo.split_once(':') {
        Some(("", "")) => {
            Err(Flaw::new(at, "an empty password", "remove `:@` if the server requires no password")
                .repaired(format!("{}://{rest}", url.scheme)))
        }
        None if userinfo.is_empty() => {
            Err(Flaw::new(at, "an empty user name", "remove `@`")
                .repaired(format!("{}://{rest}", url.scheme)))
        }
        Some((user, "")) => Err(in_the_place_of_the_user(at, url.scheme, user, rest)),
        None => Err(in_the_place_of_the_user(at, url.scheme, userinfo, rest)),
        Some(_) => Ok(()),
    }
}

fn in_the_place_of_the_user(at: usize, scheme: &str, password: &str, rest: &str) -> Flaw {
    Flaw::new(at, "a user name without a password", "write the password after a colon")
        .repaired(format!("{scheme}://:{password}@{rest}"))
}
