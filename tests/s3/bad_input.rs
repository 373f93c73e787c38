//! What people get wrong, and what they are told.

use wbstore_sandbox::cloud::HOST;
use wbstore_sandbox::fault::{Fault, When};
use wbstore_sandbox::ran::{Ran, finish};
use wbstore_sandbox::services::authority::Authority;
use wbstore_sandbox::stores::{Store, StoreKind};

use crate::support::{open, provision, provisioned, unpassed};

/// `plan` on another endpoint.
async fn plan_at(store: &Store, endpoint: &str, more: &[&str]) -> Ran {
    store.run("plan", &[&["--endpoint", endpoint], more].concat()).await
}

#[track_caller]
fn is_told(ran: &Ran, code: i32, words: &[&str]) {
    assert_eq!(ran.code, Some(code), "{ran}");
    assert!(ran.stderr.contains("hint: "), "{ran}");
    for word in words {
        assert!(ran.stderr.contains(word), "{word:?} is not in {ran}");
    }
}

#[tokio::test]
async fn a_web_console_is_no_store() {
    let store = open(StoreKind::S3sFs).await;
    store.proxy().arm(When::every("*"), Fault::Portal);
    for verb in ["plan", "provision", "list", "teardown"] {
        let more: &[&str] = match verb {
            "provision" => &["--yes"],
            "teardown" => &["--confirm", "wandb-acme-com"],
            _ => &[],
        };
        let ran = store.run(verb, more).await;
        is_told(&ran, 1, &["web page"]);
    }
    assert_eq!(store.writes(), Vec::<String>::new());
}

#[tokio::test]
async fn http_and_https_are_told_apart() {
    let store = open(StoreKind::S3sFs).await;
    let plain = store.endpoint();
    let ran = plan_at(&store, &plain.replace("http://", "https://"), &[]).await;
    is_told(&ran, 1, &["http"]);
    let authority = Authority::new();
    let port: u16 = plain.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
    let front = authority.identity(&[]).front(port).await;
    let ran = plan_at(&store, &format!("http://localhost:{front}"), &[]).await;
    is_told(&ran, 1, &["https"]);
}

#[tokio::test]
async fn a_certificate_of_ones_own_is_trusted_where_it_is_named() {
    let store = open(StoreKind::S3sFs).await;
    let authority = Authority::new();
    let port: u16 = store.endpoint().rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
    let endpoint = format!("https://localhost:{}", authority.identity(&[]).front(port).await);
    let ran = plan_at(&store, &endpoint, &[]).await;
    is_told(&ran, 1, &["certificate", "SSL_CERT_FILE"]);
    let mut command = store.command("plan", &["--endpoint", &endpoint]);
    command.env("SSL_CERT_FILE", authority.file());
    finish(command).await.ends(0);
}

#[tokio::test]
async fn endpoints_that_are_none_are_refused_at_once() {
    let store = open(StoreKind::S3sFs).await;
    let in_host = format!("https://{}.minio.acme.com", store.bucket());
    for (endpoint, words) in [
        ("https://minio.acme.com/wandb", &["has a path", "--bucket wandb"][..]),
        ("s3://minio.acme.com", &["--bucket"]),
        ("http://minio.acme.com", &["--allow-http"]),
        ("https://key:hunter2@minio.acme.com", &["AWS_ACCESS_KEY_ID"]),
        (&in_host, &["--endpoint https://minio.acme.com"]),
    ] {
        let ran = plan_at(&store, endpoint, &[]).await;
        is_told(&ran, 2, words);
        assert!(!ran.stderr.contains("hunter2"), "{ran}");
    }
    let mut command = store.wbstore();
    command.args(["plan", "s3", "--host", HOST]);
    is_told(&finish(command).await, 2, &["--endpoint"]);
    assert_eq!(store.proxy().journal().len(), 0);
}

#[tokio::test]
async fn hosts_that_browsers_cannot_reach_are_warned_of() {
    let store = open(StoreKind::S3sFs).await;
    let offline = ["--offline", "--format", "json"];
    let ran = store.run("plan", &offline).await.ends(0);
    assert!(ran.stdout.contains("name one that they reach"), "{ran}");
    let public = ["--public-endpoint", "https://s3.acme.com"];
    let ran = store.run("plan", &[&offline[..], &public].concat()).await.ends(0);
    assert!(!ran.stdout.contains("name one that they reach"), "{ran}");
}

#[tokio::test]
async fn a_wrong_key_is_told_from_a_missing_permission() {
    let store = open(StoreKind::S3sFs).await;
    let mut command = store.command("plan", &[]);
    command.env("AWS_SECRET_ACCESS_KEY", "canary/wrong+key");
    let ran = finish(command).await;
    is_told(&ran, 1, &["AWS_ACCESS_KEY_ID"]);
    assert!(!ran.to_string().contains("canary"), "{ran}");
    let mut command = store.command("plan", &[]);
    command.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY");
    is_told(&finish(command).await, 1, &[]);
}

#[tokio::test]
async fn files_of_credentials_that_are_none_are_refused() {
    let store = provisioned(StoreKind::S3sFs).await;
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), "AWS_ACCESS_KEY_ID=hunter2").expect("it can be written");
    let path = file.path().display().to_string();
    let ran = store.run("config", &["--server-credentials", &path]).await;
    is_told(&ran, 2, &["AWS_SECRET_ACCESS_KEY"]);
    let ran = store.run("config", &["--server-credentials", "/nowhere"]).await;
    assert_eq!(ran.code, Some(2), "{ran}");
    let both = store.run("config", &["--server-credentials", &path, "--use-my-key"]).await;
    assert_eq!(both.code, Some(2), "{both}");
}

/// A proxy before the store answers what is too large with a page of its own.
#[tokio::test]
async fn a_proxy_that_limits_bodies_is_named() {
    let store = open(StoreKind::S3sFs).await;
    store.proxy().add_quirk(wbstore_sandbox::stores::Quirk::SmallBodies(0));
    let ran = provision(&store, &[]).await;
    assert!(matches!(ran.code, Some(1 | 4)), "{ran}");
    ran.tells(&["413", "client_max_body_size"]);
}

#[tokio::test]
async fn a_store_that_is_gone_is_told_of() {
    let store = provisioned(StoreKind::S3sFs).await;
    let ran = plan_at(&store, "http://127.0.0.1:1", &[]).await;
    is_told(&ran, 1, &["cannot reach the endpoint", "--endpoint"]);
    let ran = store.run("verify", &["--bucket", "nobody-has-it", "--format", "json"]).await;
    assert_eq!(ran.code, Some(6), "{ran}");
    assert!(!unpassed(&ran).is_empty(), "{ran}");
}
