//! What `provision` makes, read back around the proxy.

use serde_json::{Value, json};

use crate::support::{EVENTS, HOST, NAME, Site};

/// A site with a service account for the server.
async fn with_account() -> (Site, String) {
    let site = Site::open().await;
    let server = format!("wandb@{}.iam.gserviceaccount.com", site.gcp.project());
    site.gcp.control().account(&server, &[]);
    (site, server)
}

/// Whether a policy grants `role` to `member`, and to nobody else.
fn only(policy: &Value, role: &str, member: &str) -> bool {
    let bindings = policy["bindings"].as_array().into_iter().flatten();
    let holders: Vec<_> = bindings.filter(|one| one["role"] == role).map(|one| &one["members"]).collect();
    holders == [&json!([member])]
}

#[tokio::test]
async fn the_bucket_is_made_with_all_its_settings_in_one_call() {
    let site = Site::open().await;
    site.provision(&[]).await.ends(0);
    let sent = site.mutations();
    let about_bucket: Vec<_> = sent.iter().filter(|sent| sent.starts_with("storage.buckets.")).collect();
    assert_eq!(about_bucket, ["storage.buckets.insert"], "{sent:?}");
    let bucket = site.bucket().await;
    assert_eq!((&bucket["location"], &bucket["storageClass"]), (&json!("US"), &json!("STANDARD")));
    let access = &bucket["iamConfiguration"];
    assert_eq!(access["publicAccessPrevention"], "enforced");
    assert_eq!(access["uniformBucketLevelAccess"]["enabled"], true);
    assert_eq!(
        bucket["cors"],
        json!([{
            "origin": [HOST], "method": ["GET", "HEAD", "PUT"],
            "responseHeader": ["Content-Type", "ETag"], "maxAgeSeconds": 3600,
        }])
    );
    let labels = &bucket["labels"];
    assert_eq!((&labels["wbstore-deployment"], &labels["wbstore-queue"]), (&json!(NAME), &json!("pubsub")));
    assert_eq!(bucket["encryption"], Value::Null, "Google's own keys");
    assert_eq!(bucket["hierarchicalNamespace"], Value::Null);
}

#[tokio::test]
async fn the_subscription_pulls_for_ever_and_the_topic_takes_from_cloud_storage_only() {
    let site = Site::provisioned().await;
    let subscription = site.get(&site.subscription()).await;
    let topic = site.topic().trim_start_matches("/v1/").to_owned();
    assert_eq!(subscription["topic"], topic.as_str());
    assert_eq!(subscription["ackDeadlineSeconds"], 60);
    assert_eq!(subscription["messageRetentionDuration"], "604800s");
    assert_eq!(subscription["expirationPolicy"], json!({}), "no time to live is for ever");
    assert_eq!(subscription["pushConfig"], json!({}));
    assert_eq!(subscription["labels"], json!({ "wbstore-deployment": NAME }));
    let policy = site.get(&format!("{}:getIamPolicy", site.topic())).await;
    let agent = format!("serviceAccount:{}", site.gcp.double().agent());
    assert!(only(&policy, "roles/pubsub.publisher", &agent), "{policy}");
    assert_eq!(policy["bindings"].as_array().map(Vec::len), Some(1), "{policy}");
}

#[tokio::test]
async fn the_notification_tells_of_new_objects_only() {
    let site = Site::provisioned().await;
    let told = site.get(&site.notifications()).await;
    let items = told["items"].as_array().expect("a list");
    assert_eq!(items.len(), 1, "{told}");
    let topic = format!("//pubsub.googleapis.com{}", site.topic().trim_start_matches("/v1"));
    assert_eq!(items[0]["topic"], topic);
    assert_eq!(items[0]["event_types"], json!(["OBJECT_FINALIZE"]));
    assert_eq!(items[0]["payload_format"], "JSON_API_V1");
    assert_eq!(items[0]["custom_attributes"], json!({ "wbstore": NAME }));
}

