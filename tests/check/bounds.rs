//! How long it takes, and how it ends.

use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use wbstore_sandbox::ran::finish;
use wbstore_sandbox::running::Running;
use wbstore_sandbox::services::settings::SettingsFile;

use crate::support::Checked;

/// A service that accepts connections and says nothing on them.
async fn silent() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    let port = listener.local_addr().expect("its address").port();
    tokio::spawn(async move {
        let mut kept = vec![];
        while let Ok((stream, _)) = listener.accept().await {
            kept.push(stream);
        }
    });
    port
}

/// Every service, each silent.
async fn settings() -> SettingsFile {
    let port = silent().await;
    SettingsFile::of(&[
        ("HOST", &format!("https://localhost:{port}")),
        ("REDIS", &format!("redis://:canary@localhost:{port}")),
        ("MYSQL", &format!("mysql://u:canary@localhost:{port}/wandb_local?tls=true")),
        ("OIDC_ISSUER", &format!("https://localhost:{port}")),
        ("OIDC_CLIENT_ID", "wandb"),
    ])
}

#[tokio::test]
async fn everything_ends_within_its_time_and_says_what_it_waited_for() {
    let settings = settings().await;
    let begun = Instant::now();
    let ran = settings.check(&["--within", "2s", "--format", "json"]).await.ends(6);
    // One after the other would be four times as long; a busy machine is allowed for, a service of its own is not.
    let took = begun.elapsed();
    ran.is("HOST certificate", "failed", &["waiting for a TLS handshake with localhost"])
        .is("REDIS connection", "failed", &["waiting for an answer to PING"])
        .is("MYSQL connection", "failed", &["waiting for a MySQL handshake with localhost"])
        .is("OIDC discovery", "failed", &["waiting for GET https://localhost"]);
    assert!(took < Duration::from_secs(60), "{took:?}");
}

#[tokio::test]
async fn an_interrupt_ends_it_at_once() {
    let settings = settings().await;
    for more in [&[][..], &["--write"]] {
        let arguments = [&["--within", "10m"], more].concat();
        let mut running = Running::start(settings.command(&arguments, &[]));
        running.says("still checking").await;
        running.interrupt();
        let ran = running.ended().await;
        assert_eq!(ran.code, Some(130), "{ran}");
        assert!(ran.stderr.contains("interrupted"), "{ran}");
        assert!(!ran.stdout.contains("failed"), "what was cut short has no verdict: {ran}");
    }
}

#[tokio::test]
async fn the_order_of_the_lines_is_that_of_the_topics() {
    let settings = settings().await;
    let ran = finish(settings.command(&["--within", "1s"], &[])).await.ends(6);
    let at = |word: &str| ran.stdout.find(word).unwrap_or_else(|| panic!("no {word}: {ran}"));
    let order =
        ["HOST form", "REDIS form", "REDIS connection", "MYSQL form", "OIDC_ISSUER form", "OIDC discovery"];
    assert!(order.map(at).is_sorted(), "{ran}");
}
