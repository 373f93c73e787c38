//! Why there is no connection to MySQL, and what to do.

use std::io;

use mysql_async::{DriverError, Error, IoError, ServerError};

use super::{Probe, Unanswered};
use crate::check::trust::untrusted;
use crate::settings::mysql_url::TlsMode;
use crate::verify::{Verdict, failed, inconclusive};

impl Probe<'_> {
    /// The check that fails, and its verdict. The numbers are those of MySQL's "Server Error Message Reference".
    pub(super) fn refusal(&self, unanswered: &Unanswered) -> (&'static str, Verdict) {
        let error = match unanswered {
            Unanswered::Late(overdue) => {
                let hint = "check the address and the firewall between here and there";
                return ("connection", failed(overdue.to_string(), hint));
            }
            Unanswered::TooLong => return ("connection", inconclusive(self.cause(unanswered))),
            Unanswered::Error(error) => error,
        };
        match error {
            Error::Server(error) => self.rejected(error),
            Error::Driver(error) => self.unspoken(error),
            Error::Io(IoError::Io(error)) => self.broken(error),
            other => ("TLS", failed(self.redaction.shown(&other.to_string()), TLS)),
        }
    }

    fn rejected(&self, error: &ServerError) -> (&'static str, Verdict) {
        let said = format!("{}: {}", error.code, self.redaction.shown(&error.message));
        let (check, hint) = match error.code {
            1045 | 1698 => (
                "authentication",
                format!("check user and password in MYSQL, or create the user:\n{}", self.account_lines()),
            ),
            1044 | 1049 => (
                "database",
                format!("run as an administrator of the MySQL server:\n{}", self.database_lines()),
            ),
            1129 => ("connection", "run `mysqladmin flush-hosts` on the MySQL server".to_owned()),
            1130 => (
                "authentication",
                format!("allow the user to connect from other hosts:\n{}", self.account_lines()),
            ),
            1040 | 1203 => ("connection", "raise `max_connections` of the MySQL server".to_owned()),
            // ER_SECURE_TRANSPORT_REQUIRED
            3159 => ("TLS", "add `tls=true` to the parameters of MYSQL".to_owned()),
            1251 | 1524 | 2059 => ("authentication", self.plugin_lines()),
            _ => ("connection", "check the MySQL server's own log".to_owned()),
        };
        (check, failed(said, hint))
    }

    fn unspoken(&self, error: &DriverError) -> (&'static str, Verdict) {
        let peer = &self.peer;
        match error {
            DriverError::NoClientSslFlagFromServer => (
                "TLS",
                failed(
                    format!("{peer} offers no TLS, and MYSQL requires it"),
                    "enable TLS on the MySQL server",
                ),
            ),
            DriverError::MysqlOldPasswordDisabled => {
                let reason = "the account has the plugin mysql_old_password, which MySQL 5.7 removed";
                ("authentication", failed(reason, self.plugin_lines()))
            }
            DriverError::UnknownAuthPlugin { name } => {
                let name = self.redaction.shown(name);
                let reason = format!("the account requires the plugin {name}, which wbstore does not have");
                ("authentication", failed(reason, self.plugin_lines()))
            }
            DriverError::CleartextPluginDisabled => {
                let reason = "the account requires mysql_clear_password, to which no password was sent";
                ("authentication", failed(reason, self.plugin_lines()))
            }
            DriverError::ConnectionClosed => {
                ("connection", failed(format!("{peer} closed the connection during the handshake"), SERVICE))
            }
            _ => ("connection", failed(format!("{peer} does not answer in the protocol of MySQL"), SERVICE)),
        }
    }

    fn broken(&self, error: &io::Error) -> (&'static str, Verdict) {
        let peer = &self.peer;
        if let Some(tls) = error.get_ref().and_then(|error| error.downcast_ref::<rustls::Error>()) {
            let untrusted = untrusted(tls, &peer.host);
            let hint = match (untrusted.is_of_unknown_issuer, self.url.tls) {
                (true, TlsMode::Custom) => {
                    "add `--ca FILE` with the certificate that `ssl-ca` names on the server"
                }
                (true, _) => {
                    "add `--ca FILE` with the authority's certificate; the server requires it too (`tls=custom&ssl-ca=…`, in the chart `global.mysql.caCert`)"
                }
                (false, _) => TLS,
            };
            return ("TLS", failed(untrusted.reason, hint));
        }
        match error.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => {
                ("connection", failed(format!("{peer} closed the connection during the handshake"), SERVICE))
            }
            io::ErrorKind::InvalidData => {
                ("connection", failed(format!("{peer} does not answer in the protocol of MySQL"), SERVICE))
            }
            _ => (
                "connection",
                failed(format!("{peer}: {}", self.redaction.shown(&error.to_string())), SERVICE),
            ),
        }
    }
}

const TLS: &str = "install a certificate on the MySQL server that is valid for the host in MYSQL";
const SERVICE: &str = "check that host and port are those of MySQL, and the MySQL server's own log";
