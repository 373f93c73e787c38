//! What wbstore made, read back by Google's own clients, which then upload and receive the event.

use std::process::Command;

use serde_json::{Value, json};
use wbstore_sandbox::gcp::{Gcp, PYTHON};
use wbstore_sandbox::paths;
use wbstore_sandbox::ran::{Ran, finish};

const HOST: &str = "https://wandb.acme.com";
/// As the topic and the subscription are both called.
const NAME: &str = "wbstore-wandb-acme-com";
const BUCKET: &str = "acme-wandb";

/// A project with the deployment in it, and with a service account for the server.
async fn provisioned() -> (Gcp, String) {
    let gcp = Gcp::from_env().await;
    let server = format!("wandb@{}.iam.gserviceaccount.com", gcp.project());
    gcp.control().account(&server, &[]);
    let named = ["--bucket", BUCKET, "--service-account", &server];
    let ran = gcp.run(&[&["provision", "gcp", "--host", HOST, "--yes"], &named[..]].concat()).await;
    assert_eq!(ran.code, Some(0), "{ran}");
    (gcp, server)
}

/// What both clients must find.
fn check_bucket(cors: &Value, labels: &Value) {
    let wanted = json!([{
        "origin": [HOST], "method": ["GET", "HEAD", "PUT"],
        "responseHeader": ["Content-Type", "ETag"], "maxAgeSeconds": 3600,
    }]);
    assert_eq!(*cors, wanted);
    assert_eq!(labels["wbstore-deployment"], "wandb-acme-com");
}

fn check_event(message: &Value, object: &str) {
    let attributes = &message["attributes"];
    assert_eq!(attributes["eventType"], "OBJECT_FINALIZE", "{message}");
    assert_eq!((&attributes["bucketId"], &attributes["objectId"]), (&json!(BUCKET), &json!(object)));
    assert_eq!(attributes["wbstore"], "wandb-acme-com");
}

/// The members who hold a role.
fn holders(policy: &Value, role: &str) -> Value {
    let bindings = policy["bindings"].as_array().into_iter().flatten();
    bindings.filter(|binding| binding["role"] == role).map(|binding| binding["members"].clone()).collect()
}

fn read(ran: &Ran) -> Value {
    assert_eq!(ran.code, Some(0), "{ran}");
    serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran}"))
}

#[tokio::test]
#[ignore = "needs the emulators: cargo sandbox test"]
async fn the_python_client_reads_back_what_was_made_and_receives_an_event() {
    let python = paths::emulator(PYTHON);
    let (gcp, server) = provisioned().await;
    let mut command = Command::new(python);
    command.args(["-c", include_str!("clients.py"), BUCKET, NAME, &server]).envs(gcp.env());
    let found = read(&finish(command).await);

    let bucket = &found["bucket"];
    check_bucket(&bucket["cors"], &bucket["labels"]);
    assert_eq!((&bucket["location"], &bucket["storageClass"]), (&json!("US"), &json!("STANDARD")));
    let access = &bucket["iamConfiguration"];
    assert_eq!(access["publicAccessPrevention"], "enforced");
    assert_eq!(access["uniformBucketLevelAccess"]["enabled"], true);

    let [notification] = &found["notifications"].as_array().expect("a list")[..] else {
        panic!("there is just one: {found}")
    };
    let topic = format!("projects/{}/topics/{NAME}", gcp.project());
    assert_eq!(notification["topic"], format!("//pubsub.googleapis.com/{topic}"));
    assert_eq!(notification["payload_format"], "JSON_API_V1");
    assert_eq!(notification["event_types"], json!(["OBJECT_FINALIZE"]));

    let subscription = &found["subscription"];
    assert_eq!(subscription["topic"], topic);
    assert_eq!(subscription["expirationPolicy"], json!({}), "it never expires");
    assert_eq!(subscription["messageRetentionDuration"], "604800s");

    let agent = format!("serviceAccount:{}", gcp.double().agent());
    let server = format!("serviceAccount:{server}");
    for (policy, role, member) in [
        ("topic_policy", "roles/pubsub.publisher", &agent),
        ("bucket_policy", "roles/storage.objectAdmin", &server),
        ("subscription_policy", "roles/pubsub.subscriber", &server),
        ("account_policy", "roles/iam.serviceAccountTokenCreator", &server),
    ] {
        assert_eq!(holders(&found[policy], role), json!([[member]]), "{policy}");
    }
    check_event(&found["event"], "runs/python.txt");
    assert_eq!(found["content"], "hello");
}

#[tokio::test]
#[ignore = "needs gcloud: cargo sandbox test"]
async fn gcloud_reads_back_what_was_made_and_receives_an_event() {
    let (gcp, _) = provisioned().await;
    let gcloud = async |arguments: &[&str]| {
        let mut command = Command::new("gcloud");
        command.args(arguments).arg("--format=json").envs(gcp.env());
        finish(command).await
    };
    let url = format!("gs://{BUCKET}");
    let bucket = read(&gcloud(&["storage", "buckets", "describe", &url]).await);
    check_bucket(&bucket["cors_config"], &bucket["labels"]);
    assert_eq!(bucket["public_access_prevention"], "enforced");

    let notifications = read(&gcloud(&["storage", "buckets", "notifications", "list", &url]).await);
    let notifications = notifications.as_array().expect("a list");
    assert_eq!(notifications.len(), 1, "{notifications:?}");

    let file = gcp.double().folder().join("gcloud.txt");
    std::fs::write(&file, "hello").expect("it can be written");
    let file = file.display().to_string();
    let copied = gcloud(&["storage", "cp", &file, &format!("{url}/runs/gcloud.txt")]).await;
    assert_eq!(copied.code, Some(0), "{copied}");
    let pull = ["pubsub", "subscriptions", "pull", NAME, "--auto-ack", "--limit=10"];
    let pulled = read(&gcloud(&pull).await);
    assert_eq!(pulled.as_array().map(Vec::len), Some(1), "{pulled}");
    check_event(&pulled[0]["message"], "runs/gcloud.txt");
}
