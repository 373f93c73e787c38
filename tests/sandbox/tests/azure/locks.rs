//! Management locks.

use serde_json::{Value, json};
use wbstore_sandbox::azure::double::control::Planted;
use wbstore_sandbox::azure::double::{AzureDouble, Level, Lock, Options};

use crate::support::{account_path, arm, double, fresh};

async fn planted() -> (AzureDouble, String, String) {
    let double = double(Options::default()).await;
    let name = fresh("locked");
    double.plant(Planted::new(&name)).await.expect("it is free");
    double.plant_container(&name, "wandb", &json!({})).await.expect("Azurite takes it");
    let path = account_path(&name);
    (double, name, path)
}

fn lock(scope: &str, level: Level) -> Lock {
    Lock { scope: scope.to_owned(), name: "keep".to_owned(), level }
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_lock_is_inherited_and_listed_from_above() {
    let (double, name, path) = planted().await;
    let group = format!("/subscriptions/{}/resourceGroups/acme", double.subscription());
    double.lock(lock(&group, Level::CanNotDelete));
    let container = format!("{path}/blobServices/default/containers/wandb");
    for path in [&path, &container] {
        let answer = arm(&double, "DELETE", path, &Value::Null).await;
        assert_eq!(answer.error(), (409, "ScopeLocked".to_owned()));
        assert!(answer.text().contains(&format!("'{group}'")), "{answer:?}");
    }
    let locks = async |scope: &str| {
        let path = format!("{scope}/providers/Microsoft.Authorization/locks");
        arm(&double, "GET", &path, &Value::Null).await.json()["value"].as_array().map(Vec::len)
    };
    assert_eq!(locks("").await, Some(1));
    assert_eq!(locks("/resourceGroups/ACME").await, Some(1));
    assert_eq!(locks(&account_path(&name)).await, Some(0), "one on a parent is the parent's");
    // What is there may be changed.
    assert_eq!(arm(&double, "PATCH", &path, &json!({ "tags": {} })).await.status, 200);
    double.unlock();
    assert_eq!(arm(&double, "DELETE", &path, &Value::Null).await.status, 200);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn read_only_means_no_keys_either() {
    let (double, name, path) = planted().await;
    double.lock(lock(&double.account_id(&name), Level::ReadOnly));
    let container = format!("{path}/blobServices/default/containers/more");
    for (method, path) in [("POST", &format!("{path}/listKeys")), ("PUT", &container), ("DELETE", &path)] {
        let answer = arm(&double, method, path, &json!({})).await;
        assert_eq!(answer.error(), (409, "ScopeLocked".to_owned()), "{method} {path}");
    }
    assert_eq!(arm(&double, "GET", &path, &Value::Null).await.status, 200);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_child_that_is_held_keeps_its_parent() {
    let (double, name, path) = planted().await;
    let container = format!("{path}/blobServices/default/containers/wandb");
    double.legal_hold(&name, "wandb");
    let seen = arm(&double, "GET", &container, &Value::Null).await.json();
    assert_eq!(seen["properties"]["hasLegalHold"], true);
    let refused = arm(&double, "DELETE", &container, &Value::Null).await;
    assert_eq!(refused.error(), (409, "ContainerHasLegalHold".to_owned()));
    let refused = arm(&double, "DELETE", &path, &Value::Null).await;
    assert_eq!(refused.error(), (409, "AccountProtectedFromDeletion".to_owned()));
    double.immutable(&name, "wandb");
    let refused = arm(&double, "DELETE", &container, &Value::Null).await;
    assert_eq!(refused.error(), (409, "ContainerImmutabilityPolicyLocked".to_owned()));
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_leased_container_stays() {
    let (double, name, path) = planted().await;
    let container = format!("{path}/blobServices/default/containers/wandb");
    double.lease(&name, "wandb").await.expect("Azurite gives it");
    let seen = arm(&double, "GET", &container, &Value::Null).await.json();
    assert_eq!(seen["properties"]["leaseState"], "Leased");
    let refused = arm(&double, "DELETE", &container, &Value::Null).await;
    assert_eq!(refused.error(), (412, "LeaseIdMissing".to_owned()));
}
