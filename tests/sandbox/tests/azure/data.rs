//! The doors to blobs and queues.

use serde_json::{Value, json};
use wbstore_sandbox::azure::double::control::Planted;
use wbstore_sandbox::azure::double::{AzureDouble, Options, Principal, Trouble};

use crate::support::{Answer, account_path, arm, double, fresh, send};

const VERSION: (&str, &str) = ("x-ms-version", "2024-11-04");
const BLOCK: (&str, &str) = ("x-ms-blob-type", "BlockBlob");
const STORAGE: &str = "https://storage.azure.com";

async fn planted(options: Options) -> (AzureDouble, String) {
    let double = double(options).await;
    let name = fresh("data");
    double.plant(Planted::new(&name)).await.expect("it is free");
    double.plant_container(&name, "wandb", &json!({})).await.expect("Azurite takes it");
    double.plant_queue(&name, "wandb", &json!({})).await.expect("Azurite takes it");
    (double, name)
}

/// As somebody who signed in.
async fn with_token(double: &AzureDouble, who: &Principal, method: &str, url: &str) -> Answer {
    let token = format!("Bearer {}", double.token(who, STORAGE, 600));
    send(method, url, &[VERSION, BLOCK, ("authorization", &token)], "hello").await
}

async fn sas(double: &AzureDouble, account: &str, body: &Value) -> String {
    let kind = if body["signedServices"].is_null() { "ListServiceSas" } else { "ListAccountSas" };
    let answer = arm(double, "POST", &format!("{}/{kind}", account_path(account)), body).await.json();
    let token = answer["accountSasToken"].as_str().or(answer["serviceSasToken"].as_str());
    token.unwrap_or_else(|| panic!("{answer}")).to_owned()
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_token_opens_only_what_its_owner_may() {
    let (double, account) = planted(Options::default()).await;
    let url = format!("{}/{account}/wandb/a", double.blob_url());
    let us = double.principal();
    assert_eq!(with_token(&double, &us, "PUT", &url).await.status, 201);
    assert_eq!(with_token(&double, &us, "GET", &url).await.text(), "hello");
    let stranger = with_token(&double, &Principal::fresh(), "GET", &url).await;
    assert_eq!(stranger.fault(), (401, "InvalidAuthenticationInfo"));
    double.deny(&us, "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read");
    let refused = with_token(&double, &us, "GET", &url).await;
    assert_eq!(refused.fault(), (403, "AuthorizationPermissionMismatch"));
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn signatures_are_checked_against_the_accounts_own_key() {
    let (double, account) = planted(Options::default()).await;
    double.plant_blob(&account, "wandb", "a", "hello").await.expect("Azurite takes it");
    let url = format!("{}/{account}/wandb/a", double.blob_url());
    let of_account = json!({
        "signedServices": "b", "signedResourceTypes": "o", "signedPermission": "r",
        "signedExpiry": "2099-01-01T00:00:00Z", "signedProtocol": "https,http",
    });
    let of_blob = json!({
        "canonicalizedResource": format!("/blob/{account}/wandb/a"), "signedResource": "b",
        "signedPermission": "r", "signedExpiry": "2099-01-01T00:00:00Z",
    });
    for body in [of_account, of_blob] {
        let token = sas(&double, &account, &body).await;
        let read = send("GET", &format!("{url}?{token}"), &[], "").await;
        assert_eq!((read.status, read.text()), (200, "hello".to_owned()), "{body}");
        let forged = send("GET", &format!("{url}?{}", token.replace("sp=r", "sp=rw")), &[], "").await;
        assert_eq!(forged.status, 403, "{forged:?}");
        let mut past = body.clone();
        past["signedExpiry"] = json!("2020-01-01T00:00:00Z");
        let token = sas(&double, &account, &past).await;
        assert_eq!(send("GET", &format!("{url}?{token}"), &[], "").await.status, 403);
    }
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_new_key_ends_what_the_old_one_signed() {
    let (double, account) = planted(Options::default()).await;
    double.plant_blob(&account, "wandb", "a", "hello").await.expect("Azurite takes it");
    let body = json!({
        "signedServices": "b", "signedResourceTypes": "o", "signedPermission": "r",
        "signedExpiry": "2099-01-01T00:00:00Z",
    });
    let token = sas(&double, &account, &body).await;
    let url = format!("{}/{account}/wandb/a?{token}", double.blob_url());
    assert_eq!(send("GET", &url, &[], "").await.status, 200);
    let path = format!("{}/regenerateKey", account_path(&account));
    assert_eq!(arm(&double, "POST", &path, &json!({ "keyName": "key1" })).await.status, 200);
    assert_eq!(send("GET", &url, &[], "").await.status, 403);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn an_account_may_take_no_keys_and_no_strangers() {
    let (double, account) = planted(Options::default()).await;
    let url = format!("{}/{account}/wandb/a", double.blob_url());
    assert_eq!(send("GET", &url, &[VERSION], "").await.fault(), (409, "PublicAccessNotPermitted"));
    let path = format!("{}/blobServices/default/containers/open", account_path(&account));
    let open = json!({ "properties": { "publicAccess": "Blob" } });
    let refused = arm(&double, "PUT", &path, &open).await;
    assert_eq!(refused.error(), (409, "PublicAccessNotPermitted".to_owned()));
    double.set_property(&account, "allowBlobPublicAccess", json!(true));
    assert_eq!(arm(&double, "PUT", &path, &open).await.json()["properties"]["publicAccess"], "Blob");
    double.plant_blob(&account, "open", "a", "hello").await.expect("Azurite takes it");
    assert_eq!(send("GET", &url.replace("wandb", "open"), &[VERSION], "").await.text(), "hello");
    double.set_property(&account, "allowSharedKeyAccess", json!(false));
    let signed = send("GET", &url, &[VERSION, ("authorization", "SharedKey a:b")], "").await;
    assert_eq!(signed.fault(), (403, "KeyBasedAuthenticationNotPermitted"));
    let with_sas = send("GET", &format!("{url}?sv=2022-11-02&sig=x"), &[], "").await;
    assert_eq!(with_sas.fault(), (403, "KeyBasedAuthenticationNotPermitted"));
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_browser_is_told_what_the_rules_say() {
    let (double, account) = planted(Options::default()).await;
    let url = format!("{}/{account}/wandb/a", double.blob_url());
    let ask = async |origin: &str, method: &str| {
        let headers = [("origin", origin), ("access-control-request-method", method)];
        send("OPTIONS", &url, &headers, "").await
    };
    assert_eq!(ask("https://wandb.acme.com", "PUT").await.status, 403);
    let rule = json!({
        "allowedOrigins": ["https://wandb.acme.com"], "allowedMethods": ["GET", "PUT", "HEAD"],
        "maxAgeInSeconds": 3600, "exposedHeaders": ["ETag"], "allowedHeaders": ["*"],
    });
    let path = format!("{}/blobServices/default", account_path(&account));
    let body = json!({ "properties": { "cors": { "corsRules": [rule] } } });
    assert_eq!(arm(&double, "PUT", &path, &body).await.status, 200);
    let allowed = ask("https://wandb.acme.com", "PUT").await;
    assert_eq!(
        (allowed.status, allowed.header("access-control-allow-origin")),
        (200, "https://wandb.acme.com")
    );
    assert_eq!(ask("https://wandb.acme.com", "DELETE").await.status, 403);
    assert_eq!(ask("https://evil.example", "PUT").await.status, 403);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn names_rest_after_deletion_whichever_door_was_used() {
    let (double, account) = planted(Options { rest: 2, ..Options::default() }).await;
    let us = double.principal();
    let container = format!("{}/{account}/wandb?restype=container", double.blob_url());
    let queue = format!("{}/{account}/wandb", double.queue_url());
    assert_eq!(with_token(&double, &us, "DELETE", &container).await.status, 202);
    assert_eq!(with_token(&double, &us, "DELETE", &queue).await.status, 204);
    assert_eq!(with_token(&double, &us, "PUT", &container).await.fault(), (409, "ContainerBeingDeleted"));
    assert_eq!(with_token(&double, &us, "PUT", &queue).await.fault(), (409, "QueueBeingDeleted"));
    let path = account_path(&account);
    let by_arm =
        arm(&double, "GET", &format!("{path}/queueServices/default/queues/wandb"), &Value::Null).await;
    assert_eq!(by_arm.error(), (409, "QueueBeingDeleted".to_owned()));
    let by_arm =
        arm(&double, "PUT", &format!("{path}/blobServices/default/containers/wandb"), &json!({})).await;
    assert_eq!(by_arm.error(), (409, "ContainerOperationFailure".to_owned()));
    assert_eq!(with_token(&double, &us, "PUT", &container).await.status, 201);
    assert_eq!(with_token(&double, &us, "PUT", &queue).await.status, 201);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn the_data_plane_is_busy_at_times() {
    let (double, account) = planted(Options::default()).await;
    let write = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/write";
    double.trouble(write, Trouble::Throttle(3), 1);
    let url = format!("{}/{account}/wandb/a", double.blob_url());
    let us = double.principal();
    let busy = with_token(&double, &us, "PUT", &url).await;
    assert_eq!((busy.fault(), busy.header("retry-after")), ((503, "ServerBusy"), "3"));
    assert_eq!(with_token(&double, &us, "PUT", &url).await.status, 201);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_new_accounts_name_is_not_known_everywhere_at_once() {
    let double = double(Options { polls: 0, lag: 2, ..Options::default() }).await;
    let account = fresh("lag");
    assert_eq!(arm(&double, "PUT", &account_path(&account), &crate::support::plain()).await.status, 202);
    arm(&double, "GET", &account_path(&account), &Value::Null).await;
    let url = format!("{}/{account}?restype=service&comp=properties", double.blob_url());
    let us = double.principal();
    for expected in [404, 404, 200] {
        assert_eq!(with_token(&double, &us, "GET", &url).await.status, expected);
    }
}
