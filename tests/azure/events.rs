//! The event subscription: every field of it is compared, and what others have beside it is seen.

use serde_json::{Value, json};
use wbstore_sandbox::azure::double::control::Planted;
use wbstore_sandbox::fault::{Failure, Fault, When};
use wbstore_sandbox::reply::ApiError;

use crate::support::{QUEUE, Site, shows};

/// An event subscription that sends the new blobs of the deployment's container to its queue.
fn sends(site: &Site) -> Value {
    json!({
        "destination": {"endpointType": "StorageQueue", "properties":
            {"resourceId": site.double().account_id(site.account()), "queueName": QUEUE}},
        "filter": {"subjectBeginsWith": format!("/blobServices/default/containers/{QUEUE}/blobs/"),
            "includedEventTypes": ["Microsoft.Storage.BlobCreated"]},
    })
}

/// An account of others with the container and the queue.
async fn wired(properties: impl FnOnce(Value) -> Value) -> Site {
    let site = Site::open().await;
    let (double, account) = (site.double(), site.account());
    double.plant(Planted::new(account)).await.expect("the double has it");
    double.plant_container(account, QUEUE, &json!({})).await.expect("the double has it");
    double.plant_queue(account, QUEUE, &json!({})).await.expect("the double has it");
    double.plant_event_subscription(account, "theirs", &properties(sends(&site)), false);
    site
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn another_destination_and_an_end_are_drift() {
    let site = Site::open().await;
    site.provisioned().await;
    let (double, account) = (site.double(), site.account());
    let other = format!("{}x", &account[..20]);
    double.plant(Planted::new(&other)).await.unwrap();
    double.plant_queue(&other, QUEUE, &json!({})).await.unwrap();
    let turned = json!({"destination": {"properties": {"resourceId": double.account_id(&other)}}});
    let ended = json!({"expirationTimeUtc": "2031-01-01T00:00:00Z"});
    for (altered, word) in [(turned, "destination"), (ended, "2031-01-01")] {
        let mut properties = double.event_subscription(account, QUEUE).unwrap();
        if let Some(id) = altered.pointer("/destination/properties/resourceId") {
            properties["destination"]["properties"]["resourceId"] = id.clone();
        } else {
            properties["expirationTimeUtc"] = altered["expirationTimeUtc"].clone();
        }
        double.plant_event_subscription(account, QUEUE, &properties, false);
        shows(&site.run("plan", &["--exit-code"]).await.ends(5), &[word]);
        site.provisioned().await;
        site.run("plan", &["--exit-code"]).await.ends(0);
    }
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn an_adoption_shows_what_it_turns_and_what_it_drops_and_keeps_what_is_better() {
    let site = wired(|properties| properties).await;
    let (double, account) = (site.double(), site.account());
    double.drop_event_subscription("theirs");
    double.plant_container(account, "lost", &json!({})).await.unwrap();
    let mut theirs = sends(&site);
    theirs["destination"]["properties"]["queueMessageTimeToLiveInSeconds"] = json!(-1);
    theirs["filter"]["subjectEndsWith"] = json!(".txt");
    theirs["filter"]["advancedFilters"] =
        json!([{"operatorType": "NumberGreaterThan", "key": "data.contentLength", "value": 1}]);
    theirs["retryPolicy"] = json!({"maxDeliveryAttempts": 5, "eventTimeToLiveInMinutes": 60});
    theirs["deadLetterDestination"] = json!({"endpointType": "StorageBlob", "properties":
        {"resourceId": double.account_id(account), "blobContainerName": "lost"}});
    theirs["expirationTimeUtc"] = json!("2031-01-01T00:00:00Z");
    theirs["labels"] = json!(["team:ml"]);
    double.plant_event_subscription(account, QUEUE, &theirs, false);
    let plan = site.run("plan", &["--adopt"]).await.ends(0);
    for word in [
        "subjectEndsWith",
        "advancedFilters",
        "delivery_attempts",
        "event_ttl_minutes",
        "dead_letter",
        "2031-01-01",
    ] {
        assert!(plan.stdout.contains(word), "{word}: {plan}");
    }
    assert!(!plan.stdout.contains("message_ttl"), "a longer one stays: {plan}");
    site.provision(&["--adopt"]).await.ends(0);
    let written = double.event_subscription(account, QUEUE).unwrap();
    assert_eq!(written["destination"]["properties"]["queueMessageTimeToLiveInSeconds"], -1, "{written}");
    assert!(
        written["labels"].to_string().contains("team:ml") && written["expirationTimeUtc"].is_null(),
        "{written}"
    );
    site.run("plan", &["--exit-code"]).await.ends(0);
    shows(&site.run("plan", &["--exit-code", "--message-ttl", "7d"]).await.ends(5), &["message_ttl_seconds"]);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn without_consent_the_one_of_others_stays_and_with_it_it_is_replaced() {
    let site = Site::open().await;
    let (double, account) = (site.double(), site.account());
    double.plant(Planted::new(account)).await.unwrap();
    site.provision(&["--queue", "internal"]).await.ends(0);
    double.plant_queue(account, QUEUE, &json!({"wbstore_deployment": "wandb-acme-com"})).await.unwrap();
    double.plant_event_subscription(account, "theirs", &sends(&site), false);
    let ran = site.provisioned().await;
    ran.tells(&["the event subscription `theirs` already has the same effect and is used as it is"]);
    assert_eq!(double.event_subscription(account, QUEUE), None, "no second copy");
    site.run("plan", &["--exit-code"]).await.ends(0);
    let ran = site.run("verify", &["--within", "60s"]).await.ends(0);
    assert!(ran.stdout.contains("`theirs`, which is not wbstore's, sends the events"), "{ran}");

    site.provision(&["--adopt"]).await.ends(0).tells(&["replaced"]);
    assert_eq!(double.event_subscription(account, "theirs"), None);
    assert!(double.event_subscription(account, QUEUE).is_some());
    site.run("plan", &["--exit-code"]).await.ends(0);
    site.teardown(&[]).await.ends(0);
    assert_eq!(double.event_subscription(account, QUEUE), None, "it was created, not adopted");
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn events_that_are_sent_twice_are_a_finding_with_the_command_that_ends_it() {
    let site = Site::open().await;
    site.provisioned().await;
    let account = site.account();
    site.double().plant_event_subscription(account, "theirs", &sends(&site), false);
    let command = format!(
        "az eventgrid event-subscription delete --name theirs --source-resource-id {}",
        site.double().account_id(account)
    );
    let plan = site.run("plan", &["--exit-code"]).await.ends(0);
    shows(&plan, &["receives each twice", &command]);
    site.run("verify", &["--within", "60s"]).await.ends(0).tells(&["receives each twice"]);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn a_denied_list_is_not_called_none() {
    let site = Site::open().await;
    site.provisioned().await;
    let denied = ApiError::new(403, "AuthorizationFailed", "no");
    let list = When::every("arm.eventSubscriptions.LIST");
    site.azure.proxy().arm(list, Fault::fail(Failure::Other(denied)));
    shows(&site.run("plan", &[]).await.ends(0), &["cannot check whether another event subscription"]);
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn one_that_vanishes_while_it_is_created_is_created_again() {
    let site = Site::open().await;
    site.double().vanish_once(QUEUE);
    let begun = std::time::Instant::now();
    site.provisioned().await.tells(&["vanished"]);
    assert!(begun.elapsed().as_secs() < 60, "{:?}", begun.elapsed());
    site.run("plan", &["--exit-code"]).await.ends(0);
}
