//! A server of Redis' protocol for versions and faults that cannot be installed. It knows what `check` sends, and
//! answers as the documentation says: [RESP](https://redis.io/docs/latest/develop/reference/protocol-spec/),
//! [INFO](https://redis.io/docs/latest/commands/info/), [AUTH](https://redis.io/docs/latest/commands/auth/).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};

use super::authority::Identity;
use super::listen::listen;

/// How it behaves.
#[derive(Clone, Debug)]
pub struct RedisManners {
    /// What `INFO` returns, line by line.
    pub info: Vec<String>,
    /// What `AUTH` accepts; `None` where no password is required.
    pub password: Option<String>,
    /// The user that `AUTH` accepts, instead of `default`.
    pub user: Option<String>,
    /// Answers instead of those that follow from the rest, by command in capitals: RESP as it is sent.
    pub answers: HashMap<&'static str, String>,
    /// What is sent instead of any answer; nothing is, where it is empty.
    pub noise: Option<Vec<u8>>,
}

impl RedisManners {
    /// A server of `version` with 8 GiB and no eviction.
    pub fn of(version: &str) -> Self {
        let info = [
            &format!("redis_version:{version}"),
            "redis_mode:standalone",
            "role:master",
            "maxmemory:8589934592",
            "maxmemory_policy:noeviction",
            "total_system_memory:17179869184",
        ];
        Self {
            info: info.map(ToString::to_string).to_vec(),
            password: None,
            user: None,
            answers: HashMap::new(),
            noise: None,
        }
    }

    /// The same with these lines of `INFO` in the place of those of the same name.
    #[must_use]
    pub fn info(mut self, lines: &[&str]) -> Self {
        for line in lines {
            let name = line.split(':').next().unwrap_or_default();
            self.info.retain(|other| other.split(':').next() != Some(name));
            self.info.push((*line).to_owned());
        }
        self
    }

    /// The same with a password.
    #[must_use]
    pub fn password(mut self, password: &str) -> Self {
        self.password = Some(password.to_owned());
        self
    }

    /// The same with another answer to `command`.
    #[must_use]
    pub fn answer(mut self, command: &'static str, answer: &str) -> Self {
        self.answers.insert(command, answer.to_owned());
        self
    }

    /// The same with nothing but `noise`.
    #[must_use]
    pub fn noise(mut self, noise: &[u8]) -> Self {
        self.noise = Some(noise.to_vec());
        self
    }
}

/// A running double; stops with the runtime.
#[derive(Clone, Debug)]
pub struct RedisDouble {
    port: u16,
    commands: Arc<Mutex<Vec<String>>>,
}

impl RedisDouble {
    /// Starts one without TLS.
    pub async fn start(manners: RedisManners) -> Self {
        Self::serve(manners, None).await
    }

    /// Starts one with TLS.
    pub async fn secured(manners: RedisManners, identity: &Identity) -> Self {
        Self::serve(manners, Some(identity)).await
    }

    async fn serve(manners: RedisManners, identity: Option<&Identity>) -> Self {
        let (commands, acceptor) = (Arc::default(), identity.map(Identity::acceptor));
        let noted = Arc::clone(&commands);
        let port = listen(move |stream| {
            let (manners, noted, acceptor) = (manners.clone(), Arc::clone(&noted), acceptor.clone());
            async move {
                match acceptor {
                    None => converse(stream, &manners, &noted).await,
                    Some(acceptor) => converse(acceptor.accept(stream).await.ok()?, &manners, &noted).await,
                }
            }
        });
        Self { port: port.await, commands }
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The names of the commands so far.
    pub fn commands(&self) -> Vec<String> {
        self.commands.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn converse(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    manners: &RedisManners,
    commands: &Mutex<Vec<String>>,
) -> Option<()> {
    let mut stream = BufReader::new(stream);
    let mut allowed = manners.password.is_none();
    let mut keys = HashMap::new();
    loop {
        let words = read(&mut stream).await?;
        let name = words.first()?.to_uppercase();
        commands.lock().unwrap_or_else(PoisonError::into_inner).push(name.clone());
        if let Some(noise) = &manners.noise {
            stream.write_all(noise).await.ok()?;
            stream.flush().await.ok()?;
            continue;
        }
        let bulk = |text: &str| format!("${}\r\n{text}\r\n", text.len());
        let answer = match (manners.answers.get(name.as_str()), name.as_str()) {
            (Some(answer), _) => answer.clone(),
            (None, "AUTH") => {
                let user = if words.len() == 3 { words[1].as_str() } else { "default" };
                let accepts = user == manners.user.as_deref().unwrap_or("default");
                allowed = accepts && words.last() == manners.password.as_ref();
                match allowed {
                    true => "+OK\r\n".to_owned(),
                    false => "-WRONGPASS invalid username-password pair or user is disabled.\r\n".to_owned(),
                }
            }
            _ if !allowed => "-NOAUTH Authentication required.\r\n".to_owned(),
            (None, "PING") => "+PONG\r\n".to_owned(),
            (None, "INFO") => bulk(&(manners.info.join("\r\n") + "\r\n")),
            (None, "SET") => {
                keys.insert(words[1].clone(), words[2].clone());
                "+OK\r\n".to_owned()
            }
            (None, "GET") => keys.get(&words[1]).map_or_else(|| "$-1\r\n".to_owned(), |value| bulk(value)),
            (None, "DEL") => format!(":{}\r\n", usize::from(keys.remove(&words[1]).is_some())),
            _ => format!("-ERR unknown command '{name}'\r\n"),
        };
        stream.write_all(answer.as_bytes()).await.ok()?;
        stream.flush().await.ok()?;
    }
}

/// One command: an array of bulk strings.
async fn read(stream: &mut (impl AsyncBufReadExt + Unpin)) -> Option<Vec<String>> {
    async fn number(stream: &mut (impl AsyncBufReadExt + Unpin), sign: char) -> Option<usize> {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok()?;
        line.strip_prefix(sign)?.trim_end().parse().ok()
    }
    let count = number(stream, '*').await?;
    let mut words = vec![];
    for _ in 0..count {
        let mut word = vec![0; number(stream, '$').await? + 2];
        stream.read_exact(&mut word).await.ok()?;
        word.truncate(word.len() - 2);
        words.push(String::from_utf8(word).ok()?);
    }
    Some(words)
}
