//! A server of MySQL's protocol for versions that cannot be installed: it proves what follows from a version, a
//! variable or a grant, not authentication. Packets are those of
//! [Client/Server Protocol](https://dev.mysql.com/doc/dev/mysql-server/latest/PAGE_PROTOCOL.html).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

use super::authority::Identity;
use super::listen::listen;

const CONNECT_WITH_DB: u32 = 0x8;
const PROTOCOL_41: u32 = 0x200;
const SSL: u32 = 0x800;
const TRANSACTIONS: u32 = 0x2000;
const SECURE_CONNECTION: u32 = 0x8000;
const PLUGIN_AUTH: u32 = 0x8_0000;
const UTF8MB4: u16 = 45;

/// How it ends the handshake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Handshake {
    /// Any password is accepted.
    Accepts,
    /// This error: number, state, message.
    Refuses(u16, &'static str, &'static str),
    /// The account has this plugin, to which the client is switched.
    Switches(&'static str),
    /// The connection is closed after the greeting.
    Closes,
    /// Something else is sent than a greeting.
    Garbage(&'static str),
}

/// How it behaves.
#[derive(Clone, Debug)]
pub struct MysqlManners {
    pub version: String,
    pub comment: String,
    /// What `AURORA_VERSION()` returns, where it is a function.
    pub aurora: Option<String>,
    pub variables: BTreeMap<&'static str, String>,
    pub character_set: (String, String),
    pub grants: Vec<String>,
    pub tables: Vec<String>,
    /// Of the account.
    pub plugin: String,
    pub handshake: Handshake,
    /// What a letter of four bytes reads as.
    pub letter: String,
    /// A statement's beginning, and the error that it gets.
    pub refused: Option<(&'static str, u16, &'static str)>,
}

impl MysqlManners {
    /// A server of `version` as W&B advises.
    pub fn of(version: &str) -> Self {
        let variables = [
            ("binlog_format", "ROW"),
            ("binlog_row_image", "MINIMAL"),
            ("innodb_flush_log_at_trx_commit", "1"),
            ("innodb_online_alter_log_max_size", "268435456"),
            ("max_prepared_stmt_count", "1048576"),
            ("sort_buffer_size", "67108864"),
            ("sync_binlog", "1"),
            ("read_only", "OFF"),
            ("super_read_only", "OFF"),
            ("log_bin", "ON"),
        ];
        Self {
            version: version.to_owned(),
            comment: "MySQL Community Server - GPL".to_owned(),
            aurora: None,
            variables: variables.into_iter().map(|(name, value)| (name, value.to_owned())).collect(),
            character_set: ("utf8mb4".to_owned(), "utf8mb4_general_ci".to_owned()),
            grants: vec![
                "GRANT USAGE ON *.* TO `wandb_local`@`%`".to_owned(),
                r"GRANT ALL PRIVILEGES ON `wandb\_local`.* TO `wandb_local`@`%` WITH GRANT OPTION".to_owned(),
            ],
            tables: vec![],
            plugin: "caching_sha2_password".to_owned(),
            handshake: Handshake::Accepts,
            letter: "😀".to_owned(),
            refused: None,
        }
    }

    /// The same with another end of the handshake.
    #[must_use]
    pub fn handshake(self, handshake: Handshake) -> Self {
        Self { handshake, ..self }
    }

    /// The same with these variables.
    #[must_use]
    pub fn variables(mut self, variables: &[(&'static str, &str)]) -> Self {
        self.variables.extend(variables.iter().map(|(name, value)| (*name, (*value).to_owned())));
        self
    }
}

/// A running double; stops with the runtime.
#[derive(Clone, Debug)]
pub struct MysqlDouble {
    port: u16,
    statements: Arc<Mutex<Vec<String>>>,
}

impl MysqlDouble {
    /// Starts one without TLS.
    pub async fn start(manners: MysqlManners) -> Self {
        Self::serve(manners, None).await
    }

    /// Starts one that offers TLS.
    pub async fn secured(manners: MysqlManners, identity: &Identity) -> Self {
        Self::serve(manners, Some(identity)).await
    }

    async fn serve(manners: MysqlManners, identity: Option<&Identity>) -> Self {
        let (statements, acceptor) = (Arc::default(), identity.map(Identity::acceptor));
        let noted = Arc::clone(&statements);
        let port = listen(move |stream| {
            let (manners, noted, acceptor) = (manners.clone(), Arc::clone(&noted), acceptor.clone());
            async move { greet(stream, &manners, &noted, acceptor).await }
        });
        Self { port: port.await, statements }
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The statements so far.
    pub fn statements(&self) -> Vec<String> {
        self.statements.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A connection, with the number of the next packet.
struct Wire<S> {
    stream: S,
    sequence: u8,
}

async fn greet(
    stream: TcpStream,
    manners: &MysqlManners,
    statements: &Mutex<Vec<String>>,
    acceptor: Option<tokio_rustls::TlsAcceptor>,
) -> Option<()> {
    let mut wire = Wire { stream, sequence: 0 };
    if let Handshake::Garbage(text) = manners.handshake {
        wire.stream.write_all(text.as_bytes()).await.ok()?;
        return wire.read().await.map(|_| ());
    }
    let mut capabilities = CONNECT_WITH_DB | PROTOCOL_41 | TRANSACTIONS | SECURE_CONNECTION | PLUGIN_AUTH;
    if acceptor.is_some() {
        capabilities |= SSL;
    }
    let mut greeting = vec![10];
    greeting.extend_from_slice(manners.version.as_bytes());
    greeting.push(0);
    greeting.extend_from_slice(&7u32.to_le_bytes());
    greeting.extend_from_slice(b"12345678\0");
    greeting.extend_from_slice(&capabilities.to_le_bytes()[..2]);
    greeting.push(UTF8MB4.to_le_bytes()[0]);
    greeting.extend_from_slice(&2u16.to_le_bytes());
    greeting.extend_from_slice(&capabilities.to_le_bytes()[2..]);
    greeting.push(21);
    greeting.extend_from_slice(&[0; 10]);
    greeting.extend_from_slice(b"123456789012\0");
    greeting.extend_from_slice(b"caching_sha2_password\0");
    wire.send(&greeting).await?;
    if manners.handshake == Handshake::Closes {
        return None;
    }
    let response = wire.read().await?;
    let asked = u32::from_le_bytes(response.get(..4)?.try_into().ok()?);
    if asked & SSL == 0 {
        return authenticate(wire, manners, statements, "").await;
    }
    let stream = acceptor?.accept(wire.stream).await.ok()?;
    let mut wire = Wire { stream, sequence: wire.sequence };
    wire.read().await?;
    authenticate(wire, manners, statements, "TLS_AES_256_GCM_SHA384").await
}

async fn authenticate<S: AsyncRead + AsyncWrite + Unpin>(
    mut wire: Wire<S>,
    manners: &MysqlManners,
    statements: &Mutex<Vec<String>>,
    cipher: &str,
) -> Option<()> {
    match &manners.handshake {
        Handshake::Refuses(number, state, message) => return wire.error(*number, state, message).await,
        Handshake::Switches(plugin) => {
            wire.send(&[&[0xfe], plugin.as_bytes(), b"\0", b"12345678901234567890\0"].concat()).await?;
            wire.read().await?;
            return None;
        }
        Handshake::Accepts | Handshake::Closes | Handshake::Garbage(_) => {}
    }
    // The client's answer was found in the cache: `fast_auth_success`.
    wire.send(&[1, 3]).await?;
    wire.ok().await?;
    loop {
        wire.sequence = 0;
        let command = wire.read().await?;
        match command.split_first()? {
            (1, _) => return None,
            (3, statement) => {
                let statement = String::from_utf8_lossy(statement).into_owned();
                statements.lock().unwrap_or_else(PoisonError::into_inner).push(statement.clone());
                wire.answer(&statement, manners, cipher).await?;
            }
            _ => wire.ok().await?,
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    async fn answer(&mut self, statement: &str, manners: &MysqlManners, cipher: &str) -> Option<()> {
        if let Some((beginning, number, message)) = manners.refused
            && statement.starts_with(beginning)
        {
            return self.error(number, "42000", message).await;
        }
        let one = |values: &[&str]| vec![values.iter().map(ToString::to_string).collect::<Vec<_>>()];
        let each = |values: &[String]| values.iter().map(|value| vec![value.clone()]).collect();
        let begins = |beginning: &str| statement.starts_with(beginning);
        let rows = if begins("SHOW SESSION STATUS") {
            one(&["Ssl_cipher", cipher])
        } else if begins("SELECT VERSION()") {
            one(&[&manners.version, &manners.comment])
        } else if begins("SELECT AURORA_VERSION()") {
            match &manners.aurora {
                Some(version) => one(&[version]),
                None => return self.error(1305, "42000", "FUNCTION AURORA_VERSION does not exist").await,
            }
        } else if begins("SHOW GLOBAL VARIABLES") {
            let named = manners.variables.iter().filter(|(name, _)| statement.contains(&format!("'{name}'")));
            named.map(|(name, value)| vec![(*name).to_owned(), value.clone()]).collect()
        } else if statement.contains("information_schema.SCHEMATA") {
            one(&[&manners.character_set.0, &manners.character_set.1])
        } else if statement.contains("information_schema.TABLES") {
            each(&manners.tables)
        } else if begins("SHOW CREATE USER") {
            let plugin = &manners.plugin;
            one(&[&format!(
                "CREATE USER `wandb_local`@`%` IDENTIFIED WITH '{plugin}' AS '*HASH' REQUIRE NONE"
            )])
        } else if begins("SHOW GRANTS") {
            each(&manners.grants)
        } else if begins("SELECT word FROM") {
            one(&[&manners.letter])
        } else {
            return self.ok().await;
        };
        self.rows(&rows).await
    }

    /// A result set in the text protocol.
    async fn rows(&mut self, rows: &[Vec<String>]) -> Option<()> {
        let columns = rows.first().map_or(1, Vec::len);
        self.send(&[u8::try_from(columns).ok()?]).await?;
        for _ in 0..columns {
            let mut column = vec![];
            for text in ["def", "", "", "", "c", ""] {
                column.extend(encoded(text));
            }
            column.push(12);
            column.extend_from_slice(&UTF8MB4.to_le_bytes());
            column.extend_from_slice(&1024u32.to_le_bytes());
            column.extend_from_slice(&[0xfd, 0, 0, 0, 0, 0]);
            self.send(&column).await?;
        }
        let end = [0xfe, 0, 0, 2, 0];
        self.send(&end).await?;
        for row in rows {
            self.send(&row.iter().flat_map(|value| encoded(value)).collect::<Vec<_>>()).await?;
        }
        self.send(&end).await
    }

    async fn ok(&mut self) -> Option<()> {
        self.send(&[0, 0, 0, 2, 0, 0, 0]).await
    }

    async fn error(&mut self, number: u16, state: &str, message: &str) -> Option<()> {
        let packet =
            [&[0xff][..], &number.to_le_bytes(), b"#", state.as_bytes(), message.as_bytes()].concat();
        self.send(&packet).await
    }

    async fn send(&mut self, packet: &[u8]) -> Option<()> {
        let length = u32::try_from(packet.len()).ok()?.to_le_bytes();
        let header = [length[0], length[1], length[2], self.sequence];
        self.sequence = self.sequence.wrapping_add(1);
        self.stream.write_all(&[&header[..], packet].concat()).await.ok()?;
        self.stream.flush().await.ok()
    }

    async fn read(&mut self) -> Option<Vec<u8>> {
        let mut header = [0; 4];
        self.stream.read_exact(&mut header).await.ok()?;
        self.sequence = header[3].wrapping_add(1);
        let length = u32::from_le_bytes([header[0], header[1], header[2], 0]);
        let mut packet = vec![0; usize::try_from(length).ok()?];
        self.stream.read_exact(&mut packet).await.ok()?;
        Some(packet)
    }
}

/// A string with its length before it.
fn encoded(text: &str) -> Vec<u8> {
    let length = text.len();
    let mut bytes = match u8::try_from(length) {
        Ok(length @ 0..=250) => vec![length],
        _ => [&[0xfc][..], &u16::try_from(length).unwrap_or(u16::MAX).to_le_bytes()].concat(),
    };
    bytes.extend_from_slice(text.as_bytes());
    bytes
}
