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

/// An address at which packets are dropped: the queue of the listener is full, and Linux ignores what is more.
#[cfg(target_os = "linux")]
async fn dead() -> (u16, impl Sized) {
    use tokio::net::{TcpSocket, TcpStream};
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind(([127, 0, 0, 1], 0).into()).expect("a free port");
    let listener = socket.listen(0).expect("it listens");
    let address = listener.local_addr().expect("its address");
    let mut queued = vec![];
    while let Ok(stream) = tokio::time::timeout(Duration::from_millis(500), TcpStream::connect(address)).await
    {
        queued.push(stream.expect("it is queued"));
    }
    (address.port(), (listener, queued))
}

/// Every service, each at `port`.
fn settings(port: u16) -> SettingsFile {
    SettingsFile::of(&[
        ("HOST", &format!("https://127.0.0.1:{port}")),
        ("REDIS", &format!("redis://:canary@127.0.0.1:{port}")),
        ("MYSQL", &format!("mysql://u:canary@127.0.0.1:{port}/wandb_local?tls=true")),
        ("OIDC_ISSUER", &format!("https://127.0.0.1:{port}")),
        ("OIDC_CLIENT_ID", "wandb"),
    ])
}

/// Checks that everything at `port` ends within its time, with what was waited for.
async fn ends_in_time(port: u16, waits: [&str; 4]) {
    let begun = Instant::now();
    let ran = settings(port).check(&["--within", "2s", "--format", "json"]).await.ends(6);
    let took = begun.elapsed();
    let [host, redis, mysql, oidc] = waits;
    ran.is("HOST certificate", "failed", &[host])
        .is("REDIS connection", "failed", &[redis])
        .is("MYSQL connection", "failed", &[mysql])
        .is("OIDC discovery", "failed", &[oidc]);
    // A busy machine is allowed for; the system's own limit of a connection, two minutes, is not.
    assert!(took < Duration::from_secs(60), "{took:?}");
}

#[tokio::test]
async fn services_that_say_nothing_end_within_the_time_and_name_what_was_awaited() {
    let waits = [
        "waiting for a TLS handshake with 127.0.0.1",
        "waiting for an answer to PING",
        "waiting for a MySQL handshake with 127.0.0.1",
        "waiting for GET https://127.0.0.1",
    ];
    ends_in_time(silent().await, waits).await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn dead_addresses_end_within_the_time_and_name_what_was_awaited() {
    let (port, _held) = dead().await;
    let waits = [
        "waiting for a TCP connection to 127.0.0.1",
        "waiting for a TCP connection to 127.0.0.1",
        "waiting for a MySQL handshake with 127.0.0.1",
        "waiting for GET https://127.0.0.1",
    ];
    ends_in_time(port, waits).await;
}

#[tokio::test]
async fn an_interrupt_ends_it_at_once() {
    let settings = settings(silent().await);
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
    let settings = settings(silent().await);
    let ran = finish(settings.command(&["--within", "1s"], &[])).await.ends(6);
    let at = |word: &str| ran.stdout.find(word).unwrap_or_else(|| panic!("no {word}: {ran}"));
    let order =
        ["HOST form", "REDIS form", "REDIS connection", "MYSQL form", "OIDC_ISSUER form", "OIDC discovery"];
    assert!(order.map(at).is_sorted(), "{ran}");
}
