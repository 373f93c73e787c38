//! What `teardown` removes, what it keeps, and when it will not begin.

use serde_json::json;
use wbstore_sandbox::azure::double::control::Planted;
use wbstore_sandbox::azure::double::{Level, Lock};

use crate::support::{NAME, QUEUE, Site, finish};

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn everything_of_an_empty_deployment_goes() {
    let site = Site::open().await;
    let before = site.snapshot().await;
    site.provision(&["--dead-letter"]).await.ends(0);
    site.teardown(&["--dead-letter"]).await.ends(0);
    assert_eq!(site.snapshot().await, before);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_container_that_can_be_restored_is_reported_with_how() {
    let site = Site::open().await;
    site.double().plant(Planted::new(site.account())).await.unwrap();
    site.provisioned().await;
    let kept = json!({ "enabled": true, "days": 7 });
    site.double().set_blob_service(site.account(), "containerDeleteRetentionPolicy", kept);
    let ran = site.teardown(&[]).await.ends(0);
    // In the plan, and once more when it is done.
    let (plan, end) = ran.stderr.split_once(": deleted").expect("it says what it deletes");
    assert!(plan.contains("container restore") && end.contains("container restore"), "{ran}");
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn messages_are_data() {
    let site = Site::open().await;
    site.provisioned().await;
    site.double().plant_message(site.account(), QUEUE, "x").await.unwrap();
    site.azure.proxy().clear_journal();
    let refused = site.run("teardown", &["--yes"]).await.ends(3);
    refused.tells(&[
        "about 1 message, and `--yes` covers no data",
        &format!("--confirm {NAME}` deletes that too"),
    ]);
    site.is_untouched();
    site.run("teardown", &["--dry-run"]).await.ends(0).tells(&["- about 1 message"]);
    site.teardown(&[]).await.ends(0);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_teardown_may_be_repeated() {
    let site = Site::open().await;
    site.provisioned().await;
    site.teardown(&[]).await.ends(0);
    site.azure.proxy().clear_journal();
    site.teardown(&[]).await.ends(0).tells(&["wbstore list azure"]);
    site.is_untouched();
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_container_that_is_not_empty_is_refused_with_its_counts() {
    let site = Site::open().await;
    site.provisioned().await;
    for n in 0..3 {
        site.double().plant_blob(site.account(), QUEUE, &format!("k{n}"), "four").await.unwrap();
    }
    site.azure.proxy().clear_journal();
    site.teardown(&[]).await.ends(3).tells(&["3 objects", "12 bytes", "hint:", "--delete-objects"]);
    site.is_untouched();
}

/// Puts three blobs into a new deployment and tears it down; how many writes had an operation of each of `names`.
async fn writes_of_a_teardown<const N: usize>(site: &Site, names: [&str; N]) -> [usize; N] {
    let before = site.snapshot().await;
    site.provisioned().await;
    for n in 0..3 {
        site.double()
            .plant_blob(site.account(), QUEUE, &format!("k{n}"), "four")
            .await
            .expect("it is planted");
    }
    site.azure.proxy().clear_journal();
    site.teardown(&["--delete-objects"]).await.ends(0);
    assert_eq!(site.snapshot().await, before);
    let sent = site.mutations();
    names.map(|name| sent.iter().filter(|sent| sent.operation.contains(name)).count())
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn an_account_goes_with_its_container_and_blobs_in_one_call() {
    let site = Site::open().await;
    let names = ["storageAccounts.DELETE", "containers.DELETE", "queues.DELETE", "blob"];
    assert_eq!(writes_of_a_teardown(&site, names).await, [1, 0, 0, 0]);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_container_in_an_account_of_others_goes_with_its_blobs_in_one_call() {
    let site = Site::open().await;
    site.double().plant(Planted::new(site.account())).await.unwrap();
    let names = ["storageAccounts.DELETE", "containers.DELETE", "blob.DELETE"];
    assert_eq!(writes_of_a_teardown(&site, names).await, [0, 1, 0]);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_dry_run_counts_and_deletes_nothing() {
    let site = Site::open().await;
    site.provisioned().await;
    site.double().plant_blob(site.account(), QUEUE, "k", "four").await.unwrap();
    let keeps = json!({"enabled": true, "days": 7});
    site.double().set_blob_service(site.account(), "containerDeleteRetentionPolicy", keeps);
    site.azure.proxy().clear_journal();
    let ran = site.run("teardown", &["--dry-run", "--delete-objects"]).await.ends(0);
    ran.tells(&["delete", site.account(), "objects", "keeps deleted containers for 7 days"]);
    site.is_untouched();
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn data_that_may_not_be_seen_is_never_called_nothing() {
    let site = Site::open().await;
    site.provisioned().await;
    site.double().plant_blob(site.account(), QUEUE, "k", "four").await.unwrap();
    let principal = site.double().principal();
    for action in [
        "Microsoft.Storage/storageAccounts/listServiceSas/action",
        "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read",
    ] {
        site.double().deny(&principal, action);
    }
    let ran = site.teardown(&["--delete-objects"]).await.ends(3);
    ran.tells(&["cannot count", "listServiceSas/action", "Storage Blob Data Reader"]);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn without_the_right_to_sign_the_token_counts() {
    let site = Site::open().await;
    site.provisioned().await;
    site.double().plant_blob(site.account(), QUEUE, "k", "four").await.unwrap();
    let action = "Microsoft.Storage/storageAccounts/listServiceSas/action";
    site.double().deny(&site.double().principal(), action);
    site.teardown(&[]).await.ends(3).tells(&["1 object (4 bytes)"]);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_lock_refuses_the_whole_before_the_first_delete() {
    let site = Site::open().await;
    site.provisioned().await;
    let scope = site.double().account_id(site.account());
    site.double().lock(Lock { scope, name: "keep".to_owned(), level: Level::CanNotDelete });
    site.azure.proxy().clear_journal();
    site.teardown(&[]).await.ends(3).tells(&["keep", "hint:"]);
    site.is_untouched();
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn holds_immutability_and_leases_are_found_in_the_plan() {
    let site = Site::open().await;
    site.provisioned().await;
    site.double().legal_hold(site.account(), QUEUE);
    site.azure.proxy().clear_journal();
    site.teardown(&["--delete-objects"]).await.ends(3).tells(&["legal hold"]);
    site.double().immutable(site.account(), QUEUE);
    site.teardown(&["--delete-objects"]).await.ends(3).tells(&["immutab"]);
    site.is_untouched();

    let site = Site::open().await;
    site.provisioned().await;
    site.double().lease(site.account(), QUEUE).await.unwrap();
    site.azure.proxy().clear_journal();
    site.teardown(&["--delete-objects"]).await.ends(3).tells(&["lease"]);
    site.is_untouched();
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn an_account_of_others_and_all_that_is_theirs_stays_as_it_was() {
    let site = Site::open().await;
    let (double, account) = (site.double(), site.account());
    double.plant(Planted::new(account).tag("team", "ml")).await.unwrap();
    double.plant_container(account, "wbstore-wandb-acme-com2", &json!({"team": "ml"})).await.unwrap();
    double.plant_queue(account, "wbstore-wandb-acme-com2", &json!({})).await.unwrap();
    let rule = json!({"allowedOrigins": ["https://other.example"], "allowedMethods": ["GET"],
        "allowedHeaders": ["x"], "exposedHeaders": ["y"], "maxAgeInSeconds": 5});
    double.plant_cors(account, &[rule]).await.unwrap();
    let keeps = json!({"enabled": true, "days": 7, "allowPermanentDelete": false});
    double.set_blob_service(account, "deleteRetentionPolicy", keeps);
    let theirs = json!({
        "destination": {"endpointType": "StorageQueue", "properties":
            {"resourceId": double.account_id(account), "queueName": "wbstore-wandb-acme-com2"}},
        "filter": {"subjectBeginsWith": "/blobServices/default/containers/wbstore-wandb-acme-com2/blobs/"},
        "labels": ["team:ml"],
    });
    double.plant_event_subscription(account, "theirs", &theirs, false);
    let before = site.snapshot().await;
    site.provisioned().await;
    assert_ne!(site.snapshot().await, before);
    site.teardown(&[]).await.ends(0);
    assert_eq!(site.snapshot().await, before);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn the_host_of_another_deployment_in_the_environment_is_ignored() {
    let site = Site::open().await;
    site.double().plant(Planted::new(site.account())).await.unwrap();
    let other = "https://other.example";
    site.provision(&["--host", other]).await.ends(0);
    let before = site.snapshot().await;
    site.provisioned().await;
    let mut teardown = site.azure.wbstore();
    teardown.args(["teardown", "azure", "--name", NAME, "--confirm", NAME]);
    teardown.args(site.azure.place()).args(site.azure.endpoints()).env("WBSTORE_HOST", other);
    finish(teardown).await.ends(0);
    assert_eq!(site.snapshot().await, before, "the rule of the other deployment is there");
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn an_account_of_ours_that_holds_more_is_kept() {
    let site = Site::open().await;
    site.provisioned().await;
    site.double().plant_container(site.account(), "theirs", &json!({})).await.unwrap();
    site.teardown(&[]).await.ends(0).tells(&["`theirs`"]);
    let left = site.snapshot().await;
    assert!(left.get(&format!("container/{}/theirs", site.account())).is_some(), "{left}");
    assert!(left.get(&format!("container/{}/{QUEUE}", site.account())).is_none(), "{left}");
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn an_account_of_ours_with_an_event_subscription_of_others_is_kept() {
    let site = Site::open().await;
    site.provisioned().await;
    let name = format!("wbstore-{NAME}");
    site.double().set_label(site.account(), &name, "wbstore:", "wbstore:somebody-else");
    site.teardown(&[]).await.ends(0).tells(&["it is kept, because it holds the event subscription", &name]);
    let left = site.snapshot().await;
    let theirs = left.get(&format!("event-subscription/{}/{name}", site.account()));
    assert!(theirs.is_some_and(|theirs| theirs.contains("somebody-else")), "{left}");
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn the_wrong_name_deletes_nothing() {
    let site = Site::open().await;
    site.provisioned().await;
    site.azure.proxy().clear_journal();
    let ran = site.run("teardown", &["--confirm", "other"]).await;
    assert_ne!(ran.code, Some(0), "{ran}");
    ran.tells(&[NAME]);
    site.is_untouched();
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn emptying_by_lifecycle_rules_is_refused() {
    let site = Site::open().await;
    let lifecycle = ["--delete-objects", "--empty-by", "lifecycle"];
    site.teardown(&lifecycle).await.ends(2).tells(&["--empty-by lifecycle", "hint:"]);
}
