//! A store of a test, and what is asked of it around wbstore.

use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use hyper::Method;
use tempfile::NamedTempFile;

use super::{Key, Quirk, StoreKind, StoreServer, s3rver};
use crate::Error;
use crate::backend::Backend;
use crate::dialect::{COREWEAVE, Dialect, VIRTUAL_DOMAIN};
use crate::journal::Exchange;
use crate::proxy::Proxy;
use crate::ran::{self, Ran, finish};
use crate::reply::Reply;
use crate::strict::Strict;
use crate::upstream::Upstream;

/// The other door of its proxy: `--public-endpoint`.
const PUBLIC: &str = "public";

/// A store that this test has for itself, or an account of its own there, before a proxy with two doors.
#[derive(Debug)]
pub struct Store {
    server: Arc<StoreServer>,
    proxy: Proxy,
    operator: Key,
    node: Key,
    file: NamedTempFile,
    bucket: String,
}

impl Store {
    /// Starts one.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn open(kind: StoreKind) -> Self {
        Self::start(kind).await.unwrap_or_else(|error| panic!("{}: {error}", kind.name()))
    }

    /// Starts one.
    pub async fn start(kind: StoreKind) -> Result<Self, Error> {
        let number = fastrand::u64(100_000_000_000..1_000_000_000_000);
        // What a URL has to encode is in every secret.
        let [operator, node] = match kind {
            StoreKind::S3rver => [Key::new(s3rver::KEY, s3rver::KEY), Key::new(s3rver::KEY, s3rver::KEY)],
            StoreKind::Moto => [
                Key::new(number.to_string(), "canary/secret+key=="),
                Key::new(format!("NODE{number}NODE"), "canary/server+key&"),
            ],
            _ => [
                Key::new(format!("OPERATOR{number}"), "canary/secret+key=="),
                Key::new(format!("NODE{number}NODE"), "canary/server+key&"),
            ],
        };
        let server = StoreServer::of(kind, &[&operator, &node]).await?;
        server.account(&number.to_string(), &[&operator, &node]).await?;
        let dialect = if kind == StoreKind::Moto { Dialect::Aws(Backend::Moto) } else { Dialect::S3 };
        let unable = |error: std::io::Error| Error::new(format!("cannot start a proxy: {error}"));
        let doors = [("front", server.url.as_str()), (PUBLIC, server.url.as_str())];
        let proxy = Proxy::with_doors(&doors, dialect, Strict::off()).await.map_err(unable)?;
        if kind == StoreKind::Moto {
            proxy.introduce(&node.id, &operator.id);
            // It verifies no signature, and so asks for none.
            proxy.add_quirk(Quirk::Private);
        }
        let mut file = NamedTempFile::new().map_err(unable)?;
        let credentials =
            format!("[default]\naws_access_key_id = {}\naws_secret_access_key = {}\n", node.id, node.secret);
        file.write_all(credentials.as_bytes()).map_err(unable)?;
        Ok(Self { server, proxy, operator, node, file, bucket: format!("wandb-media-{number}") })
    }

    /// Which store it is.
    pub fn kind(&self) -> StoreKind {
        self.server.kind
    }

    /// What passes all requests of wbstore on, and writes them down.
    pub fn proxy(&self) -> &Proxy {
        &self.proxy
    }

    /// `--endpoint`.
    pub fn endpoint(&self) -> String {
        self.proxy.url()
    }

    /// `--public-endpoint`.
    pub fn public_endpoint(&self) -> String {
        self.proxy.url_of(PUBLIC)
    }

    /// An endpoint below which every bucket is a host name; it is reached by [`Store::virtual_env`].
    pub fn virtual_endpoint(&self) -> String {
        format!("http://{VIRTUAL_DOMAIN}")
    }

    /// CoreWeave's endpoint, which is reached in the same way and stands for it with [`Quirk::Coreweave`](super::Quirk).
    pub fn coreweave_endpoint(&self) -> String {
        format!("http://{COREWEAVE}")
    }

    /// The name of a bucket that nobody else has.
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// Whoever sets the storage up.
    pub fn operator(&self) -> &Key {
        &self.operator
    }

    /// The W&B server.
    pub fn node(&self) -> &Key {
        &self.node
    }

    /// `--server-credentials`: a file with the server's key, as AWS's tools write it.
    pub fn credentials_file(&self) -> &Path {
        self.file.path()
    }

    /// What a client needs in its environment to have the operator's key.
    pub fn env(&self) -> Vec<(String, String)> {
        self.env_of(&self.operator)
    }

    /// The same with another key.
    pub fn env_of(&self, key: &Key) -> Vec<(String, String)> {
        [
            ("AWS_ACCESS_KEY_ID", key.id.as_str()),
            ("AWS_SECRET_ACCESS_KEY", &key.secret),
            ("AWS_EC2_METADATA_DISABLED", "true"),
            // Nothing of the developer's own set-up may leak into a test.
            ("AWS_CONFIG_FILE", "/dev/null"),
            ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
    }

    /// The variables by which a client reaches [`Store::virtual_endpoint`].
    pub fn virtual_env(&self) -> Vec<(String, String)> {
        ["HTTP_PROXY", "http_proxy"].map(|name| (name.to_owned(), self.endpoint())).to_vec()
    }

    /// The built `wbstore` with the operator's key.
    ///
    /// # Panics
    /// When `wbstore` is not built.
    pub fn wbstore(&self) -> Command {
        ran::wbstore(self.env())
    }

    /// `wbstore <verb> s3` on this store, not started yet.
    pub fn command(&self, verb: &str, more: &[&str]) -> Command {
        let mut command = self.wbstore();
        command.args([verb, "s3"]);
        if !more.contains(&"--endpoint") {
            command.args(["--endpoint", &self.endpoint()]);
        }
        if verb != "list" {
            if !more.contains(&"--host") {
                command.args(["--host", crate::cloud::HOST]);
            }
            if !more.contains(&"--bucket") {
                command.args(["--bucket", &self.bucket]);
            }
        }
        command.args(more);
        command
    }

    /// Runs it to its end.
    pub async fn run(&self, verb: &str, more: &[&str]) -> Ran {
        finish(self.command(verb, more)).await
    }

    /// Sends a request with the operator's key, around the proxy. The path is encoded already.
    ///
    /// # Panics
    /// When there is no answer.
    pub async fn ask(&self, method: Method, path: &str, body: &str) -> Reply {
        self.ask_as(&self.operator, method, path, body).await
    }

    /// The same with another key.
    ///
    /// # Panics
    /// When there is no answer.
    pub async fn ask_as(&self, key: &Key, method: Method, path: &str, body: &str) -> Reply {
        self.send(&self.server.url, key, method, path, body).await
    }

    /// The status of the answer to the operator, through the proxy or around it.
    ///
    /// # Panics
    /// When there is no answer.
    pub async fn through(&self, proxy: bool, method: Method, path: &str, body: &str) -> u16 {
        let url = if proxy { self.endpoint() } else { self.server.url.clone() };
        self.send(&url, &self.operator, method, path, body).await.status().as_u16()
    }

    async fn send(&self, url: &str, key: &Key, method: Method, path: &str, body: &str) -> Reply {
        let host = url.trim_start_matches("http://");
        let mut headers = key.sign(host, &method, path, body.as_bytes());
        if self.kind() == StoreKind::Moto {
            headers.push(("x-moto-account-id", self.operator.id.clone()));
        }
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let upstream = Upstream::new(url, Dialect::S3);
        let reply = upstream.request((method, path), &headers, body.to_owned()).await;
        reply.unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// The same, which must succeed; the body of the answer.
    ///
    /// # Panics
    /// When it does not.
    pub async fn done(&self, method: Method, path: &str, body: &str) -> String {
        let reply = self.ask(method.clone(), path, body).await;
        let text = String::from_utf8_lossy(reply.body()).into_owned();
        assert!(reply.status().is_success(), "{method} {path}: {} {text}", reply.status());
        text
    }

    /// Another account of the same store, where it has accounts.
    ///
    /// # Panics
    /// When it cannot be made.
    pub async fn stranger(&self) -> Key {
        let number = fastrand::u64(100_000_000_000..1_000_000_000_000);
        let key = match self.kind() {
            StoreKind::Moto => Key::new(number.to_string(), "any"),
            _ => Key::new(format!("STRANGER{number}"), "stranger/secret+key"),
        };
        let made = self.server.account(&format!("stranger{number}"), &[&key]).await;
        made.unwrap_or_else(|error| panic!("{error}"));
        key
    }

    /// Lets pages of `origin` in before a store that has no CORS rules, as a reverse proxy does.
    pub fn allow_cors_of(&self, origin: &str) {
        if !self.kind().has_cors() {
            self.proxy.add_quirk(Quirk::CorsOfAll(origin.to_owned()));
        }
    }

    /// The arguments with which a command finds it.
    pub fn place(&self, verb: &str) -> Vec<String> {
        let mut place = vec!["--endpoint".to_owned(), self.endpoint()];
        if verb != "list" {
            place.extend(["--bucket".to_owned(), self.bucket.clone()]);
        }
        place
    }

    /// The requests since the journal was cleared that change something.
    pub fn mutations(&self) -> Vec<Exchange> {
        self.proxy.journal().into_iter().filter(|exchange| exchange.mutating).collect()
    }

    /// Their operations and what they are about, with the name of the bucket left out: `CreateBucket`,
    /// `PutObject .wbstore/deployment.json`.
    pub fn writes(&self) -> Vec<String> {
        let shown = |exchange: Exchange| {
            let operation = exchange.operation.trim_start_matches("s3:").to_owned();
            let rest = exchange.resource.strip_prefix(&self.bucket).unwrap_or(&exchange.resource);
            format!("{operation} {}", rest.trim_start_matches('/')).trim_end().to_owned()
        };
        self.mutations().into_iter().map(shown).collect()
    }
}
