//! Event Grid: subscriptions, and what they deliver.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use wbstore_sandbox::azure::double::control::Planted;
use wbstore_sandbox::azure::double::{AzureDouble, Options, Trouble};

use crate::support::{Answer, account_path, arm, at, double, fresh, send};

const WRITE: &str = "Microsoft.EventGrid/eventSubscriptions/write";

async fn planted(options: Options) -> (AzureDouble, String) {
    let double = double(options).await;
    let name = fresh("events");
    double.plant(Planted::new(&name)).await.expect("it is free");
    for container in ["wandb", "wandb2"] {
        double.plant_container(&name, container, &json!({})).await.expect("Azurite takes it");
    }
    double.plant_queue(&name, "wandb", &json!({})).await.expect("Azurite takes it");
    (double, name)
}

fn wanted(double: &AzureDouble, account: &str, filter: Value) -> Value {
    let target = json!({
        "resourceId": double.account_id(account), "queueName": "wandb", "queueMessageTimeToLiveInSeconds": 604_800,
    });
    json!({
        "destination": { "endpointType": "StorageQueue", "properties": target }, "filter": filter,
        "labels": ["wbstore:acme"],
    })
}

fn path(account: &str) -> String {
    format!("{}/providers/Microsoft.EventGrid/eventSubscriptions/wbstore-acme", account_path(account))
}

async fn put(double: &AzureDouble, account: &str, properties: &Value) -> Answer {
    arm(double, "PUT", &path(account), &json!({ "properties": properties })).await
}

/// Looks until it is done; gives its last state.
async fn settled(double: &AzureDouble, account: &str) -> Value {
    loop {
        let seen = arm(double, "GET", &path(account), &Value::Null).await.json();
        let state = seen["properties"]["provisioningState"].clone();
        if state != "Creating" {
            return state;
        }
    }
}

async fn upload(double: &AzureDouble, account: &str, container: &str, blob: &str) {
    let token = format!("Bearer {}", double.token(&double.principal(), "https://storage.azure.com", 600));
    let url = format!("{}/{account}/{container}/{blob}", double.blob_url());
    let headers =
        [("x-ms-version", "2024-11-04"), ("x-ms-blob-type", "BlockBlob"), ("authorization", token.as_str())];
    assert_eq!(send("PUT", &url, &headers, "hello").await.status, 201);
}

