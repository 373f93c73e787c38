//! `HTTPS_PROXY`: every cloud is reached through it, and no call passes it by.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;

use wbstore_sandbox::gcp::double::{GcpDouble, Options};

use crate::support::run;

const REMOVED: [&str; 4] =
    ["AWS_ENDPOINT_URL", "STORAGE_EMULATOR_HOST", "PUBSUB_EMULATOR_HOST", "AZURE_AUTHORITY_HOST"];

/// Runs it behind a proxy that refuses every tunnel: the hosts that it asked for.
fn asked_for(set_up: impl FnOnce(&mut Command)) -> BTreeSet<String> {
    let proxy = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", proxy.local_addr().expect("its address"));
    let asked = Arc::new(Mutex::new(BTreeSet::new()));
    let seen = Arc::clone(&asked);
    thread::spawn(move || {
        for stream in proxy.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut head = BufReader::new(&stream).lines().map_while(Result::ok);
            let first = head.next().unwrap_or_default();
            let _ = head.find(String::is_empty);
            if let Some(host) = first.strip_prefix("CONNECT ").and_then(|rest| rest.split(' ').next()) {
                seen.lock().expect("nobody panicked").insert(host.to_owned());
            }
            let _ = stream.write_all(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n");
        }
    });
    let ran = run(|process| {
        for name in REMOVED {
            process.env_remove(name);
        }
        process.env("HTTPS_PROXY", &url).env("NO_PROXY", "169.254.169.254");
        set_up(process);
    });
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert!(ran.stderr.contains("proxy"), "{}", ran.stderr);
    asked.lock().expect("nobody panicked").clone()
}

#[track_caller]
fn is_only(asked: &BTreeSet<String>, host: &str) {
    assert_eq!(asked.iter().map(String::as_str).collect::<Vec<_>>(), [host]);
}

#[test]
fn aws_is_reached_through_the_proxy() {
    let asked = asked_for(|process| {
        process.args(["plan", "aws", "--host=https://wandb.acme.com", "--region=eu-west-1"]);
    });
    is_only(&asked, "sts.eu-west-1.amazonaws.com:443");
}

#[tokio::test]
async fn google_cloud_is_reached_through_the_proxy() {
    let double = GcpDouble::start(Options::default()).await.expect("a double");
    let key = double.key_file(&double.operator(), "https://oauth2.googleapis.com").expect("a file");
    let asked = asked_for(|process| {
        process
            .args(["plan", "gcp", "--host=https://wandb.acme.com", "--project=acme-prod"])
            .env("GOOGLE_APPLICATION_CREDENTIALS", key);
    });
    // What a plan reads there depends on no account, so both services are asked at once.
    let services = ["pubsub.googleapis.com:443", "storage.googleapis.com:443"];
    assert!(asked.contains(services[1]), "{asked:?}");
    assert!(asked.iter().all(|host| services.contains(&host.as_str())), "{asked:?}");
}

#[test]
fn azure_is_reached_through_the_proxy() {
    let asked = asked_for(|process| {
        process.args(["plan", "azure", "--host=https://wandb.acme.com", "--resource-group=acme"]);
        process.args(["--subscription=0b1f6471-1bf0-4dda-aec3-cb9272f09590", "--location=westeurope"]);
    });
    is_only(&asked, "login.microsoftonline.com:443");
}
