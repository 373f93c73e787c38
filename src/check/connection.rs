//! TCP and TLS, apart from what is spoken on them.

use std::fmt;
use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio_rustls::TlsConnector;

use super::trust::{Chain, Seen, Trust, server_name};
use crate::deadline::{Deadline, Overdue};
use crate::http::CONNECT_WITHIN;
use crate::text::clean;

/// How long a handshake may take before it is certain that nothing answers it. A server without TLS may wait for
/// more instead of refusing.
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(3);
/// The most that is read of one connection, in bytes: the answers that are expected are a few kilobytes.
const READ_AT_MOST: u64 = 4 << 20;

/// A host and a port.
#[derive(Clone, Debug)]
pub(super) struct Peer {
    pub(super) host: String,
    pub(super) port: u16,
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

/// Why there is no connection.
#[derive(Debug)]
pub(super) enum Unreached {
    /// The name has no address.
    Unresolved(String),
    Refused(String),
    Late(Overdue),
}

impl fmt::Display for Unreached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unresolved(why) | Self::Refused(why) => f.write_str(why),
            Self::Late(overdue) => overdue.fmt(f),
        }
    }
}

impl Unreached {
    pub(super) fn hint(&self) -> &'static str {
        match self {
            Self::Unresolved(_) => "check the name, and run this where the server will run",
            Self::Refused(_) => "check the port and that the service is running",
            Self::Late(_) => "check the address and the firewall between here and there",
        }
    }
}

/// Either kind of connection.
pub(super) trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

/// How a handshake ended.
#[derive(Debug)]
pub(super) enum Unsecured {
    /// The server's answer was none, or a refusal.
    Rejected(io::Error),
    Late(Overdue),
}

impl fmt::Display for Unsecured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rejected(error) => write!(f, "TLS handshake: {}", clean(&error.to_string())),
            Self::Late(overdue) => overdue.fmt(f),
        }
    }
}

impl Peer {
    /// The addresses of the host.
    ///
    /// # Errors
    /// [`Unreached::Unresolved`] when there are none.
    pub(super) async fn addresses(&self, deadline: &Deadline) -> Result<Vec<String>, Unreached> {
        let host = self.host.trim_matches(['[', ']']);
        let looking = deadline.wait(format!("DNS to resolve {host}"), lookup_host((host, self.port)));
        match looking.await.map_err(Unreached::Late)? {
            Ok(addresses) => {
                let mut addresses: Vec<_> = addresses.map(|address| address.ip().to_string()).collect();
                addresses.sort();
                addresses.dedup();
                match addresses.is_empty() {
                    true => Err(Unreached::Unresolved(format!("{host} has no address"))),
                    false => Ok(addresses),
                }
            }
            Err(error) => {
                Err(Unreached::Unresolved(format!("{host} does not resolve: {}", clean(&error.to_string()))))
            }
        }
    }

    /// Connects.
    ///
    /// # Errors
    /// When the host does not resolve, refuses or does not answer in time.
    pub(super) async fn connect(&self, deadline: &Deadline) -> Result<TcpStream, Unreached> {
        self.addresses(deadline).await?;
        let connecting = TcpStream::connect((self.host.trim_matches(['[', ']']), self.port));
        let connected =
            deadline.wait_at_most(CONNECT_WITHIN, format!("a TCP connection to {self}"), connecting);
        let refused = |error: io::Error| Unreached::Refused(format!("{self}: {}", clean(&error.to_string())));
        let stream = connected.await.map_err(Unreached::Late)?.map_err(refused)?;
        // Requests are single small packets.
        let _ = stream.set_nodelay(true);
        Ok(stream)
    }

    /// Completes a TLS handshake on `stream`, with any certificate.
    ///
    /// # Errors
    /// When there is none.
    pub(super) async fn secure(
        &self,
        stream: TcpStream,
        trust: &Trust,
        deadline: &Deadline,
    ) -> Result<(tokio_rustls::client::TlsStream<TcpStream>, Chain), Unsecured> {
        let rejected = |why: &str| Unsecured::Rejected(io::Error::other(why.to_owned()));
        let name =
            server_name(&self.host).ok_or_else(|| rejected("not a host that a certificate can name"))?;
        let seen = Seen::default();
        let handshake = TlsConnector::from(trust.recording(&seen)).connect(name, stream);
        let what = format!("a TLS handshake with {self}");
        let done = deadline.wait_at_most(HANDSHAKE_WITHIN, what, handshake).await.map_err(Unsecured::Late)?;
        let secured = done.map_err(Unsecured::Rejected)?;
        let chain = seen.take().ok_or_else(|| rejected("the server sent no certificate"))?;
        Ok((secured, chain))
    }
}

/// `stream` with an end to what is read of it.
pub(super) fn bounded(stream: impl Wire + 'static) -> impl Wire + 'static {
    let (read, write) = tokio::io::split(stream);
    tokio::io::join(read.take(READ_AT_MOST), write)
}
