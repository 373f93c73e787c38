//! The life of a storage account.

use serde_json::{Value, json};
use wbstore_sandbox::azure::double::control::Planted;
use wbstore_sandbox::azure::double::{AzureDouble, Options, Stranger, Trouble};

use crate::support::{Answer, account_path, arm, at, double, fresh, plain};

const WRITE: &str = "Microsoft.Storage/storageAccounts/write";

/// Asks until the operation has ended.
async fn settle(double: &AzureDouble, started: &Answer) -> Answer {
    let mut location = started.header("location").to_owned();
    loop {
        let answer = at(double, "GET", &location, &Value::Null).await;
        if answer.status != 202 {
            return answer;
        }
        location = answer.header("location").to_owned();
    }
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn it_is_created_in_its_own_time_and_then_updated() {
    let double = double(Options { retry_after: 17, ..Options::default() }).await;
    let name = fresh("life");
    let path = account_path(&name);
    let started = arm(&double, "PUT", &path, &plain()).await;
    assert_eq!((started.status, started.header("retry-after")), (202, "17"));
    assert!(started.header("location").starts_with(&double.arm_url()));
    // Nobody else gets in meanwhile.
    assert_eq!(
        arm(&double, "PUT", &path, &plain()).await.error(),
        (409, "StorageAccountOperationInProgress".to_owned())
    );
    assert_eq!(
        arm(&double, "POST", &format!("{path}/listKeys"), &Value::Null).await.error(),
        (409, "StorageAccountIsNotProvisioned".to_owned())
    );
    let made = settle(&double, &started).await.json();
    assert_eq!(made["properties"]["provisioningState"], "Succeeded");
    assert_eq!(made["properties"]["minimumTlsVersion"], "TLS1_0", "a default nobody wants");
    // A second PUT is an update.
    let mut other = plain();
    other["tags"] = json!({ "theirs": "now" });
    let updated = arm(&double, "PUT", &path, &other).await;
    assert_eq!((updated.status, &updated.json()["tags"]), (200, &json!({ "theirs": "now" })));
    // A PATCH leaves alone what it does not name.
    let patch = json!({ "properties": { "minimumTlsVersion": "TLS1_2" } });
    let patched = arm(&double, "PATCH", &path, &patch).await.json();
    assert_eq!(
        (&patched["tags"], &patched["properties"]["minimumTlsVersion"]),
        (&other["tags"], &json!("TLS1_2"))
    );
    // Somewhere else it cannot be.
    let mut moved = plain();
    moved["location"] = json!("eastus");
    assert_eq!(arm(&double, "PUT", &path, &moved).await.error(), (409, "InvalidResourceLocation".to_owned()));
    assert_eq!(arm(&double, "DELETE", &path, &Value::Null).await.status, 200);
    assert_eq!(arm(&double, "DELETE", &path, &Value::Null).await.status, 204);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn what_cannot_be_is_refused() {
    let double = double(Options::default()).await;
    let good = fresh("bad");
    let with = |field: &str, value: Value| {
        let mut body = plain();
        body[field] = value;
        body
    };
    for (name, body, code) in [
        ("ab", plain(), "AccountNameInvalid"),
        ("Acme", plain(), "AccountNameInvalid"),
        (&good, with("location", json!("mars")), "LocationNotAvailableForResourceType"),
        (&good, with("location", Value::Null), "LocationRequired"),
        (&good, with("kind", json!("StorageV3")), "InvalidValuesForRequestParameters"),
        (&good, with("sku", Value::Null), "InvalidValuesForRequestParameters"),
        (
            &good,
            with("properties", json!({ "minimumTlsVersion": "TLS1_3" })),
            "InvalidValuesForRequestParameters",
        ),
        (&good, with("tags", json!({ "a/b": "c" })), "InvalidTagNameCharacters"),
        (&good, with("tags", json!({ "a": "c".repeat(257) })), "InvalidTags"),
    ] {
        let answer = arm(&double, "PUT", &account_path(name), &body).await;
        assert_eq!(answer.error(), (400, code.to_owned()), "{name} {body}");
    }
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn names_are_global() {
    let double = double(Options::default()).await;
    let (elsewhere, next_door, hidden) = (fresh("far"), fresh("near"), fresh("hidden"));
    let other = double.add_subscription(&double.principal().tenant);
    double.add_group(&double.subscription(), "beside", "westeurope");
    double.plant(Planted::new(&elsewhere).within(&other, "acme")).await.expect("it is free");
    double
        .plant(Planted::new(&next_door).within(&double.subscription(), "beside"))
        .await
        .expect("it is free");
    double.take_name(&hidden).await.expect("it is free");
    for (name, code, available) in [
        (&elsewhere, "StorageAccountAlreadyTaken", false),
        (&next_door, "StorageAccountInAnotherResourceGroup", false),
        (&hidden, "StorageAccountAlreadyTaken", true),
    ] {
        let check = "/providers/Microsoft.Storage/checkNameAvailability";
        let told = arm(&double, "POST", check, &json!({ "name": name })).await.json();
        assert_eq!(told["nameAvailable"], available);
        let answer = arm(&double, "PUT", &account_path(name), &plain()).await;
        assert_eq!(answer.error(), (409, code.to_owned()));
    }
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_failure_may_be_a_success_and_the_other_way_round() {
    let double = double(Options { polls: 1, ..Options::default() }).await;
    let made = fresh("made");
    double.trouble(WRITE, Trouble::UnavailableAfter, 1);
    assert_eq!(arm(&double, "PUT", &account_path(&made), &plain()).await.status, 503);
    assert_eq!(
        arm(&double, "PUT", &account_path(&made), &plain()).await.error(),
        (409, "StorageAccountOperationInProgress".to_owned())
    );
    let failed = fresh("failed");
    double.trouble(WRITE, Trouble::FailsLater, 1);
    let started = arm(&double, "PUT", &account_path(&failed), &plain()).await;
    assert_eq!(started.status, 202);
    assert_eq!(settle(&double, &started).await.error(), (409, "StorageAccountCreationFailed".to_owned()));
    let seen = arm(&double, "GET", &account_path(&failed), &Value::Null).await.json();
    assert_eq!(seen["properties"]["provisioningState"], "Failed");
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_poll_url_may_lead_astray() {
    let double = double(Options::default()).await;
    let stranger = Stranger::start().await.expect("loopback has free ports");
    double.misdirect_polls(Some(stranger.url()));
    let started = arm(&double, "PUT", &account_path(&fresh("astray")), &plain()).await;
    assert!(started.header("location").starts_with(stranger.url()));
    assert_eq!(stranger.tokens(), 0);
    at(&double, "GET", started.header("location"), &Value::Null).await;
    assert_eq!(stranger.tokens(), 1, "a client that follows is found out");
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn policy_has_the_last_word() {
    let double = double(Options { polls: 0, ..Options::default() }).await;
    double.enforce("allowSharedKeyAccess", false);
    let name = fresh("policy");
    let mut body = plain();
    body["properties"] = json!({ "allowSharedKeyAccess": true });
    let started = arm(&double, "PUT", &account_path(&name), &body).await;
    let made = settle(&double, &started).await.json();
    assert_eq!(made["properties"]["allowSharedKeyAccess"], false);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn sections_of_the_blob_service_that_are_left_out_are_lost() {
    let double = double(Options::default()).await;
    let name = fresh("sections");
    double.plant(Planted::new(&name)).await.expect("it is free");
    let retention = json!({ "enabled": true, "days": 7 });
    double.set_blob_service(&name, "deleteRetentionPolicy", retention.clone());
    let rule = json!({
        "allowedOrigins": ["https://others.example"], "allowedMethods": ["GET"], "maxAgeInSeconds": 60,
        "exposedHeaders": [], "allowedHeaders": ["x-*", "a&b"],
    });
    double.plant_cors(&name, std::slice::from_ref(&rule)).await.expect("Azurite takes it");
    let path = format!("{}/blobServices/default", account_path(&name));
    let seen = arm(&double, "GET", &path, &Value::Null).await.json();
    assert_eq!(seen["properties"]["cors"]["corsRules"], json!([rule]));
    assert_eq!(seen["properties"]["deleteRetentionPolicy"], retention);
    let written = arm(&double, "PUT", &path, &json!({ "properties": {} })).await.json();
    assert_eq!(written["properties"]["cors"]["corsRules"], json!([]));
    assert_eq!(written["properties"]["deleteRetentionPolicy"]["enabled"], false);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn an_account_may_hold_more_than_blobs_and_queues() {
    let double = double(Options::default()).await;
    let (general, premium) = (fresh("general"), fresh("premium"));
    double.plant(Planted::new(&general)).await.expect("it is free");
    double.plant(Planted::new(&premium).kind("BlockBlobStorage", "Premium_LRS")).await.expect("it is free");
    double.plant_table_and_share(&general, "runs", "homes");
    for (list, name) in [("tableServices/default/tables", "runs"), ("fileServices/default/shares", "homes")] {
        let seen = arm(&double, "GET", &format!("{}/{list}", account_path(&general)), &Value::Null).await;
        assert_eq!(seen.json()["value"][0]["name"], name);
        let none = arm(&double, "GET", &format!("{}/{list}", account_path(&premium)), &Value::Null).await;
        assert_eq!(none.error(), (400, "FeatureNotSupportedForAccount".to_owned()));
    }
}