#[tokio::test]
async fn all_events_are_told_where_asked_for() {
    let site = Site::open().await;
    site.provision(&["--all-events"]).await.ends(0);
    let told = site.get(&site.notifications()).await;
    assert_eq!(told["items"][0]["event_types"], Value::Null, "none named is all: {told}");
    site.run("plan", &["--all-events", "--exit-code"]).await.ends(0);
    // The other way is a change, and leaves one.
    site.run("plan", &["--exit-code"]).await.ends(5);
    site.provision(&[]).await.ends(0);
    let told = site.get(&site.notifications()).await;
    assert_eq!(told["items"].as_array().map(Vec::len), Some(1), "{told}");
    assert_eq!(told["items"][0]["event_types"], json!(["OBJECT_FINALIZE"]));
}

#[tokio::test]
async fn a_second_run_writes_nothing() {
    let (site, server) = with_account().await;
    let options = ["--service-account", server.as_str(), "--soft-delete", "8d", "--expires", "7d"];
    site.provision(&options).await.ends(0);
    let before = site.snapshot().await;
    site.gcp.proxy().clear_journal();
    site.run("plan", &[&["--exit-code"], &options[..]].concat()).await.ends(0);
    site.provision(&options).await.ends(0);
    site.is_untouched();
    assert_eq!(site.snapshot().await.differences(&before), Vec::<String>::new());
}

#[tokio::test]
async fn the_servers_account_gets_its_three_roles() {
    let (site, server) = with_account().await;
    site.provision(&["--service-account", &server]).await.ends(0);
    let member = format!("serviceAccount:{server}");
    let bucket = site.get(&format!("/storage/v1/b/{}/iam", site.bucket)).await;
    assert!(only(&bucket, "roles/storage.objectAdmin", &member), "{bucket}");
    let owners = bucket["bindings"].as_array().expect("a list").iter();
    assert!(owners.clone().any(|one| one["role"] == "roles/storage.legacyBucketOwner"), "{bucket}");
    let subscription = site.get(&format!("{}:getIamPolicy", site.subscription())).await;
    assert!(only(&subscription, "roles/pubsub.subscriber", &member), "{subscription}");
    let itself = format!("/v1/projects/-/serviceAccounts/{server}:getIamPolicy");
    let itself = site.ask("POST", &itself, Value::Null).await;
    assert!(only(&itself, "roles/iam.serviceAccountTokenCreator", &member), "{itself}");
}

#[tokio::test]
async fn an_account_that_is_not_there_is_refused_before_anything_is_made() {
    let site = Site::open().await;
    let nobody = format!("nobody@{}.iam.gserviceaccount.com", site.gcp.project());
    let ran = site.provision(&["--service-account", &nobody]).await.ends(3);
    ran.tells(&[&nobody, "does not exist", "hint:", "gcloud iam service-accounts list"]);
    site.is_untouched();
}

#[tokio::test]
async fn an_internal_queue_makes_no_topic_and_no_events() {
    let site = Site::open().await;
    let ran = site.provision(&["--queue", "internal"]).await.ends(0);
    assert_eq!(ran.outputs()["BUCKET_QUEUE"], "internal://");
    assert_eq!(site.left().await, json!([[site.bucket], [], []]));
    assert_eq!(site.get(&site.notifications()).await["items"], Value::Null);
    assert_eq!(site.bucket().await["labels"]["wbstore-queue"], "internal");
    site.run("plan", &["--queue", "internal", "--exit-code"]).await.ends(0);
}

/// A key in a location that fits the bucket's.
const KEY: &str = "projects/acme-keys/locations/us/keyRings/wandb/cryptoKeys/runs";

#[tokio::test]
async fn a_kms_key_encrypts_the_bucket() {
    let site = Site::open().await;
    site.provision(&["--kms-key", KEY]).await.ends(0);
    assert_eq!(site.bucket().await["encryption"]["defaultKmsKeyName"], KEY);
    site.run("plan", &["--kms-key", KEY, "--exit-code"]).await.ends(0);
}

#[tokio::test]
async fn a_kms_key_that_cloud_storage_may_not_use_is_told_with_the_command() {
    let site = Site::open().await;
    site.gcp.control().close_key(KEY);
    let agent = site.gcp.double().agent();
    let command = format!(
        "gcloud kms keys add-iam-policy-binding {KEY} --member serviceAccount:{agent} --role \
         roles/cloudkms.cryptoKeyEncrypterDecrypter"
    );
    site.provision(&["--kms-key", KEY]).await.ends(4).tells(&[&site.bucket, KEY, "hint:", &command]);
    let tried = site.mutations().iter().filter(|sent| *sent == "storage.buckets.insert").count();
    assert_eq!(tried, 1, "nothing is gained by asking again");
    assert_eq!(site.left().await[0], json!([]));
}

