//! The account's key is shown where the user asks for it, and nowhere else.

use std::os::unix::fs::{MetadataExt, symlink};

use wbstore_sandbox::azure::double::control::Planted;
use wbstore_sandbox::ran::Ran;

use crate::support::Site;

/// A key that no other text has a part of: 64 bytes, as Azure's are.
const KEY: &str =
    "Y2FuYXJ5LWtleS1vZi10aGUtc2FuZGJveC13aGljaC1tdXN0LW5vdC1iZS1zZWVuLWFueXdoZXJlLWJ1dC1oZXJlISEhIQ==";

/// An account of others with that key, and what a deployment leaves of a plan before there is one.
async fn planted() -> Site {
    let site = Site::open().await;
    site.double().plant(Planted::new(site.account()).key(KEY)).await.expect("the name is free");
    site
}

/// Everything that must not be told: the key in each of the ways it may be written, signatures made
/// with it, and the client's secret.
fn secrets(site: &Site) -> Vec<String> {
    let encoded = KEY.replace('=', "%3D").replace('+', "%2B").replace('/', "%2F");
    let escaped = KEY.replace('/', "\\/");
    let middle = KEY[10..40].to_owned();
    vec![KEY.to_owned(), encoded, escaped, middle, "sig=".to_owned(), site.double().principal().secret]
}

#[track_caller]
fn is_silent(site: &Site, ran: &Ran, what: &str) {
    for secret in secrets(site) {
        for (stream, text) in [("stdout", &ran.stdout), ("stderr", &ran.stderr)] {
            assert!(!text.contains(&secret), "{what} told a secret on {stream}:\n{ran}");
        }
    }
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn no_command_tells_it_unasked() {
    let site = planted().await;
    let subscription = site.double().subscription();
    let offline = ["--offline", "--account-id", subscription.as_str(), "--format", "json"];
    let life: [(&str, &[&str], i32); 17] = [
        ("plan", &["-v"], 0),
        ("plan", &["-v", "--format", "json"], 0),
        ("plan", &["-v", "--format", "markdown"], 0),
        ("plan", &offline, 0),
        ("provision", &["-v", "--yes", "--format", "json", "--output", "json"], 0),
        ("provision", &["-v", "--yes"], 0),
        ("verify", &["-v", "--within", "60s"], 0),
        ("verify", &["-v", "--within", "60s", "--format", "json"], 0),
        ("config", &["-v"], 0),
        ("config", &["-v", "--output", "k8s-secret"], 0),
        ("config", &["-v", "--output", "dotenv"], 0),
        ("list", &["-v"], 0),
        ("list", &["-v", "--format", "json"], 0),
        ("policy", &["-v", "--for", "operator"], 0),
        ("policy", &["-v", "--for", "node", "--format", "commands"], 0),
        ("teardown", &["-v", "--dry-run"], 0),
        ("teardown", &["-v", "--confirm", "wandb-acme-com", "--format", "json"], 0),
    ];
    for (command, arguments, code) in life {
        let ran = site.run(command, arguments).await;
        is_silent(&site, &ran, &format!("{command} {}", arguments.join(" ")));
        ran.ends(code);
    }
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn no_failure_tells_it() {
    let site = planted().await;
    site.provisioned().await;
    // The data plane is gone: every error has a signed URL at hand.
    for option in ["--blob-endpoint", "--queue-endpoint"] {
        let nowhere = format!("http://127.0.0.1:9/{}", site.account());
        let ran = site.run("verify", &["-v", "--within", "1s", option, &nowhere]).await;
        is_silent(&site, &ran, &format!("verify without {option}"));
        assert_ne!(ran.code, Some(0), "{ran}");
    }
    let principal = site.double().principal();
    site.double().deny(&principal, "Microsoft.Storage/storageAccounts/listkeys/action");
    let ran = site.run("config", &["-v", "--reveal"]).await.ends(3);
    is_silent(&site, &ran, "config without the permission");
    ran.tells(&["listkeys/action", "hint:"]);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn it_is_shown_when_asked_for_and_only_on_stdout() {
    let site = planted().await;
    let ran = site.provision(&["-v", "--reveal"]).await.ends(0);
    let shown = ran.outputs()["AZURE_STORAGE_KEY"].trim_matches('\'').to_owned();
    assert_eq!(shown, KEY);
    assert!(!ran.stderr.contains(KEY), "{}", ran.stderr);
    let again = site.run("config", &["--reveal"]).await.ends(0);
    assert_eq!(again.outputs()["AZURE_STORAGE_KEY"].trim_matches('\''), KEY);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn it_is_written_to_a_new_file_of_ones_own() {
    let site = planted().await;
    site.provisioned().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    let text = path.to_str().unwrap();
    let ran = site.run("config", &["-v", "--secret-file", text]).await.ends(0);
    is_silent(&site, &ran, "config --secret-file");
    assert_eq!(std::fs::read_to_string(&path).unwrap().trim_end(), KEY);
    assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o600);
    // Neither what is there nor what a link leads to is written over.
    site.run("config", &["--secret-file", text]).await.ends(2);
    let (link, target) = (folder.path().join("link"), folder.path().join("target"));
    symlink(&target, &link).unwrap();
    site.azure.proxy().clear_journal();
    site.run("config", &["--secret-file", link.to_str().unwrap()]).await.ends(2);
    assert!(!target.exists());
    assert!(site.azure.proxy().journal().is_empty(), "it is refused before the first request");
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_key_that_may_not_be_fetched_leaves_the_rest_done_and_no_file() {
    let site = Site::open().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    let text = path.to_str().unwrap();
    let principal = site.double().principal();
    site.double().deny(&principal, "Microsoft.Storage/storageAccounts/listkeys/action");
    let ran = site.provision(&["--secret-file", text]).await.ends(4);
    ran.tells(&["the changes were applied, but", "listkeys/action", "`wbstore config`"]);
    assert!(!path.exists(), "it is not filled");
    // Now there is nothing left to change.
    site.provision(&["--reveal"]).await.ends(3).tells(&["listkeys/action"]);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_run_that_fails_keeps_no_file_for_it() {
    let site = Site::open().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    let action = "Microsoft.Storage/storageAccounts/queueServices/queues/write";
    site.double().deny(&site.double().principal(), action);
    site.provision(&["--secret-file", path.to_str().unwrap()]).await.ends(4).tells(&[action]);
    assert!(!path.exists());
}
