//! Events, from a bucket to whoever pulls.

use std::time::Duration;

use google_cloud_pubsub::client::Subscriber;
use serde_json::json;
use wbstore_sandbox::gcp::double::Refusing;

use crate::bench::{Bench, config};

#[tokio::test]
async fn a_finalized_object_is_told_of() {
    let bench = Bench::new().await;
    bench.wired("acme-6").await;
    let subscriber = Subscriber::builder()
        .with_endpoint(bench.double.url())
        .with_credentials(bench.credentials.clone())
        .build()
        .await
        .expect("a client can be made");
    let mut stream = subscriber.subscribe(bench.subscription("events")).build();
    let object = bench.storage.write_object("projects/_/buckets/acme-6", "runs/1", "hello");
    object.send_buffered().await.expect("it is written");
    let received = tokio::time::timeout(Duration::from_secs(60), stream.next()).await.expect("in time");
    let (message, handler) = received.expect("there is one").expect("it is no error");
    handler.ack();
    assert_eq!(message.attributes["eventType"], "OBJECT_FINALIZE");
    assert_eq!(message.attributes["objectId"], "runs/1");
    assert_eq!(message.attributes["wbstore"], "acme");
    let resource: serde_json::Value = serde_json::from_slice(&message.data).expect("it is JSON");
    assert_eq!((&resource["bucket"], &resource["size"]), (&json!("acme-6"), &json!("5")));
}

#[tokio::test]
async fn a_filter_lets_through_what_it_names() {
    let bench = Bench::new().await;
    bench.wired("acme-7").await;
    let name = bench.subscription("filtered");
    bench
        .subscriptions
        .create_subscription()
        .set_name(&name)
        .set_topic(bench.topic("events"))
        .set_filter("hasPrefix(attributes.objectId, \"probe/\")")
        .send()
        .await
        .expect("a subscription");
    for object in ["other", "probe/1"] {
        let write = bench.storage.write_object("projects/_/buckets/acme-7", object, "x");
        write.send_buffered().await.expect("it is written");
    }
    let pull = json!({"maxMessages": 10});
    let pulled = bench.double.control().ask("POST", &format!("/v1/{name}:pull"), pull).await;
    let messages = pulled["receivedMessages"].as_array().expect("there are some");
    assert_eq!(messages.len(), 1, "{pulled}");
    assert_eq!(messages[0]["message"]["attributes"]["objectId"], "probe/1");
}

#[tokio::test]
async fn a_notification_needs_a_topic_that_the_agent_may_publish_to() {
    let bench = Bench::new().await;
    bench.bucket("acme-8").await.expect("it is made");
    let control = bench.double.control();
    let topic = bench.topic("events");
    let insert = || async {
        let client = reqwest::Client::new();
        let url = format!("{}/storage/v1/b/acme-8/notificationConfigs", bench.double.url());
        let token = bench.double.token(&bench.double.operator());
        let request = client.post(url).bearer_auth(token).body(config(&topic).to_string());
        request.send().await.expect("it answers").status().as_u16()
    };
    assert_eq!(insert().await, 403, "there is no topic");
    bench.topics.create_topic().set_name(&topic).send().await.expect("a topic");
    control.refuse_topics(Refusing::BadRequest);
    assert_eq!(insert().await, 400, "there is no grant");
    let member = format!("serviceAccount:{}", bench.double.agent());
    let binding =
        google_cloud_iam_v1::model::Binding::new().set_role("roles/pubsub.publisher").set_members([member]);
    let policy = bench.policies.get_iam_policy().set_resource(&topic).send().await.expect("a policy");
    bench
        .policies
        .set_iam_policy()
        .set_resource(&topic)
        .set_policy(policy.set_bindings([binding]))
        .send()
        .await
        .expect("it is set");
    control.slow_grants(2);
    assert_eq!((insert().await, insert().await, insert().await), (400, 400, 200));
    assert_eq!(insert().await, 200, "a second one is made as well");
}

#[tokio::test]
async fn a_subscription_has_the_settings_the_cloud_would_give_it() {
    let bench = Bench::new().await;
    let topic = bench.topic("events");
    bench.topics.create_topic().set_name(&topic).set_labels([("a", "1")]).send().await.expect("a topic");
    let name = bench.subscription("plain");
    let create = || bench.subscriptions.create_subscription().set_name(&name).set_topic(&topic);
    let made = create().send().await.expect("a subscription");
    assert_eq!(made.ack_deadline_seconds, 10);
    let ttl = made.expiration_policy.and_then(|policy| policy.ttl).map(|ttl| ttl.seconds());
    assert_eq!(ttl, Some(31 * 24 * 60 * 60));
    let error = create().send().await.expect_err("it is there already");
    assert_eq!(error.http_status_code(), Some(409), "{error}");
    let never = google_cloud_pubsub::model::ExpirationPolicy::new();
    let update = google_cloud_pubsub::model::Subscription::new()
        .set_name(&name)
        .set_expiration_policy(never)
        .set_labels([("b", "2")]);
    let mask = google_cloud_wkt::FieldMask::default().set_paths(["expiration_policy", "labels"]);
    let updated = bench.subscriptions.update_subscription().set_subscription(update).set_update_mask(mask);
    let updated = updated.send().await.expect("it is updated");
    assert_eq!(updated.labels["b"], "2");
    assert_eq!(updated.expiration_policy.expect("it is said").ttl, None);
    bench.topics.delete_topic().set_topic(&topic).send().await.expect("it goes");
    let read = bench.subscriptions.get_subscription().set_subscription(&name).send().await.expect("it stays");
    assert_eq!(read.topic, "_deleted-topic_");
}