/// The subjects in the queue, once there are `count` of them and no more come.
async fn subjects(double: &AzureDouble, account: &str, count: usize) -> Vec<String> {
    let end = Instant::now() + Duration::from_secs(60);
    while double.messages(account, "wandb").await.expect("the queue is there").len() < count {
        assert!(Instant::now() < end, "fewer than {count} events arrived");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    let bodies = double.messages(account, "wandb").await.expect("the queue is there");
    let event = |body: &String| serde_json::from_str::<Value>(body).expect("an event");
    let mut subjects: Vec<_> =
        bodies.iter().map(|body| event(body)["subject"].as_str().expect("it has one").to_owned()).collect();
    subjects.sort();
    subjects
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn one_is_asked_about_until_it_succeeds_and_then_delivers() {
    let (double, account) = planted(Options::default()).await;
    let filter = json!({
        "subjectBeginsWith": "/blobServices/default/containers/WANDB/blobs/",
        "includedEventTypes": ["Microsoft.Storage.BlobCreated"],
    });
    let made = put(&double, &account, &wanted(&double, &account, filter)).await;
    assert_eq!((made.status, &made.json()["properties"]["provisioningState"]), (201, &json!("Creating")));
    upload(&double, &account, "wandb", "too-early").await;
    let mut status = Value::Null;
    while status != "Succeeded" {
        status = at(&double, "GET", made.header("azure-asyncoperation"), &Value::Null).await.json()["status"]
            .clone();
    }
    assert_eq!(settled(&double, &account).await, "Succeeded");
    upload(&double, &account, "wandb", "run/a").await;
    upload(&double, &account, "wandb2", "b").await;
    assert_eq!(
        subjects(&double, &account, 1).await,
        ["/blobServices/default/containers/wandb/blobs/run/a"],
        "compared without case, and only of the container that is named"
    );
    let gone = arm(&double, "DELETE", &path(&account), &Value::Null).await;
    assert_eq!(gone.status, 202);
    let mut looks = 0;
    while at(&double, "GET", gone.header("location"), &Value::Null).await.status == 202 {
        looks += 1;
    }
    assert_eq!(looks, 2);
    assert_eq!(arm(&double, "DELETE", &path(&account), &Value::Null).await.status, 204);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_careless_filter_matches_the_sibling_and_a_careless_type_matches_all() {
    let (double, account) = planted(Options { polls: 0, ..Options::default() }).await;
    let filter = json!({ "subjectBeginsWith": "/blobServices/default/containers/wandb" });
    put(&double, &account, &wanted(&double, &account, filter)).await;
    assert_eq!(settled(&double, &account).await, "Succeeded");
    upload(&double, &account, "wandb", "a").await;
    upload(&double, &account, "wandb2", "b").await;
    assert_eq!(subjects(&double, &account, 2).await.len(), 2);
    let token = format!("Bearer {}", double.token(&double.principal(), "https://storage.azure.com", 600));
    let url = format!("{}/{account}/wandb/a", double.blob_url());
    send("DELETE", &url, &[("x-ms-version", "2024-11-04"), ("authorization", &token)], "").await;
    assert_eq!(subjects(&double, &account, 3).await.len(), 3, "a deletion is an event too");
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_blob_of_blocks_is_one_event_with_the_size_of_all() {
    let (double, account) = planted(Options { polls: 0, ..Options::default() }).await;
    put(&double, &account, &wanted(&double, &account, json!({}))).await;
    assert_eq!(settled(&double, &account).await, "Succeeded");
    let token = format!("Bearer {}", double.token(&double.principal(), "https://storage.azure.com", 600));
    let url = format!("{}/{account}/wandb/a%20b", double.blob_url());
    let headers = [("x-ms-version", "2024-11-04"), ("authorization", token.as_str())];
    for (query, body) in [
        ("comp=block&blockid=MDE%3D", "hello "),
        ("comp=block&blockid=MDI%3D", "world"),
        ("comp=blocklist", "<BlockList><Latest>MDE=</Latest><Latest>MDI=</Latest></BlockList>"),
    ] {
        assert_eq!(send("PUT", &format!("{url}?{query}"), &headers, body).await.status, 201, "{query}");
    }
    assert_eq!(subjects(&double, &account, 1).await, ["/blobServices/default/containers/wandb/blobs/a b"]);
    let bodies = double.messages(&account, "wandb").await.expect("the queue is there");
    let event: Value = serde_json::from_str(&bodies[0]).expect("an event");
    assert_eq!(
        (&event["data"]["api"], &event["data"]["contentLength"]),
        (&json!("PutBlockList"), &json!(11))
    );
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn failure_is_for_ever() {
    let (double, account) = planted(Options { polls: 0, ..Options::default() }).await;
    let properties = wanted(&double, &account, json!({}));
    double.trouble(WRITE, Trouble::FailsLater, 1);
    for _ in 0..2 {
        assert_eq!(put(&double, &account, &properties).await.status, 201);
        assert_eq!(settled(&double, &account).await, "Failed");
    }
    arm(&double, "DELETE", &path(&account), &Value::Null).await;
    put(&double, &account, &properties).await;
    assert_eq!(settled(&double, &account).await, "Succeeded");
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn source_and_destination_must_be_fit() {
    let (double, account) = planted(Options::default()).await;
    let mut lost = wanted(&double, &account, json!({}));
    lost["destination"]["properties"]["queueName"] = json!("nobody");
    assert_eq!(put(&double, &account, &lost).await.error(), (400, "Endpoint validation".to_owned()));
    let mut letters = wanted(&double, &account, json!({}));
    letters["deadLetterDestination"] = json!({
        "endpointType": "StorageBlob",
        "properties": { "resourceId": double.account_id(&account), "blobContainerName": "nowhere" },
    });
    assert_eq!(put(&double, &account, &letters).await.error(), (400, "Endpoint validation".to_owned()));
    letters["deadLetterDestination"]["properties"]["blobContainerName"] = json!("wandb2");
    assert_eq!(put(&double, &account, &letters).await.status, 201);
    let mut short = wanted(&double, &account, json!({}));
    short["destination"]["properties"]["queueMessageTimeToLiveInSeconds"] = json!(0);
    assert_eq!(put(&double, &account, &short).await.status, 400);
    let old = fresh("old");
    double.plant(Planted::new(&old).kind("Storage", "Standard_LRS")).await.expect("it is free");
    let good = wanted(&double, &account, json!({}));
    assert_eq!(put(&double, &old, &good).await.error(), (400, "InvalidRequest".to_owned()));
    double.set_registered("Microsoft.EventGrid", false);
    let unregistered = put(&double, &account, &good).await;
    assert_eq!(unregistered.error(), (409, "MissingSubscriptionRegistration".to_owned()));
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_topic_comes_and_goes_unless_somebody_made_it() {
    let (double, account) = planted(Options { polls: 0, ..Options::default() }).await;
    let topics = async || {
        let path = "/resourceGroups/acme/providers/Microsoft.EventGrid/systemTopics";
        let names = arm(&double, "GET", path, &Value::Null).await.json()["value"].as_array().cloned();
        names
            .expect("a list")
            .iter()
            .map(|one| one["name"].as_str().expect("a name").to_owned())
            .collect::<Vec<_>>()
    };
    let properties = wanted(&double, &account, json!({}));
    put(&double, &account, &properties).await;
    assert!(topics().await[0].starts_with(&format!("{account}-")));
    arm(&double, "DELETE", &path(&account), &Value::Null).await;
    assert!(topics().await.is_empty());
    double.plant_topic(&account, "theirs");
    put(&double, &account, &properties).await;
    arm(&double, "DELETE", &path(&account), &Value::Null).await;
    assert_eq!(topics().await, ["theirs"]);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn the_snapshot_has_all_that_matters() {
    let (double, account) = planted(Options { polls: 0, ..Options::default() }).await;
    put(&double, &account, &wanted(&double, &account, json!({}))).await;
    double.plant_blob(&account, "wandb2", "theirs", "x").await.expect("Azurite takes it");
    let snapshot = double.snapshot().await.expect("all can be read");
    let mut paths: Vec<_> = snapshot.paths().map(|path| path.replace(&account, "A")).collect();
    paths.sort();
    assert_eq!(
        paths,
        [
            "account/A",
            "blob-service/A",
            "blob/A/wandb2/theirs",
            "container/A/wandb",
            "container/A/wandb2",
            "cors/A",
            "event-subscription/A/wbstore-acme",
            "queue/A/wandb",
            "system-topic/A/(implicit)",
        ]
    );
    let again = double.snapshot().await.expect("all can be read");
    assert_eq!(snapshot.differences(&again), Vec::<String>::new());
}
