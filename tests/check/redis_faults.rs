//! `REDIS` where something is wrong with the connection or the account.

use wbstore_sandbox::services::authority::Authority;
use wbstore_sandbox::services::redis_double::{RedisDouble, RedisManners};

use crate::support::{Checked, ENCODED, PASSWORD, check};

#[tokio::test]
async fn plain_and_tls_are_told_apart_in_both_directions() {
    let authority = Authority::new();
    let manners = RedisManners::of("7.2.4").password(PASSWORD);
    let plain = RedisDouble::start(manners.clone()).await;
    let url = format!("redis://:{ENCODED}@127.0.0.1:{}?tls=true", plain.port());
    let ran = check(&[("REDIS", &url)], &authority, &[]).await.ends(6);
    ran.is("REDIS TLS", "failed", &["answers without TLS", "remove `tls=true`"]);
    assert!(!plain.commands().contains(&"AUTH".to_owned()), "the password is not sent in clear");
    let secured = RedisDouble::secured(manners, &authority.identity(&[])).await;
    let url = format!("redis://:{ENCODED}@127.0.0.1:{}", secured.port());
    let ran = check(&[("REDIS", &url)], &authority, &[]).await.ends(6);
    ran.is("REDIS connection", "failed", &["requires TLS", "add `tls=true`"]);
    assert!(!secured.commands().contains(&"AUTH".to_owned()));
}

#[tokio::test]
async fn no_password_is_sent_to_a_server_with_a_wrong_certificate() {
    let (authority, other) = (Authority::new(), Authority::new());
    for (identity, words) in [
        (other.identity(&[]), "`--ca FILE`"),
        (authority.identity_for(&[], -3), "expired on"),
        (authority.identity_elsewhere(&["cache.acme.com"]), "not for localhost but for cache.acme.com"),
    ] {
        let redis = RedisDouble::secured(RedisManners::of("7.2.4").password(PASSWORD), &identity).await;
        let url = format!("redis://:{ENCODED}@localhost:{}?tls=true", redis.port());
        let ran = check(&[("REDIS", &url)], &authority, &[]).await.ends(6);
        ran.is("REDIS TLS", "failed", &[words]);
        assert_eq!(redis.commands(), [""; 0]);
    }
}

#[tokio::test]
async fn each_refusal_of_the_account_is_another_thing() {
    let authority = Authority::new();
    let closed = RedisManners::of("7.2.4").password(PASSWORD);
    let named = RedisManners { user: Some("wandb".to_owned()), ..closed.clone() };
    let open = RedisManners::of("7.2.4");
    let no_info =
        closed.clone().answer("INFO", "-NOPERM this user has no permissions to run the 'info' command\r\n");
    let no_ping =
        open.clone().answer("PING", "-NOPERM this user has no permissions to run the 'ping' command\r\n");
    let right = format!(":{ENCODED}@");
    let user = format!("wandb:{ENCODED}@");
    for (manners, userinfo, code, name, verdict, words) in [
        (closed.clone(), "", 6, "REDIS authentication", "failed", "NOAUTH"),
        (closed.clone(), ":wrong@", 6, "REDIS authentication", "failed", "WRONGPASS"),
        (named.clone(), right.as_str(), 6, "REDIS authentication", "failed", "WRONGPASS"),
        (named, user.as_str(), 0, "REDIS authentication", "warned", "the user `default`"),
        (open, "", 0, "REDIS authentication", "warned", "`requirepass`"),
        (no_info, right.as_str(), 0, "REDIS version", "inconclusive", "NOPERM"),
        (no_ping, "", 0, "REDIS authentication", "inconclusive", "NOPERM"),
    ] {
        let redis = RedisDouble::start(manners).await;
        let url = format!("redis://{userinfo}127.0.0.1:{}", redis.port());
        check(&[("REDIS", &url)], &authority, &[]).await.ends(code).is(name, verdict, &[words]);
    }
}

#[tokio::test]
async fn a_server_of_another_kind_is_named_as_such() {
    let authority = Authority::new();
    let loading =
        RedisManners::of("7.2.4").answer("PING", "-LOADING Redis is loading the dataset in memory\r\n");
    for (manners, words) in [
        (RedisManners::of("7.2.4").noise(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "not of the Redis protocol"),
        (RedisManners::of("7.2.4").noise(&[0xff; 64]), "not of the Redis protocol"),
        (RedisManners::of("7.2.4").noise(b""), "waiting for an answer to PING"),
        (loading, "LOADING"),
    ] {
        let redis = RedisDouble::start(manners).await;
        let url = format!("redis://127.0.0.1:{}", redis.port());
        let ran = check(&[("REDIS", &url)], &authority, &["--within", "3s"]).await.ends(6);
        ran.is("REDIS connection", "failed", &[words]);
    }
}

#[tokio::test]
async fn an_answer_has_an_end() {
    let authority = Authority::new();
    let huge = format!("$1000000000\r\n{}", "x".repeat(8 << 20));
    let redis = RedisDouble::start(RedisManners::of("7.2.4").answer("INFO", &huge)).await;
    let url = format!("redis://127.0.0.1:{}", redis.port());
    check(&[("REDIS", &url)], &authority, &[]).await.ends(0).is("REDIS version", "inconclusive", &["INFO"]);
}

#[tokio::test]
async fn what_a_server_repeats_of_a_password_is_not_shown() {
    let authority = Authority::new();
    let echo = format!("-ERR unknown command 'AUTH', with args beginning with: '{PASSWORD}'\r\n");
    let redis = RedisDouble::start(RedisManners::of("7.2.4").password(PASSWORD).answer("AUTH", &echo)).await;
    let url = format!("redis://:{ENCODED}@127.0.0.1:{}", redis.port());
    let ran = check(&[("REDIS", &url)], &authority, &["-v"]).await.ends(6);
    ran.is("REDIS authentication", "failed", &["ERR"]);
    for secret in [PASSWORD, ENCODED] {
        assert!(!format!("{ran}").contains(secret), "{ran}");
    }
}
