//! What the cloud has against it: told well, and with nothing half-made.

use std::time::Duration;

use serde_json::json;
use wbstore_sandbox::azure::double::control::Planted;
use wbstore_sandbox::azure::double::{Level, Lock, Trouble};

use crate::support::Site;

/// Accounts of others in which nothing would work, and the word that says why.
#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn an_account_that_cannot_serve_is_refused_before_the_first_write() {
    for (kind, sku, property, word) in [
        ("Storage", "Standard_LRS", None, "Storage"),
        ("BlockBlobStorage", "Premium_LRS", None, "BlockBlobStorage"),
        ("StorageV2", "Standard_LRS", Some(("allowSharedKeyAccess", false)), "shared key"),
        ("StorageV2", "Standard_LRS", Some(("isHnsEnabled", true)), "hierarchical"),
    ] {
        let site = Site::open().await;
        let mut planted = Planted::new(site.account()).kind(kind, sku);
        if let Some((name, value)) = property {
            planted = planted.property(name, value);
        }
        site.double().plant(planted).await.unwrap();
        let ran = site.provision(&[]).await.ends(3).tells(&["azure/account/", word, "hint:"]);
        assert_eq!(ran.stdout, "", "{ran}");
        site.is_untouched();
    }
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_sixth_cors_rule_is_refused() {
    let site = Site::open().await;
    site.double().plant(Planted::new(site.account())).await.unwrap();
    let rule = |n: usize| {
        json!({
            "allowedOrigins": [format!("https://{n}.example")],
            "allowedMethods": ["GET"],
            "allowedHeaders": [],
            "exposedHeaders": [],
            "maxAgeInSeconds": 1,
        })
    };
    let rules: Vec<_> = (0..5).map(rule).collect();
    site.double().plant_cors(site.account(), &rules).await.unwrap();
    site.provision(&[]).await.ends(3).tells(&["azure/cors/", "allows at most 5", "hint:"]);
    site.is_untouched();
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_name_that_a_deleted_account_still_holds_is_final() {
    let site = Site::open().await;
    site.double().take_name(site.account()).await.unwrap();
    let ran = site.provision(&[]).await.ends(3).tells(&["azure/account/", "taken", "hint:"]);
    assert_eq!(ran.stdout, "", "{ran}");
    // Azure calls such a name free until one wants to make it.
    let sent: Vec<_> = site.mutations().into_iter().map(|exchange| exchange.operation).collect();
    assert_eq!(sent, ["arm.storageAccounts.PUT"]);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn what_holds_a_container_is_found_before_the_first_delete() {
    for hold in ["legal hold", "immutab", "lease"] {
        let site = Site::open().await;
        site.provisioned().await;
        let container = crate::support::QUEUE;
        match hold {
            "legal hold" => site.double().legal_hold(site.account(), container),
            "lease" => site.double().lease(site.account(), container).await.unwrap(),
            _ => site.double().immutable(site.account(), container),
        }
        site.azure.proxy().clear_journal();
        site.teardown(&["--delete-objects"]).await.ends(3).tells(&["azure/container/", hold, "hint:"]);
        site.is_untouched();
    }
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_read_only_lock_stops_a_provision_that_would_write() {
    let site = Site::open().await;
    site.double().plant(Planted::new(site.account())).await.unwrap();
    let scope = site.double().account_id(site.account());
    site.double().lock(Lock { scope, name: "freeze".to_owned(), level: Level::ReadOnly });
    site.provision(&[]).await.ends(3).tells(&["freeze", "hint:"]);
    site.is_untouched();
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_provider_is_registered_only_when_asked() {
    let site = Site::open().await;
    site.double().set_registered("Microsoft.EventGrid", false);
    site.provision(&[]).await.ends(3).tells(&["Microsoft.EventGrid", "--register-provider"]);
    site.is_untouched();
    site.provision(&["--register-provider"]).await.ends(0);
    site.run("plan", &["--exit-code"]).await.ends(0);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn an_event_subscription_that_failed_is_made_again() {
    let site = Site::open().await;
    let write = "Microsoft.EventGrid/eventSubscriptions/write";
    site.double().trouble(write, Trouble::FailsLater, 1);
    // Whether the run itself gets over it or the next one does, nothing is left failed.
    let first = site.provision(&[]).await;
    assert!(matches!(first.code, Some(0 | 4)), "{first}");
    site.provisioned().await;
    site.run("plan", &["--exit-code"]).await.ends(0);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn an_account_made_behind_a_503_is_found_and_one_made() {
    let site = Site::open().await;
    site.double().trouble("Microsoft.Storage/storageAccounts/write", Trouble::UnavailableAfter, 1);
    site.provisioned().await;
    site.run("plan", &["--exit-code"]).await.ends(0);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_retry_after_is_waited_for_in_full() {
    let site = Site::open().await;
    site.double().trouble("Microsoft.Storage/storageAccounts/write", Trouble::Throttle(2), 1);
    site.provisioned().await.tells(&["retrying"]);
    let journal = site.azure.proxy().journal();
    let throttled = journal.iter().find(|sent| sent.status == Some(429)).expect("one was throttled");
    let again =
        journal.iter().find(|sent| sent.index > throttled.index && sent.operation == throttled.operation);
    let waited = again.expect("it is sent again").started - throttled.finished.expect("it was answered");
    assert!(waited >= Duration::from_secs(2), "{waited:?}");
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_group_and_a_subscription_that_are_not_there_are_named() {
    let site = Site::open().await;
    site.provision(&["--resource-group", "nowhere"]).await.tells(&["nowhere", "hint:"]);
    let other = "11111111-2222-4333-8444-555555555555";
    site.provision(&["--subscription", other]).await.tells(&[other, "hint:"]);
    site.is_untouched();
}
