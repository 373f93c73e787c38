//! `MYSQL`: the operator's documentation, "MySQL" in `docs/infra-connection-settings.md`.

use super::malformed::{Flaw, Grammar, Warning};
use super::url_parts::{UrlForm, UrlParts, unknown_parameter};
use crate::secret::Secret;

const FORM: UrlForm = UrlForm {
    schemes: &["mysql", "mysql-replica", "cloudsql", "cloudsql-replica"],
    mistaken: &[("mysqls", "mysql", Some("tls=true")), ("mysql2", "mysql", None), ("mariadb", "mysql", None)],
    parameters: &["tls", "ssl-ca", "ssl-cert", "ssl-key"],
    example: "mysql://wandb_local:PASSWORD@db.acme.com:3306/wandb_local?tls=preferred",
};

/// How the connection is encrypted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum TlsMode {
    /// It is not: the default of Go's driver.
    #[default]
    False,
    True,
    /// Encrypted, without a check of the certificate.
    SkipVerify,
    /// Encrypted if the server offers it, without a check of the certificate.
    Preferred,
    /// With the certificates of `ssl-ca`, `ssl-cert` and `ssl-key`.
    Custom,
}

impl TlsMode {
    const ALL: [(&str, Self); 5] = [
        ("true", Self::True),
        ("false", Self::False),
        ("skip-verify", Self::SkipVerify),
        ("preferred", Self::Preferred),
        ("custom", Self::Custom),
    ];

    pub(crate) fn word(self) -> &'static str {
        Self::ALL.iter().find(|(_, mode)| *mode == self).map_or("false", |(word, _)| word)
    }
}

/// The address of a MySQL database.
#[derive(Debug)]
pub(crate) struct MysqlUrl {
    pub scheme: String,
    pub user: Option<String>,
    pub password: Option<Secret>,
    /// Without the brackets of an IPv6 address.
    pub host: String,
    pub port: u16,
    pub database: String,
    pub tls: TlsMode,
    /// Paths on the server's own file system.
    pub ssl_ca: Option<String>,
    pub ssl_cert: Option<String>,
    pub ssl_key: Option<String>,
    masked: String,
    warnings: Vec<Warning>,
}

impl Grammar for MysqlUrl {
    fn read(text: &str) -> Result<Self, Flaw> {
        let url = UrlParts::split(text, &FORM)?;
        // What Go's own driver reads: `user:password@tcp(host:3306)/database`.
        if let Some(tcp) = url.host.strip_prefix("tcp(").or_else(|| url.host.strip_prefix("unix(")) {
            let advice = "write the host and port alone";
            let flaw = Flaw::new(url.host_at, "an address in the form of Go's driver", advice);
            let inner = format!("{tcp}{}", url.port.map(|port| format!(":{port}")).unwrap_or_default());
            return Err(match inner.strip_suffix(')') {
                Some(host) => {
                    flaw.repaired(format!("{}{host}{}", &text[..url.host_at], &text[url.path_at..]))
                }
                None => flaw,
            });
        }
        let is_cloud = url.scheme.starts_with("cloudsql");
        // `project:region:instance` is no host.
        if !is_cloud {
            url.check_host(&FORM)?;
        }
        let port = if is_cloud { 3306 } else { url.port_or(3306)? };
        let instance = url.port.filter(|_| is_cloud).map(|last| format!(":{last}")).unwrap_or_default();
        let database = url.path.strip_prefix('/').unwrap_or_default();
        if database.is_empty() {
            return Err(Flaw::new(
                url.path_at,
                "the name of the database is missing",
                "add it after the port, such as `/wandb_local`",
            ));
        }
        if database.contains('/') {
            return Err(Flaw::new(
                url.path_at,
                "a path of more than the name of the database",
                format!("use a form such as `{}`", FORM.example),
            ));
        }
        let (user, password) = url.credentials();
        if user.is_none() {
            return Err(Flaw::new(
                url.scheme.len() + 3,
                "the user name is missing",
                format!("use a form such as `{}`", FORM.example),
            ));
        }
        let mut read = Self {
            scheme: url.scheme.to_owned(),
            user,
            password,
            host: format!("{}{instance}", url.host.trim_matches(['[', ']'])),
            port,
            database: percent_encoding::percent_decode_str(database).decode_utf8_lossy().into_owned(),
            tls: TlsMode::default(),
            ssl_ca: None,
            ssl_cert: None,
            ssl_key: None,
            masked: url.masked(&FORM, false),
            warnings: vec![],
        };
        for parameter in url.parameters()? {
            match parameter.name {
                "tls" => {
                    let known = TlsMode::ALL.iter().find(|(word, _)| *word == parameter.value);
                    let words =
                        "use `tls=true`, `tls=preferred`, `tls=skip-verify`, `tls=custom` or `tls=false`";
                    read.tls =
                        known.ok_or_else(|| Flaw::new(parameter.at, "an unknown value of `tls`", words))?.1;
                }
                "ssl-ca" => read.ssl_ca = Some(parameter.value),
                "ssl-cert" => read.ssl_cert = Some(parameter.value),
                "ssl-key" => read.ssl_key = Some(parameter.value),
                name => read.warnings.push(Warning::new(
                    format!("column {}: an unknown parameter, which W&B ignores", parameter.at - name.len()),
                    unknown_parameter(name, FORM.parameters),
                )),
            }
        }
        if read.tls == TlsMode::Custom && read.ssl_ca.is_none() {
            return Err(Flaw::new(
                text.len(),
                "`tls=custom` without `ssl-ca`",
                "add `&ssl-ca=PATH`, or use `tls=true` for a certificate of a public authority",
            ));
        }
        if read.password.is_none() {
            read.warnings
                .push(Warning::new("no password", "write it after the user name, `USER:PASSWORD@HOST`"));
        }
        if read.tls != TlsMode::Custom && read.ssl_ca.is_some() {
            read.warnings.push(Warning::new(
                "`ssl-ca` is used with `tls=custom` only",
                "add `tls=custom`, or remove `ssl-ca`",
            ));
        }
        Ok(read)
    }

    fn masked(&self) -> String {
        self.masked.clone()
    }

    fn warnings(&self) -> Vec<Warning> {
        self.warnings.clone()
    }
}
