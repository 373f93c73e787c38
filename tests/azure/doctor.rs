//! `doctor`: credentials, clock and permissions, and that nothing is changed.

use serde_json::json;
use wbstore_sandbox::fault::{Fault, When};
use wbstore_sandbox::ran::Ran;

use crate::support::{Site, finish};

async fn doctor(site: &Site, more: &[&str]) -> Ran {
    site.run("doctor", &[&["--format", "json"], more].concat()).await
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn who_may_do_all_is_told_so_and_nothing_is_written() {
    let site = Site::open_provisioned().await;
    site.azure.proxy().clear_journal();
    let principal = site.double().principal();
    let subscription = format!("{} (AZURE_SUBSCRIPTION_ID)", site.double().subscription());
    doctor(&site, &[])
        .await
        .ends(0)
        .finds("azure credentials", "passed", &["AZURE_CLIENT_SECRET"])
        .finds("azure identity", "passed", &[&principal.client, &principal.object, &principal.tenant])
        .finds("azure subscription", "passed", &[&subscription, "wbstore sandbox, Enabled"])
        .finds("azure location", "passed", &["westeurope (the resource group acme)"])
        .finds("azure endpoint", "passed", &["custom endpoint http://127.0.0.1", "Resource Manager"])
        .finds("azure clock", "passed", &[])
        .finds("azure permissions", "passed", &["`wbstore policy azure --for operator`"])
        .finds("azure reads", "passed", &["resources of wandb-acme-com can be read"]);
    site.is_untouched();
    let journal = site.azure.proxy().journal();
    assert!(journal.iter().any(|exchange| exchange.operation == "arm.permissions.LIST"));
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn an_action_that_is_missing_is_named() {
    let site = Site::open().await;
    let principal = site.double().principal();
    let write = "Microsoft.EventGrid/eventSubscriptions/write";
    site.double().deny(&principal, write);
    let ran = doctor(&site, &[]).await.ends(6);
    ran.finds("azure permissions", "failed", &["1 of ", write, "on the resource group acme"]);
    site.double().allow_all();
    site.double().deny(&principal, "Microsoft.Storage/storageAccounts/blobServices/containers/delete");
    doctor(&site, &[]).await.ends(0).finds("azure permissions", "warned", &["teardown is not allowed"]);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn without_leave_to_ask_the_reads_still_count() {
    let site = Site::open().await;
    let role = site.run("policy", &["--for", "operator"]).await.ends(0).json();
    site.double().restrict(&site.double().principal(), &role);
    let ran = doctor(&site, &[]).await.ends(0);
    ran.finds("azure permissions", "inconclusive", &["Microsoft.Authorization/permissions/read"])
        .finds("azure subscription", "inconclusive", &["Microsoft.Resources/subscriptions/read"])
        .finds("azure reads", "passed", &[]);
    site.double().allow_all();
    let mut blind = role.clone();
    blind["NotActions"] = json!(["Microsoft.Storage/storageAccounts/read"]);
    site.double().restrict(&site.double().principal(), &blind);
    doctor(&site, &[]).await.ends(6).finds(
        "azure reads",
        "failed",
        &["Microsoft.Storage/storageAccounts/read"],
    );
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn what_no_option_names_is_inconclusive() {
    let site = Site::open().await;
    let mut command = site.azure.wbstore();
    command.args(["doctor", "azure", "--format", "json", "--arm-endpoint", &site.azure.proxy().url()]);
    let ran = finish(command).await.ends(0);
    ran.finds("azure location", "inconclusive", &["no resource group is given; add --resource-group"])
        .finds("azure permissions", "inconclusive", &["no resource group is given"])
        .finds("azure identity", "passed", &[]);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_clock_that_is_off_is_a_failure() {
    let site = Site::open().await;
    site.azure.proxy().arm(When::every("*"), Fault::Skew(-1200));
    let ran = doctor(&site, &[]).await.ends(6);
    ran.finds(
        "azure clock",
        "failed",
        &["minutes ahead of that of http://127.0.0.1", "more than 15 minutes"],
    );
}
