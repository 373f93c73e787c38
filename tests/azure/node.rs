//! `verify --as node`: the server's calls, with what the server has.

use serde_json::Value;
use wbstore_sandbox::ran::Ran;

use crate::support::{HOST, NAME, QUEUE, Site, finish};

const CALLS: [&str; 8] =
    ["identity", "presigned PUT", "presigned GET", "HEAD", "list", "multipart upload", "receive", "delete"];

/// `wbstore verify azure --as node` with this key, or with the credentials of the environment.
async fn as_node(site: &Site, key: Option<&str>) -> Ran {
    let mut command = site.azure.wbstore();
    command.args(["verify", "azure", "--as", "node", "--host", HOST, "--within", "60s", "--format", "json"]);
    command.args(site.azure.endpoints());
    if let Some(key) = key {
        for name in ["AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET"] {
            command.env_remove(name);
        }
        command.env("AZURE_STORAGE_KEY", key);
    }
    finish(command).await
}

fn verdicts(ran: &Ran) -> Vec<(String, Value)> {
    let checks = ran.stdout.lines().map(|line| serde_json::from_str::<Value>(line).expect(line));
    checks.map(|check| (check["name"].as_str().expect("the double has it").to_owned(), check)).collect()
}

#[track_caller]
fn all_pass(ran: &Ran) {
    let verdicts = verdicts(ran);
    assert_eq!(verdicts.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), CALLS, "{ran}");
    assert!(verdicts.iter().all(|(_, check)| check["verdict"] == "passed"), "{ran}");
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn the_accounts_key_is_enough_and_nothing_is_asked_of_arm() {
    let site = Site::open().await;
    site.provisioned().await;
    site.double().plant_message(site.account(), QUEUE, "theirs").await.unwrap();
    site.azure.proxy().clear_journal();
    let ran = as_node(&site, Some(&site.double().key(site.account()))).await.ends(0);
    all_pass(&ran);
    assert!(
        !ran.stdout.contains(&site.double().key(site.account())) && !ran.stderr.contains("sig="),
        "{ran}"
    );
    let journal = site.azure.proxy().journal();
    assert!(
        journal
            .iter()
            .all(|sent| sent.operation.starts_with("blob.") || sent.operation.starts_with("queue."))
    );
    assert!(!site.snapshot().await.paths().any(|path| path.contains("wbstore-probe")));
    assert_eq!(site.double().depth(site.account(), QUEUE).await.unwrap(), 1, "theirs is left");

    let other = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let ran = as_node(&site, Some(other)).await.ends(6);
    assert!(ran.stdout.contains("must be a current key of the account"), "{ran}");
    as_node(&site, Some("no key")).await.ends(2);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
#[expect(clippy::print_stderr, reason = "the numbers are for people")]
async fn an_identity_with_the_printed_role_is_enough() {
    let site = Site::open().await;
    site.provisioned().await;
    let role = site.run("policy", &["--for", "node", "--name", NAME]).await.ends(0).json();
    site.double().restrict(&site.double().principal(), &role);
    site.azure.proxy().clear_journal();
    let ran = as_node(&site, None).await.ends(0);
    all_pass(&ran);
    let journal = site.azure.proxy().journal();
    assert!(!journal.iter().any(|sent| sent.operation.starts_with("arm.")));
    eprintln!("node: {} calls, 0 denied", journal.len());
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_denied_call_is_named_with_what_lacks() {
    let site = Site::open().await;
    site.provisioned().await;
    let action = "Microsoft.Storage/storageAccounts/queueServices/queues/messages/process/action";
    site.double().deny(&site.double().principal(), action);
    let ran = as_node(&site, None).await.ends(6);
    for (name, check) in verdicts(&ran) {
        assert_eq!(check["verdict"] == "failed", name == "receive", "{check}");
        if name == "receive" {
            assert!(check["hint"].as_str().is_some_and(|hint| hint.contains(action)), "{check}");
        }
    }
}
