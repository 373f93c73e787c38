//! What keeps browsers, events or the server out, and what deletes files behind their back: shown in the plan,
//! whoever the account belongs to.

use serde_json::{Value, json};
use wbstore_sandbox::azure::double::control::Planted;
use wbstore_sandbox::azure::double::{Level, Lock};
use wbstore_sandbox::fault::{Failure, Fault, When};
use wbstore_sandbox::reply::ApiError;

use crate::support::{HOST, NAME, QUEUE, Site, finish, shows};

/// Properties of an account, and the words of the plan.
fn hindrances() -> Vec<(&'static str, Value, Vec<&'static str>)> {
    let firewall =
        |bypass: &str| json!({"defaultAction": "Deny", "bypass": bypass, "ipRules": [{"value": "1.2.3.4"}]});
    vec![
        (
            "networkAcls",
            firewall("None"),
            vec!["browsers elsewhere cannot upload", "Event Grid does not reach a queue"],
        ),
        ("networkAcls", firewall("AzureServices"), vec!["browsers elsewhere cannot upload", "is uncertain"]),
        (
            "publicNetworkAccess",
            json!("Disabled"),
            vec!["it has no public endpoint", "without a public endpoint"],
        ),
        (
            "publicNetworkAccess",
            json!("SecuredByPerimeter"),
            vec!["network security perimeter", "drop every event"],
        ),
        ("dnsEndpointType", json!("AzureDnsZone"), vec!["DNS zone of their own"]),
        (
            "immutableStorageWithVersioning",
            json!({"enabled": true, "immutabilityPolicy": {"immutabilityPeriodSinceCreationInDays": 30, "state": "Unlocked"}}),
            vec!["keeps every version of a blob for 30 days"],
        ),
    ]
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn what_shuts_an_account_is_in_the_plan_whoever_it_belongs_to() {
    let (ours, theirs) = (Site::open().await, Site::open().await);
    ours.provisioned().await;
    theirs.double().plant(Planted::new(theirs.account())).await.unwrap();
    for (name, value, words) in hindrances() {
        for site in [&ours, &theirs] {
            let reset = json!({"publicNetworkAccess": "Enabled", "networkAcls": {"defaultAction": "Allow"},
                "dnsEndpointType": "Standard", "immutableStorageWithVersioning": null});
            for (name, value) in reset.as_object().unwrap() {
                site.double().set_property(site.account(), name, value.clone());
            }
            site.double().set_property(site.account(), name, value.clone());
            shows(&site.run("plan", &[]).await.ends(0), &words);
        }
    }
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn lifecycle_rules_and_holds_are_in_the_plan() {
    let site = Site::open().await;
    site.provisioned().await;
    let rules = json!([{"enabled": true, "name": "tidy", "type": "Lifecycle", "definition": {
        "filters": {"blobTypes": ["blockBlob"], "prefixMatch": [QUEUE]},
        "actions": {"baseBlob": {"delete": {"daysAfterModificationGreaterThan": 30}}}}}]);
    site.double().set_lifecycle(site.account(), &rules);
    let words = ["the lifecycle rule `tidy` deletes objects", "30 days after they were last changed"];
    shows(&site.run("plan", &["--exit-code"]).await.ends(0), &words);
    site.double().immutable(site.account(), QUEUE);
    shows(&site.run("plan", &[]).await.ends(0), &["an immutability policy keeps its blobs"]);
    let denied = ApiError::new(403, "AuthorizationFailed", "no");
    let read = When::every("arm.managementPolicies.GET");
    site.azure.proxy().arm(read, Fault::fail(Failure::Other(denied)));
    let words =
        ["not checked: whether lifecycle rules", "Microsoft.Storage/storageAccounts/managementPolicies/read"];
    shows(&site.run("plan", &["--exit-code"]).await.ends(0), &words);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn the_endpoints_are_those_that_the_account_shows() {
    let site = Site::open().await;
    site.provisioned().await;
    // Without the options that name endpoints.
    let run = async |verb: &str, more: &[&str]| {
        let mut command = site.azure.wbstore();
        command.args([verb, "azure", "--account", site.account()]).args(more).args(site.azure.place());
        finish(command).await
    };
    let verify = ["--host", HOST, "--within", "60s"];
    run("verify", &verify).await.ends(0);
    site.double().plant_blob(site.account(), QUEUE, "k", "four").await.unwrap();
    run("teardown", &["--name", NAME, "--dry-run"]).await.ends(3).tells(&["1 object (4 bytes)"]);
    let elsewhere = json!({"blob": "http://blobs.example/", "queue": "http://queues.example/"});
    site.double().set_property(site.account(), "primaryEndpoints", elsewhere);
    let ran = run("verify", &verify).await.ends(3);
    assert!(ran.stdout.contains("does not use https"), "{ran}");
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_read_only_lock_ends_verify_before_it_begins() {
    let site = Site::open().await;
    site.provisioned().await;
    let scope = site.double().account_id(site.account());
    site.double().lock(Lock { scope, name: "freeze".to_owned(), level: Level::ReadOnly });
    shows(
        &site.run("plan", &["--exit-code"]).await.ends(0),
        &["`freeze`", "also denies signing and reading keys"],
    );
    site.azure.proxy().clear_journal();
    let ran = site.run("verify", &[]).await.ends(3);
    assert!(ran.stdout.contains("the ReadOnly lock `freeze`"), "{ran}");
    let asked = site.azure.proxy().journal();
    assert!(!asked.iter().any(|sent| sent.operation.contains("Sas") || sent.operation.starts_with("blob.")));
}
