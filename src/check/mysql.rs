//! `MYSQL`: whether the server can use it as W&B does. Without `--write` every statement is a `SELECT` or `SHOW`.

mod account;
mod failure;
mod grants;
mod schema;
mod tuning;
mod version;
mod write;

use std::collections::HashMap;
use std::time::Duration;

use mysql_async::prelude::{FromRow, Queryable};
use mysql_async::{Conn, DriverError, Error, Opts, OptsBuilder, SslOpts, from_row_opt};

use super::connection::Peer;
use super::redaction::Redaction;
use super::{Lines, Run};
use crate::deadline::Overdue;
use crate::secret::Secret;
use crate::settings::mysql_url::{MysqlUrl, TlsMode};
use crate::verify::{Verdict, failed, inconclusive, passed, warned};

/// How long connecting and authenticating may take.
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(10);
/// How long a statement may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// How long an orderly end of the connection may take; without one the server counts an aborted client.
const GOODBYE_WITHIN: Duration = Duration::from_secs(1);
/// The largest packet that is read, in bytes, and the most rows of one answer: an account with ten thousand
/// grants has as many.
const PACKET_AT_MOST: usize = 1 << 20;
const ROWS_AT_MOST: usize = 50_000;

/// Why a statement has no answer.
enum Unanswered {
    Late(Overdue),
    Error(Error),
    TooLong,
}

/// Checks the server and database of `url`.
pub(super) async fn check(url: &MysqlUrl, run: &Run<'_>, lines: &Lines) {
    if url.scheme.starts_with("cloudsql") {
        let reason =
            format!("{}:// connects by Google's connector; run this with the mysql:// form", url.scheme);
        return lines.add("connection", inconclusive(reason));
    }
    let peer = Peer { host: url.host.clone(), port: url.port };
    let redaction = Redaction::of([url.password.as_ref().map(Secret::reveal)]);
    let probe = Probe { url, run, lines, peer, redaction };
    if let Err(unreached) = probe.peer.addresses(&run.deadline).await {
        return lines.add("connection", failed(unreached.to_string(), unreached.hint()));
    }
    let Some(mut conn) = probe.connect().await else { return };
    probe.judge(&mut conn).await;
    let _ = run.deadline.wait_at_most(GOODBYE_WITHIN, "the end of the connection", conn.disconnect()).await;
}

struct Probe<'a> {
    url: &'a MysqlUrl,
    run: &'a Run<'a>,
    lines: &'a Lines,
    peer: Peer,
    redaction: Redaction,
}

