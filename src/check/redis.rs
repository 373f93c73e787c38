//! `REDIS`: whether the server can use it as W&B does. Only `PING`, `AUTH`, `INFO` and, of a Sentinel,
//! `SENTINEL GET-MASTER-ADDR-BY-NAME` are sent; `CONFIG` is not available on managed services.

mod info;
mod write;

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Cmd, ErrorKind, FromRedisValue, RedisConnectionInfo, RedisError, cmd};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::AbortHandle;

use super::connection::{Peer, Unsecured, Wire, bounded};
use super::redaction::Redaction;
use super::{Lines, Run};
use crate::deadline::Overdue;
use crate::secret::Secret;
use crate::settings::redis_url::RedisUrl;
use crate::verify::{Verdict, failed, inconclusive, passed, warned};
use info::Info;

/// How long an answer to one command may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// How long a server without TLS may take for its first bytes.
const FIRST_BYTES_WITHIN: Duration = Duration::from_secs(2);

/// A connection, with the task that reads from it.
struct Session {
    connection: MultiplexedConnection,
    driver: AbortHandle,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// Why a command has no answer.
enum Unanswered {
    Late(Overdue),
    /// The answer is an error of Redis, or none of its protocol.
    Error(RedisError),
}

/// Whether the session may be used any further.
type Usable = Option<Session>;

/// Checks the server of `url`.
pub(super) async fn check(url: &RedisUrl, run: &Run<'_>, lines: &Lines) {
    let peer = Peer { host: url.host.clone(), port: url.port };
    let probe =
        Probe { url, run, lines, redaction: Redaction::of([url.password.as_ref().map(Secret::reveal)]) };
    let Some(mut session) = probe.open(&peer).await else { return };
    let Some(info) = probe.info(&mut session).await else { return };
    let Some(name) = &url.master else {
        return probe.judge(&info, session).await;
    };
    // What W&B uses is the master behind the Sentinel.
    let Some(master) = probe.master(&mut session, &info, name).await else { return };
    let Some(mut session) = probe.open(&master).await else { return };
    if let Some(info) = probe.info(&mut session).await {
        probe.judge(&info, session).await;
    }
}

struct Probe<'a> {
    url: &'a RedisUrl,
    run: &'a Run<'a>,
    lines: &'a Lines,
    redaction: Redaction,
}