#[tokio::test]
async fn soft_delete_is_what_was_asked_for() {
    let site = Site::open().await;
    for (asked, seconds) in [("30d", "2592000"), ("7d", "604800")] {
        site.provision(&["--soft-delete", asked]).await.ends(0);
        let bucket = site.bucket().await;
        assert_eq!(bucket["softDeletePolicy"]["retentionDurationSeconds"], seconds, "{asked}");
        site.run("plan", &["--soft-delete", asked, "--exit-code"]).await.ends(0);
    }
}

/// What a project or its organization prescribes is not overwritten.
#[tokio::test]
async fn without_the_option_soft_delete_is_the_projects_own_default() {
    let site = Site::open().await;
    site.gcp.control().default_soft_delete(1_209_600);
    site.provision(&[]).await.ends(0);
    assert_eq!(site.bucket().await["softDeletePolicy"]["retentionDurationSeconds"], "1209600");
    let plan = site.run("plan", &["--exit-code"]).await.ends(0);
    assert!(plan.stdout.contains("soft delete keeps deleted objects for 14d"), "{plan}");
}

#[tokio::test]
async fn messages_about_a_bucket_in_the_european_union_stay_there() {
    for (location, regions) in [("EU", 11), ("europe-west4", 1), ("EUR4", 2), ("europe-west2", 0), ("US", 0)]
    {
        let site = Site::open().await;
        let with = ["--location", location];
        site.provision(&with).await.ends(0);
        let policy = site.get(&site.topic()).await["messageStoragePolicy"].clone();
        let allowed = policy["allowedPersistenceRegions"].as_array().map_or(0, Vec::len);
        assert_eq!(allowed, regions, "{location}: {policy}");
        site.run("plan", &[&with[..], &["--exit-code"]].concat()).await.ends(0);
    }
}

#[tokio::test]
async fn a_lease_is_on_everything_in_the_creating_call() {
    let site = Site::open().await;
    site.provision(&["--expires", "7d"]).await.ends(0);
    let sent = site.mutations();
    assert!(!sent.iter().any(|sent| sent.contains("atch") || sent.contains("UpdateBucket")), "{sent:?}");
    let topic = site.get(&site.topic()).await;
    let subscription = site.get(&site.subscription()).await;
    for one in [&site.bucket().await, &topic, &subscription] {
        assert_eq!(one["labels"]["wbstore-lease"], "7d", "{one}");
        let end = one["labels"]["wbstore-expires"].as_str().expect("an end");
        assert!(end.parse::<u64>().is_ok(), "{end}");
    }
    site.run("plan", &["--expires", "7d", "--exit-code"]).await.ends(0);
}

#[tokio::test]
async fn another_location_and_other_names_are_taken_as_given() {
    let site = Site::open().await;
    let names = ["--location", "europe-west4", "--bucket", "acme-runs", "--topic", "runs-told"];
    let ran = site.provision(&[&names[..], &["--subscription", "runs-taken"]].concat()).await.ends(0);
    let queue = format!("pubsub:/{}/runs-told/runs-taken", site.gcp.project());
    assert_eq!(ran.outputs(), [("BUCKET", "gs://acme-runs"), ("BUCKET_QUEUE", queue.as_str())].into());
    assert_eq!(site.left().await, json!([["acme-runs"], ["runs-told"], ["runs-taken"]]));
    assert_eq!(site.get("/storage/v1/b/acme-runs").await["location"], "EUROPE-WEST4");
}

#[tokio::test]
async fn the_outputs_name_what_was_made() {
    let site = Site::open().await;
    let ran = site.provision(&[]).await.ends(0);
    let bucket = format!("gs://{}", site.bucket);
    let queue = format!("pubsub:/{}/{EVENTS}/{EVENTS}", site.gcp.project());
    let outputs = [("BUCKET", bucket.as_str()), ("BUCKET_QUEUE", queue.as_str())];
    assert_eq!(ran.outputs(), outputs.into(), "nothing else is needed");
}