impl Probe<'_> {
    /// Connects as `MYSQL` says, with what Go's driver makes of `tls`.
    async fn connect(&self) -> Option<Conn> {
        let tls = match self.url.tls {
            TlsMode::False => None,
            TlsMode::True | TlsMode::Custom => {
                let roots = self.run.trust.roots.iter().map(|root| root.to_vec().into()).collect();
                Some(SslOpts::default().with_root_certs(roots).with_disable_built_in_roots(true))
            }
            TlsMode::SkipVerify | TlsMode::Preferred => {
                Some(SslOpts::default().with_danger_accept_invalid_certs(true))
            }
        };
        match self.attempt(tls).await {
            Ok(conn) => Some(conn),
            Err(Unanswered::Error(Error::Driver(DriverError::NoClientSslFlagFromServer)))
                if self.url.tls == TlsMode::Preferred =>
            {
                match self.attempt(None).await {
                    Ok(conn) => Some(conn),
                    Err(unanswered) => self.unconnected(&unanswered),
                }
            }
            Err(unanswered) => self.unconnected(&unanswered),
        }
    }

    async fn attempt(&self, tls: Option<SslOpts>) -> Result<Conn, Unanswered> {
        let connecting = Conn::new(self.options(tls));
        let what = format!("a MySQL handshake with {}", self.peer);
        let connected = self.run.deadline.wait_at_most(HANDSHAKE_WITHIN, what, connecting).await;
        connected.map_err(Unanswered::Late)?.map_err(Unanswered::Error)
    }

    fn options(&self, tls: Option<SslOpts>) -> Opts {
        let Self { url, peer, .. } = self;
        OptsBuilder::default()
            .ip_or_hostname(peer.host.clone())
            .tcp_port(peer.port)
            .user(url.user.clone())
            .pass(url.password.as_ref().map(|password| password.reveal().to_owned()))
            .db_name(Some(url.database.clone()))
            .ssl_opts(tls)
            // Neither a socket nor these variables are asked for.
            .prefer_socket(false)
            .max_allowed_packet(Some(PACKET_AT_MOST))
            .wait_timeout(Some(60))
            .into()
    }

    fn unconnected(&self, unanswered: &Unanswered) -> Option<Conn> {
        let (check, verdict) = self.refusal(unanswered);
        self.lines.add(check, verdict);
        None
    }

    async fn judge(&self, conn: &mut Conn) {
        let Self { url, lines, .. } = self;
        lines.add("authentication", passed(format!("as {}", url.user.as_deref().unwrap_or_default())));
        lines.add("TLS", self.encryption(conn).await);
        lines.add("version", self.version(conn).await);
        match self.variables(conn).await {
            Ok(variables) => {
                lines.add("writable", tuning::writable(&variables));
                lines.add("settings", tuning::settings(&variables));
                lines.add("binary log", tuning::binary_log(&variables));
            }
            Err(unanswered) => lines.add("settings", self.unknown("SHOW GLOBAL VARIABLES", &unanswered)),
        }
        lines.add("character set", self.schema(conn).await);
        lines.add("tables", self.tables(conn).await);
        lines.add("authentication plugin", self.plugin(conn).await);
        lines.add("grants", self.grants(conn).await);
        if self.run.write {
            lines.add("write", self.write(conn).await);
        }
    }

    async fn encryption(&self, conn: &mut Conn) -> Verdict {
        let cipher: Vec<(String, String)> =
            match self.rows(conn, "SHOW SESSION STATUS LIKE 'Ssl_cipher'").await {
                Ok(rows) => rows,
                Err(unanswered) => return self.unknown("SHOW SESSION STATUS", &unanswered),
            };
        let cipher = cipher
            .into_iter()
            .map(|(_, cipher)| self.redaction.shown(&cipher))
            .find(|cipher| !cipher.is_empty());
        match (cipher, self.url.tls) {
            (Some(cipher), TlsMode::True | TlsMode::Custom) => {
                passed(format!("{cipher}, certificate verified"))
            }
            (Some(cipher), _) => passed(format!("{cipher}, certificate not verified, as `tls` says")),
            (None, TlsMode::Preferred) => warned(
                "not encrypted: the server offers no TLS, and `tls=preferred` does without",
                "enable TLS on the MySQL server, then use `tls=true`",
            ),
            (None, TlsMode::False) => {
                warned("not encrypted: MYSQL has no `tls`", "add `?tls=true`, or `?tls=preferred`, to MYSQL")
            }
            // An old proxy between here and the server can hide what it encrypts.
            (None, _) => inconclusive("the connection is encrypted, and the server reports no cipher"),
        }
    }

    async fn version(&self, conn: &mut Conn) -> Verdict {
        let server: Vec<(String, String)> = match self.rows(conn, "SELECT VERSION(), @@version_comment").await
        {
            Ok(rows) => rows,
            Err(unanswered) => return self.unknown("SELECT VERSION()", &unanswered),
        };
        let Some((version, comment)) = server.into_iter().next() else {
            return inconclusive("the server reports no version");
        };
        // On any other server it is an unknown function, which is an answer too.
        let aurora: Option<Vec<String>> = self.rows(conn, "SELECT AURORA_VERSION()").await.ok();
        let aurora = aurora.and_then(|rows| rows.into_iter().next());
        version::judge(
            &self.redaction.shown(&version),
            &self.redaction.shown(&comment),
            aurora.map(|version| self.redaction.shown(&version)).as_deref(),
        )
    }

    async fn variables(&self, conn: &mut Conn) -> Result<HashMap<String, String>, Unanswered> {
        let rows: Vec<(String, String)> = self.rows(conn, &tuning::statement()).await?;
        Ok(rows
            .into_iter()
            .map(|(name, value)| (name.to_lowercase(), self.redaction.shown(&value)))
            .collect())
    }

    /// The rows that `statement` selects.
    async fn rows<T: FromRow + Send + 'static>(
        &self,
        conn: &mut Conn,
        statement: &str,
    ) -> Result<Vec<T>, Unanswered> {
        let asking = async {
            let mut result = conn.query_iter(statement).await.map_err(Unanswered::Error)?;
            let mut rows = vec![];
            while let Some(row) = result.next().await.map_err(Unanswered::Error)? {
                if rows.len() == ROWS_AT_MOST {
                    return Err(Unanswered::TooLong);
                }
                rows.extend(from_row_opt(row).ok());
            }
            Ok(rows)
        };
        let words = statement.split_whitespace().take(3).collect::<Vec<_>>().join(" ");
        let what = format!("an answer to {words}");
        self.run.deadline.wait_at_most(ANSWER_WITHIN, what, asking).await.map_err(Unanswered::Late)?
    }

    /// The verdict where `statement` has no answer.
    fn unknown(&self, statement: &str, unanswered: &Unanswered) -> Verdict {
        inconclusive(format!("{statement}: {}", self.cause(unanswered)))
    }

    fn cause(&self, unanswered: &Unanswered) -> String {
        match unanswered {
            Unanswered::Late(overdue) => overdue.to_string(),
            Unanswered::TooLong => format!("more than {ROWS_AT_MOST} rows"),
            Unanswered::Error(Error::Server(error)) => {
                format!("{}: {}", error.code, self.redaction.shown(&error.message))
            }
            Unanswered::Error(error) => self.redaction.shown(&error.to_string()),
        }
    }
}