impl Probe<'_> {
    /// Connects as `REDIS` says, and authenticates.
    async fn open(&self, peer: &Peer) -> Usable {
        let stream = match peer.connect(&self.run.deadline).await {
            Ok(stream) => stream,
            Err(unreached) => {
                self.lines.add("connection", failed(unreached.to_string(), unreached.hint()));
                return None;
            }
        };
        if !self.url.tls {
            let session = self.session(stream).await?;
            return self.authenticate(session, peer).await;
        }
        match peer.secure(stream, self.run.trust, &self.run.deadline).await {
            Ok((stream, chain)) => {
                let version = stream.get_ref().1.protocol_version().and_then(|version| version.as_str());
                match self.run.trust.judge(&chain, &peer.host, self.run.now) {
                    Ok(end) => self.lines.add(
                        "TLS",
                        passed(format!(
                            "{}, certificate valid until {}",
                            version.unwrap_or("TLS").replace("TLSv1_", "TLS 1."),
                            end.strftime("%Y-%m-%d")
                        )),
                    ),
                    Err(untrusted) => {
                        let hint = match untrusted.is_of_unknown_issuer {
                            true => {
                                "add `--ca FILE` with the authority's certificate, and give the server the same file (`caCertPath`, in the chart `global.redis.caCert`)"
                            }
                            false => "install a valid certificate on the Redis server",
                        };
                        self.lines.add("TLS", failed(untrusted.reason, hint));
                        return None;
                    }
                }
                let session = self.session(stream).await?;
                self.authenticate(session, peer).await
            }
            Err(unsecured) => {
                self.lines.add("TLS", self.unsecured(peer, &unsecured).await);
                None
            }
        }
    }

    /// What a handshake without success means: a server without TLS answers in its own protocol.
    async fn unsecured(&self, peer: &Peer, unsecured: &Unsecured) -> Verdict {
        match self.speaks_plainly(peer).await {
            true => failed(
                format!("{peer} answers without TLS, and REDIS has `tls=true`"),
                "enable TLS on the Redis server (`tls-port`), use the port that has it, or remove `tls=true` from REDIS",
            ),
            false => {
                failed(unsecured.to_string(), "check that the port is that of Redis with TLS 1.2 or newer")
            }
        }
    }

    async fn speaks_plainly(&self, peer: &Peer) -> bool {
        let Ok(mut stream) = peer.connect(&self.run.deadline).await else { return false };
        let ask = async {
            stream.write_all(b"*1\r\n$4\r\nPING\r\n").await.ok()?;
            let mut first = [0];
            stream.read_exact(&mut first).await.ok()?;
            // A status, or an error such as NOAUTH (RESP, "simple strings" and "simple errors").
            Some(b"+-".contains(&first[0]))
        };
        let answered = self.run.deadline.wait_at_most(FIRST_BYTES_WITHIN, "an answer without TLS", ask).await;
        answered.ok().flatten().unwrap_or(false)
    }

    /// Whether a TLS handshake succeeds.
    async fn speaks_tls(&self, peer: &Peer) -> bool {
        let Ok(stream) = peer.connect(&self.run.deadline).await else { return false };
        peer.secure(stream, self.run.trust, &self.run.deadline).await.is_ok()
    }

    async fn session(&self, stream: impl Wire + 'static) -> Usable {
        // Nothing is sent yet: each command is ours, so that each answer is seen.
        let settings = RedisConnectionInfo::default().set_skip_set_lib_name();
        // The time of each command is measured here.
        let config = AsyncConnectionConfig::new().set_response_timeout(None);
        let opening = MultiplexedConnection::new_with_config(&settings, bounded(stream), config);
        let (connection, driver) = opening.await.ok()?;
        Some(Session { connection, driver: tokio::spawn(driver).abort_handle() })
    }

    /// Sends `command`, called `name` in messages.
    async fn ask<T: FromRedisValue>(
        &self,
        session: &mut Session,
        name: &str,
        command: &Cmd,
    ) -> Result<T, Unanswered> {
        let asking = command.query_async(&mut session.connection);
        let answer =
            self.run.deadline.wait_at_most(ANSWER_WITHIN, format!("an answer to {name}"), asking).await;
        answer.map_err(Unanswered::Late)?.map_err(Unanswered::Error)
    }

    /// Authenticates as W&B does, by password alone: the documentation of its operator says that the user in the
    /// URL is typically ignored (wandb/operator, `docs/infra-connection-settings.md`).
    async fn authenticate(&self, mut session: Session, peer: &Peer) -> Usable {
        let ping: Result<String, _> = self.ask(&mut session, "PING", &cmd("PING")).await;
        let error = match ping {
            Ok(_) => {
                let hint = "set a password on the Redis server (`requirepass`), and write it into REDIS";
                self.lines.add("authentication", warned("the server requires no password", hint));
                return Some(session);
            }
            Err(Unanswered::Late(overdue)) => {
                self.lines.add("connection", self.unheard(peer, &overdue.to_string()).await);
                return None;
            }
            Err(Unanswered::Error(error)) => error,
        };
        match (error.code(), &self.url.password) {
            (Some("NOAUTH"), None) => {
                let hint = "write the password into REDIS: `redis://:PASSWORD@HOST:PORT`, percent-encoded";
                self.lines.add("authentication", failed("NOAUTH: the server requires a password", hint));
                None
            }
            (Some("NOAUTH"), Some(password)) => {
                let verdict = self.log_in(&mut session, password).await;
                let refused = matches!(verdict, Verdict::Failed { .. });
                self.lines.add("authentication", verdict);
                (!refused).then_some(session)
            }
            (Some("NOPERM"), _) => {
                self.lines.add("authentication", inconclusive("NOPERM: this user may not send PING"));
                Some(session)
            }
            (Some(code), _) => {
                let hint = "check the Redis server's own log";
                self.lines.add("connection", failed(self.said(code, &error), hint));
                None
            }
            (None, _) => {
                let why = match error.kind() {
                    ErrorKind::Parse => "the answer to PING is not of the Redis protocol".to_owned(),
                    _ => format!("{peer} closed the connection without an answer to PING"),
                };
                self.lines.add("connection", self.unheard(peer, &why).await);
                None
            }
        }
    }

    /// The verdict on a server that answers PING in no way that Redis does.
    async fn unheard(&self, peer: &Peer, why: &str) -> Verdict {
        if !self.url.tls && self.speaks_tls(peer).await {
            return failed(
                format!("{peer} requires TLS, and REDIS has no `tls=true`"),
                "add `tls=true` to the parameters of REDIS, such as `redis://:PASSWORD@HOST:PORT?tls=true`",
            );
        }
        failed(why, "check that host and port are those of a Redis server")
    }

    async fn log_in(&self, session: &mut Session, password: &Secret) -> Verdict {
        let plain = self.ask::<String>(session, "AUTH", cmd("AUTH").arg(password.reveal())).await;
        let error = match plain {
            Ok(_) => return passed("the password is accepted"),
            Err(Unanswered::Late(overdue)) => {
                return failed(overdue.to_string(), "check the Redis server's own log");
            }
            Err(Unanswered::Error(error)) => error,
        };
        // No more of the text than its code: an unknown command is answered with its arguments.
        let code = self.redaction.shown(error.code().unwrap_or("no valid answer"));
        if let Some(user) = self.url.user.as_deref().filter(|user| *user != "default") {
            let named = cmd("AUTH").arg(user).arg(password.reveal()).take();
            if self.ask::<String>(session, "AUTH", &named).await.is_ok() {
                return warned(
                    format!(
                        "{code}: only the user in REDIS is accepted, which W&B's documentation calls typically ignored"
                    ),
                    "set the same password for the user `default` of the Redis server",
                );
            }
        }
        let hint = match code.as_str() {
            "WRONGPASS" => "write the password of the user `default` into REDIS, percent-encoded",
            _ => "check that the server accepts `AUTH` with a password",
        };
        failed(format!("{code}: the password is rejected"), hint)
    }

    fn said(&self, code: &str, error: &RedisError) -> String {
        match error.detail() {
            Some(detail) => format!("{}: {}", self.redaction.shown(code), self.redaction.shown(detail)),
            None => self.redaction.shown(code),
        }
    }

    /// What the server reports of itself.
    async fn info(&self, session: &mut Session) -> Option<Info> {
        let reason = match self.ask::<String>(session, "INFO", &cmd("INFO")).await {
            Ok(text) => return Some(Info::read(&text)),
            Err(Unanswered::Late(overdue)) => overdue.to_string(),
            Err(Unanswered::Error(error)) => match error.code() {
                Some(code) => self.said(code, &error),
                None => "the answer to INFO is not of the Redis protocol".to_owned(),
            },
        };
        let reason = format!("INFO: {reason}; version, mode, role, memory and eviction are not known");
        self.lines.add("version", inconclusive(reason));
        None
    }

    /// The address of the master `name`.
    async fn master(&self, session: &mut Session, info: &Info, name: &str) -> Option<Peer> {
        if !info.is_sentinel() {
            let hint = "remove `master=` from REDIS, or name a Sentinel (port 26379)";
            self.lines.add("mode", failed("not a Sentinel, and REDIS has `master=`", hint));
            return None;
        }
        let ask = cmd("SENTINEL").arg("GET-MASTER-ADDR-BY-NAME").arg(name).take();
        let found: Result<Option<(String, u16)>, _> =
            self.ask(session, "SENTINEL GET-MASTER-ADDR-BY-NAME", &ask).await;
        let reason = match found {
            Ok(Some((host, port))) => {
                let master = Peer { host, port };
                let shown = self.redaction.shown(&master.to_string());
                self.lines.add("mode", passed(format!("a Sentinel, whose master is {shown}")));
                return Some(master);
            }
            Ok(None) => "the Sentinel has no master of the name in REDIS".to_owned(),
            Err(Unanswered::Late(overdue)) => overdue.to_string(),
            Err(Unanswered::Error(error)) => self.said(error.code().unwrap_or("no valid answer"), &error),
        };
        let hint = "`redis-cli -p 26379 SENTINEL MASTERS` lists the names; write one into `master=` of REDIS";
        self.lines.add("mode", failed(reason, hint));
        None
    }

    async fn judge(&self, info: &Info, mut session: Session) {
        let Self { url, lines, .. } = self;
        lines.add("version", info.version());
        lines.add("mode", info.mode(url.cluster));
        lines.add("role", info.role());
        lines.add("memory", info.memory());
        lines.add("eviction", info.eviction(url.ttl_in_seconds));
        if self.run.write {
            let verdict = self.write(&mut session).await;
            lines.add("write", verdict);
        }
    }
}
