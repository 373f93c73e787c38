//! `REDIS` on doubles: versions, modes and settings.

use wbstore_sandbox::services::authority::Authority;
use wbstore_sandbox::services::redis_double::{RedisDouble, RedisManners};

use crate::support::{Checked, ENCODED, PASSWORD, check};

#[tokio::test]
async fn a_server_as_wandb_advises_passes() {
    let authority = Authority::new();
    let manners = RedisManners::of("7.2.4").password(PASSWORD).info(&["maxmemory_policy:volatile-lru"]);
    let redis = RedisDouble::secured(manners, &authority.identity(&[])).await;
    let url = format!("redis://:{ENCODED}@localhost:{}?tls=true&ttlInSeconds=604800", redis.port());
    let ran = check(&[("REDIS", &url)], &authority, &[]).await.ends(0);
    ran.is("REDIS TLS", "passed", &["TLS 1.3", "valid until"])
        .is("REDIS authentication", "passed", &[])
        .is("REDIS version", "passed", &["7.2.4"])
        .is("REDIS mode", "passed", &["standalone"])
        .is("REDIS role", "passed", &["master"])
        .is("REDIS memory", "passed", &["8.0 GiB"])
        .is("REDIS eviction", "passed", &["volatile-lru, with `ttlInSeconds`"]);
    assert_eq!(redis.commands(), ["PING", "AUTH", "INFO"], "nothing else is sent");
}

#[tokio::test]
async fn each_version_has_its_verdict() {
    let authority = Authority::new();
    let valkey = RedisManners::of("7.2.4").info(&["server_name:valkey", "valkey_version:8.1.1"]);
    for (manners, verdict, words) in [
        (RedisManners::of("5.0.14"), "failed", "older than 6"),
        (RedisManners::of("6.2.14"), "warned", "7.x"),
        (RedisManners::of("7.4.2"), "passed", "7.4.2"),
        (RedisManners::of("8.0.2"), "warned", "8.0.2"),
        (valkey, "warned", "Valkey 8.1.1"),
    ] {
        let redis = RedisDouble::start(manners).await;
        let url = format!("redis://127.0.0.1:{}", redis.port());
        let ran = check(&[("REDIS", &url)], &authority, &[]).await;
        ran.is("REDIS version", verdict, &[words]);
        assert_eq!(ran.code, Some(if verdict == "failed" { 6 } else { 0 }), "{ran}");
    }
}

#[tokio::test]
async fn modes_and_roles_fit_the_url_or_fail() {
    let authority = Authority::new();
    for (info, query, name, verdict, words) in [
        ("redis_mode:cluster", "", "REDIS mode", "failed", "add `cluster=true`"),
        ("redis_mode:cluster", "?cluster=true", "REDIS mode", "passed", "cluster"),
        ("redis_mode:standalone", "?cluster=true", "REDIS mode", "failed", "remove `cluster=true`"),
        ("redis_mode:sentinel", "", "REDIS mode", "failed", "add `master=NAME`"),
        ("redis_mode:standalone", "?master=mymaster", "REDIS mode", "failed", "remove `master=`"),
        ("role:slave", "", "REDIS role", "failed", "the master"),
    ] {
        let redis = RedisDouble::start(RedisManners::of("7.2.4").info(&[info])).await;
        let url = format!("redis://127.0.0.1:{}{query}", redis.port());
        check(&[("REDIS", &url)], &authority, &[]).await.is(name, verdict, &[words]);
    }
}

#[tokio::test]
async fn the_master_behind_a_sentinel_is_what_is_checked() {
    let authority = Authority::new();
    let master = RedisDouble::start(RedisManners::of("7.2.4").info(&["maxmemory:1073741824"])).await;
    let port = master.port().to_string();
    let address = format!("*2\r\n$9\r\n127.0.0.1\r\n${}\r\n{port}\r\n", port.len());
    let manners = RedisManners::of("7.2.4").info(&["redis_mode:sentinel"]);
    let sentinel = RedisDouble::start(manners.clone().answer("SENTINEL", &address)).await;
    let url = format!("redis://127.0.0.1:{}?master=mymaster", sentinel.port());
    let ran = check(&[("REDIS", &url)], &authority, &[]).await.ends(0);
    ran.is("REDIS memory", "warned", &["1.0 GiB"]).is("REDIS role", "passed", &["master"]);
    assert!(master.commands().contains(&"INFO".to_owned()));
    let unknown = RedisDouble::start(manners.answer("SENTINEL", "*-1\r\n")).await;
    let url = format!("redis://127.0.0.1:{}?master=other", unknown.port());
    let ran = check(&[("REDIS", &url)], &authority, &[]).await.ends(6);
    ran.is("REDIS mode", "failed", &["SENTINEL MASTERS"]);
}

#[tokio::test]
async fn memory_and_eviction_are_warned_about() {
    let authority = Authority::new();
    for (info, name, verdict, words) in [
        ("maxmemory:0", "REDIS memory", "warned", "no memory limit, on a machine with 16.0 GiB"),
        ("maxmemory:4294967296", "REDIS memory", "passed", "4.0 GiB; W&B suggests 8 GiB"),
        ("maxmemory_policy:allkeys-lru", "REDIS eviction", "warned", "queues"),
        ("maxmemory_policy:volatile-lru", "REDIS eviction", "warned", "add `ttlInSeconds=604800`"),
    ] {
        let redis = RedisDouble::start(RedisManners::of("7.2.4").info(&[info])).await;
        let url = format!("redis://127.0.0.1:{}", redis.port());
        check(&[("REDIS", &url)], &authority, &[]).await.ends(0).is(name, verdict, &[words]);
    }
}

#[tokio::test]
async fn with_write_a_key_is_set_and_removed() {
    let authority = Authority::new();
    let redis = RedisDouble::start(RedisManners::of("7.2.4")).await;
    let url = format!("redis://127.0.0.1:{}", redis.port());
    check(&[("REDIS", &url)], &authority, &["--write"]).await.ends(0).is("REDIS write", "passed", &[]);
    assert_eq!(redis.commands(), ["PING", "INFO", "SET", "GET", "DEL"]);
    let refusing = RedisManners::of("7.2.4")
        .answer("SET", "-OOM command not allowed when used memory > 'maxmemory'.\r\n");
    let redis = RedisDouble::start(refusing).await;
    let url = format!("redis://127.0.0.1:{}", redis.port());
    let ran = check(&[("REDIS", &url)], &authority, &["--write"]).await.ends(6);
    ran.is("REDIS write", "failed", &["SET: OOM", "free memory"]);
}
