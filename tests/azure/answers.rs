//! What is not Azure's answer, or not all of it.

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::json;
use wbstore_sandbox::azure::double::control::Planted;
use wbstore_sandbox::fault::{Failure, Fault, When};
use wbstore_sandbox::reply::ApiError;

use crate::support::{QUEUE, Site, finish, shows};

/// A login page of the network, with success.
fn portal() -> Fault {
    Fault::fail(Failure::Other(ApiError::new(200, "", "sign in").header("content-type", "text/html")))
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_web_page_is_no_success_of_any_verb() {
    for operation in
        ["arm.storageAccounts.GET", "arm.containers.PUT", "arm.locks.LIST", "arm.eventSubscriptions.PUT"]
    {
        let site = Site::open().await;
        site.azure.proxy().arm(When::every(operation), portal());
        let begun = Instant::now();
        let ran = site.provision(&[]).await;
        assert!(matches!(ran.code, Some(1 | 4)), "{operation}: {ran}");
        ran.tells(&["web page", "proxy"]);
        assert!(begun.elapsed() < Duration::from_secs(30), "{operation}: {:?}", begun.elapsed());
    }
    let site = Site::open().await;
    site.provisioned().await;
    for operation in ["arm.storageAccounts.DELETE", "arm.storageAccounts.ListServiceSas"] {
        site.azure.proxy().clear_journal();
        let armed = site.azure.proxy().arm(When::operation(operation, 0), portal());
        let ran = site.teardown(&[]).await;
        assert!(matches!(ran.code, Some(1 | 4)), "{operation}: {ran}");
        ran.tells(&["web page", "proxy"]);
        assert_eq!(armed.hits(), 1);
        assert!(
            site.double().has_container(site.account(), QUEUE).await.unwrap(),
            "nothing is called deleted"
        );
    }
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_token_endpoint_in_trouble_is_not_a_lack_of_credentials() {
    let down = || Fault::fail(Failure::Unavailable);
    for (fault, word) in
        [(portal(), "a web page"), (Fault::Html, "HTTP status 502"), (down(), "HTTP status 503")]
    {
        let site = Site::open().await;
        site.azure.proxy().arm(When::every("token.POST"), fault);
        let begun = Instant::now();
        let ran = site.run("plan", &[]).await.ends(1).tells(&[
            "failed to get a token",
            "the token endpoint returned",
            word,
        ]);
        assert!(!ran.stderr.contains("no usable Azure credentials"), "{ran}");
        assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    }
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn an_account_name_whose_owner_cannot_be_listed_is_not_called_elsewhere() {
    let site = Site::open().await;
    let double = site.double();
    double.add_group(&double.subscription(), "other", "westeurope");
    let place = double.subscription();
    double.plant(Planted::new(site.account()).within(&place, "other")).await.unwrap();
    shows(&site.run("plan", &[]).await.ends(3), &["the account is in the resource group other"]);
    let denied = ApiError::new(403, "AuthorizationFailed", "no");
    let list = When::every("arm.storageAccounts.LIST");
    site.azure.proxy().arm(list, Fault::fail(Failure::Other(denied)));
    shows(
        &site.run("plan", &[]).await.ends(3),
        &["cannot be checked", "Microsoft.Storage/storageAccounts/read"],
    );
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn an_account_that_is_being_created_passes() {
    let site = Site::open().await;
    let busy = ApiError::new(409, "AccountBeingCreated", "The account is being created.");
    site.azure
        .proxy()
        .arm(When::operation("arm.containers.PUT", 0).times(2), Fault::fail(Failure::Other(busy)));
    site.provisioned().await;
}

/// `wbstore plan azure` on a machine without credentials, with an Azure CLI that says `stderr`.
async fn with_cli(site: &Site, folder: &std::path::Path, script: &str) -> wbstore_sandbox::ran::Ran {
    std::fs::create_dir_all(folder).expect("the double has it");
    let az = folder.join("az");
    std::fs::write(&az, format!("#!/bin/sh\n{script}\n")).expect("the double has it");
    assert!(Command::new("chmod").arg("+x").arg(&az).status().expect("the double has it").success());
    let mut command = site.command("plan", &[]);
    for name in ["AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET", "AZURE_AUTHORITY_HOST"] {
        command.env_remove(name);
    }
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap_or_default());
    command.env("PATH", path).env("AZURE_CONFIG_DIR", folder);
    finish(command).await
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn the_reason_of_the_azure_cli_comes_first_and_all_are_shown() {
    let site = Site::open().await;
    let folder = std::env::temp_dir().join(format!("wbstore-az-{:016x}", fastrand::u64(..)));
    let expired = "echo \"ERROR: AADSTS50076: multi-factor authentication is required; run az login --tenant t\" >&2; exit 1";
    let ran = with_cli(&site, &folder, expired).await.ends(1);
    let at = |word: &str| ran.stderr.find(word).unwrap_or_else(|| panic!("no {word}: {ran}"));
    assert!(
        at("AADSTS50076") < at("managed identity:") && at("managed identity:") < at("environment:"),
        "{ran}"
    );

    std::fs::write(folder.join("config"), "[core]\nname = x\n[cloud]\nname = AzureUSGovernment\n").unwrap();
    let ran = with_cli(&site, &folder, "exit 1").await.ends(1);
    ran.tells(&[
        "it is set to the cloud AzureUSGovernment",
        "AZURE_AUTHORITY_HOST=https://login.microsoftonline.us",
    ]);
    std::fs::remove_dir_all(&folder).unwrap();
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn metadata_beyond_azures_limit_are_found_in_the_plan() {
    let site = Site::open().await;
    let (double, account) = (site.double(), site.account());
    double.plant(Planted::new(account)).await.unwrap();
    double
        .plant_container(account, QUEUE, &json!({"a": "x".repeat(4000), "b": "y".repeat(4150)}))
        .await
        .unwrap();
    shows(&site.run("plan", &["--adopt"]).await.ends(3), &["bytes of metadata", "Azure allows 8192"]);
}
